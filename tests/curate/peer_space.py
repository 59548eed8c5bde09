"""What NeMo Curator and Dolma themselves say of real documents, rule by rule, and what we say.

usage: peer_space.py TOOL CORPORA [--code]      compare (--code: only the profile `code`)
       peer_space.py golden FILE                 what the peers say of a few texts, for tests/curate/test_space_peer.c

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

def curator_modules(found=[]):
    if not found:
        found.append(enter_curator())
    return found[0]

def enter_curator():
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

C_MIME = "text/x-c"

def code_samples():
    return [(f"sample/{i}.{e}", t) for i, (e, t) in enumerate([
        ("py", "x = (1"), ("py", '"""a\n\n   b\n   c\n"""\n# hi\ndef f():\n    \'q\\n\\x41\' "z"\n'), ("c", "/* x"), ("c", 'a "b // c" // d\n/* e\nf */'),
        ("html", "<p>" + "a &amp; b " * 30 + "<script>x</script><!-- c --></p>"), ("py", "#" * 400), ("xml", '<?xml version="1.0"?>' + "\n" * 12)])]

def code_documents():
    out = list(python_files())[::2]
    for path in sorted(glob.glob("/usr/include/*.h") + glob.glob("/usr/include/*/*.h"))[::3]:
        out.append((path, open(path, encoding="utf-8", errors="replace").read()))
    for pattern in ("/usr/share/doc/**/*.html", "/usr/share/doc/**/*.c", "/usr/share/perl/**/*.pm", "/usr/lib/python3*/**/*.html"):
        out += [(p, open(p, encoding="utf-8", errors="replace").read()) for p in sorted(glob.glob(pattern, recursive=True))[:200] if os.path.isfile(p)]
    out += code_samples()
    return [(n, t.encode("utf-8", "replace").decode()) for n, t in out if 0 < len(t) < 60000]

def code_broken():
    curator_modules()
    code = importlib.import_module("nemo_curator.stages.text.filters.heuristic.code.code")
    from dolma.taggers.code.code_taggers import CodeRedPajamaTaggers
    from dolma.core.data_types import Document
    python, c = code.PythonCommentToCodeFilter(), code.GeneralCommentToCodeFilter(C_MIME)
    lines, xml, alpha, html = code.NumberOfLinesOfCodeFilter(), code.XMLHeaderFilter(), code.AlphaFilter(), code.HTMLBoilerplateFilter()
    redpajama = CodeRedPajamaTaggers()
    def broken(name, text):
        out = []
        def sided(f, key, low):
            score = f.score_document(text)
            if not f.keep_document(score):
                out.append(key + ("_min" if score < low else "_max"))
        if name.endswith(".py"):
            sided(python, "code_comment_ratio", .01)
        elif name.endswith((".c", ".h")):
            sided(c, "code_comment_ratio", .01)
        sided(lines, "code_num_lines", 10)
        for f, key in ((xml, "code_xml_header"), (alpha, "code_alpha_filter")) + (((html, "code_html_boilerplate"),) if name.endswith(".html") else ()):
            if not f.keep_document(f.score_document(text)):
                out.append(key)
        scores = {s.type: s.score for s in redpajama.predict(Document(source="x", id="x", text=text)).spans}
        out += [k for k, bad in (("code_max_line_length", scores["max_line_length_doc"] > 1000), ("code_avg_line_length", scores["avg_line_length_doc"] > 100),
                                 ("code_alnum_prop", scores["alnum_prop_doc"] < .25), ("code_alpha_token_prop", scores["alpha_token_prop_doc"] < 1.5)) if bad]
        return out
    return broken

def explain_code(text, reason):
    if "comment_ratio" in reason:
        try:
            compile(text, "x", "exec", 0x400, True)
        except (SyntaxError, ValueError):
            return "Python's own parser fails"
    if reason in ("code_max_line_length", "code_avg_line_length") and len(text.splitlines()) != len(text.split("\n")):
        return "other line ends than \\n, or a last one"
    return None

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

def golden(path):
    """Texts of this project's own, and damaged ones; nothing where the peer has no answer of its own."""
    top = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
    prose = open(top + "/DESIGN.md").read()
    texts = [prose[i:i + 1500] for i in range(0, 30000, 3000)]
    texts += [t + "\n" + t[:700] for t in texts[:3]] + [t.replace(" ", "\n") for t in texts[3:5]] + [t.replace(". ", "\u2026\n") for t in texts[5:7]]
    texts += ["\u2022 " + texts[7].replace("\n", "\n\u2022 "), texts[8].upper(), re.sub(r"\w+", lambda m: m[0] + "#" * (len(m[0]) % 3), texts[9])]
    texts += [(texts[0][:300] + "\n\n") * 3, texts[1] + " https://www.example.org/" + "a" * 900, " ".join(texts[2].split()[:200]) + " lorem ipsum",
              "privacy policy\n\n" + texts[4][:600] + "\n\nuses Cookies"] + SAMPLES
    chain, tag, code = curator_chain(), dolma_tagger(1), code_broken()
    with open(path, "w") as f:
        def put(id, text, profile, broken):
            if not any(b.endswith("!") for b in broken) and not any(ties_decide(text, f"curator_repeating_top_{n}grams") for n in (2, 3, 4) if profile == "curator-en"):
                f.write(json.dumps({"id": id, "text": text, "profile": profile, "broken": sorted(broken)}) + "\n")
        for i, text in enumerate(t for t in texts if t):
            put(f"{i}.txt", text, "curator-en", curator_broken(chain, text))
            put(f"{i}.txt", text, "gopher@dolma", [r for r in tag(text)[0] if "most_common" not in r])
        for id, text in [("peer_space.py", open(__file__).read()[:5000].rsplit("\ndef ", 1)[0] + "\n"), ("doc.h", open(top + "/curate/chain/doc.h").read()),
                         ("char_class.c", open(top + "/curate/text/char_class.c").read()[:3000].rsplit("/*", 1)[0])] + code_samples():
            if not explain_code(text, "comment_ratio") or not id.endswith(".py"):
                put(id, text, "code", code(id, text))

def main():
    if sys.argv[1] == "golden":
        return golden(sys.argv[2])
    tool, root = sys.argv[1:3]
    docs = [] if "--code" in sys.argv else documents(root)
    print(f"{len(docs)} documents, {sum(len(t.encode()) for _, t in docs) / 1e6:.1f} MB")
    bad = 0
    code = code_documents()
    broken = code_broken()
    start = time.process_time()
    peer = [broken(n, t) for n, t in code]
    print(f"code, both peers: {sum(len(t) for _, t in code) / 1e6 / (time.process_time() - start):.2f} MB/s of one core")
    bad += compare("code", code, peer, ours(tool, "{filter: {profile: code}}", code), explain_code)
    if "--code" in sys.argv:
        return 1 if bad else 0
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
