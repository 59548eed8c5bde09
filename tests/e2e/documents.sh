# make_documents FOLDER: a small corpus of this project's own words, one document a section, some as HTML and some in an archive.
make_documents() {
    mkdir -p "$1/plain" "$1/pages"
    local n=0
    awk -v folder="$1/plain" '
        /^#+ / || (lines > 25 && /^$/) { close(file); n++; file = sprintf("%s/%03d.md", folder, n); lines = 0 }
        file { print > file; lines++ }' "$TUNDISH_SOURCE"/DESIGN.md "$TUNDISH_SOURCE"/README.md "$TUNDISH_SOURCE"/store/FORMATS.md
    for file in "$TUNDISH_SOURCE"/base/*.h; do
        n=$((n + 1))
        { echo "<html><head><title>$(basename "$file")</title></head><body><nav><a href=x>next</a></nav><p>"
          sed -n '/^\/\*/,/\*\//{s/^ *\/*\** *//;s/\*\/$//;s/</\&lt;/g;p}' "$file"
          echo "</p></body></html>"; } >"$1/pages/$(basename "$file" .h).html"
    done
    (cd "$1/plain" && tar czf ../more.tar.gz 00*.md && rm 00*.md)
}
