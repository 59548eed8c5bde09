#!/usr/bin/env bash
# promote, rollback and registry as commands and as a stage, on models that this program trains, exports and scores.
set -eu
. "$TUNDISH_SOURCE/tests/train/small_model.sh"
version() { readlink "$1" | sed 's,.*/,,'; }
events() { wc -l <"$1/history.jsonl"; }
# The folder of the report that the last event names.
report() { tail -n 1 "$1/history.jsonl" | sed 's|.*"report":"\([0-9a-f]\{16\}\).*|'"$1"'/reports/\1|'; }

make_store
for n in 1 2; do
    run 0 train $shape --out checkpoint$n --steps $((2 * n))
    run 0 export --checkpoint checkpoint$n --out model$n
    run 0 evaluate --model model$n --store tokens --out score$n --prime-bytes 0
done

# by hand
refused 2 "want REGISTRY/ALIAS" promote model1 --to champion
refused 2 "is a checkpoint, want a model" promote checkpoint1 --to hand/champion
refused 2 "is missing" promote model1
[ ! -e hand ] || fail "a refused promotion has left something"
refused 2 "is about the model $(digest model2), but 'model1' is the model $(digest model1)" promote model1 --to hand/champion --report score2
[ ! -e hand ] || fail "a report of another model has left something"
run 0 promote model1 --to hand/champion --report score1 --note "the first"
has err "the first one"
run 0 store verify hand/champion
same model1 hand/champion
run 0 generate --model hand/champion "word1" --max-tokens 2
run 0 promote model1 --to hand/champion
has err "already"
run 0 promote model2 --to hand/champion --note $'a\e[31mred note'
[ "$(events hand)" = 2 ] || fail "not two events"
run 0 registry hand
has out '^champion  *[0-9a-f]\{16\}  20'
has out '"a\\u001b\[31mred note"'
run 0 registry hand --json
has out '"event":"promote"'
has out '"pending":\[\]'
refused 2 "--dry-run is a word of --prune" registry hand --dry-run
run 0 rollback hand/champion --note worse
same model1 hand/champion
refused 2 "there is no version" rollback hand/champion
refused 2 "did you mean 'hand/champion'" rollback hand/champoin
run 0 rollback hand/champion --to "$(sed -n 's/^ *"digest": *"\([0-9a-f]\{16\}\).*/\1/p' model2/manifest.json)"
same model2 hand/champion
run 0 registry hand --prune --keep 0 --json
has out '"removed":0'
run 0 promote model1 --to hand/other
printf x | dd of=model2/model.safetensors bs=1 seek=500 conv=notrunc status=none
refused 6 "is damaged" promote model2 --to hand/other
[ "$(events hand)" = 5 ] || fail "not five events"

# a report of the checkpoint is one of the model that was exported from it, and each alias has its own
run 0 evaluate --model checkpoint1 --store tokens --out score0 --prime-bytes 0
refused 2 "score0' is about the model" promote model2 --to hand/other --report score0
run 0 promote model1 --to hand/canary --report score0
[ "$(report hand)" = "hand/reports/$(digest score0 | cut -c 1-16)" ] || fail "not the report of the checkpoint"
run 0 promote hand/canary --to hand/champion --report score1
[ "$(report hand)" = "hand/reports/$(digest score1 | cut -c 1-16)" ] || fail "not the report of the model"
refused 2 "is an artifact" promote model1 --to hand/champion/new
rm hand/history.jsonl
run 0 promote model1 --to hand/champion
has err "of which the history did not tell"

# as a stage
cat >p.yaml <<'END'
pipeline: p
params: {steps: 2}
stages:
  pretrain: {uses: train, with: {store: tokens, model: {width: 32, layers: 1, heads: 2, ff: 64}, context: 32, batch-tokens: 256,
             unit-tokens: 64, eval-every: 5, eval-tokens: 256, steps: "${steps}"}}
  model: {uses: export, with: {checkpoint: "@pretrain"}}
  score: {uses: evaluate, with: {model: "@model", store: tokens, prime-bytes: 0}}
  champion: {uses: promote, with: {model: "@model", report: "@score", to: registry/champion}}
END
run 0 run p.yaml
first=$(version registry/champion)
has work/p/current/champion/promotion.json '"alias": "registry/champion"'
has work/p/current/champion/promotion.json "\"version\": \"$first\""
before=$(digest work/p/current/champion)
run 0 run p.yaml --force champion
[ "$(digest work/p/current/champion)" = "$before" ] || fail "the same promotion gave other bytes"
[ "$(events registry)" = 1 ] || fail "a forced promotion of the same model is an event"
run 0 run p.yaml --set steps=3
second=$(version registry/champion)
[ "$second" != "$first" ] || fail "the new model was not promoted"
[ -f $(report registry)/metrics.json ] || fail "no report"
run 0 rollback registry/champion
run 0 run p.yaml --set steps=3
[ "$(version registry/champion)" = "$first" ] || fail "a run in which nothing changed has promoted again"
run 0 run p.yaml --set steps=3 --force champion
[ "$(version registry/champion)" = "$second" ] || fail "a forced run has not promoted"

# behind a gate: the first model finds nothing to be better than, a better one passes, a worse one does not
sed -e 's/^pipeline: p/pipeline: q/' -e 's,registry/champion,gated/champion,' -e 's/\(uses: evaluate.*\)}$/\1, gate: [{metric: bits_per_byte, versus: gated\/champion}]}/' \
    -e 's/, report: "@score"/&/; s/\(champion: {uses: promote.*\)}$/\1, needs: [score]}/' p.yaml >q.yaml
run 0 run q.yaml
has err 'open: bits_per_byte .*nothing is promoted as gated/champion yet'
run 0 run q.yaml --set steps=6
has err 'passed: bits_per_byte .* is better than'
best=$(version gated/champion)
[ "$(events gated)" = 2 ] || fail "the better model was not promoted"
run 3 run q.yaml --set steps=1
has err 'failed: bits_per_byte .* is worse than'
[ "$(version gated/champion)" = "$best" ] && [ "$(events gated)" = 2 ] || fail "a worse model was promoted"
sed 's/versus: gated.champion/&, confidence: 0.9/' q.yaml >r.yaml
run 3 run r.yaml --set steps=7 --work work/r
has err 'failed: .* documents are in this report and in that of gated/champion, want at least 20'
echo "promoted, rolled back, pruned, and chained"
