#!/usr/bin/env bash
# Training in bounded memory: on a corpus ten times as large as the memory allowed the process stays under the bound and gives the
# same bytes; nothing is left beside the output, not even by a run that was killed.
set -eu
tools=$(dirname "$TUNDISH")/tests
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
# A sanitizer's own memory is several times the program's: there the bound cannot be measured, all else can.
sanitized=
if grep -q __asan_init "$TUNDISH"; then sanitized=1; fi
megabytes=250 memory=25000000 words=80000
[ -z "$sanitized" ] || { megabytes=20; memory=600000000; }

"$tools/tool_peak" text $megabytes $words >corpus.txt
options="corpus.txt --vocab 280 --pattern gpt2 --threads 2"
"$TUNDISH" tokenizer train $options --out whole 2>log
grep -q '(0 runs on disk)' log || { cat log; exit 1; }

peak=$("$tools/tool_peak" "$TUNDISH" tokenizer train $options --no-report --memory $memory --out small \
    2>log) || { cat log; exit 1; }
cmp whole/tokenizer.json small/tokenizer.json || { echo "memory changes the tokenizer"; exit 1; }
if [ -z "$sanitized" ]; then
    grep -q '([1-9][0-9]* runs on disk).*(on disk)' log || { echo "nothing went to disk:"; cat log; exit 1; }
    [ "$peak" -le $memory ] || { echo "$peak bytes were in memory; want at most $memory"; exit 1; }
    echo "$((megabytes * 1000000)) bytes of text: $peak bytes in memory, of $memory allowed"
fi

# what cannot be is told, with what would do
if "$TUNDISH" tokenizer train $options --no-report --memory 2M --out little 2>log; then echo "trained in 2 MB"; exit 1; fi
grep -q 'memory is 2.1 MB; for 280 tokens with 2 threads training wants at least' log || { cat log; exit 1; }

# killed: temporary files have no names, and the next run clears the unfinished folder
"$TUNDISH" tokenizer train $options --no-report --memory $memory --out killed 2>log &
pid=$!
for _ in $(seq 500); do
    ls -d killed.tmp.* >/dev/null 2>&1 && break
    sleep 0.01
done
sleep 0.3
[ -z "$(ls -A killed.tmp.*/ 2>/dev/null)" ] || { echo "a temporary file has a name"; ls -lA killed.tmp.*; exit 1; }
kill -9 $pid
wait $pid 2>/dev/null || true
[ ! -e killed ] || { echo "the killed run was done before the kill"; exit 1; }
head -c 1000000 corpus.txt >short.txt
"$TUNDISH" tokenizer train short.txt --vocab 280 --pattern gpt2 --out killed 2>log || { cat log; exit 1; }
left=$(ls -A | grep -v -x -e corpus.txt -e short.txt -e log -e whole -e small -e killed || true)
[ -z "$left" ] || { echo "left behind: $left"; exit 1; }
