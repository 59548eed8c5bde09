#!/usr/bin/env bash
# `tundish curate --dry-run`: what would be read and done; from a sample, what would be left. Nothing is written.
set -eu
. "$TUNDISH_SOURCE/tests/curate/scenario.sh"
number() { # number KEY FILE: of a line of JSON, the first such member
    grep -oE "\"$1\":[0-9.e+-]+" "$2" | head -1 | cut -d: -f2
}
between() { awk -v low="$1" -v v="$2" -v high="$3" 'BEGIN { exit !(low <= v && v <= high) }' || fail "$4 is $2, want $1 to $3"; }

# --- 600 small files, a third of them too short; and one of many lines, two thirds of them too short ---
mkdir -p in/a in/b
awk 'BEGIN {
    split("the and of that with have to be", s, " "); srand(5)
    for (i = 0; i < 900; i++) {
        t = ""
        for (k = 0; k < (i % 3 == 0 ? 10 : 80); k++) {
            w = ""
            for (c = 0; c < 3 + int(rand() * 6); c++) w = w sprintf("%c", 97 + int(rand() * 26))
            t = t (k % 4 ? w : s[1 + int(rand() * 8)]) (k % 12 == 11 ? ".\n" : " ")
        }
        if (i < 600) { f = "in/" (i % 2 ? "a" : "b") "/" i ".txt"; print t > f; close(f) }
    }
    for (i = 0; i < 6000; i++) {
        t = ""
        for (k = 0; k < (i % 3 ? 10 : 80); k++) t = t (k % 4 ? "word" i * k % 977 : s[1 + k % 8]) " "
        printf "{\"id\": \"l%d\", \"text\": \"%s\"}\n", i, t > "in/lines.jsonl"
    }
}'
: > in/a/empty.txt
steps='[normalize, {filter: {profile: gopher@datatrove, repetition: false, min-words: 40}}, {dedup: {method: exact}}]'

# --- without a sample: no document is looked at ---
"$TUNDISH" curate in --dry-run --steps "$steps" > out 2> err
has "602 files" out
has "jsonl " out
has "min-words 40" out
has "dedup exact  (over all documents)" out
has "nothing was written" out
! grep -q sampled out || fail "a sample without --sample"

# --- all of it is what a run does ---
"$TUNDISH" curate in --out corpus --steps "$steps" --quiet 2> err || { cat err >&2; fail "the run itself"; }
"$TUNDISH" curate in --dry-run --sample 100% --json --steps "$steps" --quiet > all.json 2> err
kept=$(grep -oE '"documents_out": [0-9]+' corpus/report.json | sort -u | awk '{ print $2 }' | sort -n | head -1)
[ "$(number documents_read all.json)" = 6600 ] || fail "documents: $(number documents_read all.json), want 6600"
has '"not_estimated":["dedup exact"]' all.json
has '"outcome":"empty"' all.json
has '"reason":"gopher_short_doc"' all.json
[ "$(grep -oE '"estimate":\{[^}]*\}' all.json | grep -oE '"documents":[0-9]+' | cut -d: -f2)" -ge "$kept" ] || fail "fewer than the run kept"

# --- a tenth of it tells about the same, whoever reads it ---
for threads in 1 3; do
    "$TUNDISH" curate in --dry-run --sample 10% --json --steps "$steps" --quiet --threads $threads > s$threads.json 2> err
done
for f in s1.json s3.json; do
    grep -oE '"(documents|documents_read|bytes_read|documents_low)":[0-9]+' $f > $f.counts
done
cmp s1.json.counts s3.json.counts
between 6300 "$(number documents_read s1.json)" 6900 "estimated documents"
between 200 "$(grep -oE '"sample":\{[^}]*\}' s1.json | grep -oE '"documents":[0-9]+' | cut -d: -f2)" 1400 "sampled documents"
grep -oE '"kept":\{[^}]*\}' s1.json > kept
between "$(number low kept)" 0.364 "$(number high kept)" "the share (2400 of 6600)"
"$TUNDISH" curate in --dry-run --sample 0.1 --steps "$steps" --quiet > out
has "keeps " out
has "takes       about" out
has "not estimated: dedup exact" out

# --- nothing is written; errors ---
[ "$(ls | tr '\n' ' ')" = "all.json corpus err in kept out s1.json s1.json.counts s3.json s3.json.counts " ] || fail "files: $(ls)"
fails_with 2 "want --out DIR" "$TUNDISH" curate in
fails_with 2 "'sample' belongs to --dry-run" "$TUNDISH" curate in --out x --sample 1%
fails_with 2 "want a share above 0, up to 1 or 100%" "$TUNDISH" curate in --dry-run --sample 0
fails_with 2 "want a share above 0, up to 1 or 100%" "$TUNDISH" curate in --dry-run --sample 101%
fails_with 2 "want a share above 0, up to 1 or 100%" "$TUNDISH" curate in --dry-run --sample tenth
fails_with 2 "source 'nowhere'" "$TUNDISH" curate nowhere --dry-run
fails_with 2 "nofile.yaml" "$TUNDISH" curate in --dry-run --steps '[{filter: {profile: fineweb, languages: nofile.yaml}}]'
fails_with 2 "nomodel.bin" "$TUNDISH" curate in --dry-run --steps '[{language: {method: fasttext, model: nomodel.bin}}]'
cat > program.yaml <<'Y'
sources: [{command: [sh, -c, "touch ran; echo '{\"text\": \"x\"}'"], name: rows}, in]
Y
"$TUNDISH" curate --config program.yaml --dry-run --sample 5% > out 2> err || { cat err >&2; fail "with a program"; }
has "not estimated: the program rows" out
[ ! -e ran ] || fail "a dry run ran a program"
rm program.yaml

# --- one packed archive, of which a reader unpacks more than a megabyte before its first document comes ---
mkdir many
awk 'BEGIN { srand(3)
    for (f = 0; f < 20; f++)
        for (i = 0; i < 1000; i++) {
            t = ""
            for (k = 0; k < 40; k++)
                t = t sprintf("%08x ", rand() * 4294967296)
            print "{\"text\":\"" t "\"}" > ("many/" f ".jsonl")
        }
}'
tar czf many.tar.gz many && rm -r many
"$TUNDISH" curate many.tar.gz --dry-run --sample 5% --steps '[normalize]' --json > out
[ "$(grep -oE '"estimate":\{[^}]*' out | grep -oE '"documents_read":[0-9.e+]+' | cut -d: -f2)" = 20000 ] || fail "not all of a small archive was counted"
between 600 "$(grep -oE '"sample":\{[^}]*\}' out | grep -oE '"documents":[0-9]+' | cut -d: -f2)" 1400 "documents through the steps"
"$TUNDISH" curate many.tar.gz --dry-run --sample 100% --steps '[normalize]' > out
! grep -q "beginning only" out || fail "a file that was read whole is told as begun"
rm many.tar.gz

# --- a file too large to be read whole: 96 MB, of which 64 are read ---
line=$(head -c 30000 /dev/zero | tr '\0' w)
yes "{\"text\": \"$line\"}" | head -n 3200 > large.jsonl
"$TUNDISH" curate large.jsonl --dry-run --sample 1% --steps '[normalize]' > out
has "1 of the files from the beginning only" out
"$TUNDISH" curate large.jsonl --dry-run --sample 1% --steps '[normalize]' --json > out
between 3000 "$(number documents_read out)" 3400 "the number of documents"
between 5 "$(grep -oE '"sample":\{[^}]*\}' out | grep -oE '"documents":[0-9]+' | cut -d: -f2)" 80 "documents through the steps"
rm large.jsonl
mkdir none
"$TUNDISH" curate none --dry-run --sample 1% > out
has "0 files" out
echo "a dry run says what a run would do"
