#!/usr/bin/env bash
# An output never removes what is not ours, nor what it was made from; a reader that had enough is no failure.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
refused() {
    local words=$1 code=0
    shift
    "$TUNDISH" "$@" >log 2>&1 || code=$?
    [ "$code" = 2 ] || { echo "$*: exit code $code, want 2"; cat log; exit 1; }
    grep -q "$words" log || { echo "$*: no '$words'"; cat log; exit 1; }
}
mkdir -p home/docs
echo precious >home/thesis.txt
for i in 1 2 3; do echo "document $i, some words of it" >home/docs/$i.txt; done
refused "is no artifact" curate --in home/docs --out home --steps '[normalize]'
[ -f home/thesis.txt ] && [ -f home/docs/1.txt ] || { echo "the input is gone"; exit 1; }
"$TUNDISH" curate --in home/docs --out corpus --steps '[normalize]' --quiet
"$TUNDISH" curate --in home/docs --out corpus --steps '[normalize]' --quiet      # our own is replaced
refused "one inside the other" curate --in corpus --out corpus --steps '[normalize]'
mkdir home/docs/empty
refused "one inside the other" curate --in home/docs --out home/docs/empty --steps '[normalize]'
mkdir empty && "$TUNDISH" curate --in home/docs --out empty --steps '[normalize]' --quiet

# braces at the beginning of two lines make no JSONL
printf '{$mode objfpc}\n{$h+}\nprogram x; begin end.\n' >x.pas
"$TUNDISH" curate --in x.pas --out pascal --steps '[normalize]' --quiet
"$TUNDISH" store cat pascal | grep -q objfpc || { echo "a Pascal program was taken for JSONL"; exit 1; }

set -o pipefail
for i in $(seq 400); do head -c 3000 /dev/zero | tr '\0' a >home/docs/long$i.txt; echo " $i" >>home/docs/long$i.txt; done
"$TUNDISH" curate --in home/docs --out many --steps '[normalize]' --quiet
"$TUNDISH" store cat many | head -n 1 >log || { echo "store cat | head failed"; exit 1; }
