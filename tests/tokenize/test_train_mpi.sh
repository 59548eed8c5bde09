#!/usr/bin/env bash
# Training by several ranks: the same bytes as by one, from one long text and from documents; the numbers in the record too. And an
# error ends all of them.
set -eu
. "$TUNDISH_SOURCE/tests/ranks.sh"
need_ranks

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
"$(dirname "$TUNDISH")/tests/tool_peak" text 12 30000 >long.txt
head -n 60 long.txt | awk '{ for (i = 0; i < 9; i++) printf "{\"id\": \"%d-%d\", \"text\": \"%s \\u00e9\"}\n", NR, i, substr($0, i * 7000 + 1, 7000) }' >docs.jsonl

train() { timeout 120 mpirun --bind-to none -np "$1" "$TUNDISH" tokenizer train "${@:2}" --vocab 500 2>log || { cat log; exit 1; }; }
for corpus in long.txt docs.jsonl; do
    train 1 $corpus --out one
    grep '"documents"\|"pieces"\|"tokens"\|"bytes_per_token"' one/manifest.json >one.counts
    for ranks in 2 3; do
        train $ranks $corpus --out many --threads $((4 - ranks))
        cmp one/tokenizer.json many/tokenizer.json || { echo "$ranks ranks, $corpus: another tokenizer"; exit 1; }
        grep '"documents"\|"pieces"\|"tokens"\|"bytes_per_token"' many/manifest.json | cmp - one.counts
    done
    echo "$corpus: 2 and 3 ranks train what 1 trains"
done
# Little memory, so that all ranks write runs to disk; what each has left differs, and changes nothing. A sanitizer's memory is its own.
if ! grep -q __asan_init "$TUNDISH"; then
    "$(dirname "$TUNDISH")/tests/tool_peak" text 8 400000 >rare.txt
    timeout 120 mpirun --bind-to none -np 3 "$TUNDISH" tokenizer train rare.txt --vocab 500 --no-report --threads 1 --memory 1M --out none 2>log &&
        { echo "trained in 1 MB"; exit 1; }
    least=$(grep -o 'wants at least [0-9]*' log | tail -n 1 | cut -d ' ' -f 4)
    memory=$(((least + 9) * 1000000))
    train 1 rare.txt --no-report --out one
    timeout 120 mpirun --bind-to none -np 3 "$(dirname "$TUNDISH")/tests/tool_peak" "$TUNDISH" tokenizer train rare.txt --vocab 500 --no-report \
        --threads 1 --memory $memory --out many >peaks 2>log || { cat log; exit 1; }
    cmp one/tokenizer.json many/tokenizer.json || { echo "3 ranks in $memory bytes: another tokenizer"; exit 1; }
    grep -q '([1-9][0-9]* runs on disk).*(on disk)' log || { echo "nothing went to disk:"; cat log; exit 1; }
    [ "$(wc -l <peaks)" = 3 ] && awk -v most=$memory '$1 > most { exit 1 }' peaks || { echo "more than $memory bytes:"; cat peaks; exit 1; }
    echo "3 ranks train in $memory bytes each what 1 trains"
    rm rare.txt peaks
fi
[ "$(ls | tr '\n' ' ')" = "docs.jsonl log long.txt many one one.counts " ] || { ls; exit 1; }

if timeout 120 mpirun --bind-to none -np 2 "$TUNDISH" tokenizer train nowhere.txt --out none 2>log; then echo "trained on nothing"; exit 1; fi
grep -q "there is no 'nowhere.txt'" log || { cat log; exit 1; }
