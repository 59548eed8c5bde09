"""Compares ids with PyPI's tokenizers and tiktoken: every vocabulary of ../shared/tokenizers on every text of ../shared/corpora and on
the files given; the peers take a second a MB and vocabulary. By hand:

    TUNDISH=build/release/tundish python tests/tokenize/peer_ids.py [--bytes N] [--only NAME] [FILE...]

--bytes: so much of each text. Prints a line a pair; exit 1 if any differs. tiktoken gets its ranks as files.
"""
import argparse
import base64
import bz2
import gzip
import os
import subprocess
import sys
import tarfile
import tempfile
import time

import tiktoken
from tokenizers import Tokenizer

from peer_patterns import PATTERNS

SOURCE = os.environ.get("TUNDISH_SOURCE", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
SHARED = os.path.join(SOURCE, "..", "shared")

def texts(files):
    """Name and text of each: the corpora, then the files."""
    root = os.path.join(SHARED, "corpora")
    for folder, _, names in sorted(os.walk(root)):
        for name in sorted(names):
            path = os.path.join(folder, name)
            if name.endswith(".tar.gz"):
                with tarfile.open(path) as t:
                    data = b"".join(t.extractfile(m).read() for m in t if m.isfile())
            else:
                opener = {"gz": gzip.open, "bz2": bz2.open}.get(name.rsplit(".", 1)[-1], open)
                with opener(path, "rb") as f:
                    data = f.read()
            yield os.path.relpath(path, root), data.decode("utf-8", "replace")
    for path in files:
        with open(path, "rb") as f:
            yield os.path.basename(path), f.read().decode("utf-8", "replace")


def vocabularies(scratch):
    """Name, file for tundish, and what gives a text's ids there."""
    folder = os.path.join(SHARED, "tokenizers")
    for name in sorted(os.listdir(folder)):
        path = os.path.join(scratch, name[:-3])
        if not name.endswith((".tokenizer.json.gz", ".tiktoken.gz")):
            continue
        with gzip.open(os.path.join(folder, name)) as f, open(path, "wb") as out:
            out.write(f.read())
        if path.endswith(".tiktoken"):
            stem = os.path.basename(path)[:-len(".tiktoken")]
            with open(path, "rb") as f:
                ranks = {base64.b64decode(t): int(r) for t, r in (line.split() for line in f if line.strip())}
            peer = tiktoken.Encoding(stem, pat_str=PATTERNS[stem], mergeable_ranks=ranks, special_tokens={})
            yield os.path.basename(path), path, peer.encode_ordinary
        else:
            peer = Tokenizer.from_file(path)
            peer.encode_special_tokens = True
            yield os.path.basename(path), path, lambda text, peer=peer: peer.encode(text, add_special_tokens=False).ids


def ours(tokenizer, path):
    r = subprocess.run([os.environ["TUNDISH"], "tokenizer", "encode", "--read", "text", "--tokenizer", tokenizer, path],
                       capture_output=True, text=True)
    if r.returncode:
        return r.stderr.strip()
    return [int(x) for x in r.stdout.split()]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bytes", type=int, default=1 << 40)
    parser.add_argument("--only", default="")
    parser.add_argument("files", nargs="*")
    o = parser.parse_args()
    faults = 0
    with tempfile.TemporaryDirectory() as scratch:
        inputs = []
        for i, (name, text) in enumerate(texts(o.files)):
            text = text.encode()[:o.bytes].decode("utf-8", "ignore")
            path = os.path.join(scratch, f"{i}.text")
            with open(path, "w", encoding="utf-8", newline="") as f:
                f.write(text)
            inputs.append((name, path, text))
        for vocabulary, file, peer in vocabularies(scratch):
            if o.only not in vocabulary:
                continue
            begin, same, tokens, different = time.time(), 0, 0, []
            for name, path, text in inputs:
                want, got = peer(text), ours(file, path)
                tokens += len(want)
                if want == got:
                    same += 1
                    continue
                at = next((i for i, (a, b) in enumerate(zip(want, got)) if a != b), min(len(want), len(got)))
                different.append(got if isinstance(got, str) else f"{name}: at {at} of {len(want)}: {want[at:at + 8]}, ours {got[at:at + 8]}")
            print(f"{vocabulary}: {same} of {len(inputs)} texts equal, {tokens} tokens, {time.time() - begin:.0f} s", flush=True)
            for line in list(dict.fromkeys(different))[:8]:
                print("   ", line)
            faults += len(different)
    sys.exit(1 if faults else 0)


main()
