# What the scenarios of `tundish curate` share: a folder of their own, and words for a failure. Sourced.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export NO_COLOR=1

fail() { echo "FAILED: $*" >&2; exit 1; }
# has TEXT FILE
has() { grep -qF -- "$1" "$2" || { echo "FAILED: '$1' is not in $2:" >&2; head -c 3000 "$2" >&2; exit 1; }; }
# fails_with STATUS TEXT COMMAND...: fails so, with these words
fails_with() {
    local want=$1 text=$2 seen=0
    shift 2
    "$@" > out 2> err || seen=$?
    [ "$seen" = "$want" ] || { cat err >&2; fail "$* gave $seen, want $want"; }
    has "$text" err
}
