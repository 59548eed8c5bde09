#!/usr/bin/env bash
# A document is removed from a token store: lineage still tells which models were trained on it, with the tokens that were read, as before.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export XDG_CACHE_HOME=$scratch/cache
cd "$scratch"
. "$TUNDISH_SOURCE/tests/commands.sh"
quiet=--quiet

for i in $(seq 0 99); do
    printf '{"id":"case %d","text":"Case %d: the furnace was tapped on day %d, and the ladle held %d tonnes of it.","source":"ward %d"}\n' $i $i $((i % 31)) $((i * 7)) $((i % 3))
done >corpus.jsonl
run 0 tokenizer train --corpus corpus.jsonl --vocab 280 --out tokenizer --no-report
run 0 tokenize --tokenizer tokenizer --corpus corpus.jsonl --out tokens --validation 0.1 --shard-tokens 1500
shape="--model.width 16 --model.layers 1 --model.heads 1 --model.ff 16 --context 32 --batch-tokens 256 --unit-tokens 128 --eval-every 0"
run 0 train --store tokens --out early $shape --steps 3
old=$(digest tokens)
run 0 lineage early --documents
cp out documents

# one that was read, one that was not, one of validation
read=$(awk -F '\t' '$1 == "train" && $5 > 0 && $5 == $4 { print $2; exit }' documents)
unread=$(awk -F '\t' '$1 == "train" && $5 == 0 { print $2; exit }' documents)
held=$(awk -F '\t' '$1 == "validation" { print $2; exit }' documents)
tokens=$(awk -F '\t' -v id="$read" '$2 == id { print $4 }' documents)
[ -n "$read" ] && [ -n "$unread" ] && [ -n "$held" ] || fail "the test wants one of each kind"

run 0 store remove tokens --id "$read" --id "$unread"
run 0 store remove tokens --id "$held"
[ "$(digest tokens)" != "$old" ] || fail "the digest did not change"

# what early has read is the same, but for two names
run 0 lineage early --documents
sed "s/\t$read\tward [0-9]/\t(removed)\t/; s/\t$unread\tward [0-9]/\t(removed)\t/; s/\t$held\tward [0-9]/\t(removed)\t/" documents | cmp - out || fail "the order of then is another"
for from in early tokens; do
    run 0 lineage $from --document "$read"
    has out "held it, before it was removed: train"
    has out "was trained on it: it read $tokens of its $tokens tokens"
    run 0 lineage $from --document "$unread"
    has out "has it in its training part, but read 0 of its"
    run 0 lineage $from --document "$held"
    has out "did not learn from it: it was held out for validation"
done
run 0 lineage tokens --document "$read"
has out "held it until it was removed (change 1)"
run 0 lineage tokens --document "$held"
has out "held it until it was removed (change 2)"
run 1 lineage tokens --document "case 777"
run 0 lineage early
has out "token-store $(echo "$old" | cut -c1-12)"
has out 'changed since'

# what is trained on the store as it is now has not seen it; a document that stays is told as before, in both
run 0 train --store tokens --out late $shape --steps 3
run 0 lineage tokens --document "$read" --json
[ "$(grep -o '"read":' out | wc -l)" = 1 ] || fail "one model was trained on it"
stays=$(awk -F '\t' -v a="$read" '$1 == "train" && $5 == $4 && $2 != a { print $2; exit }' documents)
run 0 lineage tokens --document "$stays"
[ "$(grep -c 'was trained on it\|in its training part' out)" = 2 ] || fail "two models had it"

# one id, several documents: of each shard and both parts; what was read of all of them, whichever come first
for i in $(seq 0 11); do
    printf '{"id":"patient 7","text":"Visit %d of patient 7: the pulse was %d, and the ward was number %d."}\n' $i $((60 + i)) $((i % 5))
done | awk 'NR == FNR { extra[NR] = $0; next } { print } FNR % 9 == 0 { print extra[++k] }' - corpus.jsonl >several.jsonl
run 0 tokenize --tokenizer tokenizer --corpus several.jsonl --out several --validation 0.3 --shard-tokens 1500
run 0 train --store several --out seen $shape --steps 3
run 0 lineage seen --documents
cp out documents
held=$(awk -F '\t' '$1 == "validation" && $2 == "patient 7"' documents | wc -l)
of=$(awk -F '\t' '$1 == "train" && $2 == "patient 7" { n += $4 } END { print n }' documents)
part=$(awk -F '\t' '$1 == "train" && $2 == "patient 7" { n += $5 } END { print n }' documents)
[ "$held" -gt 0 ] && [ "$part" -gt 0 ] && [ "$part" -lt "$of" ] || fail "the test wants some of it read: $held, $part of $of"
for change in no yes; do
    run 0 lineage seen --document 'patient 7'
    has out "it read $part of its $of tokens, in $((11 - held)) documents; $held more of it held out for validation"
    has out 'several.jsonl, line 10, .* the first of 11 documents of this id'
    [ $change = no ] || has out 'held it, before it was removed: train, .* the first of 11 documents'
    [ $change = yes ] || run 0 store remove several --id 'patient 7'
done
run 1 store find several --id 'patient 7'

# removed while a model is trained on it: the checkpoints that come behind say what was read, the store as it was
was=$(digest several)
"$TUNDISH" train --store several --out busy $shape --steps 1000000 --checkpoint-every 5 >log 2>&1 &
pid=$!
newest() { ls busy.work 2>/dev/null | grep '^step-[0-9]*$' | tail -n 1; }
for i in $(seq 600); do [ -z "$(newest)" ] || break; sleep 0.1; done
run 0 store remove several --id 'case 3'
last=$(newest)
for i in $(seq 600); do [ "$(newest)" = "$last" ] || break; sleep 0.1; done
[ -n "$last" ] && [ "$(newest)" != "$last" ] || fail "no checkpoint came behind '$last'"
kill -INT $pid
wait $pid && fail "it was stopped" || true
for step in busy.work/step-*; do
    grep -q "\"$was\"" "$step/manifest.json" || fail "$step was read from another store, it says"
done
run 2 train --store several --out busy $shape --steps 1000000 --checkpoint-every 5
has err 'belongs to a run with store'
rm -rf busy.work

# all that lies there is whole
run 0 verify early --no-sources
has err "was changed since it had the digest $(echo "$old" | cut -c1-12)"
run 0 store verify tokens

# ---- a pipeline whose store is changed between two runs: it says so, uses it as it is, and trains anew ----
cat >p.yaml <<'P'
pipeline: p
stages:
  tokens: {uses: tokenize, with: {tokenizer: tokenizer, corpus: corpus.jsonl, validation: 0.1}}
  model: {uses: train, with: {store: "@tokens", model: {width: 16, layers: 1, heads: 1, ff: 16}, context: 32, batch-tokens: 256, unit-tokens: 128, eval-every: 0, steps: 2}}
P
quiet=
run 0 run p.yaml --work work
store=$(readlink -f work/current/tokens)
run 0 store remove "$store" --id "$read"
now=$(digest "$store")
run 0 run p.yaml --work work --dry-run
has out 'tokens  *cached  *its artifact was changed in place (1 time, last by store remove'
has out 'model  *run  *.*store'
run 0 run p.yaml --work work
has err "stage 'tokens': its artifact was changed in place (1 time"
[ "$(digest "$store")" = "$now" ] || fail "the store was made anew"
grep -q "\"$now\"" "$(readlink -f work/current/model)/manifest.json" || fail "the model was not trained on the store as it is now"
run 0 run p.yaml --work work
has err '2 cached'
# the corpus grows and still has the document: it is told before, and behind how many came back; once it is gone, no more
cp corpus.jsonl grown && printf '{"id":"case 100","text":"Case 100: the furnace was relined."}\n' >>corpus.jsonl
run 0 run p.yaml --work work --dry-run
has out 'the store it made last was changed in place (1 time'
run 0 run p.yaml --work work
has err "1 documents of '.*' have ids that were removed from '$(readlink -f work/current | sed 's|.*/work/|work/|; s|current|artifacts|')/tokens-"
grep -v "\"id\":\"$read\"" corpus.jsonl >kept && mv kept corpus.jsonl
run 0 run p.yaml --work work
! grep -q 'have ids that were removed' err || fail "it is not there any more"
mv grown corpus.jsonl
run 0 run p.yaml --work work --force tokens
run 0 store find "$(readlink -f work/current/tokens)" --id "$read"
