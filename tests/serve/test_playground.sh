#!/usr/bin/env bash
# The playground, driven in headless Chromium.
set -eu
for program in python3 chromedriver chromium curl; do
    command -v $program >/dev/null || { echo "skipped: there is no $program (Debian: chromium chromium-driver python3 curl)"; exit 77; }
done
. "$TUNDISH_SOURCE/tests/train/small_model.sh"
. "$TUNDISH_SOURCE/tests/serve/server.sh"
make_model
start_server
seen=0
timeout 200 python3 "$TUNDISH_SOURCE/tests/serve/drive_playground.py" "$url" tiny || seen=$?
end_server 0
exit $seen
