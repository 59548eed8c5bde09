#include "tokenize/encode/stages.h"

#include <stdlib.h>

#include "base/arena.h"

struct stage_state {
    struct pretok_run *cuts;
    struct normal_scratch scratch;
};
struct stage_run {
    const struct stage *stages;
    struct stage_state *states;
    size_t count;
    stage_fn *take;                  /* of the call in hand */
    void *ctx;
};

struct stage_run *stage_run_new(const struct stage *stages, size_t count)
{
    struct stage_run *r = mem_alloc(sizeof *r);

    *r = (struct stage_run){ .stages = stages, .count = count };
    r->states = mem_array(count + 1, sizeof *r->states);
    for (size_t i = 0; i < count; i++)
        if (stages[i].cuts != NULL)
            r->states[i].cuts = pretok_run_new(stages[i].cuts);
    return r;
}

void stage_run_free(struct stage_run *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->count; i++) {
        pretok_run_free(r->states[i].cuts);
        normal_scratch_release(&r->states[i].scratch);
    }
    free(r->states);
    free(r);
}

static enum status run(struct stage_run *r, size_t i, struct span text, bool first);

static enum status rewrite(struct stage_run *r, size_t i, struct span piece, bool first)
{
    if (r->stages[i].rewrite != NULL)
        TRY(normalizer_run(r->stages[i].rewrite, &r->states[i].scratch, &piece, first));
    return piece.n > 0 ? run(r, i + 1, piece, first) : ST_OK;
}

static enum status cut(struct stage_run *r, size_t i, struct span text, bool first)
{
    struct pretok_run *cuts = r->states[i].cuts;
    const uint32_t *ends;
    size_t n, from = 0;

    if (text.n > PRETOK_TEXT_MAX)
        return fail(ST_LIMIT, "a text of %zu bytes; want at most %zu", text.n, PRETOK_TEXT_MAX);
    pretok_begin(cuts, text);
    for (;;) {
        TRY(pretok_next(cuts, &ends, &n));
        if (n == 0)
            return ST_OK;
        for (size_t k = 0; k < n; k++) {
            size_t end = ends[k] & ~PRETOK_DROPPED;

            if (!(ends[k] & PRETOK_DROPPED))
                TRY(rewrite(r, i, (struct span){ text.p + from, end - from }, first && from == 0));
            from = end;
        }
    }
}

static enum status run(struct stage_run *r, size_t i, struct span text, bool first)
{
    if (i == r->count)
        return r->take(r->ctx, text);
    return r->stages[i].cuts ? cut(r, i, text, first) : rewrite(r, i, text, first);
}

enum status stage_run_text(struct stage_run *r, struct span text, bool first, stage_fn *take,
                           void *ctx)
{
    r->take = take;
    r->ctx = ctx;
    return text.n > 0 ? run(r, 0, text, first) : ST_OK;
}
