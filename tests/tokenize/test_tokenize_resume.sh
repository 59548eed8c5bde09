#!/usr/bin/env bash
# `tokenize` goes on where it was, whatever ended it: kill -9 at any moment, Ctrl-C, a file that may not grow, a full disk. And OUT.work
# is never another run's: two at once, or other options, are refused.
set -eu
scratch=$(mktemp -d)
trap 'umount "$scratch/small" 2>/dev/null || true; rm -rf "$scratch"' EXIT
export XDG_CACHE_HOME=$scratch/cache
cd "$scratch"

. "$TUNDISH_SOURCE/tests/commands.sh"

# 8 files of about 250 KB, in groups of two or more; several shards a group
mkdir corpus
awk 'BEGIN {
    srand(11)
    split("melt ladle mould steel the of and pours into tundish cast strand slab", w, " ")
    for (f = 0; f < 8; f++) for (i = 0; i < 250; i++) {
        text = ""
        for (n = int(rand() * 300); n >= 0; n--) text = text w[1 + int(rand() * 13)] sprintf("%c", 97 + int(rand() * 26)) " "
        printf "{\"id\": \"%d-%d\", \"text\": \"%s\", \"metadata\": {\"lang\": \"l%d\"}}\n", f, i, text, i % 3 >"corpus/" f ".jsonl"
    }
}'
run 0 tokenizer train corpus --out t --vocab 400 --no-report
common="corpus --tokenizer t --group-bytes 450K --shard-tokens 60000 --validation 0.1"
tokenize() { run "$1" tokenize $common "${@:2}"; }

before=$(date +%s%N)
tokenize 0 --out whole
took=$((($(date +%s%N) - before) / 1000000))
shards=$(ls whole | grep -c '^shard-.*mdb$')
[ "$shards" -gt 6 ] || fail "$shards shards, want several a group"
ls -d whole.* 2>/dev/null && fail "a finished run left something"
run 0 store verify whole

# twenty kills at random moments, each run with another number of threads
went_on=0
RANDOM=5
for i in $(seq 20); do
    "$TUNDISH" --quiet tokenize $common --out killed --threads $((1 + i % 3)) 2>err &
    pid=$!
    sleep "$(awk -v r=$RANDOM -v most=$took 'BEGIN { printf "%.3f", r / 32768 * most / 1000 }')"
    kill -9 $pid 2>/dev/null || true
    wait $pid 2>/dev/null || true
    [ ! -e killed.work/group-00000.json ] || went_on=$((went_on + 1))
    if [ -e killed ]; then          # it was faster: begin anew
        [ "$(digest killed)" = "$(digest whole)" ] || fail "after kill $i: another store"
        rm -rf killed killed.work
    fi
done
[ $went_on -gt 0 ] || fail "no kill came in the middle of the work"
tokenize 0 --out killed
[ "$(digest killed)" = "$(digest whole)" ] || fail "20 kills lead to another store"
for f in whole/*.mdb whole/tokenizer.json; do cmp "$f" "killed/${f#*/}"; done
ls -d killed.* 2>/dev/null && fail "a finished run left something"
echo "20 kills, $went_on in the middle of the work: the same store"

# Ctrl-C: what is done is kept, and said; finished shards are not made again
for i in $(seq 50); do
    "$TUNDISH" tokenize $common --out broken --threads 1 >out 2>err &
    pid=$!
    for k in $(seq 300); do ls broken.work/group-00000-*.mdb >/dev/null 2>&1 && break; sleep 0.01; done
    kill -INT $pid
    seen=0
    wait $pid || seen=$?
    [ $seen != 0 ] && break
    rm -rf broken
done
[ $seen = 130 ] || fail "interrupted: exit status $seen, want 130"
has err "is kept in 'broken.work': run the same command to go on"
[ ! -e broken ] || fail "an interrupted run left a store"
ls broken.tmp.* 2>/dev/null && fail "an interrupted run left a temporary folder"
first=$(ls broken.work/group-00000-000.mdb*) stamp=$(stat -c %i:%Y "$first")

# another run's work, and one that is going on
run 2 tokenize ${common/60000/50000} --out broken
has err "'broken.work' belongs to a run with shard-tokens 60000, this one has 50000"
[ -e broken.work ] || fail "a refused run removed another's work"
cp -r corpus other
echo '{"id": "one more", "text": "melt"}' >>other/7.jsonl
run 2 tokenize other --tokenizer t --group-bytes 450K --shard-tokens 60000 --validation 0.1 --out broken
has err "'broken.work' belongs to a run with corpus"
flock broken.work/lock bash -c 'echo held >held; sleep 60' &
holder=$!
for i in $(seq 200); do [ -e held ] && break; sleep 0.01; done
tokenize 4 --out broken
kill $holder $(pgrep -P $holder) 2>/dev/null || true
wait $holder 2>/dev/null || true
cp -r broken.work kept
cp -r broken.work rebooted.work
for g in 0 1 2 3; do        # a loss of power: what grew may be anything
    [ -e rebooted.work/group-0000$g.json ] || touch rebooted.work/group-0000$g-000.mdb.part
    [ ! -e rebooted.work/group-0000$g.boot ] || echo another >rebooted.work/group-0000$g.boot
done
for f in rebooted.work/*.part; do echo spoilt >"$f"; done
tokenize 0 --out rebooted
[ "$(digest rebooted)" = "$(digest whole)" ] || fail "a restart of the machine leads to another store"
tokenize 0 --out broken
has err 'going on from'
[ "$(digest broken)" = "$(digest whole)" ] || fail "an interruption leads to another store"
[ "$stamp" = "$(stat -c %i:%Y broken/shard-00000.mdb)" ] || fail "a finished shard was made again"

# unfinished work beside a finished store: gone on with, and the store is replaced
mv kept broken.work
tokenize 0 --out broken
[ "$(digest broken)" = "$(digest whole)" ] && [ ! -e broken.work ] || fail "the store is not replaced by its like"

# a file that may not grow: an error of a write, no signal; then it goes on
seen=0
(ulimit -f 64; "$TUNDISH" tokenize $common --out full >out 2>err) || seen=$?
[ $seen = 1 ] || fail "a file that may not grow: exit status $seen, want 1"
has err "is kept in 'full.work'"
[ ! -e full ] || fail "a store was made of files that could not grow"
tokenize 0 --out full
[ "$(digest full)" = "$(digest whole)" ] || fail "a limit of file sizes leads to another store"

# a full disk, where a small one can be had
mkdir small
if mount -t tmpfs -o size=1200k none small 2>/dev/null; then
    tokenize 1 --out small/s
    has err '0 B free\|No space left on device'
    has err "is kept in 'small/s.work'"
    [ ! -e small/s ] || fail "a store on a full disk"
    mount -o remount,size=64M small
    tokenize 0 --out small/s
    [ "$(digest small/s)" = "$(digest whole)" ] || fail "a full disk leads to another store"
    umount small
    echo "a full disk: told, and gone on from"
else
    echo "no small disk can be mounted here: that part was left out"
fi

# inputs at fault leave nothing, and are named by file and line
cp -r corpus faulty
echo '{"id": "x", "text": 7}' >>faulty/5.jsonl
run 2 tokenize faulty --tokenizer t --out refused
has err "'faulty/5.jsonl' line 251"
sed -i '251d' faulty/5.jsonl
echo '{"id": "x", "text": "melt", "metadata": {"learn": [[0, 5]]}}' >>faulty/5.jsonl
run 2 tokenize faulty --tokenizer t --out refused --learn-only learn
has err "'faulty/5.jsonl' line 251: metadata 'learn': item 1 is \[0, 5\]"
ls -d refused* 2>/dev/null && fail "a refused run left something"
run 0 tokenize faulty --tokenizer t --out learnt

# a rank that outlived its run: nobody begins beside it
mkdir beside.work
exec 9>beside.work/ranks
flock -s 9
tokenize 4 --out beside
has err 'ranks of an earlier run are still at work there'
exec 9>&-
tokenize 0 --out beside
[ "$(digest beside)" = "$(digest whole)" ] || fail "another store"
echo "whatever ends it, it goes on"
