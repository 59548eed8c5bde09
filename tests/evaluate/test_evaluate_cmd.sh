#!/usr/bin/env bash
# `evaluate` and `export` by hand: equal bytes for any number of threads, what is refused, and that a stop leaves nothing.
set -eu
. "$TUNDISH_SOURCE/tests/train/small_model.sh"
make_store
run 0 train $shape --steps 10 --out ck

run 0 evaluate --model ck --store tokens --out score --threads 1
run 0 evaluate --model ck --store tokens --out score3 --threads 3
same score score3
for key in bits_per_byte nats_per_token xz9_bits_per_byte xz9_primed_bits_per_byte documents tokens bytes; do
    grep -q "\"$key\": [0-9]" score/metrics.json || fail "no $key"
done
[ "$(wc -l <score/documents.jsonl)" = "$(sed -n 's/.*"documents": \([0-9]*\).*/\1/p' score/metrics.json)" ] || fail "documents.jsonl"
run 0 evaluate --model ck --store tokens --out unprimed --prime-bytes 0
! grep -q primed unprimed/metrics.json || fail "primed without priming"

# samples: a function of seed and temperature, whatever the threads; the scores stay as they are
samples() { run 0 evaluate --model ck --store tokens --tasks bits_per_byte --tasks samples --prime-bytes 0 "$@"; }
samples --out s1 --threads 1
samples --out s3 --threads 3
same s1 s3
samples --out cold --temperature 0
samples --out cold2 --temperature 0 --seed 9
cmp -s cold/samples.jsonl cold2/samples.jsonl || fail "temperature 0 depends on the seed"
! cmp -s cold/samples.jsonl s1/samples.jsonl || fail "--temperature changes nothing"
samples --out other --seed 9
! cmp -s other/samples.jsonl s1/samples.jsonl || fail "--seed changes nothing"
cmp -s s1/documents.jsonl score/documents.jsonl || fail "samples changed the scores"
[ ! -e score/samples.jsonl ] || fail "samples that nobody asked for"
[ "$(grep -c '"id":.*"prompt":.*"written":.*"truth":' s1/samples.jsonl)" = 5 ] || fail "want 5 samples: $(cat s1/samples.jsonl)"

refused 2 "there is no model folder 'nothing'" evaluate --model nothing --store tokens --out no
refused 2 "there is no 'nothing'" evaluate --model ck --store nothing --out no
refused 2 "'tokens' holds no model: it has no config.json" evaluate --model tokens --store tokens --out no
refused 2 "'ck' is a checkpoint, want a token-store" evaluate --model ck --store ck --out no
refused 2 'length is 7, want an even number' evaluate --model ck --store tokens --length 7 --out no
refused 2 "at most the model's context 32" evaluate --model ck --store tokens --length 64 --out no
refused 2 "there are 'bits_per_byte' and 'samples'" evaluate --model ck --store tokens --tasks other --out no
touch file
refused 2 "'file' exists and is not a folder" evaluate --model ck --store tokens --out file

run 0 tokenizer train --corpus corpus --out tokenizer2 --vocab 290
run 0 tokenize --corpus corpus --tokenizer tokenizer2 --out tokens2 --validation 0.2
refused 2 "has another tokenizer than the token store 'tokens2'" evaluate --model ck --store tokens2 --out no
run 0 tokenize --corpus corpus --tokenizer tokenizer --out all-train --validation 0
refused 2 'no validation documents: tokenize with a larger --validation share' evaluate --model ck --store all-train --out no
run 0 train ${shape/--store tokens/--store all-train} --steps 1 --out blind
grep -q 'no validation: the store has 0 validation tokens, a look needs 33' err || fail "silent about validation"
! grep -q validation blind/metrics.jsonl || fail "validated on nothing"

cp -r ck damaged && printf x | dd of=damaged/model.safetensors bs=1 seek=2000 conv=notrunc 2>/dev/null
refused 6 "'damaged/model.safetensors' is damaged" evaluate --model damaged --store tokens --out no
refused 6 "'damaged/model.safetensors' is damaged" export --checkpoint damaged --out no
[ ! -e no ] || fail "a refused evaluation left a report"

# export: proven, described, without other models' scores
run 0 export --checkpoint ck --report score --name 'a "name"' --out model
grep -q 'loaded again and equal' err || fail "not verified"
grep -qF -- '- name: "a \"name\""' model/README.md || fail "the card's name"
grep -q "| evaluation | .$(digest score). |" model/README.md || fail "the card's origin"
run 0 export --checkpoint ck --out model2 --dtype bf16
! grep -q 'held-out' model2/README.md || fail "an evaluation that never was"
run 0 evaluate --model model --store tokens --out again      # the exported folder is a model, too
cmp -s score/documents.jsonl again/documents.jsonl || fail "the exported model scores otherwise"
run 0 train $shape --steps 3 --out ck3
refused 2 "the report 'score' scores another model" export --checkpoint ck3 --report score --out no
refused 2 "'tokens' is a token-store, want a checkpoint" export --checkpoint tokens --out no
refused 2 "'ck' is a checkpoint, want a report" export --checkpoint ck --report ck --out no

# a stop
run 0 tokenize --corpus corpus --tokenizer tokenizer --out half --validation 0.5
"$TUNDISH" evaluate --model ck --store half --out no --length 2 --threads 1 >out 2>err & child=$!
for i in $(seq 500); do ls -d no.tmp.* >/dev/null 2>&1 && break; sleep 0.01; done
kill -INT $child 2>/dev/null || true
seen=0; wait $child || seen=$?
if [ $seen = 0 ]; then
    rm -r no                                    # it was faster
else
    [ $seen = 130 ] || fail "Ctrl-C: exit status $seen, want 130"
    grep -q 'nothing was written: run it again' err || fail "Ctrl-C: unclear message"
fi
[ "$(ls -d no* 2>/dev/null)" = "" ] || fail "a stop left $(ls -d no*)"
echo "evaluate, export: as they say"
