#!/usr/bin/env bash
# A pipeline in which two stores become a blend, training changes to one of them on the way, and the blend is scored: run, cached, told
# back; and what a phase may not name is refused before anything runs.
set -eu
. "$TUNDISH_SOURCE/tests/train/small_model.sh"
mkdir docs more
cp "$TUNDISH_SOURCE"/DESIGN.md "$TUNDISH_SOURCE"/README.md "$TUNDISH_SOURCE"/train/*.h docs
cp "$TUNDISH_SOURCE"/base/*.h more
cat >mix.yaml <<'YAML'
pipeline: mix
stages:
  a: {uses: curate, with: {sources: docs, steps: [normalize]}}
  b: {uses: curate, with: {sources: more, steps: [normalize]}}
  tokenizer: {uses: tokenizer.train, with: {corpus: "@a", vocab: 300}}
  ta: {uses: tokenize, with: {corpus: "@a", tokenizer: "@tokenizer", validation: 0.5}}
  tb: {uses: tokenize, with: {corpus: "@b", tokenizer: "@tokenizer", validation: 0.2}}
  blend: {uses: store.blend, with: {store: ["@ta", "@tb"], weight: [1, 2]}}
  pretrain:
    uses: train
    with: {store: "@blend", model: {width: 32, layers: 1, heads: 2, ff: 64}, context: 32, batch_tokens: 256, unit_tokens: 64, steps: 12,
           packing: best-fit, phases: [{step: 6, context: 64, batch_tokens: 512, store: "@tb"}]}
  score: {uses: evaluate, with: {model: "@pretrain", store: "@blend", prime_bytes: 0}}
YAML
run 0 run mix.yaml
has work/mix/report.html '<caption>Its stores</caption>'
run 0 run mix.yaml
[ "$(grep -c ' cached ' out)" = 8 ] || fail "not all is cached"
run 0 lineage work/mix/current/pretrain
has out 'phases: token-store'
has out 'store: token-blend'
grep -q '"tokens": 4608' work/mix/current/pretrain/state.json || fail "6 steps of 256 tokens, 6 of 512"
sed -i 's/store: "@tb"}\]/store: "@b"}]/' mix.yaml
refused 2 "'@b' is a corpus; 'phases' of 'train' wants a token-store or token-blend" run mix.yaml
sed -i 's/store: "@b"}\]/stor: "@tb"}]/' mix.yaml
refused 2 "unknown key 'stor'; did you mean 'store'?" run mix.yaml
echo "a mixture as a pipeline"
