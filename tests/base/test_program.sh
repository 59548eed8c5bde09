#!/usr/bin/env bash
# The program as a whole: every command has help that fits, unknown words end with 2, and it starts fast.
set -eu
tundish=${TUNDISH:?the program to test}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
failed=0
fail() { echo "FAILED: $*" >&2; failed=1; }

# names: two spaces, a name of one or two words, two or more spaces, the summary
"$tundish" help | sed -n 's/^  \([a-z]\+\( [a-z-]\+\)\?\)  .*/\1/p' >names
[ "$(wc -l <names)" -ge 10 ] || fail "only $(wc -l <names) commands"
for name in version bench run curate "tokenizer train" train; do
    grep -qx "$name" names || fail "'$name' is not listed"
done

while read -r name; do
    # shellcheck disable=SC2086
    "$tundish" $name --help >help.txt 2>err.txt </dev/null || fail "$name --help: $(cat err.txt)"
    grep -q "^usage: tundish $name" help.txt || fail "$name --help has no usage line"
    grep -q -- "--quiet" help.txt || fail "$name --help has no common options"
    awk -v name="$name" '/^  --/ && length($0) > 100 { print name ": over 100 columns: " $0; bad = 1 }
                         END { exit bad }' help.txt || fail "$name --help is too wide"
    set +e
    # shellcheck disable=SC2086
    "$tundish" $name --no-such-option >out.txt 2>err.txt </dev/null
    code=$?
    set -e
    [ "$code" -eq 2 ] || fail "$name --no-such-option ends with $code, want 2"
    [ "$(wc -l <err.txt)" -eq 1 ] || fail "$name --no-such-option: want one line, got: $(cat err.txt)"
    grep -q "^tundish $name: error: unknown option '--no-such-option'" err.txt || fail "$name: $(cat err.txt)"
    [ ! -s out.txt ] || fail "$name --no-such-option writes to stdout: $(cat out.txt)"
done <names

"$tundish" bench --list >list.txt || fail "bench --list"
"$tundish" version --json >version.json
grep -q '"version":"' version.json || fail "version --json: $(cat version.json)"

# closed streams: no words for people in a file that got their number
cat >p.yaml <<'END'
pipeline: p
stages:
  a: {run: [sh, -c, "echo words; touch {out}/a"]}
  b: {run: [sh, -c, "exit 3"]}
END
"$tundish" run p.yaml <&- >&- 2>&- && fail "a run with a failing stage and no stdout ends well"
"$tundish" status p.yaml >status.txt 2>err.txt || fail "status behind closed streams: $(cat err.txt)"
grep -q '^a  *done' status.txt || fail "a is not done: $(cat status.txt)"
grep -qx words work/p/logs/a-1.log || fail "the words of a: $(cat work/p/logs/a-1.log)"
"$tundish" version >&- 2>err.txt && fail "a closed stdout is no failure"

# the fastest of five starts, in ms; sanitizers make it slower, so the bound is loose
best=100000
for _ in 1 2 3 4 5; do
    begin=$(date +%s%N)
    "$tundish" version >/dev/null
    ms=$((($(date +%s%N) - begin) / 1000000))
    [ "$ms" -lt "$best" ] && best=$ms
done
echo "tundish version: $best ms"
[ "$best" -le 500 ] || fail "tundish version takes $best ms"
exit $failed
