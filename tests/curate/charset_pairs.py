"""Makes curate/html/charset_pairs.c: how likely pairs of neighbouring letters are in languages that were written in 8-bit encodings.

The texts are the word lists by frequency of jusText (Python package `justext`) and the translations of programs on this machine
(/usr/share/locale, .mo files); only the counts of pairs are kept.

  charset_pairs.py > curate/html/charset_pairs.c
"""
import collections
import gettext
import glob
import math
import os

import justext

SETS = [      # language, jusText's name, locale, set of encodings
    ("fr", "French", "fr", "WEST"), ("de", "German", "de", "WEST"), ("es", "Spanish", "es", "WEST"),
    ("pt", "Portuguese", "pt_BR", "WEST"), ("it", "Italian", "it", "WEST"), ("sv", "Swedish", "sv", "WEST"),
    ("da", "Danish", "da", "WEST"), ("nb", "Norwegian_Bokmal", "nb", "WEST"), ("fi", "Finnish", "fi", "WEST"),
    ("nl", "Dutch", "nl", "WEST"), ("is", "Icelandic", "is", "WEST"), ("ca", "Catalan", "ca", "WEST"),
    ("gl", "Galician", "gl", "WEST"), ("ga", "Irish", "ga", "WEST"), ("oc", "Occitan", "oc", "WEST"),
    ("pl", "Polish", "pl", "CENTRAL"), ("cs", "Czech", "cs", "CENTRAL"), ("sk", "Slovak", "sk", "CENTRAL"),
    ("hu", "Hungarian", "hu", "CENTRAL"), ("sl", "Slovenian", "sl", "CENTRAL"), ("hr", "Croatian", "hr", "CENTRAL"),
    ("ro", "Romanian", "ro", "CENTRAL"), ("sq", "Albanian", "sq", "CENTRAL"),
    ("tr", "Turkish", "tr", "TURKISH"),
    ("lt", "Lithuanian", "lt", "BALTIC"), ("lv", "Latvian", "lv", "BALTIC"), ("et", "Estonian", "et", "BALTIC"),
    ("eo", "Esperanto", "eo", "SOUTH"), ("mt", "Maltese", None, "SOUTH"),
    ("ru", "Russian", "ru", "CYRILLIC"), ("uk", "Ukrainian", "uk", "CYRILLIC"), ("be", "Belarusian", "be", "CYRILLIC"),
    ("bg", "Bulgarian", "bg", "CYRILLIC"), ("sr", "Serbian", "sr", "CYRILLIC"), ("mk", "Macedonian", "mk", "CYRILLIC"),
    ("el", "Greek", "el", "GREEK"), ("he", "Hebrew", "he", "HEBREW"), ("ar", "Arabic", "ar", "ARABIC"),
    ("fa", "Persian", "fa", "ARABIC"), ("th", None, "th", "THAI"), ("vi", "Vietnamese", "vi", "VIETNAMESE"),
]
LEAST, MOST = -12, -3      # log2 of a pair's share; weights 1 to 10


def letters(text):
    """Lower case, all that is no letter or mark as one space."""
    out = "".join(c if c.isalpha() or "\u0300" <= c <= "\u036f" or "\u0e00" <= c < "\u0e4f" else " " for c in text.lower())
    return " " + " ".join(out.split()) + " "


def texts(name, locale):
    if name:
        folder = os.path.join(os.path.dirname(justext.__file__), "stoplists")
        for rank, word in enumerate(open(f"{folder}/{name}.txt", encoding="utf-8").read().split("\n")):
            yield word, 1000.0 / (rank + 10)
    for path in sorted(glob.glob(f"/usr/share/locale/{locale}/LC_MESSAGES/*.mo")) if locale else []:
        try:
            for message in gettext.GNUTranslations(open(path, "rb"))._catalog.values():
                yield message, 0.3
        except (OSError, UnicodeDecodeError, ValueError, IndexError):
            continue


def decompose(text):
    """As windows-1258 writes Vietnamese: tones stand behind the letter."""
    import unicodedata
    out = ""
    for c in text:
        d = unicodedata.normalize("NFD", c)
        tones = [m for m in d[1:] if m in "\u0300\u0301\u0303\u0309\u0323"]
        rest = unicodedata.normalize("NFC", "".join(m for m in d if m not in tones))
        out += rest + "".join(tones)
    return out


def pairs(language, name, locale):
    count = collections.Counter()
    for text, weight in texts(name, locale):
        text = letters(decompose(text) if language == "vi" else text)
        for a, b in zip(text, text[1:]):
            if (ord(a) > 127 or ord(b) > 127) and (ord(a) < 0x2000 and ord(b) < 0x2000):
                count[a, b] += weight
    total = sum(count.values())
    buckets = collections.defaultdict(str)
    for (a, b), n in sorted(count.items()):
        share = math.log2(n / total)
        if share >= LEAST:
            buckets[min(MOST, round(share)) - LEAST + 1] += (a + b).replace(" ", "_")
    return buckets


def main():
    print("/* Made by tests/curate/charset_pairs.py. */\n#include \"curate/html/charset_part.h\"\n")
    print("const struct charset_language charset_languages[] = {")
    for language, name, locale, group in SETS:
        print(f"    {{ CHARSET_{group},      /* {language} */")
        line = ""
        for weight, text in sorted(pairs(language, name, locale).items(), reverse=True):
            text = str(weight - 1) + text
            for i in range(0, len(text)):
                line += text[i]
                if len(line) >= 110:
                    print(f'      "{line}"')
                    line = ""
        print(f'      "{line}" }},')
    print("    { 0, NULL }\n};")


if __name__ == "__main__":
    main()
