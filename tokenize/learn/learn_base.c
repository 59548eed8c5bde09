#include "tokenize/learn/learn_base.h"

#include <stdlib.h>

#include "store/formats/byte_level.h"
#include "tokenize/tokenizer_part.h"

struct learn_base {
    char *path;
    struct tokenizer *t;
    bool *special;                   /* by id: all added tokens are */
    struct bpe_base bpe;
    struct piece_merge_scratch scratch;
};

/* ---- reading ---- */

static enum status check(const struct learn_base *b)
{
    const struct tokenizer *t = b->t;
    const char *what = t->symbols || t->decode ? "has no byte-level alphabet"
                       : t->normalizer         ? "normalizes text in other ways than NFC"
                       : t->stage_count > 0    ? "rewrites text before it is cut"
                       : t->ranks != RANK_PLACE ? "has ranks in place of merges ('tundish tokenizer convert' makes them)"
                                               : NULL;

    if (what != NULL)
        return fail(ST_UNSUPPORTED,
                    "%s: training goes on from a byte-level BPE with merges only, and this one %s",
                    b->path, what);
    for (int i = 0; i < 256; i++)
        if (t->byte_id[i] >= t->vocab)
            return fail(ST_UNSUPPORTED, "%s: it has no token for the byte 0x%02x; want all 256",
                        b->path, (unsigned)i);
    return ST_OK;
}

static enum status encode(void *ctx, struct span piece, struct buf *ids)
{
    struct learn_base *b = ctx;
    uint32_t *v;

    buf_reserve(ids, piece.n * sizeof *v);
    v = (uint32_t *)(void *)ids->p;
    ids->n = piece_merge_ids(b->t->merge, &b->scratch, piece, v) * sizeof *v;
    return ST_OK;
}

static enum status fill(struct learn_base *b)
{
    const struct tokenizer *t;

    TRY(tokenizer_open(b->path, &b->t));
    TRY(check(b));
    t = b->t;
    b->special = mem_array(t->vocab, sizeof *b->special);
    for (uint32_t id = 0; id < t->vocab; id++)
        b->special[id] = t->special[id];
    for (size_t i = 0; i < t->added_count; i++)
        b->special[t->added[i].id] = true;
    b->bpe = (struct bpe_base){ .tokens = t->bytes,
                                .vocab = t->vocab,
                                .special = b->special,
                                .byte_id = t->byte_id,
                                .encode = encode,
                                .ctx = b };
    return ST_OK;
}

enum status learn_base_open(const char *path, struct learn_base **out)
{
    struct learn_base *b = mem_alloc(sizeof *b);
    enum status st;

    b->path = mem_strdup(path);
    st = fill(b);
    if (st != ST_OK)
        learn_base_close(b);
    *out = st == ST_OK ? b : NULL;
    return st;
}

void learn_base_close(struct learn_base *b)
{
    if (b == NULL)
        return;
    tokenizer_close(b->t);
    piece_merge_scratch_release(&b->scratch);
    free(b->special);
    free(b->path);
    free(b);
}

const struct bpe_base *learn_base_bpe(const struct learn_base *b)
{
    return &b->bpe;
}

const struct pretok *learn_base_pretok(const struct learn_base *b)
{
    return b->t->pretok;
}

bool learn_base_nfc(const struct learn_base *b)
{
    return b->t->nfc;
}

/* ---- writing ---- */

static void add_token(json_t *vocab, const struct bpe_trained *t, uint32_t id)
{
    struct buf text = { 0 };

    byte_level_print(&text, t->tokens[id]);
    json_object_set_new(vocab, text.p, json_integer(id));
    buf_release(&text);
}

/* As the file writes its own: "a b" or ["a", "b"]. */
static void add_merge(json_t *merges, const struct bpe_trained *t, struct bpe_pair m)
{
    struct buf left = { 0 }, right = { 0 };
    bool pairs = !json_is_string(json_array_get(merges, 0));

    byte_level_print(&left, t->tokens[m.left]);
    byte_level_print(&right, t->tokens[m.right]);
    json_array_append_new(merges, pairs ? json_pack("[s, s]", left.p, right.p)
                                        : json_sprintf("%s %s", left.p, right.p));
    buf_release(&left);
    buf_release(&right);
}

static enum status add_learnt(const struct learn_base *b, json_t *file, const struct bpe_trained *t)
{
    json_t *model = json_object_get(file, "model");
    json_t *vocab = json_object_get(model, "vocab"), *merges = json_object_get(model, "merges");

    if (!json_is_object(vocab) || !json_is_array(merges))
        return fail(ST_FORMAT, "%s: model.vocab or model.merges is missing", b->path);
    for (uint32_t id = b->bpe.vocab; id < t->vocab; id++)
        add_token(vocab, t, id);
    for (size_t i = 0; i < t->merge_count; i++)
        add_merge(merges, t, t->merges[i]);
    return ST_OK;
}

static int print_part(const char *p, size_t n, void *out)
{
    buf_add(out, p, n);
    return 0;
}

enum status learn_base_print(const struct learn_base *b, const struct bpe_trained *t,
                             struct buf *out)
{
    struct buf text = { 0 };
    json_t *file = NULL;
    enum status st = tokenizer_json(b->path, &text);

    if (st == ST_OK)
        st = json_parse(text.p, text.n, b->path, &file);
    if (st == ST_OK)
        st = add_learnt(b, file, t);
    if (st == ST_OK) {
        json_dump_callback(file, print_part, out, JSON_INDENT(2));
        buf_addc(out, '\n');
    }
    json_decref(file);
    buf_release(&text);
    return st;
}
