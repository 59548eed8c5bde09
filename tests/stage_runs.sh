# What scenarios of a stage that works in OUT.work share: made by several ranks, killed, interrupted, out of room, it ends with the
# same bytes. Sourced, with $TUNDISH set; leads into a folder of its own. The scenario sets
#   stage=(WORDS...)   its command, all but --out and --threads
#   product=NOUN       what that makes
# and makes `whole` of it, which all others are compared with.
scratch=$(mktemp -d)
trap 'umount "$scratch/small" 2>/dev/null || true; rm -rf "$scratch"' EXIT
export XDG_CACHE_HOME=$scratch/cache
cd "$scratch"
. "$TUNDISH_SOURCE/tests/commands.sh"
. "$TUNDISH_SOURCE/tests/ranks.sh"

# same OUT WHAT: OUT is the same as `whole`
same() { [ "$(digest "$1")" = "$(digest whole)" ] || fail "$2 leads to another $product"; }
# none WHAT NAME...: none of them is there
none() { [ -z "$(ls -d "${@:2}" 2>/dev/null)" ] || fail "$1: $(ls -d "${@:2}" 2>/dev/null)"; }
# comes PATTERN OUT: waits until something in OUT.work matches, or OUT is there; half a minute at the most
comes() {
    local i
    for i in $(seq 3000); do
        ls -d "$2".work/$1 >/dev/null 2>&1 && break
        [ ! -e "$2" ] || break
        sleep 0.01
    done
}
# end_of PROCESS...: kills them, and waits for $pid
end_of() { kill -9 "$@" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; }

# ---- by several ranks ----

# by RANKS ARGS...
by() { timeout 120 mpirun --bind-to none -np "$1" "$TUNDISH" "${@:2}" >out 2>err; }

# ranks_agree "RANKS THREADS"...: each makes the same, and several groups at a time in one process, too
ranks_agree() {
    local how ranks threads
    for how in "$@"; do
        read -r ranks threads <<<"$how"
        by "$ranks" "${stage[@]}" --out many --threads "$threads" || fail "$ranks ranks"
        same many "$ranks ranks of $threads threads"
        [ ! -e many.work ] || fail "a finished run left something"
        rm -rf many
    done
    run 0 "${stage[@]}" --out lanes --threads 20
    same lanes "20 threads"
}

# ranks_go_on PATTERN: what one number of ranks left another goes on with; killed when more matches in OUT.work than there are ranks
ranks_go_on() {
    local ranks i
    for ranks in 2 1 3; do
        mpirun --bind-to none -np $ranks "$TUNDISH" "${stage[@]}" --out killed --threads 1 >out 2>err &
        pid=$!
        for i in $(seq 300); do
            [ "$(ls -d killed.work/$1 2>/dev/null | wc -l)" -le $ranks ] && [ ! -e killed ] || break
            sleep 0.01
        done
        end_of $(pgrep -P $pid)
    done
    by 2 "${stage[@]}" --out killed || fail "it does not go on"
    same killed "going on with other ranks"
}

# ---- whatever ends it ----

# make_whole: and `took`, its milliseconds
make_whole() {
    local before
    before=$(date +%s%N)
    run 0 "${stage[@]}" --out whole
    took=$((($(date +%s%N) - before) / 1000000))
    none "a finished run left something" whole.*
}

# kill_when PATTERN OUT: a run by one thread, killed when something in OUT.work matches
kill_when() {
    "$TUNDISH" --quiet "${stage[@]}" --out "$2" --threads 1 >out 2>err &
    pid=$!
    comes "$1" "$2"
    end_of $pid
}

# random_kills COUNT PATTERN: runs to `killed`, each killed at a random moment and with another number of threads; at least one after
# something in OUT.work matched. Then one that is not killed.
random_kills() {
    local i went_on=0
    RANDOM=5
    for i in $(seq "$1"); do
        "$TUNDISH" --quiet "${stage[@]}" --out killed --threads $((1 + i % 3)) 2>err &
        pid=$!
        sleep "$(awk -v r=$RANDOM -v most="$took" 'BEGIN { printf "%.3f", r / 32768 * most / 1000 }')"
        end_of $pid
        ! ls -d killed.work/$2 >/dev/null 2>&1 || went_on=$((went_on + 1))
        if [ -e killed ]; then          # it was faster: begin anew
            same killed "kill $i"
            rm -rf killed killed.work
        fi
    done
    if [ $went_on = 0 ]; then           # none came in the middle of the work: one that waits for it
        kill_when "$2" killed
        ls -d killed.work/$2 >/dev/null 2>&1 || fail "no kill came in the middle of the work"
    fi
    run 0 "${stage[@]}" --out killed
    same killed "$1 kills"
    none "a finished run left something" killed.*
    echo "$1 kills, $went_on in the middle of the work: the same $product"
}

# interrupt PATTERN: Ctrl-C to a run to `broken` when something in OUT.work matches; what is done is kept, and said
interrupt() {
    local seen=0 i
    for i in $(seq 50); do
        "$TUNDISH" "${stage[@]}" --out broken --threads 1 >out 2>err &
        pid=$!
        comes "$1" broken
        kill -INT $pid
        seen=0
        wait $pid || seen=$?
        [ $seen = 0 ] || break
        rm -rf broken
    done
    [ $seen = 130 ] || fail "interrupted: exit status $seen, want 130"
    has err "is kept in 'broken.work': run the same command to go on"
    [ ! -e broken ] || fail "an interrupted run left a $product"
    none "an interrupted run left a temporary folder" broken.tmp.*
}

# refused_while_held OUT: another process is at work in OUT.work
refused_while_held() {
    local holder i
    flock "$1.work/lock" bash -c 'echo held >held; sleep 60' &
    holder=$!
    for i in $(seq 200); do [ -e held ] && break; sleep 0.01; done
    run 4 "${stage[@]}" --out "$1"
    kill $holder $(pgrep -P $holder) 2>/dev/null || true
    wait $holder 2>/dev/null || true
}

# no_file_may_grow BLOCKS: an error of a write, no signal; then it goes on
no_file_may_grow() {
    local seen=0
    (ulimit -f "$1"; "$TUNDISH" "${stage[@]}" --out full >out 2>err) || seen=$?
    [ $seen = 1 ] || fail "a file that may not grow: exit status $seen, want 1"
    has err "is kept in 'full.work'"
    [ ! -e full ] || fail "a $product was made of files that could not grow"
    run 0 "${stage[@]}" --out full
    same full "a limit of file sizes"
}

# full_disk SIZE [WORDS]: a full disk, where a small one can be had; the words, too, are said
full_disk() {
    mkdir small
    if ! mount -t tmpfs -o size="$1" none small 2>/dev/null; then
        echo "no small disk can be mounted here: that part was left out"
        return 0
    fi
    run 1 "${stage[@]}" --out small/s
    has err '0 B free\|No space left on device'
    [ -z "${2:-}" ] || has err "$2"
    [ ! -e small/s ] || fail "a $product on a full disk"
    mount -o remount,size=64M small
    run 0 "${stage[@]}" --out small/s
    same small/s "a full disk"
    umount small
    echo "a full disk: told, and gone on from"
}
