#!/usr/bin/env bash
# A server on a link, and the link moves: more than twenty times under load without one failed or mixed answer, to a model that is
# broken, to nowhere, and while the server stops.
set -eu
load=$PWD/tests/tool_load
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=8 # freed memory counts as kept otherwise
. "$TUNDISH_SOURCE/tests/train/small_model.sh"
. "$TUNDISH_SOURCE/tests/serve/server.sh"
references=
trap 'stop_server; for p in $references; do kill -9 "$p" 2>/dev/null || true; done; rm -rf "$scratch"' EXIT

# Two models that have nothing in common: tokenizer, width, context.
make_model
run 0 tokenizer train --corpus corpus --out tokenizer-b --vocab 280
run 0 tokenize --corpus corpus --tokenizer tokenizer-b --out tokens-b --validation 0.2
run 0 train --store tokens-b --model.width 48 --model.layers 2 --model.heads 2 --model.ff 64 --context 160 \
    --batch-tokens 640 --unit-tokens 160 --eval-every 20 --eval-tokens 320 --steps 30 --out ck-b
mkdir -p registry/versions
for ck in ck ck-b; do
    version=$(digest $ck | cut -c 1-16)
    cp -r $ck "registry/versions/$version"
    versions="${versions:-} $version"
done
read -r a b <<<"$versions"
promote() { ln -s "versions/$1" registry/new && mv -T registry/new registry/champion; }

metric() { curl -sS -m 20 "$url/metrics" | sed -n "s/^tundish_$1 //p"; }
version() { curl -sS -m 20 "$url/metrics" | sed -n 's/^tundish_model_info{.*version="\([^"]*\)".*/\1/p'; }
# until WORDS COMMAND...: it succeeds within half a minute.
until_() {
    local words=$1
    shift
    for _ in $(seq 300); do
        ! "$@" || return 0
        sleep 0.1
    done
    fail "$words; the server says: $(tail -n 20 serve.err)"
}
serves() { [ "$(version)" = "$1" ]; }
counts() { [ "$(metric "$1")" = "$2" ]; }
says() { grep -qF -- "$1" serve.err; }
in_use() { ! flock -n -x "registry/versions/$1/manifest.json" true; }
unused() { flock -n -x "registry/versions/$1/manifest.json" true; }
answer() {
    curl -sS -m 20 -f -H 'Content-Type: application/json' -d '{"model":"tiny","prompt":"word1 word2","max_tokens":20,"temperature":0}' \
        "$1/v1/completions" | sed 's/.*"system_fingerprint":"\([^"]*\)".*"choices":\(.*\)/\1 \2/'
}
now_ms() { date +%s%3N; }
status_of() { sed -n "s/^$1:[[:space:]]*\([0-9]*\).*/\1/p" "/proc/$server/status"; }
files() { ls "/proc/$server/fd" | wc -l; }

# ---- what each of them answers ----
for ck in ck ck-b; do
    model=$ck start_server --threads 1
    references="$references $server"
    reference_ports="${reference_ports:-} $port"
    answers="${answers:-}$(answer "$url" | tr -d '\n')|"
done
IFS='|' read -r answer_a answer_b <<<"$answers"
[ "$answer_a" != "$answer_b" ] || fail "the two models answer alike: $answer_a"

# ---- swaps under load ----
promote "$a"
model=registry/champion/ start_server --threads 1
says "is a link to '$PWD/registry/versions/$a', and followed" || fail "$(cat serve.err)"
[ "$(answer "$url")" = "$answer_a" ] || fail "$(answer "$url"), want $answer_a"
in_use "$a" || fail "the model in use is not locked"
unused "$b" || fail "a model that is not in use is locked"

swaps=0
slowest=0
total=0
# Back and forth while clients ask, for SECONDS; two times in three without waiting for the server to look by itself.
swap_under_load() {
    local clients began took next
    "$load" "$port" tiny 6 "$1" $reference_ports >load.out 2>load.err &
    clients=$!
    while kill -0 $clients 2>/dev/null; do
        next=$b
        ! serves "$b" || next=$a
        promote "$next"
        began=$(now_ms)
        [ $((swaps % 3)) = 0 ] || kill -HUP "$server"
        until_ "no swap to $next" serves "$next"
        took=$(($(now_ms) - began))
        swaps=$((swaps + 1))
        total=$((total + took))
        [ $took -le $slowest ] || slowest=$took
        sleep 0.2
    done
    wait $clients || fail "under load: $(cat load.out; head -c 3000 load.err)"
    grep -q '"wrong": 0, "cut": 0, .*"refused": 0,' load.out || fail "under load: $(cat load.out)"
    ! grep -q 'of each model": \[0,\|, 0\], "wrong' load.out || fail "one model never answered: $(cat load.out)"
    echo "$swaps swaps: $(cat load.out)"
}
quiet() { counts sequences_running 0 && [ "$(status_of Threads)" = "$threads" ]; }
threads=$(status_of Threads)
swap_under_load 6
until_ "a model stays when nobody uses it" quiet
memory=$(status_of VmRSS)
open_files=$(files)
for _ in 1 2 3 4 5 6 7 8; do
    swap_under_load 6
    [ $swaps -lt 24 ] || break
done
[ $swaps -ge 20 ] || fail "only $swaps swaps"
until_ "a model stays when nobody uses it" quiet
echo "$swaps swaps, $((total / swaps)) ms each, $slowest ms at most; the last one opened its model in $(metric model_swap_seconds) s;" \
    "memory $memory KB after the first, then $(status_of VmRSS) KB; files $open_files, then $(files)"
counts model_swaps_total $swaps || fail "$(metric model_swaps_total) swaps are counted, want $swaps"
counts model_swap_failures_total 0 || fail "failures are counted"
[ "$(files)" -le $((open_files + 1)) ] || fail "$(files) files are open, $open_files after the first swaps"
[ "$(status_of VmRSS)" -le $((memory + memory / 4 + 8192)) ] || fail "memory grows: $memory KB, then $(status_of VmRSS) KB"

# ---- what it says of itself ----
promote "$a"
kill -HUP "$server"
until_ "no swap to $a" serves "$a"
curl -sS -m 20 "$url/v1/models" >body
grep -qF "\"id\":\"tiny\"" body && grep -qF "\"digest\":\"$(digest ck)\"" body || fail "$(cat body)"
grep -qF "${answer_a%% *}" body || fail "the list of models has another fingerprint than answers: $(cat body)"
until_ "the model before stays locked" unused "$b"
in_use "$a" || fail "the model in use is not locked"

# ---- models that cannot be served: the old one goes on ----
still() { [ "$(answer "$url")" = "$answer_a" ] && serves "$a" || fail "after $1: $(answer "$url"), want $answer_a"; }
cp -r "registry/versions/$b" registry/versions/cut
weights=$(basename "$(ls registry/versions/cut/*.safetensors | head -n 1)")
truncate -s -1000 "registry/versions/cut/$weights"
promote cut
until_ "a cut file is not told" counts model_swap_failures_total 1
says "registry/versions/cut' is not taken: " || fail "$(cat serve.err)"
still "a cut file"
sleep 2.5 # two looks
counts model_swap_failures_total 1 || fail "a model that failed is tried again though nothing changed"
kill -HUP "$server"
until_ "SIGHUP does not try again" counts model_swap_failures_total 2
cp -r "registry/versions/$b" registry/versions/bytes # of the right length
size=$(stat -c %s "registry/versions/bytes/$weights")
head -c 4000 /dev/zero | tr '\0' '\377' |
    dd of="registry/versions/bytes/$weights" bs=1 seek=$((size - 4000)) conv=notrunc status=none
promote bytes
until_ "wrong bytes are not told" counts model_swap_failures_total 3
still "wrong bytes"
cp -r registry/versions/bytes registry/versions/numbers # and no digest tells: only the trial does
rm registry/versions/numbers/manifest.json
promote numbers
until_ "weights that are no numbers are not told" counts model_swap_failures_total 4
says 'not finite' || fail "$(cat serve.err)"
still "weights that are no numbers"
exec 4<"registry/versions/$b/manifest.json"
flock -x 4 # somebody is removing it
promote "$b"
until_ "a model that is being removed is not told" counts model_swap_failures_total 5
exec 4<&-
still "a model that is being removed"

# ---- no link, and the link again ----
rm registry/champion
until_ "a lost link is not told" says 'there is no model folder'
still "the link was removed"
[ "$(grep -c 'there is no model folder' serve.err)" = 1 ] || fail "a lost link is told more than once"
promote "$a"
sleep 1.5
still "the link came back"
counts model_swap_failures_total 5 || fail "a lost link counts as a failure"
promote "$b"
until_ "no swap once the link is back" serves "$b"
[ "$(answer "$url")" = "$answer_b" ] || fail "$(answer "$url"), want $answer_b"

# ---- told to stop in the middle of a swap, with clients ----
sed -i '/ERROR/d' serve.err # those were meant
"$load" "$port" tiny 4 3 $reference_ports >load.out 2>load.err &
clients=$!
until_ "the clients do not begin" grep -q 'side by side' load.err
sleep 1.5
promote "$a"
kill -HUP "$server"
sleep 0.06
end_server 0
wait $clients || fail "when the server stopped: $(cat load.out; head -c 2000 load.err)"

# ---- a link that is not followed ----
promote "$a"
model=registry/champion start_server --threads 1 --no-follow
promote "$b"
sleep 2.5
serves "$a" || fail "--no-follow is followed"
end_server 0
for server in $references; do
    end_server 0
done
echo "swap: as it says"
