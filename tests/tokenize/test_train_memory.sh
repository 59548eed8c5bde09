#!/usr/bin/env bash
# Training in bounded memory: on a corpus ten times as large as the memory allowed the process stays under the bound and gives the
# same bytes; nothing is left beside the output, not even by a run that was killed; a full disk is an error like others.
set -eu
tools=$(dirname "$TUNDISH")/tests
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
# A sanitizer's own memory is several times the program's: there the bound cannot be measured, all else can.
sanitized=
if grep -q __asan_init "$TUNDISH"; then sanitized=1; fi
megabytes=30 memory=30000000 words=100000
[ -z "$sanitized" ] || { megabytes=2; memory=600000000; }

# one part of many words, so that what is counted does not fit, and nine of few, which are counted quickly
"$tools/tool_peak" text $megabytes $words >many.txt
"$tools/tool_peak" text $megabytes 3000 >few.txt
cat many.txt few.txt few.txt few.txt few.txt few.txt few.txt few.txt few.txt few.txt >corpus.txt
rm few.txt
options="corpus.txt --vocab 280 --pattern gpt2 --threads 2"
"$TUNDISH" tokenizer train $options --out whole 2>log
grep -q '(0 runs on disk)' log || { cat log; exit 1; }

peak=$("$tools/tool_peak" "$TUNDISH" tokenizer train $options --no-report --memory $memory --out small \
    2>log) || { cat log; exit 1; }
cmp whole/tokenizer.json small/tokenizer.json || { echo "memory changes the tokenizer"; exit 1; }
if [ -z "$sanitized" ]; then
    grep -q '([1-9][0-9]* runs on disk).*(on disk)' log || { echo "nothing went to disk:"; cat log; exit 1; }
    [ "$peak" -le $memory ] || { echo "$peak bytes were in memory; want at most $memory"; exit 1; }
    echo "$(stat -c %s corpus.txt) bytes of text: $peak bytes in memory, of $memory allowed"
fi

# what cannot be is told, with what would do
if "$TUNDISH" tokenizer train $options --no-report --memory 2M --out little 2>log; then echo "trained in 2 MB"; exit 1; fi
grep -q 'memory is 2.1 MB; for 280 tokens with 2 threads training wants at least' log || { cat log; exit 1; }

# a disk that is full, when runs are written and when the pieces are laid out: a message and no folder
full_disk() {
    mount -t tmpfs -o size=$1 none disk || exit 77
    local rc=0
    "$TUNDISH" tokenizer train rare.txt --vocab 280 --pattern gpt2 --threads 2 --no-report --memory $memory --out disk/out 2>log || rc=$?
    [ $rc = 1 ] && grep -q "$2.*make room there, or allow more memory.*No space left" log && [ -z "$(ls -A disk)" ] ||
        { echo "a full disk of $1: exit code $rc"; ls -A disk; cat log; exit 1; }
}
if [ -z "$sanitized" ]; then
    mkdir disk
    "$tools/tool_peak" text 8 400000 >rare.txt          # takes less room as runs than laid out
    export -f full_disk
    export memory
    for case in "1m cannot write" "16m cannot make a temporary file"; do
        rc=0
        unshare -rm bash -eu -c "full_disk ${case%% *} '${case#* }'" 2>denied || rc=$?
        [ $rc = 1 ] && grep -q . denied && rc=77
        [ $rc = 0 ] && echo "a disk of ${case%% *} is told to be full" || { [ $rc = 77 ] && echo "no file systems may be mounted here"; } || exit 1
    done
    rm -r disk rare.txt
fi

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
head -c 1000000 many.txt >short.txt
"$TUNDISH" tokenizer train short.txt --vocab 280 --pattern gpt2 --out killed 2>log || { cat log; exit 1; }
left=$(ls -A | grep -v -x -e corpus.txt -e many.txt -e short.txt -e log -e denied -e whole -e small -e killed || true)
[ -z "$left" ] || { echo "left behind: $left"; exit 1; }
