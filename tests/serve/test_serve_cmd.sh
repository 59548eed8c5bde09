#!/usr/bin/env bash
# The server from outside, with curl and bare sockets: answers, keys, limits, hostile requests, a hundred clients, and its end.
set -eu
load=$PWD/tests/tool_load
. "$TUNDISH_SOURCE/tests/train/small_model.sh"
. "$TUNDISH_SOURCE/tests/serve/server.sh"
make_model

json=(-H 'Content-Type: application/json')
# code WANT ARGS...: curl's answer goes to `body`; its status is that.
code() {
    local want=$1 seen
    shift
    seen=$(curl -sS -m 20 -o body -w '%{http_code}' "$@" 2>curl.err) || true
    [ "$seen" = "$want" ] || fail "curl $*: $seen, want $want: $(head -c 400 body) $(cat curl.err)"
}
has() { grep -qF -- "$1" body || fail "the answer has no '$1': $(head -c 600 body)"; }
# bad CODE ERROR BODY: a completion that is refused so.
bad() { printf '%s' "$3" >sent; code "$1" "${json[@]}" --data-binary @sent "$url/v1/completions"; has "\"code\":\"$2\""; has '"message":'; has '"type":'; has '"param":'; }

# what is asked for in vain before it starts
refused 2 'lets other machines in' serve --model ck --host 0.0.0.0 --port 0
refused 2 'go together' serve --model ck --port 0 --tls-key x
refused 2 'there is no model folder' serve --model nothing --port 0
refused 2 'no address of this machine' serve --model ck --host no-such-host.invalid --port 0 --open-to-all

# ---- answers ----
start_server
! "$TUNDISH" serve --model ck --port "$port" 2>err || fail "two servers on one port"
grep -q "listening on 127.0.0.1, port $port: Address already in use" err || fail "a taken port is not told"
code 200 "$url/health"; has '"ok"'
code 200 "$url/ready"
code 200 -I "$url/health"
code 200 "$url/v1/models"; has '"id":"tiny"'
code 200 "$url/v1/models/tiny"
code 404 "$url/v1/models/other"; has model_not_found
code 404 "$url/v1/modelsx"
code 404 "$url/model_card"
code 200 "$url/tokenizer_info"; has '"eos_token":"<|endoftext|>"'
code 200 "${json[@]}" -d '{"prompt":"word1 word2","add_special_tokens":false}' "$url/tokenize"
ids=$(sed 's/.*"tokens":\(\[[0-9,]*\]\).*/\1/' body)
code 200 "${json[@]}" -d "{\"tokens\":$ids}" "$url/detokenize"; has '"prompt":"word1 word2"'
code 200 "${json[@]}" -d '{"model":"tiny","prompt":"word1","max_tokens":9,"seed":4}' "$url/v1/completions"
cp body alone
code 200 -N "${json[@]}" -d '{"model":"tiny","prompt":"word1","max_tokens":9,"seed":4,"stream":true}' "$url/v1/completions"
[ "$(tail -n 2 body | head -n 1)" = 'data: [DONE]' ] || fail "a stream without its end"
code 200 "$url/metrics"
grep -q '^tundish_time_to_first_token_seconds_count 2$' body || fail "the metrics count wrongly: $(cat body)"
grep -q '^tundish_generation_tokens_total 18$' body || fail "the metrics count wrongly: $(cat body)"

# ---- hostile requests: each a 4xx ----
bad 400 invalid_json '{"model":"tiny","prompt":"a"'
bad 400 invalid_json ''
bad 400 invalid_json '[1]'
bad 400 invalid_json '{"model":"tiny","model":"tiny","prompt":"a"}'
bad 400 invalid_json '{"model":"tiny","prompt":"\ud800"}'
bad 400 invalid_json "$(printf '{"model":"tiny","prompt":"\377"}')"
bad 400 invalid_json '{"model":"tiny","prompt":"a","temperature":1e999}'
bad 400 invalid_json "$(head -c 200000 /dev/zero | tr '\0' '[')"
bad 400 invalid_json "{\"model\":\"tiny\",\"prompt\":\"a\",\"user\":$(head -c 100 /dev/zero | tr '\0' '[')"
bad 400 missing_field '{"prompt":"a"}'
bad 400 missing_field '{"model":"tiny"}'
bad 404 model_not_found '{"model":"gpt-4","prompt":"a"}'
bad 400 unknown_field '{"model":"tiny","prompt":"a","n_discard":-1}'
bad 400 unsupported '{"model":"tiny","prompt":"a","best_of":4}'
bad 400 out_of_range '{"model":"tiny","prompt":"a","temperature":-5}'
bad 400 out_of_range '{"model":"tiny","prompt":"a","top_p":7}'
bad 400 out_of_range '{"model":"tiny","prompt":"a","max_tokens":-1}'
bad 400 out_of_range '{"model":"tiny","prompt":"a","n":100000}'
bad 400 out_of_range '{"model":"tiny","prompt":"a","logprobs":-1}'
bad 400 out_of_range '{"model":"tiny","prompt":"a","logprobs":1000000}'
bad 400 out_of_range '{"model":"tiny","prompt":"a","logit_bias":{"-1":1}}'
bad 400 out_of_range '{"model":"tiny","prompt":"a","logit_bias":{"1":1000}}'
bad 400 out_of_range '{"model":"tiny","prompt":[-1]}'
bad 400 out_of_range '{"model":"tiny","prompt":[1e300]}'
bad 400 out_of_range '{"model":"tiny","prompt":"a","stop":""}'
bad 400 out_of_range "{\"model\":\"tiny\",\"prompt\":\"a\",\"stop\":[$(printf '"a",%.0s' $(seq 20000))\"a\"]}"
bad 400 wrong_type '{"model":"tiny","prompt":{"a":1}}'
bad 400 wrong_type '{"model":"tiny","prompt":"a","max_tokens":"5"}'
bad 400 wrong_type '{"model":"tiny","prompt":"a","stream":1}'
bad 400 wrong_type '{"model":"tiny","prompt":[[1],["a"]]}'
bad 400 empty_prompt '{"model":"tiny","prompt":[]}'
bad 400 context_length_exceeded "{\"model\":\"tiny\",\"prompt\":\"$(head -c 300000 /dev/zero | tr '\0' 'a')\"}"
bad 400 context_length_exceeded '{"model":"tiny","prompt":"a","max_tokens":16000000}'
code 400 "${json[@]}" -d '{"model":"tiny","messages":[{"role":"robot","content":"a"}]}' "$url/v1/chat/completions"; has unsupported
code 400 "${json[@]}" -d '{"model":"tiny","messages":[],"max_tokens":1}' "$url/v1/chat/completions"; has missing_field
code 400 "${json[@]}" -d '{"model":"tiny","messages":[{"role":"user","content":"a"}],"tools":[{"type":"function"}]}' "$url/v1/chat/completions"; has unsupported
code 400 "${json[@]}" -d '{"model":"tiny","messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_object"}}' "$url/v1/chat/completions"; has unsupported
code 415 -d '{"model":"tiny","prompt":"a"}' "$url/v1/completions"; has not_json
code 405 "$url/v1/completions"; has method_not_allowed
code 405 -X DELETE "$url/v1/models/tiny"
code 405 -X OPTIONS -H 'Origin: http://evil.example' "$url/v1/completions"
code 403 -H 'Host: evil.example' "$url/v1/models"; has foreign_host
code 431 -H "X-Long: $(head -c 12000 /dev/zero | tr '\0' 'a')" "$url/health"
code 404 --path-as-is "$url/../../etc/passwd"
code 404 "$url/v1/models/%00"
curl -sS -m 20 -D headers -o /dev/null -H 'Origin: http://evil.example' "$url/v1/models"
! grep -qi 'access-control' headers || fail "another origin is let in: $(cat headers)"
grep -qi 'x-content-type-options: nosniff' headers || fail "$(cat headers)"

# bytes that are no HTTP, a request that never ends, half a request: the connection ends, nothing else
for bytes in 'GET' '\0\0\0\0\r\n\r\n' 'GET / HTTP/9.9\r\n\r\n' 'POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n' \
    'POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n' \
    'POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n'; do
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf "$bytes" >&3
    timeout 1 cat <&3 >socket.out 2>/dev/null || true
    exec 3>&- 3<&-
    ! grep -qE '^HTTP/1.1 (2|500)' socket.out || fail "'$bytes' is answered: $(cat socket.out)"
done
code 200 "${json[@]}" -d '{"model":"tiny","prompt":"word1","max_tokens":9,"seed":4}' "$url/v1/completions"
[ "$(sed 's/.*"choices"//' body)" = "$(sed 's/.*"choices"//' alone)" ] || fail "the server is not what it was: $(cat body)"

# a client that hangs up while it waits frees its place
for _ in 1 2 3; do
    timeout 0.2 curl -sS "${json[@]}" -d '{"model":"tiny","prompt":"a","n":128,"max_tokens":120,"ignore_eos":true}' "$url/v1/completions" >/dev/null 2>&1 || true
done
for _ in $(seq 50); do
    code 200 "$url/metrics"
    ! grep -q '^tundish_sequences_running 0$' body || break
    sleep 0.1
done
has 'tundish_sequences_running 0'; has 'tundish_sequences_waiting 0'; has 'tundish_cache_pages_used 0'

# ---- a hundred clients: slow readers, some hang up; then the end in the middle ----
"$load" "$port" tiny 100 4 >load.out 2>load.err || fail "$(cat load.out; head -c 2000 load.err)"
memory() { sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$server/status"; }
before=$(memory)
"$load" "$port" tiny 100 4 >load.out 2>load.err || fail "$(cat load.out; head -c 2000 load.err)"
echo "a hundred clients: $(cat load.out), memory $before then $(memory) KB"
"$load" "$port" tiny 100 4 >load.out 2>load.err &
clients=$!
for _ in $(seq 300); do ! grep -q 'side by side' load.err || break; sleep 0.1; done
sleep 1
code 200 "$url/ready"
end_server 0
wait $clients || fail "when the server stopped: $(cat load.out; head -c 2000 load.err)"
echo "the server stopped under load: $(cat load.out)"

# ---- limits that the command line sets ----
printf 'sk-0123456789abcdef0123 alice\n# nobody\n\nsk-fedcba98765432100123\n' >keys
chmod 644 keys
refused 2 'chmod 600' serve --model ck --port 0 --api-keys keys
chmod 600 keys
start_server --api-keys keys --max-body 2K --request-time 2 --idle-time 2 --sequences 1 --queue 4 --reply-time 5
code 200 "$url/health"
code 401 "$url/v1/models"; has invalid_api_key
code 401 -H 'Authorization: Bearer sk-0123456789abcdef0124' "$url/v1/models"
code 401 -H 'Authorization: Basic sk-0123456789abcdef0123' "$url/v1/models"
code 401 "$url/metrics"
code 200 -H 'Host: other.example' -H 'Authorization: Bearer sk-0123456789abcdef0123' "$url/v1/models"
json+=(-H 'Authorization: Bearer sk-fedcba98765432100123')
head -c 4000 /dev/zero | tr '\0' ' ' >large
code 413 "${json[@]}" --data-binary @large "$url/v1/completions"; has body_too_large
code 413 "${json[@]}" -H 'Transfer-Encoding: chunked' -H 'Expect:' --data-binary @large "$url/v1/completions"
code 413 "${json[@]}" -H 'Expect: 100-continue' --data-binary @large "$url/v1/completions"
code 400 "${json[@]}" -d '{"model":"tiny","prompt":"a","n":5,"max_tokens":100}' "$url/v1/completions"; has 'takes 4 texts at once'
# sixteen at once, four texts each, one written at a time: some must come again later
clients=
for i in $(seq 16); do
    curl -sS -m 20 -o "body.$i" -D "headers.$i" "${json[@]}" -d '{"model":"tiny","prompt":"a","n":4,"max_tokens":127,"ignore_eos":true}' "$url/v1/completions" &
    clients="$clients $!"
done
wait $clients
grep -l '^HTTP/1.1 200' headers.* >taken || fail "none of sixteen was taken"
full=$(grep -l '^HTTP/1.1 429' headers.* | head -n 1)
[ -n "$full" ] || fail "a full queue is not told"
grep -qi '^retry-after: ' "$full" || fail "no Retry-After: $(cat "$full")"
grep -q queue_full "body.${full#headers.}" || fail "$(cat "body.${full#headers.}")"
trap '' PIPE # the shell's own writes to a closed socket
# a byte now and then is no request
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sk-fedcba98765432100123\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n' >&3
gone=
for _ in $(seq 60); do
    { printf ' ' >&3; } 2>/dev/null || { gone=yes; break; }
    sleep 0.1
done
exec 3>&- 3<&-
[ -n "$gone" ] || fail "a request that drips is waited for for ever"
code 200 "${json[@]}" -d '{"model":"tiny","prompt":"a","max_tokens":2}' "$url/v1/completions"
# a request whose last byte comes when the server has been told to stop
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sk-fedcba98765432100123\r\nContent-Type: application/json\r\nContent-Length: 42\r\n\r\n{"model":"tiny","prompt":"a","max_toke' >&3
(sleep 0.03; printf 'ns":1}' >&3) &
end_server 0
exec 3>&- 3<&-
echo "serve: as it says"
