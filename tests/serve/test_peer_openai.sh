#!/usr/bin/env bash
# PyPI's official `openai` client (5.x of 2026) against the server.
set -eu
python=${TUNDISH_PEERS_PYTHON:-}
[ -n "$python" ] || { echo "skipped: TUNDISH_PEERS_PYTHON names no Python with the package openai"; exit 77; }
"$python" -c 'import openai' || { echo "skipped: $python has no package openai"; exit 77; }
. "$TUNDISH_SOURCE/tests/train/small_model.sh"
. "$TUNDISH_SOURCE/tests/serve/server.sh"
make_model
start_server
"$python" "$TUNDISH_SOURCE/tests/serve/peer_openai.py" "$url" tiny
end_server 0
