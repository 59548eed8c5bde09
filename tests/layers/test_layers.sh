#!/usr/bin/env bash
# The house's laws, checked on the tree: the include table of DESIGN.md, file and function sizes, file names
# that are unique, and no conditional compilation inside a function. Each break is told with file and line.
set -eu
cd "$TUNDISH_SOURCE"
files=$(find base store kernels comm curate tokenize model train evaluate export serve pipelines main.c \
        -name '*.[ch]' -o -name '*.cc' -o -name '*.cu' | sort)

awk '
    # the table: | folder | holds | may include |
    FILENAME == "DESIGN.md" {
        n = split($0, cell, "|")
        if (n >= 5) {
            gsub(/[ `]/, "", cell[2])
            gsub(/^ +| +$/, "", cell[4])
            law[cell[2]] = " " cell[4] " "
        }
        next
    }
    FNR == 1 { folder = FILENAME; sub(/\/.*/, "", folder); files++ }
    match($0, /^#include "[^"]+"/) {
        target = $0; sub(/^#include "/, "", target); sub(/".*/, "", target)
        to = target
        if (to !~ /\//) { printf "%s:%d: include \"%s\" is not written from the root\n", FILENAME, FNR, target; bad++; next }
        sub(/\/.*/, "", to)
        if (!(folder in law)) { printf "%s:%d: folder \"%s\" is not in the include table of DESIGN.md\n", FILENAME, FNR, folder; bad++; next }
        if (to == folder || index(law[folder], " " to " ")) next
        if (folder == "main.c" && target ~ /_cmd\.h$/) next
        printf "%s:%d: %s may not include \"%s\" (may: %s)\n", FILENAME, FNR, folder, target, law[folder]; bad++
    }
    END {
        if (files < 50) { print "only " files " files were seen: is the search broken?"; bad++ }
        exit bad > 0
    }
' DESIGN.md $files

# sizes: a file has at most 600 lines, a function at most 100 (K&R: from a brace in column 1 to the closing one)
awk '
    FNR == 1 { start = 0; depth_if = 0 }
    FNR == 601 { printf "%s:601: file is longer than 600 lines\n", FILENAME; bad++ }
    /^\{ *$/ { start = FNR }
    /^\}/ { if (start && FNR - start + 1 > 100) { printf "%s:%d: function of %d lines, want at most 100\n", FILENAME, start, FNR - start + 1; bad++ } start = 0 }
    /^#[ ]*(if|ifdef|ifndef)/ { if (start) { printf "%s:%d: conditional compilation inside a function\n", FILENAME, FNR; bad++ } }
    END { exit bad > 0 }
' $files

# names: foo.c is one file in the tree
same=$(for f in $files; do basename "$f"; done | sort | uniq -d)
[ -z "$same" ] || { echo "file names that stand twice in the tree: $same"; exit 1; }

# symbols: two functions of one name in two static libraries would link without a word (the build folder is where this runs)
cd "$OLDPWD"
same=$(nm --defined-only --extern-only -A lib*.a 2>/dev/null | awk '$2 ~ /^[TDBRC]$/ { print $3 }' | grep -v '^__' | sort | uniq -d)
[ -z "$same" ] || { echo "symbols that stand twice: $same"; exit 1; }
echo "$(echo "$files" | wc -l) files keep the laws"
