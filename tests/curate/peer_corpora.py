"""Real documents for the peers' tests, from the corpora that lie beside the source (see the README's chapter on tests): articles,
medical questions, clinical notes, declarations of human rights in 460 languages, web pages. Yields (id, text).
"""
import bz2
import csv
import gzip
import html
import io
import json
import os
import re
import tarfile
import xml.etree.ElementTree as ET


def members(path, ending):
    with tarfile.open(path) as tar:          # read in the archive's order: each step back would unpack it anew
        found = {m.name: tar.extractfile(m).read() for m in tar if m.isfile() and m.name.endswith(ending)}
    return sorted(found.items())


def wikitext(root):
    for name in ("valid", "test"):
        text = open(os.path.join(root, "general", f"wikitext-2.{name}.txt"), encoding="utf-8").read()
        for i, article in enumerate(re.split(r"\n(?= = [^=].* = \n)", text)):
            yield f"wikitext-{name}-{i}", article


def shakespeare(root):
    lines = open(os.path.join(root, "general", "tinyshakespeare.txt"), encoding="utf-8").read().split("\n\n")
    for i in range(0, len(lines), 40):
        yield f"shakespeare-{i}", "\n\n".join(lines[i:i + 40])


def medquad(root):
    for name, data in members(os.path.join(root, "clinical", "medquad.tar.gz"), ".xml"):
        parts = []
        for pair in ET.fromstring(data).iter("QAPair"):
            parts += [pair.findtext("Question") or "", pair.findtext("Answer") or ""]
        text = "\n\n".join(p.strip() for p in parts if p.strip())
        if text:
            yield "medquad-" + name, text


def notes(root):
    folder = os.path.join(root, "clinical", "mts-dialog")
    for name in sorted(os.listdir(folder)):
        for i, row in enumerate(csv.DictReader(open(os.path.join(folder, name), encoding="utf-8"))):
            yield f"mts-{name}-{i}", (row.get("section_text") or "") + "\n\n" + (row.get("dialogue") or "")
    for name, data in members(os.path.join(root, "clinical", "aci-bench.tar.gz"), ".csv"):
        for i, row in enumerate(csv.DictReader(io.StringIO(data.decode("utf-8", "replace")))):
            if row.get("note"):
                yield f"aci-{name}-{i}", row["note"]
    for name, data in members(os.path.join(root, "clinical", "primock57.tar.gz"), ".json"):
        yield "primock-" + name, str(json.loads(data).get("note", ""))


def udhr(root):
    for name, data in members(os.path.join(root, "multilingual", "udhr-xml.tar.gz"), ".xml"):
        try:
            tree = ET.fromstring(data)
        except ET.ParseError:
            continue
        text = "\n".join(t.strip() for t in tree.itertext() if t.strip())
        if text:
            yield "udhr-" + name, text


def stories(root):
    for i, line in enumerate(open(os.path.join(root, "evals", "lambada_test.jsonl"), encoding="utf-8")):
        if i % 8 == 0:
            yield f"lambada-{i}", json.loads(line)["text"]


def visible(page):
    page = re.sub(r"(?is)<(script|style)\b.*?</\1>", " ", page)
    page = re.sub(r"(?i)</?(p|div|br|li|tr|h\d|ul|ol|table|section|article)\b[^>]*>", "\n", page)
    return html.unescape(re.sub(r"<[^>]*>", "", page))


def web(root):
    data = gzip.open(os.path.join(root, "web", "whirlwind.warc.gz")).read()
    for i, record in enumerate(data.split(b"WARC/1.0\r\n")[1:]):
        body = record.split(b"\r\n\r\n", 2)[-1]
        yield f"web-{i}", visible(body.decode("utf-8", "replace"))


def documents(root):
    for part in (wikitext, shakespeare, medquad, notes, udhr, stories, web):
        for name, text in part(root):
            text = text.replace("\0", "")
            if text:
                yield name, text
