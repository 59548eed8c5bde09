#!/usr/bin/env bash
# Documents are appended to a token store: it holds then what one corpus would have given, old shards are untouched, the history tells, and
# what was removed does not come back; killed at any moment it goes on.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export XDG_CACHE_HOME=$scratch/cache
cd "$scratch"
. "$TUNDISH_SOURCE/tests/commands.sh"
all() { for part in train validation; do "$TUNDISH" store cat "$1" --part $part; done; }
lines() { for i in $(seq "$1" "$2"); do
    printf '{"id":"note %d","text":"Note %d: on day %d the ladle held %d tonnes.","source":"s%d","metadata":{"language":"%s"}}\n' $i $i $((i % 31)) $((i * 7)) $((i % 3)) "$([ $((i % 2)) = 0 ] && echo en || echo de)"
done; }

lines 0 99 >a.jsonl
lines 100 149 >b.jsonl
lines 150 299 >c.jsonl
cat a.jsonl b.jsonl c.jsonl >abc.jsonl
run 0 tokenizer train --corpus abc.jsonl --vocab 280 --out tokenizer --no-report
make() { run 0 tokenize --tokenizer tokenizer --corpus "$1" --out "$2" --validation 0.2 --shard-tokens 2000; }
make a.jsonl tokens
make abc.jsonl whole
cp -r tokens before
stat -c '%i %Y %n' tokens/shard-*.mdb >files

# twice: the documents of one corpus, in its order, with all that is known of them
first=$(digest tokens)
run 0 store append tokens --corpus b.jsonl
has err 'appended 50 documents'
second=$(digest tokens)
run 0 store append tokens/ --corpus c.jsonl
all tokens | cmp - <(all whole) || fail "not the documents of one corpus"
run 0 store verify tokens
! grep -q 'is not in the manifest' err || fail "something was left"
content() { run 0 store verify "$1"; sed -n 's/^content: \([0-9a-f]\{64\}\)$/\1/p' out; }
[ -n "$(content tokens)" ] && [ "$(content tokens)" = "$(content whole)" ] || fail "another content than that of one corpus"
[ "$(content before)" != "$(content whole)" ] || fail "one content for two"
stat -c '%i %Y %n' $(cut -d ' ' -f 3 files) | cmp - files || fail "an old shard was touched"
[ ! -e tokens.append ] && [ ! -e tokens.append.work ] || fail "the work is still there"
run 0 store info tokens
has out 'appended 50 documents'
has out 'appended 150 documents'
has out "digest before $(echo "$first" | cut -c1-16)"
has out "digest before $(echo "$second" | cut -c1-16)"
has out 'languages .*: 150 documents'
counts() { run 0 store info --json "$1"; grep -o '"\(train\|validation\)":{[^}]*}' out | head -n 2 | sed 's/"shards":[0-9]*,//'; }
[ "$(counts tokens)" = "$(counts whole)" ] || fail "the manifest's counts"
grep -q "\"$(sha256sum b.jsonl | cut -d ' ' -f 1)\"" tokens/manifest.json || fail "the corpus is no input"

# known documents are told, and left out on demand
cp -r before known
cat b.jsonl a.jsonl >ba.jsonl
run 0 store append known --corpus ba.jsonl --skip-known
has err '100 documents that the store has already are left out'
cat a.jsonl b.jsonl >ab.jsonl
make ab.jsonl ab
all known | cmp - <(all ab) || fail "not the documents of both"
run 0 store append known --corpus a.jsonl --skip-known
has err 'nothing was appended'
run 0 store append known --corpus a.jsonl
has err '100 documents are in the store already'
[ "$(all known | wc -l)" = 250 ] || fail "want 250 documents"

# what was removed stays out, unless it is asked for; a store as it was before changes of both kinds is known
run 0 store remove tokens --id 'note 20' --id 'note 120'
run 0 store append tokens --corpus b.jsonl --skip-known
has err '1 documents have ids that were removed from the store; they are left out'
has err 'nothing was appended'
run 1 store find tokens --id 'note 120'
run 0 store append tokens --corpus b.jsonl --skip-known --take-removed
has err 'appended 1 documents'
run 0 store find tokens --id 'note 120'
run 0 store verify tokens

# another tokenizer's store, a wrong corpus: nothing changes
now=$(digest tokens)
echo '{"id":"x"}' >wrong.jsonl
run 2 store append tokens --corpus wrong.jsonl
run 2 store append tokens --corpus nowhere
run 2 store append tokenizer --corpus a.jsonl
[ "$(digest tokens)" = "$now" ] || fail "a failure changed the store"
run 0 store verify tokens

# kill -9 at any moment: the store of before, or the one of after; the same command goes on
begun=$(date +%s%N)
cp -r before once
run 0 store append once --corpus c.jsonl
took=$(($(date +%s%N) - begun))
after=$(digest once)
for round in 1 2 3 4 5 6 7 8; do
    rm -rf once once.append*
    cp -r before once
    "$TUNDISH" store append once --corpus c.jsonl >log 2>&1 &
    pid=$!
    sleep "$(awk -v n=$took -v i=$round 'BEGIN { printf "%.4f", n * i / 9e9 }')"
    kill -9 $pid 2>/dev/null || true
    wait $pid 2>/dev/null || true
    case $(digest once) in
    "$first") run 0 store append once --corpus c.jsonl ;;
    "$after") [ ! -e once.append.before ] || run 0 store append once --corpus c.jsonl ;;
    *) fail "round $round: neither store" ;;
    esac
    [ "$(digest once)" = "$after" ] || fail "round $round: another store"
    run 0 store verify once
done

# killed behind the change, but before all of the work was gone: the same command appends nothing twice, and clears up
rm -rf once once.append*
cp -r before once
run 0 store append once --corpus c.jsonl
run 0 tokenize --tokenizer once/tokenizer.json --corpus c.jsonl --out once.append
printf %s "$first" >once.append.before
run 0 store remove once --id 'note 3' --dry-run
run 0 store append once --corpus c.jsonl
has err 'was appended by the run before'
[ "$(digest once)" = "$after" ] || fail "appended twice"
[ -z "$(ls -d once.* 2>/dev/null)" ] || fail "left: $(ls -d once.*)"
# another store's note, or another corpus: it is appended
printf %s "$after" >once.append.before
run 0 store append once --corpus c.jsonl --skip-known
has err 'nothing was appended'
printf %s "$first" >once.append.before
run 0 store append once --corpus b.jsonl
has err 'appended 50 documents'
# what an unfinished append holds is told to who removes
mkdir once.append.work
run 0 store remove once --id 'note 3'
has err "'once.append.work' is of an append that was not finished"

# what a killed append encoded for another store that stood here is not taken
sed 's/ladle/mould/; s/tonnes/inches/; s/Note/Fact/' c.jsonl >facts.jsonl
run 0 tokenizer train --corpus facts.jsonl --vocab 280 --out other --no-report
now=$(digest known)
run 0 tokenize --tokenizer other --corpus c.jsonl --out known.append --validation 0.2 --shard-tokens 2000
run 2 store append known --corpus c.jsonl
has err "'known.append' was encoded for a store of another tokenizer"
[ "$(digest known)" = "$now" ] || fail "a failure changed the store"
rm -r known.append
run 0 store append known --corpus c.jsonl
run 0 store verify known
