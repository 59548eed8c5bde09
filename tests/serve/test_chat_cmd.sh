#!/usr/bin/env bash
# `chat` by hand: the same messages and seed, a conversation that outgrows the context, a message that does, a new conversation.
set -eu
. "$TUNDISH_SOURCE/tests/train/small_model.sh"
. "$TUNDISH_SOURCE/tests/serve/server.sh"
make_model
# talk STATUS OPTIONS...: with the messages of the file `said`.
talk() {
    local want=$1 seen=0
    shift
    "$TUNDISH" chat --model ck "$@" <said >out 2>err || seen=$?
    [ $seen = "$want" ] || fail "chat: exit status $seen, want $want"
}
printf 'word1 word2\nword3\n' >said
talk 0 --max-tokens 12
cp out first
[ "$(wc -l <out)" -ge 2 ] || fail "two messages, fewer answers"
talk 0 --max-tokens 12
cmp -s out first || fail "the same seed and messages, other answers"
talk 0 --max-tokens 12 --seed 2
! cmp -s out first || fail "another seed, the same answers"

# what was said before counts, until /new
printf 'word5\nword1 word2\n' >said && talk 0 --max-tokens 12 --temperature 0 && tail -n 1 out >after
printf 'word1 word2\n' >said && talk 0 --max-tokens 12 --temperature 0 && tail -n 1 out >alone
printf 'word5\n/new\nword1 word2\n' >said && talk 0 --max-tokens 12 --temperature 0
[ "$(tail -n 1 out)" = "$(cat alone)" ] || fail "/new does not forget"
grep -q 'a new conversation' err || fail "/new says nothing"

# the server's chat gives the same answer
start_server --dtype auto
curl -sS -m 20 -H 'Content-Type: application/json' "$url/v1/chat/completions" \
    -d '{"model":"tiny","messages":[{"role":"user","content":"word1 word2"}],"max_tokens":12,"temperature":0}' >reply
end_server 0
content=$(sed 's/.*"content":"\([^"]*\)".*/\1/' reply)
[ "$content" = "$(cat alone)" ] || fail "the server answers '$content', chat '$(cat alone)'"

for i in $(seq 12); do echo "word$i word$i word$i word$i"; done >said
talk 0 --max-tokens 20
grep -q 'oldest turns are forgotten' err || fail "a full context is not told"
for i in $(seq 200); do printf 'word%d ' "$i"; done >said
talk 1
grep -q "the model's context is 128: shorten it" err || fail "a message that is too long is not refused"
: >said
talk 0
refused 2 'there is no model folder' chat --model nothing
echo "chat: as it says"
