#!/usr/bin/env bash
# The collectives under mpirun with 1 to 4 ranks, and what is said when the module is missing.
set -eu
command -v mpirun >/dev/null || { echo "skipped: no mpirun here"; exit 77; }
[ -f "$(dirname "$TUNDISH")/tundish_mpi.so" ] || { echo "skipped: this build has no MPI part"; exit 77; }
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export ASAN_OPTIONS=detect_leaks=0          # Open MPI keeps what it allocated until exit
export OMPI_MCA_btl=self,vader OMPI_MCA_rmaps_base_oversubscribe=1

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
