#!/usr/bin/env bash
# Training alone: kill -9 and Ctrl-C at changing moments, other numbers of threads and ranks: the same checkpoint. Another option in a
# half-done run is refused.
set -eu
. "$TUNDISH_SOURCE/tests/e2e/documents.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
make_documents docs
t() { "$TUNDISH" "$@" >log 2>&1 || { echo "$*:"; cat log; exit 1; }; }
digest() { sed -n 's/^ *"digest": *"\([0-9a-f]*\)".*/\1/p' "$1/manifest.json"; }
fails() { echo "$1"; cat log; exit 1; }

t curate --in docs --out corpus --steps '[{dedup: {method: exact}}]'
t tokenizer train --corpus corpus --out tokenizer --vocab 300
t tokenize --corpus corpus --tokenizer tokenizer --out tokens --validation 0.2
shape="--store tokens --model.width 32 --model.layers 1 --model.heads 2 --model.ff 64 --context 32 --batch-tokens 512 --unit-tokens 64
    --steps 40 --eval-every 8 --eval-tokens 256 --checkpoint-every 4"

start=$(date +%s%N)
t train $shape --out calm --threads 1
took=$((($(date +%s%N) - start) / 1000000))
want=$(digest calm)
[ "$(grep -c '"loss"' calm/metrics.jsonl)" = 40 ] || fails "not 40 losses"

t train $shape --out three --threads 3
[ "$(digest three)" = "$want" ] || fails "three threads made another checkpoint"

for i in 1 2 3 4 5; do
    "$TUNDISH" train $shape --out torn --threads 2 >log 2>&1 &
    child=$!
    sleep "$(awk -v t="$took" -v i="$i" 'BEGIN { printf "%.3f", t / 1000 * (0.2 + i / 9) }')"
    if [ "$i" = 3 ]; then kill -INT "$child" 2>/dev/null || true; else kill -9 "$child" 2>/dev/null || true; fi
    wait "$child" && break || code=$?
    [ "$i" != 3 ] || [ "$code" = 130 ] || fails "Ctrl-C: exit code $code, want 130"
done
if [ -d torn.work ]; then
    if ls torn.work/step-* >/dev/null 2>&1; then
        "$TUNDISH" train $shape --out torn --lr 5e-4 >log 2>&1 && fails "went on with another learning rate"
        grep -q '"lr" 0.001, this one has 0.0005\|lr 0.001, this one has 0.0005' log || fails "another learning rate: unclear error"
    fi
fi
t train $shape --out torn --threads 2
[ "$(digest torn)" = "$want" ] || fails "interrupted training made another checkpoint"
[ ! -e torn.work ] || fails "torn.work is left over"

. "$TUNDISH_SOURCE/tests/ranks.sh"
if ranks_are_here; then
    export ASAN_OPTIONS=detect_leaks=0
    for ranks in 2 4; do
        timeout 200 mpirun --bind-to none -np $ranks "$TUNDISH" train $shape --out ranks$ranks --threads 1 >log 2>&1 || fails "mpirun -np $ranks"
        [ "$(digest ranks$ranks)" = "$want" ] || fails "$ranks ranks made another checkpoint"
    done
    timeout 100 mpirun --bind-to none -np 3 "$TUNDISH" train $shape --out ranks3 >log 2>&1 && fails "8 units over 3 ranks were accepted"
    grep -q 'want a power of two for each rank' log || fails "3 ranks: unclear error"
    echo "ranks: same bits"
fi
echo "checkpoint $want"
