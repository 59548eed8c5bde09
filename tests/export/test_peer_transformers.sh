#!/usr/bin/env bash
# PyPI's transformers loads an exported folder: the same ids and, within 1e-4, the same logits on real text; f32 and bf16 folders.
# The Python that has it: $TUNDISH_PEERS_PYTHON, else python3.
set -eu
python=${TUNDISH_PEERS_PYTHON:-python3}
"$python" -c 'import torch, transformers' 2>/dev/null || { echo "skipped: no Python with torch and transformers (set TUNDISH_PEERS_PYTHON)"; exit 77; }
. "$TUNDISH_SOURCE/tests/e2e/documents.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
t() { "$TUNDISH" "$@" >log 2>&1 || { echo "$*:"; cat log; exit 1; }; }
make_documents docs
t curate --in docs --out corpus --steps '[{dedup: {method: exact}}]'
t tokenizer train --corpus corpus --out tokenizer --vocab 512
t tokenize --corpus corpus --tokenizer tokenizer --out tokens --validation 0.2
t train --store tokens --out checkpoint --steps 8 --context 64 --batch-tokens 512 --unit-tokens 256 --model.width 64 --model.layers 3 \
    --model.heads 4 --model.kv-heads 2 --model.head-width 24 --model.ff 100 --lr 3e-3
t export --checkpoint checkpoint --out model
t export --checkpoint checkpoint --out model16 --dtype bf16
t train --store tokens --out untied --steps 2 --context 64 --batch-tokens 512 --unit-tokens 256 --model.width 32 --model.layers 1 --model.heads 2 \
    --model.ff 64 --no-model.tied
t export --checkpoint untied --out model-untied

head -c 3000 "$TUNDISH_SOURCE/DESIGN.md" >text
"$TUNDISH" tokenizer encode --tokenizer model --in text >ids 2>log || { cat log; exit 1; }
tool=$(dirname "$TUNDISH")/tests/tool_logits
for folder in model model16 model-untied; do
    "$tool" $folder $(tr '\n' ' ' <ids | cut -d' ' -f1-60) >$folder.f32
done
"$python" - <<'P'
import numpy, torch, transformers
ids = [int(x) for x in open("ids").read().split()]
for folder in ["model", "model16", "model-untied"]:
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    theirs = tokenizer(open("text", encoding="utf-8").read(), add_special_tokens=False)["input_ids"]
    assert theirs == ids, (folder, "ids differ", theirs[:20], ids[:20])
    assert tokenizer.decode(theirs, clean_up_tokenization_spaces=False) == open("text", encoding="utf-8").read()
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad():
        want = model(torch.tensor([ids[:60]])).logits[0].numpy()
    ours = numpy.fromfile(folder + ".f32", dtype=numpy.float32).reshape(want.shape)
    worst = float(abs(ours - want).max() / abs(want).max())
    print(f"{folder}: {want.shape[0]} tokens, largest difference {worst:.2e} of the largest logit (transformers {transformers.__version__})")
    assert worst < 1e-4, worst
P
