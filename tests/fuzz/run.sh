#!/usr/bin/env bash
# run.sh TARGET SEEDS SECONDS: one bounded fuzz run in a scratch folder; the kept seeds are read, never written.
set -eu
target=$1 seeds=$2 seconds=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/new"
[ -d "$seeds" ] && set -- "$seeds" || set --
"$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=65536 \
    -artifact_prefix="$scratch/crash-" "$scratch/new" "$@" >"$scratch/log" 2>&1 || {
    tail -n 60 "$scratch/log"
    for f in "$scratch"/crash-*; do [ -f "$f" ] && { echo "input $f:"; od -A x -t x1z "$f" | head -n 40; }; done
    exit 1
}
tail -n 2 "$scratch/log"
