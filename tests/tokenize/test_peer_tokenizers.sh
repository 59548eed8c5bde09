#!/usr/bin/env bash
# Hugging Face's tokenizers, where installed: it trains the same tokenizer, reads ours, and gives the same ids; the large public
# tokenizers too, where their files lie beside the source (../shared/tokenizers).
set -eu
. "$TUNDISH_SOURCE/tests/tokenize/peer_python.sh"
"$python" "$TUNDISH_SOURCE/tests/tokenize/peer_tokenizers.py"
