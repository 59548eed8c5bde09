#!/usr/bin/env bash
# Megatron's .bin and .idx: a store goes out and comes back with the same tokens, the same hashes and so the same parts, and goes
# out again with the same bytes; Megatron's own files are taken, and what cannot be is refused with its place.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export XDG_CACHE_HOME=$scratch/cache
golden=$TUNDISH_SOURCE/tests/store/golden/megatron
cd "$scratch"
. "$TUNDISH_SOURCE/tests/commands.sh"
tokens() { "$TUNDISH" store cat "$1" --part "$2" | sed 's/.*"tokens"://'; }
hashes() { "$TUNDISH" store find "$1" --source "$2" --part train | cut -f 7,9; }

for i in $(seq 0 199); do
    printf '{"id":"note %d","text":"Note %d: am %d. Tag, ça va, 鋼 \\u0000 %d.","source":"notes"}\n' $i $i $((i % 31)) $((i * 7))
done >corpus.jsonl
run 0 tokenizer train --corpus corpus.jsonl --vocab 280 --out tokenizer --no-report
run 0 tokenize --tokenizer tokenizer --corpus corpus.jsonl --out tokens --validation 0.2 --shard-tokens 3000
run 0 store export tokens --out data/train
run 0 store export tokens --out data/held --part validation
[ "$(ls data)" = "$(printf 'held.bin\nheld.idx\ntrain.bin\ntrain.idx')" ] || fail "other files in data"

# there and back: tokens, hashes of the text, and so the part
run 0 store import data/train --tokenizer tokenizer --out back --validation 0.2 --shard-tokens 3000
[ ! -s err ] || ! grep -q warning err || fail "a warning"
tokens back train | cmp - <(tokens tokens train) || fail "other tokens"
[ "$(hashes back train)" = "$(hashes tokens notes)" ] || fail "other hashes or lengths"
[ -z "$(tokens back validation)" ] || fail "a training document came into validation"
run 0 store import data/held.idx --tokenizer tokens --out held --validation 0.2 --name ours
[ -z "$(tokens held train)" ] || fail "a held-out document came into training"
run 0 store find held --id ours:0
run 0 store verify back
run 0 store info back
has out '^made by  *store import'
has out 'sources  *train: '
cmp tokenizer/tokenizer.json back/tokenizer.json || fail "the tokenizer is another"
run 0 store export back --out again
cmp again.bin data/train.bin && cmp again.idx data/train.idx || fail "the second export is another"
run 0 store import data/train --tokenizer tokenizer --out threads --threads 3 --validation 0.2 --shard-tokens 3000
[ "$(sha256sum <threads/shard-00000.mdb)" = "$(sha256sum <back/shard-00000.mdb)" ] || fail "threads show"
run 0 lineage back
has out 'bin: from outside'
has out 'idx: from outside'

# Megatron's own files: several sequences a document; ids that this tokenizer lacks; modes
run 0 store import "$golden/several" --tokenizer tokenizer --out several --validation 0
has err '1 documents are of none or several sequences'
has err '2 documents do not end with'
tokens several train | cmp - <(printf '[1,2,3,4,5]}\n[6]}\n') || fail "not Megatron's ids"
run 2 store import "$golden/u16" --tokenizer tokenizer --out refused
has err "document 0 of '.*u16.idx' has the id [0-9]*, at byte [0-9]* of the .bin file, but the tokenizer 'tokenizer' ends at 279"
run 2 store import "$golden/modes" --tokenizer tokenizer --out refused
has err 'multimodal'
cp "$golden/several.idx" half.idx
head -c 10 "$golden/several.bin" >half.bin
run 2 store import half --tokenizer tokenizer --out refused
has err 'take 12 bytes, but the .bin file has 10'
run 2 store import half.idx --bin "$golden/u16.bin" --tokenizer tokenizer --out refused
run 2 store import nowhere --tokenizer tokenizer --out refused
has err "there is no 'nowhere.idx'"
[ ! -e refused ] || fail "a refusal left a store"

# lines
run 0 store export tokens --format jsonl --out lines.jsonl
"$TUNDISH" store cat tokens | cmp - lines.jsonl || fail "the lines are not those of cat"
run 0 store export tokens --format jsonl --out lines.jsonl.zst
zstd -dcq lines.jsonl.zst 2>/dev/null | cmp - lines.jsonl || ! command -v zstd >/dev/null || fail "the compressed lines are others"
run 2 store export tokens --format jsonl --out data
has err 'is a folder'
run 2 store export several --part validation --out none
has err "the part 'validation' of the store has no documents"
