#!/usr/bin/env python3
"""Makes the golden files of this folder with Hugging Face's tokenizers (made with 0.23.3): python3 make.py

NAME.json     a tiny tokenizer that the peer trained or was given by hand
NAME.cases    a line for each text: its bytes in hex, a tab, the ids (add_special_tokens=False, special tokens' names
              are text), a tab, the ids where special tokens' names are these tokens
Bytes that are not UTF-8 never reach the peer: each is the token of the single byte between the texts around it.
"""
import json
import os
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, trainers
from tokenizers import pre_tokenizers as pre

HERE = os.path.dirname(os.path.abspath(__file__))
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
          r"\s+(?!\S)|\s+")
CL100K = (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|"
          r"\s+(?!\S)|\s")
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")

TEXT = """The tundish stands between the ladle and the mould; it's where the melt rests. They're pouring, we've seen,
I'll say it'd hold 1234567 kg at 1550 degrees.  Don't STOP: it'S HOT!   And the the the then there.

    def pour(self, n):        # indented
\treturn self.melt[n:] + "\\r\\n"

Größe, façade, naïve, Straße; Москва и река; 東京は日本の首都です。 你好，世界！ 안녕하세요 세계. नमस्ते दुनिया. שלום עולם.
Emoji: 🙂🙂 👩‍👩‍👧 🇩🇪 ✈️ and so on and so on and so on...
""" * 3

CASES = [
    "", "a", " ", "Hello, world!", "It's we've THEY'LL i'D don't 'sS'T ' s", "'ſ he'ſ", "a  b   c    d     ", "   lead",
    "trail   ", "\n", "\r\n\r\n", " \n \n x", "\t\tx\t", "a\u00a0b\u2003c\u3000d\u0085e", "mongolian\u180evowel", "1", "12",
    "1234567890", "x1y22z333", "٣٤٥ ²³ Ⅷ", "the the  the", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "!!!???...", "a/b/c//d", "foo();\n\n\nbar", "e\u0301 \u00e9 \u0301x", "\u1100\u1161\u11a8 \uac01", "Å \u212b A\u030a",
    "ǅungla DŽ ǆ", "東京は日本の首都です。", "你好，世界！", "안녕하세요", "नमस्ते", "שלום", "🙂", "👩‍👩‍👧🇩🇪✈️", "\u200d\u200b\ufeff",
    "\x00\x01\x02\x1f\x7f", "zero\x00byte", "<|endoftext|>", "a<|endoftext|>b", " <|endoftext|> <|endoftext|>",
    "<|endoftext|", "<|endoftext|>>", "tag<tag>tag <tag> x<tag>", "under_word word wordy sword a word.", "cafe\u0301 café",
    "\U0010ffff\U00010348", "x" * 300, "ab" * 200, "".join(chr(0x4e00 + i * 7 % 500) for i in range(120)),
]


def random_cases():
    random.seed(20)
    pools = [range(32, 127), [9, 10, 13, 32, 32, 0xa0, 0x2003, 0x85], range(0xc0, 0x250), range(0x300, 0x340),
             range(0x4e00, 0x4e80), range(0x1f600, 0x1f620), range(0x1100, 0x1180), [39, 115, 116, 83, 0x17f]]
    return ["".join(chr(random.choice(random.choice(pools))) for _ in range(40)) for _ in range(25)]


BROKEN = [b"\xff", b"a\x80b", b"caf\xc3", b"\xc3\xa9\xc3(", b"\xed\xa0\x80", b"\xf0\x9f\x98", b"\xf0\x9f\x98\x80\xf0\x9f",
          b"\xc0\x80", b"\xf5\x80\x80\x80", b"x \xe2\x82 y\xfe\xff"]


def runs(data):
    """Well-formed texts and, between them, single ill-formed bytes."""
    text = ""
    for c in data.decode("utf-8", "surrogateescape"):
        if "\udc80" <= c <= "\udcff":
            if text:
                yield text
            yield bytes([ord(c) - 0xdc00])
            text = ""
        else:
            text += c
    if text:
        yield text


def byte_char(b):
    if 33 <= b <= 126 or 161 <= b <= 172 or 174 <= b <= 255:
        return chr(b)
    return chr([x for x in range(256) if not (33 <= x <= 126 or 161 <= x <= 172 or 174 <= x <= 255)].index(b) + 256)


def encode(t, data, special):
    t.encode_special_tokens = not special
    ids = []
    for run in runs(data):
        if isinstance(run, bytes):
            ids.append(t.token_to_id(byte_char(run[0])))
        else:
            ids += t.encode(run, add_special_tokens=False).ids
    return ids


def write(name, text):
    path = os.path.join(HERE, name + ".json")
    with open(path, "w") as f:
        f.write(text)
    t = Tokenizer.from_file(path)
    with open(os.path.join(HERE, name + ".cases"), "w") as f:
        for data in [c.encode() for c in CASES + random_cases()] + BROKEN:
            plain, special = (" ".join(map(str, encode(t, data, s))) for s in (False, True))
            f.write(f"{data.hex()}\t{plain}\t{special}\n")


def trained(pattern, vocab, normalizer=None):
    t = Tokenizer(models.BPE())
    if pattern == GPT2:
        t.pre_tokenizer = pre.ByteLevel(add_prefix_space=False)
    else:
        t.pre_tokenizer = pre.Sequence([pre.Split(Regex(pattern), "isolated"),
                                        pre.ByteLevel(add_prefix_space=False, use_regex=False)])
    if normalizer:
        t.normalizer = normalizer
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator([TEXT], trainers.BpeTrainer(
        vocab_size=vocab, special_tokens=["<|endoftext|>"], initial_alphabet=pre.ByteLevel.alphabet(), show_progress=False))
    return t


for name, pattern in [("gpt2", GPT2), ("llama3", LLAMA3), ("cl100k", CL100K), ("o200k", O200K)]:
    write(name, trained(pattern, 400).to_str())

# NFC, added tokens with every flag
t = trained(QWEN2, 420, normalizers.NFC())
t.add_tokens([AddedToken("<tag>", normalized=False, lstrip=True), AddedToken("word", single_word=True, normalized=True),
              AddedToken("cafe\u0301", normalized=True), AddedToken("the then", normalized=False, rstrip=True)])
write("added", t.to_str())

# a chain of cuts, ignore_merges, the older form of merges, a model without its type
t = trained(LLAMA3, 420)
t.pre_tokenizer = pre.Sequence([pre.Digits(individual_digits=True), pre.Split(Regex(r"[\u4e00-\u9fa5\u3040-\u30ff]+"), "isolated"),
                                pre.Split(Regex(LLAMA3), "removed", True), pre.Split("=", "isolated"),
                                pre.Split(Regex(r"(?=[A-Z])|\u0301*"), "isolated"),
                                pre.ByteLevel(add_prefix_space=False, use_regex=False)])
root = json.loads(t.to_str())
vocab, merges = root["model"]["vocab"], root["model"]["merges"]
vocab["\u0120degrees"] = len(vocab)          # reached only because merges are ignored for whole pieces
vocab["\u0120they"] = len(vocab) + 3         # a gap in the ids
root["model"]["ignore_merges"] = True
root["model"]["merges"] = [" ".join(m) for m in merges]
del root["model"]["type"]
write("chain", json.dumps(root))
