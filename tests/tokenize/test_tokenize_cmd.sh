#!/usr/bin/env bash
# The tokenizer's commands from end to end: train, info, encode, decode, tokenize; what threads must not change, and what is refused.
# (What ends `tokenize` before its time: test_tokenize_resume.sh.)
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export XDG_CACHE_HOME=$scratch/cache
cd "$scratch"

. "$TUNDISH_SOURCE/tests/commands.sh"

awk 'BEGIN {
    srand(7)
    split("melt ladle mould steel the of and pours into tundish Größe 東京 it'"'"'s 1550 \\n\\n 🙂 é", w, " ")
    for (i = 0; i < 3000; i++) {
        text = ""
        for (n = int(rand() * 80); n >= 0; n--) text = text w[1 + int(rand() * rand() * 17)] sprintf("%c%c", 97 + int(rand() * 26), 97 + int(rand() * rand() * 26)) (rand() < 0.1 ? ", " : " ")
        printf "{\"id\": \"d%d\", \"text\": \"%s\", \"source\": \"s%d\"}\n", i, text, i % 3
    }
}' >docs.jsonl

# training: the same whatever the threads, and the record
for threads in 1 2 8; do
    run 0 tokenizer train docs.jsonl --out "t$threads" --vocab 400 --threads $threads
    cmp t1/tokenizer.json "t$threads/tokenizer.json" || fail "$threads threads give another tokenizer"
    [ "$(digest t1)" = "$(digest "t$threads")" ] || fail "$threads threads give another digest"
done
has err '400 tokens (143 merges) from 3,000 documents'
has t1/manifest.json '"vocab": 400'
has t1/manifest.json '"merges": 143'
has t1/manifest.json '"documents": 3000'
grep -q '"threads"\|"memory"' t1/manifest.json && fail "neutral options are in the record"
tac docs.jsonl >turned.jsonl
run 0 tokenizer train turned.jsonl --out turned --vocab 400
cmp t1/tokenizer.json turned/tokenizer.json || fail "the order of documents changes the tokenizer"

# several sizes at once, and on from a smaller one
run 0 tokenizer train docs.jsonl --out sizes --vocab 400 --also 300 --also 350
cmp t1/tokenizer.json sizes/tokenizer.json || fail "other sizes change the largest"
run 0 tokenizer train docs.jsonl --out t300 --vocab 300
cmp t300/tokenizer.json sizes/vocab-300/tokenizer.json || fail "300 tokens on the way are not 300 tokens trained"
has sizes/manifest.json '"vocab-350/tokenizer.json"'
run 0 tokenizer train docs.jsonl --out on --vocab 400 --from sizes/vocab-300
run 0 tokenizer info --json t1/tokenizer.json
cp out want
run 0 tokenizer info --json on/tokenizer.json
for field in vocab merges; do [ "$(grep -o "\"$field\":[0-9]*" out)" = "$(grep -o "\"$field\":[0-9]*" want)" ] || fail "$field: went on to others"; done
for t in t1 on; do
    "$TUNDISH" tokenizer encode --read text --tokenizer $t docs.jsonl >"$t.ids"
done
cmp t1.ids on.ids || fail "a training that goes on gives other ids"
run 2 tokenizer train docs.jsonl --out refused --vocab 400 --from t1
has err 'has 400 tokens already; want more'
run 2 tokenizer train docs.jsonl --out refused --from t300 --pattern gpt2
has err 'option pattern cannot be used with from'
mkdir nfc
sed 's/"normalizer": null/"normalizer": {"type": "NFC"}/' t300/tokenizer.json >nfc/tokenizer.json
run 2 tokenizer train docs.jsonl --out refused --vocab 400 --from nfc --require "$(printf '\341\204\222\341\205\241')"
has err 'is not in NFC'
run 0 tokenizer train docs.jsonl --out nfc-on --vocab 400 --from nfc --require "$(printf '\355\225\230')" --no-report
for also in 400 257 x 2x; do
    run 2 tokenizer train docs.jsonl --out refused --vocab 400 --also $also
    has err "also is '$also'; want a number of tokens above 257 and below vocab=400"
done

# required tokens
printf ' tundish\nGröße\n\n東京\n' >require.txt
run 0 tokenizer train docs.jsonl --out required --vocab 300 --require-file require.txt --require melting
for text in ' tundish' Größe 東京 melting; do
    printf '%s' "$text" >piece
    run 0 tokenizer encode --read text --tokenizer required piece
    [ "$(wc -w <out)" = 1 ] || fail "'$text' is not one token"
done
run 2 tokenizer train docs.jsonl --out refused --require 'two words'
has err "required token 'two words' is cut by the pattern (behind byte 3)"

# digits and scripts
printf 'in 1550 and 12345 too 東京タワーabc Größe' >cut
cp cut cut.txt
digits() { run 0 tokenizer train cut.txt --out digits --vocab 500 --pattern gpt2 --digits "$1"; has digits/tokenizer.json "$2"; }
digits 1 '| ?..p{N}|'
digits 3 '| ?..p{N}{1,3}|'
run 0 tokenizer train cut.txt --out digits --vocab 500 --digits 1
run 0 tokenizer train cut.txt --out qwen --vocab 500 --pattern qwen2
cmp digits/tokenizer.json qwen/tokenizer.json || fail "llama3's pattern with single digits is qwen2's"
run 2 tokenizer train cut.txt --out refused --pattern '.' --digits 1
has err "digits can be changed in a named pattern only"
run 0 tokenizer train cut.txt --out scripts --vocab 500 --scripts --require 東京 --require タワー --require abc
run 2 tokenizer train cut.txt --out refused --scripts --require 東京タワー
has err "is cut by the pattern (behind byte 6)"

# info
run 0 tokenizer info t1
has out '^vocab  *400$'
has out '^pattern  *\["llama3"\]$'
has out '^special  *{"<|endoftext|>":0}$'
run 0 tokenizer info --json t1/tokenizer.json
has out '"end_of_text":0,.*"merges":143'

# text -> ids -> text, for any bytes, and in both forms
printf 'The melt\xff\xc3( pours\n\n  into 東京\r\n<|endoftext|>\0end' >any
for json in --no-json --json; do
    run 0 tokenizer encode --tokenizer t1 $json any
    cp out ids
    run 0 tokenizer decode --tokenizer t1 ids
    cmp any out || fail "text does not come back ($json)"
    "$TUNDISH" tokenizer encode --tokenizer t1 $json <any | cmp - ids || fail "standard input is read differently"
done
run 0 tokenizer encode --tokenizer t1 --special any
has out ' 0 '
cp out ids
run 0 tokenizer decode --tokenizer t1 --skip-special ids
tr -d '\0' <out | grep -q 'endoftext' && fail "--skip-special leaves special tokens"
printf 'one line\nand two\n' >lines
run 0 tokenizer encode --tokenizer t1 --read lines lines
[ "$(wc -l <out)" = 2 ] || fail "two lines are not two documents"
cp out ids
run 0 tokenizer decode --tokenizer t1 --lines ids
cmp lines out || fail "lines do not come back"
run 0 tokenizer encode --tokenizer t1 --json --threads 2 docs.jsonl
[ "$(wc -l <out)" = 3000 ] || fail "not a line a document"
cp out ids
"$TUNDISH" tokenizer encode --tokenizer t1 --json --read jsonl <docs.jsonl | cmp - ids || fail "JSONL on standard input differs"
run 0 tokenizer decode --tokenizer t1 --json ids
sed 's/^{"id": \("d[0-9]*"\), "text": /{"id":\1,"text":/; s/, "source": .*/}/' docs.jsonl | cmp - out || fail "JSONL does not come back"
run 0 tokenizer encode --tokenizer t1 --count lines any
[ "$(wc -l <out)" = 2 ] || fail "--count prints no line a document"

# the store: the same whatever the threads, with every document's tokens and an end of text
for threads in 1 2 8; do
    run 0 tokenize docs.jsonl --tokenizer t1 --out "s$threads" --threads $threads --validation 0.1 --shard-tokens 30000
    [ "$(digest s1)" = "$(digest "s$threads")" ] || fail "$threads threads give another store"
done
has err 'tokens of 3,000 documents'
run 0 store verify s1
run 0 store cat s1
grep -c '"tokens":\[.*,0\]}$' out >count || true
"$TUNDISH" store info --json s1 | sed 's/.*"shards":\([0-9]*\).*"train":{"documents":\([0-9]*\).*/\2 \1/' >train
read -r documents shards <train
[ "$documents" -gt 2500 ] && [ "$documents" -lt 2850 ] || fail "$documents documents of 3,000 in train, want about 2,700"
[ "$shards" -gt 1 ] || fail "one shard, want several"
[ "$(cat count)" = "$documents" ] || fail "not every document ends with the end of text"
sed 's/"tokens"/"ids"/; s/,0\]}$/]}/' out >ids
run 0 tokenizer decode --tokenizer t1 --json ids
sed 's/^{"id": \("d[0-9]*"\), "text": /{"id":\1,"text":/; s/, "source": .*/}/' docs.jsonl >want
[ "$(sort out want | uniq -d | wc -l)" = "$(sort -u out | wc -l)" ] || fail "a document's tokens are not its text"
run 0 tokenize docs.jsonl --tokenizer t1/tokenizer.json --out by-file --validation 0.1
run 0 store verify by-file

# .txt files: one document each
mkdir texts
printf 'the melt' >texts/a.txt
printf 'pours\xff' >texts/b.txt
run 0 tokenize texts --tokenizer t1 --out from-texts --validation 0
run 0 store cat from-texts
[ "$(wc -l <out)" = 2 ] || fail "two files are not two documents"
has out '"id":"b.txt"'

# own patterns, special tokens, too little text
run 0 tokenizer train texts --out own --vocab 300 --pattern '\S+|\s+' --special '<s>' --special '</s>'
has err 'gives only [0-9]* tokens of the 300 wanted'
run 0 tokenizer info own
has out '"</s>":1,"<s>":0'
has out '^end_of_text  *1$'
run 0 tokenizer train texts --out none --vocab 300 --special '[x]'
has err 'none of the special tokens is a known end of text'
run 2 tokenize texts --tokenizer none --out refused
has err 'no end-of-text token'

# refusals leave nothing behind
run 2 tokenizer train texts --out refused --vocab 257 --special a --special b
has err 'want at least 258'
run 2 tokenizer train texts --out refused --special a --special a
has err "special token 'a' is given twice"
run 2 tokenizer train texts --out refused --pattern '\X+'
has err 'the pattern has \\X at byte 0'
run 2 tokenizer train texts --out refused --pattern lama3
has err "pattern 'lama3' is neither a name nor a regular expression; did you mean 'llama3'?"
run 2 tokenizer train texts --out refused --pattern '(a'
run 2 tokenizer train nowhere --out refused
has err 'nowhere'
mkdir empty
run 2 tokenizer train empty --out refused
has err 'no corpus'
run 2 tokenize docs.jsonl --tokenizer nowhere --out refused
echo '{"id": "x", "text": 7}' >bad.jsonl
run 2 tokenize bad.jsonl --tokenizer t1 --out refused
has err "'bad.jsonl' line 1"
run 1 tokenizer train docs.jsonl --out refused --pattern '(?:[a-z]|[a-z ])+\p{N}'
has err 'backtracks too much'
run 1 tokenizer decode --tokenizer t1 <<<'1 2 400'
has err 'id 400 at place 2'
run 2 tokenizer decode --tokenizer t1 <<<'1 x'
run 2 tokenizer decode --tokenizer t1 <<<'{"ids": [1, -2]}'
ls -d refused* 2>/dev/null && fail "a refused run left something"

echo "the tokenizer's commands do as they say"
