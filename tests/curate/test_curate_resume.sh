#!/usr/bin/env bash
# `curate` goes on where it was, whatever ended it: kill -9 at any moment, Ctrl-C, a file that may not grow, a full disk. And OUT.work
# is never another run's: two at once, or other options, are refused.
set -eu
. "$TUNDISH_SOURCE/tests/stage_runs.sh"
. "$TUNDISH_SOURCE/tests/curate/corpus_input.sh"
make_input in 12 150
stage=(curate in --group-bytes 100K --shard-bytes 60K --steps '[normalize, {filter: {profile: gopher@datatrove, min-words: 30, repetition: false, min-stop-words: 0}},
    {dedup: {method: exact}}, {dedup: {method: minhash}}, shuffle, {split: {test: 0.1}}]')
product=corpus
curate() { run "$1" "${stage[@]}" "${@:2}"; }

make_whole
[ "$(ls whole/part-*.zst | wc -l)" -gt 3 ] || fail "want several shards: $(ls whole)"
[ -e whole/test/part-00000.jsonl.zst ] || fail "no part was split off"
run 0 verify whole

random_kills 6 phase-0/group-00000
for f in whole/*.zst whole/test/*.zst whole/report.*; do cmp "$f" "killed/${f#*/}"; done

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

# Ctrl-C: groups that are done are not done again
interrupt phase-0/group-00001
none "an interrupted run left a temporary folder" broken.work/phase-0/*.tmp.*
[ -e broken.work/phase-0/group-00000 ] || fail "what was done is gone"
echo mark >note        # a mark that a group which is done again would lose
cp note broken.work/phase-0/group-00000/note

# another run's work, and one that is going on
run 2 "${stage[@]/100K/90K}" --out broken
has err "'broken.work' belongs to a run with group-bytes 102400, this one has 92160"
[ -e broken.work ] || fail "a refused run removed another's work"
cp -r in other
echo '{"id": "one more", "text": "melt"}' >>other/7.jsonl
run 2 curate other "${stage[@]:2}" --out broken
has err "'broken.work' belongs to a run with in"
refused_while_held broken
cp -r broken.work again.work
kill_when phase-0/group-00003 broken     # goes on a little
[ -e broken ] || cmp note broken.work/phase-0/group-00000/note || fail "a group that was done was done again"
# with more memory, and other threads, it is the same run
curate 0 --out broken --memory 1G --threads 3
same broken "an interruption"
# what is there is checked before it is used
truncate -s -5 again.work/phase-0/group-00000/stretch-00000/documents.spool
run 2 "${stage[@]}" --out again
has err "documents.spool' .* is not a whole spool"

# what has nothing finished in it is in nobody's way: a failure removes it, and what a kill left is taken over
run 1 curate in --out mended --steps '[{command: {run: ["false"]}}]'
[ ! -e mended.work ] || fail "a run that finished nothing left its folder"
mkdir -p mended.work/phase-0/group-00000.part/stretch-00000.tmp.99999999
echo begun >mended.work/phase-0/group-00000.part/stretch-00000.tmp.99999999/documents.spool
echo '{"inputs": {}, "made_by": {"version": 1}}' >mended.work/run.json
curate 0 --out mended
same mended "a folder that was taken over"
# an input that is written to meanwhile; an output in it; more groups than can wait at once
cp -r in moving
run 1 curate moving --out moved --threads 1 --steps '[{command: {run: [sh, -c, "echo more >>moving/new.txt; while read -r l; do echo {}; done"]}}]'
has err "what 'in' names was changed while it was read"
none "a corpus of an input that moves" moved*
run 2 curate in --out in/sub/corpus
has err "the output 'in/sub/corpus' and the input 'in' are one, or one inside the other"

no_file_may_grow 20

# too little memory for a step over all documents is said, and more of it goes on
poor=(in --group-bytes 100K --out poor --steps '[normalize, {dedup: {method: containment}}]')
run 1 curate "${poor[@]}" --memory 1M
has err "more than memory 1.0 MB allows"
has err "is kept in 'poor.work'"
run 0 curate "${poor[@]}"

full_disk 600k
echo "curate goes on where it was"
