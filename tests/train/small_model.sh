# What the scenarios of train, evaluate, export and serve begin with: a small corpus (no curation), its tokenizer, a token store, and
# words for what must fail. Sourced in a scratch folder.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
export XDG_CACHE_HOME=$scratch/cache

. "$TUNDISH_SOURCE/tests/commands.sh"
# refused STATUS WORDS ARGS...: and stderr has the words.
refused() {
    local status=$1 words=$2
    shift 2
    run "$status" "$@"
    grep -qF -- "$words" err || fail "tundish $*: no '$words'"
}
same() { [ "$(digest "$1")" = "$(digest "$2")" ] || fail "$1 and $2 differ"; }

make_store() {
    mkdir corpus
    awk 'BEGIN { for (d = 0; d < 60; d++) {
        text = ""
        for (w = 0; w < 120; w++) text = text " word" (d * 7 + w * w * 3) % 97 (w % 11 == 10 ? "." : "")
        printf "{\"id\":\"d%d\",\"text\":\"%s\"}\n", d, text } }' >corpus/part-00000.jsonl
    run 0 tokenizer train --corpus corpus --out tokenizer --vocab 300
    run 0 tokenize --corpus corpus --tokenizer tokenizer --out tokens --validation 0.2
}
shape="--store tokens --model.width 32 --model.layers 1 --model.heads 2 --model.ff 64 --context 32 --batch-tokens 256
    --unit-tokens 64 --eval-every 5 --eval-tokens 256"
