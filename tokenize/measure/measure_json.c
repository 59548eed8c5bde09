#include "tokenize/measure/measure_json.h"

#include <stdlib.h>

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *text_of(struct span s)
{
    struct buf good = { 0 };
    json_t *value;

    utf8_repair(&good, s.p, s.n);
    for (size_t i = 0; i < good.n; i++)
        if (good.p[i] == 0)
            good.p[i] = ' ';
    value = json_stringn(good.p ? good.p : "", good.n);
    buf_release(&good);
    return value;
}

/* ---- groups ---- */

static int by_size(const void *a, const void *b)
{
    const struct measure_group *x = a, *y = b;
    size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
    int order;

    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    order = n ? memcmp(x->name.p, y->name.p, n) : 0;
    return order ? order : x->name.n < y->name.n ? -1 : x->name.n > y->name.n;
}

static json_t *group_json(const struct measure_group *g, size_t tokenizers)
{
    json_t *o = json_object(), *tokens = json_array();

    for (size_t k = 0; k < tokenizers; k++)
        json_array_append_new(tokens, number(g->tokens[k]));
    json_object_set_new(o, "name", text_of(g->name));
    json_object_set_new(o, "texts", number(g->texts));
    json_object_set_new(o, "bytes", number(g->bytes));
    json_object_set_new(o, "characters", number(g->characters));
    json_object_set_new(o, "words", number(g->words));
    json_object_set_new(o, "tokens", tokens);
    return o;
}

/* The largest first. Nothing where no text says what it is of. */
static json_t *groups_json(const struct measure_groups *groups, size_t tokenizers)
{
    struct measure_group *sorted = mem_array(groups->count + 1, sizeof *sorted);
    json_t *list = json_array();

    for (size_t i = 0; i < groups->count; i++)
        sorted[i] = groups->v[i];
    if (groups->count > 0)
        qsort(sorted, groups->count, sizeof *sorted, by_size);
    for (size_t i = 0; i < groups->count; i++)
        if (groups->count > 1 || sorted[i].name.n > 0)
            json_array_append_new(list, group_json(&sorted[i], tokenizers));
    free(sorted);
    return list;
}

static json_t *corpus_json(const struct measure_args *args, const struct token_measure *m)
{
    json_t *o = json_object();

    json_object_set_new(o, "texts", number(m->all.texts));
    json_object_set_new(o, "bytes", number(m->all.bytes));
    json_object_set_new(o, "characters", number(m->all.characters));
    json_object_set_new(o, "words", number(m->all.words));
    json_object_set_new(o, "of_texts", number(m->whole.texts));
    json_object_set_new(o, "of_bytes", number(m->whole.bytes));
    json_object_set_new(o, "sampled", json_boolean(m->whole.sampled));
    json_object_set_new(o, "seed", number(args->source.seed));
    return o;
}

/* ---- several tokenizers ---- */

struct overlap {
    uint64_t shared, same_id;        /* entries of the same bytes; those of the same id, too */
};
static struct overlap overlap_of(const struct text_map *map, const struct tokenizer *other)
{
    struct overlap o = { 0 };

    for (uint32_t id = 0; id < tokenizer_vocab(other); id++) {
        struct span b = tokenizer_bytes(other, id);
        uint32_t there;

        if (b.n == 0 || !text_map_get(map, b, &there))
            continue;
        o.shared++;
        o.same_id += there == id;
    }
    return o;
}

static void map_vocab(struct text_map *map, const struct tokenizer *t)
{
    text_map_init(map, tokenizer_vocab(t));
    for (uint32_t id = 0; id < tokenizer_vocab(t); id++)
        if (tokenizer_bytes(t, id).n > 0)
            text_map_add(map, tokenizer_bytes(t, id), id);
}

bool measure_same_ids(const struct measure_args *args)
{
    struct text_map map;
    bool same = true;

    map_vocab(&map, args->tokenizers[0]);
    for (size_t k = 1; k < args->count; k++) {
        struct overlap o = overlap_of(&map, args->tokenizers[k]);

        same = same && o.same_id * 10 >= o.shared * 9;
    }
    text_map_release(&map);
    return same;
}

/* [i][k]: how many entries of k are in i, too. */
static json_t *overlaps_json(const struct measure_args *args)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < args->count; i++) {
        json_t *row = json_array();
        struct text_map map;

        map_vocab(&map, args->tokenizers[i]);
        for (size_t k = 0; k < args->count; k++) {
            struct overlap o = overlap_of(&map, args->tokenizers[k]);
            json_t *cell = json_object();

            json_object_set_new(cell, "shared", number(o.shared));
            json_object_set_new(cell, "same_id", number(o.same_id));
            json_array_append_new(row, cell);
        }
        text_map_release(&map);
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *side_json(const struct tokenizer *t, const struct measure_place *p, int side)
{
    json_t *o = json_object(), *ids = json_array(), *texts = json_array();

    for (size_t i = 0; i < p->count[side] && i < MEASURE_SPAN_IDS; i++) {
        json_array_append_new(ids, json_integer(p->ids[side][i]));
        json_array_append_new(texts, text_of(tokenizer_bytes(t, p->ids[side][i])));
    }
    json_object_set_new(o, "count", number(p->count[side]));
    json_object_set_new(o, "ids", ids);
    json_object_set_new(o, "texts", texts);
    return o;
}

static json_t *place_json(const struct measure_args *args, const struct measure_place *p, size_t k)
{
    json_t *o = json_object(), *sides = json_array();

    json_array_append_new(sides, side_json(args->tokenizers[0], p, 0));
    json_array_append_new(sides, side_json(args->tokenizers[k], p, 1));
    json_object_set_new(o, "id", text_of(p->id));
    json_object_set_new(o, "byte", number(p->at));
    json_object_set_new(o, "before", text_of(p->before));
    json_object_set_new(o, "text", text_of(p->text));
    json_object_set_new(o, "after", text_of(p->after));
    json_object_set_new(o, "sides", sides);
    return o;
}

/* Each tokenizer but the first against the first. */
static json_t *pairs_json(const struct measure_args *args, const struct token_measure *m)
{
    json_t *list = json_array();

    for (size_t k = 1; k < args->count; k++) {
        const struct measure_pair *p = &m->pairs[k];
        json_t *o = json_object(), *tokens = json_array(), *places = json_array();

        for (int side = 0; side < 2; side++)
            json_array_append_new(tokens, number(p->tokens[side]));
        for (size_t i = 0; i < p->place_count; i++)
            json_array_append_new(places, place_json(args, &p->places[i], k));
        json_object_set_new(o, "texts_same_ids", number(m->all.texts - p->texts_other_ids));
        json_object_set_new(o, "texts_same_pieces", number(m->all.texts - p->texts_other_cuts));
        json_object_set_new(o, "bytes_same_pieces", number(p->same_bytes));
        json_object_set_new(o, "spans", number(p->spans));
        json_object_set_new(o, "span_tokens", tokens);
        json_object_set_new(o, "places", places);
        json_array_append_new(list, o);
    }
    return list;
}

/* ---- samples ---- */

/* The text as the tokens spell it, and where each ends; null where that is no UTF-8. */
static enum status cuts_json(struct encoder *e, const struct tokenizer *t, struct span text,
                             json_t **out)
{
    struct token_list ids = { 0 };
    struct buf spelled = { 0 };
    json_t *ends = json_array(), *list = json_array();
    enum status st = encoder_encode(e, text, false, &ids);

    for (size_t i = 0; st == ST_OK && i < ids.count; i++) {
        struct span b = tokenizer_bytes(t, ids.v[i]);

        buf_add(&spelled, b.p, b.n);
        json_array_append_new(ends, number(spelled.n));
        json_array_append_new(list, json_integer(ids.v[i]));
    }
    if (st == ST_OK && utf8_valid(spelled.p, spelled.n))
        *out = json_pack("{s:o, s:O, s:O}", "text", text_of((struct span){ spelled.p, spelled.n }),
                         "ends", ends, "ids", list);
    else
        *out = json_null();
    json_decref(ends);
    json_decref(list);
    buf_release(&spelled);
    token_list_release(&ids);
    return st;
}

static enum status samples_json(const struct measure_args *args, const struct token_measure *m,
                                json_t **out)
{
    struct encoder *encoders[MEASURE_TOKENIZERS];
    enum status st = ST_OK;

    *out = json_array();
    for (size_t k = 0; k < args->count; k++)
        encoders[k] = encoder_new(args->tokenizers[k]);
    for (size_t i = 0; st == ST_OK && i < m->sample_count; i++) {
        json_t *o = json_object(), *cuts = json_array();

        for (size_t k = 0; st == ST_OK && k < args->count; k++) {
            json_t *one = NULL;

            st = cuts_json(encoders[k], args->tokenizers[k], m->samples[i].text, &one);
            json_array_append_new(cuts, one);
        }
        json_object_set_new(o, "id", text_of(m->samples[i].id));
        json_object_set_new(o, "source", text_of(m->samples[i].source));
        json_object_set_new(o, "tokens", cuts);
        json_array_append_new(*out, o);
    }
    for (size_t k = 0; k < args->count; k++)
        encoder_free(encoders[k]);
    return st;
}

/* ---- the whole ---- */

static enum status tokenizers_json(const struct measure_args *args, const char *const *names,
                                   const struct token_measure *m, json_t *list)
{
    for (size_t k = 0; k < args->count; k++) {
        json_t *one = NULL;
        enum status st = vocab_json(&(struct vocab_use){ .name = names[k],
                                                         .tokenizer = args->tokenizers[k],
                                                         .counts = m->counts[k],
                                                         .all = &m->all,
                                                         .tokens = m->all.tokens[k],
                                                         .pieces = m->pieces[k].all,
                                                         .whole_pieces = m->pieces[k].whole },
                                    &one);

        json_array_append_new(list, one);
        TRY(st);
    }
    return ST_OK;
}

enum status measure_json(const struct measure_args *args, const char *const *names,
                         const struct token_measure *m, json_t **out)
{
    json_t *o = json_object(), *tokenizers = json_array(), *samples = NULL;
    enum status st = tokenizers_json(args, names, m, tokenizers);

    if (st == ST_OK)
        st = samples_json(args, m, &samples);
    json_object_set_new(o, "report", json_string("tokenizer"));
    json_object_set_new(o, "corpus", corpus_json(args, m));
    json_object_set_new(o, "tokenizers", tokenizers);
    json_object_set_new(o, "sources", groups_json(&m->sources, args->count));
    json_object_set_new(o, "languages", groups_json(&m->languages, args->count));
    json_object_set_new(o, "scripts", groups_json(&m->scripts, args->count));
    if (args->count > 1) {
        json_object_set_new(o, "overlap", overlaps_json(args));
        json_object_set_new(o, "pairs", pairs_json(args, m));
    }
    json_object_set_new(o, "samples", samples ? samples : json_array());
    *out = o;
    if (st != ST_OK) {
        json_decref(o);
        *out = NULL;
    }
    return st;
}
