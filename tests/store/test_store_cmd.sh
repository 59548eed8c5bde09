#!/usr/bin/env bash
# `store info`, `store verify` and `store cat` on the golden artifacts and on damaged copies of them.
set -eu
golden=$TUNDISH_SOURCE/tests/store/golden
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export XDG_CACHE_HOME=$scratch/cache
cp -r "$golden/corpus" "$golden/tokens" "$scratch"
cd "$scratch"

. "$TUNDISH_SOURCE/tests/commands.sh"

# info, for people and for programs
run 0 store info corpus
has out '^corpus  *corpus$'
has out 'digest  *d98112cd0af7b656'
has out 'counts  *documents 3$'
has out 'made by  *curate, version 1$'
run 0 store info --json corpus
has out '"digest":"d98112cd0af7b656'
has out '"files":{"bytes":219,"count":1}'
[ "$(wc -l <out)" = 1 ] || fail "more than one line of JSON"
run 0 store info tokens
has out '^vocabulary  *300 entries, 2 bytes a token'
has out '^shards  *1$'
has out '^train  *documents 2; tokens 5; text_bytes 9$'
has out '^validation  *documents 0'
run 0 store info --json tokens
has out '"train":{"documents":2,"text_bytes":9,"tokens":5}'
run 2 store info nowhere
has err "there is no 'nowhere'"
mkdir empty
run 2 store info empty
has err 'not a finished artifact'
run 2 store info

# cat
run 0 store cat corpus
cmp out "$golden/lines.jsonl" || fail "the documents are others"
run 0 store cat corpus --document 1 --limit 1
sed -n 2p "$golden/lines.jsonl" | cmp - out || fail "not the second document"
run 0 store cat corpus/part-00000.jsonl.zst --document 2
sed -n 3p "$golden/lines.jsonl" | cmp - out || fail "not the last document"
run 0 store cat "$golden/lines.jsonl"
cmp out "$golden/lines.jsonl" || fail "the plain file's documents are others"
run 0 store cat tokens
printf '%s\n' '{"document":0,"id":"first","source":"notes.txt","language":"en","first":0,"tokens":[1,2,0]}' \
    '{"document":1,"id":"second","source":"notes.txt","first":3,"tokens":[299,0]}' | cmp - out || fail "other tokens"
run 0 store cat tokens --document 1 --limit 5
[ "$(wc -l <out)" = 1 ] || fail "not one document"
run 0 store cat tokens --part validation
[ ! -s out ] || fail "there are no validation documents"
run 2 store cat tokens --part test

# verify
run 0 store verify corpus
has out 'corpus: 1 files, 219 B: every byte is as it was made'
run 0 store verify --json tokens
has out '"damaged":\[\],"files":1,"ok":true,"path":"tokens"'
touch tokens/shard-00001.mdb
run 0 store verify tokens
has err "'tokens/shard-00001.mdb' is not in the manifest"
rm tokens/shard-00001.mdb

# a flipped bit, a cut-off file, a missing file, a changed manifest: status 6
flip() { printf "\\x$(printf %02x $((0x$(od -A n -t x1 -j "$2" -N 1 "$1" | tr -d " ") ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
for at in 0 16 4100 24592 36863; do
    flip tokens/shard-00000.mdb $at
    run 6 store verify tokens
    has err 'shard-00000.mdb. is damaged: its SHA-256 is'
    run 6 store verify --json tokens
    has out '"ok":false'
    run 6 store cat tokens
    flip tokens/shard-00000.mdb $at
done
run 0 store verify tokens
flip corpus/part-00000.jsonl.zst 100
run 6 store verify corpus
has err '1 of the 1 files'
truncate -s 200 corpus/part-00000.jsonl.zst
run 6 store verify corpus
has err 'has 200 bytes, its manifest wants 219'
rm corpus/part-00000.jsonl.zst
run 6 store verify corpus
has err 'is missing'
sed -i 's/"kind": "token-store"/"kind": "corpus"/' tokens/manifest.json
run 6 store info tokens
has err 'it was changed'
