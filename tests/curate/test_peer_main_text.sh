#!/usr/bin/env bash
# Main text against what people marked, on the 181 pages of scrapinghub/article-extraction-benchmark, where a checkout of it lies:
# TUNDISH_LABELLED_PAGES names it. (The pages are not ours to pass on.)
set -eu
folder=${TUNDISH_LABELLED_PAGES:-}
[ -n "$folder" ] && [ -f "$folder/ground-truth.json" ] ||
    { echo "skipped: TUNDISH_LABELLED_PAGES names no checkout of scrapinghub/article-extraction-benchmark"; exit 77; }
for tool in python3 zstd; do
    command -v $tool > /dev/null || { echo "skipped: no $tool"; exit 77; }
done
python3 "$TUNDISH_SOURCE/tests/curate/peer_main_text.py" "$folder" --tools tundish --least 0.955
