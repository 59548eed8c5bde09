#!/usr/bin/env bash
# The collectives under mpirun with 1 to 4 ranks, and what is said when the module is missing.
set -eu
. "$TUNDISH_SOURCE/tests/ranks.sh"
need_ranks

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp "$(dirname "$TUNDISH")/tundish_mpi.so" "$(dirname "$TUNDISH")/tests/test_comm" "$scratch"/
for ranks in 1 2 3 4; do
    timeout 120 mpirun --bind-to none -np "$ranks" "$scratch/test_comm" >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
    [ "$(grep -c 'PASSED.*5 test' "$scratch/log")" = "$ranks" ] || { cat "$scratch/log"; exit 1; }
    echo "$ranks ranks: the same sums"
done

rm "$scratch/tundish_mpi.so"
if OMPI_COMM_WORLD_SIZE=2 "$scratch/test_comm" >"$scratch/log" 2>&1; then echo "opened without the module"; exit 1; fi
grep -q 'started by mpirun, but the MPI part cannot be opened' "$scratch/log" || { cat "$scratch/log"; exit 1; }
