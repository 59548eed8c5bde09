#!/usr/bin/env python3
"""Makes tables.jsonl: tables as Python's csv module writes them, and the texts of the rows that it reads from them:
their fields joined with '~', without empty fields; rows of other than three fields are left out.

    python3 tables.py tables.jsonl

Each line: {"csv", "separator", "texts"}; the first row names the columns a, b, c. Made with Python 3.11.7."""
import csv
import io
import json
import random
import sys

random.seed(7)
ALPHABET = ["a", "B", "x y", "é", "漢", '"', '""', ",", ";", "\t", "\n", "\r\n", " ", "'", "", "0"]
out = open(sys.argv[1], "w", encoding="utf-8")
for case in range(150):
    separator = random.choice([",", ";", "\t", "|"])
    text = io.StringIO(newline="")
    w = csv.writer(text, delimiter=separator, lineterminator=random.choice(["\n", "\r\n", "\r"]),
                   quoting=random.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]))
    w.writerow(["a", "b", "c"])
    for row in range(random.randrange(1, 9)):
        w.writerow(["".join(random.choice(ALPHABET) for _ in range(random.randrange(4))) for _ in range(3)])
    rows = list(csv.reader(io.StringIO(text.getvalue(), newline=""), delimiter=separator))[1:]
    texts = ["~".join(field for field in row if field) for row in rows if len(row) == 3]
    texts = [t for t in texts if t.strip(" \t\r\n")]
    out.write(json.dumps({"csv": text.getvalue(), "separator": separator, "texts": texts}, ensure_ascii=False) + "\n")
