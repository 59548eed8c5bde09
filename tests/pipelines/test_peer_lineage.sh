#!/usr/bin/env bash
# What others take for OpenLineage and Croissant: OpenLineage's own classes build each event and facet, and mlcroissant's validator
# reads a corpus. TUNDISH_PEERS_PYTHON names a Python that has openlineage-python and mlcroissant.
set -eu
python=${TUNDISH_PEERS_PYTHON:-}
[ -n "$python" ] || { echo "skipped: TUNDISH_PEERS_PYTHON names no Python with the packages openlineage-python and mlcroissant"; exit 77; }
"$python" -c 'import openlineage.client, mlcroissant' 2>/dev/null || { echo "skipped: $python lacks openlineage-python or mlcroissant"; exit 77; }
. "$TUNDISH_SOURCE/tests/e2e/documents.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export XDG_CACHE_HOME=$scratch/cache
cd "$scratch"
quiet() { "$TUNDISH" "$@" >log 2>&1 || { echo "tundish $*:"; cat log; exit 1; }; }
make_documents docs
quiet curate docs --out corpus --steps '[normalize, {dedup: {method: exact}}]' --shard-bytes 16K
quiet tokenizer train --corpus corpus --vocab 300 --out tokenizer
quiet tokenize --corpus corpus --tokenizer tokenizer --out tokens
"$TUNDISH" lineage tokens --format openlineage >events
"$TUNDISH" lineage corpus --format croissant >croissant.json
"$TUNDISH" lineage tokens --format openlineage | cmp - events

"$python" - <<'END'
import datetime, importlib, json, os, pkgutil, uuid
import attr
import openlineage.client.generated as generated
from openlineage.client.event_v2 import Dataset, InputDataset, Job, OutputDataset, Run, RunEvent, RunState

classes = {}
for module in pkgutil.iter_modules(generated.__path__):
    for thing in vars(importlib.import_module("openlineage.client.generated." + module.name)).values():
        if isinstance(thing, type) and hasattr(thing, "_get_schema"):
            classes[thing._get_schema()] = thing

def check(name, facet):
    kind = classes[facet["_schemaURL"]]                 # the published address of this facet
    own = {k: v for k, v in facet.items() if not k.startswith("_")}
    built = kind(**own)                                 # unknown or missing members raise
    built._producer = facet["_producer"]
    attr.validate(built)
    for field in attr.fields(kind):
        value = own.get(field.name)
        if value is not None and field.type in ("int | None", "str | None", "str", "int"):
            want = int if "int" in field.type else str
            assert isinstance(value, want), (name, field.name, value)

def dataset(kind, d, own):
    for name, facet in list(d["facets"].items()) + list(d[own].items()):
        check(name, facet)
    return kind(namespace=d["namespace"], name=d["name"])

events = [json.loads(line) for line in open("events")]
assert [(e["job"]["name"], e["eventType"]) for e in events] == \
    [(j, t) for j in ("curate", "tokenizer train", "tokenize") for t in ("START", "COMPLETE")], events
times = {}
for e in events:
    for name, facet in list(e["run"]["facets"].items()) + list(e["job"]["facets"].items()):
        check(name, facet)
    uuid.UUID(e["run"]["runId"])
    when = datetime.datetime.fromisoformat(e["eventTime"].replace("Z", "+00:00"))
    times.setdefault(e["run"]["runId"], []).append(when)
    event = RunEvent(eventType=RunState[e["eventType"]], eventTime=e["eventTime"], producer=e["producer"],
                     run=Run(runId=e["run"]["runId"]), job=Job(namespace=e["job"]["namespace"], name=e["job"]["name"]),
                     inputs=[dataset(InputDataset, d, "inputFacets") for d in e["inputs"]],
                     outputs=[dataset(OutputDataset, d, "outputFacets") for d in e["outputs"]])
    assert event.schemaURL == e["schemaURL"], e["schemaURL"]
    assert set(e) == {"eventType", "eventTime", "producer", "schemaURL", "run", "job", "inputs", "outputs"}, set(e)
    assert len(e["outputs"]) == (e["eventType"] == "COMPLETE")
assert len(times) == 3 and all(a <= b for a, b in times.values()), times
manifest = json.load(open("corpus/manifest.json"))
out = events[1]["outputs"][0]
assert out["facets"]["version"]["datasetVersion"] == manifest["digest"]
assert out["outputFacets"]["outputStatistics"]["rowCount"] == manifest["counts"]["documents"]
assert out["outputFacets"]["outputStatistics"]["fileCount"] == len(manifest["files"])
assert out["name"] == os.path.realpath("corpus") and events[2]["inputs"][0]["name"] == out["name"]
print(len(events), "events")
END

"$python" - <<'END' 2>words || { cat words; exit 1; }
import hashlib, json
import mlcroissant
data = mlcroissant.Dataset("croissant.json")
issues = data.metadata.ctx.issues
assert not issues.errors, issues.errors
assert all("is recommended" in w for w in issues.warnings), issues.warnings      # what only the owner knows: a licence, how to cite
assert data.metadata.ctx.conforms_to.value == "http://mlcommons.org/croissant/1.1"
plain = json.load(open("croissant.json"))
shards = [f for f in plain["distribution"] if f["@type"] == "cr:FileObject"]
assert len([f for f in shards if f["name"].endswith(".zst")]) > 1
for f in shards:
    content = open("corpus/" + f["contentUrl"], "rb").read()
    assert hashlib.sha256(content).hexdigest() == f["sha256"] and f["contentSize"] == "%d B" % len(content)
assert [f.name for f in data.metadata.record_sets[0].fields] == ["id", "text", "source", "created", "metadata"]
inputs = json.load(open("corpus/manifest.json"))["inputs"]["in"]
assert [e["@id"] for e in plain["prov:wasDerivedFrom"]] == ["urn:sha256:" + d for d in inputs]
print(len(shards), "files,", len(issues.warnings), "recommendations")
END
