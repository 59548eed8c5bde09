#!/usr/bin/env bash
# `tundish curate` from a folder with good and hostile inputs to a corpus; its errors; the same bytes for any threads.
set -eu
. "$TUNDISH_SOURCE/tests/curate/scenario.sh"

# --- inputs ---
mkdir -p in/sub
prose() { # prose N: a text that passes the filters, another for each N
    awk -v n="$1" 'BEGIN {
        srand(n); split("the and of that with have to be", s, " ")
        for (i = 0; i < 160; i++) {
            w = ""
            for (k = 0; k < 3 + int(rand() * 6); k++) w = w sprintf("%c", 97 + int(rand() * 26))
            printf "%s%s", i % 4 ? w : s[1 + int(rand() * 8)], i % 12 == 11 ? ".\n" : " "
        }
    }'
}
for i in 1 2 3 4 5 6; do prose $i > in/text$i.txt; done
cp in/text1.txt in/sub/copy.txt                                   # an equal one
{ cat in/text2.txt; echo "One more line at the end."; } > in/sub/near.txt     # nearly equal, longer
cat in/text3.txt in/text4.txt in/text5.txt > in/sub/book.txt      # covered by others
prose 7 | sed 's/$/\r/' > in/dos.md
{ echo '<html><head><title>Page</title></head><body><nav><a href=/>Home</a></nav><p>'; prose 8; echo '</p></body></html>'; } > in/page.html
printf '{"id": "line one", "text": "%s"}\nnot json\n{"text": 5}\n' "$(prose 9 | tr '\n' ' ')" > in/lines.jsonl
printf 'short\n' > in/short.txt
printf '</pre><script>alert(1)</script> "onload=" \033[2J \342\200\256turned\n' > 'in/<script>hostile.txt'
: > in/empty.txt
head -c 2000 /dev/urandom > in/random.bin
printf '\377\376\001bad\377\377\377' > in/broken.txt
ln -s /etc/passwd in/link.txt
prose 10 > packed.txt && gzip -c packed.txt > in/packed.txt.gz
mkdir bad && prose 11 > bad/inner.txt && tar cf in/tar.tar --transform 's,bad/inner,../../evil,' -P bad/inner.txt
tar czf whole.tgz bad && head -c 200 whole.tgz > in/cut.tgz
head -c 60000000 /dev/zero | gzip -9 > in/bomb.txt.gz             # 1000 times smaller

# --- the run ---
"$TUNDISH" curate in --out c1 --threads 1 2> log || { cat log >&2; fail "curate"; }
"$TUNDISH" store cat c1 > lines 2> /dev/null || zstd -dc c1/part-*.jsonl.zst > lines
for word in in/sub/copy.txt in/text6.txt in/sub/near.txt in/dos.md in/page.html '"line one"' in/packed.txt.gz; do has "$word" lines; done
for word in in/text1.txt in/text2.txt in/sub/book.txt in/short.txt in/broken.txt evil passwd; do
    ! grep -qF -- "\"id\":\"$word\"" lines || fail "$word is in the corpus"
done
! grep -q evil lines || fail "a member outside of its archive was read"
! grep -q '\\r' lines || fail "a carriage return is left"
! grep -q Home lines || fail "navigation is left"
for word in exact_duplicate near_duplicate contained gopher_short_doc path_traversal bad_jsonl_line '"link"'; do has "$word" c1/report.json; done
has '"of": "in/sub/near.txt"' c1/report.json
has '<caption>What was dropped' c1/report.html
has '<h3>Samples of what is left</h3>' c1/report.html
tools=$(dirname "$TUNDISH")/tests
"$tools/tool_wellformed" c1/report.html > why || fail "the page: $(cat why)"
! grep -q '<script' c1/report.html || fail "a document's text became markup"
has '&lt;script&gt;alert(1)' c1/report.html
has exact_duplicate log
! grep -qE '"seconds"|"host"|MB/s' c1/report.json c1/report.html || fail "a report has what changes from run to run"

# --- the same bytes for any number of threads, and on every run ---
for threads in 2 8; do
    "$TUNDISH" curate in --out c$threads --threads $threads --quiet 2> log
    [ ! -s log ] || fail "--quiet is not: $(cat log)"
    for f in part-00000.jsonl.zst report.json report.html; do cmp c1/$f c$threads/$f; done
done
TUNDISH_CPU=portable "$TUNDISH" curate in --out cp --quiet
cmp c1/part-00000.jsonl.zst cp/part-00000.jsonl.zst
cmp c1/report.json cp/report.json
[ "$(ls c2 | sort | tr '\n' ' ')" = "manifest.json part-00000.jsonl.zst report.html report.json " ] || fail "files: $(ls c2)"
digest() { grep -m1 '"digest"' "$1/manifest.json"; }
[ "$(digest c1)" = "$(digest c2)" ] || fail "content digests differ"

# --- sources with options, steps from a file ---
cat > job.yaml <<'Y'
sources:
  - {path: in, include: ["*.txt"], exclude: ["sub/*"]}
steps:
  - normalize
  - filter: {profile: gopher@datatrove, min-words: 20, repetition: false}
Y
"$TUNDISH" curate --config job.yaml --out c3 --quiet
zstd -dc c3/part-*.jsonl.zst > lines 2> /dev/null || "$TUNDISH" store cat c3 > lines
[ "$(wc -l < lines)" = 6 ] || fail "with sources: $(wc -l < lines) documents, want 6"

# --- errors ---
fails_with 2 "nothing to read" "$TUNDISH" curate --out x
fails_with 2 "both 'in' and 'sources'" "$TUNDISH" curate in --sources '[in]' --out x
fails_with 2 "source 'nowhere'" "$TUNDISH" curate nowhere --out x
fails_with 2 "did you mean 'normalize'?" "$TUNDISH" curate in --out x --steps '[normalise]'
fails_with 2 "did you mean 'min-words'?" "$TUNDISH" curate in --out x --steps '[{filter: {profile: gopher@datatrove, min-wrods: 3}}]'
printf 'steps:\n  - normalize\n  - dedup: {method: exakt}\n' > wrong.yaml
fails_with 2 "wrong.yaml:3:21: there is no method 'exakt'; did you mean 'exact'?" "$TUNDISH" curate in --out x --config wrong.yaml
fails_with 1 "no document is left" "$TUNDISH" curate in/short.txt --out x
has "gopher_short_doc" err
mkdir big
for i in 1 2 3; do awk -v n=$i 'BEGIN { for (i = 0; i < 30000; i++) print "word" n, i * 7919 }' > big/$i.txt; done
fails_with 1 "more than memory 1.0 MB allows" "$TUNDISH" curate big --out x --memory 1M --steps '[{dedup: {method: containment}}]'
has "dedup containment" err
[ ! -e x ] || fail "a failed run left its output"
[ -z "$(ls -A . | grep tmp || true)" ] || fail "a failed run left temporary files"

# --- help ---
"$TUNDISH" curate --help > help
for word in 'filter {profile: gopher@datatrove}' 'min-words: 50' 'dedup {method: containment}' 'dedup (exact, minhash, containment), sample' \
    'elements: [TEXT]' 'join: \n\n' 'repair: true' --max-ratio; do has "$word" help; done
echo "curate from inputs to corpus works"
