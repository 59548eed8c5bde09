"""The schemas against the metaschema, good files, and files that are wrong in one place each."""
import json
import re
import sys

import jsonschema
import yaml


class Core(yaml.SafeLoader):
    """Plain scalars as YAML 1.2's core schema has them: PyYAML's own are those of 1.1."""


Core.yaml_implicit_resolvers = {}
for tag, pattern, first in [
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("null", r"null|Null|NULL|~|", ["n", "N", "~", ""]),
]:
    Core.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), list(first))

STAGE = "stages: {c: {uses: curate, with: {in: notes}}, s: {%s}}\n"
GOOD = [
    "stages: {c: {uses: curate, with: {in: [a, b]}}}",
    STAGE % "uses: tokenizer.train, with: {corpus: '@c', vocab: '${v}'}",
    STAGE % "uses: tokenizer train, with: {corpus: '@c'}",
    STAGE % "uses: train, with: {store: '@t', batch_tokens: 4096, model: {kv_heads: 2, width: 64}}",
    STAGE % "uses: train, with: {store: '@t', model.width: 64, lr: 1e-3}",
    STAGE % "uses: curate, with: {sources: [a, {path: b, include: ['*.md']}], memory: 512M}",
    STAGE % "uses: curate, with: {sources: notes, steps: [normalize, {dedup: {method: '${m}'}}]}",
    STAGE % "uses: curate, with: {in: a, steps: [{extract: }]}",
    STAGE % "uses: curate, with: {in: a, steps: [{filter: fineweb}, {language: [en]}, {command: [cat]}, {sample: 0.1}]}",
    STAGE % "run: [python3, work.py, '{out}'], in: {notes: '@c'}, needs: c, timeout: 1h30m, retry: 2",
    STAGE % "uses: train, with: {store: t}, resources: {ranks: 2, threads: 4, memory: 4G, time: 2d}",
    STAGE % "uses: train, with: {store: t}, retry: {times: 3, on: [exit, memory], wait: 10s, factor: 2, most: 5m}",
    STAGE % "uses: train, with: {store: t, lr: '${lr}'}, matrix: {lr: [1e-3, 3e-4]}",
    STAGE % "uses: train, with: {store: t}, gate: {metric: loss.val, max: 3.5}",
    STAGE % "uses: train, with: {store: t}, gate: [{metric: a, versus: r/champion, better: lower, seed: 0}]",
    "include: [part.yaml]\ndefaults: {timeout: 2h, retry: 1}\nnotify: {run: [mail], on: failed}\n" + STAGE % "uses: train, with: {store: t}",
    "pipeline: x\nparams: {any: {thing: [1]}}\nstages: {c: {uses: curate, with: {in: a}}}",
]
GOOD += [
    "include: [part.yaml]",
    "params: {a: 1}",      # a part that another file includes
    STAGE % "uses: train, with: '${with}', resources: '${r}', timeout: none, gate: '${g}', matrix: '${m}'",
    STAGE % "run: '${words}', in: '${in}', retry: '${n}'",
]
WRONG = [
    "pipeline: x",
    "pipelin: x\nstages: {c: {uses: curate}}",
    "pipeline: a/b\nstages: {c: {uses: curate}}",
    "stages: {}",
    "stages: [curate]",
    "stages: {'bad name': {uses: curate}}",
    STAGE % "uses: trane, with: {store: t}",
    STAGE % "uses: curate, with: {in: a, steps: [{filter: finweb}]}",
    STAGE % "uses: curate, with: {in: a, steps: [{normalize: 3}]}",
    STAGE % "uses: serve",
    STAGE % "with: {store: t}",
    STAGE % "uses: train",
    STAGE % "uses: train, with: {lr: 1e-3}",
    STAGE % "uses: train, run: [a], with: {store: t}",
    STAGE % "run: [a], with: {store: t}",
    STAGE % "run: train.py",
    STAGE % "uses: train, with: {store: t, stepz: 5}",
    STAGE % "uses: train, with: {store: t, steps: -5}",
    STAGE % "uses: train, with: {store: t, steps: '5'}",
    STAGE % "uses: train, with: {store: t, batch--tokens: 5}",
    STAGE % "uses: train, with: {store: t, out: here}",
    STAGE % "uses: train, with: {store: t, model: {widht: 64}}",
    STAGE % "uses: train, with: {store: t, model: {width: wide}}",
    STAGE % "uses: tokenizer.train, with: {corpus: c, vocab: 4k}",
    STAGE % "uses: curate, with: {in: a, memory: 4 GB}",
    STAGE % "uses: curate, with: {in: a, steps: normalize}",
    STAGE % "uses: curate, with: {in: a, steps: [normalise]}",
    STAGE % "uses: curate, with: {in: a, steps: [dedup]}",
    STAGE % "uses: curate, with: {in: a, steps: [{dedup: {method: exact, threshold: 0.8}}]}",
    STAGE % "uses: curate, with: {in: a, steps: [{dedup: {threshold: 0.8}}]}",
    STAGE % "uses: curate, with: {in: a, steps: [{normalize: {}, filter: {}}]}",
    STAGE % "uses: curate, with: {in: a, steps: [{normalize: {unicode: nfx}}]}",
    STAGE % "uses: curate, with: {sources: [{path: b, includ: '*.md'}]}",
    STAGE % "uses: train, with: {store: t}, timeout: 90",
    STAGE % "uses: train, with: {store: t}, timeout: soon",
    STAGE % "uses: train, with: {store: t}, resources: {gpus: 1}",
    STAGE % "uses: train, with: {store: t}, resources: {threads: 0}",
    STAGE % "uses: train, with: {store: t}, retry: {on: exit}",
    STAGE % "uses: train, with: {store: t}, retry: {times: 1, on: rain}",
    STAGE % "uses: train, with: {store: t}, gate: {max: 3}",
    STAGE % "uses: train, with: {store: t}, gate: {metric: a, better: more}",
    STAGE % "uses: train, with: {store: t}, matrix: {lr: 3}",
    "notify: {on: failed}\n" + STAGE % "uses: train, with: {store: t}",
    "defaults: {with: {}}\n" + STAGE % "uses: train, with: {store: t}",
]
SITE_GOOD = ["site: laptop\njobs: 2\nmemory: 8G\nkinds: {train: {resources: {threads: 4}}, run: {timeout: none}}\nstages: {a: {timeout: 1h}}"]
SITE_WRONG = ["jobs: 2", "site: x\nparams: {}", "site: x\nkinds: {trane: {}}", "site: x\nstages: {a: {with: {}}}"]

failed = 0


def check(schema, text, want, name):
    global failed
    good = schema.is_valid(yaml.load(text, Core))
    if good != want:
        failed = 1
        why = next(schema.iter_errors(yaml.load(text, Core)), None)
        print(f"{name}: want {'valid' if want else 'invalid'}: {text}\n  {why and why.message[:300]}")


def load(path):
    with open(path) as f:
        value = json.load(f)
    jsonschema.Draft202012Validator.check_schema(value)
    return jsonschema.Draft202012Validator(value)


pipeline, site = load(sys.argv[1]), load(sys.argv[2])
for path in sys.argv[3:]:
    with open(path) as f:
        check(pipeline, f.read(), True, path)
for schema, texts, want, name in [(pipeline, GOOD, True, "good"), (pipeline, WRONG, False, "wrong"),
                                  (site, SITE_GOOD, True, "site"), (site, SITE_WRONG, False, "wrong site")]:
    for text in texts:
        check(schema, text, want, name)
print(f"{len(GOOD) + len(sys.argv) - 3} good, {len(WRONG)} wrong pipelines")
sys.exit(failed)
