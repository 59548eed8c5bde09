#!/usr/bin/env bash
# `tundish curate` on files that want to be its end: each has its counted outcome or drop, in bounded time and memory, and a good
# document that stands behind it is in the corpus.
set -eu
tools=$(dirname "$TUNDISH")/tests
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

fail() { echo "FAILED: $*" >&2; exit 1; }
peak=300                                              # MiB, of which 100 are a few documents of 16 MiB in hand
if grep -q __asan_init "$TUNDISH"; then peak=0; fi    # a sanitizer's own memory is in the way
printf 'The good document, which stands behind all of it.\n' > good.txt

# run MIB WHAT COMMAND...: in bounded time and memory
run() {
    local mib=$1 what=$2 seen=0 used
    shift 2
    used=$("$tools/tool_peak" "$(command -v timeout)" 120 "$@" 2> err) || seen=$?
    [ $seen = 0 ] || fail "$what: exit status $seen: $(head -c 1000 err)"
    [ "$mib" = 0 ] || [ "$used" -le $((mib << 20)) ] || fail "$what: $((used >> 20)) MiB in RAM, want at most $mib"
}

# reads MIB NAME [OPTION...]: the folder in/NAME with a good document; its report's outcomes in `told`
reads() {
    local mib=$1 name=$2
    shift 2
    cp good.txt "in/$name/zzz-good.txt"
    rm -rf out
    run "$mib" "$name" "$TUNDISH" curate "in/$name" --out out --quiet "$@"
    zstd -dcq out/part-*.jsonl.zst > lines
    grep -q 'The good document' lines || fail "$name: the good document is not in the corpus"
    told=" $(tr -d ' \n' < out/report.json | grep -o '"count":[0-9]*,"meaning":"[^"]*","outcome":"[a-z_0-9]*"' |
        sed 's/"count":\([0-9]*\),.*"outcome":"\(.*\)"/\2=\1/' | sort | tr '\n' ' ')"
}
# tells OUTCOME=COUNT: among those of the last run
tells() { case "$told" in *" $1 "*) ;; *) fail "want $1, have$told" ;; esac; }
plain='--steps [normalize]'

# --- archives ---
mkdir -p in/overlap in/nested in/members
"$tools/tool_hostile" zip-overlap in/overlap/bomb.zip
reads $peak overlap $plain --max-members 100000
tells ratio_limit=1
"$tools/tool_hostile" zip-nested in/nested/bomb.zip
reads $peak nested $plain
tells depth_limit=1
"$tools/tool_hostile" gz-members in/members/bomb.gz
reads $peak members $plain --threads 2
tells ratio_limit=1
reads $peak members $plain --threads 2 --max-ratio 1e6
tells size_limit=1

# --- a gzip file that unpacks to itself: copies and literals, as Cox built them (research.swtch.com/zip), with the checksum solved for ---
mkdir -p in/itself
base64 -d > in/itself/quine.gz << END
H4sICAAAAAAAA2EwMHoAABQA6/8fiwgIAAAAAAADYTAwegAAFADr/0KIIcQAAAUA+v9CiCHEAAAFAPr/AAUA+v8AFADr/0KIIcQA
AAUA+v8ABQD6/wAUAOv/QoghxAAAFADr/0KIIcQAABQA6/9CiCHEAAAUAOv/QoghxAAAFADr/0KIIcQAAAAA//8AAAD//wASAO3/
QoghxAAAAAD//wAAAP//ABIA7f+Ci8BFAAEAAP//noOkQ84AAACCi8BFAAEAAP//noOkQ84AAAA=
END
zcat in/itself/quine.gz | cmp - in/itself/quine.gz || fail "the quine is none"
reads $peak itself $plain
tells depth_limit=1
reads $peak itself $plain --max-depth 32
tells depth_limit=1

# --- a line of 2 GB ---
mkdir -p in/line
head -c 16M /dev/zero | tr '\0' a | zstd -q1 > part.zst
for i in $(seq 128); do cat part.zst; done > long.zst
{
    { for i in $(seq 600); do printf '{"text": "line %d"}\n' "$i"; done; printf '{"text": "'; } | zstd -q
    cat long.zst
    printf '"}\n{"text": "the last line"}\n' | zstd -q
} > in/line/line.jsonl.zst
mv long.zst in/line/line.txt.zst
truncate -s 2G in/line/line.txt                        # nothing but NULs
reads $peak line $plain --max-ratio 1e9
tells size_limit=2
tells binary=1
[ "$(wc -l < lines)" = 602 ] || fail "lines beside the long one: $(wc -l < lines) documents, want 602"
reads $peak line $plain
tells ratio_limit=2
rm -rf in/line

# --- a document of a million words ---
mkdir -p in/words
awk 'BEGIN { for (i = 0; i < 1000000; i++) printf "%s%s", i % 5 ? "word" i * 7919 % 65521 : "the and of", i % 12 ? " " : "\n" }' > in/words/many.txt
run $((peak * 3)) words "$TUNDISH" curate in/words good.txt --out words --quiet \
    --steps '[normalize, {filter: {profile: gopher@datatrove, min-words: 5, min-stop-words: 0, repetition: false}}, {dedup: {method: exact}}]'
grep -q '"gopher_[a-z_]*"' words/report.json || fail "a million words: no rule has dropped it"

# --- 10,000 empty files ---
mkdir -p in/empty
(cd in/empty && seq 10000 | xargs touch)
reads $peak empty $plain
tells empty=10000
rm -rf in/empty

# --- WARC, cut at each place of its last record and in each of its gzip members ---
mkdir -p in/warc
record() { # record N: a page as a WARC record
    local page="HTTP/1.1 200 OK
Content-Type: text/html

<html><p>Page $1 says some words.</p>"
    printf 'WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:page:%d>\r\nContent-Type: application/http\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n' \
        "$1" "${#page}" "$page"
}
record 1 > one; record 2 > two; record 3 > three
gzip -c one > one.gz; gzip -c two > two.gz; gzip -c three > three.gz
cat one two > both
size=$(stat -c %s both) first=$(stat -c %s one) cuts=0
for ((n = first; n < size; n += 3)); do head -c "$n" both > "in/warc/cut$n.warc"; cuts=$((cuts + 1)); done
reads $peak warc $plain
pages=$(grep -c 'Page 1 says' lines)
[ "$pages" = $cuts ] || fail "$pages first records of $cuts cut files"
case "$told" in *cut_warc_record=*) ;; *) fail "no cut is told:$told" ;; esac
rm in/warc/*
size=$(stat -c %s two.gz) cuts=0
for ((n = 1; n < size; n += 3)); do { cat one.gz; head -c "$n" two.gz; cat three.gz; } > "in/warc/cut$n.warc.gz"; cuts=$((cuts + 1)); done
reads $peak warc $plain
[ "$(grep -c 'Page 1 says' lines)" = $cuts ] || fail "first records of files with a damaged member"
[ "$(grep -c 'Page 3 says' lines)" = $cuts ] || fail "a record behind a damaged member: $(grep -c 'Page 3 says' lines) of $cuts"
tells damaged_archive=$cuts

# --- 100,000 nested elements ---
mkdir -p in/html
{ echo '<html><body><p>Text before it all.</p>'; head -c 100000 /dev/zero | sed 's/\x00/<div>/g'; echo 'the innermost text'; } > in/html/deep.html
reads $((peak * 2)) html $plain
tr -d ' \n' < out/report.json | grep -q '"html_too_deep":1' || fail "the depth is not counted"

# --- UTF-8 that is none ---
mkdir -p in/utf8
bad() { printf 'Words before %b and words behind, enough of them to be kept as a text with a fault or some in it: a share of less than one in twenty of its characters is repaired, and more is not.\n' "$2" > "in/utf8/$1.txt"; }
bad overlong2 '\xc0\xaf'; bad overlong3 '\xe0\x80\xaf'; bad overlong4 '\xf0\x80\x80\xaf'
bad surrogate '\xed\xa0\x80'; bad pair '\xed\xa0\xbd\xed\xb8\x80'; bad beyond '\xf4\x90\x80\x80'; bad fe '\xfe'; bad ff '\xff'; bad five '\xf8\x88\x80\x80\x80'
bad lone '\x80'; bad lones '\x80\xbf\x80'; bad cut2 '\xc3'; bad cut3 '\xe2\x82'; bad cut4 '\xf0\x9f\x98'
printf 'A text that ends within a character, which is one fault, among many good ones \xe2\x82' > in/utf8/end.txt
reads $peak utf8 --steps '[{extract: {charset: utf-8}}]'          # else some are taken for another encoding
tr -d ' \n' < out/report.json | grep -q '"not_utf8":15' || fail "not all is told to be wrong: $(grep -o '"not_utf8":[^,}]*' out/report.json)"
tr -d ' \n' < out/report.json | grep -q '"invalid_utf8"' || fail "no drop for it"
reads $peak utf8 $plain
iconv -f UTF-8 -t UTF-8 lines > /dev/null || fail "the corpus of guessed encodings is not UTF-8"
reads $peak utf8 --steps '[{extract: {charset: utf-8}}, normalize]'
[ "$(wc -l < lines)" = 16 ] || fail "$(wc -l < lines) repaired texts, want 16"
iconv -f UTF-8 -t UTF-8 lines > /dev/null || fail "the corpus is not UTF-8"
[ "$(grep -c $'\xef\xbf\xbd' lines)" = 15 ] || fail "replacement characters stand in $(grep -c $'\xef\xbf\xbd' lines) of 15"
# in JSON lines they make a line that is none, or are repaired
mkdir -p in/lines
for f in in/utf8/[a-y]*.txt; do printf '{"text": "%s"}\n' "$(tr -d '\n' < "$f")"; done > in/lines/bad.jsonl
reads $peak lines $plain
iconv -f UTF-8 -t UTF-8 lines > /dev/null || fail "the corpus from JSON lines is not UTF-8"
echo "hostile files are read, told and left behind"
