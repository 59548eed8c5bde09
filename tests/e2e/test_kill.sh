#!/usr/bin/env bash
# kill -9 of the runner or of the stage in hand, ten times at changing moments, then the same command: it finishes, and
# every artifact has the digest of an undisturbed run.
set -eu
. "$TUNDISH_SOURCE/tests/e2e/documents.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
make_documents docs
pipeline="$TUNDISH_SOURCE/tests/e2e/walk.yaml"
stages="corpus tokenizer tokens pretrain score model"
digests() { for s in $stages; do echo "$s $(sed -n 's/^ *"digest": *"\([0-9a-f]*\)".*/\1/p' "$1/current/$s/manifest.json")"; done; }

start=$(date +%s%N)
"$TUNDISH" run "$pipeline" --work calm >log 2>&1 || { cat log; exit 1; }
took=$((($(date +%s%N) - start) / 1000000))        # ms of an undisturbed run
digests calm >calm.txt

kills=0 rounds=0
check() {
    digests torn >torn.txt
    diff calm.txt torn.txt || { echo "an interrupted run ended with other bytes"; exit 1; }
}
for i in $(seq 1 60); do
    [ "$kills" -lt 10 ] || break
    "$TUNDISH" run "$pipeline" --work torn >log 2>&1 &
    runner=$!
    sleep "$(awk -v t="$took" -v i="$i" 'BEGIN { printf "%.3f", t / 1000 * (0.05 + ((i * 7) % 11) / 14) }')"
    victim=$runner
    if [ $((i % 2)) = 0 ]; then            # every second time the stage that the runner waits for
        victim=$(awk '{ print $1 }' "/proc/$runner/task/$runner/children" 2>/dev/null) || true
        # not what the runner has forked for itself: its own name is on that, and a sanitizer's helper would leave it waiting
        [ -z "$victim" ] || ! tr '\0' ' ' <"/proc/$victim/cmdline" 2>/dev/null | grep -q '^[^ ]*tundish run ' || victim=''
    fi
    if [ -n "$victim" ] && kill -9 "$victim" 2>/dev/null; then kills=$((kills + 1)); fi
    if wait "$runner" 2>/dev/null; then    # it was done before: look, and begin anew
        check
        rounds=$((rounds + 1))
        rm -rf torn
        continue
    fi
    # nothing half-written is visible: each artifact that is there verifies
    for a in torn/artifacts/*/; do
        case $a in *.tmp.* | *.work/ | "torn/artifacts/*/") continue ;; esac
        "$TUNDISH" store verify "$a" >verify.log 2>&1 || { cat verify.log; echo "after kill $i: $a is not whole"; exit 1; }
    done
done
[ "$kills" -ge 10 ] || { echo "only $kills kills hit"; exit 1; }
"$TUNDISH" run "$pipeline" --work torn >log 2>&1 || { cat log; exit 1; }
check
echo "$kills kills over $((rounds + 1)) runs, same digests ($took ms undisturbed)"
