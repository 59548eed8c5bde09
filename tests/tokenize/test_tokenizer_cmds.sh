#!/usr/bin/env bash
# tokenizer encode, decode and count: every format there and back, one long document shared by threads, places of ids, counts and
# limits, ids that come a few at a time, what is refused and where.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export XDG_CACHE_HOME=$scratch/cache
cd "$scratch"

. "$TUNDISH_SOURCE/tests/commands.sh"
quiet=--quiet
is() { [ "$(cat out)" = "$1" ] || fail "the output is not '$1'"; }

awk 'BEGIN {
    srand(11)
    split("melt ladle mould steel the of and pours into tundish Größe 東京 it'"'"'s 1550 ... 🙂 é \n \n\n", w, " ")
    for (i = 0; i < 170000; i++) printf "%s%c%c%s", w[1 + int(rand() * rand() * 17)], 97 + int(rand() * 26), 97 + int(rand() * rand() * 26), (rand() < 0.05 ? "\n" : rand() < 0.1 ? ", " : " ")
}' >book.txt
head -c 300000 book.txt >some.txt
run 0 tokenizer train some.txt --out t --vocab 600
run 0 tokenizer train some.txt --out own --vocab 600 --pattern '\S+|\s+'

# one long document: the same ids for any number of threads, with places to cut and without, and in each format
[ "$(wc -c <book.txt)" -gt 1200000 ] || fail "the book is too short to be cut"
for tokenizer in own t; do
    [ $tokenizer = t ] && formats="text ndjson u16 u32" || formats="text ndjson"
    for format in $formats; do
        for threads in 1 3; do
            run 0 tokenizer encode --tokenizer $tokenizer --format $format --threads $threads book.txt
            cp out "$format.$threads"
            cmp "$format.1" "$format.$threads" || fail "$threads threads give other ids ($tokenizer, $format)"
        done
        "$TUNDISH" --quiet tokenizer encode --tokenizer $tokenizer --format $format <book.txt | cmp - $format.1 || fail "standard input differs ($format)"
    done
    for format in ${formats#text ndjson}; do
        run 0 tokenizer decode --tokenizer $tokenizer --format $format $format.1
        cmp book.txt out || fail "the text does not come back from $format"
    done
    for format in text ndjson; do
        run 0 tokenizer decode --tokenizer $tokenizer $format.1
        cmp book.txt out || fail "the text does not come back from $format"
        run 0 tokenizer decode --tokenizer $tokenizer --stream $format.1
        cmp book.txt out || fail "the text does not come back from $format (--stream)"
    done
    run 0 tokenizer encode --tokenizer $tokenizer --json --offsets --threads 2 book.txt
    sed 's/,"offsets".*/}/' out | cmp - ndjson.1 || fail "--offsets changes the ids"
    [ "$(wc -w <text.1)" = "$(sed 's/.*"offsets"://' out | grep -o '\[[0-9]' | wc -l)" ] || fail "not an offset an id"
    has out ",$(wc -c <book.txt)\\]\\]}\$"
done

# the store of it is the same, too
for threads in 1 8; do
    run 0 tokenize book.txt --tokenizer t --out s$threads --validation 0 --threads $threads
    cmp <(grep '"digest"' s1/manifest.json) <(grep '"digest"' s$threads/manifest.json) || fail "$threads threads give another store"
done
run 0 store verify s1
run 0 store cat s1
sed 's/.*"tokens":\[//; s/,0\]}.*//; s/,/ /g' out >stored
run 0 tokenizer encode --tokenizer t book.txt
cmp stored out || fail "the store has other ids"

# places and texts of ids; the end-of-text token
printf 'é the 東京' >small.txt
run 0 tokenizer encode --tokenizer t --json --offsets --tokens small.txt
has out '"offsets":\[\[0,'
has out ',13\]\],"tokens":\["'
run 0 tokenizer encode --tokenizer t --format text --end small.txt
has out ' 0$'
run 0 tokenizer encode --tokenizer t --json --offsets --end small.txt
has out ',\[13,13\]\]}$'

# counts: those of encode, by file and by document
printf '{"id": "a", "text": "the melt pours"}\n{"id": "b", "text": ""}\n{"id": "c", "text": "steel"}\n' >docs.jsonl
run 0 tokenizer encode --tokenizer t --count book.txt
count=$(cat out)
[ "$count" = "$(wc -w <stored)" ] || fail "encode --count is not the number of ids"
for threads in 1 8; do
    run 0 tokenizer count --tokenizer t --threads $threads book.txt docs.jsonl
    cp out count.$threads
    cmp count.1 count.$threads || fail "$threads threads count differently"
done
has out "^ *$count  *1  *$(wc -c <book.txt) .*book.txt\$"
has out '^ *[0-9]*  *3  *19 .* docs.jsonl$'
has out "^ *[0-9]*  *4  *$(($(wc -c <book.txt) + 19)) .* total\$"
run 0 tokenizer count --tokenizer t --json book.txt docs.jsonl
has out "^{\"kind\":\"file\",\"name\":\"book.txt\",\"tokens\":$count,\"documents\":1,\"bytes\":$(wc -c <book.txt)}\$"
has out '^{"kind":"total","name":"total","tokens":[0-9]*,"documents":4,'
run 0 tokenizer count --tokenizer t --json --documents docs.jsonl
[ "$(grep -c '"kind":"document","name":"docs.jsonl","id":"[abc]","tokens":[0-9]*,"bytes":[0-9]*}$' out)" = 3 ] || fail "not a line a document"
has out '"id":"b","tokens":0,"bytes":0}'
"$TUNDISH" --quiet tokenizer count --tokenizer t --json <book.txt >out
has out "^{\"kind\":\"file\",\"name\":\"standard input\",\"tokens\":$count,"
zstd -q docs.jsonl 2>/dev/null && { run 0 tokenizer count --tokenizer t docs.jsonl.zst; has out ' 3  *19 .* docs.jsonl.zst$'; }

# where N tokens end
run 0 tokenizer encode --tokenizer t --json --offsets book.txt
sed 's/.*"offsets":\[\[//; s/\]\]}//; s/\],\[/\n/g' out >places
for n in 1 100 250000; do
    run 0 tokenizer count --tokenizer t --json --until $n book.txt
    has out "\"more\":true,\"end\":$(sed -n "${n}s/.*,//p" places)}\$"
done
run 0 tokenizer count --tokenizer t --json --until $((count - 1)) book.txt
has out '"more":true'
run 0 tokenizer count --tokenizer t --json --until "$count" book.txt
has out "\"tokens\":$count,\"more\":false,\"end\":$(wc -c <book.txt),"
run 0 tokenizer count --tokenizer t --until 1 docs.jsonl
has out '^more than 1 tokens, which end at byte [0-9]*  docs.jsonl  a$'
has out '^0 tokens, 0 bytes  docs.jsonl  b$'
has out '^total: [12] of 3 documents have more than 1 tokens$'

# ids a few at a time: whole characters come out at once, the rest waits
printf '🙂' >smile
run 0 tokenizer encode --tokenizer own smile
read -r -a ids <out
mkfifo pipe
"$TUNDISH" tokenizer decode --tokenizer own --stream <pipe >out 2>err &
pid=$!
exec 3>pipe
printf '%s\n' "${ids[@]}" >&3
for i in $(seq 500); do [ "$(wc -c <out)" = 4 ] && break; sleep 0.01; done
cmp smile out || fail "a whole character did not come out while ids may follow"
exec 3>&-
wait $pid || fail "decode --stream ended badly"
printf 'a\xff\xc3' >broken
run 0 tokenizer encode --tokenizer t broken
cp out ids
run 0 tokenizer decode --tokenizer t --stream ids
cmp broken out || fail "broken bytes do not come back"
run 0 tokenizer decode --tokenizer t --stream --repair ids
is "$(printf 'a\xef\xbf\xbd\xef\xbf\xbd')"
printf '  {"ids" : [ 1 , 2 ] , "other": {"a": [1]} , "id": "x\\n" } \n{"ids":[]}\n3 4' >forms
run 0 tokenizer decode --tokenizer t --json forms
[ "$(wc -l <out)" = 3 ] || fail "three lines are not three texts"
has out '^{"id":"x\\n","text":'

# what the file puts around a text: only where it is asked for, once a document, in parts too
mkdir around
sed 's/"post_processor": *null/"post_processor":{"type":"BertProcessing","cls":["a",65],"sep":["b",66]}/' t/tokenizer.json >around/tokenizer.json
cmp -s t/tokenizer.json around/tokenizer.json && fail "the file has no post_processor that sed finds"
printf '1\n\n' >lines.txt
run 0 tokenizer encode --tokenizer around --read lines lines.txt
is "$(printf '17\n\n')"
run 0 tokenizer encode --tokenizer around --read lines --around lines.txt
is "$(printf '65 17 66\n65 66\n')"
run 0 tokenizer encode --tokenizer around --read lines --around --json --offsets --end lines.txt
has out '^{"ids":\[65,17,66,0\],"offsets":\[\[0,0\],\[0,1\],\[1,1\],\[1,1\]\]}'
run 0 tokenizer encode --tokenizer t book.txt
cp out plain
for threads in 1 2 8; do
    run 0 tokenizer encode --tokenizer around --threads $threads --around book.txt
    [ "$(cat out)" = "65 $(cat plain) 66" ] || fail "$threads threads put other tokens around a text in parts"
done
run 0 tokenizer count --tokenizer around --around --json book.txt
has out "\"tokens\":$(($(wc -w <plain) + 2))"
run 0 tokenizer count --tokenizer around --around --until 2 --json --read lines lines.txt
has out '"more":true,"end":1'
has out '"tokens":2,"more":false'
run 0 tokenizer encode --tokenizer t --around lines.txt
has err '--around changes nothing'

# info tells the file's own cuts; where nothing merges across a mark is none of them
printf '{"model":{"type":"BPE","vocab":{"\xe2\x96\x81":0,"a":1,"\xe2\x96\x81a":2},"merges":["\xe2\x96\x81 a"]}}' >marks.json
run 0 tokenizer info --json marks.json
has out '"pattern": *\[\]'
run 0 tokenizer info --json t
has out '"pattern": *\["'

# what is refused, and where
run 2 tokenizer decode --tokenizer t <<<$'1 2\n3 x4'
has err "'standard input' line 2, byte 3: want ids between spaces, .*found 'x4'"
run 2 tokenizer decode --tokenizer t <<<$'1\n{"ids": [1, 4294967296]}'
has err "line 2: \"ids\"\\[1\\] is no id"
run 2 tokenizer decode --tokenizer t <<<$'1\n{"ids": [1}'
has err 'line 2'
run 1 tokenizer decode --tokenizer t <<<$'1\n2 600'
has err "line 2: id 600 at place 1 is not in the vocabulary (ids 0 to 599)"
run 2 tokenizer decode --tokenizer t <<<"$(head -c 5000 /dev/zero | tr '\0' 7)"
has err 'line 1, byte 1'
printf '\1\0c' >odd
run 2 tokenizer decode --tokenizer t --format u16 odd
has err "'odd' ends 1 bytes behind a whole id"
printf '\1\0\130\2' >unknown
run 1 tokenizer decode --tokenizer t --format u16 unknown
has err "'unknown': id 600 at place 1 is not"
run 2 tokenizer decode --tokenizer t --stream --lines ids
run 2 tokenizer encode --tokenizer t --offsets small.txt
has err '--offsets and --tokens are for --format ndjson'
run 2 tokenizer encode --tokenizer t --json --format u16 small.txt
run 2 tokenizer encode --tokenizer t --count --format u32 small.txt
printf '{"id": "a", "text": "x"}\n{"id": "b", "text": 3}\n' >bad.jsonl
run 2 tokenizer count --tokenizer t bad.jsonl
has err "'bad.jsonl' line 2"
run 2 tokenizer encode --tokenizer t --read jsonl bad.jsonl
has err "'bad.jsonl' line 2"
run 2 tokenizer count --tokenizer t nowhere.txt
has err 'nowhere.txt'
echo "encode, decode and count do as they say"
