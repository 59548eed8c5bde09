"""What NeMo Curator and Dolma themselves say of real documents, rule by rule, and what we say.

usage: peer_space.py TOOL CORPORA [EVERY] [--code] [--curator] [--dolma]     compare every EVERY-th document (1); only these
       peer_space.py golden FILE                 what the peers say of a few texts, for tests/curate/test_space_peer.c

TOOL is tool_filter, CORPORA a folder with real text (clinical, general, evals, multilingual). All rules that are broken are
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

def curator_chain(scale=None):
    """The published list; scale: with other thresholds, smaller where that is the most, larger where it is the least."""
    s, r, top = curator_modules()
    chain = []
    path = top + "/config/text/heuristic_filter_english_pipeline.yaml"
    import yaml
    for stage in yaml.safe_load(open(path))["stages"] if os.path.exists(path) else []:
        if "filter_obj" in stage:
            args = dict(stage["filter_obj"])
            cls = args.pop("_target_").rsplit(".", 1)[1]
            for k, v in args.items() if scale else ():
                if isinstance(v, (int, float)) and not isinstance(v, bool) and k != "n":
                    least = "min" in k or "Repeated" in cls
                    args[k] = {"max_word_length": 14, "max_words": 400, "max_mean_word_length": 4.8, "min_mean_word_length": 4.4,
                               "max_bullet_lines_ratio": .1, "max_num_lines_ending_with_ellipsis_ratio": .01,
                               "max_boilerplate_string_ratio": .05, "max_parentheses_ratio": .01, "max_symbol_to_word_ratio": .005,
                               "max_url_to_text_ratio": .01, "min_num_common_words": 4}.get(k, v * (1 + scale / 10) if least else v / scale)
                elif k == "stop_at_false":
                    args[k] = False
            chain.append(getattr(s if hasattr(s, cls) else r, cls)(**args))
    return chain

TWO_SIDED = {"word_count": lambda f: f._min_words, "mean_word_length": lambda f: f._min_cutoff}

def curator_broken(chain, text):
    """Names of broken rules ("name!": the peer raises an exception), and all scores."""
    broken, scores = [], {}
    for f in chain:
        try:
            score = f.score_document(text)
        except (ZeroDivisionError, ValueError):
            broken.append(f.name + "!")
            continue
        sides = ("_min", "_max") if f.name in TWO_SIDED else ("",)
        scores.update({"curator_" + f.name + side: score for side in sides})
        if not f.keep_document(score):
            broken.append("curator_" + f.name + (sides[score >= TWO_SIDED[f.name](f)] if len(sides) > 1 else ""))
    return broken, scores

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
    """Rules that the scores break as `dolma tag` writes them, with five digits, and the scores as they are."""
    from dolma.taggers import gopher
    from dolma.core.data_types import Document, InputSpec
    tagger = {1: gopher.GopherTagger, 2: gopher.GopherTaggerV2}[version]()
    def broken(text):
        written = {name: rows[0][2] for name, rows in tagger.tag(InputSpec(id="x", text=text, source="x", version="x")).items()}
        scores = {s.type: s.score for s in tagger.predict(Document(source="x", id="x", text=text)).spans}
        return ([key for name, key, side, t in DOLMA if name in written and (written[name] < t if side == "<" else written[name] > t)],
                {key: scores[name] for name, key, _, _ in DOLMA if name in scores})
    return broken

def dolma_program(docs, version, misspelt):
    """What is left after `dolma tag` and `dolma mix`, with the Gopher rules of configs/dolma-v1_6/mixing/cc-middle.yaml; misspelt: the names
    of the commonest n-grams as they stand there."""
    import gzip, shutil, tempfile
    program = os.path.join(os.path.dirname(sys.executable), "dolma")
    folder = tempfile.mkdtemp()
    os.mkdir(folder + "/documents")
    with gzip.open(folder + "/documents/x.json.gz", "wt", compresslevel=1) as f:
        for i, (_, text) in enumerate(docs):
            f.write(json.dumps({"id": str(i), "text": text, "source": "x", "version": "1", "added": "2020-01-01T00:00:00.000Z"}) + "\n")
    rules = []
    for name, _, side, t in DOLMA:
        a = f"@.rules__gopher_v{version}__{name[:-1] if misspelt and 'most_common' in name else name}"
        rules.append(f"$.attributes[?({a} && {a}[0] && {a}[0][2] {side} {t})]")
    config = {"streams": [{"name": "x", "documents": [folder + "/documents/*.gz"], "attributes": ["rules"],
                           "output": {"path": folder + "/out", "max_size_in_bytes": 1 << 32, "min_text_length": 1},
                           "filter": {"include": [], "exclude": rules}}],
              "work_dir": {"input": folder + "/a", "output": folder + "/b"}, "processes": 1}
    json.dump(config, open(folder + "/mix.json", "w"))                # JSON is YAML
    for args in (["tag", "--documents", folder + "/documents/*.gz", "--taggers", f"gopher_v{version}", "--experiment", "rules", "--processes", "1"],
                 ["-c", folder + "/mix.json", "mix"]):
        p = subprocess.run([program] + args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if p.returncode:
            sys.exit(p.stdout.decode())
    kept = set()
    for path in glob.glob(folder + "/out/*.gz"):
        kept |= {int(json.loads(line)["id"]) for line in gzip.open(path)}
    shutil.rmtree(folder)
    return kept

C_MIME = "text/x-c"

def code_samples():
    return [(f"sample/{i}.{e}", t) for i, (e, t) in enumerate([
        ("py", "x = (1"), ("py", '"""a\n\n   b\n   c\n"""\n# hi\ndef f():\n    \'q\\n\\x41\' "z"\n'), ("c", "/* x"), ("c", 'a "b // c" // d\n/* e\nf */'),
        ("html", "<p>" + "a &amp; b " * 30 + "<script>x</script><!-- c --></p>"), ("py", 'class A(B): """One line."""\ndef f(x: int = 3): r"two"  # three\ndef g(): "four" + x\n'), ("py", "#" * 400), ("xml", '<?xml version="1.0"?>' + "\n" * 12)])]

def code_documents():
    out = list(python_files())
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
        out, values = [], {}
        def sided(f, key, low):
            score = values[key + "_min"] = values[key + "_max"] = f.score_document(text)
            if not f.keep_document(score):
                out.append(key + ("_min" if score < low else "_max"))
        if name.endswith(".py"):
            sided(python, "code_comment_ratio", .01)
        elif name.endswith((".c", ".h")):
            sided(c, "code_comment_ratio", .01)
        sided(lines, "code_num_lines", 10)
        for f, key in ((xml, "code_xml_header"), (alpha, "code_alpha_filter")) + (((html, "code_html_boilerplate"),) if name.endswith(".html") else ()):
            values[key] = f.score_document(text)
            if not f.keep_document(values[key]):
                out.append(key)
        scores = {s.type: s.score for s in redpajama.predict(Document(source="x", id="x", text=text)).spans}
        out += [k for k, bad in (("code_max_line_length", scores["max_line_length_doc"] > 1000), ("code_avg_line_length", scores["avg_line_length_doc"] > 100),
                                 ("code_alnum_prop", scores["alnum_prop_doc"] < .25), ("code_alpha_token_prop", scores["alpha_token_prop_doc"] < 1.5)) if bad]
        values.update({"code_" + k: scores[k + "_doc"] for k in ("alnum_prop", "alpha_token_prop")})
        # lines as Curator counts them in PerExtensionFilter
        values["code_max_line_length"], values["code_avg_line_length"] = code.PerExtensionFilter._line_statistics(None, text)
        return out, values
    return broken

def explain_code(text, reason, value=None):
    if "comment_ratio" in reason:
        try:
            compile(text, "x", "exec", 0x400, True)
        except (SyntaxError, ValueError):
            return "Python's own parser fails"
    if reason in ("code_max_line_length", "code_avg_line_length") and len(text.splitlines()) != len(text.split("\n")):
        return "other line ends than \\n, or a last one"
    return None

# ---- our options ----

GRAM_OPTIONS = [f"max-top-{n}-gram" for n in (2, 3, 4)] + [f"max-dup-{n}-gram" for n in (5, 6, 7, 8, 9, 10)]
DOLMA_OPTIONS = ("min-words max-words min-median-word-length max-median-word-length max-symbol-words min-alpha-words min-required-words "
                 "max-bullet-lines max-ellipsis-lines max-dup-lines max-dup-line-chars").split() + GRAM_OPTIONS
# by the filter's name; a pair has (least, most)
CURATOR_OPTIONS = dict({"alpha_numeric": "max-non-alphanumeric", "symbol_to_word": "max-symbol-words", "numbers_ratio": "max-digits",
                        "urls_ratio": "max-url-chars", "white_space": "max-white-space", "parentheses_ratio": "max-parentheses",
                        "boilerplate_string_ratio": "max-boilerplate-paragraphs", "repeated_lines": "min-distinct-lines",
                        "repeated_paragraphs": "min-distinct-paragraphs", "repeated_lines_char": "min-distinct-line-chars",
                        "repeated_paragraphs_char": "min-distinct-paragraph-chars", "word_count": ("min-words", "max-words"),
                        "punctuation": "max-lines-without-end", "words_without_alphabets": "min-alpha-words",
                        "common_english_words": "min-common-words", "mean_word_length": ("min-mean-word-length", "max-mean-word-length"),
                        "max_word_length": "max-word-length", "ellipsis": "max-ellipsis-lines", "bullet_ratio": "max-bullet-lines"},
                       **{f"repeating_{o[4:7]}_{o.split('-')[2]}gram{'s' * (o[4:7] == 'top')}": o for o in GRAM_OPTIONS})
CODE_OPTIONS = {"code_comment_ratio_min": ("min-comments", .05), "code_comment_ratio_max": ("max-comments", .4), "code_num_lines_min": ("min-lines", 60),
                "code_num_lines_max": ("max-lines", 700), "code_alpha_filter": ("min-alphabetic", .6), "code_html_boilerplate": ("min-html-text", .5),
                "code_max_line_length": ("max-line-length", 90), "code_avg_line_length": ("max-mean-line-length", 40),
                "code_alnum_prop": ("min-alphanumeric", .62), "code_alpha_token_prop": ("min-letters-per-token", 2.4)}

def step_of(profile, options):
    return "{filter: {profile: %s%s}}" % (profile, "".join(f", {k}: {v}" for k, v in options.items()))

def other_curator():
    """The peer's filters with other thresholds, and ours with the same."""
    chain, options = curator_chain(2), {}
    for f in chain:
        names = CURATOR_OPTIONS[f.name]
        values = [v for k, v in vars(f).items() if re.fullmatch("_(cutoff|m(in|ax)_(words|cutoff|word_length|paragraphs_char_ratio|"
                                                                "repeated_paragraphs_ratio|repeated_paragraphs_char_ratio|"
                                                                "boilerplate_string_ratio|parentheses_ratio))", k)]
        assert len(values) == (2 if isinstance(names, tuple) else 1), (f.name, vars(f))
        options.update(zip(names if isinstance(names, tuple) else [names], values))
    return chain, step_of("curator-en", options)

# ---- comparing ----

def ours(tool, step, docs):
    lines = "".join(json.dumps({"id": n, "text": t}) + "\n" for n, t in docs)
    p = subprocess.run([tool, "--rules", "[" + step + "]"], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(x) for x in p.stdout.decode().splitlines()]

def tied_values(text, reason):
    """What the rule may find where n-grams are equally common; nothing where one is commonest."""
    m = re.fullmatch(r"curator_repeating_top_(\d)grams", reason)
    if not m:
        return []
    n, words, counts = int(m[1]), text.split(), {}
    for g in zip(*[words[i:] for i in range(n)]):
        counts[g] = counts.get(g, 0) + 1
    most = max(counts.values(), default=0)
    found = {(len(text) - len(text.replace(" ".join(g), ""))) / len(text) for g, c in counts.items() if c == most}
    return sorted(found) if len(found) > 1 else []

def ties_decide(text, reason, limits={"2": .2, "3": .18, "4": .16}):
    found = tied_values(text, reason)
    return bool(found) and (found[0] > limits[reason[22]]) != (found[-1] > limits[reason[22]])

def explain_curator(text, reason, value=None):
    """value: ours, where it is another, which must be one of those of a tie."""
    found = tied_values(text, reason)
    if found and (value is None or min(abs(value - v) for v in found) < 1e-9):
        return "a tie between n-grams"
    if text == "":
        return "an empty text"
    if not text.strip():
        return "white space alone"
    return None

def compare(name, docs, peer, mine, explain):
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

def compare_values(name, docs, peer, mine, explain, limits={}):
    """Not only what is broken: every number that a rule looks at. limits: the peer stops counting there."""
    count = bad = 0
    explained, unused = {}, set(mine[0]["values"]) if mine else set()
    for (id, text), scores, our in zip(docs, peer, mine):
        for rule, score in scores.items():
            if rule not in our["values"]:
                if text:
                    bad += 1
                    print(f"  {name}: {id}: no value of {rule}")
                continue
            unused.discard(rule)
            count += 1
            value = min(our["values"][rule], limits.get(rule, float("inf")))
            if abs(value - score) > 1e-9 * max(1, abs(score)):
                why = explain(text, rule, value)
                explained[why] = explained.get(why, 0) + 1
                if why is None:
                    bad += 1
                    print(f"  {name}: {id}: {rule} is {value}, the peer's {score}")
    print(f"{name}: {count} values; others explained {explained}, not explained {bad}")
    if unused:
        print("  never compared:", sorted(unused))
    return bad + len(unused)

def compare_changed(name, docs, before, peer, mine, explain):
    """With other thresholds; each rule must break for other documents than before, or its option was not tested."""
    bad = compare(name, docs, peer, mine, explain)
    rules = sorted({r for b in [*before, *peer] for r in b if not r.endswith("!")})
    unseen = [r for r in rules if [r in b for b in before] == [r in b for b in peer]]
    print(f"  {len(rules)} thresholds changed, {len(rules) - len(unseen)} of them break for other documents; not:", unseen)
    return bad + (len(unseen) if len(docs) > 1000 else len(unseen) > len(rules) / 2)

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
            put(f"{i}.txt", text, "curator-en", curator_broken(chain, text)[0])
            put(f"{i}.txt", text, "gopher@dolma", [r for r in tag(text)[0] if "most_common" not in r])
        for id, text in [("peer_space.py", open(__file__).read()[:5000].rsplit("\ndef ", 1)[0] + "\n"), ("doc.h", open(top + "/curate/chain/doc.h").read()),
                         ("char_class.c", open(top + "/curate/text/char_class.c").read()[:3000].rsplit("/*", 1)[0])] + code_samples():
            if not explain_code(text, "comment_ratio") or not id.endswith(".py"):
                put(id, text, "code", code(id, text)[0])

def check_code(tool, every):
    code = code_documents()[::every]
    broken = code_broken()
    start = time.process_time()
    peer, scores = zip(*(broken(n, t) for n, t in code))
    print(f"code, both peers: {sum(len(t) for _, t in code) / 1e6 / (time.process_time() - start):.2f} MB/s of one core")
    mine = ours(tool, step_of("code", {}), code)
    bad = compare("code", code, peer, mine, explain_code)
    bad += compare_values("code", code, scores, mine, explain_code)
    changed = [[r for r in list(s) if (s[r] < CODE_OPTIONS[r][1] if CODE_OPTIONS[r][0].startswith("min") else s[r] > CODE_OPTIONS[r][1])]
               for s in ({r: v for r, v in s.items() if r in CODE_OPTIONS} for s in scores)]
    step = step_of("code", dict([*CODE_OPTIONS.values(), ("max-xml-headers", 2)]))
    return bad + compare_changed("code, other thresholds", code, [[r for r in b if r != "code_xml_header"] for b in peer], changed,
                                 ours(tool, step, code), explain_code)

def check_curator(tool, docs):
    chain = curator_chain()
    assert len(chain) == 28, chain
    peer, scores = zip(*timed("Curator", docs, lambda t: curator_broken(chain, t)))
    mine = ours(tool, step_of("curator-en", {}), docs)
    bad = compare("curator-en", docs, peer, mine, explain_curator)
    bad += compare_values("curator-en", docs, scores, mine, explain_curator, {"curator_common_english_words": 2})
    other, step = other_curator()
    some = slice(0, None, 3)
    changed = [curator_broken(other, t)[0] for _, t in docs[some]]
    return bad + compare_changed("curator-en, other thresholds", docs[some], peer[some], changed, ours(tool, step, docs[some]), explain_curator)

def check_dolma(tool, docs, version, lines):
    name = f"gopher@dolma, lines {lines}"
    def explain(text, reason, value=None):
        return "an empty text" if text == "" else None
    peer, scores = zip(*timed(f"Dolma gopher_v{version}", docs, dolma_tagger(version)))
    mine = ours(tool, step_of("gopher@dolma", {"lines": lines, "top-n-grams": "true"}), docs)
    bad = compare(name, docs, peer, mine, explain) + compare_values(name, docs, scores, mine, explain)
    limits = {key: round(t * (1.25 if side == "<" else .5), 3) for _, key, side, t in DOLMA}
    limits.update(dolma_word_count_max=400, dolma_median_word_length_max=4, dolma_median_word_length_min=4, dolma_required_word_count=4,
                  dolma_lines_starting_with_bullet_point=.05, dolma_symbol_to_word_ratio=.01, dolma_lines_ending_with_ellipsis=.05)
    sides = {key: side for _, key, side, _ in DOLMA}
    changed = [[r for r, v in s.items() if (round(float(v), 5) < limits[r] if sides[r] == "<" else round(float(v), 5) > limits[r])] for s in scores]
    options = dict(zip(DOLMA_OPTIONS, (limits[key] for _, key, _, _ in DOLMA)), lines=lines)
    options["top-n-grams"] = "true"
    bad += compare_changed(name + ", other thresholds", docs, peer, changed, ours(tool, step_of("gopher@dolma", options), docs), explain)
    for misspelt in (True, False):
        kept = dolma_program(docs, version, misspelt)
        mine = ours(tool, step_of("gopher@dolma", {"lines": lines, "top-n-grams": str(not misspelt).lower()}), docs)
        wrong = [id for i, ((id, _), our) in enumerate(zip(docs, mine)) if (i in kept) != (not our["broken"])]
        print(f"`dolma tag` and `dolma mix`, gopher_v{version}, {'as published' if misspelt else 'names mended'}: {len(docs)} documents, "
              f"{len(kept)} kept, other fate {len(wrong)}", wrong[:5])
        bad += len(wrong)
    return bad

def main():
    args = [a for a in sys.argv[1:] if not a.startswith("--")]
    if args[0] == "golden":
        return golden(args[1])
    tool, every = args[0], int(args[2]) if len(args) > 2 else 1
    docs = documents(args[1])[::every]
    real = sum("#damaged" not in id and not id.startswith("sample/") for id, _ in docs)
    print(f"{len(docs)} documents, {real} of them as they are, {sum(len(t.encode()) for _, t in docs) / 1e6:.1f} MB")
    parts = {"--code": lambda: check_code(tool, every), "--curator": lambda: check_curator(tool, docs),
             "--dolma": lambda: check_dolma(tool, docs, 1, "all") + check_dolma(tool, docs, 2, "filled")}
    chosen = [a for a in sys.argv[1:] if a in parts] or list(parts)
    return 1 if sum(parts[part]() for part in chosen) else 0

if __name__ == "__main__":
    sys.exit(main())
