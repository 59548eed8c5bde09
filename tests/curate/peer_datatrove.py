"""datatrove's own filters and ours on the same documents: keep or drop, reason, and the text that C4's rules leave; and its words.

    pip install datatrove==0.10.1 spacy==3.8.18
    python peer_datatrove.py TOOLS CORPORA [EVERY]           # decisions: prints each difference and a table; 1 if there is one
    python peer_datatrove.py --words TOOLS CORPORA [EVERY]   # words, one by one: those that are cut otherwise
    python peer_datatrove.py --golden CORPORA > golden/datatrove.jsonl
    python peer_datatrove.py --speed FILE                    # MB/s of datatrove's filters on one core; FILE: JSON lines with "text"

TOOLS is the folder tests/ of a build (tool_filter, tool_words); every EVERY-th document of peer_corpora.py is taken (6: 2,442).
A comparison that finds nothing could be one that sees nothing: so each option is changed on our side alone, and that must be seen.
"""
import functools
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version

from datatrove.data import Document
from datatrove.pipeline.filters import C4BadWordsFilter, C4ParagraphFilter, C4QualityFilter, FineWebQualityFilter
from datatrove.pipeline.filters import GopherQualityFilter, GopherRepetitionFilter
from datatrove.utils import text as datatrove_text
from datatrove.utils.word_tokenizers import SpaCyTokenizer

import peer_corpora

WORDS = ["cancer", "blood sugar", "sword", "murder", "x-ray", "(see"]
UNITS = ["5", "6", "7", "8", "9", "10"]

# What is changed on our side, one at a time, for each profile: a value that some document stands on the other side of.
CHANGES = {
    "gopher@datatrove": ["max-dup-line-fraction: 0.1", "max-dup-paragraph-fraction: 0.1", "max-dup-line-char-fraction: 0.05",
                         "max-dup-paragraph-char-fraction: 0.05", "max-top-2-gram: 0.1", "max-top-3-gram: 0.1", "max-top-4-gram: 0.1"] +
                        [f"max-dup-{n}-gram: 0.05" for n in UNITS] +
                        ["min-words: 60", "max-words: 500", "min-mean-word-length: 4", "max-mean-word-length: 5", "max-symbol-ratio: 0.001",
                         "max-bullet-lines: 0.05", "max-ellipsis-lines: 0.01", "min-alpha-words: 0.85", "min-stop-words: 3",
                         "stop-words: [the, be]", "repetition: false", "quality: false", "words: any"],
    "fineweb": ["line-punct-thr: 0.3", "line-punct-exclude-zero: true", "stop-chars: [',']", "short-line-thr: 0.5", "short-line-length: 40",
                "char-duplicates-ratio: 0.1", "new-line-ratio: 0.1"],
    "c4@datatrove": ["split-paragraph: false", "remove-citations: false", "filter-no-terminal-punct: false", "min-num-sentences: 6",
                     "min-words-per-line: 5", "max-word-length: 15", "filter-lorem-ipsum: false", "filter-javascript: false", "filter-curly-bracket: false",
                     "filter-policy: false"],
    "paragraphs": ["min-paragraphs: 2", "min-paragraph-length: 150"],
    "bad words": ["keep-fraction: 1", "quality: true"],
}


def option(profile, more=""):
    return "{filter: {profile: %s%s}}" % (profile, ", " + more if more else "")


def bad_words(folder):
    path = folder + "/words.txt"
    open(path, "w", encoding="utf-8").write("\n".join(WORDS) + "\n")
    f = C4BadWordsFilter()
    # as _get_badwords() makes it of a list that it fetches
    f._badwords_regex["en"] = re.compile(r"(?:\W|^)({})(?:\W|$)".format("|".join(map(re.escape, WORDS))))
    return [f], option("c4@datatrove", "quality: false, bad-words: " + path)


def cases(folder):
    """Name, datatrove's filters, our steps."""
    yield "gopher@datatrove", [GopherRepetitionFilter(), GopherQualityFilter()], option("gopher@datatrove")
    yield ("gopher@datatrove, other values",
           [GopherRepetitionFilter(dup_line_frac=0.1, dup_para_frac=None, dup_line_char_frac=None, dup_para_char_frac=None,
                                   top_n_grams=((2, 0.05), (3, 0.05), (4, 0.04)),
                                   dup_n_grams=((5, 0.05), (6, 0.04), (7, 0.04), (8, 0.03), (9, 0.03), (10, 0.02))),
            GopherQualityFilter(min_doc_words=20, max_doc_words=600, min_avg_word_length=4, max_avg_word_length=6, max_symbol_word_ratio=0.01,
                                max_bullet_lines_ratio=0.1, max_ellipsis_lines_ratio=0.05, max_non_alpha_words_ratio=0.7, min_stop_words=3,
                                stop_words=["the", "it", "la", "de", "is"])],
           option("gopher@datatrove", "max-dup-line-fraction: 0.1, max-dup-paragraph-fraction: 0, "
                  "max-dup-line-char-fraction: 0, max-dup-paragraph-char-fraction: 0, max-top-2-gram: 0.05, max-top-3-gram: 0.05, "
                  "max-top-4-gram: 0.04, max-dup-5-gram: 0.05, max-dup-6-gram: 0.04, max-dup-7-gram: 0.04, max-dup-8-gram: 0.03, "
                  "max-dup-9-gram: 0.03, max-dup-10-gram: 0.02, min-words: 20, max-words: 600, min-mean-word-length: 4, "
                  "max-mean-word-length: 6, max-symbol-ratio: 0.01, max-bullet-lines: 0.1, max-ellipsis-lines: 0.05, min-alpha-words: 0.7, "
                  "min-stop-words: 3, stop-words: [the, it, la, de, is]"))
    yield ("gopher@datatrove, quality alone",
           [GopherQualityFilter(min_doc_words=1, max_doc_words=400, min_avg_word_length=None, max_avg_word_length=4.5,
                                max_symbol_word_ratio=0.002, max_bullet_lines_ratio=0.02, max_ellipsis_lines_ratio=0.01,
                                max_non_alpha_words_ratio=0.85, min_stop_words=None)],
           option("gopher@datatrove", "repetition: false, min-words: 1, max-words: 400, min-mean-word-length: 0, max-mean-word-length: 4.5, "
                  "max-symbol-ratio: 0.002, max-bullet-lines: 0.02, max-ellipsis-lines: 0.01, min-alpha-words: 0.85, min-stop-words: 0"))
    yield "fineweb", [FineWebQualityFilter()], option("fineweb")
    yield ("fineweb, other values",
           [FineWebQualityFilter(line_punct_exclude_zero=True, line_punct_thr=0.5, stop_chars=(".", "?", ";"), short_line_thr=0.9,
                                 short_line_length=20, char_duplicates_ratio=0.1, new_line_ratio=0.1)],
           option("fineweb", "line-punct-exclude-zero: true, line-punct-thr: 0.5, stop-chars: ['.', '?', ';'], "
                  "short-line-thr: 0.9, short-line-length: 20, char-duplicates-ratio: 0.1, new-line-ratio: 0.1"))
    yield "c4@datatrove", [C4QualityFilter()], option("c4@datatrove")
    yield ("c4@datatrove, all lines", [C4QualityFilter(filter_no_terminal_punct=False)],
           option("c4@datatrove", "filter-no-terminal-punct: false"))
    yield ("c4@datatrove, sentences, other values",
           [C4QualityFilter(split_paragraph=False, min_num_sentences=2, min_words_per_line=-1, max_word_length=25,
                            remove_citations=False, filter_curly_bracket=False)],
           option("c4@datatrove", "split-paragraph: false, min-num-sentences: 2, min-words-per-line: -1, "
                  "max-word-length: 25, remove-citations: false, filter-curly-bracket: false"))
    yield "c4@datatrove, paragraphs", [C4ParagraphFilter()], option("c4@datatrove", "quality: false, paragraphs: true")
    yield ("c4@datatrove, bad words", *bad_words(folder))
    yield ("one after the other, as FineWeb has them",
           [GopherRepetitionFilter(), GopherQualityFilter(), C4QualityFilter(filter_no_terminal_punct=False), FineWebQualityFilter()],
           option("gopher@datatrove") + ", " + option("c4@datatrove", "filter-no-terminal-punct: false") + ", " + option("fineweb"))


def changes(name, steps):
    """Our steps with one option changed, for the cases with datatrove's own values."""
    for change in CHANGES.get(name.split(", ")[-1], []):
        key = change.split(":")[0]
        yield change, re.sub(r"\b%s: \S+?, " % key, "", steps).replace("}}", ", " + change + "}}")


def with_put_in(documents):
    """Real texts with something in them that the rules look for and these corpora lack."""
    def each_line(text, end):
        return "\n".join(line + end for line in text.split("\n"))
    puts = [lambda t: t + "\nPlease turn JavaScript on to read this page.", lambda t: t + "\nWrite it as {name} wherever it stands.",
            lambda t: "Lorem Ipsum dolor sit amet is what stands here.\n" + t, lambda t: t + "\nBy reading on you agree to our Terms of Use.",
            lambda t: each_line(t, "..."), lambda t: each_line(t, " \u2026"), lambda t: "- " + t.replace("\n", "\n- "),
            lambda t: t.replace(" ", " # ", len(t) // 40), lambda t: t + "\n" + t[:len(t) // 3], lambda t: t.replace(". ", ".[1] ")]
    for i, (name, text) in enumerate(d for d in documents[::12] if len(d[1]) < 4000):
        yield name + "#put-in", puts[i % len(puts)](text)


def peer_decision(filters, text):
    d = Document(text=text, id="0")
    for f in filters:
        verdict = f.filter(d)
        if isinstance(verdict, tuple):
            return verdict[1], None
        if not verdict:
            return "?", None
    return None, (d.text if d.text != text else None)


def json_lines(documents):
    return "".join(json.dumps({"id": name, "text": text}) + "\n" for name, text in documents).encode()


def our_decisions(tools, steps, documents):
    out = subprocess.run([tools + "/tool_filter", "[" + steps + "]"], input=json_lines(documents), stdout=subprocess.PIPE, check=True).stdout
    answers = [json.loads(line) for line in out.decode().splitlines()]
    assert len(answers) == len(documents)
    return [(a["reason"], None if a["reason"] else a.get("text")) for a in answers]


def is_other(ours, theirs):
    """What C4's rules leave of some documents is nothing: we drop those as `empty` (docs/parity.md)."""
    return ours != theirs and not (theirs == (None, "") and ours[0] == "empty")


def peer_decisions(rows, documents):
    """All cases of a document after one another: datatrove keeps the last texts' words, here it keeps more of them."""
    cut = datatrove_text.split_into_parts
    datatrove_text.split_into_parts = functools.lru_cache(1 << 14)(cut.__wrapped__)
    out = [[peer_decision(filters, text) for _, filters, _ in rows] for _, text in documents]
    datatrove_text.split_into_parts = cut
    return [list(of_case) for of_case in zip(*out)]


def report_case(name, documents, ours, theirs):
    other = [(d, a, b) for (d, _), a, b in zip(documents, ours, theirs) if is_other(a, b)]
    for d, a, b in other[:20]:
        print("  %s: %s: ours %s, datatrove %s%s" % (name, d, a[0], b[0], ", other text" if a[0] == b[0] else ""))
    reasons = {}
    for r, text in theirs:
        key = r or ("kept" if text is None else "kept, changed")
        reasons[key] = reasons.get(key, 0) + 1
    empty = sum(b == (None, "") for b in theirs)
    print("%-42s %5d documents, other decision %d, left without text %d" % (name, len(documents), len(other), empty))
    print("    " + ", ".join("%s %d" % row for row in sorted(reasons.items(), key=lambda row: -row[1])), flush=True)
    return len(other)


def compare(tools, root, every):
    documents = list(peer_corpora.documents(root))[::every]
    real = len(documents)
    documents += with_put_in(documents)
    size = sum(len(t.encode()) for _, t in documents)
    print("%d real documents and %d with something put in, %.1f MB; datatrove %s, spaCy %s" % (
        real, len(documents) - real, size / 1e6, version("datatrove"), version("spacy")), flush=True)
    differences = seen = unseen = 0
    with tempfile.TemporaryDirectory() as folder:
        rows = list(cases(folder))
        for (name, _, steps), theirs in zip(rows, peer_decisions(rows, documents)):
            differences += report_case(name, documents, our_decisions(tools, steps, documents), theirs)
            for change, changed in changes(name, steps):
                if any(map(is_other, our_decisions(tools, changed, documents), theirs)):
                    seen += 1
                else:
                    unseen += 1
                    print("  %s: nobody notices `%s`" % (name, change))
    print("%d options changed on our side alone: %d were noticed" % (seen + unseen, seen))
    return differences + (unseen if real > 1000 else unseen > seen)


# ---- words ----

def places(text, words):
    """(first byte, bytes) of words that stand in this order in a text."""
    at = byte = 0
    for w in words:
        next_at = text.index(w, at)
        byte += len(text[at:next_at].encode())
        n = len(w.encode())
        yield byte, n
        at, byte = next_at + len(w), byte + n


def made_texts(documents, rules, count):
    """Signs, units, what spaCy has special rules for, and real text with such put in."""
    draw = random.Random(5)
    pieces = (": ) ( - . .. ' \u2019 \" / < > = _ * ^ @ ~ \u2014 -- --- \u2013 \u2026 http:// www. a.com x@y.org 10.2.3.4 127.0.0.1 :80 /p?q#f 1 12 \u0663 A B ab AB "
              "\u00e9 \u042f \u5b57 \u00b0C ? # & co.uk b-c km km\u00b2 mph hPa % \u043a\u0433 $ US$ \u20ac \u20bf + 's \u2019s 'S ... a.m. pm").split()
    pieces += [" ", " ", "  ", "\n", "\t", "\u00a0", "\u3000", "\x85", "\x1c"]
    ranges = [(0x20, 0x7F), (0xA0, 0x250), (0x370, 0x500), (0x590, 0x700), (0x900, 0xA00), (0x2000, 0x2070), (0x20A0, 0x20C0), (0x2190, 0x2200),
              (0x3000, 0x3100), (0x4E00, 0x4E80), (0xFF00, 0xFF60), (0x1F300, 0x1F600)]
    signs = [chr(c) for a, b in ranges for c in range(a, b)]
    for i in range(count):
        if i % 4 == 0:
            yield "".join(draw.choice(signs) for _ in range(400))
        elif i % 4 == 1:
            yield "".join(draw.choice(pieces) for _ in range(400))
        elif i % 4 == 2:
            yield "".join(draw.choice(rules if draw.random() < 0.5 else pieces) + draw.choice(["", "", " "]) for _ in range(300))
        else:
            text = list(draw.choice(documents)[:2500])
            for _ in range(len(text) // 10):
                text[draw.randrange(len(text))] = draw.choice(pieces)
            yield "".join(text)


def compare_words(tools, language, name, texts):
    cut = SpaCyTokenizer(language)
    out = subprocess.run([tools + "/tool_words", "en" if language == "en" else "any"], input=json_lines([("", t) for t in texts]),
                         stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()
    assert len(out) == len(texts)
    total = other = 0
    for text, line in zip(texts, out):
        numbers = list(map(int, line.split()))
        ours = set(zip(numbers[::2], numbers[1::2]))
        theirs = list(places(text, cut.word_tokenize(text)))
        missed = [p for p in theirs if p not in ours]
        total += len(theirs)
        other += len(missed) + (not missed and len(ours) != len(theirs))
        for at, n in missed[:3]:
            print("  cut otherwise: %r in %r" % (text.encode()[at:at + n].decode(), text.encode()[max(0, at - 20):at + n + 20].decode("utf-8", "ignore")))
    print("%-24s words: %s: %.1f MB, %d words of spaCy's, cut otherwise %d, %.2f of a million" % (
        name, "en" if language == "en" else "any", sum(len(t.encode()) for t in texts) / 1e6, total, other, other * 1e6 / max(total, 1)), flush=True)
    return other, total


def words(tools, root, every):
    documents = [t for _, t in peer_corpora.documents(root)][::every]
    special = list(SpaCyTokenizer("en").tokenizer.tokenizer.rules)
    made = [t for t in made_texts(documents, special, max(40, len(documents) // 4)) if t]
    other = 0
    for language in ("en", "xx"):
        for name, texts in (("real documents", documents), ("made texts", made)):
            found, total = compare_words(tools, language, name, texts)
            other += found
            assert total > 20 * len(texts)
    return other


def golden(root):
    """A small set with every reason: the first few documents of each."""
    documents = [d for d in list(peer_corpora.documents(root))[::5] if len(d[1]) < 2500]
    with tempfile.TemporaryDirectory() as folder:
        rows = list(cases(folder))
        seen = {}
        for name, text in documents:
            decisions = {case: peer_decision(filters, text) for case, filters, _ in rows if "bad words" not in case}
            new = [(case, d[0]) for case, d in decisions.items() if seen.get((case, d[0]), 0) < 3]
            if new:
                for key in new:
                    seen[key] = seen.get(key, 0) + 1
                print(json.dumps({"id": name, "text": text, "decisions": {c: list(d) for c, d in decisions.items()}}))


def speed(path):
    documents = [json.loads(line)["text"] for line in open(path, encoding="utf-8")]
    size = sum(len(t.encode()) for t in documents)
    for name, filters in (("gopher@datatrove", [GopherRepetitionFilter(), GopherQualityFilter()]), ("c4@datatrove", [C4QualityFilter()]),
                          ("fineweb", [FineWebQualityFilter()]),
                          ("together", [GopherRepetitionFilter(), GopherQualityFilter(), C4QualityFilter(filter_no_terminal_punct=False),
                                        FineWebQualityFilter()])):
        peer_decision(filters, "The first text loads what is loaded once. It is short.")
        start = time.process_time()
        for text in documents:
            peer_decision(filters, text + " " * (len(name) % 7))      # the peer keeps words of the last texts
        print("%s: %.3f MB/s of %.1f MB" % (name, size / 1e6 / (time.process_time() - start), size / 1e6), flush=True)


def main():
    modes = [a for a in sys.argv[1:] if a.startswith("--")]
    args = [a for a in sys.argv[1:] if not a.startswith("--")]
    if modes == ["--golden"]:
        return golden(args[0])
    if modes == ["--speed"]:
        return speed(args[0])
    run = words if modes == ["--words"] else compare
    return 1 if run(args[0], args[1], int(args[2]) if len(args) > 2 else 6) else 0


sys.exit(main())
