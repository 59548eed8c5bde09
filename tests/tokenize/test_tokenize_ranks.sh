#!/usr/bin/env bash
# `tokenize` by 1, 2 and 8 threads on each of 1, 2 and 4 ranks: the same bytes. A killed run of one number of ranks goes on with
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
common="tokenize corpus --tokenizer t --group-bytes 100K --shard-tokens 20000 --validation 0.1"
by() { timeout 120 mpirun --bind-to none -np "$1" "$TUNDISH" "${@:2}" >out 2>err; }

run 0 $common --out one --threads 1
for ranks in 1 2 4; do
    for threads in 1 2 8; do
        [ $ranks$threads != 11 ] || continue
        by $ranks $common --out many --threads $threads || fail "$ranks ranks"
        [ "$(digest one)" = "$(digest many)" ] || fail "$ranks ranks of $threads threads: another store"
        [ ! -e many.work ] || fail "a finished run left something"
        rm -rf many
    done
done
run 0 $common --out lanes --threads 20      # several groups at a time in one process
[ "$(digest one)" = "$(digest lanes)" ] || fail "20 threads: another store"
echo "1, 2, 8 threads x 1, 2, 4 ranks: the same store"

# what one number of ranks left another goes on with
for ranks in 2 1 3; do
    mpirun --bind-to none -np $ranks "$TUNDISH" $common --out killed --threads 1 >out 2>err &
    pid=$!
    for i in $(seq 300); do [ "$(ls killed.work 2>/dev/null | grep -c 'json$')" -gt $ranks ] && break; [ ! -e killed ] || break; sleep 0.01; done
    kill -KILL $(pgrep -P $pid) 2>/dev/null || true
    wait $pid 2>/dev/null || true
done
by 2 $common --out killed || fail "it does not go on"
[ "$(digest one)" = "$(digest killed)" ] || fail "going on with other ranks leads to another store"

# an error of any rank ends all
echo '{"id": "x", "text": 7}' >>corpus/3.jsonl
by 2 $common --out none && fail "took a corpus with a fault"
has err "error on rank [01]: 'corpus/3.jsonl' line 201"
by 2 tokenize nowhere --tokenizer t --out none && fail "took a corpus that is not there"
has err "there is no corpus 'nowhere'"
echo "ranks share the work, and its end"
