#!/usr/bin/env bash
# Repair of mojibake on the declarations of human rights in 460 languages (beside the source), beside ftfy
# (TUNDISH_PEERS_PYTHON names a Python that has it).
set -eu
texts=$TUNDISH_SOURCE/../shared/corpora/multilingual/udhr-xml.tar.gz
python=${TUNDISH_PEERS_PYTHON:-python3}
[ -f "$texts" ] || { echo "skipped: no $texts"; exit 77; }
"$python" -c 'import ftfy' 2> /dev/null || { echo "skipped: no ftfy in $python"; exit 77; }
"$python" "$TUNDISH_SOURCE/tests/curate/peer_mojibake.py" tests/tool_mojibake "$texts" 200
