"""What NeMo Curator and Dolma themselves say of real documents, rule by rule, and what we say.

usage: peer_space.py TOOL CORPORA [--golden FILE]

TOOL is tool_filter_rules, CORPORA a folder with real text (clinical, general, evals, multilingual). All rules that are broken are
compared, not only the first. The peers' classes are run as they are; Curator's packages are entered without their __init__, which
would start Ray. Prints a table and each difference; fails on any that docs/parity.md does not explain.
"""
import csv, glob, io, json, os, re, subprocess, sys, tarfile, time, types, warnings
import importlib, importlib.util

warnings.filterwarnings("ignore")
csv.field_size_limit(1 << 24)

# ---- documents ----

def tar_members(path, pattern):
    with tarfile.open(path) as t:
        for m in t:
            if m.isfile() and re.search(pattern, m.name):
                yield m.name, t.extractfile(m).read().decode("utf-8", "replace")

def xml_text(s):
    return re.sub(r"<[^>]*>", "", s)

def prose(root):
    for name in ("wikitext-2.valid.txt", "wikitext-2.test.txt"):
        text = open(f"{root}/general/{name}", encoding="utf-8").read()
        for i, article in enumerate(re.split(r"(?m)^(?= = [^=])", text)):
            yield f"wikitext/{name}/{i}", article
    plays = open(f"{root}/general/tinyshakespeare.txt", encoding="utf-8").read()
    for i in range(0, len(plays), 12000):
        yield f"shakespeare/{i}", plays[i:i + 4000]
    for i, (name, s) in enumerate(tar_members(f"{root}/clinical/medquad.tar.gz", r"\.xml$")):
        if i % 14 == 0:
            yield name, xml_text(s)
        if i % 96 == 1:
            yield name + "#xml", s
    for path in sorted(glob.glob(f"{root}/clinical/mts-dialog/*.csv")):
        with open(path, encoding="utf-8", errors="replace", newline="") as f:
            for i, row in enumerate(csv.DictReader(f)):
                if i % 3 == 0:
                    yield f"{os.path.basename(path)}/{i}/dialogue", row.get("dialogue") or ""
                    yield f"{os.path.basename(path)}/{i}/section", row.get("section_text") or ""
    for archive in ("aci-bench", "primock57"):
        for name, s in tar_members(f"{root}/clinical/{archive}.tar.gz", r"\.(txt|csv|json|md|TextGrid)$"):
            yield name, s[:8000]
    for i, (name, s) in enumerate(tar_members(f"{root}/multilingual/udhr-xml.tar.gz", r"\.xml$")):
        if i % 2:
            yield name, (xml_text(s) if i % 8 != 1 else s)[:6000]
    with open(f"{root}/evals/pubmedqa_ori_pqal.json") as f:
        for k, v in list(json.load(f).items())[::2]:
            yield f"pubmedqa/{k}", "\n".join(v["CONTEXTS"] + [v["LONG_ANSWER"]])
    with open(f"{root}/evals/gsm8k_test.jsonl") as f:
        for i, line in enumerate(f):
            if i % 10 == 0:
                yield f"gsm8k/{i}", line
    for path in sorted(glob.glob("/usr/share/doc/*/copyright"))[:100] + sorted(glob.glob("/usr/share/perl/5*/pod/*.pod"))[:40]:
        yield path, open(path, encoding="utf-8", errors="replace").read()[:8000]

def python_files():
    top = os.path.dirname(os.__file__)
    for path in sorted(glob.glob(top + "/*.py") + glob.glob(top + "/*/*.py")):
        if "site-packages" not in path and "dist-packages" not in path:
            yield path, open(path, encoding="utf-8", errors="replace").read()

SAMPLES = ["", " ", "\n\n", "one", "the be", "lorem ipsum", "A\u00a0B\u2003C\u3000D\x1cE\x85F\u2028G", "#### ## # ... […] [...] -» (...)",
           "\u24b6\u0903 \u2167 \u0661 \ufe0f", "read More\nx … \n• a\n•b\n‣ c", "see https://a.b/%41?q=(x)!*, and http:// https://x<y>http://z%4",
           "PRIVACY Policy\n\ntext\n\n\n\nuse of Cookies", "a b a b a b", "\n\n\n\na\n\n\n", "⟨x⟩ {y} [z]"]

def documents(root):
    out = []
    for name, text in prose(root):
        out.append((name, text))
    out += list(python_files())[:600:8]
    real = [d for d in out if 300 < len(d[1]) < 20000]
    for i, (name, text) in enumerate(real[::9]):            # the same, damaged: rules that real text seldom breaks
        half = len(text) // 2
        kinds = (text + "\n" + text[:half], text[:half] + "\n\n" + text[:half] + "\n\n" + text[half:], text.replace(" ", "\n", i % 400),
                 text[:half].replace(". ", "…\n"), "• " + text.replace("\n", "\n• "), re.sub(r"\w+", lambda m: m[0] + "#" * (len(m[0]) % 3), text),
                 " ".join(text.split()[:60]) + " https://www.example.org/" + "a" * half, text.upper())
        out.append((f"{name}#damaged{i % len(kinds)}", kinds[i % len(kinds)]))
    out += [(f"sample/{i}", s) for i, s in enumerate(SAMPLES)]
    return [(n, t.encode("utf-8", "replace").decode()) for n, t in out]

# ---- peers ----

def curator_modules():
    spec = importlib.util.find_spec("nemo_curator")
    top = os.path.dirname(spec.origin)
    for package in ("", ".stages", ".stages.text", ".stages.text.utils", ".stages.text.filters", ".stages.text.filters.heuristic",
                    ".stages.text.filters.heuristic.repetition", ".stages.text.filters.heuristic.code"):
        m = types.ModuleType("nemo_curator" + package)
        m.__path__ = [top + package.replace(".", "/")]
        sys.modules["nemo_curator" + package] = m
    base = "nemo_curator.stages.text.filters.heuristic."
    return importlib.import_module(base + "string"), importlib.import_module(base + "repetition.repetition"), top

def curator_chain():
    s, r, top = curator_modules()
    chain = []
    path = top + "/config/text/heuristic_filter_english_pipeline.yaml"
    import yaml
    for stage in yaml.safe_load(open(path))["stages"] if os.path.exists(path) else []:
        if "filter_obj" in stage:
            args = dict(stage["filter_obj"])
            cls = args.pop("_target_").rsplit(".", 1)[1]
            chain.append(getattr(s if hasattr(s, cls) else r, cls)(**args))
    return chain

TWO_SIDED = {"word_count": 50, "mean_word_length": 3}

def curator_broken(chain, text):
    broken = []
    for f in chain:
        try:
            score = f.score_document(text)
        except (ZeroDivisionError, ValueError):
            broken.append(f.name + "!")
            continue
        if not f.keep_document(score):
            side = "" if f.name not in TWO_SIDED else "_min" if score < TWO_SIDED[f.name] else "_max"
            broken.append("curator_" + f.name + side)
    return broken

DOLMA = [("word_count", "dolma_word_count_min", "<", 50), ("word_count", "dolma_word_count_max", ">", 100000),
         ("median_word_length", "dolma_median_word_length_min", "<", 3), ("median_word_length", "dolma_median_word_length_max", ">", 10),
         ("symbol_to_word_ratio", "dolma_symbol_to_word_ratio", ">", 0.1),
         ("fraction_of_words_with_alpha_character", "dolma_words_with_alpha_character", "<", 0.8),
         ("required_word_count", "dolma_required_word_count", "<", 2),
         ("fraction_of_lines_starting_with_bullet_point", "dolma_lines_starting_with_bullet_point", ">", 0.9),
         ("fraction_of_lines_ending_with_ellipsis", "dolma_lines_ending_with_ellipsis", ">", 0.3),
         ("fraction_of_duplicate_lines", "dolma_duplicate_lines", ">", 0.3),
         ("fraction_of_characters_in_duplicate_lines", "dolma_characters_in_duplicate_lines", ">", 0.3)] + \
        [(f"fraction_of_characters_in_most_common_{n}grams", f"dolma_most_common_{n}grams", ">", t) for n, t in ((2, .2), (3, .18), (4, .16))] + \
        [(f"fraction_of_characters_in_duplicate_{n}grams", f"dolma_duplicate_{n}grams", ">", t)
         for n, t in ((5, .15), (6, .14), (7, .13), (8, .12), (9, .11), (10, .1))]

def dolma_tagger(version):
    from dolma.taggers import gopher
    from dolma.core.data_types import Document
    tagger = {1: gopher.GopherTagger, 2: gopher.GopherTaggerV2}[version]()
    def broken(text):
        spans = {s.type: s.score for s in tagger.predict(Document(source="x", id="x", text=text)).spans}
        return [key for name, key, side, t in DOLMA if name in spans and (spans[name] < t if side == "<" else spans[name] > t)], spans
    return broken

# ---- comparing ----

def ours(tool, step, docs):
    lines = "".join(json.dumps({"id": n, "text": t}) + "\n" for n, t in docs)
    p = subprocess.run([tool, step], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(x) for x in p.stdout.decode().splitlines()]

def ties_decide(text, reason):
    """Would another of equally common n-grams decide otherwise?"""
    m = re.fullmatch(r"curator_repeating_top_(\d)grams", reason)
    if not m:
        return False
    n = int(m[1])
    limit = {2: .2, 3: .18, 4: .16}[n]
    words = text.split()
    counts = {}
    for g in zip(*[words[i:] for i in range(n)]):
        counts[g] = counts.get(g, 0) + 1
    most = max(counts.values(), default=0)
    fates = {(len(text) - len(text.replace(" ".join(g), ""))) / len(text) > limit for g, c in counts.items() if c == most}
    return len(fates) > 1

def explain_curator(text, reason):
    if ties_decide(text, reason):
        return "a tie between n-grams"
    if text == "":
        return "an empty text"
    if not text.strip():
        return "white space alone"
    return None

def compare(name, docs, peer, mine, explain=lambda text, reason: None):
    kept = differ = other_fate = bad = 0
    reasons, explained = {}, {}
    for (id, text), theirs, our in zip(docs, peer, mine):
        a, b = set(theirs), set(our["broken"])
        kept += not a
        for r in a:
            reasons[r] = reasons.get(r, 0) + 1
        if a == b:
            continue
        differ += 1
        other_fate += (not a) != (not b)
        why = {explain(text, r) for r in a ^ b}
        if None in why:
            bad += 1
            print(f"  {name}: {id}: peer only {sorted(a - b)}, ours only {sorted(b - a)}", {r: our['values'].get(r) for r in a ^ b})
        else:
            for w in why:
                explained[w] = explained.get(w, 0) + 1
    print(f"{name}: {len(docs)} documents, the peer keeps {kept}; other reasons {differ} (other fate {other_fate}), explained {explained}, "
          f"not explained {bad}")
    print("  drops by reason:", dict(sorted(reasons.items(), key=lambda x: -x[1])))
    return bad

def timed(name, docs, fn):
    start = time.process_time()
    out = [fn(t) for _, t in docs]
    seconds = time.process_time() - start
    print(f"{name}: {sum(len(t.encode()) for _, t in docs) / 1e6 / seconds:.2f} MB/s of one core")
    return out

def main():
    tool, root = sys.argv[1:3]
    docs = documents(root)
    print(f"{len(docs)} documents, {sum(len(t.encode()) for _, t in docs) / 1e6:.1f} MB")
    bad = 0
    chain = curator_chain()
    assert len(chain) == 28, chain
    peer = timed("Curator", docs, lambda t: curator_broken(chain, t))
    bad += compare("curator-en", docs, peer, ours(tool, "{filter: {profile: curator-en}}", docs), explain_curator)
    for version, lines in ((1, "all"), (2, "filled")):
        tag = dolma_tagger(version)
        peer = [x[0] for x in timed(f"Dolma gopher_v{version}", docs, tag)]
        mine = ours(tool, f"{{filter: {{profile: gopher@dolma, lines: {lines}, top-n-grams: true}}}}", docs)
        bad += compare(f"gopher@dolma, lines {lines}", docs, peer, mine, lambda text, r: "an empty text" if text == "" else None)
    return 1 if bad else 0

if __name__ == "__main__":
    sys.exit(main())
