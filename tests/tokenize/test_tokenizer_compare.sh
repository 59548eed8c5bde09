#!/usr/bin/env bash
# `tundish tokenizer compare`: equal and different tokenizers, what threads must not change, samples, and what is refused.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export XDG_CACHE_HOME=$scratch/cache
cd "$scratch"

. "$TUNDISH_SOURCE/tests/commands.sh"
hasnt() { ! grep -q -- "$2" "$1" || fail "'$2' in $1"; }

awk 'BEGIN {
    srand(11)
    split("melt ladle mould steel the of and pours into tundish Größe 東京 расплав it'"'"'s 1550 \\n\\n 🙂 é", w, " ")
    for (i = 0; i < 4000; i++) {
        text = ""
        for (n = int(rand() * 80); n >= 0; n--) text = text w[1 + int(rand() * rand() * 18)] (rand() < 0.1 ? ", " : " ")
        printf "{\"id\": \"d%d\", \"text\": \"%s\", \"source\": \"s%d\", \"metadata\": {\"language\": \"%s\"}}\n", i, text, i % 3, i % 4 ? "en" : "mixed"
    }
}' >docs.jsonl
run 0 tokenizer train docs.jsonl --out small --vocab 280
run 0 tokenizer train docs.jsonl --out large --vocab 330
mkdir -p copies/small
cp small/tokenizer.json copies/small/

# one tokenizer and its copy: nothing differs, and names tell them apart
run 0 tokenizer compare small copies/small --in docs.jsonl --expect-equal
has out '^against small  *.*same ids'
has out '^copies/small  *100.00 %  *100.00 %  *100.00 %  *0 '
hasnt out 'part first'

# a larger vocabulary of the same text: better, and it parts at once
run 0 tokenizer compare small large --in docs.jsonl --differences 2
has out '^small  *280 '
has out '^large  *330 '
has out '^mixed  *1,000 '
has out '^s0  *1,334 '
has out '^large  *280  *330$'
has out 'where small and large part first'
[ "$(grep -c "^  'd[0-9]*' byte" out)" = 2 ] || fail "want two places"
run 1 tokenizer compare small large --in docs.jsonl --expect-equal
has err "ids differ in [0-9]* places; the first is document 'd0' byte [0-9]*, '.*': 'small' gives \[[0-9 ]*\], 'large' gives \[[0-9 ]*\]; want equal ids"
# the ids that it tells are those of the encoder
"$TUNDISH" tokenizer encode --tokenizer small docs.jsonl 2>/dev/null | head -1 >ids
told=$(sed "s/.*'small' gives \[\([0-9 ]*\)\].*/\1/" err)
grep -q -- "$told" ids || fail "'$told' is not among the first document's ids: $(cat ids)"

# the figures are those of `tokenizer encode`
run 0 tokenizer compare small large --in docs.jsonl --json
cp out json
count=$("$TUNDISH" tokenizer encode --tokenizer small --count docs.jsonl | awk '{ n += $1 } END { print n }')
has json "\"tokens\":$count,\"tokens_per_word\""
has json '"texts":4000'

# the same bytes whatever the threads, on paper too; a sample as well
for threads in 1 2 8; do
    run 0 tokenizer compare small large --in docs.jsonl --json --threads $threads --out "page$threads"
    cmp out json || fail "$threads threads give other figures"
    cmp page1/report.html "page$threads/report.html" || fail "$threads threads give another page"
    cmp page1/metrics.json "page$threads/metrics.json"
    run 0 tokenizer compare small large --in docs.jsonl --json --threads $threads --sample 100K
    cp out "sample$threads"
    cmp sample1 "sample$threads" || fail "$threads threads give another sample"
done
has sample1 '"of_texts":4000,"sampled":true'
has page1/report.html 'Tokenizers compared'
grep -q '<script\|http://\|https://' page1/report.html && fail "the page loads something"
hasnt page1/metrics.json "$scratch"

# one tokenizer alone: its report
run 0 tokenizer compare large/tokenizer.json --in docs.jsonl --out alone
has alone/report.html 'What the tokenizer makes of its text'
has alone/metrics.json '"bytes_per_token"'

# .txt files; any bytes
mkdir texts
printf 'the melt \xff\xc3( pours' >texts/a.txt
printf 'into the tundish' >texts/b.txt
run 0 tokenizer compare small large --in texts
has out '^Latin  *2 '

# refusals
run 2 tokenizer compare small nowhere --in docs.jsonl
has err "there is no tokenizer 'nowhere'"
run 2 tokenizer compare small large --in nowhere
has err 'nowhere'
run 2 tokenizer compare --in docs.jsonl
run 2 tokenizer compare small large
run 2 tokenizer compare small --in docs.jsonl --expect-equal
has err 'want two or more'
run 2 tokenizer compare $(for i in $(seq 17); do echo small; done) --in docs.jsonl
has err '17 tokenizers; want 1 to 16'
: >empty.txt
run 2 tokenizer compare small large --in empty.txt --out refused
has err "'empty.txt' holds no text"
echo '{"id": "x", "text": 7}' >bad.jsonl
run 2 tokenizer compare small large --in bad.jsonl --out refused
has err "'bad.jsonl' line 1"
[ ! -e refused ] || fail "a refused run left something"
touch taken
run 1 tokenizer compare small large --in docs.jsonl --out taken
has err 'taken'
echo "tokenizer compare does as it says"
