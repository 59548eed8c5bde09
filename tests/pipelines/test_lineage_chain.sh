#!/usr/bin/env bash
# A chain made by the program itself, told back: the tree, the documents both ways, copies and moves, and every byte.
set -eu
. "$TUNDISH_SOURCE/tests/e2e/documents.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export XDG_CACHE_HOME=$scratch/cache
cd "$scratch"
fails() { echo "$*"; cat log; exit 1; }
quiet() { "$TUNDISH" "$@" >log 2>&1 || fails "tundish $*"; }
digest() { sed -n 's/^ *"digest": *"\([0-9a-f]*\)".*/\1/p' "$1/manifest.json"; }

make_documents docs
# this project's own words may change; these do not
mkdir docs/own
for n in one two three four; do
    for day in 1 2 3 4 5 6 7 8 9; do echo "Note $n of day $day: the furnace was tapped, the ladle held $((day * 7)) tonnes, and nobody was hurt."; done >docs/own/$n.md
done
cp docs/own/two.md docs/own/two-again.md
for n in 1 2 3; do head -c 3000000 /dev/zero >docs/zeros-$n.bin; done      # enough for the threads of digests
quiet curate docs --out a/corpus --steps '[normalize, {dedup: {method: exact}}]' --shard-bytes 16K
quiet tokenizer train --corpus a/corpus --vocab 300 --out a/tokenizer
quiet tokenize --corpus a/corpus --tokenizer a/tokenizer --validation 0.2 --out a/tokens
quiet train --store a/tokens --out a/checkpoint --model.width 32 --model.layers 1 --model.heads 2 --model.ff 64 --context 32 \
    --batch-tokens 512 --unit-tokens 128 --steps 4 --eval-tokens 512
quiet evaluate --model a/checkpoint --store a/tokens --out a/report --tasks bits_per_byte --tasks samples
quiet export --checkpoint a/checkpoint --corpus a/corpus --report a/report --name small --out a/model
ln -s a/model champion

# ---- the tree, over a link ----
"$TUNDISH" lineage champion >tree 2>log || fails "lineage"
for kind in model checkpoint token-store tokenizer corpus report; do
    grep -q "$kind $(digest "a/${kind/token-store/tokens}" | cut -c1-12)  " tree || { cat tree; fails "the tree lacks the $kind"; }
done
[ "$(grep -c '(see above)' tree)" = 4 ] || { cat tree; fails "want four branches that were told before"; }
grep -q 'train, version 2: batch-tokens 512, context 32' tree || { cat tree; fails "no options"; }
grep -A1 '  docs$' tree | grep -q 'the same content today' || { cat tree; fails "the source is not told"; }
! grep -q 'NOT FOUND' tree || { cat tree; fails "something is missing"; }
"$TUNDISH" lineage champion --json | tr '{' '\n' | grep -c '"state":"found"' >log || true
[ "$(cat log)" = 6 ] || fails "want six nodes found"
code=0; "$TUNDISH" lineage docs >log 2>&1 || code=$?
[ $code = 2 ] || fails "a folder that is no artifact: want 2, is $code"
code=0; "$TUNDISH" lineage champion --format croissant >log 2>&1 || code=$?
[ $code = 2 ] && grep -q "want a corpus; it was made from 'a/corpus'" log || fails "croissant of a model: $code"

# ---- each document, and what was read of it ----
"$TUNDISH" lineage a/model --documents >documents 2>log || fails "--documents"
"$TUNDISH" store cat a/tokens | sed 's/.*"id":"\([^"]*\)".*/train \1/' >want
"$TUNDISH" store cat a/tokens --part validation | sed 's/.*"id":"\([^"]*\)".*/validation \1/' >>want
awk -F '\t' '{ print $1, $2 }' documents | cmp - want || fails "the documents are not the store's"
grep -q '^validation' want || fails "the test wants validation documents"
# 64 rows of 32 tokens and the target of each row's last one; neighbours share it
read -r sum <<<"$(awk -F '\t' '$1 == "train" { n += $5 } END { print n }' documents)"
[ "$sum" -ge 2048 ] && [ "$sum" -le 2112 ] || fails "4 steps of 512 tokens have read $sum"
awk -F '\t' '$1 == "validation" && $5 != 0 { exit 1 }' documents || fails "validation was read"
"$TUNDISH" lineage a/model --documents --json 2>log | head -n 1 | grep -q '^{"part":"train","id":"docs/' || fails "--documents --json"
"$TUNDISH" lineage a/report --documents 2>log | cmp - documents || fails "a report's documents are its model's"
"$TUNDISH" lineage a/tokens --documents 2>log | cut -f 1-4 | cmp - <(cut -f 1-4 documents) || fails "a store's own documents"
code=0; "$TUNDISH" lineage a/corpus --documents >log 2>&1 || code=$?
[ $code = 2 ] || fails "the documents of a corpus: want 2, is $code"

# ---- one document ----
some() { awk -F '\t' -v part="$1" -v how="$2" '$1 == part && (how == "any" || (how == "read" && $5 > 0) || (how == "unread" && $5 == 0)) { print $2; exit }' documents; }
tell() { "$TUNDISH" lineage champion --document "$1" "${@:2}" >told 2>log || fails "--document $1"; }
says() { grep -A1 "^$1 " told | grep -qE -- "$2" || { cat told; fails "$1: want '$2'"; }; }
id=$(some train read)
tell "$id"
shard=$(sed -n 's/.*holds it: \(part-[^,]*\), line.*/\1/p' told)
line=$(sed -n 's/.*holds it: part-[^,]*, line \([0-9]*\),.*/\1/p' told)
"$TUNDISH" store cat "a/corpus/$shard" | sed -n "${line}p" | grep -qF "\"id\":\"$id\"" || fails "it is not in $shard, line $line"
says source "came from: docs/"
says tokenizer "learned its vocabulary"
says token-store "holds it: train, document [0-9]+"
says checkpoint "was trained on it: it read $(awk -F '\t' -v id="$id" '$2 == id { print $5 " of its " $4 }' documents) tokens"
says model "has weights that were trained on it"
says report "scored weights"
tell "$(some train unread)"
says checkpoint "read 0 of its"
says model "was made with artifacts of this list"
tell "$(some validation any)"
says checkpoint "held out for validation"
says report "has its id and its score"
tell docs/own/two.md
says corpus "dropped it in the step dedup exact: exact_duplicate"
[ "$(grep -c '^[a-z]' told)" = 2 ] || { cat told; fails "what was dropped is in no other artifact"; }
code=0; "$TUNDISH" lineage champion --document "$(basename "$id")" >told 2>log || code=$?
[ $code = 1 ] && grep -qF "near it: '" log && grep -qF "'$id'" log || fails "nowhere: $code"
[ ! -s told ] || fails "words on stdout"
"$TUNDISH" lineage champion --document "$id" --json 2>log | grep -qF '"touch":"taught"' || fails "--document --json"
# what else was made of it, and copies
quiet tokenizer train --corpus a/corpus --vocab 280 --out other/deep/tokenizer
cp -r a/tokens other/deep/tokens
tell "$id" --search other
grep -q 'other/deep/tokenizer$' told || { cat told; fails "the other tokenizer is not told"; }
grep -q 'also at .*other/deep/tokens$' told || { cat told; fails "the copy is not told"; }

# ---- a model that goes on from another: both stores taught it ----
mkdir more && cp docs/own/*.md more
quiet curate more --out b/corpus --steps '[normalize]'
quiet tokenize --corpus b/corpus --tokenizer a/tokenizer --out b/tokens
quiet train --store b/tokens --init a/checkpoint --out b/checkpoint --context 32 --batch-tokens 128 --unit-tokens 128 --steps 2 --eval-every 0
"$TUNDISH" lineage b/checkpoint --documents >both 2>log || fails "--documents of both"
[ "$(wc -l <both)" = $(($(wc -l <documents) + $("$TUNDISH" store cat b/corpus | wc -l))) ] || fails "want the documents of both stores"
"$TUNDISH" lineage b/checkpoint --document "$id" >told 2>log || fails "--document over --init"
grep -A1 "^checkpoint .*b/checkpoint$" told | grep -q "began with weights that were trained on it" || { cat told; fails "--init"; }
grep -q "^corpus .*b/corpus$" told && { cat told; fails "the other corpus does not hold it"; }

# ---- phases: what each store taught, by tokens; packed documents stay whole ----
quiet train --store a/tokens --out c/checkpoint --model.width 32 --model.layers 1 --model.heads 2 --model.ff 64 --context 32 \
    --batch-tokens 256 --unit-tokens 64 --steps 6 --eval-every 0 --phases '[{step: 2, store: b/tokens, context: 64}, {step: 4, store: a/tokens}]'
"$TUNDISH" lineage c/checkpoint --documents >both 2>log || fails "--documents with phases"
[ "$(cut -f 1-4 both | sort | uniq | wc -l)" = "$(wc -l <both)" ] || fails "a store of two phases is listed twice"
first=$(wc -l <documents)
sums=$(awk -F '\t' -v n="$first" '$1 == "train" { s[NR > n] += $5 } END { print s[0], s[1] }' both)
[ "${sums% *}" -ge 1024 ] && [ "${sums% *}" -le 1056 ] && [ "${sums#* }" -ge 512 ] && [ "${sums#* }" -le 520 ] || fails "4 steps of 256 tokens of one store and 2 of another: $sums"
"$TUNDISH" lineage c/checkpoint >tree 2>log || fails "lineage with phases"
grep -q "phases: token-store $(digest b/tokens | cut -c1-12)" tree || { cat tree; fails "the store of a phase is not in the tree"; }
"$TUNDISH" lineage c/checkpoint --document "$(awk -F '\t' -v n="$first" 'NR > n && $5 > 0 { print $2; exit }' both)" >told 2>log || fails "--document of a phase"
says checkpoint "was trained on it: it read"
sed -i 's/"version": 2/"version": 1/' c/checkpoint/manifest.json
"$TUNDISH" lineage c/checkpoint --documents >old 2>log || fails "--documents of an old order"
grep -q "whose order is not known" log && awk -F '\t' '$1 == "train" && $5 != "-" { exit 1 }' old || fails "an old order is known"
mv b/tokens lost

code=0; "$TUNDISH" lineage b/checkpoint --documents >told 2>log || code=$?
[ $code = 2 ] && grep -q "was not found (it was said to be 'b/tokens')" log || fails "a lost store: $code"

# ---- under a name of a registry ----
quiet promote a/model --to registry/champion
"$TUNDISH" lineage registry/champion --documents 2>log | cmp - documents || fails "the documents of the registry's champion"
"$TUNDISH" lineage registry/champion --document "$id" >told 2>log || fails "--document of the registry's champion"
grep -q 'also at .*a/model$' told || { cat told; fails "the model that was promoted is not told"; }
quiet verify registry/champion

# ---- moved, renamed, lost ----
mkdir moved
for artifact in a/*; do mv "$artifact" "moved/x-$(basename "$artifact")"; done
"$TUNDISH" lineage moved/x-model >tree 2>log || fails "moved"
! grep -q 'NOT FOUND' tree || { cat tree; fails "all lie beside it"; }
mkdir -p far/away
mv moved/x-corpus far/away/y
"$TUNDISH" lineage moved/x-model >tree 2>log || fails "corpus lost"
grep -q "NOT FOUND, $(digest far/away/y | cut -c1-12)  was said to be 'a/corpus'" tree || { cat tree; fails "the corpus is not told as lost"; }
code=0; "$TUNDISH" verify moved/x-model >log 2>&1 || code=$?
[ $code = 6 ] || fails "verify with a lost corpus: want 6, is $code"
quiet verify moved/x-model --allow-missing
quiet verify moved/x-model --search far
grep -q '^6 artifacts with .* and 1 sources: every byte' log || fails "verify: $(cat log)"
"$TUNDISH" lineage moved/x-model --search far >tree 2>log || fails "search"
! grep -q 'NOT FOUND' tree || { cat tree; fails "--search finds it"; }
mv far/away/y moved/x-corpus

# ---- a byte at each level ----
flip() { printf "\\x$(printf %02x $(($(od -An -tu1 -j "$2" -N 1 "$1") ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>dd || { cat dd; exit 1; }; }
refused() {
    local code=0
    "$TUNDISH" verify moved/x-model >log 2>&1 || code=$?
    [ $code = 6 ] || fails "$1 changed: want 6, is $code"
    grep -qF -- "$2" log || fails "$1 changed: the message lacks $2"
}
for file in model/model.safetensors checkpoint/optimizer.safetensors tokens/shard-00000.mdb tokenizer/tokenizer.json corpus/part-00001.jsonl.zst \
    report/metrics.json; do
    size=$(stat -c %s "moved/x-$file")
    flip "moved/x-$file" $((size / 2))
    refused "$file" "moved/x-$file' is damaged: its digest is "
    grep -q '1 of [0-9]* files and sources are damaged, 0 inputs' log || fails "$file: want one damaged"
    flip "moved/x-$file" $((size / 2))
done
flip docs/own/one.md 5
refused "the source" "docs' is not what was read"
"$TUNDISH" lineage moved/x-model >tree 2>log || fails "source changed"
grep -A1 '  docs$' tree | grep -q 'ANOTHER content today' || { cat tree; fails "another content is not told"; }
quiet verify moved/x-model --no-chain
flip docs/own/one.md 5
mv moved/x-corpus/part-00000.jsonl.zst .
refused "a lost shard" "part-00000.jsonl.zst"
mv part-00000.jsonl.zst moved/x-corpus
for member in digest sha256; do
    cp moved/x-tokens/manifest.json kept
    sed -i "0,/\"$member\": \"[0-9a-f]/s/\(\"$member\": \"\)[0-9a-f]/\10/" moved/x-tokens/manifest.json
    cmp -s kept moved/x-tokens/manifest.json && sed -i "0,/\"$member\": \"[0-9a-f]/s/\(\"$member\": \"\)[0-9a-f]/\11/" moved/x-tokens/manifest.json
    refused "the manifest's $member" "was not found"
    cp kept moved/x-tokens/manifest.json
done
# an input exchanged: the digest does not cover it, but it leads to what is not there
cp moved/x-tokens/manifest.json kept
sed -i "s/$(digest moved/x-corpus)/$(printf '%064d' 7)/" moved/x-tokens/manifest.json
refused "an input's digest" "$(printf '%064d' 7) was not found"
cp kept moved/x-tokens/manifest.json
quiet verify moved/x-model --threads 1
echo "$(wc -l <documents) documents, $sum tokens read"
