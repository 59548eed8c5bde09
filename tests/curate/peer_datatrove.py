"""datatrove's own filters and ours on the same documents: keep or drop, reason, and the text that C4's rules leave.

    pip install datatrove==0.10.1 spacy==3.8.18
    python peer_datatrove.py TOOL CORPORA [EVERY]           # compares; prints each difference and a table; 1 if there is one
    python peer_datatrove.py --golden CORPORA > golden/datatrove.jsonl
    python peer_datatrove.py --speed CORPORA                # MB/s of datatrove's filters on one core

TOOL is tests/tool_filter_decide of a build; EVERY-th document is taken (6: 2,400).
"""
import json
import re
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version

from datatrove.data import Document
from datatrove.pipeline.filters import C4BadWordsFilter, C4ParagraphFilter, C4QualityFilter, FineWebQualityFilter
from datatrove.pipeline.filters import GopherQualityFilter, GopherRepetitionFilter

import peer_corpora

WORDS = ["cancer", "blood sugar", "sword", "murder", "x-ray", "(see"]


def bad_words(folder):
    path = folder + "/words.txt"
    open(path, "w", encoding="utf-8").write("\n".join(WORDS) + "\n")
    f = C4BadWordsFilter()
    # as _get_badwords() makes it of a list that it fetches
    f._badwords_regex["en"] = re.compile(r"(?:\W|^)({})(?:\W|$)".format("|".join(map(re.escape, WORDS))))
    return [f], "{filter: {profile: c4@datatrove, quality: false, bad-words: %s}}" % path


def cases(folder):
    """Name, datatrove's filters, our steps."""
    yield "gopher@datatrove", [GopherRepetitionFilter(), GopherQualityFilter()], "{filter: {profile: gopher@datatrove}}"
    yield ("gopher@datatrove, other values",
           [GopherRepetitionFilter(dup_line_frac=0.1, dup_para_frac=None, dup_line_char_frac=None, dup_para_char_frac=None,
                                   top_n_grams=((2, 0.05), (3, 0.05), (4, 0.04)),
                                   dup_n_grams=((5, 0.05), (6, 0.04), (7, 0.04), (8, 0.03), (9, 0.03), (10, 0.02))),
            GopherQualityFilter(min_doc_words=20, max_avg_word_length=6, max_non_alpha_words_ratio=0.7, min_stop_words=3,
                                stop_words=["the", "it", "la", "de", "is"])],
           "{filter: {profile: gopher@datatrove, max-dup-line-fraction: 0.1, max-dup-paragraph-fraction: 0, "
           "max-dup-line-char-fraction: 0, max-dup-paragraph-char-fraction: 0, max-top-2-gram: 0.05, max-top-3-gram: 0.05, "
           "max-top-4-gram: 0.04, max-dup-5-gram: 0.05, max-dup-6-gram: 0.04, max-dup-7-gram: 0.04, max-dup-8-gram: 0.03, "
           "max-dup-9-gram: 0.03, max-dup-10-gram: 0.02, min-words: 20, max-mean-word-length: 6, min-alpha-words: 0.7, "
           "min-stop-words: 3, stop-words: [the, it, la, de, is]}}")
    yield "fineweb", [FineWebQualityFilter()], "{filter: {profile: fineweb}}"
    yield ("fineweb, other values",
           [FineWebQualityFilter(line_punct_exclude_zero=True, line_punct_thr=0.5, stop_chars=(".", "?", ";"), short_line_thr=0.9,
                                 short_line_length=20, char_duplicates_ratio=0.1, new_line_ratio=0.1)],
           "{filter: {profile: fineweb, line-punct-exclude-zero: true, line-punct-thr: 0.5, stop-chars: ['.', '?', ';'], "
           "short-line-thr: 0.9, short-line-length: 20, char-duplicates-ratio: 0.1, new-line-ratio: 0.1}}")
    yield "c4@datatrove", [C4QualityFilter()], "{filter: {profile: c4@datatrove}}"
    yield ("c4@datatrove, all lines", [C4QualityFilter(filter_no_terminal_punct=False)],
           "{filter: {profile: c4@datatrove, filter-no-terminal-punct: false}}")
    yield ("c4@datatrove, sentences, other values",
           [C4QualityFilter(split_paragraph=False, min_num_sentences=2, min_words_per_line=-1, max_word_length=25,
                            remove_citations=False, filter_curly_bracket=False)],
           "{filter: {profile: c4@datatrove, split-paragraph: false, min-num-sentences: 2, min-words-per-line: -1, "
           "max-word-length: 25, remove-citations: false, filter-curly-bracket: false}}")
    yield "c4@datatrove, paragraphs", [C4ParagraphFilter()], "{filter: {profile: c4@datatrove, quality: false, paragraphs: true}}"
    yield ("c4@datatrove, bad words", *bad_words(folder))


def peer_decision(filters, text):
    d = Document(text=text, id="0")
    for f in filters:
        verdict = f.filter(d)
        if isinstance(verdict, tuple):
            return verdict[1], None
        if not verdict:
            return "?", None
    return None, (d.text if d.text != text else None)


def our_decisions(tool, steps, documents):
    lines = "".join(json.dumps({"id": name, "text": text}) + "\n" for name, text in documents)
    out = subprocess.run([tool, "[" + steps + "]"], input=lines.encode(), stdout=subprocess.PIPE, check=True).stdout
    answers = [json.loads(line) for line in out.decode().splitlines()]
    assert len(answers) == len(documents)
    return [(a["reason"], a.get("text")) for a in answers]


def compare(tool, root, every):
    documents = list(peer_corpora.documents(root))[::every]
    size = sum(len(t.encode()) for _, t in documents)
    print("%d documents, %.1f MB; datatrove %s, spaCy %s" % (len(documents), size / 1e6, version("datatrove"), version("spacy")))
    differences = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, filters, steps in cases(folder):
            ours = our_decisions(tool, steps, documents)
            start = time.process_time()
            theirs = [peer_decision(filters, text) for _, text in documents]
            seconds = time.process_time() - start
            other = [(d, a, b) for (d, _), a, b in zip(documents, ours, theirs) if a != b and not (b == (None, "") and a[0] == "empty")]
            for d, a, b in other[:20]:
                print("  %s: %s: ours %s, datatrove %s%s" % (name, d, a[0], b[0], ", other text" if a[0] == b[0] else ""))
            kept = sum(r is None for r, _ in theirs)
            print("%-40s kept %5d dropped %5d other decision %d (datatrove %.2f MB/s)" % (
                name, kept, len(theirs) - kept, len(other), size / 1e6 / seconds), flush=True)
            differences += len(other)
    return differences


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


def speed(root):
    documents = [t for _, t in list(peer_corpora.documents(root))[::30]]
    size = sum(len(t.encode()) for t in documents)
    for name, filters in (("gopher@datatrove", [GopherRepetitionFilter(), GopherQualityFilter()]), ("c4@datatrove", [C4QualityFilter()]),
                          ("fineweb", [FineWebQualityFilter()]),
                          ("together", [GopherRepetitionFilter(), GopherQualityFilter(), C4QualityFilter(filter_no_terminal_punct=False),
                                        FineWebQualityFilter()])):
        start = time.process_time()
        for i, text in enumerate(documents):
            peer_decision(filters, text + " " * (len(name) % 7))      # the peer keeps words of the last texts
        print("%s: %.3f MB/s of %.1f MB" % (name, size / 1e6 / (time.process_time() - start), size / 1e6))


if sys.argv[1] == "--golden":
    golden(sys.argv[2])
elif sys.argv[1] == "--speed":
    speed(sys.argv[2])
else:
    sys.exit(1 if compare(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 6) else 0)
