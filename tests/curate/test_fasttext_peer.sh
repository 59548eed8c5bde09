#!/usr/bin/env bash
# Debian's fasttext, where it is installed: models that it trains and quantises here, in every way that we read, say the same of
# every text. With the Universal Declaration in 460 languages where that lies beside the source (../shared/corpora), else made words; with
# TUNDISH_PEER_FULL=1 more of it, and larger models.
set -eu
command -v fasttext >/dev/null || { echo "skipped: no fasttext (Debian: apt-get install fasttext)"; exit 77; }
tool=$(dirname "$TUNDISH")/tests/tool_fasttext
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
fail() { echo "FAILED: $*" >&2; exit 1; }
if [ "${TUNDISH_PEER_FULL:-0}" = 1 ]; then step=24 asked=3000; else step=60 asked=500; fi

udhr=$TUNDISH_SOURCE/../shared/corpora/multilingual/udhr-xml.tar.gz
if [ -f "$udhr" ]; then
    # a paragraph a line, with the language of its file: every step-th is trained on, some of the others are asked about
    tar xzf "$udhr" -O --wildcards '*.xml' | awk -v train=train -v texts=texts -v step=$step -v most=$asked '
        /<udhr / { match($0, /key=.[^ ]*[A-Za-z0-9]/); label = substr($0, RSTART + 5, RLENGTH - 5) }
        match($0, /<para>.*<\/para>/) {
            line = substr($0, RSTART + 6, RLENGTH - 13)
            if (n % step == 0) print "__label__" label, line > train
            if (n++ % 3 == 1 && asked < most) { print line > texts; asked++ }
        }'
else
    awk -v trained=$((64800 / step)) -v asked=$asked 'BEGIN {
        srand(5)
        for (n = 0; n < trained + asked; n++) {
            label = n % 300; line = ""
            for (i = 0; i < 6 + rand() * 20; i++) {
                w = ""
                for (k = 0; k < 1 + rand() * 8; k++) w = w sprintf("%c", 97 + int((rand() * 9 + label) % 26))
                line = line " " w (rand() < 0.1 ? "\303\251" : "")
            }
            if (n < trained) print "__label__" label line > "train"; else print substr(line, 2) > "texts"
        }
    }'
fi
printf '\n \n__label__1\n\377\376 \200\n' >>texts
[ "$(wc -l <texts)" -ge "$asked" ] || fail "only $(wc -l <texts) texts"

train() { fasttext supervised -input train -output "$1" -thread 1 -verbose 0 -epoch 2 "${@:2}" >log 2>&1 || { cat log; fail "training $1"; }; rm -f "$1.vec"; }
quantise() { cp "$1.bin" "$2.bin"; fasttext quantize -input train -output "$2" -thread 1 -verbose 0 "${@:3}" >log 2>&1 || { cat log; fail "quantising $2"; }; }
train hs -loss hs -dim 16 -minn 2 -maxn 4 -bucket 20000 -lr 0.5
train softmax -loss softmax -dim 16 -minn 1 -maxn 3 -bucket 8000 -wordNgrams 2 -epoch 1
train ova -loss ova -dim 7 -epoch 1
train ns -loss ns -dim 12 -wordNgrams 3 -bucket 5000
quantise hs pruned -qnorm -cutoff 3000 -retrain -epoch 1
quantise ova plain -dsub 3
quantise ns whole -qout -qnorm -cutoff 2000
models="hs.bin softmax.bin ova.bin ns.bin pruned.ftz plain.ftz whole.ftz"
for model in $models; do
    fasttext predict-prob $model texts 1 >want
    "$tool" $model <texts >got
    paste -d '\n' want got | awk -v model=$model '
        NR % 2 { label = $1; p = $2; next }
        { n++; if ($1 != label) { wrong++; print model ", text " n ": " $0 ", want " label " " p } d = $2 - p; if (d < 0) d = -d; if (d > worst) worst = d }
        END { printf "%s: %d texts, %d other labels, probabilities differ by at most %g\n", model, n, wrong, worst; exit wrong > 0 || worst > 1e-4 }' ||
        fail "$model"
done
