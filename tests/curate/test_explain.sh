#!/usr/bin/env bash
# curate --explain: a file, a member, a line, an id of a line, what never became a document, what is not there; as words and as JSON.
set -eu
. "$TUNDISH_SOURCE/tests/curate/scenario.sh"
steps='[normalize, {language: {keep: [en]}}, {filter: {profile: gopher@dolma}}, {filter: {profile: gopher@datatrove, min-words: 3}}, {dedup: {method: exact}}]'
# explain WANT ARGUMENTS...
explain() {
    local want=$1 seen=0
    shift
    "$TUNDISH" curate --steps "$steps" "$@" >out 2>err || seen=$?
    [ "$seen" = "$want" ] || { cat out err >&2; fail "$* gave $seen, want $want"; }
}

mkdir -p in/sub
grep -h '^en' "$TUNDISH_SOURCE/tests/curate/golden/languages.tsv" | cut -f 2 >in/sub/good.txt
grep -h '^de' "$TUNDISH_SOURCE/tests/curate/golden/languages.tsv" | cut -f 2 >in/german.txt
printf '{"id": "own/id", "text": "The short text."}\n{"text": "A text of its own line, in English as one can see."}\nnot json\n' >in/lines.jsonl
head -c 5000 /dev/urandom >in/noise.bin
printf '\303\251\303\251 \377\200\377\200 \303\251' >in/broken.txt
tar cf pack.tar in/sub/good.txt in/lines.jsonl

# --- a path, without sources ---
explain 0 --explain in/sub/good.txt
has "verdict   stays" out
has "language  en (" out
has "language_score_low" out
has "dolma_word_count_min" out
has "looks at all documents; not judged for one" out
has "| Whereas recognition" out
[ ! -s err ] || fail "words on stderr"

# --- the id is that of the corpus, wherever it was found ---
explain 0 in --explain in/sub/good.txt
[ "$(head -1 out)" = in/sub/good.txt ] || fail "the id is $(head -1 out)"
explain 0 "$PWD/in/" --explain in/sub/good.txt
[ "$(head -1 out)" = in/sub/good.txt ] || fail "the id is $(head -1 out), read from elsewhere"
explain 0 in --explain own/id
[ "$(head -1 out)" = own/id ] || fail "the line's own id is not found"
has "lies at   in/lines.jsonl#1" out
explain 0 in --explain 'in/lines.jsonl#2'
[ "$(grep -c verdict out)" = 1 ] || fail "more than one line was explained"
explain 0 in --explain in/lines.jsonl
[ "$(grep -c verdict out)" = 2 ] || fail "not both lines were explained"
has "lines.jsonl#3" out                             # the line that is none
has "bad_jsonl_line" out
explain 0 pack.tar --explain 'pack.tar!in/lines.jsonl#2'
[ "$(grep -c verdict out)" = 1 ] || fail "a line in an archive is not found"
explain 0 --explain 'pack.tar!in/sub/good.txt'
[ "$(head -1 out)" = 'pack.tar!in/sub/good.txt' ] || fail "a member is not found"

# --- what drops it, and what else stands against it ---
explain 0 in --explain in/german.txt
has "dropped by step 3 'language': language_not_kept" out
has "(0, want >= 1)" out
has "would drop it too: " out
explain 0 in --explain in/broken.txt
has "dropped by step 2 'normalize': invalid_utf8" out
has "no text that it could look at" out
explain 0 in --explain in/noise.bin
has "never became a document: " out

# --- the same as JSON ---
explain 0 in --explain in/german.txt --json
has '"dropped_by":"language"' out
has '"reason":"language_not_kept"' out
has '"rule":"dolma_word_count_min"' out
has '"side":"at_least"' out
[ "$(wc -l <out)" = 1 ] || fail "one document, one line"
explain 0 in --explain in/noise.bin --json
has '"outcome":' out
for ((i = 1; i <= 9; i++)); do printf '{"text": "line %d of many"}\n' $i; done >in/many.jsonl
explain 0 in --explain in/many.jsonl --json
[ "$(wc -l <out)" = 5 ] || fail "not the first five"
has "name one" err

# --- what a rule says here is what it says in a corpus ---
"$TUNDISH" curate in --out corpus --steps "$steps" 2>/dev/null || fail "curate"
has '"language_not_kept"' corpus/report.json

# --- not there ---
explain 2 in --explain in/sub/god.txt
has "nearest are 'in/sub/good.txt'" err
explain 2 --explain nowhere.txt
has "no document 'nowhere.txt'" err
explain 2 in
has "want --out" err
explain 2 in --explain in/german.txt --sources '[in]'
