"""Compares the places of ids in the text (tokenizer encode --offsets, bytes) with Hugging Face's offsets (characters); run by
test_peer_offsets.sh in a scratch folder.

A byte range is theirs when it is widened to whole characters. Two things are different by nature, and are checked for what they are:
where NFC composed or reordered, the peer names one of the characters and we all of the changed part; so there our range holds theirs.
"""
import glob
import gzip
import json
import os
import random
import shutil
import subprocess
import sys
import unicodedata

from tokenizers import Tokenizer

SOURCE = os.environ["TUNDISH_SOURCE"]
SHARED = os.path.join(SOURCE, "..", "shared")
faults = []


def tundish(*args):
    r = subprocess.run([os.environ["TUNDISH"], "--quiet", *args], capture_output=True, text=True)
    if r.returncode:
        sys.exit(f"tundish {' '.join(args)}: {r.stderr}")
    return r.stdout


def characters_of_bytes(text):
    """For each byte of the text the character it belongs to, and the number of characters."""
    of = []
    for i, c in enumerate(text):
        of += [i] * len(c.encode())
    return of + [len(text)]


def compare(what, tokenizer, path, special):
    text = open(path, newline="", encoding="utf-8").read()
    t = Tokenizer.from_file(tokenizer)
    t.encode_special_tokens = not special
    want = t.encode(text, add_special_tokens=False)
    seen = json.loads(tundish("tokenizer", "encode", "--read", "text", "--json", "--offsets", "--threads", "2", "--tokenizer",
                              tokenizer, path, *(["--special"] * special)))
    of = characters_of_bytes(text)
    nfc = (json.load(open(tokenizer)).get("normalizer") or {}).get("type") == "NFC"
    wrong = [] if seen["ids"] == want.ids else ["other ids"]
    exact = wider = 0
    for (start, end), theirs in zip(seen["offsets"], want.offsets):
        ours = (of[start], of[end - 1] + 1)
        if ours == theirs:
            exact += 1
        elif nfc and not unicodedata.is_normalized("NFC", text[ours[0]:ours[1]]) and ours[0] <= theirs[0] and theirs[1] <= ours[1]:
            wider += 1
        else:
            wrong.append(f"{ours} {theirs} {text[ours[0]:ours[1]]!r}")
    print(f"offsets {what}{', special tokens read' if special else ''}: {exact} equal, {wider} wider, {len(wrong)} DIFFERENT"
          if wrong else f"offsets {what}{', special tokens read' if special else ''}: {exact} equal, {wider} wider")
    if wrong:
        print("   ", "\n    ".join(wrong[:5]))
        faults.append(what)


def make_text(path, parts, count):
    with open(path, "w", newline="", encoding="utf-8") as f:
        for _ in range(count):
            f.write(random.choice(parts))


random.seed(4)
PARTS = ["the", " the", "the then", " then", "word", " word", "<tag>", "  <tag>", "<|endoftext|>", "cafe\u0301", "caf\u00e9", " x", "e", "\u0301",
         "\u0327\u0301", " ", "  ", "\n", "\n\n", "\u00a0", "1", "12345", "'s", ".", "\u6771\u4eac", "\u3002\n", "\U0001f642", "\u1100\u1161",
         "a b", "Tundish", "\u212b", "\ufb01", "<tool_call>", "<|im_start|>", "<|eot_id|>", "\u0928\u092e\u0938\u094d\u0924\u0947"]
make_text("parts.txt", PARTS, 3000)
make_text("long.txt", [p for p in PARTS if "\u0301" not in p] + [" melt", " pours"] * 20, 110000)
for name in ("gpt2", "llama3", "cl100k", "o200k", "chain", "added"):
    path = os.path.join(SOURCE, "tests", "tokenize", "golden", name + ".json")
    for special in (False, True):
        compare(name, path, "parts.txt", special)
compare("llama3, a long text", os.path.join(SOURCE, "tests", "tokenize", "golden", "llama3.json"), "long.txt", False)
for name in ("gpt2", "llama3", "qwen2_5", "gpt4o", "deepseek_v3"):
    packed = os.path.join(SHARED, "tokenizers", name + ".tokenizer.json.gz")
    if os.path.exists(packed):
        with gzip.open(packed) as f, open(name + ".json", "wb") as out:
            shutil.copyfileobj(f, out)
        compare("real " + name, name + ".json", "parts.txt", True)
        for path in glob.glob(os.path.join(SHARED, "corpora", "general", "tiny*.txt")) if name in ("gpt2", "qwen2_5") else []:
            compare(f"real {name} {os.path.basename(path)}", name + ".json", path, False)
if faults:
    sys.exit(f"different from the peer: {', '.join(faults)}")
