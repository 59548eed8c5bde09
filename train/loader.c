#include "train/loader.h"

#include <string.h>

#include "base/hash.h"
#include "train/phases.h"
#include "train/train_cmd.h"

/* ---- what is read ---- */

enum status loader_plan(struct loader *l, const struct train_options *o)
{
    json_t *record = opt_record(cmd_train.opts, o);
    enum status st = read_plan_of(&l->arena, record, "train", &l->plan);

    json_decref(record);
    return st;
}

static enum status open_next(void *ctx, struct yaml *path)
{
    struct loader *l = ctx;

    TRY(blend_open(path->text, &l->blends[l->open]));
    l->open++;
    return ST_OK;
}

/* One model learns from all of them, so they have one tokenizer. */
static enum status check_tokenizers(const struct loader *l)
{
    const char *want = token_store_tokenizer(l->blends[0].sources[0].store);

    for (size_t i = 1; i < l->open; i++) {
        const char *seen = token_store_tokenizer(l->blends[i].sources[0].store);

        if (strcmp(seen, want) != 0)
            return fail(ST_CONFIG,
                        "'%s' was made with the tokenizer %.12s, '%s' with %.12s: tokenize with "
                        "the same one",
                        l->blends[i].path, seen, l->blends[0].path, want);
    }
    return ST_OK;
}

static enum status open_blends(struct loader *l, const struct train_options *o)
{
    TRY(blend_open(o->store, &l->blends[0]));
    l->open = 1;
    if (o->phases != NULL)
        TRY(phases_paths(o->phases, open_next, l));
    BUG_IF(l->open != l->plan.inputs);
    return check_tokenizers(l);
}

enum status loader_open(struct loader *l, const struct train_options *o, uint64_t steps)
{
    struct read_input *inputs = arena_array(&l->arena, l->plan.inputs, sizeof *inputs);

    l->blends = arena_array(&l->arena, l->plan.inputs, sizeof *l->blends);
    TRY(open_blends(l, o));
    for (size_t i = 0; i < l->open; i++)
        inputs[i] = (struct read_input){ l->blends[i].sources, l->blends[i].count };
    return read_plan_open(&l->plan, inputs, steps, &l->sampling);
}

enum status loader_check(const struct loader *l, const json_t *inputs)
{
    for (size_t i = 0; i < l->open; i++) {
        const struct blend *b = &l->blends[i];
        const json_t *list = json_object_get(inputs, i == 0 ? "store" : "phases"),
                     *want = json_array_get(list, i == 0 ? 0 : i - 1);

        if (b->sources[0].name != b->path) /* a blend, which has its stores' digests itself */
            continue;
        if (!json_is_string(want) ||
            strcmp(token_store_digest(b->sources[0].store), json_string_value(want)) != 0)
            return fail(ST_FAILED,
                        "'%s' was changed while the run began: it was opened as %.16s; give the "
                        "same command again",
                        b->path, token_store_digest(b->sources[0].store));
    }
    return ST_OK;
}

int64_t loader_mark(const struct loader *l)
{
    uint64_t mark = 0;

    for (size_t i = 0; i < l->open; i++)
        for (size_t k = 0; k < l->blends[i].count; k++) {
            const char *digest = token_store_digest(l->blends[i].sources[k].store);

            mark = mark * 31 + xxh3(digest, strlen(digest));
        }
    return (int64_t)(mark >> 2);
}

void loader_close(struct loader *l)
{
    sampling_close(l->sampling);
    for (size_t i = 0; i < l->open; i++)
        blend_close(&l->blends[i]);
    arena_release(&l->arena);
    *l = (struct loader){ 0 };
}

/* ---- training rows ---- */

static uint64_t count_learnt(const int32_t *targets, uint64_t n)
{
    uint64_t count = 0;

    for (uint64_t i = 0; i < n; i++)
        count += targets[i] >= 0;
    return count;
}

enum status loader_read(struct loader *l, uint64_t step, const struct loader_rows *to,
                        uint64_t *learnt)
{
    TRY(sampling_read(l->sampling, step, to->row, to->rows,
                      &(struct sampling_batch){ to->tokens, to->targets, to->first }));
    *learnt = count_learnt(to->targets, to->rows * sampling_length(l->sampling, step));
    return ST_OK;
}

/* ---- validation ---- */

uint64_t loader_validation_windows(const struct loader *l, uint64_t length)
{
    uint64_t tokens = blend_tokens(&l->blends[0], TOKENS_VALIDATION);

    return tokens == 0 ? 0 : (tokens - 1) / length;
}

/* Where each of the window's tokens may look back to, and no target that is the next document's. */
static void set_apart(const struct blend *b, uint64_t start, uint64_t length, int32_t *targets,
                      int32_t *first)
{
    uint64_t d = blend_document_at(b, TOKENS_VALIDATION, start);

    for (uint64_t t = 0; t < length; d++) {
        struct token_span s = blend_span(b, TOKENS_VALIDATION, d);
        uint64_t end = s.first + s.count - start, begin = t;

        for (; t < length && t < end; t++)
            first[t] = (int32_t)begin;
        if (end > begin && end <= length)
            targets[end - 1] = -1;
    }
}

/* One window of T + 1 tokens as T tokens and T targets. */
static enum status read_window(const struct blend *b, uint64_t start, uint64_t T, int32_t *tokens,
                               int32_t *targets)
{
    const struct token_span row = { start, T }, last = { start + T, 1 };

    TRY(blend_read(b, TOKENS_VALIDATION, &row, tokens));
    memcpy(targets, tokens + 1, (size_t)(T - 1) * sizeof *targets);
    return blend_read(b, TOKENS_VALIDATION, &last, targets + T - 1);
}

enum status loader_read_validation(const struct loader *l, uint64_t length,
                                   const struct loader_rows *to, uint64_t *learnt)
{
    const struct blend *b = &l->blends[0];

    for (uint64_t i = 0; i < to->rows; i++) {
        uint64_t start = (to->row + i) * length, at = i * length;

        TRY(read_window(b, start, length, to->tokens + at, to->targets + at));
        if (to->first != NULL)
            set_apart(b, start, length, to->targets + at, to->first + at);
    }
    *learnt = count_learnt(to->targets, to->rows * length);
    return ST_OK;
}
