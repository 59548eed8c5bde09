#!/usr/bin/env bash
# NeMo Curator's and Dolma's own filters, where installed: every rule's verdict and value on real documents
# (../shared/corpora beside the source), and what the program `dolma` keeps (docs/parity.md). Every 30th document; TUNDISH_PEER_EVERY=1: all.
set -eu
python=${TUNDISH_PEERS_PYTHON:-}
corpora=$TUNDISH_SOURCE/../shared/corpora
[ -n "$python" ] || { echo "skipped: TUNDISH_PEERS_PYTHON names no python with dolma and nemo_curator"; exit 77; }
"$python" -c 'import dolma, importlib.util as u; assert u.find_spec("nemo_curator"); import regex, bs4, comment_parser, pygments' 2>/dev/null ||
    { echo "skipped: $python has no dolma, or no nemo_curator with what its filters import"; exit 77; }
[ -d "$corpora" ] || { echo "skipped: no $corpora"; exit 77; }
"$python" "$TUNDISH_SOURCE/tests/curate/peer_space.py" "$(dirname "$TUNDISH")/tests/tool_filter" "$corpora" "${TUNDISH_PEER_EVERY:-30}"
