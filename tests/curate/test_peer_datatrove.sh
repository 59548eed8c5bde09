#!/usr/bin/env bash
# datatrove's own filters, where installed, on every sixth of the real documents of ../shared/corpora: the same decisions, reasons
# and texts (docs/parity.md).
set -eu
python=
for p in "${TUNDISH_PEERS_PYTHON:-}" python3; do
    [ -n "$p" ] && "$p" -c 'import datatrove, spacy' 2>/dev/null && { python=$p; break; }
done
[ -n "$python" ] || { echo "skipped: no python with 'datatrove' and 'spacy' (TUNDISH_PEERS_PYTHON may name one)"; exit 77; }
corpora="$TUNDISH_SOURCE/../shared/corpora"
[ -d "$corpora" ] || { echo "skipped: no corpora beside the source (../shared/corpora)"; exit 77; }
"$python" "$TUNDISH_SOURCE/tests/curate/peer_datatrove.py" "$(dirname "$TUNDISH")/tests/tool_filter_decide" "$corpora" "${TUNDISH_PEER_EVERY:-6}"
