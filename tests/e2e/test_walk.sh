#!/usr/bin/env bash
# From documents to an exported model and a completion; again with nothing changed; again with one option changed; and
# the same bytes for another number of threads.
set -eu
. "$TUNDISH_SOURCE/tests/e2e/documents.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
make_documents docs
run() { "$TUNDISH" run "$TUNDISH_SOURCE/tests/e2e/walk.yaml" --work work "$@" >log 2>&1 || { echo "run $*:"; cat log; exit 1; }; }
digest() { sed -n 's/^ *"digest": *"\([0-9a-f]*\)".*/\1/p' "work/current/$1/manifest.json"; }
fails() { echo "$1"; cat log; exit 1; }

run
for file in config.json model.safetensors tokenizer.json tokenizer_config.json generation_config.json README.md manifest.json; do
    [ -s "work/current/model/$file" ] || fails "the model has no $file"
done
grep -q '"bits_per_byte"' work/current/score/metrics.json || fails "no bits per byte"
grep -q 'held-out documents' work/current/model/README.md || fails "the model card lacks its evaluation"
first=$(digest model)
[ -n "$first" ] || fails "no digest"

"$TUNDISH" generate --model work/current/model --max-tokens 20 "The store" >text 2>log || fails "generate"
grep -q '^The store' text || fails "the completion does not begin with its prompt: $(cat text)"
"$TUNDISH" generate --model work/current/model --max-tokens 20 "The store" >again 2>log
cmp text again || fails "the same seed wrote another text"
echo -n "The store" | "$TUNDISH" generate --model work/current/pretrain --max-tokens 20 - >again 2>log || fails "generate from a checkpoint"
cmp text again || fails "checkpoint and exported model write different texts"

# nothing changed: nothing runs
run
[ "$(grep -c '"event":"start"' work/journal.jsonl)" = 6 ] || { cat work/journal.jsonl; fails "an unchanged pipeline ran a stage again"; }

# one option changed: that stage and what follows
run --set lr=1e-3
[ "$(grep -c '"event":"start"' work/journal.jsonl)" = 9 ] || { cat work/journal.jsonl; fails "lr: want three more stages"; }
[ "$(digest model)" != "$first" ] || fails "another lr made the same model"

# a fresh run with one thread makes the same bytes
rm -rf work
run
[ "$(digest model)" = "$first" ] || fails "one thread made another model"
echo "model $first"
