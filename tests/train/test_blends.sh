#!/usr/bin/env bash
# A blend is trained on until its caps of epochs end it, scored on all its held-out documents, and told back: which store, which document,
# how many tokens of it.
set -eu
. "$TUNDISH_SOURCE/tests/train/small_model.sh"
make_store
mkdir few && head -n 12 corpus/part-00000.jsonl | sed 's/"id":"d/"id":"few /; s/"text":"/"text":"few /' >few/part-00000.jsonl
run 0 tokenize --corpus few --tokenizer tokenizer --out few-tokens --validation 0.3
run 0 store blend tokens few-tokens --weight 0.001 --weight 0.999 --epochs 2 --epochs 2 --out blend
shape=${shape#--store tokens} shape=${shape/--batch-tokens 256/--batch-tokens 512}

# weights of 0.001 and 0.999: the small store ends early, the other goes on alone, and then the data are at their end
refused 2 'and 100000 are wanted: train for fewer' train $shape --store blend --steps 100000 --out no
last=$(sed -n 's/.*the data last for \([0-9]*\) steps.*/\1/p' err)
refused 2 "the data last for $last steps" train $shape --store blend --steps $((last + 1)) --out no
refused 2 'the data last for' train $shape --store blend --tokens $((last * 512 + 1)) --out no
refused 2 'the data last for 0 steps' train ${shape/--batch-tokens 512/--batch-tokens 1024000} --store blend --minutes 1 --out no
[ ! -e no ] && [ ! -e no.work ] || fail "a run without data has begun"
for packing in concat best-fit; do
    run 2 train $shape --store blend --steps 100000 --packing $packing --out no
    last=$(sed -n 's/.*the data last for \([0-9]*\) steps.*/\1/p' err)
    run 0 train $shape --store blend --steps "$last" --packing $packing --out ck-$packing --threads 2
    # all of it twice, but for what does not fill a step or a row: each document was read, and nearly all of them whole
    run 0 lineage ck-$packing --documents
    [ "$(awk -F '\t' '$1 == "train"' out | wc -l)" -gt 40 ] || fail "too few documents"
    awk -F '\t' '$1 == "train" && $5 != $4 { exit 1 }' out || fail "$packing: after two epochs a document was not read: $(awk -F '\t' '$1 == "train" && $5 != $4' out)"
    awk -F '\t' '$1 == "validation" && $5 != 0 { exit 1 }' out || fail "validation was read"
done
run 0 lineage ck-concat --document 'few 3' --json
has out '"kind":"token-blend"'
for id in 0 5 11; do "$TUNDISH" lineage ck-concat --document "few $id" >told 2>err || fail "--document few $id"
    grep -A1 '^checkpoint ' told | grep -q 'was trained on it: it read\|held out for validation' || fail "few $id: $(cat told)"; done

# moved and renamed, the stores are still found by their digests
"$TUNDISH" lineage ck-concat --documents >before 2>err || fail "--documents"
mkdir -p far && mv tokens far/x && mv few-tokens far/y && mv blend z
"$TUNDISH" lineage ck-concat --documents --search far --search z >after 2>err || fail "--documents of what was moved"
cmp before after || fail "moved stores tell something else"
! grep -q 'not known' err || fail "moved stores are not known"
mv far/x tokens && mv far/y few-tokens && mv z blend

# scored on the validation parts of both, one after the other
run 0 evaluate --model ck-concat --store blend --tasks bits_per_byte --tasks samples --out score --threads 3
for store in tokens few-tokens; do "$TUNDISH" store cat $store --part validation; done | sed 's/.*"id":"\([^"]*\)".*/\1/' >want
sed 's/.*"id":"\([^"]*\)".*/\1/' score/documents.jsonl | cmp - want || fail "the documents are not those of both stores"
grep -q '^few ' want || fail "the small store holds none back"
run 0 evaluate --model ck-concat --store tokens --out alone
[ "$(head -n 3 alone/documents.jsonl)" = "$(head -n 3 score/documents.jsonl)" ] || fail "the first store's documents are scored otherwise"
refused 2 "'ck-concat' is a checkpoint, want a token-store or a token-blend" evaluate --model ck-concat --store ck-concat --out no
echo "blends: $last steps of best-fit"
