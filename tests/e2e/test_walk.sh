#!/usr/bin/env bash
# From documents to an exported model and a completion; again with nothing changed; again with one option changed; and
# the same bytes for another number of threads.
set -eu
. "$TUNDISH_SOURCE/tests/e2e/documents.sh"
wellformed=$PWD/tests/tool_wellformed
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
make_documents docs
printf 'Some words, then <script>alert("x")</script> and \377 more words of a document that means harm.\n' >docs/0.txt
run() { "$TUNDISH" run "$TUNDISH_SOURCE/tests/e2e/walk.yaml" --work work "$@" >log 2>&1 || { echo "run $*:"; cat log; exit 1; }; }
digest() { sed -n 's/^ *"digest": *"\([0-9a-f]*\)".*/\1/p' "work/current/$1/manifest.json"; }
fails() { echo "$1"; cat log; exit 1; }

run
grep -q '^report: work/report.html$' log || fails "the run does not say where its report is"
for file in config.json model.safetensors tokenizer.json tokenizer_config.json generation_config.json README.md manifest.json; do
    [ -s "work/current/model/$file" ] || fails "the model has no $file"
done
grep -q '"bits_per_byte"' work/current/score/metrics.json || fails "no bits per byte"
grep -q 'held-out documents' work/current/model/README.md || fails "the model card lacks its evaluation"
first=$(digest model)
scored=$(digest score)
[ "$(wc -l <work/current/score/samples.jsonl)" -ge 1 ] || fails "no samples"
[ -n "$first" ] || fails "no digest"

"$TUNDISH" generate --model work/current/model --max-tokens 20 "The store" >text 2>log || fails "generate"
grep -q '^The store' text || fails "the completion does not begin with its prompt: $(cat text)"
"$TUNDISH" generate --model work/current/model --max-tokens 20 "The store" >again 2>log
cmp text again || fails "the same seed wrote another text"
echo -n "The store" | "$TUNDISH" generate --model work/current/pretrain --max-tokens 20 - >again 2>log || fails "generate from a checkpoint"
cmp text again || fails "checkpoint and exported model write different texts"

# the report of the run: each part, with the artifacts' own figures, and nothing loaded
page=work/report.html
has() { grep -qF -- "$1" "$page" || fails "the report lacks: $1"; }
for stage in corpus tokenizer tokens pretrain score model; do
    has "<h2 id=\"stage-$stage\">"
    has "$(digest "$stage")"
done
sound() { "$wellformed" "$1" >why || fails "$1 is not a sound page: $(cat why)"; }
for part in '<h2 id="timings">Timings</h2>' 'Params of this run' '<h2 id="lineage">Lineage</h2>' 'What is left after each step' 'How fast the steps were' 'The first documents that were kept' \
    'Longest tokens' 'The two parts' 'Learning rate' 'Gradient norm' '<polyline class="raw"' '<circle class="dots"' 'xz -9 alone' '<h3>Samples</h3>' 'The model goes on' \
    'got its name' '>succeeded<'; do
    has "$part"
done
number() { sed -n "s/^ *\"$2\": *\([0-9.]*\).*/\1/p" "$1" | head -n 1; }
has "<td class=\"n\">$(printf %.4f "$(number work/current/score/metrics.json bits_per_byte)")</td>"
has "Last training loss $(grep '"loss"' work/current/pretrain/metrics.jsonl | tail -n 1 | sed 's/.*"loss":\([0-9]*\.[0-9]*\).*/\1/' | xargs printf %.4f)"
has "$(number work/current/corpus/report.json documents) documents"
has '&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;'
count() { has ">$(sed ':a;s/\B[0-9]\{3\}\>/,&/;ta' <<<"$1")</td>"; }      # with its commas
for name in vocab merges; do count "$(number work/current/tokenizer/manifest.json $name)"; done
count "$(grep -A5 '"train": {' work/current/tokens/manifest.json | sed -n 's/.*"tokens": \([0-9]*\).*/\1/p')"
count "$(number work/current/model/manifest.json parameters)"
has "<dt>Documents kept</dt><dd>$(number work/current/corpus/manifest.json documents)</dd>"
has "<dt>Bits per byte</dt><dd>$(printf %.3f "$(number work/current/score/metrics.json bits_per_byte)")</dd>"
has "corpus <code>$(digest corpus | cut -c1-12)</code> <a href=\"#stage-corpus\">corpus</a>"
has 'sources <code>'
# the tokens that are shown in colours are the beginning of a held-out document
sed -n '/<pre class="tokens">/,/<\/pre>/p' "$page" | sed '1d;s/<[^>]*>//g' | head -n 1 | cut -c1-40 >tokens
[ "$(wc -c <tokens)" -gt 10 ] || fails "no tokens in colours"
"$TUNDISH" store cat work/current/corpus | grep -qF -- "$(cat tokens)" || fails "the coloured tokens are no text of the corpus: $(cat tokens)"
sound "$page"
sound work/current/corpus/report.html
sound work/current/score/report.html
! grep -qiE '<script|<link|<img|src=|url\(|@import|https?://[^ ]*"' "$page" || fails "the report loads something"
[ "$(ls work/reports | wc -l)" = 1 ] || fails "want one report: $(ls work/reports)"
cmp "$page" work/reports/*.html || fails "the last report is not the run's"

# nothing changed: nothing runs
run
[ "$(grep -c '"event":"start"' work/journal.jsonl)" = 6 ] || { cat work/journal.jsonl; fails "an unchanged pipeline ran a stage again"; }

# one option changed: that stage and what follows
run --set lr=1e-3
[ "$(grep -c '"event":"start"' work/journal.jsonl)" = 9 ] || { cat work/journal.jsonl; fails "lr: want three more stages"; }
[ "$(digest model)" != "$first" ] || fails "another lr made the same model"

# a damaged file: its section says so
printf 'x' | dd of="$(readlink -f work/current/score)/metrics.json" conv=notrunc 2>/dev/null
run --set lr=1e-3 --force tokenizer      # a run that does nothing writes no report
has 'Cannot be shown'
has 'The model goes on'          # what is whole is shown all the same
score=$(readlink -f work/current/score)
printf '[%*s]' $(($(stat -c %s "$score/metrics.json") - 2)) '' >array       # JSON of the same size
cp array "$score/metrics.json"
run --set lr=1e-3 --force tokenizer
has 'is not a JSON object'

# a run that fails: the report names the stage, shows its log, and what was not run
mkdir none
! "$TUNDISH" run "$TUNDISH_SOURCE/tests/e2e/walk.yaml" --work work --set documents=none >log 2>&1 || fails "no documents: want a failure"
has '>failed<'
has "stage &#39;corpus&#39; failed"
has 'The end of its log'
has 'no document is left'
has 'There is no artifact of it: it waits for stage corpus.'
has 'There are no artifacts.'
sound "$page"
grep -q '<td>not run</td>' "$page" || fails "the report does not say what was not run"
ls work/reports >log
[ "$(ls work/reports | grep -c tmp)" = 0 ] || fails "a temporary file is left"

# a report that cannot be written takes nothing from a run
rm "$page"
mkdir "$page"
run --set lr=1e-3 --force tokenizer
grep -q 'no report of this run' log || fails "want a warning"

# what a run was asked for is shown though nothing of it exists
! "$TUNDISH" run "$TUNDISH_SOURCE/pipelines/quickstart.yaml" --work asked --set 'documents=["<b>"]' >log 2>&1 || fails "no such path: want a failure"
page=asked/report.html
has '<code>[&quot;&lt;b&gt;&quot;]</code>'
has 'no such file or folder'

# a fresh run with one thread makes the same bytes
rm -rf work
run
[ "$(digest model)" = "$first" ] || fails "one thread made another model"
[ "$(digest score)" = "$scored" ] || fails "the second evaluation wrote other samples or scores"
echo "model $first"
