#!/usr/bin/env bash
# Runs whose context, batch and store change on the way: resumed at and around each change, inside packed rows, at ends of epochs, by other
# numbers of threads and ranks, and with phases that were added after a stop: always the bytes of the run that was not disturbed.
set -eu
. "$TUNDISH_SOURCE/tests/train/small_model.sh"
make_store
head -n 5 corpus/part-00000.jsonl >few.jsonl && mkdir few && mv few.jsonl few/part-00000.jsonl
run 0 tokenize --corpus few --tokenizer tokenizer --out few-tokens --validation 0    # an epoch is a few steps
phases='[{step: 6, context: 64, batch-tokens: 512}, {step: 12, store: few-tokens}, {step: 17, context: 32, batch-tokens: 256}]'
ranks=
. "$TUNDISH_SOURCE/tests/ranks.sh"
if ranks_are_here; then
    ranks='2 and 4'
fi
# across RANKS ARGS...
across() {
    ASAN_OPTIONS=detect_leaks=0 timeout 100 mpirun --bind-to none -np "$1" "$TUNDISH" train $run "${@:2}" --threads 1 >out 2>err || fail "mpirun -np $*"
}
# interrupted WANT EVERY ARGS...: stops the run when it is past step WANT; its checkpoints of each EVERY steps stand in torn.work (writing
# them is what takes time: no more than are used)
interrupted() {
    local want=$1 every=$2 try child
    shift 2
    for try in 1 2 3 4 5; do
        rm -rf torn torn.work
        "$TUNDISH" train $run "$@" --out torn --checkpoint-every $every --keep 1000 --threads 1 >out 2>err & child=$!
        for i in $(seq 2000); do [ -f "torn.work/step-000000$want/manifest.json" ] && break; sleep 0.005; done
        kill -INT $child 2>/dev/null || true
        wait $child && continue
        [ -f "torn.work/step-000000$want/manifest.json" ] || fail "the run is not past step $want"
        return 0
    done
    fail "the run was never caught before its end"
}
# back TO: torn.work as it was after that step
back() {
    rm -rf torn torn.work && cp -r kept torn.work
    for folder in torn.work/step-*; do [ "${folder##*step-}" -le "$1" ] || rm -rf "$folder"; done
    [ "$(ls -d torn.work/step-* | tail -1)" = "torn.work/step-$1" ] || fail "no checkpoint of step $1"
}

points='10 20' every=5 of=2
for packing in "--packing concat" "--packing best-fit --pack-window 7"; do
    run="$shape --steps 28 $packing"
    run 0 train $run --phases "$phases" --out calm --threads 1
    [ "$(sed -n 's/.*"step": \(.*\),/\1/p' calm/state.json)" = 28 ] || fail "not 28 steps"
    [ "$(sed -n 's/.*"tokens": \(.*\),*/\1/p' calm/state.json | tr -d ,)" = $((6 * 256 + 11 * 512 + 11 * 256)) ] || fail "tokens: $(cat calm/state.json)"
    grep -q '"max_position_embeddings": 64' calm/config.json || fail "the context is not the longest phase's"
    interrupted ${points##* } $every --phases "$phases" && mv torn.work kept
    for step in $points; do
        back 000000$step
        if [ -n "$ranks" ] && [ "$step" = "${points##* }" ]; then
            across $of --phases "$phases" --out torn
        else
            run 0 train $run --phases "$phases" --out torn --threads 3
        fi
        same calm torn
    done
    rm -rf kept

    # the same phases, thought of after the fact
    interrupted 12 6 && mv torn.work kept
    back 00000012
    refused 2 "has gone 12 steps, and from step 6 on" train $run --phases "$phases" --out torn
    back 00000006
    run 0 train $run --phases "$phases" --out torn
    same calm torn
    for step in 6 12 17; do grep -q "\"step\": $step" torn/manifest.json || fail "the manifest does not say the phase of step $step"; done
    rm -rf kept
    points='12 18' every=6 of=4
done

# what documents look at, and how many of a row's targets count, is in the result
for mask in true false; do run 0 train $shape --steps 6 --document-mask $mask --out mask-$mask; done
[ "$(digest mask-true)" != "$(digest mask-false)" ] || fail "--document-mask changes nothing"
run 0 train $shape --steps 3 --packing best-fit --out fit
run 0 train $shape --steps 3 --packing best-fit --document-mask true --out fit-true
same fit fit-true

# by tokens: phases may not change how many steps there are
run="$shape --tokens 10240"
run 0 train $run --phases '[{step: 10, batch-tokens: 512}]' --out tokens-calm
grep -q '"step": 25' tokens-calm/state.json || fail "10 steps of 256 tokens and 15 of 512: $(cat tokens-calm/state.json)"
interrupted 08 8 && mv torn.work kept
back 00000008
refused 2 'with these phases the run would have 25 steps, it began with 40' train $run --phases '[{step: 10, batch-tokens: 512}]' --out torn
echo "phases: same bits${ranks:+, $ranks ranks, too}"
