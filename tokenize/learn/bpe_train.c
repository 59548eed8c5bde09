#include "tokenize/learn/bpe_train.h"

#include <stdlib.h>

#include "base/progress.h"
#include "base/stop.h"
#include "store/formats/byte_level.h"
#include "tokenize/learn/bpe_round.h"
#include "tokenize/learn/pair_scan.h"
#include "tokenize/learn/spill_file.h"
#include "tokenize/text_map.h"

#define BYTES_PER_PLACE 24           /* what the pieces and the lists of pairs take, at most */
#define BYTES_PER_PAIR 128
#define LEAST_PAIRS 64
#define REFUSED_MOST 16384           /* special tokens that pairs would spell */

struct bpe_trainer {
    const struct bpe_train_args *args;
    struct bpe_trained *out;
    struct paged paged;
    struct bpe_text text;
    struct pair_index index;
    struct paged_array places;
    size_t listed, list_limit, pairs_most;
    bool indexed;                    /* the index holds for the text */
    struct bpe_round round;
    uint32_t *length;                /* bytes, by id */
    uint32_t vocab_most;             /* ids there may be */
    uint32_t first_id[256];
    struct text_map known;           /* texts that have an id: special ones; with a base, all */
    uint64_t *refused;
    size_t refused_count;
    size_t *required_at;             /* places */
    uint32_t required_merges;        /* wanted for these, at most */
    size_t merge_cap;
    struct buf joined, ids;
    struct bpe_trained made;         /* until it is handed out */
};

/* ---- beginning ---- */

static void add_token(struct bpe_trainer *t, struct span bytes, uint32_t length)
{
    uint32_t id = t->out->vocab++;

    t->out->tokens[id] = bytes;
    t->length[id] = length;
}

static struct span keep(struct bpe_trainer *t, const char *p, size_t n)
{
    return (struct span){ arena_strndup(&t->out->arena, p, n), n };
}

/* A special token that can be spelled in the byte-level alphabet is known by its bytes, so that no
 * merge makes it. */
static void add_special(struct bpe_trainer *t, struct span text, uint32_t id)
{
    buf_clear(&t->joined);
    if (byte_level_scan(&t->joined, text))
        text_map_add(&t->known, keep(t, t->joined.p, t->joined.n), id);
}

static void first_tokens(struct bpe_trainer *t)
{
    uint8_t order[256];

    for (size_t i = 0; i < t->args->special_count; i++) {
        struct span text = span_of(t->args->specials[i]);

        add_special(t, text, (uint32_t)i);
        add_token(t, keep(t, text.p, text.n), 0);
    }
    byte_level_order(order);
    for (int i = 0; i < 256; i++) {
        uint8_t byte = t->args->ties == BPE_TIES_RAW ? (uint8_t)i : order[i];

        t->first_id[byte] = t->out->vocab;
        add_token(t, keep(t, (char *)&byte, 1), 1);
    }
}

static void base_tokens(struct bpe_trainer *t)
{
    const struct bpe_base *b = t->args->base;

    for (uint32_t id = 0; id < b->vocab; id++) {
        struct span s = b->tokens[id];

        if (s.p != NULL && b->special[id])
            add_special(t, s, id);
        else if (s.p != NULL)
            text_map_add(&t->known, s, id);
        add_token(t, s, b->special[id] ? 0 : (uint32_t)s.n);
    }
}

static void begin(struct bpe_trainer *t)
{
    const struct bpe_train_args *a = t->args;

    t->vocab_most = a->vocab;
    t->out = &t->made;
    t->out->tokens = arena_array(&t->out->arena, a->vocab, sizeof *t->out->tokens);
    t->length = mem_array(a->vocab, sizeof *t->length);
    text_map_init(&t->known, a->base ? a->vocab : a->special_count);
    if (a->base)
        base_tokens(t);
    else
        first_tokens(t);
}

struct bpe_trainer *bpe_trainer_new(const struct bpe_train_args *args)
{
    struct bpe_trainer *t = mem_alloc(sizeof *t);

    uint64_t pairs = args->memory / 8 / BYTES_PER_PAIR;

    BUG_IF(args->vocab < (args->base ? args->base->vocab : args->special_count + 256) ||
           args->min_frequency < 1 || args->max_token_length == 1);
    t->args = args;
    t->paged = (struct paged){ .folder = args->folder, .limit = args->memory };
    t->text.paged = &t->paged;
    t->pairs_most = pairs < LEAST_PAIRS ? LEAST_PAIRS : pairs > UINT32_MAX / 4 ? UINT32_MAX / 4 : pairs;
    begin(t);
    bpe_round_init(&t->round, t->vocab_most);
    return t;
}

uint32_t bpe_trainer_wanted(const struct bpe_trainer *t)
{
    return t->args->vocab - t->out->vocab;
}

void bpe_trainer_free(struct bpe_trainer *t)
{
    if (t == NULL)
        return;
    bpe_round_release(&t->round);
    paged_release(&t->paged, &t->places);
    bpe_text_release(&t->text);
    paged_close(&t->paged);
    pair_index_release(&t->index);
    text_map_release(&t->known);
    bpe_trained_release(&t->made);
    free(t->length);
    free(t->refused);
    free(t->required_at);
    buf_release(&t->joined);
    buf_release(&t->ids);
    free(t);
}

/* ---- the words ---- */

static enum status spell(struct bpe_trainer *t, struct span piece)
{
    const struct bpe_base *b = t->args->base;

    buf_clear(&t->ids);
    if (b != NULL)
        return b->encode(b->ctx, piece, &t->ids);
    buf_reserve(&t->ids, piece.n * sizeof(uint32_t));
    for (size_t i = 0; i < piece.n; i++)
        ((uint32_t *)(void *)t->ids.p)[i] = t->first_id[(unsigned char)piece.p[i]];
    t->ids.n = piece.n * sizeof(uint32_t);
    return ST_OK;
}

static enum status add_piece(struct bpe_trainer *t, struct span piece, uint64_t weight)
{
    TRY(spell(t, piece));
    return bpe_text_add(&t->text, &(struct bpe_text_piece){ .ids = (uint32_t *)(void *)t->ids.p,
                                                            .length = t->length,
                                                            .count = t->ids.n / sizeof(uint32_t),
                                                            .n = piece.n,
                                                            .weight = weight });
}

static enum status add_required(struct bpe_trainer *t)
{
    t->required_at = mem_array(t->args->required_count + 1, sizeof *t->required_at);
    for (size_t i = 0; i < t->args->required_count; i++) {
        t->required_at[i] = t->text.size ? t->text.size : 1;
        TRY(add_piece(t, t->args->required[i], 0));
    }
    return ST_OK;
}

enum status bpe_trainer_fill(struct bpe_trainer *t, const struct bpe_words *words)
{
    uint64_t rest = t->args->memory > resident_bytes() ? t->args->memory - resident_bytes() : 0;
    bool got = true;

    t->paged.on = words->places > rest / BYTES_PER_PLACE;
    t->out->paged = t->paged.on;
    while (true) {
        struct bpe_word w;

        TRY(words->next(words->ctx, &w, &got));
        if (!got)
            break;
        if (w.count < t->args->min_piece_count)
            continue;
        TRY(add_piece(t, (struct span){ w.p, w.n }, w.count));
        t->out->pieces++;
    }
    return add_required(t);
}

/* ---- tokens ---- */

enum join { JOIN_NEW, JOIN_OLD, JOIN_REFUSED };

/* The token that the two make together. */
static enum join join(struct bpe_trainer *t, struct bpe_pair pair, uint32_t *id)
{
    struct bpe_trained *out = t->out;
    struct span left = out->tokens[pair.left], right = out->tokens[pair.right], text;

    buf_clear(&t->joined);
    buf_add(&t->joined, left.p, left.n);
    buf_add(&t->joined, right.p, right.n);
    text = (struct span){ t->joined.p, t->joined.n };
    if (text_map_get(&t->known, text, id))
        return t->length[*id] == 0 ? JOIN_REFUSED : JOIN_OLD;
    *id = out->vocab;
    text = keep(t, text.p, text.n);
    if (t->args->base)
        text_map_add(&t->known, text, *id);
    add_token(t, text, t->length[pair.left] + t->length[pair.right]);
    progress_add(1);
    return JOIN_NEW;
}

static void add_merge(struct bpe_trainer *t, struct bpe_pair pair)
{
    struct bpe_trained *out = t->out;

    if (out->merge_count == t->merge_cap) {
        t->merge_cap = t->merge_cap ? t->merge_cap * 2 : 1024;
        out->merges = mem_grow(out->merges, t->merge_cap, sizeof *out->merges);
    }
    out->merges[out->merge_count++] = pair;
}

/* ---- required tokens ---- */

/* Merges that are wanted until each required piece is one token, if none serves two. */
static uint32_t required_merges(const struct bpe_trainer *t)
{
    uint32_t n = 0;

    for (size_t i = 0; i < t->args->required_count; i++)
        for (size_t at = t->required_at[i]; t->text.at[at].symbol != BPE_BORDER;) {
            at += t->length[t->text.at[at].symbol];
            n += t->text.at[at].symbol != BPE_BORDER;
        }
    return n;
}

static enum status require(struct bpe_trainer *t, size_t i)
{
    const struct bpe_place *p = t->text.at;
    size_t at = t->required_at[i];

    for (;;) {
        struct bpe_pair pair = { .left = p[at].symbol };
        uint32_t id;

        pair.right = p[at + t->length[pair.left]].symbol;
        if (pair.right == BPE_BORDER)
            return ST_OK;
        if (join(t, pair, &id) == JOIN_REFUSED)
            return fail(ST_CONFIG,
                        "required token '%.*s' begins with the special token '%s'; take one of the two",
                        (int)t->args->required[i].n, t->args->required[i].p, t->joined.p);
        add_merge(t, pair);
        bpe_round_merge_everywhere(&t->round, &(struct bpe_merging){ pair.left, pair.right, id });
    }
}

static enum status require_all(struct bpe_trainer *t)
{
    for (size_t i = 0; i < t->args->required_count; i++)
        TRY(require(t, i));
    t->indexed = false;
    t->required_merges = 0;
    return ST_OK;
}

/* Is there room for another token, beside those that are required? */
static bool has_room(struct bpe_trainer *t)
{
    if (t->out->vocab + t->required_merges >= t->args->vocab)
        t->required_merges = required_merges(t);
    return t->out->vocab + t->required_merges < t->args->vocab;
}

/* ---- the rounds ---- */

static uint64_t count_tokens(struct bpe_trainer *t)
{
    uint64_t tokens = 0;
    size_t block = 0;

    for (size_t at = 1; at < t->text.size; at++)
        while (t->text.at[at].symbol != BPE_BORDER) {
            paged_walk(&t->paged, at * sizeof *t->text.at, &block);
            tokens += (uint64_t)bpe_text_weight(&t->text, at);
            at += t->length[t->text.at[at].symbol];
        }
    return tokens;
}

static void note_stop(struct bpe_trainer *t)
{
    struct bpe_trained *out = t->out;

    if (out->stop_count == t->args->stop_count || out->vocab < t->args->stops[out->stop_count])
        return;
    out->stops[out->stop_count++] =
        (struct bpe_stop){ out->vocab, out->merge_count, count_tokens(t) };
}

static enum status index_pairs(struct bpe_trainer *t)
{
    struct pair_scan s = { .text = &t->text,
                           .length = t->length,
                           .max_length = t->args->max_token_length,
                           .min_count = t->args->min_frequency,
                           .refused = t->refused,
                           .refused_count = t->refused_count,
                           .most = t->pairs_most,
                           .memory = t->args->memory / 4 };

    TRY(pair_scan(&s, &t->index, &t->places, &t->listed));
    t->list_limit = t->listed + t->text.size;
    t->out->scans++;
    t->indexed = true;
    return ST_OK;
}

static enum status refuse(struct bpe_trainer *t, uint64_t key)
{
    if (t->refused == NULL)
        t->refused = mem_array(REFUSED_MOST, sizeof *t->refused);
    if (t->refused_count == REFUSED_MOST)
        return fail(ST_LIMIT, "more than %d pairs of tokens spell special tokens", REFUSED_MOST);
    t->refused[t->refused_count++] = key;
    return ST_OK;
}

static enum status merge(struct bpe_trainer *t, const struct pair *p)
{
    struct bpe_pair pair = { (uint32_t)(p->rank.key >> 32), (uint32_t)p->rank.key };
    struct bpe_merging m = { .left = pair.left, .right = pair.right };
    enum join how = join(t, pair, &m.id);

    if (how == JOIN_REFUSED)
        return refuse(t, p->rank.key);
    add_merge(t, pair);
    if (how == JOIN_OLD) {
        bpe_round_merge_everywhere(&t->round, &m);
        t->indexed = false;
        return ST_OK;
    }
    TRY(bpe_round_merge(&t->round, &m, p));
    note_stop(t);
    if (t->listed > t->list_limit || t->index.count / 2 > t->pairs_most)
        t->indexed = false;
    return ST_OK;
}

static enum status merge_all(struct bpe_trainer *t)
{
    while (has_room(t)) {
        struct pair next;

        if (stop_requested())
            return fail(ST_INTERRUPTED,
                        "interrupted; nothing was written: run the same command to begin again");
        if (t->indexed && pair_index_pop(&t->index, &next)) {
            TRY(merge(t, &next));
            continue;
        }
        TRY(index_pairs(t));
        if (t->index.count == 0)
            return ST_OK;
    }
    return ST_OK;
}

static enum status run(struct bpe_trainer *t)
{
    t->round.text = &t->text;
    t->round.index = &t->index;
    t->round.length = t->length;
    t->round.max_length = t->args->max_token_length;
    t->round.places = &t->places;
    t->round.listed = &t->listed;
    t->out->stops = arena_array(&t->out->arena, t->args->stop_count + 1, sizeof *t->out->stops);
    t->required_merges = required_merges(t);
    if (t->out->vocab + t->required_merges > t->args->vocab)
        return fail(ST_CONFIG,
                    "vocab=%u has no room for the required tokens: want %u, or fewer of them",
                    t->args->vocab, t->out->vocab + t->required_merges);
    TRY(merge_all(t));
    if (t->args->required_count > 0) {
        TRY(require_all(t));
        TRY(merge_all(t));
    }
    t->out->text_tokens = count_tokens(t);
    return ST_OK;
}

enum status bpe_trainer_run(struct bpe_trainer *t, struct bpe_trained *out)
{
    TRY(run(t));
    *out = t->made;
    t->made = (struct bpe_trained){ 0 };
    return ST_OK;
}

enum status bpe_train(const struct bpe_train_args *args, const struct bpe_words *words,
                      struct bpe_trained *out)
{
    struct bpe_trainer *t = bpe_trainer_new(args);
    enum status st = bpe_trainer_fill(t, words);

    *out = (struct bpe_trained){ 0 };
    if (st == ST_OK)
        st = bpe_trainer_run(t, out);
    bpe_trainer_free(t);
    return st;
}

void bpe_trained_release(struct bpe_trained *t)
{
    arena_release(&t->arena);
    free(t->merges);
    *t = (struct bpe_trained){ 0 };
}
