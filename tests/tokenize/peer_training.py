"""Measures training beside PyPI's rustbpe, gigatoken and tokenizers on the same text, turn by turn, with the threads the machine has. By hand:

    TUNDISH=build/release/tundish python tests/tokenize/peer_training.py [--rounds N] [--vocab N] [--without NAME] TEXT...

Seconds of each, the best of the rounds; ours is the whole command (start, reading, writing, without the report), the peers' are training alone, the
text being in memory (gigatoken reads it). The pattern is llama3's for ours and tokenizers, which train the same merges; the others have their own ways to cut and to break
ties. Peers that are not installed are left out.
"""
import argparse
import os
import subprocess
import tempfile
import time

from peer_patterns import LLAMA3


def ours(path, vocab):
    with tempfile.TemporaryDirectory() as scratch:
        begin = time.perf_counter()
        subprocess.run([os.environ["TUNDISH"], "tokenizer", "train", path, "--out", os.path.join(scratch, "t"), "--vocab", str(vocab),
                        "--no-report", "--quiet"], check=True)
        return time.perf_counter() - begin


def timed(work):
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def rustbpe(text, vocab):
    import rustbpe
    parts = text.split("\n\n")
    return timed(lambda: rustbpe.Tokenizer().train_from_iterator(iter(parts), vocab))


def gigatoken(path, vocab):
    import gigatoken
    return timed(lambda: gigatoken.train_bpe(path, vocab, ["<|endoftext|>"]))


def tokenizers(text, vocab):
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), "isolated"),
                                               pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    trainer = trainers.BpeTrainer(vocab_size=vocab, special_tokens=["<|endoftext|>"], show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    return timed(lambda: t.train_from_iterator([text], trainer))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--vocab", type=int, default=32768)
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("texts", nargs="+")
    o = parser.parse_args()
    for path in o.texts:
        with open(path, encoding="utf-8", errors="ignore", newline="") as f:
            text = f.read()
        best, said = {}, {}
        for _ in range(o.rounds):
            for work in (ours, rustbpe, gigatoken, tokenizers):
                name = work.__name__
                if name in o.without or name in said:
                    continue
                try:
                    seconds = work(path if work in (ours, gigatoken) else text, o.vocab)
                    best[name] = min(best.get(name, 1e9), seconds)
                except ImportError:
                    said[name] = "not installed"
                except Exception as e:
                    said[name] = str(e)[:100]
        print(f"{os.path.basename(path):14} {len(text.encode()) / 1e6:.0f} MB to {o.vocab}:  " +
              "  ".join([f"{k} {v:.2f} s" for k, v in best.items()] + [f"{k}: {v}" for k, v in said.items()]), flush=True)


main()
