"""Makes curate/text/word_ranges.c and word_specials.c: the facts of spaCy's English tokenizer and of datatrove's filters as C tables.

    pip install datatrove==0.10.1 spacy==3.8.18
    python make_word_tables.py ranges > ../../curate/text/word_ranges.c
    python make_word_tables.py specials > ../../curate/text/word_specials.c

Characters are classed by asking spaCy's own regular expressions and Python's own methods about every code point.
"""
import re
import sys
import unicodedata

import datatrove
import spacy
from datatrove.utils.text import PUNCTUATION_SET, TERMINAL_PUNCTUATION
from spacy.lang import char_classes as cc
from spacy.lang.tokenizer_exceptions import BASE_EXCEPTIONS
from spacy.pipeline.sentencizer import Sentencizer
from spacy.symbols import ORTH
from spacy.tokenizer import Tokenizer
from importlib.metadata import version

en = spacy.blank("en").tokenizer
plain = Tokenizer(en.vocab, rules=None, prefix_search=en.prefix_search, suffix_search=en.suffix_search,
                  infix_finditer=en.infix_finditer, token_match=en.token_match, url_match=en.url_match)


def one_of(chars):
    match = re.compile("[" + chars + "]").match
    return lambda c: match(c) is not None


alpha, lower, upper = one_of(cc.ALPHA), one_of(cc.ALPHA_LOWER), one_of(cc.ALPHA_UPPER)
quote = one_of(cc.CONCAT_QUOTES)
word = re.compile(r"\w").match
digit = re.compile(r"\d").match
ends = set(Sentencizer.default_punct_chars)

# In the order of word_class.h. '+' is a prefix only before what is no digit, and no suffix by itself.
TESTS = [
    str.isspace,
    str.isalpha,
    lambda c: c in PUNCTUATION_SET,
    lambda c: c in TERMINAL_PUNCTUATION,
    lambda c: c in ends,
    lambda c: unicodedata.category(c)[0] == "P",
    lambda c: c != "+" and en.find_prefix(c) == 1,
    lambda c: en.find_suffix(c) == 1,
    lambda c: bool(en.find_infix(c)),
    alpha,
    lower,
    upper,
    quote,
    lambda c: en.find_suffix(c + ".") == 1 and c != ".",
    lambda c: word(c) is not None,
    lambda c: digit(c) is not None,
]


def flags(cp):
    c = chr(cp)
    return sum(1 << i for i, test in enumerate(TESTS) if test(c))


def ranges():
    out = []
    for cp in range(0x110000):
        f = 0 if 0xD800 <= cp < 0xE000 else flags(cp)
        if out and out[-1][1] == cp - 1 and out[-1][2] == f:
            out[-1][1] = cp
        elif f:
            out.append([cp, cp, f])
    return out


def c_string(s):
    out = ""
    for b in s.encode():
        if b < 32 or b > 126:
            out += "\\%03o" % b
        elif chr(b) in '"\\?':
            out += "\\" + chr(b)
        else:
            out += chr(b)
    return '"' + out + '"'


def rows(items):
    line = "   "
    for item in items:
        if len(line) + len(item) + 1 > 118:
            print(line)
            line = "   "
        line += " " + item
    print(line)


def pieces(texts):
    return '"' + "".join("\\%o" % len(t.encode()) for t in texts) + '"'


def affix(text):
    return bool(en.find_prefix(text) or en.find_infix(text) or en.find_suffix(text))


def special(text):
    tokens = [t[ORTH] for t in en.rules[text]]
    lengths = [len(t.encode()) for t in tokens[:-1]] + [0, 0]
    assert len(tokens) <= 3 and "".join(tokens) == text
    return "{%s,%d,%d,%d}," % (c_string(text), lengths[0], lengths[1], text in BASE_EXCEPTIONS)


def head():
    print("/* Made by tests/curate/make_word_tables.py from spaCy %s, datatrove %s and Python %s (Unicode %s).\n"
          " * The manual is word_tables.h. */" % (spacy.__version__, version("datatrove"),
                                                sys.version.split()[0], unicodedata.unidata_version))
    print('#include "curate/text/word_tables.h"\n')
    print("/* clang-format off */")


def ranges_part():
    head()
    print("const struct word_range word_ranges[] = {")
    rows("{0x%X,0x%X,0x%X}," % tuple(r) for r in ranges())
    print("    {0,0,0}\n};")


def specials_part():
    specials = sorted(t for t in en.rules if not t.isspace())
    phrases = [(t, [x.text for x in plain(t)]) for t in specials if affix(t)]
    phrases = [(t, x) for t, x in phrases if len(x) > 1]
    assert all(not any(c.isspace() for c in t) for t in specials)
    units = sorted(set(cc.LIST_UNITS) | {c.replace("\\", "") for c in cc.LIST_CURRENCY})
    heads = sorted({c.replace("\\", "") for c in cc.LIST_CURRENCY if len(c.replace("\\", "")) > 1})
    head()
    print("const struct word_special word_specials[] = {")
    rows(special(t) for t in specials)
    print("    {0,0,0,0}\n};\n")
    print("const struct word_phrase word_phrases[] = {")
    rows("{%s,%s}," % (c_string(t), pieces(x)) for t, x in phrases)
    print("    {0,0}\n};\n")
    print("const char *const word_units[] = {")
    rows([c_string(u) + "," for u in units] + ["0"])
    print("};\n")
    print("const char *const word_money_heads[] = {")
    rows([c_string(u) + "," for u in heads] + ["0"])
    print("};")


(ranges_part if sys.argv[1] == "ranges" else specials_part)()
