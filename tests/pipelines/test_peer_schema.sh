#!/usr/bin/env bash
# PyPI's jsonschema reads what `tundish schema` prints.
set -eu
python=${TUNDISH_PEERS_PYTHON:-}
[ -n "$python" ] || { echo "skipped: TUNDISH_PEERS_PYTHON names no Python with jsonschema and PyYAML"; exit 77; }
"$python" -c 'import jsonschema, yaml' || { echo "skipped: $python has no jsonschema and PyYAML"; exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$TUNDISH" schema >"$scratch/pipeline.json"
"$TUNDISH" schema --site >"$scratch/site.json"
"$python" "$TUNDISH_SOURCE/tests/pipelines/peer_schema.py" "$scratch/pipeline.json" "$scratch/site.json" \
    "$TUNDISH_SOURCE"/pipelines/*.yaml
