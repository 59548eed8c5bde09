#!/usr/bin/env bash
# Sources that are programs: {command: [PROGRAM, WORD...]}.
set -eu
. "$TUNDISH_SOURCE/tests/curate/scenario.sh"
curate() { "$TUNDISH" curate --quiet --steps '[normalize]' --sources "$1" --out "$2" "${@:3}"; }
# errs STATUS TEXT SOURCES: fails so, and makes no corpus
errs() {
    local seen=0
    curate "$3" x > out 2> err || seen=$?
    [ "$seen" = "$1" ] || { cat err >&2; fail "$3 gave $seen, want $1"; }
    has "$2" err
    [ ! -e x ] || fail "$3 made a corpus"
    rm -rf x.work
}

cat > rows.sh <<'S'
for i in $(seq "$1"); do printf '{"id": "row %d", "body": "The text of row number %d.", "metadata": {"n": %d}}\n' "$i" "$i" "$i"; done
echo 'not a line of JSON'
printf '{"body": "A last row without a line end."}'
S
echo 'A text beside them.' > text.txt

# --- between other sources, with their options; the same bytes for any threads ---
list="[text.txt, {command: [sh, rows.sh, '300'], name: table, text: body, files: rows.sh, version: '1'}, {path: text.txt}]"
curate "$list" one --threads 1
curate "$list" three --threads 3
zstd -dcq one/part-*.zst > lines
[ "$(wc -l < lines)" = 303 ] || fail "$(wc -l < lines) documents, want 303"
has '{"id":"row 17","text":"The text of row number 17.","source":"table","metadata":{"n": 17}' lines
has '{"id":"table#302","text":"A last row' lines
[ "$(sed -n 2p lines | grep -c '"row 1"')" = 1 ] || fail "not in the order of the list"
has '"bad_jsonl_line"' one/report.json
cmp one/part-00000.jsonl.zst three/part-00000.jsonl.zst
cmp one/report.json three/report.json
# what it is called counts, and its standard input is empty
curate "[{command: [sh, -c, 'cat; sh rows.sh 2 >&2; sh rows.sh 2'], text: body}]" plain
zstd -dcq plain/part-*.zst > lines
[ "$(grep -c '"source":"sh"' lines)" = 3 ] || fail "$(cat lines)"

# --- what goes wrong ends the run ---
errs 1 "the program 'sh' of source 'rows' ended with exit code 3, after 2 documents; it said: no more\\nrows" \
    "[text.txt, {command: [sh, -c, 'echo \"{\\\"text\\\": \\\"a b\\\"}\"; echo \"{\\\"text\\\": \\\"c d\\\"}\"; echo no more >&2; echo rows >&2; exit 3'], name: rows}]"
errs 1 "ended with signal 9 (Killed), after 0 documents; it said: nothing" "[{command: [sh, -c, 'kill -9 \$\$']}]"
errs 1 "was not done within its timeout of 1s; it said: waiting" "[{command: [sh, -c, 'echo waiting >&2; sleep 60'], timeout: 1s}]"
errs 2 "the program './nowhere' cannot be run" "[{command: [./nowhere]}]"
errs 2 "both path and command" "[{path: text.txt, command: [sh]}]"
errs 2 "neither path nor command" "[{text: body}]"
errs 2 "the command is empty" "[{command: []}]"
errs 2 "'timeout' belongs to sources with a command" "[{path: text.txt, timeout: 3s}]"
errs 2 "the timeout 'soon' is no span of time" "[{command: [sh], timeout: soon}]"
if ! grep -q __asan_init "$TUNDISH"; then
    errs 1 "ended with exit code" "[{command: [sh, -c, 'ulimit -v | grep -q unlimited || exit 7'], memory: 200M}]"
fi
# a program that goes on writing is stopped with us
"$TUNDISH" curate --quiet --out endless 2> /dev/null \
    --sources "[{command: [sh, -c, 'echo \$\$ > pid; while :; do echo \"{\\\"text\\\": \\\"again and again\\\"}\"; done']}]" &
ours=$!
for i in $(seq 100); do [ -s pid ] && break; sleep 0.1; done
kill -9 $ours
wait $ours 2> /dev/null || true
for i in $(seq 100); do kill -0 "$(cat pid)" 2> /dev/null || break; sleep 0.1; done
! kill -0 "$(cat pid)" 2> /dev/null || fail "the program outlived us"
echo "sources that are programs work"
