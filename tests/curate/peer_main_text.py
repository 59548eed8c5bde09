"""Scores main-text extraction on labelled pages: ours beside the peers that are installed.

FOLDER is a checkout of scrapinghub/article-extraction-benchmark (ground-truth.json, html/ID.html.gz), or any folder of that
form. Two scores a tool, each a mean over pages:
  token F1   overlap of the bags of words (\\w+, lower case) of what came out and of what a person marked
  shingles   the benchmark's own: F1 of mean precision and mean recall of 4-word shingles
Pages are halved by a hash of their name into `dev`, on which rules may be tuned, and `test`, on which they may not.

  peer_main_text.py FOLDER [--tundish PROGRAM] [--tools NAME,...] [--half dev|test] [--worst N] [--least F1] [--show ID]
"""
import argparse
import collections
import gzip
import hashlib
import json
import os
import re
import resource
import subprocess
import sys
import tempfile

WORD = re.compile(r"\w+")


def words(text):
    return WORD.findall((text or "").lower())


def token_f1(want, got):
    """1 when both are empty; else 2 * common / all."""
    want, got = words(want), words(got)
    if not want and not got:
        return 1.0
    common = sum((collections.Counter(want) & collections.Counter(got)).values())
    return 2.0 * common / (len(want) + len(got))


def shingles(text):
    w = WORD.findall(text or "")
    return collections.Counter(tuple(w[i:i + 4]) for i in range(max(1, len(w) - 3)) if w[i:i + 4])


def shingle_scores(want, got):
    """Precision (None: nothing came out) and recall (None: nothing was wanted)."""
    want, got = shingles(want), shingles(got)
    common = sum((want & got).values())
    wanted, found = sum(want.values()), sum(got.values())
    return (common / found if found else None), (common / wanted if wanted else None)


def mean(values):
    values = [v for v in values if v is not None]
    return sum(values) / len(values) if values else 0.0


def processor_seconds():
    """Of this process and those it waited for: other programs on the machine do not count."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def half_of(name):
    return ("dev", "test")[hashlib.sha256(name.encode()).digest()[0] & 1]


# ---- the tools: pages {id: bytes} -> texts {id: str} ----

def run_tundish(program, pages):
    with tempfile.TemporaryDirectory() as tmp:
        os.mkdir(f"{tmp}/in")
        for name, page in pages.items():
            with open(f"{tmp}/in/{name}.html", "wb") as f:
                f.write(page)
        with open(f"{tmp}/job.yaml", "w") as f:
            f.write("steps: [extract]\n")
        subprocess.run([program, "curate", f"{tmp}/in", "--config", f"{tmp}/job.yaml", "--out", f"{tmp}/out", "--threads", "1",
                        "--quiet"], check=True)
        parts = sorted(f"{tmp}/out/{f}" for f in os.listdir(f"{tmp}/out") if f.endswith(".jsonl.zst"))
        lines = subprocess.run(["zstd", "-dc"] + parts, check=True, capture_output=True).stdout.splitlines()
    texts = {}
    for line in lines:
        d = json.loads(line)
        texts[os.path.basename(d["id"])[:-len(".html")]] = d["text"]
    return texts


def each_page(fn):
    def run(pages):
        texts = {}
        for name, page in pages.items():
            texts[name] = fn(page) or ""
        return texts
    return run


def peer_tools():
    """The peers that are installed, {name: function}."""
    tools = {}

    def add(name, make):
        try:
            tools[name] = each_page(make())
        except ImportError as e:
            print(f"not installed: {name} ({e})", file=sys.stderr)

    def trafilatura(**options):
        def make():
            from trafilatura import extract
            return lambda page: extract(page.decode("utf-8", "replace"), **options)
        return make

    def resiliparse():
        from resiliparse.extract.html2text import extract_plain_text
        return lambda page: extract_plain_text(page.decode("utf-8", "replace"), main_content=True)

    def justext():
        import justext as j
        stop = j.get_stoplist("English")
        return lambda page: "\n".join(p.text for p in j.justext(page.decode("utf-8", "replace"), stop) if not p.is_boilerplate)

    def readability():
        from lxml import html
        from readability import Document

        def text(page):
            return html.fromstring(Document(page.decode("utf-8", "replace")).summary()).text_content()
        return text

    add("trafilatura", trafilatura(include_comments=False))
    add("trafilatura-precision", trafilatura(favor_precision=True, include_comments=False, deduplicate=False))
    add("resiliparse", resiliparse)
    add("justext", justext)
    add("readability", readability)
    return tools


# ---- scoring ----

def report(name, want, got, seconds, size):
    for half in ("dev", "test", None):
        ids = [i for i in want if half in (None, half_of(i))]
        f1 = mean(token_f1(want[i], got.get(i)) for i in ids)
        pairs = [shingle_scores(want[i], got.get(i)) for i in ids]
        p, r = mean(a for a, _ in pairs), mean(b for _, b in pairs)
        print(f"{name:24} {half or 'all':5} pages {len(ids):5}  token F1 {f1:.4f}   shingles F1 {2 * p * r / (p + r or 1):.4f} "
              f"precision {p:.4f} recall {r:.4f}" + (f"   {size / seconds / 1e6:.2f} MB/s of processor time" if half is None else ""))


def difference(want, got):
    """Lines of either that the other has not got, longest runs of words only."""
    w, g = collections.Counter(words(want)), collections.Counter(words(got))
    missing = [l for l in want.splitlines() if words(l) and sum((collections.Counter(words(l)) & (w - g)).values()) * 2 > len(words(l))]
    extra = [l for l in got.splitlines() if words(l) and sum((collections.Counter(words(l)) & (g - w)).values()) * 2 > len(words(l))]
    return missing, extra


def show_worst(want, got, half, count, width=150, lines=8):
    ids = sorted((i for i in want if half in (None, half_of(i))), key=lambda i: token_f1(want[i], got.get(i)))
    for i in ids[:count]:
        missing, extra = difference(want[i], got.get(i, ""))
        print(f"\n{i} {token_f1(want[i], got.get(i)):.3f}  words wanted {len(words(want[i]))}, got {len(words(got.get(i)))}")
        for mark, some in (("-", missing), ("+", extra)):
            for line in some[:lines]:
                print(f"  {mark} {line[:width]}")


def main():
    a = argparse.ArgumentParser()
    a.add_argument("folder")
    a.add_argument("--tundish", default=os.environ.get("TUNDISH", "tundish"))
    a.add_argument("--tools", help="names; default: all")
    a.add_argument("--half", choices=("dev", "test"))
    a.add_argument("--worst", type=int, default=0)
    a.add_argument("--least", type=float, help="fails unless ours has this token F1 on all pages")
    a.add_argument("--show", help="prints what was wanted and what came out of one page")
    args = a.parse_args()
    truth = json.load(open(f"{args.folder}/ground-truth.json", encoding="utf-8"))
    want = {i: t.get("articleBody", "") for i, t in truth.items()}
    pages = {i: gzip.open(f"{args.folder}/html/{i}.html.gz").read() for i in want}
    size = sum(len(p) for p in pages.values())
    tools = {"tundish": lambda p: run_tundish(args.tundish, p)}
    if args.tools != "tundish":
        tools.update(peer_tools())
    for name, tool in tools.items():
        if args.tools and name not in args.tools.split(","):
            continue
        start = processor_seconds()
        got = tool(pages)
        if args.show:
            print(f"==== wanted\n{want[args.show]}\n==== {name}\n{got.get(args.show, '')}")
            continue
        report(name, want, got, processor_seconds() - start, size)
        if args.worst:
            show_worst(want, got, args.half, args.worst)
        if name == "tundish" and args.least is not None and mean(token_f1(want[i], got.get(i)) for i in want) < args.least:
            sys.exit(f"our token F1 is under {args.least}")


if __name__ == "__main__":
    main()
