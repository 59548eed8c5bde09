#!/usr/bin/env bash
# Makes golden/fasttext_*.bin, *.ftz and what Debian's fasttext 0.9.2+ds-1 says of golden/languages.tsv with each (*.txt: label and
# probability a line). One thread and fastText's own seed: the same files each time.
set -eu
cd "$(dirname "$0")/golden"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cut -f 2 languages.tsv >"$work/texts"
sed 's/^\([^\t]*\)\t/__label__\1 /' languages.tsv >"$work/train"

# train NAME OPTIONS...
train() { fasttext supervised -input "$work/train" -output "$work/$1" -dim 4 -thread 1 -verbose 0 -minCount 2 "${@:2}"; }
tell() { fasttext predict-prob "$work/$1" "$work/texts" 1 >"$2"; cp "$work/$1" "$1"; }

train fasttext_hs -loss hs -minn 2 -maxn 3 -bucket 300 -epoch 30 -lr 1
train fasttext_softmax -loss softmax -minn 1 -maxn 2 -bucket 200 -wordNgrams 2 -epoch 40 -lr 1
train fasttext_ova -loss ova -epoch 20 -lr 1
cp "$work/fasttext_hs.bin" "$work/fasttext_pruned.bin"
fasttext quantize -input "$work/train" -output "$work/fasttext_pruned" -cutoff 260 -qnorm -retrain -epoch 5 -thread 1 -verbose 0
cp "$work/fasttext_softmax.bin" "$work/fasttext_quantised.bin"
fasttext quantize -input "$work/train" -output "$work/fasttext_quantised" -dsub 3 -thread 1 -verbose 0
for model in fasttext_hs.bin fasttext_softmax.bin fasttext_ova.bin fasttext_pruned.ftz fasttext_quantised.ftz; do
    tell $model ${model%.*}.txt
done
