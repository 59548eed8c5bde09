"""peer_warc.py FILE...: the records with a document that warcio (1.7 and later) reads, in the form of tool_source's lines: id, bytes,
CRC-32 of the body out of its chunks and encodings."""
import sys
import zlib
from warcio.archiveiterator import ArchiveIterator

for path in sys.argv[1:]:
    with open(path, "rb") as f:
        try:
            for record in ArchiveIterator(f):
                if record.rec_type not in ("response", "resource", "conversion"):
                    continue
                headers = record.http_headers
                if headers and not headers.get_statuscode().startswith("2"):
                    continue
                kind = (headers or record.rec_headers).get_header("Content-Type") or ""
                if kind.split(";")[0].strip().lower() not in ("text/html", "text/plain", "application/xhtml+xml"):
                    continue
                body = record.content_stream().read()
                ident = record.rec_headers.get_header("WARC-Record-ID").strip("<>")
                print(ident, len(body), "%08x" % (zlib.crc32(body) & 0xFFFFFFFF))
        except Exception as e:
            print("fault", type(e).__name__, file=sys.stderr)
