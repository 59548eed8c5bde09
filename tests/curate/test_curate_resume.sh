#!/usr/bin/env bash
# `curate` goes on where it was, whatever ended it: kill -9 at any moment, Ctrl-C, a file that may not grow, a full disk. And OUT.work
# is never another run's: two at once, or other options, are refused.
set -eu
scratch=$(mktemp -d)
trap 'umount "$scratch/small" 2>/dev/null || true; rm -rf "$scratch"' EXIT
export XDG_CACHE_HOME=$scratch/cache
cd "$scratch"

. "$TUNDISH_SOURCE/tests/commands.sh"
. "$TUNDISH_SOURCE/tests/curate/corpus_input.sh"
make_input in 12 150
common=(in --group-bytes 100K --shard-bytes 60K --steps '[normalize, {filter: {profile: gopher@datatrove, min-words: 30, repetition: false, min-stop-words: 0}},
    {dedup: {method: exact}}, {dedup: {method: minhash}}, shuffle, {split: {test: 0.1}}]')
curate() { run "$1" curate "${common[@]}" "${@:2}"; }

before=$(date +%s%N)
curate 0 --out whole
took=$((($(date +%s%N) - before) / 1000000))
[ "$(ls whole/part-*.zst | wc -l)" -gt 3 ] || fail "want several shards: $(ls whole)"
[ -e whole/test/part-00000.jsonl.zst ] || fail "no part was split off"
ls -d whole.* 2>/dev/null && fail "a finished run left something"
run 0 verify whole

# six kills at random moments, each run with another number of threads
went_on=0
RANDOM=5
for i in $(seq 6); do
    "$TUNDISH" --quiet curate "${common[@]}" --out killed --threads $((1 + i % 3)) 2>err &
    pid=$!
    sleep "$(awk -v r=$RANDOM -v most=$took 'BEGIN { printf "%.3f", r / 32768 * most / 1000 }')"
    kill -9 $pid 2>/dev/null || true
    wait $pid 2>/dev/null || true
    [ ! -e killed.work/phase-0/group-00000 ] || went_on=$((went_on + 1))
    if [ -e killed ]; then          # it was faster: begin anew
        [ "$(digest killed)" = "$(digest whole)" ] || fail "after kill $i: another corpus"
        rm -rf killed killed.work
    fi
done
if [ $went_on = 0 ]; then           # none came in the middle of the work: one that waits for it
    "$TUNDISH" --quiet curate "${common[@]}" --out killed --threads 1 2>err &
    pid=$!
    while kill -0 $pid 2>/dev/null && [ ! -e killed.work/phase-0/group-00000 ]; do sleep 0.005; done
    kill -9 $pid 2>/dev/null || true
    wait $pid 2>/dev/null || true
    [ -e killed.work/phase-0/group-00000 ] || fail "no kill came in the middle of the work"
fi
curate 0 --out killed
[ "$(digest killed)" = "$(digest whole)" ] || fail "6 kills lead to another corpus"
for f in whole/*.zst whole/test/*.zst whole/report.*; do cmp "$f" "killed/${f#*/}"; done
ls -d killed.* 2>/dev/null && fail "a finished run left something"
echo "6 kills, $went_on in the middle of the work: the same corpus"

# one large file is one group: finished stretches of it (a shard and what belongs to it; a piece of a spool) are not made again
mkdir large
cat in/*.jsonl in/sub/*.jsonl | zstd -q -o large/all.jsonl.zst
made() { find large.out.work -path '*/group-*/stretch-?????/record.json' -printf '%i %p\n' 2>/dev/null | sed 's/\.part\//\//' | sort; }
for steps in '[normalize, {split: {test: 0.1}}]' '[normalize, {dedup: {method: exact}}, {split: {test: 0.1}}]' '[normalize, shuffle]'; do
    large=(curate large --group-bytes 8K --shard-bytes 60K --keep-dropped --steps "$steps")
    rm -rf large.whole large.out large.out.work
    before=$(date +%s%N)
    run 0 "${large[@]}" --out large.whole
    took=$((($(date +%s%N) - before) / 1000000))
    [ "$(ls large.whole/part-*.zst | wc -l)" -gt 6 ] || fail "want many shards: $(ls large.whole)"
    kept=0
    : >was
    for i in $(seq 12); do          # killed a moment after one stretch more is there
        "$TUNDISH" --quiet "${large[@]}" --out large.out --threads $((1 + i % 3)) 2>err &
        pid=$!
        while kill -0 $pid 2>/dev/null && [ "$(made | wc -l)" -le "$(wc -l <was)" ]; do sleep 0.005; done
        sleep "$(awk -v r=$RANDOM -v most=$took 'BEGIN { printf "%.3f", r / 32768 * most / 10000 }')"
        kill -9 $pid 2>/dev/null || true
        wait $pid 2>/dev/null || true
        if [ -e large.out ]; then   # it was faster
            [ $kept = 0 ] || break
            rm -r large.out
            : >was
            continue
        fi
        made >now
        [ -z "$(comm -23 was now)" ] || fail "$steps: stretches that were done were made again: $(comm -23 was now)"
        [ "$(wc -l <now)" -le "$(wc -l <was)" ] || kept=$((kept + 1))
        mv now was
        [ $kept -lt 4 ] || break
    done
    [ -e large.out ] || run 0 "${large[@]}" --out large.out
    [ $kept -gt 0 ] || fail "$steps: no kills came in the middle of the group"
    [ "$(digest large.out)" = "$(digest large.whole)" ] || fail "$steps: kills inside a group lead to another corpus"
    for f in large.whole/*.zst large.whole/report.*; do cmp "$f" "large.out/${f#*/}"; done
done
echo "one large file: $kept kills inside it, all that was done stayed"

# Ctrl-C: what is done is kept, and said; groups that are done are not done again
seen=0
for i in $(seq 50); do
    "$TUNDISH" curate "${common[@]}" --out broken --threads 1 >out 2>err &
    pid=$!
    for k in $(seq 300); do [ -e broken.work/phase-0/group-00001 ] && break; sleep 0.01; done
    kill -INT $pid
    seen=0
    wait $pid || seen=$?
    [ $seen != 0 ] && break
    rm -rf broken
done
[ $seen = 130 ] || fail "interrupted: exit status $seen, want 130"
has err "is kept in 'broken.work': run the same command to go on"
[ ! -e broken ] || fail "an interrupted run left a corpus"
ls -d broken.tmp.* broken.work/phase-0/*.tmp.* 2>/dev/null && fail "an interrupted run left a temporary folder"
[ -e broken.work/phase-0/group-00000 ] || fail "what was done is gone"
echo mark >note        # a mark that a group which is done again would lose
cp note broken.work/phase-0/group-00000/note

# another run's work, and one that is going on
run 2 curate "${common[@]/100K/90K}" --out broken
has err "'broken.work' belongs to a run with group-bytes 102400, this one has 92160"
[ -e broken.work ] || fail "a refused run removed another's work"
cp -r in other
echo '{"id": "one more", "text": "melt"}' >>other/7.jsonl
run 2 curate other "${common[@]:1}" --out broken
has err "'broken.work' belongs to a run with in"
flock broken.work/lock bash -c 'echo held >held; sleep 60' &
holder=$!
for i in $(seq 200); do [ -e held ] && break; sleep 0.01; done
curate 4 --out broken
kill $holder $(pgrep -P $holder) 2>/dev/null || true
wait $holder 2>/dev/null || true
cp -r broken.work again.work
"$TUNDISH" curate "${common[@]}" --out broken --threads 1 >out 2>err &       # goes on a little, and is killed
pid=$!
for k in $(seq 300); do [ -e broken.work/phase-0/group-00003 ] && break; [ ! -e broken ] || break; sleep 0.01; done
kill -9 $pid 2>/dev/null || true
wait $pid 2>/dev/null || true
[ -e broken ] || cmp note broken.work/phase-0/group-00000/note || fail "a group that was done was done again"
# with more memory, and other threads, it is the same run
curate 0 --out broken --memory 1G --threads 3
[ "$(digest broken)" = "$(digest whole)" ] || fail "an interruption leads to another corpus"
# what is there is checked before it is used
truncate -s -5 again.work/phase-0/group-00000/stretch-00000/documents.spool
run 2 curate "${common[@]}" --out again
has err "documents.spool' .* is not a whole spool"

# what has nothing finished in it is in nobody's way: a failure removes it, and what a kill left is taken over
run 1 curate in --out mended --steps '[{command: {run: ["false"]}}]'
[ ! -e mended.work ] || fail "a run that finished nothing left its folder"
mkdir -p mended.work/phase-0/group-00000.part/stretch-00000.tmp.99999999
echo begun >mended.work/phase-0/group-00000.part/stretch-00000.tmp.99999999/documents.spool
echo '{"inputs": {}, "made_by": {"version": 1}}' >mended.work/run.json
curate 0 --out mended
[ "$(digest mended)" = "$(digest whole)" ] || fail "a folder that was taken over leads to another corpus"
# an input that is written to meanwhile; an output in it; more groups than can wait at once
cp -r in moving
run 1 curate moving --out moved --threads 1 --steps '[{command: {run: [sh, -c, "echo more >>moving/new.txt; while read -r l; do echo {}; done"]}}]'
has err "what 'in' names was changed while it was read"
ls -d moved* 2>/dev/null && fail "a corpus of an input that moves"
run 2 curate in --out in/sub/corpus
has err "the output 'in/sub/corpus' and the input 'in' are one, or one inside the other"

# a file that may not grow: an error of a write, no signal; then it goes on
seen=0
(ulimit -f 20; "$TUNDISH" curate "${common[@]}" --out full >out 2>err) || seen=$?
[ $seen = 1 ] || fail "a file that may not grow: exit status $seen, want 1"
has err "is kept in 'full.work'"
[ ! -e full ] || fail "a corpus was made of files that could not grow"
curate 0 --out full
[ "$(digest full)" = "$(digest whole)" ] || fail "a limit of file sizes leads to another corpus"

# too little memory for a step over all documents is said, and more of it goes on
poor=(in --group-bytes 100K --out poor --steps '[normalize, {dedup: {method: containment}}]')
run 1 curate "${poor[@]}" --memory 1M
has err "more than memory 1.0 MB allows"
has err "is kept in 'poor.work'"
run 0 curate "${poor[@]}"

# a full disk, where a small one can be had
mkdir small
if mount -t tmpfs -o size=600k none small 2>/dev/null; then
    curate 1 --out small/s
    has err '0 B free\|No space left on device'
    [ ! -e small/s ] || fail "a corpus on a full disk"
    mount -o remount,size=64M small
    curate 0 --out small/s
    [ "$(digest small/s)" = "$(digest whole)" ] || fail "a full disk leads to another corpus"
    umount small
    echo "a full disk: told, and gone on from"
else
    echo "no small disk can be mounted here: that part was left out"
fi
echo "curate goes on where it was"
