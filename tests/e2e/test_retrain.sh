#!/usr/bin/env bash
# pipelines/retrain.yaml: three rounds on growing documents while a server answers from the registry's champion. The first
# model is promoted, the second is worse and stays at the gate, the third is better, is promoted, and is rolled back. No
# request fails, and the server answers with the model that is promoted each time.
set -eu
scratch=$(mktemp -d)
server='' client=''
finish() { for pid in $client $server; do kill "$pid" 2>/dev/null || true; done; wait 2>/dev/null; rm -rf "$scratch"; }
trap finish EXIT
cd "$scratch"
command -v curl >/dev/null || { echo "no curl"; exit 77; }
fails() { echo "$1"; for f in log serve.log; do [ ! -f $f ] || tail -n 20 $f; done; exit 1; }

# documents: pieces of this project's own text; a round sees the first so many
mkdir all docs
cat "$TUNDISH_SOURCE"/*.md "$TUNDISH_SOURCE"/store/*.md "$TUNDISH_SOURCE"/{base,store,model,serve,train}/*.h |
    awk '{ text = text $0 "\n"; lines++ } lines >= 12 { printf "%s", text > sprintf("all/%04d.txt", n++); text = ""; lines = 0 }'
arrive() { for f in $(ls all | head -n "$1"); do ln -f "all/$f" docs/; done; }
round() { want=$1; shift; code=0; "$TUNDISH" run "$TUNDISH_SOURCE/pipelines/retrain.yaml" --work work --set documents=docs --set vocab=320 \
    --set width=64 --set layers=2 --set context=64 --set validation=0.3 "$@" >log 2>&1 || code=$?; [ $code = "$want" ] || fails "exit code $code, want $want"; }
promoted() { readlink registry/champion; }
# the served version, as the server tells it; waits for the one that is wanted
serves() {
    want=$(promoted) want=${want#versions/}
    for _ in $(seq 300); do
        seen=$(curl -s "127.0.0.1:$port/v1/models" | tr -d ' \n' | sed -n 's/.*"version":"\([0-9a-f]*\)".*/\1/p')
        [ "$seen" != "$want" ] || return 0
        sleep 0.1
    done
    fails "the server has '$seen', want '$want'"
}

arrive 200
round 0 --set tokens=12000
first=$(promoted)
grep -q 'gate of score: open: .*nothing is promoted' log || fails "the first round's gate"

"$TUNDISH" serve --model registry/champion --port 0 --name retrained --threads 1 >out 2>serve.log & server=$!
for _ in $(seq 300); do
    port=$(sed -n 's,.*http://127.0.0.1:\([0-9]*\).*,\1,p' serve.log out | head -n 1)
    [ -z "$port" ] || ! curl -sf "127.0.0.1:$port/ready" >/dev/null || break
    sleep 0.1
done
[ -n "$port" ] || fails "the server does not say its port"
serves
# asks until it is told to stop: each answer must be whole
(
    while [ ! -f stop ]; do
        code=$(curl -s -m 60 -o answer -w '%{http_code}' "127.0.0.1:$port/v1/completions" -H 'Content-Type: application/json' \
            -d '{"model":"retrained","prompt":"The store","max_tokens":8,"temperature":0}') || code=lost
        if [ "$code" = 200 ] && grep -q '"finish_reason"' answer; then echo ok; else echo "$code $(cat answer)"; fi >>answers
        sleep 0.05
    done
) & client=$!

arrive 260
round 3 --set tokens=4096
grep -q 'gate of score: failed: bits_per_byte .*the gain is -.* want at least 0.001' log || fails "the second round's gate does not say by how much"
grep -q "error: the gate of stage 'score' is shut" log || fails "the gate is not the error"
[ "$(promoted)" = "$first" ] || fails "a worse model was promoted"
[ ! -e work/current/champion ] || [ "$(grep -c promote registry/history.jsonl)" = 1 ] || fails "the history knows of two"

arrive 320
round 0 --set tokens=60000
second=$(promoted)
[ "$second" != "$first" ] || fails "the better model was not promoted"
serves
round 0 --set tokens=60000
! grep -q ' ran ' log || fails "a finished pipeline ran again"

"$TUNDISH" rollback registry/champion >log 2>&1 || fails "rollback"
[ "$(promoted)" = "$first" ] || fails "rolled back to something else"
serves
round 0 --set tokens=60000
[ "$(promoted)" = "$first" ] || fails "an unchanged run repeated the promotion that was taken back"

# what the registry leads to stays, with all that it was made of
"$TUNDISH" gc "$TUNDISH_SOURCE/pipelines/retrain.yaml" --work work --set documents=docs --keep-days 0 --keep-last 1 >log 2>&1 || fails "gc"
"$TUNDISH" verify registry/champion --no-sources --search work/artifacts >log 2>&1 || fails "verify: the champion's chain"
"$TUNDISH" lineage registry/champion --search work/artifacts >log 2>&1 || fails "lineage"
grep -q '^ *corpus' log || grep -q 'corpus' log || fails "no corpus in the champion's lineage"

touch stop
wait $client || true
client=''
kill -TERM $server
wait $server || fails "the server ended badly"
server=''
bad=$(grep -vc '^ok$' answers || true)
[ "$bad" = 0 ] || { grep -v '^ok$' answers | head; fails "$bad requests failed"; }
[ "$(wc -l <answers)" -ge 20 ] || fails "too few requests"
"$TUNDISH" runs work >log || fails "runs"
[ "$(grep -c '  done ' log)" -ge 2 ] && grep -q '  gate ' log || fails "the runs are not told"
echo "three rounds, $(wc -l <answers) answers, none failed"
