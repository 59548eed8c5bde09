#!/usr/bin/env bash
# warcio, where installed, reads the same documents: those of records that it writes in many ways, and of warcio's own test files
# where they lie beside the source (../shared/corpora/web), but for those that it gives up on.
set -eu
. "$TUNDISH_SOURCE/tests/tokenize/peer_python.sh"
"$python" -c 'import warcio' 2> /dev/null || { echo "no warcio for $python"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
fail() { echo "FAILED: $*" >&2; exit 1; }
tool=$(dirname "$TUNDISH")/tests/tool_source

"$python" "$TUNDISH_SOURCE/tests/curate/peer_warc.py" --make many.warc.gz many.warc
web=$TUNDISH_SOURCE/../shared/corpora/web
[ ! -d "$web" ] || { tar xzf "$web/warc-edge-cases.tar.gz"; cp "$web/whirlwind.warc.gz" data/; }
same=0
for f in many.warc.gz many.warc data/*.warc data/*.warc.gz; do
    [ -f "$f" ] || continue
    "$python" "$TUNDISH_SOURCE/tests/curate/peer_warc.py" "$f" > peer 2> fault
    "$tool" -t 2 "$f" > ours
    grep -v '^!' ours | cut -d ' ' -f 2,4,5 > read || true
    if [ -s fault ]; then      # what it read before it gave up is among what we read
        cut -d ' ' -f 1 peer | grep -vxFf <(cut -d ' ' -f 1 read) > missing || true
        [ ! -s missing ] || fail "$f: not read: $(cat missing)"
    else
        cmp -s peer read || fail "$f: $(diff peer read | head -n 5)"
        same=$((same + 1))
    fi
done
[ "$(wc -l < <("$tool" many.warc.gz | grep -v '^!'))" -ge 250 ] || fail "too few documents in common"
echo "$same files read as warcio does"
