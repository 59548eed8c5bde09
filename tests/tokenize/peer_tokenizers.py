"""Compares the program ($TUNDISH) with Hugging Face's tokenizers; run by test_peer_tokenizers.sh in a scratch folder."""
import base64
import glob
import gzip
import json
import os
import random
import shutil
import subprocess
import sys

from tokenizers import Regex, Tokenizer, models, trainers
from tokenizers import pre_tokenizers as pre

try:
    import tiktoken
except ImportError:
    tiktoken = None

SOURCE = os.environ["TUNDISH_SOURCE"]
SHARED = os.path.join(SOURCE, "..", "shared")
faults = []


def tundish(*args):
    r = subprocess.run([os.environ["TUNDISH"], *args], capture_output=True, text=True)
    if r.returncode:
        sys.exit(f"tundish {' '.join(args)}: {r.stderr}")
    return r.stdout


def read(path):
    with open(path, newline="", encoding="utf-8") as f:
        return f.read()


def peer_trained(ours, text, vocab, **kw):
    """The peer's training with the pre_tokenizer of our file."""
    t = Tokenizer(models.BPE())
    p = json.load(open(ours))["pre_tokenizer"]
    if p["type"] == "ByteLevel":
        t.pre_tokenizer = pre.ByteLevel(add_prefix_space=False)
    else:
        t.pre_tokenizer = pre.Sequence([pre.Split(Regex(s["pattern"]["Regex"]), "isolated") for s in p["pretokenizers"][:-1]] +
                                       [pre.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.train_from_iterator([text], trainers.BpeTrainer(
        vocab_size=vocab, special_tokens=["<|endoftext|>"], initial_alphabet=pre.ByteLevel.alphabet(),
        show_progress=False, **kw))
    return json.loads(t.to_str())["model"]


def compare_training(what, path, vocab, pattern, options=(), **kw):
    shutil.rmtree("made", ignore_errors=True)
    tundish("tokenizer", "train", path, "--out", "made", "--vocab", str(vocab), "--pattern", pattern, *options)
    ours, theirs = json.load(open("made/tokenizer.json"))["model"], peer_trained("made/tokenizer.json", read(path), vocab, **kw)
    same = [tuple(m) for m in ours["merges"]] == [tuple(m) for m in theirs["merges"]] and ours["vocab"] == theirs["vocab"]
    print(f"train  {what}: {len(ours['merges'])} merges, {'equal' if same else 'DIFFERENT'}")
    if not same:
        faults.append(what)


def compare_continued(path):
    """A vocabulary trained to 600, then on to 1500: what is trained to 1500 at once."""
    tundish("tokenizer", "train", path, "--out", "part", "--vocab", "600", "--pattern", "cl100k")
    shutil.rmtree("made", ignore_errors=True)
    tundish("tokenizer", "train", path, "--out", "made", "--vocab", "1500", "--from", "part")
    ours, theirs = json.load(open("made/tokenizer.json"))["model"], peer_trained("made/tokenizer.json", read(path), 1500)
    same = ours["merges"] == [list(m) for m in theirs["merges"]] and ours["vocab"] == theirs["vocab"]
    print(f"train  {path} from 600 tokens on: {len(ours['merges'])} merges, {'equal' if same else 'DIFFERENT'}")
    if not same:
        faults.append(f"{path} continued")


def compare_ids(what, tokenizer, path):
    t = Tokenizer.from_file(tokenizer)
    for special in (False, True):
        t.encode_special_tokens = not special
        ours = tundish("tokenizer", "encode", "--read", "text", "--tokenizer", tokenizer, path, *(["--special"] * special))
        same = [int(x) for x in ours.split()] == t.encode(read(path), add_special_tokens=False).ids
        print(f"encode {what}, special tokens {'read' if special else 'as text'}: {'equal' if same else 'DIFFERENT'}")
        if not same:
            faults.append(what)


def make_texts():
    random.seed(11)
    pools = [range(32, 127), [9, 10, 13, 32, 32, 32, 0xa0, 0x180e, 0x2003, 0x3000, 0x85, 0x200b], range(0xc0, 0x250),
             range(0x300, 0x370), range(0x4e00, 0x4f00), range(0x1f600, 0x1f640), [*range(0xac00, 0xad00), *range(0x1100, 0x1200)],
             range(0x600, 0x700), range(0x900, 0x980), [0x2b0, 0x17f, 0x1c5, 0xb2, 0x2160, 0x660, 0xfe0f, 0x200d, 0x1f1e6],
             range(0, 32), [39, 39, 115, 116, 114, 101, 118, 109, 108, 100, 83, 84]]
    words = ["".join(chr(random.choice(random.choice(pools[:4]))) for _ in range(random.randint(1, 9))) for _ in range(900)]
    with open("mixed.txt", "w", newline="") as f:
        for _ in range(20000):
            p = random.choice(pools)
            f.write("".join(chr(random.choice(p)) for _ in range(random.choice([1, 1, 2, 3, 6]))))
            if random.random() < 0.002:
                f.write(random.choice(["<|endoftext|>", "<|im_start|>", " <|eot_id|> ", "<｜fim▁hole｜>", "<tool_call>"]))
    with open("words.txt", "w", newline="") as f:
        for _ in range(30000):
            f.write(random.choice(words[:1 + int(900 * random.random() ** 3)]) + random.choice(["", " ", " ", "\n", "'s ", "  "]))
    with open("few.txt", "w", newline="") as f:
        f.write(" ".join("".join(random.choice("ab") for _ in range(random.randint(1, 40))) for _ in range(300)))


def compare_own_patterns():
    """Trained without end, each piece of the text becomes one token, so that equal ids are equal pieces."""
    random.seed(12)
    letters = "aabbcdAB  \n\n\t\r19\u00e9\u0301\u4e2d\u3005\u3001\u180e\u0085\u212a\u00df\u017f.'$^"
    with open("own.txt", "w", newline="") as f:
        f.write("".join(random.choice(letters) for _ in range(6000)))
    for pattern in (r"(?=[A-Z])|\s", r"^a|b$", r"[^\S\n]+|\p{Han}+|\u3005", r"b*", r"(?i:abk)d?|(?i:s)", r".{2,3}?", r"(?<=a)b|(?<!c)d",
                    r"\p{Lu}\p{Ll}*+|\p{M}+", r"\s++$", r"(a|b)+?c", r"a{2}|b{1,}", r"(?>a+)b|\p{^L}", r"\A.|.\z|[\x{e9}-\x{4e2d}]",
                    r"\d+|\D", r"[.'$^\-]+", r"\p{Alphabetic}+|\p{White_Space}", r"\w+|\W", r"\b", r"\B", r"\h+|[\W_]|[^\w-]",
                    r"[[:punct:]]+|[[:^word:]]|[x[:cntrl:]-]", r"(?i:\w+|[\W])"):
        compare_training(f"own.txt {pattern}", "own.txt", 20000, pattern)
        compare_ids(f"own.txt {pattern}", "made/tokenizer.json", "own.txt")


make_texts()
compare_own_patterns()
for pattern in ("gpt2", "cl100k", "llama3", "qwen2", "o200k"):
    compare_training(f"words.txt {pattern}", "words.txt", 2000, pattern)
    compare_ids(f"mixed.txt {pattern}", "made/tokenizer.json", "mixed.txt")
compare_training("few.txt", "few.txt", 700, "gpt2")
compare_training("few.txt at least 3 times", "few.txt", 700, "gpt2", ["--min-frequency", "3"], min_frequency=3)
compare_training("few.txt in little memory", "few.txt", 700, "gpt2", ["--no-report", "--memory", "60M"])
compare_training("few.txt digits by one", "few.txt", 700, "gpt2", ["--digits", "1"])
with open("scripts.txt", "w", newline="") as f:
    f.write(" ".join("".join(random.choice("aé\u0301жЩ東京タワーひらーがな한글ก١٢12.・、") for _ in range(random.randint(1, 9))) for _ in range(4000)))
compare_training("scripts.txt cut by script", "scripts.txt", 3000, "llama3", ["--scripts"])
compare_ids("scripts.txt", "made/tokenizer.json", "scripts.txt")
compare_training("mixed.txt cut by script", "mixed.txt", 2000, "llama3", ["--scripts", "--digits", "any"])
compare_continued("words.txt")
compare_training("few.txt at most 4 bytes", "few.txt", 700, "gpt2", ["--max-token-length", "4"], max_token_length=5)
for path in sorted(glob.glob(os.path.join(SHARED, "corpora", "general", "*.txt"))):
    for vocab in (4096, 8192):
        compare_training(f"{os.path.basename(path)} to {vocab}", path, vocab, "llama3")
    compare_ids(os.path.basename(path), "made/tokenizer.json", path)
for name in ("gpt2", "llama2", "llama3", "qwen2_5", "gpt4o", "deepseek_v3"):
    packed = os.path.join(SHARED, "tokenizers", name + ".tokenizer.json.gz")
    if os.path.exists(packed):
        with gzip.open(packed) as f, open(name + ".json", "wb") as out:
            shutil.copyfileobj(f, out)
        compare_ids(f"mixed.txt {name}", name + ".json", "mixed.txt")


def compare_tiktoken(name, pattern, path):
    """The same ranks, which the peer is given as a file."""
    packed = os.path.join(SHARED, "tokenizers", name + ".tiktoken.gz")
    if tiktoken is None or not os.path.exists(packed):
        return
    with gzip.open(packed) as f:
        data = f.read()
    with open(name + ".tiktoken", "wb") as f:
        f.write(data)
    ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in data.splitlines())}
    peer = tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    ours = tundish("tokenizer", "encode", "--read", "text", "--tokenizer", name + ".tiktoken", path)
    same = [int(x) for x in ours.split()] == peer.encode_ordinary(read(path))
    print(f"encode {path} {name} as tiktoken: {'equal' if same else 'DIFFERENT'}")
    if not same:
        faults.append(name)


R50K = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
CL100K = (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|"
          r"\s+(?!\S)|\s")
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
for name, pattern in (("r50k_base", R50K), ("cl100k_base", CL100K), ("o200k_base", O200K)):
    compare_tiktoken(name, pattern, "mixed.txt")
if faults:
    sys.exit(f"different from the peer: {', '.join(faults)}")
