#!/usr/bin/env bash
# tokenizer convert and info from end to end: rank files, vocab.bpe, GGUF, both ways; what is kept, what is named as lost, what is refused.
# The public vocabularies too, where their files lie beside the source (../shared/tokenizers).
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export XDG_CACHE_HOME=$scratch/cache
cd "$scratch"
golden=$TUNDISH_SOURCE/tests/tokenize/golden
seeds=$TUNDISH_SOURCE/tests/fuzz/seeds

. "$TUNDISH_SOURCE/tests/commands.sh"
# same A B: both encode the sample alike
same() {
    run 0 tokenizer encode --read text --tokenizer "$1" sample.txt
    cp out first
    run 0 tokenizer encode --read text --tokenizer "$2" sample.txt
    cmp -s first out || fail "'$1' and '$2' give other ids"
}
printf "The melt rests; it's 1550 degrees.  Don't STOP\n\n  Gr\303\266\303\237e \346\235\261\344\272\254 \360\237\231\202 ab abab\n" >sample.txt

# byte-level: to ranks and back
run 0 tokenizer convert "$golden/cl100k.json" --to tiktoken --out ranks.tiktoken
has err 'does not hold the pattern; note it: cl100k'
has err "does not hold the 1 added tokens: '<|endoftext|>' 0"
[ "$(wc -l <ranks.tiktoken)" = 399 ] || fail "ranks.tiktoken has another number of lines"
has ranks.tiktoken '^IQ== 1$'
run 2 tokenizer info ranks.tiktoken
has err 'does not say by which pattern'
run 2 tokenizer convert ranks.tiktoken --out back --special x
run 2 tokenizer convert ranks.tiktoken --out back --pattern cl100k --special x
has err "special: 'x'; want TEXT=ID"
run 0 tokenizer convert ranks.tiktoken --out back --pattern cl100k --special '<|endoftext|>=0'
same "$golden/cl100k.json" back
run 2 tokenizer convert ranks.tiktoken --out back --pattern cl100k
has err "'back' is there already"
run 0 tokenizer convert back --to tiktoken --out again.tiktoken
cmp ranks.tiktoken again.tiktoken || fail "ranks did not come back"
run 0 tokenizer info back --json
has out '"ignore_merges":true'
has out '"ranks":"place in merges"'
has out '"not_themselves":{"asked":399,"come_up_as_whole_pieces":true,"count":0,"first":\[\]}'
has out '"symbols":"bytes"'

# what goes with a tokenizer is kept in a folder, and named where it cannot be
mkdir model
cp "$golden/gpt2.json" model/tokenizer.json
echo '{"chat_template": "{{ x }}"}' >model/tokenizer_config.json
run 0 tokenizer convert model --out kept
cmp model/tokenizer.json kept/tokenizer.json
cmp model/tokenizer_config.json kept/tokenizer_config.json
run 0 tokenizer convert model --out single.json
has err "'tokenizer_config.json' stays behind"
run 2 tokenizer convert model --out other --pattern gpt2
has err 'says itself by which pattern'

# GPT-2's pair of files
mkdir pair
printf '#version: 0.2\na b\nab ab\n' >pair/vocab.bpe
run 2 tokenizer info pair/vocab.bpe
has err "want 'pair/encoder.json'"
printf '{"a": 0, "b": 1, "ab": 2, "abab": 3, "<|endoftext|>": 4}' >pair/encoder.json
run 0 tokenizer info pair/vocab.bpe --json
has out '"end_of_text":4'
has out '"bytes_covered":2'
printf 'abab' >abab.txt                  # a token store carries a tokenizer.json, whatever it was made with
run 0 tokenize abab.txt --tokenizer pair/vocab.bpe --out store --validation 0
same pair/vocab.bpe store
run 0 store cat store
has out '"tokens":\[3,4\]'
echo 'a c' >>pair/vocab.bpe
run 2 tokenizer info pair/vocab.bpe
has err 'line 4 is not two tokens'

# GGUF, both kinds
cp "$seeds/fuzz_tokenize_gguf/bytes" bytes.gguf
cp "$seeds/fuzz_tokenize_gguf/characters" characters.gguf
run 0 tokenizer convert bytes.gguf --out gguf1
has gguf1/tokenizer.json '"ignore_merges": true'
run 0 tokenizer convert characters.gguf --out gguf2
[ "$(cat gguf2/chat_template.jinja)" = '{{ m }}' ] || fail "the chat template was not kept"
same bytes.gguf gguf1
same characters.gguf gguf2
printf ' ab ab' >short.txt
run 0 tokenizer encode --read text --tokenizer characters.gguf short.txt
[ "$(tr -s ' \n' ' ' <out)" = '259 264 264 ' ] || fail "other ids"
cp out ids
run 0 tokenizer decode --tokenizer characters.gguf ids
[ "$(cat out)" = ' ab ab' ] || fail "other text"
run 0 tokenizer train sample.txt --from bytes.gguf --vocab 262 --out on --no-report
has on/tokenizer.json '"ignore_merges": true'
run 0 tokenizer info on --json
has out '"merges":5'
run 2 tokenizer train sample.txt --from characters.gguf --vocab 300 --out no
has err 'has no byte-level alphabet'
run 2 tokenizer convert characters.gguf --to tiktoken --out no.tiktoken
has err 'a rank file holds bytes'
[ ! -e no.tiktoken ] || fail "something was written"
head -c 200 bytes.gguf >broken.gguf
run 2 tokenizer info broken.gguf
has err 'of the metadata'
sed 's/llama-bpe/other-bpe/' bytes.gguf >other.gguf
run 2 tokenizer info other.gguf
has err "pre-tokenizer 'other-bpe' is not known"
run 0 tokenizer convert other.gguf --out named --pattern llama3
run 2 tokenizer info nothing.gguf

# what OpenAI has published is known by its digest
packed=$TUNDISH_SOURCE/../shared/tokenizers/r50k_base.tiktoken.gz
if [ -e "$packed" ]; then
    gzip -dc "$packed" >r50k.tiktoken
    gzip -dc "${packed%/*}/gpt2-vocab.bpe.gz" >gpt2-vocab.bpe
    gzip -dc "${packed%/*}/gpt2-encoder.json.gz" >gpt2-encoder.json
    same r50k.tiktoken gpt2-vocab.bpe
    run 0 tokenizer convert gpt2-vocab.bpe --to tiktoken --out again.tiktoken
    cmp r50k.tiktoken again.tiktoken || fail "GPT-2's pair and r50k are not the same"
    run 0 tokenizer info r50k.tiktoken --json
    has out '"ranks":"token id"'
    has out '"end_of_text":50256'
    run 2 tokenize sample.txt --tokenizer r50k.tiktoken --out no
    has err "holds ranks in place of merges.*tundish tokenizer convert"
    run 2 tokenizer train sample.txt --from r50k.tiktoken --vocab 60000 --out no
    has err "has ranks in place of merges.*tundish tokenizer convert"
    [ ! -e no ] || fail "a refused run left something"
fi
echo "all conversions as they should be"
