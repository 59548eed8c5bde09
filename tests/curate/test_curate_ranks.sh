#!/usr/bin/env bash
# `curate` by 1 to 8 threads on each of 1, 2 and 4 ranks: the same bytes. A killed run of one number of ranks goes on with
# another. And an error ends all ranks with its message.
set -eu
. "$TUNDISH_SOURCE/tests/stage_runs.sh"
. "$TUNDISH_SOURCE/tests/curate/corpus_input.sh"
need_ranks
make_input in 10 60
stage=(curate in --group-bytes 70K --shard-bytes 40K --scores --keep-dropped --steps '[normalize,
    {filter: {profile: gopher@datatrove, min-words: 30, repetition: false, min-stop-words: 0}}, {dedup: {method: exact}}, {dedup: {method: minhash}},
    {sample: {fraction: 0.9}}, {shuffle: {seed: 3}}, {split: {test: 0.1, validation: 0.05}}]')
product=corpus

run 0 "${stage[@]}" --out whole --threads 1
[ "$(ls whole/part-*.zst | wc -l)" -gt 2 ] || fail "want several shards: $(ls whole)"
ranks_agree "1 8" "2 1" "2 8" "4 2"
echo "1 to 8 threads on each of 1 to 4 ranks: the same corpus"
ranks_go_on 'phase-*/group-?????'

# an error of any rank ends all, and what came of nothing is gone
by 2 curate nowhere --out none && fail "took a source that is not there"
has err "source 'nowhere'"
by 2 curate in --out none --steps '[{filter: {profile: gopher@datatrove, min-words: 1000}}]' && fail "made a corpus of nothing"
has err "error on rank 0: no document is left"
none "a run that left nothing left something" none*
echo "ranks share the work, and its end"
