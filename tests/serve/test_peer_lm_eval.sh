#!/usr/bin/env bash
# PyPI's lm-eval, unchanged, scores the served model (echo, logprobs, token ids as prompts) as the model itself would.
set -eu
python=${TUNDISH_PEERS_PYTHON:-}
[ -n "$python" ] || { echo "skipped: TUNDISH_PEERS_PYTHON names no Python with the package lm-eval"; exit 77; }
"$python" -c 'import lm_eval' 2>/dev/null || { echo "skipped: $python has no package lm-eval"; exit 77; }
tool=$PWD/tests/tool_logits
. "$TUNDISH_SOURCE/tests/train/small_model.sh"
. "$TUNDISH_SOURCE/tests/serve/server.sh"
make_model
start_server --dtype f32
"$python" "$TUNDISH_SOURCE/tests/serve/peer_lm_eval.py" "$url" tiny ck "$tool"
end_server 0
