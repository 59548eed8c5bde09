# Inputs for scenarios of whole runs: JSON lines in many files, with copies, near copies, short ones, ids that are
# others' too, and broken bytes. Sourced. make_input FOLDER FILES LINES
make_input() {
    mkdir -p "$1/sub"
    LC_ALL=C awk -v folder="$1" -v files="$2" -v lines="$3" 'BEGIN {
        srand(11)
        n = split("melt ladle mould steel the of and pours into tundish cast strand slab that have with be to roll heat", w, " ")
        for (f = 0; f < files; f++) for (i = 0; i < lines; i++) {
            text = ""
            for (k = 20 + int(rand() * 120); k >= 0; k--)
                text = text w[1 + int(rand() * n)] (rand() < 0.4 ? sprintf("%c%c", 97 + int(rand() * 26), 97 + int(rand() * 26)) : "") (rand() < 0.1 ? ".\\n" : " ")
            if (rand() < 0.1) text = kept
            else if (rand() < 0.1) text = kept "and a little more of it"
            else if (rand() < 0.1) text = "too short"
            else kept = text
            id = rand() < 0.3 ? "same " int(rand() * 5) : f "-" i
            printf "{\"id\": \"%s\", \"text\": \"%s\", \"metadata\": {\"n\": %d}}\n", id, text, i > (folder "/" (f % 3 ? "" : "sub/") f ".jsonl")
        }
    }'
    printf 'plain text of the heat that is \377 broken and the rest of the words to be\n' > "$1/broken.txt"
    : > "$1/empty.txt"
}
