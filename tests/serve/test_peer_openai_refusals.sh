#!/usr/bin/env bash
# What the official `openai` client makes of each refusal (key, bounds, context, queue), of bodies that are no JSON, and of clients
# that hang up.
set -eu
python=${TUNDISH_PEERS_PYTHON:-}
[ -n "$python" ] || { echo "skipped: TUNDISH_PEERS_PYTHON names no Python with the package openai"; exit 77; }
"$python" -c 'import openai' || { echo "skipped: $python has no package openai"; exit 77; }
. "$TUNDISH_SOURCE/tests/train/small_model.sh"
. "$TUNDISH_SOURCE/tests/serve/server.sh"
make_model
printf 'a-key-of-this-test-only tester\n' >keys
chmod 600 keys
start_server --api-keys keys --sequences 2 --queue 8
timeout 300 "$python" "$TUNDISH_SOURCE/tests/serve/peer_openai_refusals.py" "$url" a-key-of-this-test-only tiny ||
    fail "the client is not content: $(cat serve.err)"
end_server 0
