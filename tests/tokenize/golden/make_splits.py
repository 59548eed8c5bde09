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

# Sets, on every code point: what is kept, as a count of pieces and a hash of where they begin and end.
SETS = [r"\w+", r"\W+", r"[\w]+", r"[\W]+", r"[^\w]+", r"\h+", r"\H+", r"[\h]+", r"[\H]+", r"(?i:\w+)", r"(?i:[\W]+)", r"(?i:[\H]+)",
        r"[[:word:]]+", r"[[:^word:]]+", r"[[:digit:]]+", r"[[:^digit:]]+", r"[[:punct:]]+", r"[[:^punct:]]+", r"[[:space:]]+",
        r"[[:^space:]]+", r"[[:cntrl:]]+", r"[[:^cntrl:]]+", r"[[:xdigit:]]+", r"[[:^xdigit:]]+", r"(?i:[[:^xdigit:]]+)",
        r"(?i:[[:punct:]]+)", r"(?i:[[:^punct:]]+)", r"\b"]
MORE = [r"\b", r"\B", r"\bx+|\w-\b", r"[\w-]+", r"[\W_b]", r"(?i:\bX+\b)", r"\h+|[^\H1-3]", r"[[:punct:]\s]+", r"(?<=\w)\W"]
MORE_TEXTS = ["x-xx--xxx a_b", "a\u00b2 \u00bd-\u24d0b \u0301 _1", "", "--"]


def code_points(pattern):
    """The texts are blocks of 4096 code points in order, zero and surrogates left out."""
    behavior = "isolated" if pattern == r"\b" else "removed"
    split = Split(Regex(pattern), behavior, invert=behavior == "removed")
    mix, pieces = 0, 0
    for block in range(0, 0x110000, 4096):
        text = "".join(chr(c) for c in range(block, block + 4096) if c and not 0xD800 <= c < 0xE000)
        at = [0]
        for c in text:
            at.append(at[-1] + len(c.encode()))
        for _, (a, b) in split.pre_tokenize_str(text) if text else []:
            for end in (at[a], at[b]):
                mix = (mix ^ end) * 16777619 % 2**32
            pieces += 1
    return json.dumps({"pattern": pattern, "behavior": behavior.capitalize(), "pieces": pieces, "mix": mix})


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
        for p in MORE:
            for t in MORE_TEXTS:
                print(case([[p, "Isolated", False]], t), file=out)


def write_sets():
    with open(os.path.join(os.path.dirname(__file__), "sets.jsonl"), "w") as out:
        for p in SETS:
            print(code_points(p), file=out)


main()
write_sets()
