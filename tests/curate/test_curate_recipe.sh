#!/usr/bin/env bash
# pipelines/corpus.yaml on small sources of each kind that it names: what is read, what the report tells, twice the same bytes.
set -eu
. "$TUNDISH_SOURCE/tests/curate/scenario.sh"
prose() { # prose N: sentences that pass the filters, others for each N
    awk -v n="$1" 'BEGIN {
        srand(n); split("the and of that with have to be", s, " ")
        for (i = 0; i < 240; i++) {
            w = ""
            for (k = 0; k < 3 + int(rand() * 6); k++) w = w sprintf("%c", 97 + int(rand() * 26))
            printf "%s%s", i % 3 ? w : s[1 + int(rand() * 8)], i % 24 == 23 ? ".\n" : (i % 12 == 11 ? ". " : " ")
        }
    }'
}

# --- sources ---
mkdir -p corpora/web corpora/clinical/mts-dialog corpora/multilingual corpora/general medquad aci
{ printf '<html><head><title>Page</title></head><body><nav><a href=/>Home</a></nav><article><p>'; prose 1; printf '</p></article></body></html>'; } > page
body=$(printf 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n'; cat page)
printf 'WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:1>\r\nWARC-Target-URI: http://example.org/\r\nContent-Type: application/http; msgtype=response\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n' \
    "$(printf %s "$body" | wc -c)" "$body" | gzip > corpora/web/crawl.warc.gz
mkdir -p medquad/1_Good_QA medquad/10_MPlus_ADAM_QA
printf '<?xml version="1.0"?><Document id="7" source="NIH"><Focus>Sleep</Focus><QAPairs><QAPair pid="1"><Question qtype="cause">Why?</Question><Answer>%s</Answer></QAPair></QAPairs></Document>\n' \
    "$(prose 2)" > medquad/1_Good_QA/7.xml
printf '<?xml version="1.0"?><Document id="8"><QAPairs><QAPair pid="1"><Question>Gone?</Question><Answer></Answer></QAPair></QAPairs></Document>\n' > medquad/10_MPlus_ADAM_QA/8.xml
tar czf corpora/clinical/medquad.tar.gz -C medquad .
{ echo 'ID,section_header,section_text,dialogue'; printf '0,GENHX,"%s","%s"\n' "$(prose 3)" "$(prose 4)"; } > corpora/clinical/mts-dialog/set.csv
{ echo 'dataset,encounter_id,dialogue,note'; printf 'x,D1,"%s","%s"\n' "$(prose 5)" "$(prose 6)"; } > aci/train.csv
echo 'a,b' > aci/train_metadata.csv
tar czf corpora/clinical/aci-bench.tar.gz -C aci .
cat > corpora/multilingual/deu.xml <<'X'
<?xml version="1.0"?>
<udhr><title>Vom Wald</title><para>Der Förster geht jeden Morgen mit seinem Hund in den Wald und sieht nach den jungen Bäumen. Im letzten
Winter hat der Sturm viele alte Buchen umgeworfen, die nun auf dem Boden liegen. Für die Käfer ist das ein Fest, für die Wege nicht.
Wer dort wandern will, nimmt besser die Straße am Bach. Zwischen den Steinen wachsen Farne, und manchmal zeigt sich ein Reh. Die
Kinder aus dem Dorf bauen Hütten, von denen eine sogar ein Dach aus Rinde bekommen hat. Abends ist es still, bis die Eule ruft.</para></udhr>
X
for i in $(seq 10 40); do prose $i > corpora/general/$i.txt; done

# --- the run ---
run() { "$TUNDISH" run "$TUNDISH_SOURCE/pipelines/corpus.yaml" --work "$1" --set corpora=corpora --set "languages=$TUNDISH_SOURCE/pipelines/corpus" \
    --set vocab=400 --set test=0.1 "${@:2}"; }
run work --dry-run > out
has "corpus     run" out
run work > log 2>&1 || { tail -30 log >&2; fail "the run"; }
corpus=$(readlink -f work/current/corpus)
"$(dirname "$TUNDISH")/tests/tool_wellformed" "$corpus/report.html" > why || fail "the page: $(cat why)"
for word in '"html"' '"table"' '"xml"' '"text"' '"en"' '"de"' '"rule": "gopher_short_doc"' '"rule": "too_few_sentences"' '"rule": "line_punct_ratio"'; do
    has "$word" "$corpus/report.json"
done
has '"speed"' "$corpus/manifest.json"
! grep -q '"seconds"' "$corpus/report.json" || fail "the report tells of time"
"$TUNDISH" store cat "$corpus" > lines
"$TUNDISH" store cat "$corpus/test" >> lines
for word in '"Focus":"Sleep"' '"section_header":"GENHX"' '"encounter_id":"D1"' '"curate"' 'Der Förster'; do has "$word" lines; done
! grep -q 'Gone?' lines || fail "an excluded file was read"
! grep -q 'Home' lines || fail "navigation is left"
[ -d work/current/tokens ] || fail "no token store"

# --- again: the same bytes ---
run again --until corpus --quiet > out 2>&1 || { cat out >&2; fail "the second run"; }
for f in part-00000.jsonl.zst report.json report.html test/part-00000.jsonl.zst; do cmp "$corpus/$f" "$(readlink -f again/current/corpus)/$f"; done
echo "the recipe works"
