# For scenarios under mpirun. Sourced, with $TUNDISH set.
# ranks_are_here: is there an mpirun, and a module for it? Then Open MPI is told to make do with the machine it is on.
ranks_are_here() {
    command -v mpirun >/dev/null || { echo "no mpirun here"; return 1; }
    [ -f "$(dirname "$TUNDISH")/tundish_mpi.so" ] || { echo "this build has no MPI part"; return 1; }
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    export OMPI_MCA_btl=self,vader OMPI_MCA_rmaps_base_oversubscribe=1
}
# need_ranks: or the scenario is skipped
need_ranks() {
    ranks_are_here || { echo "skipped"; exit 77; }
    export ASAN_OPTIONS=detect_leaks=0          # Open MPI keeps what it allocated until exit
}
