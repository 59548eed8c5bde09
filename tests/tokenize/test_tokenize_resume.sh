#!/usr/bin/env bash
# `tokenize` goes on where it was, whatever ended it: kill -9 at any moment, Ctrl-C, a file that may not grow, a full disk. And OUT.work
# is never another run's: two at once, or other options, are refused.
set -eu
. "$TUNDISH_SOURCE/tests/stage_runs.sh"

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
stage=(tokenize corpus --tokenizer t --group-bytes 450K --shard-tokens 60000 --validation 0.1)
product=store
tokenize() { run "$1" "${stage[@]}" "${@:2}"; }

make_whole
shards=$(ls whole | grep -c '^shard-.*mdb$')
[ "$shards" -gt 6 ] || fail "$shards shards, want several a group"
run 0 store verify whole

random_kills 20 group-00000.json
for f in whole/*.mdb whole/tokenizer.json; do cmp "$f" "killed/${f#*/}"; done

# Ctrl-C: finished shards are not made again
interrupt 'group-00000-*.mdb'
first=$(ls broken.work/group-00000-000.mdb*) stamp=$(stat -c %i:%Y "$first")

# another run's work, and one that is going on
run 2 "${stage[@]/60000/50000}" --out broken
has err "'broken.work' belongs to a run with shard-tokens 60000, this one has 50000"
[ -e broken.work ] || fail "a refused run removed another's work"
cp -r corpus other
echo '{"id": "one more", "text": "melt"}' >>other/7.jsonl
run 2 tokenize other "${stage[@]:2}" --out broken
has err "'broken.work' belongs to a run with corpus"
refused_while_held broken
cp -r broken.work kept
cp -r broken.work rebooted.work
for g in 0 1 2 3; do        # a loss of power: what grew may be anything
    [ -e rebooted.work/group-0000$g.json ] || touch rebooted.work/group-0000$g-000.mdb.part
    [ ! -e rebooted.work/group-0000$g.boot ] || echo another >rebooted.work/group-0000$g.boot
done
for f in rebooted.work/*.part; do echo spoilt >"$f"; done
tokenize 0 --out rebooted
same rebooted "a restart of the machine"
tokenize 0 --out broken
has err 'going on from'
same broken "an interruption"
[ "$stamp" = "$(stat -c %i:%Y broken/shard-00000.mdb)" ] || fail "a finished shard was made again"

# unfinished work beside a finished store: gone on with, and the store is replaced
mv kept broken.work
tokenize 0 --out broken
[ "$(digest broken)" = "$(digest whole)" ] && [ ! -e broken.work ] || fail "the store is not replaced by its like"

no_file_may_grow 64
full_disk 1200k "is kept in 'small/s.work'"

# inputs at fault leave nothing, and are named by file and line
cp -r corpus faulty
echo '{"id": "x", "text": 7}' >>faulty/5.jsonl
run 2 tokenize faulty --tokenizer t --out refused
has err "'faulty/5.jsonl' line 251"
sed -i '251d' faulty/5.jsonl
echo '{"id": "x", "text": "melt", "metadata": {"learn": [[0, 5]]}}' >>faulty/5.jsonl
run 2 tokenize faulty --tokenizer t --out refused --learn-only learn
has err "'faulty/5.jsonl' line 251: metadata 'learn': item 1 is \[0, 5\]"
none "a refused run left something" refused*
run 0 tokenize faulty --tokenizer t --out learnt

# a rank that outlived its run: nobody begins beside it
mkdir beside.work
exec 9>beside.work/ranks
flock -s 9
tokenize 4 --out beside
has err 'ranks of an earlier run are still at work there'
exec 9>&-
tokenize 0 --out beside
same beside "waiting for ranks"
echo "whatever ends it, it goes on"
