#!/usr/bin/env bash
# Documents are removed from a token store: they are gone from tokens, tables, search and export, all else is byte for byte as it
# was; and kill -9 at any moment leaves the store of before or the one of after.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export XDG_CACHE_HOME=$scratch/cache
cd "$scratch"
. "$TUNDISH_SOURCE/tests/commands.sh"
ids() { "$TUNDISH" store find "$1" --source notes --part "$2" | cut -f 4; }
all() { for part in train validation; do "$TUNDISH" store cat "$1" --part $part; done | sed 's/"document":[0-9]*,//; s/"first":[0-9]*,//'; }

for i in $(seq 0 299); do
    printf '{"id":"note %d","text":"Note %d: on day %d the ladle held %d tonnes.","source":"notes"}\n' $i $i $((i % 31)) $((i * 7))
done >corpus.jsonl
printf '{"id":"note 7","text":"Another text under an id that is there already.","source":"twice"}\n' >>corpus.jsonl
run 0 tokenizer train --corpus corpus.jsonl --vocab 280 --out tokenizer --no-report
run 0 tokenize --tokenizer tokenizer --corpus corpus.jsonl --out tokens --validation 0.2 --shard-tokens 2000
shards=$(ls tokens/shard-*.mdb | wc -l)
[ "$shards" -ge 4 ] || fail "the test wants several shards, has $shards"
cp -r tokens whole
held=$(ids tokens validation | grep -vx 'note [0-7]\|note 50\|note 60' | head -n 1)
hash=$("$TUNDISH" store find tokens --id 'note 50' | cut -f 7)
tokens=$("$TUNDISH" store cat whole | sed -n 's/.*"id":"note 7".*"tokens":\[\(.*\)\].*/\1/p' | head -n 1)
run 0 store find tokens --tokens "$tokens"
cut -f 4 out | grep -qx 'note 7' || fail "its tokens are not found"

# what cannot be is refused, and changes nothing
before=$(digest tokens)
run 1 store remove tokens --id 'note 7' --id 'note 7777'
has err "1 of 2 ids are not there, nothing was removed: 'tokens' has no document 'note 7777'; near it: 'note 77', 'note 7'"
run 1 store remove tokens --hash 123
run 2 store remove tokens --hash xyz
run 2 store remove tokens
has err 'nothing to remove'
run 2 store remove tokens --ids nowhere
run 2 store remove tokenizer --id 'note 7'
has err 'is a tokenizer, want a token-store'
run 0 store remove tokens --id 'note 7' --dry-run
[ "$(cut -f 4 out)" = "$(printf 'note 7\nnote 7')" ] || fail "two documents have this id"
has err '2 documents with .* would be removed, and [12] shards'
[ "$(digest tokens)" = "$before" ] || fail "a dry run changed the store"
diff -r tokens whole >log || fail "a refusal changed a file"

# by id (two documents in two shards), by list, by hash, of validation
printf '%s\r\n\nnote 60\n' "$held" >list
stat -c '%i %Y %n' tokens/* | sort >files
run 0 store remove tokens --id 'note 7' --ids list --hash "$hash"
[ "$(wc -l <out)" = 5 ] || fail "want five lines, one a document"
has err 'removed 5 documents'
for id in 'note 7' 'note 50' 'note 60' "$held"; do
    run 1 store find tokens --id "$id"
    has err "it was removed: document"
done
run 1 store find tokens --tokens "$tokens"
run 1 store find tokens --hash "$hash"
run 0 store verify tokens
! grep -q 'is not in the manifest' err || fail "something was left"
all whole | grep -v "\"id\":\"note 7\"\|\"id\":\"note 50\"\|\"id\":\"note 60\"\|\"id\":\"$held\"" >want
all tokens | cmp - want || fail "the other documents are not what they were"
run 0 store export tokens --format jsonl --out lines.jsonl
! grep -q '"note 7"\|"note 50"\|"note 60"' lines.jsonl || fail "it is exported"
! grep -q 'note 7"\|note 50\|note 60' tokens/history-1.json || fail "the history holds an id"
[ "$(digest tokens)" != "$before" ] || fail "the same digest"
run 0 store info tokens
has out 'removed 5 documents'
has out "digest before $(echo "$before" | cut -c1-16)"

# shards without such a document are the same files; the others are gone
for f in tokens/shard-*.mdb; do
    case $f in
    *.1.mdb) ! grep -q " ${f%.1.mdb}.mdb\$" <(stat -c '%n' tokens/* | sed 's/^/ /') || fail "the old edition of $f is there" ;;
    *) grep -qxF "$(stat -c '%i %Y %n' "$f")" files || fail "$f is another file" ;;
    esac
done
ls tokens/shard-*.mdb | grep -q '\.1\.mdb' || fail "no shard was written anew"
ls tokens/shard-*.mdb | grep -qv '\.1\.mdb' || fail "all shards were written anew"

# the same list once more, as after a kill: nothing is left to do; what lies beside the store and may hold the documents goes
now=$(digest tokens)
cp -r whole tokens.append
mkdir -p tokens.append.work tokens.work
for work in tokens.append.work tokens.work; do echo '{}' >$work/run.json && cp whole/shard-00000.mdb $work/group-00000-000.mdb; done
exec 9<>tokens.work/lock
flock -x 9
run 4 store remove tokens --id 'note 7' --ids list
exec 9<&-
run 0 store remove tokens --id 'note 7' --ids list --hash "$hash"
has err '4 of the 4 ids and hashes were removed before'
has err 'nothing is left to remove'
[ "$(digest tokens)" = "$now" ] || fail "nothing was removed, and the store is another one"
[ "$(echo tokens*)" = tokens ] || fail "left beside the store: $(echo tokens*)"
run 1 store remove tokens --id 'note 7' --id 'note 7777'
has err '1 of 2 ids are not there'

# again: the chain grows, a shard's edition rises; --keep-ids keeps the id readable
run 0 store remove tokens --id 'note 3' --keep-ids
grep -q '"id":"note 3"' tokens/history-2.json || fail "the id is not kept"
[ ! -e tokens/history-1.json ] || fail "two histories"
ls tokens | grep -qx 'shard-00000.2.mdb' || fail "no second edition"
run 0 store verify tokens
run 0 store info tokens
[ "$(grep -c 'digest before' out)" = 2 ] || fail "two changes"

# who opens it while it changes sees the one store or the other
cp -r whole busy
touch changing
while [ -e changing ]; do "$TUNDISH" store cat busy --limit 1 >>seen 2>&1 || echo failed >>seen; done &
reader=$!
for i in 10 11 12 13 14 15; do run 0 store remove busy --id "note $i"; done
rm changing
wait $reader
! grep -q 'failed' seen || fail "a reader was disturbed: $(grep -v '^{' seen | head -n 3)"

# the same removal of the same store gives the same store
cp -r whole other
begun=$(date +%s%N)
run 0 store remove other --id 'note 7' --ids list --hash "$hash"
took=$(($(date +%s%N) - begun))
run 0 store remove other --id 'note 3' --keep-ids
[ "$(digest other)" = "$(digest tokens)" ] || fail "another digest"

# two at once: the second is told
exec 9<tokens/manifest.json
flock -x 9
run 4 store remove tokens --id 'note 1'
has err "is being changed or removed"
exec 9<&-

# kill -9 at any moment: the old store or the new one, each whole; what is left is cleared by the next change
after=
killed=0
for round in 0 1 2 3 4 5 6 7 8 9 10 11; do
    rm -rf once
    cp -r whole once
    "$TUNDISH" store remove once --id 'note 7' --ids list --hash "$hash" >log 2>&1 &
    pid=$!
    sleep "$(awk -v n=$took -v i=$round 'BEGIN { printf "%.4f", n * i / 1.4e10 }')"
    kill -9 $pid 2>/dev/null && killed=$((killed + 1)) || true
    wait $pid 2>/dev/null || true
    seen=$(digest once)
    if [ "$seen" = "$before" ]; then
        all once | cmp - <(all whole) || fail "round $round: neither store"
    else
        [ -z "$after" ] || [ "$after" = "$seen" ] || fail "round $round: a third store"
        after=$seen
        all once | cmp - want || fail "round $round: not the new store"
    fi
    run 0 store verify once
    [ $((round % 3)) != 0 ] || run 0 store remove once --id 'note 7' --ids list --hash "$hash"
    run 0 store remove once --id 'note 2'
    run 0 store verify once
    ! grep -q 'is not in the manifest' err || fail "round $round: what a kill left is still there"
done
[ $killed -gt 0 ] || fail "only $killed kills came in time"
