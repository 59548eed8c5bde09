"""Measures encoding beside PyPI's gigatoken, tiktoken and tokenizers, one thread, turn by turn on the same text. By hand:

    TUNDISH=build/release/tundish taskset -c 1 python tests/tokenize/peer_speed.py [--rounds N] [--bytes N] FOLDER TEXT...

FOLDER holds NAME.tokenizer.json and NAME.tiktoken files. One line a vocabulary and text: the best MB/s of each. Cold: a new encoder (for the
peer a new tokenizer object), its file loaded; warm: the same text again. tiktoken and tokenizers get the first 4 MB and 1 MB of the text, as
they are slow and their speed does not depend on it. Peers that are not installed are left out.
"""
import argparse
import glob
import json
import os
import subprocess
import time


def installed(name):
    try:
        return __import__(name)
    except ImportError:
        return None


gigatoken, tiktoken, tokenizers = installed("gigatoken"), installed("tiktoken"), installed("tokenizers")


def rate(work, text):
    begin = time.perf_counter()
    work(text)
    return len(text.encode()) / 1e6 / (time.perf_counter() - begin)


def ours(tokenizer, path, case):
    r = subprocess.run([os.environ["TUNDISH"], "bench", "tokenize", case, "--in", path, "--tokenizer", tokenizer, "--quiet"],
                       capture_output=True, text=True, check=True)
    return json.loads(r.stdout)["value"]


def tiktoken_of(path):
    from tiktoken.load import load_tiktoken_bpe
    from peer_patterns import PATTERNS
    stem = os.path.basename(path)[:-len(".tiktoken")]
    return tiktoken.Encoding(stem, pat_str=PATTERNS[stem], mergeable_ranks=load_tiktoken_bpe(path), special_tokens={})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bytes", type=int, default=20_000_000)
    parser.add_argument("--only", default="")
    parser.add_argument("folder")
    parser.add_argument("texts", nargs="+")
    o = parser.parse_args()
    files = [f for f in sorted(glob.glob(os.path.join(o.folder, "*.tokenizer.json")) + glob.glob(os.path.join(o.folder, "*.tiktoken")))
             if o.only in f]
    for file in files:
        is_ranks = file.endswith(".tiktoken")
        slow = tiktoken_of(file).encode_ordinary if is_ranks and tiktoken else None
        if not is_ranks and tokenizers:
            t = tokenizers.Tokenizer.from_file(file)
            slow = lambda text, t=t: t.encode(text, add_special_tokens=False)
        for path in o.texts:
            with open(path, encoding="utf-8", errors="ignore", newline="") as f:
                text = f.read().encode()[:o.bytes].decode("utf-8", "ignore")
            short = text.encode()[:4_000_000 if is_ranks else 1_000_000].decode("utf-8", "ignore")
            best = {}
            for _ in range(o.rounds):
                found = {"cold": ours(file, path, "encode cold"), "warm": ours(file, path, "encode warm")}
                if gigatoken:
                    try:
                        peer = gigatoken.Tokenizer.from_tiktoken(file) if is_ranks else gigatoken.Tokenizer(file)
                        found["gigatoken cold"] = rate(peer.encode, text)
                        found["gigatoken warm"] = rate(peer.encode, text)
                    except Exception as e:
                        best["gigatoken"] = f"cannot: {e}"
                if slow:
                    found["tiktoken" if is_ranks else "tokenizers"] = rate(slow, short)
                for k, v in found.items():
                    best[k] = max(best.get(k, 0), v)
            print(f"{os.path.basename(file):28} {os.path.basename(path):12} " +
                  "  ".join(f"{k} {v:.1f}" if isinstance(v, float) else f"{k} {v}" for k, v in best.items()), flush=True)


main()
