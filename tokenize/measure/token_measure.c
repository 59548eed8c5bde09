#include "tokenize/measure/token_measure.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/progress.h"
#include "tokenize/document_metadata.h"
#include "tokenize/measure/text_script.h"
#include "tokenize/tokenizer_part.h"

#define BATCH_BYTES ((size_t)256 << 10)
#define SAMPLE_BYTES 480
#define AROUND_BYTES 40              /* of text kept on each side of a difference */
#define PLACE_BYTES 80
#define NAME_BYTES 200
#define LEAST_SAMPLES 3              /* then only of sources and scripts not yet seen */

struct unit {                        /* a text of a batch */
    struct document d;               /* spans into the batch */
    struct text_shape shape;
    struct span language;
    uint64_t *tokens;                /* [tokenizers] */
    struct token_difference *parts;  /* [tokenizers], the first against each */
    struct measure_place **places;   /* [tokenizers], NULL: none */
};
struct batch {
    struct arena arena;
    struct unit *units;
    size_t count, cap, bytes;
};
struct worker {
    struct encoder *encoders[MEASURE_TOKENIZERS];
    struct pretok_run *pretoks[MEASURE_TOKENIZERS];
    struct token_list ids[MEASURE_TOKENIZERS];
    uint64_t *counts[MEASURE_TOKENIZERS], pieces[MEASURE_TOKENIZERS], whole[MEASURE_TOKENIZERS];
};
struct run {
    const struct measure_args *args;
    struct token_measure *out;
    struct measure_source *source;
    struct worker *workers;
    bool ended;
};

/* ---- reading ---- */

static struct span keep(struct arena *a, struct span s)
{
    return (struct span){ arena_strndup(a, s.n ? s.p : "", s.n), s.n };
}

static void batch_free(void *ctx, void *item)
{
    struct batch *b = item;

    arena_release(&b->arena);
    free(b->units);
    free(b);
}

static void batch_add(struct batch *b, const struct document *d)
{
    if (b->count == b->cap) {
        b->cap = b->cap ? b->cap * 2 : 64;
        b->units = mem_grow(b->units, b->cap, sizeof *b->units);
    }
    b->units[b->count++] = (struct unit){ .d = { .id = keep(&b->arena, d->id),
                                                 .text = keep(&b->arena, d->text),
                                                 .source = keep(&b->arena, d->source),
                                                 .metadata = keep(&b->arena, d->metadata) } };
    b->bytes += d->text.n + sizeof *b->units;
}

static enum status produce(void *ctx, void **item)
{
    struct run *r = ctx;
    struct batch *b = mem_alloc(sizeof *b);
    enum status st = ST_OK;

    while (st == ST_OK && !r->ended && b->bytes < BATCH_BYTES) {
        struct document d = { 0 };
        bool got = false;

        st = measure_source_next(r->source, &d, &got);
        if (st == ST_OK && got)
            batch_add(b, &d);
        r->ended = !got;
    }
    *item = b;
    if (st != ST_OK || b->count == 0) {
        batch_free(NULL, b);
        *item = NULL;
    }
    return st;
}

/* ---- measuring one text ---- */

/* Counts the pieces of a well-formed text, and those that are one of its tokens. */
static enum status count_pieces(struct worker *w, size_t k, const struct token_side *side,
                                struct span text)
{
    const uint32_t *ends;
    size_t n, i = 0, end = 0, from = 0;
    uint64_t pieces = 0, whole = 0;

    pretok_begin(w->pretoks[k], text);
    for (;;) {
        TRY(pretok_next(w->pretoks[k], &ends, &n));
        for (size_t j = 0; j < n; j++, pieces++) {
            size_t first = i;

            while (end < ends[j] && i < side->count)
                end += tokenizer_bytes(side->tokenizer, side->ids[i++]).n;
            whole += i - first == 1 && end == ends[j];
            from = ends[j];
        }
        if (n == 0)
            break;
    }
    if (end == from && i == side->count) {           /* else the text was normalized */
        w->pieces[k] += pieces;
        w->whole[k] += whole;
    }
    return ST_OK;
}

static enum status encode(struct worker *w, const struct measure_args *args, size_t k,
                          struct span text)
{
    const struct tokenizer *t = args->tokenizers[k];
    struct token_list *ids = &w->ids[k];

    if (w->encoders[k] == NULL) {
        w->encoders[k] = encoder_new(t);
        w->counts[k] = mem_array(tokenizer_vocab(t) + (size_t)1, sizeof **w->counts);
        if (pretok_cut(t->pretok, 0) != NULL)
            w->pretoks[k] = pretok_run_new(t->pretok);
    }
    ids->count = 0;
    TRY(encoder_encode(w->encoders[k], text, false, ids));
    for (size_t i = 0; i < ids->count; i++)
        w->counts[k][ids->v[i]]++;
    if (w->pretoks[k] == NULL || pretok_well_formed(text) != text.n)
        return ST_OK;
    return count_pieces(w, k, &(struct token_side){ t, ids->v, ids->count, 0 }, text);
}

static bool is_tail(const struct span text, size_t i)
{
    return i < text.n && ((unsigned char)text.p[i] & 0xC0) == 0x80;
}

/* text[from, to), moved inwards to whole characters where the text is UTF-8. */
static struct span cut_out(struct arena *a, struct span text, size_t from, size_t to)
{
    to = to < text.n ? to : text.n;
    from = from < to ? from : to;
    for (int i = 0; i < 3 && from < to && is_tail(text, from); i++)
        from++;
    for (int i = 0; i < 3 && to > from && is_tail(text, to); i++)
        to--;
    return keep(a, (struct span){ text.p + from, to - from });
}

static struct measure_place *place_of(struct batch *b, const struct unit *u,
                                      const struct token_side sides[2], const struct token_span *s)
{
    struct measure_place *p = arena_new(&b->arena, struct measure_place);
    struct span text = u->d.text;
    size_t at = s->at < text.n ? s->at : text.n, end = at + s->bytes < text.n ? at + s->bytes
                                                                              : text.n;

    p->at = at;
    p->id = u->d.id;
    while (at > 0 && is_tail(text, at))      /* the whole of a character that tokens cut */
        at--;
    while (end < text.n && is_tail(text, end))
        end++;
    p->before = cut_out(&b->arena, text, at > AROUND_BYTES ? at - AROUND_BYTES : 0, at);
    p->text = cut_out(&b->arena, text, at, end - at > PLACE_BYTES ? at + PLACE_BYTES : end);
    p->after = cut_out(&b->arena, text, end, end + AROUND_BYTES);
    for (int k = 0; k < 2; k++) {
        p->count[k] = s->count[k];
        for (size_t i = 0; i < s->count[k] && i < MEASURE_SPAN_IDS; i++)
            p->ids[k][i] = sides[k].ids[s->first[k] + i];
    }
    return p;
}

static void differ(struct worker *w, const struct measure_args *args, struct batch *b,
                   struct unit *u, size_t k)
{
    struct token_side sides[2] = {
        { args->tokenizers[0], w->ids[0].v, w->ids[0].count, 0 },
        { args->tokenizers[k], w->ids[k].v, w->ids[k].count, 0 },
    };
    struct token_difference *d = &u->parts[k];

    for (int i = 0; i < 2; i++)
        sides[i].lead = token_side_lead(&sides[i], u->d.text);
    *d = token_differ(&sides[0], &sides[1]);
    if (args->differences > 0 && (args->by_ids ? d->ids : d->cuts))
        u->places[k] = place_of(b, u, sides, args->by_ids ? &d->first_ids : &d->first_cuts);
}

static enum status work(void *ctx, void *item, int worker)
{
    struct run *r = ctx;
    struct worker *w = &r->workers[worker];
    struct batch *b = item;
    size_t n = r->args->count;

    for (size_t i = 0; i < b->count; i++) {
        struct unit *u = &b->units[i];

        u->shape = text_shape_of(u->d.text);
        u->language = metadata_language(&b->arena, u->d.metadata);
        u->tokens = arena_array(&b->arena, n, sizeof *u->tokens);
        u->parts = arena_array(&b->arena, n, sizeof *u->parts);
        u->places = arena_array(&b->arena, n, sizeof(struct measure_place *));
        for (size_t k = 0; k < n; k++) {
            TRY(encode(w, r->args, k, u->d.text));
            u->tokens[k] = w->ids[k].count;
            if (k > 0)
                differ(w, r->args, b, u, k);
        }
        progress_add(u->d.text.n);
    }
    return ST_OK;
}

/* ---- sums ---- */

static void add_unit(struct measure_group *g, const struct unit *u, size_t tokenizers)
{
    g->texts++;
    g->bytes += u->d.text.n;
    g->characters += u->shape.characters;
    g->words += u->shape.words;
    for (size_t k = 0; k < tokenizers; k++)
        g->tokens[k] += u->tokens[k];
}

/* The group of that name, made if it is new; *seen tells whether it was there. */
static struct measure_group *group_of(struct measure_groups *groups, struct arena *a,
                                      struct span name, bool *seen)
{
    uint32_t i;

    if (name.n > NAME_BYTES)
        name.n = NAME_BYTES;
    *seen = text_map_get(&groups->index, name, &i);
    if (*seen)
        return &groups->v[i];
    if (groups->count == MEASURE_GROUPS) {           /* the last row is of all the others */
        groups->v[MEASURE_GROUPS - 1].name = span_of("(others)");
        return &groups->v[MEASURE_GROUPS - 1];
    }
    if (groups->count == groups->cap) {
        groups->cap = groups->cap ? groups->cap * 2 : 16;
        groups->v = mem_grow(groups->v, groups->cap, sizeof *groups->v);
    }
    groups->v[groups->count] = (struct measure_group){ .name = keep(a, name) };
    text_map_add(&groups->index, groups->v[groups->count].name, (uint32_t)groups->count);
    return &groups->v[groups->count++];
}

static void add_sample(struct run *r, const struct unit *u)
{
    struct token_measure *m = r->out;
    struct buf text = { 0 };
    struct span start = cut_out(&m->arena, u->d.text, 0, SAMPLE_BYTES);

    utf8_repair(&text, start.p, start.n);
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == 0)
            text.p[i] = ' ';
    m->samples[m->sample_count++] = (struct measure_sample){
        .id = keep(&m->arena, u->d.id),
        .source = keep(&m->arena, u->d.source),
        .text = keep(&m->arena, (struct span){ text.p, text.n }),
    };
    buf_release(&text);
}

static void add_pair(struct run *r, const struct unit *u, size_t k)
{
    struct token_measure *m = r->out;
    struct measure_pair *p = &m->pairs[k];
    const struct token_difference *d = &u->parts[k];
    const struct measure_place *place = u->places[k];

    p->texts_other_ids += d->ids;
    p->texts_other_cuts += d->cuts;
    p->spans += d->spans;
    p->tokens[0] += d->tokens[0];
    p->tokens[1] += d->tokens[1];
    p->same_bytes += d->same_bytes;
    if (place == NULL || p->place_count == r->args->differences)
        return;
    p->places[p->place_count] = *place;
    p->places[p->place_count].id = keep(&m->arena, place->id);
    p->places[p->place_count].before = keep(&m->arena, place->before);
    p->places[p->place_count].text = keep(&m->arena, place->text);
    p->places[p->place_count++].after = keep(&m->arena, place->after);
}

static enum status consume(void *ctx, void *item)
{
    struct run *r = ctx;
    struct token_measure *m = r->out;
    struct batch *b = item;
    size_t n = r->args->count;

    for (size_t i = 0; i < b->count; i++) {
        const struct unit *u = &b->units[i];
        bool source, script, language;

        add_unit(&m->all, u, n);
        add_unit(group_of(&m->sources, &m->arena, u->d.source, &source), u, n);
        add_unit(group_of(&m->languages, &m->arena, u->language, &language), u, n);
        add_unit(group_of(&m->scripts, &m->arena, span_of(u->shape.script), &script), u, n);
        if (u->d.text.n > 0 && m->sample_count < r->args->samples
            && (m->sample_count < LEAST_SAMPLES || !source || !script))
            add_sample(r, u);
        for (size_t k = 1; k < n; k++)
            add_pair(r, u, k);
    }
    batch_free(NULL, b);
    return ST_OK;
}

/* ---- the whole ---- */

static void add_worker(struct token_measure *m, struct worker *w, const struct measure_args *args)
{
    for (size_t k = 0; k < args->count; k++) {
        m->pieces[k].all += w->pieces[k];
        m->pieces[k].whole += w->whole[k];
        for (uint32_t id = 0; w->counts[k] && id < tokenizer_vocab(args->tokenizers[k]); id++)
            m->counts[k][id] += w->counts[k][id];
        encoder_free(w->encoders[k]);
        pretok_run_free(w->pretoks[k]);
        token_list_release(&w->ids[k]);
        free(w->counts[k]);
    }
}

static void measure_init(struct token_measure *m, const struct measure_args *args)
{
    *m = (struct token_measure){ 0 };
    text_map_init(&m->sources.index, 16);
    text_map_init(&m->languages.index, 16);
    text_map_init(&m->scripts.index, 16);
    m->samples = mem_array(args->samples + 1, sizeof *m->samples);
    for (size_t k = 0; k < args->count; k++) {
        m->counts[k] = mem_array(tokenizer_vocab(args->tokenizers[k]) + (size_t)1,
                                 sizeof **m->counts);
        m->pairs[k].places = mem_array(args->differences + 1, sizeof *m->pairs[k].places);
    }
}

enum status token_measure(struct pool *pool, const struct measure_args *args,
                          struct token_measure *out)
{
    struct run r = { .args = args, .out = out };
    struct pool_stream stream = {
        .produce = produce, .work = work, .consume = consume, .discard = batch_free, .ctx = &r
    };
    bool mine = !progress_running();
    enum status st;

    BUG_IF(args->count == 0 || args->count > MEASURE_TOKENIZERS);
    measure_init(out, args);
    TRY(measure_source_open(&args->source, &r.source));
    r.workers = mem_array((size_t)pool_threads(pool), sizeof *r.workers);
    if (mine)
        progress_start("measuring tokens", "bytes", 0);
    st = pool_ordered(pool, &stream);
    if (mine)
        progress_end();
    for (int i = 0; i < pool_threads(pool); i++)
        add_worker(out, &r.workers[i], args);
    free(r.workers);
    out->whole = measure_source_totals(r.source);
    measure_source_close(r.source);
    if (st == ST_OK && out->all.bytes == 0)
        st = fail(ST_FORMAT, "'%s' holds no text to measure", args->source.corpus);
    return st;
}

static void release_groups(struct measure_groups *g)
{
    text_map_release(&g->index);
    free(g->v);
}

void token_measure_release(struct token_measure *m, size_t tokenizers)
{
    release_groups(&m->sources);
    release_groups(&m->languages);
    release_groups(&m->scripts);
    for (size_t k = 0; k < tokenizers; k++) {
        free(m->counts[k]);
        free(m->pairs[k].places);
    }
    free(m->samples);
    arena_release(&m->arena);
}
