/* Text to ids: the encoding half of tokenize/tokenizer.h. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/arena.h"
#include "tokenize/encode/pieces.h"
#include "tokenize/encode/safe_cut.h"
#include "tokenize/encode/text_origin.h"
#include "tokenize/encode/token_nfc.h"
#include "tokenize/tokenizer_part.h"

#define WINDOW ((size_t)64 << 10)    /* what the steps of encoding go over while it is in the cache */
#define WINDOW_LEAST ((size_t)1 << 10)
#define CUT_NEAR ((size_t)4 << 10)      /* a window's end is looked for in so many bytes */

/* The text that pointers go into, and what its bytes are in the caller's text. */
struct place {
    const char *p;
    uint64_t at;                     /* of p in the caller's text */
    const struct text_origin *origin;    /* NULL: byte i is byte at + i */
};
struct encoder {
    const struct tokenizer *t;
    struct piece_encoder *pieces;
    struct stage_run *stages;
    struct token_nfc nfc;
    struct buf normal;
    struct text_origin origin;
    struct normal_scratch scratch;
    /* of the call in hand */
    struct token_list *out;
    struct id_ranges *ranges;     /* or NULL */
    struct place place;
    bool first;                   /* the text in hand begins where the caller's does */
    const char *start;            /* of its normalized form then, or NULL */
    bool inside;                  /* the window in hand goes on from a text before it */
    bool goes_on;                 /* the caller's text does */
};

struct encoder *encoder_new(const struct tokenizer *t)
{
    struct encoder *e = mem_alloc(sizeof *e);

    e->t = t;
    e->pieces = piece_encoder_new(t);
    if (t->stage_count > 0)
        e->stages = stage_run_new(t->stages, t->stage_count);
    return e;
}

void encoder_free(struct encoder *e)
{
    if (e == NULL)
        return;
    piece_encoder_free(e->pieces);
    stage_run_free(e->stages);
    normal_scratch_release(&e->scratch);
    token_nfc_release(&e->nfc);
    text_origin_release(&e->origin);
    buf_release(&e->normal);
    free(e);
}

void encoder_go_on(struct encoder *e, bool inside)
{
    e->goes_on = inside;
}

const struct tokenizer *encoder_tokenizer(const struct encoder *e)
{
    return e->t;
}

void token_list_release(struct token_list *l)
{
    free(l->v);
    *l = (struct token_list){ 0 };
}

void token_list_reserve(struct token_list *l, size_t extra)
{
    if (l->cap - l->count >= extra)
        return;
    l->cap = l->cap * 2 > l->count + extra ? l->cap * 2 : l->count + extra + 64;
    l->v = mem_grow(l->v, l->cap, sizeof *l->v);
}

void token_list_add(struct token_list *l, uint32_t id)
{
    token_list_reserve(l, 1);
    l->v[l->count++] = id;
}

void id_ranges_release(struct id_ranges *r)
{
    free(r->v);
    *r = (struct id_ranges){ 0 };
}

struct id_range *id_ranges_extend(struct id_ranges *r, size_t n)
{
    if (r->v == NULL || r->cap - r->count < n) {
        r->cap = r->cap * 2 > r->count + n ? r->cap * 2 : r->count + n + 64;
        r->v = mem_grow(r->v, r->cap, sizeof *r->v);
    }
    r->count += n;
    return r->v + r->count - n;
}

/* ---- ranges ---- */

static void note_range(struct encoder *e, struct id_range *r, const char *start, const char *end)
{
    size_t from = (size_t)(start - e->place.p), to = (size_t)(end - e->place.p);
    const struct text_origin *o = e->place.origin;

    if (o) {
        from = o->v[from].from;
        to = o->v[to - 1].to;
    }
    *r = (struct id_range){ e->place.at + from, e->place.at + to };
}

static void add_one(struct encoder *e, uint32_t id, const char *start, const char *end)
{
    token_list_add(e->out, id);
    if (e->ranges)
        note_range(e, id_ranges_extend(e->ranges, 1), start, end);
}

/* Bytes of the normalized text that an id of it is made of; 0: unknown. */
static size_t length_in_text(const struct tokenizer *t, uint32_t id)
{
    struct span byte = t->bytes[id];

    if (t->symbols == NULL)
        return t->pieces[id].n;
    if (t->raw == NULL || id == symbols_unk(t->symbols))
        return 0;
    return byte.n == 1 && t->byte_id[(unsigned char)byte.p[0]] == id ? 1 : t->raw[id].n;
}

/* The ids from `first` on are those of text: their bytes follow each other in it. */
static enum status note_ranges(struct encoder *e, struct span text, size_t first)
{
    const char *p = text.p, *end = text.p + text.n;
    struct id_range *r = id_ranges_extend(e->ranges, e->out->count - first);

    for (size_t i = first; i < e->out->count; i++) {
        size_t n = length_in_text(e->t, e->out->v[i]);

        if (n == 0 || n > (size_t)(end - p))
            return fail(ST_UNSUPPORTED,
                        "the place of token %u in the text is not known; want a vocabulary whose "
                        "tokens are the text's bytes",
                        e->out->v[i]);
        note_range(e, r++, p, p + n);
        p += n;
    }
    BUG_IF(p != end);
    return ST_OK;
}

/* ---- added tokens, normalization ---- */

/* A step of work on text without the tokens of the sets before it. */
typedef enum status text_fn(struct encoder *e, struct span text, bool specials);

static enum status cut_added(struct encoder *e, const struct added_set *set, struct span text,
                             bool specials, text_fn *between)
{
    struct added_search search = { .text = text };
    struct added_match m;
    size_t done = 0;

    while (added_set_next(set, &search, specials, &m)) {
        if (m.start > done)
            TRY(between(e, (struct span){ text.p + done, m.start - done }, specials));
        add_one(e, m.id, text.p + m.start, text.p + m.end);
        done = m.end;
    }
    return done < text.n ? between(e, (struct span){ text.p + done, text.n - done }, specials)
                         : ST_OK;
}

static enum status encode_rewritten(void *ctx, struct span text)
{
    struct encoder *e = ctx;

    return piece_encoder_encode(e->pieces, text, e->out);
}

static enum status encode_plain(struct encoder *e, struct span text, bool specials)
{
    size_t first = e->out->count;

    if (e->stages)
        return stage_run_text(e->stages, text, text.p == e->start, encode_rewritten, e);
    TRY(piece_encoder_encode(e->pieces, text, e->out));
    return e->ranges ? note_ranges(e, text, first) : ST_OK;
}

/* *text becomes its normal form; where that is another text and ranges are wanted, it is e->normal,
 * and e->place says where it comes from. */
static enum status normalize(struct encoder *e, struct span *text)
{
    const struct tokenizer *t = e->t;
    bool inside = e->inside && text->p == e->place.p && t->normalizer_inside;
    const struct normalizer *n = inside ? t->normalizer_inside : t->normalizer;
    uint64_t at = e->place.at + (uint64_t)(text->p - e->place.p);

    if (n ? e->ranges == NULL : !t->nfc || token_nfc_is_plain(*text, FORM_NFC))
        return n ? normalizer_run(n, &e->scratch, text, e->first) : ST_OK;
    if (text->n > UINT32_MAX)
        return fail(ST_LIMIT,
                    "%zu bytes of text to normalize without a place to cut it; want less than 4 GiB",
                    text->n);
    buf_clear(&e->normal);
    e->origin.count = 0;
    if (n)
        TRY(text_origin_normalize(n, &e->nfc, (struct origin_text){ *text, e->first },
                                  &e->normal, &e->origin));
    else if (e->ranges)
        token_nfc_with_origin(&e->nfc, *text, &e->normal, &e->origin);
    else
        token_nfc(&e->nfc, *text, FORM_NFC, &e->normal);
    *text = (struct span){ e->normal.p, e->normal.n };
    e->place = (struct place){ e->normal.p, at, &e->origin };
    return ST_OK;
}

static enum status encode_normal(struct encoder *e, struct span text, bool specials)
{
    struct place outside = e->place;
    enum status st;

    e->first = !e->inside && text.p == e->place.p;
    st = normalize(e, &text);
    e->start = e->first ? text.p : NULL;
    if (st == ST_OK && text.n > 0)
        st = cut_added(e, e->t->added_normal, text, specials, encode_plain);
    e->place = outside;
    return st;
}

/* ---- windows ---- */

/* A byte that is not UTF-8. */
static enum status add_byte(struct encoder *e, const char *p)
{
    uint32_t id = e->t->byte_id[(unsigned char)*p];

    if (id == NO_TOKEN && e->t->symbols)
        id = symbols_unk(e->t->symbols);
    if (id == NO_TOKEN)
        return fail(ST_UNSUPPORTED,
                    "the text is not UTF-8 at byte %" PRIu64 " (0x%02x), and the vocabulary has a "
                    "token neither for that byte nor for what is unknown; want UTF-8",
                    e->place.at + (uint64_t)(p - e->place.p), (unsigned char)*p);
    add_one(e, id, p, p + 1);
    return ST_OK;
}

/* Encodes bytes that are a text of their own, or with e->inside go on from one; `at` is their place in the caller's. */
static enum status encode_window(struct encoder *e, struct span text, uint64_t at, bool specials)
{
    size_t done = 0;

    e->place = (struct place){ text.p, at, NULL };
    while (done < text.n) {
        size_t n = pretok_well_formed((struct span){ text.p + done, text.n - done });

        if (n > 0)
            TRY(cut_added(e, e->t->added_raw, (struct span){ text.p + done, n }, specials,
                          encode_normal));
        done += n;
        if (done < text.n) {
            TRY(add_byte(e, text.p + done));
            done++;
        }
    }
    return ST_OK;
}

/* The length of the next window of text: about `want` bytes, more if no safe place is known near their end,
 * all at the end. */
static size_t next_window(const struct tokenizer *t, struct span text, size_t want)
{
    for (size_t seen = 0; text.n - seen > want; seen += want) {
        size_t near = want > CUT_NEAR ? want - CUT_NEAR : 0, cut = safe_cut(t, text, seen + near, seen + want);

        if (cut > 0)
            return cut;
    }
    return text.n;
}

static enum status encode_windows(struct encoder *e, struct span text, bool specials)
{
    const char *begin = text.p;

    while (text.n > 0) {
        size_t n = next_window(e->t, text, WINDOW);

        e->inside = e->goes_on || text.p > begin;
        TRY(encode_window(e, (struct span){ text.p, n }, (uint64_t)(text.p - begin), specials));
        text.p += n;
        text.n -= n;
    }
    return ST_OK;
}

enum status encoder_encode(struct encoder *e, struct span text, bool specials,
                           struct token_list *out)
{
    e->out = out;
    e->ranges = NULL;
    token_list_reserve(out, text.n / 3);
    return encode_windows(e, text, specials);
}

enum status encoder_encode_ranges(struct encoder *e, struct span text, bool specials,
                                  struct token_list *out, struct id_ranges *ranges)
{
    const struct tokenizer *t = e->t;

    if (t->stage_count || pretok_drops(t->pretok))
        return fail(ST_UNSUPPORTED, "places of ids in the text are not known for a pre-tokenizer that "
                                    "rewrites text or leaves some out");
    e->out = out;
    e->ranges = ranges;
    return encode_windows(e, text, specials);
}

/* ---- counting ---- */

/* Where the first n ids of a window end: the window again, with ranges. */
static enum status find_end(struct encoder *e, struct span window, bool specials, uint64_t n,
                            uint64_t *end)
{
    struct token_list ids = { 0 };
    struct id_ranges ranges = { 0 };
    enum status st;

    *end = 0;
    e->out = &ids;
    e->ranges = &ranges;
    st = n > 0 ? encode_window(e, window, 0, specials) : ST_OK;
    if (st == ST_OK && n > 0)
        *end = ranges.v[n - 1].end;
    token_list_release(&ids);
    id_ranges_release(&ranges);
    return st;
}

/* A window that is likely to hold a few more ids than are missing. */
static size_t count_window(uint64_t missing)
{
    if (missing >= WINDOW / 8)
        return WINDOW;
    return missing * 8 > WINDOW_LEAST ? (size_t)missing * 8 : WINDOW_LEAST;
}

enum status encoder_count(struct encoder *e, struct span text, bool specials, uint64_t until,
                          struct token_count *out)
{
    struct token_list ids = { 0 };
    const char *begin = text.p;
    enum status st = ST_OK;

    *out = (struct token_count){ 0 };
    while (st == ST_OK && text.n > 0 && !out->more) {
        struct span window = { text.p, next_window(e->t, text, count_window(until - out->tokens)) };
        uint64_t before = out->tokens;

        ids.count = 0;
        e->out = &ids;
        e->ranges = NULL;
        e->inside = e->goes_on || window.p > begin;
        st = encode_window(e, window, 0, specials);
        out->tokens += ids.count;
        text.p += window.n;
        text.n -= window.n;
        out->end = (uint64_t)(text.p - begin);
        if (st != ST_OK || out->tokens <= until)
            continue;
        st = find_end(e, window, specials, until - before, &out->end);
        out->end += (uint64_t)(window.p - begin);
        out->more = true;
        out->tokens = until + 1;
    }
    token_list_release(&ids);
    return st;
}
