#!/usr/bin/env bash
# datatrove's own filters, where installed, on real documents of ../shared/corpora: the same decisions, reasons and texts, and spaCy's words
# (docs/parity.md). Every 120th document (half a minute of CPU time); TUNDISH_PEER_EVERY=6: 2,442 of them.
set -eu
python=
for p in "${TUNDISH_PEERS_PYTHON:-}" python3; do
    [ -n "$p" ] && "$p" -c 'import datatrove, spacy' 2>/dev/null && { python=$p; break; }
done
[ -n "$python" ] || { echo "skipped: no python with 'datatrove' and 'spacy' (TUNDISH_PEERS_PYTHON may name one)"; exit 77; }
corpora="$TUNDISH_SOURCE/../shared/corpora"
[ -d "$corpora" ] || { echo "skipped: no corpora beside the source (../shared/corpora)"; exit 77; }
for mode in "" --words; do
    "$python" "$TUNDISH_SOURCE/tests/curate/peer_datatrove.py" $mode "$(dirname "$TUNDISH")/tests" "$corpora" "${TUNDISH_PEER_EVERY:-120}"
done
