# What scenarios that run one command after the other share. Sourced, with $TUNDISH set.
fail() { echo "$*"; for f in out err; do [ ! -f $f ] || { echo "--- $f"; head -c 2000 $f; }; done; exit 1; }
# run STATUS ARGS...: the exit status is that; stdout and stderr go to `out` and `err`. $quiet: empty, or --quiet.
quiet=
run() {
    local want=$1 seen=0
    shift
    "$TUNDISH" $quiet "$@" >out 2>err || seen=$?
    [ $seen = "$want" ] || fail "tundish $*: exit status $seen, want $want"
}
# has FILE PATTERN
has() { grep -q -- "$2" "$1" || fail "no '$2' in $1"; }
# digest ARTIFACT: its content digest, as the manifest has it.
digest() { sed -n 's/^ *"digest": *"\([0-9a-f]*\)".*/\1/p' "$1/manifest.json"; }
