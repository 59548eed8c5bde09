#!/usr/bin/env bash
# `train` by hand: what it refuses and how it says so, where OUT and OUT.work stand, what is left of a run that was killed as it ended.
set -eu
. "$TUNDISH_SOURCE/tests/train/small_model.sh"
make_store

run 0 train $shape --steps 10 --out ck --threads 1
[ ! -e ck.work ] || fail "ck.work is left over"
[ "$(grep -c '"loss"' ck/metrics.jsonl)" = 10 ] || fail "not 10 losses"
[ "$(grep -c '"validation_loss"' ck/metrics.jsonl)" = 2 ] || fail "not 2 validation losses"
! grep -rqF "$scratch" ck/state.json ck/config.json ck/metrics.jsonl || fail "a path in a digested file"

# names of OUT
run 0 train $shape --steps 10 --out new/folder/slash// --threads 2
same ck new/folder/slash
[ "$(ls -A new/folder)" = slash ] || fail "beside new/folder/slash: $(ls -A new/folder)"
run 0 train $shape --steps 10 --out ck              # there already: made again, replaced
same ck new/folder/slash

# lengths
run 0 train $shape --tokens 2500 --out by-tokens    # up to whole steps: 10
same ck by-tokens
refused 2 'give one of steps, tokens and minutes (0 are given)' train $shape --out no
refused 2 'give one of steps, tokens and minutes (2 are given)' train $shape --steps 1 --minutes 1 --out no
run 0 train $shape --minutes 0.0001 --out brief
refused 2 'steps times batch-tokens is' train --store tokens --steps 900000000000 --batch-tokens 1024000000 --out no

# shapes
refused 2 'unit-tokens is 1024, want a multiple of context 48' train --store tokens --context 48 --steps 1 --out no
refused 2 'batch-tokens is 1536, want a multiple of unit-tokens 1024' train --store tokens --batch-tokens 1536 --steps 1 --out no
refused 2 'model.head-width is 15, want an even number' train --store tokens --model.width 30 --model.heads 2 --steps 1 --out no
refused 2 'model.kv-heads is 3, which does not divide model.heads 4' train --store tokens --model.kv-heads 3 --steps 1 --out no

# phases: their form, and that each fits units, ranks and the run
refused 2 'want a list of {step, context, batch-tokens, store}' train $shape --steps 9 --phases '{step: 3}' --out no
refused 2 'a phase is {step: N' train $shape --steps 9 --phases '[3]' --out no
refused 2 "'step' is missing" train $shape --steps 9 --phases '[{context: 64}]' --out no
refused 2 'step is 3, want more than 3: phases stand in order' train $shape --steps 9 --phases '[{step: 3}, {step: 3}]' --out no
refused 2 "unknown key 'contxt'; did you mean 'context'?" train $shape --steps 9 --phases '[{step: 3, contxt: 64}]' --out no
refused 2 'want a path; found an empty text' train $shape --steps 9 --phases '[{step: 3, store: ""}]' --out no
refused 2 "there is no 'nothing'" train $shape --steps 9 --phases '[{step: 3, store: nothing}]' --out no
refused 2 'unit-tokens is 64, want a multiple of context 128 (from step 3 on)' train $shape --steps 9 --phases '[{step: 3, context: 128}]' --out no
refused 2 'batch-tokens is 96, want a multiple of unit-tokens 64 (from step 3 on)' train $shape --steps 9 --phases '[{step: 3, batch-tokens: 96}]' --out no
refused 2 'a phase begins at step 9, and the run has 9 steps' train $shape --steps 9 --phases '[{step: 9, context: 16}]' --out no
run 0 tokenizer train --corpus corpus --out tokenizer2 --vocab 280
run 0 tokenize --corpus corpus --tokenizer tokenizer2 --out tokens2
refused 2 'tokenize with the same one' train $shape --steps 9 --phases '[{step: 3, store: tokens2}]' --out no

# inputs and output
refused 2 "there is no 'nothing'" train --store nothing --steps 1 --out no
refused 2 "'ck' is a checkpoint, want a token-store or a token-blend" train --store ck --steps 1 --out no
refused 2 "'tokens' holds no model: it has no config.json" train $shape --init tokens --steps 1 --out no
refused 2 "there is no model folder 'nothing'" train $shape --init nothing --steps 1 --out no
touch file
refused 2 "'file' exists and is not a folder" train $shape --steps 1 --out file
refused 2 "'.' cannot be written whole" train $shape --steps 1 --out .
[ ! -e no ] && [ ! -e no.work ] && [ ! -e file.work ] || fail "left over: $(ls -d no* file*)"

# --init: the model's shape, the store's tokenizer
run 0 train $shape --init ck --model.norm-eps 1e-3 --steps 2 --out tuned
cmp -s ck/config.json tuned/config.json || fail "the shape is not the first model's"
cp -r ck other && echo >>other/tokenizer.json && rm other/manifest.json
refused 2 'has another tokenizer than the token store' train $shape --init other --steps 1 --out no
cp -r ck damaged && printf x | dd of=damaged/model.safetensors bs=1 seek=2000 conv=notrunc 2>/dev/null
refused 6 'model.safetensors' train $shape --init damaged --steps 1 --out no

# a stop, its work and a second run
"$TUNDISH" train $shape --steps 100000 --checkpoint-every 1 --out long >out 2>err & child=$!
for i in $(seq 200); do ls long.work/step-*/manifest.json >/dev/null 2>&1 && break; sleep 0.05; done
refused 4 'long.work/lock' train $shape --steps 100000 --out long
kill -INT $child
seen=0; wait $child || seen=$?
[ $seen = 130 ] || fail "Ctrl-C: exit status $seen, want 130"
grep -q 'the same command goes on from there' err || fail "Ctrl-C: unclear message"
[ ! -e long ] || fail "an unfinished run has its name"
refused 2 'this one has 9: go on with that, or remove the .work folder' train $shape --steps 9 --out long
newest=$(ls -d long.work/step-???????? | tail -1)
printf x | dd of="$newest/metrics.jsonl" bs=1 conv=notrunc 2>/dev/null
refused 6 "cannot go on from '$newest' (remove it to go on from what was before)" train $shape --steps 100000 --out long

# killed between the commit of OUT and the end of OUT.work: as if it had gone on
"$TUNDISH" train $shape --steps 10 --checkpoint-every 4 --keep 9 --out late >out 2>err & child=$!
for i in $(seq 200); do [ -f late.work/step-00000004/manifest.json ] && break; sleep 0.01; done
cp -r late.work saved 2>/dev/null || true
wait $child || fail "late"
if [ -f saved/step-00000004/manifest.json ]; then
    rm -rf saved/*.tmp.* late.work && mv saved late.work
    run 0 train $shape --steps 10 --checkpoint-every 4 --out late
    same late ck
    [ ! -e late.work ] || fail "late.work is left over"
fi

# a disk that is full (files may not grow past 8 KiB): an error, not a checkpoint
seen=0
(ulimit -f 8; trap '' XFSZ; exec "$TUNDISH" train $shape --steps 2 --out full) >out 2>err || seen=$?
[ $seen = 1 ] || fail "a full disk: exit status $seen, want 1"
grep -q 'cannot write\|File too large' err || fail "a full disk: unclear message"
[ ! -e full ] || fail "a full disk left a checkpoint"
ls -d ./*.tmp.* 2>/dev/null && fail "left over"
echo "train: as it says"
