"""Accuracy of the detection of encodings: the declarations of human rights (UDHR in XML, one file a language), written in each encoding
that holds their letters, whole and in pieces of 300 characters, and detected by ours (through `tundish curate`, as plain
text) and by uchardet (Python package `cchardet`), where it is installed. Right: the text comes back as it was.

  peer_charset.py FOLDER [--tundish PROGRAM] [--every N] [--wrong] [--least SHARE]
"""
import argparse
import collections
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import unicodedata

ENCODINGS = {      # languages by the file names of the collection
    "cp1252": "fra deu_1996 spa por_PT por_BR ita swe dan nob fin nld isl cat glg gle oci eus afr fao ltz",
    "cp1250": "pol ces slk hun slv hrv bos_latn ron_2006 als", "iso8859_2": "pol ces slk hun slv hrv bos_latn",
    "cp1251": "rus ukr bel bul srp_cyrl mkd", "koi8_r": "rus bul", "koi8_u": "ukr", "iso8859_5": "rus bul srp_cyrl mkd bel",
    "cp866": "rus bul", "cp1253": "ell_monotonic", "iso8859_7": "ell_monotonic", "cp1254": "tur", "cp1255": "heb", "cp1256": "arb",
    "iso8859_6": "arb", "cp1257": "lit lvs ekk", "cp874": "tha", "iso8859_3": "epo mlt", "mac_roman": "fra deu_1996 spa ita", "cp850": "fra deu_1996 spa",
    "cp932": "jpn", "euc_jp": "jpn", "iso2022_jp": "jpn", "gb18030": "cmn_hans", "big5": "cmn_hant", "cp949": "kor",
}


def text_of(path):
    s = open(path, encoding="utf-8").read()
    s = re.sub(r"<!--.*?-->|<[^>]+>", "", s, flags=re.S)
    return unicodedata.normalize("NFC", re.sub(r"[ \t]*\n\s*", "\n", s)).strip()


def samples(folder):
    """(encoding, language, length, text, bytes)"""
    for encoding, languages in ENCODINGS.items():
        for language in languages.split():
            paths = glob.glob(f"{folder}/**/udhr_{language}.xml", recursive=True)
            if not paths:
                continue
            text = text_of(paths[0])
            pieces = [("whole", text)] + [("300", text[i:i + 300].strip()) for i in range(0, min(len(text) - 300, 6000), 300)]
            for length, piece in pieces:
                kept = piece.encode(encoding, "ignore")
                piece = kept.decode(encoding)
                if len(kept) >= 100 and (any(b >= 128 for b in kept) or b"\x1b" in kept):
                    yield encoding, language, length, piece, kept


def ours(program, all_samples):
    with tempfile.TemporaryDirectory() as tmp:
        os.mkdir(f"{tmp}/in")
        for i, s in enumerate(all_samples):
            with open(f"{tmp}/in/{i}.txt", "wb") as f:
                f.write(s[4])
        with open(f"{tmp}/job.yaml", "w") as f:
            f.write("steps: [extract]\n")
        subprocess.run([program, "curate", f"{tmp}/in", "--config", f"{tmp}/job.yaml", "--out", f"{tmp}/out", "--quiet"], check=True)
        lines = subprocess.run(["zstd", "-dc"] + sorted(glob.glob(f"{tmp}/out/*.zst")), check=True, capture_output=True).stdout
        texts = {}
        for line in lines.splitlines():
            d = json.loads(line)
            texts[int(os.path.basename(d["id"])[:-4])] = d["text"]
    return [texts.get(i, "") for i in range(len(all_samples))]


def uchardet(all_samples):
    import cchardet
    for s in all_samples:
        found = cchardet.detect(s[4])["encoding"] or "ascii"
        try:
            yield s[4].decode({"GB18030": "gb18030", "UHC": "cp949"}.get(found, found), "replace")
        except LookupError:
            yield ""


def same(a, b):
    flat = lambda t: unicodedata.normalize("NFC", re.sub(r"\s+", " ", t)).strip()
    return flat(a) == flat(b)


def main():
    a = argparse.ArgumentParser()
    a.add_argument("folder")
    a.add_argument("--tundish", default=os.environ.get("TUNDISH", "tundish"))
    a.add_argument("--every", type=int, default=1, help="takes every N-th text and piece")
    a.add_argument("--wrong", action="store_true")
    a.add_argument("--least", type=float, help="fails unless ours is right on this share of the pieces")
    args = a.parse_args()
    all_samples = list(samples(args.folder))[::args.every]
    tools = {"ours": ours(args.tundish, all_samples)}
    try:
        tools["uchardet"] = list(uchardet(all_samples))
    except ImportError:
        print("not installed: cchardet")
    score = collections.defaultdict(lambda: [0, 0])
    for name, texts in tools.items():
        for s, text in zip(all_samples, texts):
            right = same(s[3], text)
            for key in ((name, s[0], s[2]), (name, "all", s[2])):
                score[key][0] += right
                score[key][1] += 1
            if args.wrong and name == "ours" and not right:
                print("wrong:", s[0], s[1], s[2], repr(text[:50]))
    print(f"{'encoding':12}" + "".join(f"{n + ' ' + l:>18}" for n in tools for l in ("whole", "300")))
    for encoding in list(ENCODINGS) + ["all"]:
        row = [score[n, encoding, l] for n in tools for l in ("whole", "300")]
        print(f"{encoding:12}" + "".join(f"{r}/{k} {r / k if k else 0:6.3f}".rjust(18) for r, k in row))
    right, count = score["ours", "all", "300"]
    if args.least is not None and right < args.least * count:
        sys.exit(f"{right} of {count} pieces are right, which is under {args.least}")


if __name__ == "__main__":
    main()
