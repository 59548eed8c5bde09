#!/usr/bin/env bash
# The step `command`: programs that answer, change, drop, hang, die, talk nonsense, take too much; a document of 50 MB; no process is left.
set -eu
. "$TUNDISH_SOURCE/tests/curate/scenario.sh"
# curate WANT OPTIONS: runs the step over `in` with those options, wants that exit code; out/ is the corpus
curate() {
    local seen=0
    rm -rf out out.work
    timeout 120 "$TUNDISH" curate "${in:-in}" --out out --threads "${threads:-2}" --steps "[extract, {command: {$2}}]" >words 2>err || seen=$?
    [ "$seen" = "$1" ] || { cat err >&2; fail "{$2} gave $seen, want $1"; }
}
kept() { zstd -dcq out/*.jsonl.zst; }

long=$((100000 + $$))                 # seconds that nobody else sleeps
mkdir in
for i in $(seq 40); do echo "document number $i" >in/$(printf %02d $i).txt; done

# --- programs that answer: sh reads byte by byte, so it waits for no more than a line ---
curate 0 "run: [cat]"
[ "$(kept | wc -l)" = 40 ] || fail "cat does not keep all"
! kept | grep -q '"kind".*"kind"' || fail "a member of the metadata stands twice"
kept >all
curate 0 "run: [sh, -c, 'while read -r l; do echo \"{}\"; done']"
kept | cmp - all || fail "{} is not as it was"
curate 0 "run: [sh, -c, 'while read -r l; do echo \"{\\\"text\\\": \\\"new\\\", \\\"metadata\\\": {\\\"b\\\": 1}, \\\"score\\\": 0.5}\"; done']"
[ "$(kept | grep -c '"text":"new"')" = 40 ] || fail "the text was not replaced"
kept | grep -q '"metadata":{[^}]*"b":1}' || fail "the metadata were not replaced"
cat >odd.sh <<'S'
while read -r l; do case $l in *[13579]\\n*) echo '{"keep": false, "reason": "odd"}' ;; *) echo '{}' ;; esac; done
S
curate 0 "run: [sh, odd.sh], files: [odd.sh]"
[ "$(kept | wc -l)" = 20 ] || fail "half were not dropped"
grep -q '"command_dropped"' out/report.json || fail "the reason is not in the report"
digest() { sha256sum "$1" | cut -c1-64; }
has "$(digest odd.sh)" out/manifest.json
kept >two
rm -rf out out.work; "$TUNDISH" curate in --out out --threads 1 --steps '[extract, {command: {run: [sh, odd.sh], files: [odd.sh]}}]' 2>/dev/null
kept | cmp - two || fail "threads change the corpus"
curate 1 "run: [sh, -c, 'while read -r l; do echo \"{\\\"text\\\": \\\"\\\"}\"; done']"
has "40 dropped by 'command' (empty)" err

# --- programs that do not ---
curate 2 "run: [no-such-program-here]"
has "'no-such-program-here' cannot be run" err
curate 2 "run: ['cat -']"
has "no shell reads its words" err
curate 1 "run: [sh, -c, 'read -r l; echo last words >&2; exit 7']"
has "ended with exit code 7" err
has "it said: last words" err
curate 1 "run: [sh, -c, 'read -r l; kill -9 \$\$']"
has "signal 9 (Killed)" err
curate 1 "run: [sh, -c, 'while read -r l; do echo garbage; done']"
has "no JSON object" err
curate 1 "run: [sh, -c, 'while read -r l; do echo \"[1]\"; done']"
has "no JSON object" err
curate 1 "run: [sh, -c, 'while read -r l; do echo \"{\\\"kep\\\": false}\"; done']"
has "a member is none of keep" err
curate 1 "run: [sh, -c, 'while read -r l; do echo \"{\\\"keep\\\": 1}\"; done']"
has "'keep' is not true or false" err
curate 1 "run: [sh, -c, 'while read -r l; do echo \"{\\\"id\\\": \\\"other\\\"}\"; done']"
has "another document" err
curate 1 "run: [sh, -c, 'while read -r l; do sleep $long; done'], timeout: 1s"
has "no answer came in time" err
curate 1 "run: [sh, -c, 'exec cat /dev/zero'], timeout: 20s"
has "its answer has no end" err
in=in/01.txt
curate 0 "run: [sh, -c, 'while read -r l; do sleep $long; done'], timeout: 1s, on-failure: keep"
has '"failures": 1' out/report.json
unset in

# one document kills it: that one is dropped, the program is started anew for the next
curate 0 "run: [sh, -c, 'while read -r l; do case \$l in *\"number 7\\\\n\"*) exit 1;; esac; echo \"{}\"; done'], on-failure: drop"
[ "$(kept | wc -l)" = 39 ] || fail "more than one document was dropped"
grep -q '"command_failed"' out/report.json || fail "the failure is not in the report"

! grep -q "each of its first" err || fail "one failure is told as that of the program"

# none is answered: that is told, for it is the program's fault
threads=1 curate 0 "run: [sh, -c, 'echo no model here >&2; exit 1'], on-failure: keep"
has "failed at each of its first 20 documents" err
has "no model here" err
[ "$(kept | wc -l)" = 40 ] || fail "kept documents are not kept"

# a bound on memory: 200 MB do not fit
curate 1 "run: [sh, -c, 'read -r l; dd if=/dev/zero of=/dev/null bs=200M count=1 || exit 3; echo \"{}\"'], memory: 100M"
has "exit code 3" err
curate 2 "files: [odd.sh]"
has "'run' is missing" err
curate 2 "run: [cat], timeout: soon"
has "want a span of time" err

# --- 50 MB through a program that answers while it reads, both pipes full ---
mkdir big
head -c 37500000 /dev/urandom | base64 -w 1000 >big/big.txt
timeout 120 "$TUNDISH" curate big --out bigger --max-document 100M --steps '[extract, {command: {run: [cat]}}]' 2>err || { cat err; fail "50 MB"; }
zstd -dcq bigger/*.zst | head -c 60000000 | wc -c | grep -q '^5[0-9]\{7\}$' || fail "50 MB did not come through"

# --- nothing is left running, whatever happened ---
sleep 0.2
for left in /proc/[0-9]*; do
    ! { tr '\0' ' ' <"$left/cmdline" | grep -q "^sleep $long "; } 2>/dev/null || fail "a process is left: $left"
done
