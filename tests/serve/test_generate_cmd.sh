#!/usr/bin/env bash
# `generate` by hand: the same seed, the end of the context, a prompt that is too long, and a reader that goes away.
set -eu
. "$TUNDISH_SOURCE/tests/train/small_model.sh"
make_store
run 0 train $shape --steps 10 --out ck

run 0 generate --model ck --max-tokens 20 --seed 3 word1
cp out first
run 0 generate --model ck --max-tokens 20 --seed 3 word1
cmp -s out first || fail "the same seed, another text"
run 0 generate --model ck --max-tokens 20 --seed 4 word1
! cmp -s out first || fail "another seed, the same text"
printf 'word1' | "$TUNDISH" generate --model ck --max-tokens 20 --seed 3 - >out 2>err || fail "from standard input"
cmp -s out first || fail "standard input, another text"
grep -q '^word1' first || fail "the prompt is not shown"

run 0 generate --model ck --max-tokens 1000 --temperature 0 word1     # to the end of the context
grep -q 'context of 32 tokens is full\|^[0-9]* tokens' err || fail "does not say why it ends"
long=$(for i in $(seq 60); do printf 'word%d ' "$i"; done)
refused 1 "the model's context is 32: shorten it" generate --model ck "$long"
[ ! -s out ] || fail "a refused prompt was shown"
run 0 generate --model ck --max-tokens 3
refused 2 "'tokens' holds no model" generate --model tokens word1
refused 2 'nothing' generate --model nothing word1
printf 'a\377b' | "$TUNDISH" generate --model ck --max-tokens 2 - >out 2>err || fail "bytes that are no text"

# a tokenizer with more entries than the model has
mkdir mixed && cp ck/config.json ck/model.safetensors mixed
run 0 tokenizer train --corpus corpus --out bigger --vocab 320
cp bigger/tokenizer.json mixed
refused 2 'the model only 300' generate --model mixed word1

# nobody reads: the end, not an error
"$TUNDISH" generate --model ck --max-tokens 1000 word1 2>err | true
[ "${PIPESTATUS[0]}" = 0 ] || fail "a closed pipe: exit status ${PIPESTATUS[0]}"
! grep -q error err || fail "a closed pipe is told as an error"
seen=0
"$TUNDISH" generate --model ck --max-tokens 5 word1 >/dev/full 2>err || seen=$?
[ $seen = 1 ] || fail "a full disk: exit status $seen, want 1"
echo "generate: as it says"
