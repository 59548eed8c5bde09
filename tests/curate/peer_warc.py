"""warcio 1.7 and later beside tool_source.

peer_warc.py FILE...          the documents that it reads, in the form of tool_source's lines: id, bytes, CRC-32 of the body, out of
                              its chunks and encodings
peer_warc.py --make FILE...   writes records of many kinds"""
import gzip
import io
import random
import sys
import zlib

from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

KINDS = ("text/html", "text/plain", "application/xhtml+xml")


def show(path):
    with open(path, "rb") as f:
        try:
            for record in ArchiveIterator(f):
                if record.rec_type not in ("response", "resource", "conversion"):
                    continue
                headers = record.http_headers
                if headers and not headers.get_statuscode().startswith("2"):
                    continue
                kind = (headers or record.rec_headers).get_header("Content-Type") or ""
                if kind.split(";")[0].strip().lower() not in KINDS:
                    continue
                body = record.content_stream().read()
                ident = record.rec_headers.get_header("WARC-Record-ID").strip("<>")
                print(ident, len(body), "%08x" % (zlib.crc32(body) & 0xFFFFFFFF))
        except Exception as e:
            print("fault", type(e).__name__, file=sys.stderr)


def chunked(body, draw):
    out = b""
    while body:
        n = draw.randint(1, 3000)
        out += b"%x%s\r\n" % (len(body[:n]), draw.choice([b"", b";a=b"])) + body[:n] + b"\r\n"
        body = body[n:]
    return out + b"0\r\n\r\n"


def make(path, draw):
    with open(path, "wb") as f:
        writer = WARCWriter(f, gzip=path.endswith(".gz"))
        for i in range(600):
            words = " ".join(str(draw.randint(0, 99999)) for _ in range(draw.randint(1, 1500)))
            body = ("<html><p>%s</p>" % words).encode()
            fields = [("Content-Type", draw.choice(["text/html", "text/html; charset=utf-8", "TEXT/Plain", "image/png"]))]
            coding = draw.choice(["", "", "gzip", "deflate"])
            if coding:
                body = gzip.compress(body) if coding == "gzip" else zlib.compress(body)
                fields.append(("Content-Encoding", coding))
            if draw.random() < 0.3:
                body = chunked(body, draw)
                fields.append(("Transfer-Encoding", "chunked"))
            status = draw.choice(["200 OK", "200 OK", "200 OK", "203 Other", "404 Not Found", "301 Moved"])
            kind = draw.choice(["response"] * 4 + ["request", "resource", "conversion"])
            if kind == "response":
                record = writer.create_warc_record("http://example.org/%d" % i, kind, payload=io.BytesIO(body),
                                                   http_headers=StatusAndHeaders(status, fields, protocol="HTTP/1.1"))
            elif kind == "request":
                record = writer.create_warc_record("http://example.org/%d" % i, kind, payload=io.BytesIO(b""),
                                                   http_headers=StatusAndHeaders("GET / HTTP/1.1", [("Host", "x")], is_http_request=True))
            else:
                record = writer.create_warc_record("http://example.org/%d" % i, kind, payload=io.BytesIO(words.encode()),
                                                   warc_content_type="text/plain")
            writer.write_record(record)


if sys.argv[1] == "--make":
    for path in sys.argv[2:]:
        make(path, random.Random(path))
else:
    for path in sys.argv[1:]:
        show(path)
