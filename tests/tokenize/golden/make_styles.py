#!/usr/bin/env python3
"""Makes styles.jsonl with Hugging Face's tokenizers (made with 0.23.3): python3 make_styles.py

One JSON value a line. {"base": NAME, "file": {...}} is a tokenizer.json. {"style": NAME, "base": NAME, "set": {...}} is that file with
members replaced ("model" member by member); then, until the next style, its cases: [text, ids, ids where special tokens' names are these tokens,
what the ids decode to, null where the peer panics]. "around": what add_special_tokens=True puts before and behind.
"""
import json
import os

from tokenizers import Tokenizer, models, trainers
from tokenizers import pre_tokenizers as pre

HERE = os.path.dirname(os.path.abspath(__file__))
MARK = "\u2581"
TEXT = """The tundish stands between the ladle and the mould; it's where the melt rests. They're pouring, we've seen,
I'll say it'd hold 1234567 kg at 1550 degrees.  Don't STOP: it'S HOT!   And the the the then there.

    def pour(self, n):        # indented
Gr\u00f6\u00dfe, fa\u00e7ade, na\u00efve; \u041c\u043e\u0441\u043a\u0432\u0430; \u6771\u4eac\u306f\u65e5\u672c\u306e\u9996\u90fd\u3067\u3059\u3002 \uc548\ub155
"""
CASES = [
    "", "a", " ", "  ", "Hello, world!", " lead", "trail ", "  two  spaces   three ", "the the  the", "It's we've THEY'LL", "\n", "\r\n\r\n x", "\t\tx\t",
    "a\u00a0b\u2003c\u3000d\u0085e", "1234567890 x1y22", "\u0663\u0664\u0665 \u00b2\u00b3 \u2167", "aaaaaaaaaaaaaaaaaaaaaaaa", "!!!???... -- $5 <=>", "foo();\n\n\nbar",
    "e\u0301 \u00e9 \u0301x \u00c5 \u212b A\u030a", "\u6771\u4eac\u306f\u65e5\u672c\u306e\u9996\u90fd\u3067\u3059\u3002\u30ab\u30bf\u30ab\u30ca\u30fc", "\u4f60\u597d\uff0c\u4e16\u754c\uff01", "\uc548\ub155\ud558\uc138\uc694",
    "\u05e9\u05dc\u05d5\u05dd \u0928\u092e\u0938\u094d\u0924\u0947", "\U0001f642 \U0001f469\u200d\U0001f469\u200d\U0001f467", "\u200d\u200b\ufeff", "\u0001\u0002\u007f", "<s>x</s>", "a<s> b <s>", "\u2581x \u2581\u2581 y\u2581z",
    "\u0130stanbul STRASSE \u1e9e \u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2", "\ufb01 \u2460 \u210c \u00bd \uff21\uff22", "under_word word-word a.b.c", "m\u0430\u0441ca \u0416\u0416", "<0x41> <0x0A>", "zz qq \u00fe\u00f0",
    "x  \u2581 \u2581y", "caf\u00e9 cafe\u0301", "TAG tag <tag>x<tag> tagtag", "q" * 40, "x \n\n y  \r\n", "<tag>x TAG",
]


def train(vocab, specials, **kw):
    model_kw = {k: kw.pop(k) for k in ("unk_token", "continuing_subword_prefix", "end_of_word_suffix") if k in kw}
    pretok = kw.pop("pretok")
    t = Tokenizer(models.BPE(**model_kw))
    t.pre_tokenizer = pretok
    text = kw.pop("text", TEXT)
    extra = {k: v for k, v in model_kw.items() if k != "unk_token"}
    t.train_from_iterator([text], trainers.BpeTrainer(vocab_size=vocab, special_tokens=specials, show_progress=False, **extra, **kw))
    return json.loads(t.to_str())


def added(*tokens):
    return [dict({"id": i, "content": c, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}, **kw)
            for i, c, kw in tokens]


BYTES = ["<0x%02X>" % b for b in range(256)]
three = ["<unk>", "<s>", "</s>"]
NAMES = added((0, "<unk>", {}), (1, "<s>", {}), (2, "</s>", {}))
seq = lambda kind, *items: {"type": "Sequence", kind: list(items)}

base = {
    "bytes": train(330, ["<s>"], pretok=pre.ByteLevel(add_prefix_space=False), initial_alphabet=pre.ByteLevel.alphabet()),
    "marks": train(470, three + BYTES, pretok=pre.Metaspace(), unk_token="<unk>"),
    "chars": train(170, ["<unk>"], pretok=pre.Whitespace(), unk_token="<unk>"),
    "suffix": train(170, ["<unk>"], pretok=pre.Whitespace(), unk_token="<unk>", end_of_word_suffix="</w>"),
    "prefix": train(190, ["<unk>"], pretok=pre.Whitespace(), unk_token="<unk>", continuing_subword_prefix="##"),
    "lines": train(150, ["<unk>"], pretok=pre.CharDelimiterSplit("\n"), unk_token="<unk>"),
}
for f in base.values():
    f["pre_tokenizer"] = f["decoder"] = f["post_processor"] = f["normalizer"] = None
base["bytes"]["added_tokens"] = added((0, "<s>", {}))
base["bytes"]["pre_tokenizer"] = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
base["bytes"]["decoder"] = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
base["marks"]["added_tokens"] = NAMES
base["marks"]["model"].update(byte_fallback=True, fuse_unk=True)

llama_normalizer = seq("normalizers", {"type": "Prepend", "prepend": MARK}, {"type": "Replace", "pattern": {"String": " "}, "content": MARK})
llama_decoder = seq("decoders", {"type": "Replace", "pattern": {"String": MARK}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
                    {"type": "Strip", "content": " ", "start": 1, "stop": 0})
gemma_decoder = seq("decoders", {"type": "Replace", "pattern": {"String": MARK}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"})
bos = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                                                {"SpecialToken": {"id": "</s>", "type_id": 0}}],
       "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
       "special_tokens": {n: {"id": n, "ids": [i], "tokens": [n]} for i, n in enumerate(three)}}
metaspace = lambda scheme, split=True: {"type": "Metaspace", "replacement": MARK, "prepend_scheme": scheme, "split": split}
byte_level = lambda prefix=False, regex=True: {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": regex}
split = lambda pattern, behavior, invert=False: {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}

styles = [
    ("llama 2", "marks", dict(normalizer=llama_normalizer, decoder=llama_decoder, post_processor=bos)),
    ("gemma", "marks", dict(normalizer={"type": "Replace", "pattern": {"String": " "}, "content": MARK},
                            pre_tokenizer=split({"String": " "}, "MergedWithPrevious"), decoder=gemma_decoder)),
    ("mistral 1, newer", "marks", dict(pre_tokenizer=metaspace("first", False), decoder=llama_decoder)),
    ("metaspace always", "marks", dict(pre_tokenizer=metaspace("always"), decoder=metaspace("always"))),
    ("metaspace never", "marks", dict(pre_tokenizer=metaspace("never"), decoder=metaspace("never"))),
    ("metaspace first", "marks", dict(pre_tokenizer=metaspace("first"), decoder=metaspace("first"))),
    ("metaspace behind white space", "marks", dict(pre_tokenizer=seq("pretokenizers", {"type": "WhitespaceSplit"}, metaspace("always")), decoder=metaspace("always"))),
    ("metaspace of older files", "marks", dict(pre_tokenizer={"type": "Metaspace", "replacement": MARK, "add_prefix_space": True},
                                               decoder={"type": "Metaspace", "replacement": MARK, "add_prefix_space": True})),
    ("unknown, not fused", "marks", dict(normalizer=llama_normalizer, decoder=llama_decoder, model=dict(byte_fallback=False, fuse_unk=False))),
    ("unknown, fused", "marks", dict(normalizer=llama_normalizer, decoder=llama_decoder, model=dict(byte_fallback=False, fuse_unk=True))),
    ("ignored merges without bytes", "marks", dict(normalizer=llama_normalizer, decoder=llama_decoder, model=dict(byte_fallback=False, ignore_merges=True))),
    ("no unknown token", "chars", dict(pre_tokenizer={"type": "Whitespace"}, model=dict(unk_token=None))),
    ("nothing at all", "chars", {}),
    ("suffix", "suffix", dict(pre_tokenizer={"type": "Whitespace"}, decoder={"type": "BPEDecoder", "suffix": "</w>"})),
    ("prefix", "prefix", dict(pre_tokenizer={"type": "Whitespace"}, decoder={"type": "WordPiece", "prefix": "##", "cleanup": True})),
    ("prefix without clean-up", "prefix", dict(pre_tokenizer={"type": "Whitespace"}, decoder={"type": "WordPiece", "prefix": "##", "cleanup": False})),
    ("strip at both ends", "lines", dict(decoder=seq("decoders", {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 2, "stop": 1}))),
    ("strip each token", "lines", dict(decoder=seq("decoders", {"type": "Strip", "content": "e", "start": 1, "stop": 0}))),
    ("space in front", "bytes", dict(pre_tokenizer=byte_level(True))),
    ("space in front of each digit", "bytes", dict(pre_tokenizer=seq("pretokenizers", {"type": "Digits", "individual_digits": True}, byte_level(True)))),
    ("something behind ByteLevel", "bytes", dict(pre_tokenizer=seq("pretokenizers", byte_level(), {"type": "Digits", "individual_digits": True}))),
    ("ByteLevel as normalizer", "bytes", dict(normalizer={"type": "ByteLevel"}, pre_tokenizer=split({"Regex": "\u0120?[a-z]+|."}, "Isolated"))),
    ("bytes missing", "bytes", dict(model=dict(vocab={k: v for k, v in base["bytes"]["model"]["vocab"].items() if k not in "qz\u00c3"}))),
    ("every flag", "bytes", dict(normalizer={"type": "Lowercase"}, added_tokens=added(
        (0, "<s>", {}), (330, "<tag>", dict(lstrip=True, special=False)), (331, "tag", dict(single_word=True, normalized=True, special=False)),
        (332, "HOT", dict(normalized=True, special=False)), (333, "x ", dict(rstrip=True, special=False))))),
    ("tekken", "bytes", dict(model=dict(ignore_merges=True), pre_tokenizer=seq("pretokenizers", split({"Regex":
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|"
        r"\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"}, "Isolated"), byte_level(False, False)),
        post_processor={"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                        "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}}})),
    ("roberta", "bytes", dict(pre_tokenizer=byte_level(True), post_processor={"type": "RobertaProcessing", "sep": ["e", 69], "cls": ["<s>", 0],
                                                                             "trim_offsets": True, "add_prefix_space": False})),
    ("bert", "chars", dict(normalizer={"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
                           pre_tokenizer={"type": "BertPreTokenizer"})),
]
spelled = lambda token: base["bytes"]["model"]["vocab"][token]
styles += [
    ("bytes without their decoder", "bytes", dict(decoder={"type": "Fuse"})),
    ("added tokens spelled as bytes", "bytes", dict(added_tokens=added((0, "<s>", {}), (spelled("\u00bd"), "\u00bd", {}), (spelled("\u00e9"), "\u00e9", {})))),
    ("added tokens behind a mark", "marks", dict(normalizer=llama_normalizer, decoder=llama_decoder, added_tokens=NAMES + added(
        (470, "<tag>", dict(normalized=True, special=False)), (471, "TAG", dict(normalized=True))))),
    ("metaspace first, behind an added token", "marks", dict(pre_tokenizer=metaspace("first"), decoder=metaspace("first"), added_tokens=NAMES + added(
        (470, "<tag>", dict(normalized=True, special=False)), (471, "e\u0301", dict(normalized=True, special=False)), (472, "under", dict(normalized=True, special=False))))),
    ("white space that two added tokens take", "bytes", dict(normalizer={"type": "Lowercase"}, added_tokens=added(
        (0, "<s>", {}), (330, " ", dict(rstrip=True, normalized=True, special=False)), (331, "\n", dict(lstrip=True, rstrip=True, normalized=True, special=False)),
        (332, "\u3000", dict(rstrip=True, special=False)), (333, "\r\n", dict(lstrip=True, special=False))))),
]
for name in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt"):
    styles.append((name, "bytes", dict(normalizer={"type": name})))
styles += [
    ("NFD, StripAccents", "bytes", dict(normalizer=seq("normalizers", {"type": "NFD"}, {"type": "StripAccents"}))),
    ("Strip", "bytes", dict(normalizer={"type": "Strip", "strip_left": True, "strip_right": True})),
    ("Strip left", "bytes", dict(normalizer={"type": "Strip", "strip_left": True, "strip_right": False})),
    ("Replace by a pattern", "bytes", dict(normalizer={"type": "Replace", "pattern": {"Regex": " {2,}|e+|^t"}, "content": "_"})),
    ("Prepend", "bytes", dict(normalizer={"type": "Prepend", "prepend": "the "})),
]
for behavior in ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"):
    for invert in (False, True):
        styles.append((f"Split {behavior} {invert}", "bytes", dict(pre_tokenizer=seq("pretokenizers", split({"Regex": r"[\s.e]"}, behavior, invert), byte_level(False, False)))))
    styles.append((f"Punctuation {behavior}", "bytes", dict(pre_tokenizer=seq("pretokenizers", {"type": "Punctuation", "behavior": behavior}, byte_level(False, False)))))
for step in ({"type": "Digits", "individual_digits": False}, {"type": "Digits", "individual_digits": True}, {"type": "Whitespace"}, {"type": "WhitespaceSplit"},
             {"type": "CharDelimiterSplit", "delimiter": "e"}, {"type": "FixedLength", "length": 3}, {"type": "UnicodeScripts"}, {"type": "BertPreTokenizer"},
             split({"String": "the"}, "Isolated")):
    styles.append((json.dumps(step), "bytes", dict(pre_tokenizer=seq("pretokenizers", step, byte_level(False, False)))))


def overlay(file, change):
    out = json.loads(json.dumps(file))
    for k, v in change.items():
        out[k] = dict(out["model"], **v) if k == "model" else v
    if "bytes missing" in change:
        del change["bytes missing"]
    return out


def repair(model):
    """Merges that need a token which was taken out go, too."""
    v = model["vocab"]
    model["merges"] = [m for m in model["merges"] if m[0] in v and m[1] in v and m[0] + m[1] in v]
    return model


def decode(t, ids):
    """None where the peer panics (its Strip, on a text shorter than what it strips)."""
    try:
        return t.decode(ids, skip_special_tokens=False)
    except BaseException as e:
        if type(e).__name__ != "PanicException":
            raise
        return None


with open(os.path.join(HERE, "styles.jsonl"), "w") as f:
    put = lambda v: f.write(json.dumps(v, separators=(",", ":")) + "\n")
    for name, file in base.items():
        put({"base": name, "file": file})
    for name, b, change in styles:
        if name == "bytes missing":
            change["model"] = {k: repair(dict(base[b]["model"], **change["model"]))[k] for k in ("vocab", "merges")}
        file = overlay(base[b], change)
        t = Tokenizer.from_str(json.dumps(file))
        plain, around = t.encode("e").ids, t.encode("e", add_special_tokens=False).ids
        at = next(i for i in range(len(plain) - len(around) + 1) if plain[i:i + len(around)] == around)
        put({"style": name, "base": b, "set": change, "around": [plain[:at], plain[at + len(around):]]})
        for text in CASES:
            t.encode_special_tokens = True
            ids = t.encode(text, add_special_tokens=False).ids
            t.encode_special_tokens = False
            put([text, ids, t.encode(text, add_special_tokens=False).ids, decode(t, ids)])
