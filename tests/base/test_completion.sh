#!/usr/bin/env bash
# Completion scripts: bash's is driven here as readline does it; zsh and fish where they are installed.
set -eu
tundish=${TUNDISH:?the program to test}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
failed=0
fail() { echo "FAILED: $*" >&2; failed=1; }
mkdir bin "a folder"
ln -s "$tundish" bin/tundish
PATH=$scratch/bin:$PATH
touch "a file.txt" notes.txt
cat >p.yaml <<'END'
pipeline: p
stages:
  corpus: {uses: curate, with: {in: notes.txt}}
  tokenizer: {uses: tokenizer.train, with: {corpus: "@corpus"}}
  tokens: {uses: tokenize, with: {corpus: "@corpus", tokenizer: "@tokenizer"}}
END
[ "$(tundish graph p.yaml --format names | tr '\n' ' ')" = "corpus tokenizer tokens " ] || fail "graph --format names"

for shell in bash zsh fish; do tundish completion $shell >$shell.script || fail "completion $shell"; done
set +e
tundish completion tcsh >out.txt 2>err.txt
[ $? -eq 2 ] || fail "completion tcsh: want 2"
set -e
grep -q "bash, zsh, fish" err.txt || fail "completion tcsh: $(cat err.txt)"

bash -n bash.script || fail "bash.script does not parse"
[ "$(bash -c 'source bash.script && complete -p tundish')" = "complete -F _tundish tundish" ] || fail "complete -p"

# bash's own way: the words, the last of which is the one at the cursor; COMPREPLY, one a line and sorted
in_bash() {
    bash -c 'source ./bash.script
             COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
             _tundish tundish "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
             [ ${#COMPREPLY[@]} -eq 0 ] || printf "%s\n" "${COMPREPLY[@]}"' bash "$@" 2>&1 | LC_ALL=C sort | tr '\n' '|'
}
# want WHAT WORDS...
want() {
    local want=$1 got
    shift
    got=$(in_bash "$@")
    [ "$got" = "$want" ] || fail "bash: $*: got '$got', want '$want'"
}
want "train|" tundish trai
want "tokenize|tokenizer|" tundish token
want "compare|convert|count|decode|encode|info|train|" tundish tokenizer ""
want "train|" tundish tokenizer tr
want "--vocab|" tundish tokenizer train --voc
want "bash|fish|zsh|" tundish completion ""
want "zsh|" tundish completion z
want "dot|names|text|" tundish graph p.yaml --format ""
want "dot|" tundish graph p.yaml --format = d
want "dot|names|text|" tundish graph p.yaml --format =
want "corpus|tokenizer|tokens|" tundish run p.yaml --from ""
want "tokenizer|tokens|" tundish run --only corpus p.yaml --until tok
want "corpus|tokenizer|tokens|" tundish explain p.yaml ""
want "a file.txt|a folder|" tundish curate "a "
want "p.yaml|" tundish explain p
want "a file.txt|a folder|" tundish curate --in "a "
want "notes.txt|" tundish curate --in notes
want "" tundish run no-such.yaml --from ""
want "" tundish train --steps ""
want "train|" tundish help trai
want "encode|" tundish man tokenizer en
want "explain|export|" tundish man ex
want "tokenizer|tokens|" tundish logs p.yaml tok
want "p.yaml|" tundish logs -f p

# every option of every command is proposed, and no other
tundish help | sed -n 's/^  \([a-z]\+\( [a-z-]\+\)\?\)  .*/\1/p' >names
while read -r name; do
    # shellcheck disable=SC2086
    tundish $name --help | grep -oE '^  (-[a-zA-Z], )?--(\[no-\])?[a-z0-9.-]+' | sed 's/^ *\(-[a-zA-Z], \)\?//; s/^--\[no-\]/--no-/' | LC_ALL=C sort -u | tr '\n' '|' >options.txt
    # shellcheck disable=SC2086
    [ "$(in_bash tundish $name --)" = "$(cat options.txt)" ] || fail "options of $name: $(in_bash tundish $name --), want $(cat options.txt)"
done <names

if command -v zsh >/dev/null; then
    zsh -n zsh.script || fail "zsh.script does not parse"
    mkdir functions && cp zsh.script functions/_tundish
    # A shell of its own on a terminal of its own; tab behind the line, then a key that writes down what stands there.
    cat >drive.zsh <<'END'
zmodload zsh/zpty
await() { for (( i = 0; i < 300; i++ )); do [[ -e $1 ]] && return; sleep 0.1; done; }
zpty shell "zsh -f -i"
zpty -w shell "cd $PWD; fpath=($PWD/functions \$fpath); autoload -U compinit; compinit -u -d $PWD/dump; unsetopt beep"
zpty -w shell 'told() { print -r -- "$BUFFER" >told.new; mv told.new told }; zle -N told; bindkey "^X" told; : >ready'
await ready
zpty -w -n shell "$1"$'\t\C-x'
await told
cat told
zpty -d shell
END
    zsh_want() {
        local got
        rm -f ready told
        got=$(timeout 90 zsh -f drive.zsh "$1" 2>&1) || true
        [ "$got" = "$2" ] || fail "zsh: '$1': got '$got', want '$2'"
    }
    zsh_want "tundish trai" "tundish train "
    zsh_want "tundish tokenizer tr" "tundish tokenizer train "
    zsh_want "tundish tokenizer train --voc" "tundish tokenizer train --vocab "
    zsh_want "tundish run p.yaml --from corp" "tundish run p.yaml --from corpus "
    zsh_want "tundish graph p.yaml --format=do" "tundish graph p.yaml --format=dot "
else
    echo "no zsh here: its script is not tried"
fi

if command -v fish >/dev/null; then
    fish -n fish.script || fail "fish.script does not parse"
    in_fish() { HOME=$scratch XDG_CONFIG_HOME=$scratch fish --no-config -c 'source fish.script; complete -C $argv[1]' "$1" 2>&1 | cut -f1 | LC_ALL=C sort | tr '\n' '|'; }
    fish_want() {
        local got
        got=$(in_fish "$1")
        [ "$got" = "$2" ] || fail "fish: '$1': got '$got', want '$2'"
    }
    fish_want "tundish trai" "train|"
    fish_want "tundish tokenizer " "compare|convert|count|decode|encode|info|train|"
    fish_want "tundish tokenizer train --voc" "--vocab|"
    fish_want "tundish completion " "bash|fish|zsh|"
    fish_want "tundish graph p.yaml --format " "dot|names|text|"
    fish_want "tundish run p.yaml --from " "corpus|tokenizer|tokens|"
    fish_want "tundish explain p.yaml tok" "tokenizer|tokens|"
    fish_want "tundish logs -f p.yaml tok" "tokenizer|tokens|"
    fish_want "tundish train --steps " ""
    fish_want "tundish help trai" "train|"
    fish_want "tundish curate --in note" "notes.txt|"
else
    echo "no fish here: its script is not tried"
fi
exit $failed
