#!/usr/bin/env bash
# Hugging Face's tokenizers, where installed: the places of ids in the text are theirs, in bytes; the large public tokenizers too,
# where their files lie beside the source (../shared/tokenizers).
set -eu
python=
for p in "${TUNDISH_PEERS_PYTHON:-}" python3; do
    [ -n "$p" ] && "$p" -c 'import tokenizers' 2>/dev/null && { python=$p; break; }
done
[ -n "$python" ] || { echo "skipped: no python with 'tokenizers' (TUNDISH_PEERS_PYTHON may name one)"; exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
"$python" "$TUNDISH_SOURCE/tests/tokenize/peer_offsets.py"
