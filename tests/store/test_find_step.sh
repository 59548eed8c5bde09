#!/usr/bin/env bash
# A blend is made, a model is trained on it and then on one of its stores, and for each step it can be told which documents stood
# in which row: the same that lineage says was read.
set -eu
. "$TUNDISH_SOURCE/tests/train/small_model.sh"
make_store
mkdir few stores
head -n 7 corpus/part-00000.jsonl | sed 's/"id":"d/"metadata":{"language":"en"},"id":"few /' >few/part-00000.jsonl
run 0 tokenize --corpus few --tokenizer tokenizer --out stores/few --validation 0
mv tokens stores/tokens
run 0 store blend stores/tokens stores/few --weight 3 --weight 1 --out stores/blend
run 0 store info stores/blend
has out '^token-blend  *stores/blend'
run 0 store verify stores/blend

shape=${shape#--store tokens}
for packing in "--packing concat" "--packing best-fit --pack-window 9"; do
    run 0 train $shape --store stores/blend --steps 9 $packing --out checkpoint --phases '[{step: 4, context: 64, batch-tokens: 512}, {step: 6, store: stores/few}]'
    : >told
    for step in 1 2 3 4 5 6 7 8 9; do
        run 0 store find --checkpoint checkpoint --step "$step"
        awk -F '\t' -v rows=8 -v T=$((step < 5 ? 32 : 64)) -v full=$([ "${packing#*best}" = "$packing" ] && echo 1 || echo 0) '
            NF != 9 { print "columns: " $0; bad = 1 }
            { sum[$1] += $8 }
            END {
                for (r = 0; r < rows; r++) if (sum[r] > T || sum[r] < 1 || (full && sum[r] != T)) { print "row " r " has " sum[r]; bad = 1 }
                for (r in sum) if (r >= rows) { print "row " r; bad = 1 }
                exit bad
            }' out || fail "step $step"
        [ "$step" -lt 7 ] || ! grep -q stores/tokens out || fail "step $step read the blend"
        cat out >>told
        [ $((step % 4)) = 0 ] || continue
        run 0 store find --checkpoint checkpoint --step "$step" --row 2
        awk -F '\t' '$1 == 2' told | tail -n "$(wc -l <out)" | cmp - out || fail "row 2 of step $step"
    done
    grep -q "$(printf '\tfew 3\t-\ten\t')" told || fail "no document of the small store with its language"
    grep -q stores/tokens told || fail "no document of the large store"

    # the documents of which lineage says that tokens were read, and no others (concat: one token more, the last target)
    run 0 lineage checkpoint --documents
    awk -F '\t' '$1 == "train" && $5 + 0 > 1 { print $2 }' out | sort -u >read
    awk -F '\t' '{ print $4 }' told | sort -u | cmp - read || fail "lineage says otherwise: $(diff read <(awk -F '\t' '{ print $4 }' told | sort -u))"
    rm -rf checkpoint.before && mv checkpoint checkpoint.before
done

# for programs: the same
run 0 store find --checkpoint checkpoint.before --step 8 --row 0 --json
has out '^{"row":0,"store":"stores/few","document":[0-9]*,"id":"few [0-6]","source":"","language":"en","offset":[0-9]*,"count":[0-9]*,"epoch":[0-9]*}$'
# moved: not found, and found
run 0 store find --checkpoint checkpoint.before --step 3
cp out before
mv stores moved
refused 2 'name a folder to look in with --search' store find --checkpoint checkpoint.before --step 3
run 0 store find --checkpoint checkpoint.before --step 3 --search . --search moved
cut -f 1,3- before >a && cut -f 1,3- out | cmp - a || fail "others, once moved"
# another store in its place
mkdir stores && cp -r moved/few stores/blend
refused 2 'is another one now' store find --checkpoint checkpoint.before --step 3
# a store that was changed since: the order of then; who was removed has no name
rm -rf stores && cp -r moved stores
first=$(awk -F '\t' '$4 ~ /^few/ { print $4; exit }' before)
run 0 store find --checkpoint checkpoint.before --step 3
cp out before
head -n 3 corpus/part-00000.jsonl | sed 's/"id":"d/"id":"more /' >more.jsonl
run 0 store remove stores/few --id "$first"
run 0 store append stores/tokens --corpus more.jsonl
run 0 store find --checkpoint checkpoint.before --step 3
sed "s/\t$first\t-\ten\t/\t(removed)\t-\t-\t/" before | cmp - out || fail "step 3 was another one, before the change"
has out '(removed)'
# what cannot be
refused 1 'which has made the steps 1 to 9' store find --checkpoint checkpoint.before --step 10 --search moved
refused 1 'row 8 of step 1, which has the rows 0 to 7' store find --checkpoint checkpoint.before --step 1 --row 8 --search moved
refused 2 'without --step' store find --checkpoint checkpoint.before
refused 2 'want one of them' store find moved/few --checkpoint checkpoint.before --step 1
refused 2 'nothing to look in' store find --step 1
refused 2 'is a tokenizer' store find --checkpoint tokenizer --step 1
echo "each step's rows are told, and agree with lineage"
