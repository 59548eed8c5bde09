"""Writes tokenize/pretok/unicode_ranges.c: the general category of every code point in Unicode 17 and what earlier
versions have otherwise. Arguments: VERSION=DIR for each of 14.0 15.0 15.1 16.0 17.0, DIR being where
`pip install --no-deps --target DIR unicodedata2==VERSION.0` has put that version's tables ("-": Python's own unicodedata).
"""
import os
import subprocess
import sys

VERSIONS = [("14.0", 140), ("15.0", 150), ("15.1", 151), ("16.0", 160), ("17.0", 170)]
NAMES = ("Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co Cn").split()
READ = """import sys
if sys.argv[1] == "-":
    import unicodedata as u
else:
    sys.path.insert(0, sys.argv[1])
    import unicodedata2 as u
print(u.unidata_version)
print(" ".join(u.category(chr(i)) for i in range(0x110000)))
"""
HEAD = """/* Made by tests/tokenize/make_unicode_ranges.py from the Unicode Character Database; do not edit.
 * A range is (first code point) << 8 | category and goes to the next one's first. */
#include "tokenize/pretok/unicode_table.h"

"""


def categories(version, where):
    seen, text = subprocess.run([sys.executable, "-c", READ, where], check=True, capture_output=True,
                                text=True).stdout.splitlines()
    if not seen.startswith(version):
        sys.exit(f"{where} has Unicode {seen}; want {version}")
    return text.split()


def runs(values):
    """(first, last, value) of each run of equal values."""
    first = 0
    for i in range(1, len(values) + 1):
        if i == len(values) or values[i] != values[first]:
            yield first, i - 1, values[first]
            first = i


def wrapped(items, per_line):
    return "".join("    " + " ".join(items[i:i + per_line]) + "\n" for i in range(0, len(items), per_line))


def main():
    where = dict(a.split("=", 1) for a in sys.argv[1:])
    tables = [categories(v, where[v]) for v, _ in VERSIONS]
    ranges = [f"0x{first:x}{NAMES.index(c):02x}," for first, _, c in runs(tables[-1])]
    changes = []
    for k in range(len(VERSIONS) - 1, 0, -1):
        pairs = [a != b and (NAMES.index(a), NAMES.index(b)) for a, b in zip(tables[k - 1], tables[k])]
        changes += [f"{{0x{a:x},0x{b:x},{p[0]},{p[1]},{VERSIONS[k][1]}}}," for a, b, p in runs(pairs) if p]
    with open(os.path.join(os.path.dirname(__file__), "../../tokenize/pretok/unicode_ranges.c"), "w") as out:
        out.write(HEAD + "const uint32_t unicode_ranges[] = {\n" + wrapped(ranges, 12) + "};\n"
                  + f"const size_t unicode_range_count = {len(ranges)};\n\n"
                  + "/* { first, last, category before, category now, since version * 10 }, the newest version first. */\n"
                  + "const struct unicode_change unicode_changes[] = {\n" + wrapped(changes, 4) + "};\n"
                  + f"const size_t unicode_change_count = {len(changes)};\n")


main()
