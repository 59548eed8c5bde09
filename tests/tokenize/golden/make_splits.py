"""Writes splits.jsonl: what Hugging Face's tokenizers (0.23.3) makes of chains of Split, one case a line:
{"rules": [[pattern, behavior, invert], ...], "text": ..., "pieces": [[from, to], ...]}, offsets in bytes."""
import json
import os
import random

from tokenizers import Regex
from tokenizers.pre_tokenizers import Sequence, Split

BEHAVIORS = {"Isolated": "isolated", "Removed": "removed", "MergedWithPrevious": "merged_with_previous",
             "MergedWithNext": "merged_with_next", "Contiguous": "contiguous"}
PATTERNS = ["-", "-+", r"\s", r"\s+", r"[a-z]+", r"(?=-)", r"x*", r"\p{N}{1,3}", r"[一-龥]+", r"(?<=a)", r"$|-"]
TEXTS = ["The-final--countdown", "--", "a---", "a b  c", "x-xx--xxx", "12345-6 78",
         "中文-abc 漢字", "aa\n-\n"]


def case(rules, text):
    chain = Sequence([Split(Regex(p), BEHAVIORS[b], invert=i) for p, b, i in rules])
    at = [0]
    for c in text:
        at.append(at[-1] + len(c.encode()))
    pieces = [[at[a], at[b]] for _, (a, b) in chain.pre_tokenize_str(text)] if text else []
    return json.dumps({"rules": rules, "text": text, "pieces": pieces}, ensure_ascii=False)


def main():
    rng = random.Random(1)
    with open(os.path.join(os.path.dirname(__file__), "splits.jsonl"), "w") as out:
        for b in BEHAVIORS:
            for invert in (False, True):
                for p in PATTERNS:
                    for t in TEXTS:
                        print(case([[p, b, invert]], t), file=out)
        for _ in range(200):
            rules = [[rng.choice(PATTERNS), rng.choice(list(BEHAVIORS)), rng.random() < 0.3]
                     for _ in range(rng.randint(2, 3))]
            text = "".join(rng.choice("ab-x 1\n中é") for _ in range(rng.randint(1, 20)))
            print(case(rules, text), file=out)


main()
