#!/usr/bin/env bash
# `curate` by 1 to 8 threads on each of 1, 2 and 4 ranks: the same bytes. A killed run of one number of ranks goes on with
# another. And an error ends all ranks with its message.
set -eu
command -v mpirun >/dev/null || { echo "skipped: no mpirun here"; exit 77; }
[ -f "$(dirname "$TUNDISH")/tundish_mpi.so" ] || { echo "skipped: this build has no MPI part"; exit 77; }
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export ASAN_OPTIONS=detect_leaks=0          # Open MPI keeps what it allocated until exit
export OMPI_MCA_btl=self,vader OMPI_MCA_rmaps_base_oversubscribe=1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export XDG_CACHE_HOME=$scratch/cache
cd "$scratch"

. "$TUNDISH_SOURCE/tests/commands.sh"
. "$TUNDISH_SOURCE/tests/curate/corpus_input.sh"
make_input in 10 60
common=(curate in --group-bytes 70K --shard-bytes 40K --scores --keep-dropped --steps '[normalize,
    {filter: {profile: gopher@datatrove, min-words: 30, repetition: false, min-stop-words: 0}}, {dedup: {method: exact}}, {dedup: {method: minhash}},
    {sample: {fraction: 0.9}}, {shuffle: {seed: 3}}, {split: {test: 0.1, validation: 0.05}}]')
by() { timeout 120 mpirun --bind-to none -np "$1" "$TUNDISH" "${@:2}" >out 2>err; }

run 0 "${common[@]}" --out one --threads 1
[ "$(ls one/part-*.zst | wc -l)" -gt 2 ] || fail "want several shards: $(ls one)"
for how in "1 8" "2 1" "2 8" "4 2"; do
    read -r ranks threads <<<"$how"
    by $ranks "${common[@]}" --out many --threads $threads || fail "$ranks ranks"
    [ "$(digest one)" = "$(digest many)" ] || fail "$ranks ranks of $threads threads: another corpus"
    [ ! -e many.work ] || fail "a finished run left something"
    rm -rf many
done
run 0 "${common[@]}" --out lanes --threads 20      # several groups at a time in one process
[ "$(digest one)" = "$(digest lanes)" ] || fail "20 threads: another corpus"
echo "1 to 8 threads on each of 1 to 4 ranks: the same corpus"

# what one number of ranks left another goes on with
for ranks in 2 1 3; do
    mpirun --bind-to none -np $ranks "$TUNDISH" "${common[@]}" --out killed --threads 1 >out 2>err &
    pid=$!
    for i in $(seq 300); do [ "$(ls -d killed.work/phase-*/group-????? 2>/dev/null | wc -l)" -gt $ranks ] && break; [ ! -e killed ] || break; sleep 0.01; done
    kill -KILL $(pgrep -P $pid) 2>/dev/null || true
    wait $pid 2>/dev/null || true
done
by 2 "${common[@]}" --out killed || fail "it does not go on"
[ "$(digest one)" = "$(digest killed)" ] || fail "going on with other ranks leads to another corpus"

# an error of any rank ends all, and what came of nothing is gone
by 2 curate nowhere --out none && fail "took a source that is not there"
has err "source 'nowhere'"
by 2 curate in --out none --steps '[{filter: {profile: gopher@datatrove, min-words: 1000}}]' && fail "made a corpus of nothing"
has err "error on rank 0: no document is left"
ls -d none* 2>/dev/null && fail "a run that left nothing left something"
echo "ranks share the work, and its end"
