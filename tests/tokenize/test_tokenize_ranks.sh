#!/usr/bin/env bash
# `tokenize` by 1, 2 and 8 threads on each of 1, 2 and 4 ranks: the same bytes. A killed run of one number of ranks goes on with
# another. And an error ends all ranks with its message.
set -eu
. "$TUNDISH_SOURCE/tests/stage_runs.sh"
need_ranks
mkdir corpus
awk 'BEGIN {
    srand(3)
    split("melt ladle mould steel the of and pours into tundish cast strand slab", w, " ")
    for (f = 0; f < 7; f++) for (i = 0; i < 200; i++) {
        text = ""
        for (n = int(rand() * 200); n >= 0; n--) text = text w[1 + int(rand() * 13)] sprintf("%c", 97 + int(rand() * 26)) " "
        printf "{\"id\": \"%d-%d\", \"text\": \"%s\", \"source\": \"s%d\"}\n", f, i, text, i % 3 >"corpus/" f ".jsonl"
    }
}'
run 0 tokenizer train corpus --out t --vocab 400 --no-report
stage=(tokenize corpus --tokenizer t --group-bytes 100K --shard-tokens 20000 --validation 0.1)
product=store

run 0 "${stage[@]}" --out whole --threads 1
ranks_agree "1 2" "1 8" "2 1" "2 2" "2 8" "4 1" "4 2" "4 8"
echo "1, 2, 8 threads x 1, 2, 4 ranks: the same store"
ranks_go_on '*json'

# an error of any rank ends all
echo '{"id": "x", "text": 7}' >>corpus/3.jsonl
by 2 "${stage[@]}" --out none && fail "took a corpus with a fault"
has err "error on rank [01]: 'corpus/3.jsonl' line 201"
by 2 tokenize nowhere --tokenizer t --out none && fail "took a corpus that is not there"
has err "there is no corpus 'nowhere'"
echo "ranks share the work, and its end"
