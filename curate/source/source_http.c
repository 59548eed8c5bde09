#include "curate/source/source_http.h"

#include <brotli/decode.h>
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>
#include <zlib.h>
#include <zstd.h>

#include "base/status.h"

#define ROOM (32u << 10)
#define ENCODINGS_MAX 4

/* --- fields --- */

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

void fields_unfold(char *p, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (p[i - 1] != '\n' || !is_blank(p[i]))
            continue;
        p[i - 1] = p[i] = ' ';
        if (i > 1 && p[i - 2] == '\r')
            p[i - 2] = ' ';
    }
}

static struct span trim(struct span s)
{
    while (s.n > 0 && (is_blank(s.p[0]) || s.p[0] == '\r'))
        s.p++, s.n--;
    while (s.n > 0 && (is_blank(s.p[s.n - 1]) || s.p[s.n - 1] == '\r'))
        s.n--;
    return s;
}

bool word_is(struct span s, const char *word)
{
    return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

/* Takes the first line off, without its end. */
static struct span next_line(struct span *s)
{
    const char *end = memchr(s->p, '\n', s->n);
    size_t n = end != NULL ? (size_t)(end - s->p) : s->n;
    struct span line = { s->p, n };

    n += end != NULL;
    s->p += n;
    s->n -= n;
    return line;
}

struct span field_of(struct span head, const char *name)
{
    size_t n = strlen(name);

    while (head.n > 0) {
        struct span line = next_line(&head);
        if (line.n > n && strncasecmp(line.p, name, n) == 0) {
            struct span rest = trim((struct span){ line.p + n, line.n - n });
            if (rest.n > 0 && rest.p[0] == ':')
                return trim((struct span){ rest.p + 1, rest.n - 1 });
        }
    }
    return (struct span){ NULL, 0 };
}

/* Takes what stands before the first `c` off. */
static struct span part_before(struct span *s, char c)
{
    const char *at = s->n > 0 ? memchr(s->p, c, s->n) : NULL;
    size_t n = at != NULL ? (size_t)(at - s->p) : s->n;
    struct span part = { s->p, n };

    if (s->n == 0)
        return part;
    n += at != NULL;
    s->p += n;
    s->n -= n;
    return trim(part);
}

struct media media_of(struct span field)
{
    struct media m = { .charset = { NULL, 0 } };

    m.type = part_before(&field, ';');
    while (field.n > 0 && m.charset.n == 0) {
        struct span value = part_before(&field, ';');
        struct span name = part_before(&value, '=');
        if (!word_is(name, "charset"))
            continue;
        value = trim(value);
        while (value.n > 0 && strchr("\"'", value.p[0]))
            value.p++, value.n--;
        while (value.n > 0 && strchr("\"'", value.p[value.n - 1]))
            value.n--;
        m.charset = trim(value);
    }
    return m;
}

/* --- messages --- */

/* The end of a head: behind its blank line; n if there is none. */
static size_t head_end(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *at = memchr(p + i, '\n', n - i);
        if (at == NULL)
            return n;
        i = (size_t)(at - p);
        if (i + 1 < n && p[i + 1] == '\n')
            return i + 2;
        if (i + 2 < n && p[i + 1] == '\r' && p[i + 2] == '\n')
            return i + 3;
    }
    return n;
}

/* "HTTP/1.1 200 OK": 200 */
static int status_of(const char *p, size_t n)
{
    size_t i = 5;

    if (n < 12 || strncasecmp(p, "HTTP/", 5) != 0)
        return 0;
    while (i < n && (isdigit((unsigned char)p[i]) || p[i] == '.'))
        i++;
    while (i < n && is_blank(p[i]))
        i++;
    if (n - i < 3 || !isdigit((unsigned char)p[i]) || !isdigit((unsigned char)p[i + 1]) ||
        !isdigit((unsigned char)p[i + 2]))
        return 0;
    return (p[i] - '0') * 100 + (p[i + 1] - '0') * 10 + (p[i + 2] - '0');
}

struct http_message http_parse(char *p, size_t n)
{
    struct http_message m = { .status = status_of(p, n) };
    size_t end = m.status > 0 ? head_end(p, n) : 0;

    fields_unfold(p, end);
    m.head = (struct span){ p, end };
    m.body = (struct span){ p + end, n - end };
    return m;
}

/* --- chunks --- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "1a2b; extension": the number; -1: it is none. */
static int64_t chunk_size(struct span line)
{
    int64_t size = 0;
    size_t i;

    line = trim(line);
    for (i = 0; i < line.n && i < 12 && hex_digit(line.p[i]) >= 0; i++)
        size = size * 16 + hex_digit(line.p[i]);
    return i == 0 || (i < line.n && line.p[i] != ';' && !is_blank(line.p[i])) ? -1 : size;
}

/* False: the body is not in chunks. */
static bool unchunk(struct span body, struct buf *out, bool *cut)
{
    bool first = true;

    for (; body.n > 0; first = false) {
        struct span line = next_line(&body);
        int64_t size = chunk_size(line);
        if (size < 0 && first)
            return false;
        if (size == 0)
            return true;
        *cut = size < 0 || (uint64_t)size > body.n;
        if (size < 0)
            return true;
        if (*cut)
            size = (int64_t)body.n;
        buf_add(out, body.p, (size_t)size);
        body.p += size;
        body.n -= (size_t)size;
        if (body.n > 0 && body.p[0] == '\r')
            body.p++, body.n--;
        if (body.n > 0 && body.p[0] == '\n')
            body.p++, body.n--;
    }
    *cut = true;      /* no chunk of length 0 */
    return true;
}

/* --- encodings --- */

/* Bytes of room behind out, at least one more than the limit allows; so that more is noticed. */
static size_t make_room(struct buf *out, size_t most)
{
    size_t left = most - out->n + 1, want = out->n < ROOM ? ROOM : out->n;

    want = want < left ? want : left;
    buf_reserve(out, want);
    return want;
}

static enum http_body inflate_all(struct span in, int window, size_t most, struct buf *out)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)in.p, .avail_in = (uInt)in.n };
    int got = Z_OK;

    BUG_IF(inflateInit2(&z, window) != Z_OK);      /* only without memory */
    while (got == Z_OK && out->n <= most) {
        size_t room = make_room(out, most);
        z.next_out = (Bytef *)out->p + out->n;
        z.avail_out = (uInt)room;
        got = inflate(&z, Z_NO_FLUSH);
        out->n += room - z.avail_out;
    }
    inflateEnd(&z);
    return out->n > most ? HTTP_TOO_LARGE : got == Z_STREAM_END ? HTTP_WHOLE : HTTP_CUT;
}

static enum http_body ungzip(struct span in, size_t most, struct buf *out)
{
    return inflate_all(in, 15 + 16, most, out);
}

/* RFC 7230 means zlib's format; some servers send plain deflate. */
static enum http_body undeflate(struct span in, size_t most, struct buf *out)
{
    enum http_body got = inflate_all(in, 15, most, out);

    return got == HTTP_CUT && out->n == 0 ? inflate_all(in, -15, most, out) : got;
}

static enum http_body unbrotli(struct span in, size_t most, struct buf *out)
{
    BrotliDecoderState *b = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    BrotliDecoderResult got = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
    const uint8_t *from = (const uint8_t *)in.p;

    BUG_IF(b == NULL);      /* only without memory */
    while (got == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT && out->n <= most) {
        size_t room = make_room(out, most), before = room;
        uint8_t *to = (uint8_t *)out->p + out->n;
        got = BrotliDecoderDecompressStream(b, &in.n, &from, &room, &to, NULL);
        out->n += before - room;
    }
    BrotliDecoderDestroyInstance(b);
    return out->n > most ? HTTP_TOO_LARGE : got == BROTLI_DECODER_RESULT_SUCCESS ? HTTP_WHOLE : HTTP_CUT;
}

static enum http_body unzstd(struct span in, size_t most, struct buf *out)
{
    ZSTD_DCtx *ctx = ZSTD_createDCtx();
    ZSTD_inBuffer from = { in.p, in.n, 0 };
    size_t left = 1;
    bool stuck = false;

    BUG_IF(ctx == NULL);    /* only without memory */
    while (left != 0 && !ZSTD_isError(left) && !stuck && out->n <= most) {
        size_t room = make_room(out, most);
        ZSTD_outBuffer to = { out->p + out->n, room, 0 };
        left = ZSTD_decompressStream(ctx, &to, &from);
        out->n += to.pos;
        stuck = from.pos == from.size && to.pos < room;
    }
    ZSTD_freeDCtx(ctx);
    return out->n > most ? HTTP_TOO_LARGE : left == 0 ? HTTP_WHOLE : HTTP_CUT;
}

static const struct {
    const char *name;
    enum http_body (*decode)(struct span in, size_t most, struct buf *out);
} encodings[] = {
    { "gzip", ungzip }, { "x-gzip", ungzip }, { "deflate", undeflate }, { "br", unbrotli },
    { "zstd", unzstd }, { "identity", NULL }, { "none", NULL }, { "utf-8", NULL }, { NULL, NULL },
};

/* One encoding off, in place. */
static enum http_body decode_one(struct span name, struct http_limits *limits, struct buf *body)
{
    struct buf out = { 0 };
    enum http_body got;
    size_t i = 0;

    while (encodings[i].name != NULL && !word_is(name, encodings[i].name))
        i++;
    if (encodings[i].name == NULL)
        return HTTP_UNKNOWN;
    if (encodings[i].decode == NULL || body->n == 0)
        return HTTP_WHOLE;
    got = encodings[i].decode((struct span){ body->p, body->n }, limits->most, &out);
    limits->expanded += out.n;
    if (got == HTTP_CUT && out.n == 0) {      /* not packed at all */
        buf_release(&out);
        return HTTP_WHOLE;
    }
    if (out.p != NULL)
        out.p[out.n] = 0;
    buf_release(body);
    *body = out;
    return got;
}

enum http_body http_decode(const struct http_message *m, struct http_limits *limits, struct buf *out)
{
    struct span field = field_of(m->head, "transfer-encoding"), names[ENCODINGS_MAX];
    enum http_body all = HTTP_WHOLE;
    size_t count = 0;
    bool cut = false;

    limits->expanded = 0;
    if (!word_is(field, "chunked") || !unchunk(m->body, out, &cut)) {
        buf_clear(out);
        buf_add(out, m->body.p, m->body.n);
        cut = false;
    }
    for (field = field_of(m->head, "content-encoding"); field.n > 0 && count < ENCODINGS_MAX;)
        names[count++] = part_before(&field, ',');
    while (count > 0 && (all == HTTP_WHOLE || all == HTTP_CUT)) {
        enum http_body got = names[--count].n > 0 ? decode_one(names[count], limits, out) : HTTP_WHOLE;
        all = got == HTTP_WHOLE ? all : got;
    }
    return all == HTTP_WHOLE && cut ? HTTP_CUT : all;
}
