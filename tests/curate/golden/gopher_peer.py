"""Makes gopher_peer.jsonl: texts and what datatrove decides about them.

    python -m venv v && v/bin/pip install datatrove==0.10.1 spacy==3.8.18
    v/bin/python gopher_peer.py tinyshakespeare.txt > gopher_peer.jsonl

The texts are pieces of Shakespeare's plays and what a seeded generator does to them: lines and words repeated, bullets,
ellipses, numbers and signs put in, until each rule has had its turn.
"""
import json
import random
import sys

from datatrove.data import Document
from datatrove.pipeline.filters.gopher_quality_filter import GopherQualityFilter
from datatrove.pipeline.filters.gopher_repetition_filter import GopherRepetitionFilter
from datatrove.utils.text import split_into_words


def decide(text):
    document = Document(text=text, id="0")
    for rule in (GopherRepetitionFilter(), GopherQualityFilter()):
        verdict = rule.filter(document)
        if verdict is not True:
            return verdict[1]
    return "keep"


def change(r, lines):
    kind = r.randrange(12)
    share = r.choice([0.05, 0.15, 0.3, 0.5, 0.9])
    out = []
    for line in lines:
        hit = r.random() < share
        if hit and kind == 0:
            line = "- " + line
        elif hit and kind == 1:
            line += "..."
        elif hit and kind == 2:
            line += " # #"
        elif hit and kind == 3:
            line = " ".join(str(r.randrange(10000)) for _ in line.split())
        elif hit and kind == 4 and out:
            line = r.choice(out)
        elif hit and kind == 5:
            line += " my good lord of York and Lancaster"
        elif hit and kind == 6:
            line = " ".join(w[:2] for w in line.split())
        elif hit and kind == 7:
            line = "".join(line.split())
        elif hit and kind == 8:
            line = " ".join(w for w in line.split() if w not in "the be to of and that have with".split())
        elif hit and kind == 9:
            line += "\n"
        out.append(line)
    text = "\n".join(out)
    return text + "\n\n" + text if kind == 10 else text


def main():
    plays = open(sys.argv[1], encoding="utf-8").read().split("\n")
    r = random.Random(20)
    seen = {}
    for _ in range(4000):
        start = r.randrange(len(plays) - 100)
        text = change(r, plays[start:start + r.choice([6, 15, 25, 40])])
        reason = decide(text) if text.strip() else "empty"
        if reason == "empty" or seen.get(reason, 0) >= (12 if reason == "keep" else 5):
            continue
        seen[reason] = seen.get(reason, 0) + 1
        words = len(split_into_words(text, "eng"))
        print(json.dumps({"id": str(sum(seen.values())), "text": text, "created": reason, "source": str(words)}))


main()
