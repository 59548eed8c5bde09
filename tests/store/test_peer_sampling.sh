#!/usr/bin/env bash
# The order of samples against one that was written anew, in Python, from FORMATS.md: blends with caps that run out, phases that change
# length, batch and mixture, both packings.
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
set -eu
. "$TUNDISH_SOURCE/tests/train/small_model.sh"
make_store
mkdir few
head -n 7 corpus/part-00000.jsonl >few/part-00000.jsonl
run 0 tokenize --corpus few --tokenizer tokenizer --out few-tokens --validation 0
run 0 store blend tokens few-tokens --weight 3 --weight 1 --out blend
run 0 store blend few-tokens tokens --weight 0.999 --weight 0.001 --epochs 1.5 --epochs 0 --out capped
for store in tokens few-tokens; do
    run 0 store cat "$store"
    mv out "$store.jsonl"
done
phases='[{step: 5, context: 64, batch-tokens: 512}, {step: 8, store: capped}, {step: 15, context: 32, batch-tokens: 192, store: few-tokens}]'

shape=${shape#--store tokens}
for packing in concat best-fit; do
    run 0 train $shape --store blend --steps 24 --seed 5 --packing $packing --pack-window 9 --out checkpoint --phases "$phases"
    for step in 1 5 6 9 13 16 24; do
        run 0 store find --checkpoint checkpoint --step "$step"
        awk -F '\t' -v OFS='\t' -v step="$step" '{ sub(/.*\//, "", $2); print step, $1, $2, $3, $7, $8, $9 }' out >>told
    done
    python3 - "$packing" >setting.json <<'PY'
import json, sys
stores = {}
for name in ("tokens", "few-tokens"):
    stores[name] = {"digest": json.load(open(name + "/manifest.json"))["digest"],
                    "lengths": [len(json.loads(line)["tokens"]) for line in open(name + ".jsonl")]}
blend = [{"store": "tokens", "weight": 3.0, "epochs": 0}, {"store": "few-tokens", "weight": 1.0, "epochs": 0}]
capped = [{"store": "few-tokens", "weight": 0.999, "epochs": 1.5}, {"store": "tokens", "weight": 0.001, "epochs": 0}]
few = [{"store": "few-tokens", "weight": 1.0, "epochs": 0}]
print(json.dumps({"seed": 5, "packing": sys.argv[1], "window": 9, "steps": 24, "stores": stores, "phases": [
    {"step": 0, "length": 32, "rows": 8, "sources": blend}, {"step": 5, "length": 64, "rows": 8, "sources": blend},
    {"step": 8, "length": 64, "rows": 8, "sources": capped}, {"step": 15, "length": 32, "rows": 6, "sources": few}]}))
PY
    python3 "$TUNDISH_SOURCE/tests/store/peer_sampling.py" setting.json >all
    awk -F '\t' '$1 ~ /^(1|5|6|9|13|16|24)$/' all >peer
    [ "$(wc -l <peer)" -gt 50 ] || fail "the peer says little"
    cmp peer told || fail "$packing: $(diff peer told | head -8)"
    rm -r told checkpoint
done
echo "both say the same of $(wc -l <peer) pieces"
