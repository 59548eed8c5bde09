#!/usr/bin/env bash
# Detection of encodings on the declarations of human rights in 25 encodings, where they lie beside the source
# (../shared/corpora/multilingual): every seventh text and piece; TUNDISH_PEER_FULL=1: all.
set -eu
texts=$TUNDISH_SOURCE/../shared/corpora/multilingual/udhr-xml.tar.gz
[ -f "$texts" ] || { echo "skipped: no $texts"; exit 77; }
for tool in python3 zstd; do
    command -v $tool > /dev/null || { echo "skipped: no $tool"; exit 77; }
done
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
tar xzf "$texts" -C "$dir"
python3 "$TUNDISH_SOURCE/tests/curate/peer_charset.py" "$dir" --every $((${TUNDISH_PEER_FULL:-0} ? 1 : 7)) --least 0.98
