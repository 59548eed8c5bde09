# $python has Hugging Face's tokenizers, in a scratch folder; else the test is skipped. Sourced.
python=
for p in "${TUNDISH_PEERS_PYTHON:-}" python3; do
    [ -n "$p" ] && "$p" -c 'import tokenizers' 2>/dev/null && { python=$p; break; }
done
[ -n "$python" ] || { echo "skipped: no python with 'tokenizers' (TUNDISH_PEERS_PYTHON may name one)"; exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
