"""Scores the repair of mojibake beside ftfy's fix_encoding().

    peer_mojibake.py TOOL UDHR [LINES]

TOOL is tool_mojibake, UDHR the archive of the Universal Declaration of Human Rights as XML in 460 languages. Clean lines
must stay but where ftfy changes them in the same way; LINES of them (300) are mangled by each encoding, and most must
come back. Prints, for each encoding, the share that comes back exactly: ours, ftfy's.
"""
import random
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ET

import ftfy
import ftfy.bad_codecs  # noqa: F401  (registers the "sloppy" encodings)

ENCODINGS = ["latin-1", "sloppy-windows-1252", "sloppy-windows-1251", "sloppy-windows-1250", "sloppy-windows-1253",
             "sloppy-windows-1254", "sloppy-windows-1257", "iso8859-2", "mac_roman", "cp437"]
LEAST = 0.75


def ours(tool, texts):
    out = subprocess.run([tool], input=b"".join(t.encode() + b"\0" for t in texts), capture_output=True, check=True).stdout
    return [t.decode() for t in out.split(b"\0")[:-1]]


def lines_of(archive):
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.name.endswith(".xml"):
                for element in ET.parse(tar.extractfile(member)).getroot().iter():
                    if element.text and element.text.strip():
                        yield " ".join(element.text.split())


def main():
    tool, archive, count = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 300
    lines = list(lines_of(archive))
    changed = [(a, b) for a, b in zip(lines, ours(tool, lines)) if a != b]
    wrong = [(a, b) for a, b in changed if ftfy.fix_encoding(a) != b]
    print(f"{len(lines)} clean lines: {len(changed)} changed, {len(wrong)} of them not as by ftfy {ftfy.__version__}")
    random.seed(1)
    sample = random.sample([t for t in lines if not t.isascii()], count)
    failed = bool(wrong)
    for encoding in ENCODINGS:
        bad = [t.encode().decode(encoding) for t in sample]
        share = sum(a == b for a, b in zip(sample, ours(tool, bad))) / count
        peer = sum(a == ftfy.fix_encoding(b) for a, b in zip(sample, bad)) / count
        print(f"{encoding:22} {share:.3f} {peer:.3f}")
        failed = failed or share < LEAST
    sys.exit(failed)


main()
