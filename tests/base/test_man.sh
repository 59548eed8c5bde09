#!/usr/bin/env bash
# Manual pages: one a command, with all that --help says, and without a fault that a formatter could find.
set -eu
tundish=${TUNDISH:?the program to test}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
failed=0
fail() { echo "FAILED: $*" >&2; failed=1; }

"$tundish" man --all pages/man1 || fail "man --all"
"$tundish" help | sed -n 's/^  \([a-z]\+\( [a-z-]\+\)\?\)  .*/\1/p' >names
[ "$(find pages/man1 -name '*.1' | wc -l)" -eq $(($(wc -l <names) + 1)) ] || fail "pages: $(ls pages/man1)"
"$tundish" man | cmp - pages/man1/tundish.1 || fail "the overview"
while read -r name; do
    page=pages/man1/tundish-${name// /-}.1
    # shellcheck disable=SC2086
    "$tundish" man $name | cmp - "$page" || fail "man $name"
    # shellcheck disable=SC2086
    "$tundish" $name --help | grep -oE '^  (-[a-zA-Z], )?--(\[no-\])?[a-z0-9.-]+' | sed 's/^ *//' >options
    sed 's/\\-/-/g; s/\\f[BIR]//g' "$page" >plain
    while read -r option; do
        grep -qF -- "$option" plain || fail "$page lacks $option"
    done <options
    grep -q '^\.SH EXIT STATUS' "$page" || fail "$page has no exit status"
    grep -q "$name" pages/man1/tundish.1 || fail "the overview lacks $name"
done <names
set +e
"$tundish" man no such >out.txt 2>err.txt
[ $? -eq 2 ] && grep -q "there is no command 'no such'" err.txt || fail "man no such: $(cat err.txt)"
"$tundish" man train --all x >out.txt 2>err.txt
[ $? -eq 2 ] || fail "man train --all: want 2"
set -e

formatters=0
if command -v groff >/dev/null; then
    formatters=1
    for page in pages/man1/*.1; do
        groff -man -Tutf8 -ww -z "$page" 2>warnings || fail "groff: $page"
        [ ! -s warnings ] || fail "groff: $(cat warnings)"
    done
    # what is an instruction to a formatter stands as it is
    groff -man -Tutf8 -rLL=200n pages/man1/tundish-tokenizer-train.1 | sed 's/\x1b\[[0-9;]*m//g; s/.\x08//g' >shown
    grep -q -- '--special' shown || fail "groff shows: $(head -50 shown)"
fi
if command -v mandoc >/dev/null; then
    formatters=1
    # a date would make two builds differ, so there is none
    mandoc -Tlint -Wwarning pages/man1/*.1 | grep -v 'missing date, using ""' >warnings || true
    [ ! -s warnings ] || fail "mandoc: $(cat warnings)"
fi
[ $formatters -eq 1 ] || echo "no groff and no mandoc here: pages are not formatted"
exit $failed
