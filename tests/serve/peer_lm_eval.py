# lm-eval's `local-completions` against a running server: peer_lm_eval.py URL MODEL FOLDER TOOL_LOGITS, in a scratch folder. Its scores
# must be those of the plain forward pass over whole sequences, which TOOL_LOGITS prints.
import json
import math
import os
import random
import struct
import subprocess
import sys
import urllib.request

os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TQDM_DISABLE="1", HF_HOME=os.getcwd() + "/hf")
import lm_eval
from lm_eval.tasks import TaskManager

url, model, folder, tool = sys.argv[1:5]
rng = random.Random(3)
word = lambda: f"word{rng.randrange(97)}"
with open("questions.jsonl", "w") as f:
    for _ in range(12):
        line = {"question": " ".join(word() for _ in range(rng.randrange(3, 9))),
                "choices": [word(), word() + " " + word(), word() + "."], "answer": rng.randrange(3)}
        f.write(json.dumps(line) + "\n")
with open("small.yaml", "w") as f:
    f.write("task: small\ndataset_path: json\ndataset_kwargs: {data_files: {test: questions.jsonl}}\ntest_split: test\n"
            "output_type: multiple_choice\ndoc_to_text: '{{question}}'\ndoc_to_choice: '{{choices}}'\ndoc_to_target: '{{answer}}'\n"
            "metric_list: [{metric: acc}, {metric: acc_norm}]\n")

result = lm_eval.simple_evaluate(
    model="local-completions",
    model_args={"model": model, "base_url": url + "/v1/completions", "tokenizer_backend": "remote", "max_length": 128, "batch_size": 4},
    tasks=["small"], task_manager=TaskManager(include_path=os.getcwd(), include_defaults=False), bootstrap_iters=0, log_samples=True)


def ids(text):
    body = json.dumps({"prompt": text, "add_special_tokens": False}).encode()
    request = urllib.request.Request(url + "/tokenize", body, {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))["tokens"]


def score(context, continuation):
    whole, start = ids(context + continuation), len(ids(context))
    raw = subprocess.run([tool, folder] + [str(i) for i in whole], check=True, capture_output=True).stdout
    vocab = len(raw) // 4 // len(whole)
    rows = [struct.unpack_from(f"<{vocab}f", raw, 4 * vocab * i) for i in range(len(whole))]
    total, greedy = 0.0, True
    for i in range(start, len(whole)):
        row = rows[i - 1]
        top = max(row)
        total += row[whole[i]] - top - math.log(sum(math.exp(x - top) for x in row))
        greedy = greedy and row[whole[i]] == top
    return total, greedy


compared, right = 0, 0
for sample in result["samples"]["small"]:
    likely = []
    for choice, (seen, greedy) in zip(sample["doc"]["choices"], sample["filtered_resps"]):
        want, want_greedy = score(sample["doc"]["question"], " " + choice)
        assert abs(float(seen) - want) < 1e-3, (sample["doc"], choice, seen, want)
        assert str(greedy) == str(want_greedy), (sample["doc"], choice, greedy)
        likely.append(want)
        compared += 1
    right += likely.index(max(likely)) == sample["doc"]["answer"]
assert compared == 36
assert abs(result["results"]["small"]["acc,none"] - right / 12) < 1e-9, (result["results"], right)
print(f"lm-eval {lm_eval.__version__}: {compared} log-likelihoods as the forward pass gives them, accuracy {right}/12")
