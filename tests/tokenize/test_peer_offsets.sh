#!/usr/bin/env bash
# Hugging Face's tokenizers, where installed: the places of ids in the text are theirs, in bytes; the large public tokenizers too,
# where their files lie beside the source (../shared/tokenizers).
set -eu
. "$TUNDISH_SOURCE/tests/tokenize/peer_python.sh"
"$python" "$TUNDISH_SOURCE/tests/tokenize/peer_offsets.py"
