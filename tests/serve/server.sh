# A server on a small model, for scenarios. Sourced behind train/small_model.sh, in its scratch folder.

# make_model: a checkpoint `ck` with a context of 128 tokens.
make_model() {
    make_store
    run 0 train --store tokens --model.width 32 --model.layers 1 --model.heads 2 --model.ff 64 --context 128 \
        --batch-tokens 512 --unit-tokens 128 --eval-every 20 --eval-tokens 256 --steps 40 --out ck
}
server=
stop_server() { [ -z "$server" ] || kill -9 "$server" 2>/dev/null || true; }
trap 'stop_server; rm -rf "$scratch"' EXIT
# start_server OPTIONS...: serves $model, else ck; $server is its process, $port and $url where it listens, serve.err what it says.
start_server() {
    : >serve.err # not the words of the one before
    "$TUNDISH" serve --model "${model:-ck}" --name tiny --port 0 "$@" >serve.out 2>serve.err &
    server=$!
    for _ in $(seq 200); do
        ! grep -q 'listening on' serve.err || break
        kill -0 "$server" 2>/dev/null || fail "the server died: $(cat serve.err)"
        sleep 0.1
    done
    url=$(sed -n 's/.*listening on //p' serve.err)
    port=${url##*:}
    [ -n "$port" ] || fail "the server does not listen: $(cat serve.err)"
}
# end_server STATUS: asks it to stop; the exit status is that, and nothing was wrong.
end_server() {
    local seen=0
    kill -TERM "$server"
    wait "$server" || seen=$?
    server=
    [ $seen = "$1" ] || fail "the server's exit status is $seen, want $1: $(cat serve.err)"
    ! grep -qE 'ERROR|runtime error|leak|fault in' serve.err || fail "$(cat serve.err)"
}
