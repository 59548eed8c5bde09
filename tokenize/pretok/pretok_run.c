/* Cutting: a stack of texts, one for each cut of the chain, that stops when the batch is full. */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "tokenize/pretok/pretok_part.h"
#include "tokenize/pretok/unicode_table.h"

#define JIT_STACK_MAX ((size_t)64 << 20)
#define HEAP_LIMIT_KIB (256u << 10)
/* Steps a match may take: so many, and so many more for each byte of the text. */
#define STEPS_BASE 100000u
#define STEPS_PER_BYTE 16u

/* A match, or the text between two; empty if the match is. Offsets in the level's text. */
struct part {
    size_t from, to;
    bool match;
};
/* One cut at work on one text. */
struct level {
    struct span text;
    size_t done, from, last_end;     /* parts are made up to; search goes on at; of the last match */
    bool searched;                   /* there are no more matches */
    bool has_found, has_pending;
    struct part found;               /* the match behind the gap that was handed out */
    struct part pending;             /* may still be joined with what follows */
    struct scan_job scan;            /* where the cut has a scanner */
    size_t taken;                    /* of scan.ends */
};
struct pretok_run {
    const struct pretok *p;
    const struct cut *cuts;          /* of p, or one that does what they do */
    size_t cut_count;
    pcre2_match_data *found[CUTS_MAX];
    pcre2_match_context *limits;
    pcre2_jit_stack *stack;
    struct span text;
    struct level levels[CUTS_MAX];
    size_t depth;                    /* levels at work; 0: all is cut */
    size_t count;
    bool own;                        /* the text has no character that PCRE2's own tables have otherwise */
    uint32_t *scanned[CUTS_MAX];     /* ends of a scanner that is not the last cut */
    uint32_t ends[BATCH_ENDS + SCAN_SLACK];
};

struct pretok_run *pretok_run_new(const struct pretok *p)
{
    struct pretok_run *r = mem_alloc(sizeof *r);

    r->p = p;
    r->cuts = p->chain.scan ? &p->chain : p->cuts;
    r->cut_count = p->chain.scan ? 1 : p->count;
    r->limits = pcre2_match_context_create(NULL);
    r->stack = pcre2_jit_stack_create((size_t)64 << 10, JIT_STACK_MAX, NULL);
    BUG_IF(r->limits == NULL);
    pcre2_set_heap_limit(r->limits, HEAP_LIMIT_KIB);
    if (r->stack != NULL)
        pcre2_jit_stack_assign(r->limits, NULL, r->stack);
    for (size_t i = 0; i < r->cut_count; i++) {
        r->found[i] = pcre2_match_data_create(1, NULL);
        BUG_IF(r->found[i] == NULL);
        if (r->cuts[i].scan != NULL && i + 1 < r->cut_count)
            r->scanned[i] = mem_array(SCAN_ENDS + SCAN_SLACK, sizeof(uint32_t));
    }
    return r;
}

void pretok_run_free(struct pretok_run *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->cut_count; i++) {
        pcre2_match_data_free(r->found[i]);
        free(r->scanned[i]);
    }
    pcre2_match_context_free(r->limits);
    pcre2_jit_stack_free(r->stack);
    free(r);
}

/* ---- parts of a text: matches and gaps ---- */

/* The interpreter does what the JIT has no stack for. */
static int match_at(struct pretok_run *r, size_t i, size_t from)
{
    const struct cut *c = &r->cuts[i];
    const struct program *program = r->own && c->own.code ? &c->own : &c->exact;
    struct span text = r->levels[i].text;
    int got = PCRE2_ERROR_JIT_STACKLIMIT;

    if (program->jit && r->stack != NULL)
        got = pcre2_jit_match(program->code, (PCRE2_SPTR)text.p, text.n, from, PCRE2_NO_UTF_CHECK,
                              r->found[i], r->limits);
    if (got == PCRE2_ERROR_JIT_STACKLIMIT)
        got = pcre2_match(program->code, (PCRE2_SPTR)text.p, text.n, from,
                          PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, r->found[i], r->limits);
    return got;
}

static enum status match_failed(const struct cut *c, int code, size_t from)
{
    char text[256];

    pretok_error_text(code, text);
    if (code == PCRE2_ERROR_MATCHLIMIT || code == PCRE2_ERROR_HEAPLIMIT ||
        code == PCRE2_ERROR_DEPTHLIMIT)
        return fail(
            ST_LIMIT,
            "%s: the pattern backtracks too much at byte %zu of the text (%s); want one that "
            "does not: '%.200s'",
            c->what, from, text, c->pattern);
    return fail(ST_FAILED, "%s: matching failed at byte %zu of the text (%s): '%.200s'", c->what,
                from, text, c->pattern);
}

static size_t next_char(struct span text, size_t at)
{
    do
        at++;
    while (at < text.n && ((unsigned char)text.p[at] & 0xC0) == 0x80);
    return at;
}

/* Sets has_found or searched. An empty match is a place to cut, except right behind the match before,
 * where the search goes on one character later: as the find_iter() of Hugging Face's regular
 * expressions has it. */
static enum status find(struct pretok_run *r, size_t i)
{
    const PCRE2_SIZE *where = pcre2_get_ovector_pointer(r->found[i]);
    struct level *l = &r->levels[i];

    while (l->from <= l->text.n) {
        int got = match_at(r, i, l->from);

        if (got == PCRE2_ERROR_NOMATCH)
            break;
        if (got < 0)
            return match_failed(&r->cuts[i], got, (size_t)(l->text.p - r->text.p) + l->from);
        if (where[0] == where[1] && where[1] == l->last_end) {
            l->from = next_char(l->text, l->from);
            continue;
        }
        l->found = (struct part){ where[0], where[1], true };
        l->has_found = true;
        l->from = l->last_end = where[1];
        return ST_OK;
    }
    l->searched = true;
    return ST_OK;
}

/* *any false: the text is through. */
static enum status next_part(struct pretok_run *r, size_t i, struct part *out, bool *any)
{
    struct level *l = &r->levels[i];

    if (!l->has_found && !l->searched)
        TRY(find(r, i));
    *any = l->has_found || l->done < l->text.n;
    if (l->has_found && l->done == l->found.from) {
        *out = l->found;
        l->has_found = false;
    } else {
        *out = (struct part){ l->done, l->has_found ? l->found.from : l->text.n, false };
    }
    l->done = out->to;
    out->match = out->match != r->cuts[i].invert;
    return ST_OK;
}

/* ---- pieces of a text: what the behavior makes of the parts ---- */

static bool joins(enum pretok_behavior behavior, bool before, bool match)
{
    switch (behavior) {
    case PRETOK_MERGED_WITH_PREVIOUS: return match && !before;
    case PRETOK_MERGED_WITH_NEXT: return !match && before;
    case PRETOK_CONTIGUOUS: return match == before;
    default: return false;
    }
}

/* A scanner's pieces are whole and never left out. */
static void next_scanned(struct pretok_run *r, size_t i, struct part *out, bool *any)
{
    struct level *l = &r->levels[i];

    if (l->taken == l->scan.count) {
        l->scan.count = l->taken = 0;
        l->scan.ends = r->scanned[i];
        r->cuts[i].scan(&l->scan);
    }
    *any = l->taken < l->scan.count;
    *out = (struct part){ l->done, l->done, false };
    if (*any)
        out->to = l->scan.ends[l->taken++] - l->scan.base;
    l->done = out->to;
}

/* The next piece, which may be empty; out->match: it is left out. */
static enum status next_piece(struct pretok_run *r, size_t i, struct part *out, bool *any)
{
    enum pretok_behavior behavior = r->cuts[i].behavior;
    struct level *l = &r->levels[i];
    struct part part;

    if (r->cuts[i].scan != NULL) {
        next_scanned(r, i, out, any);
        return ST_OK;
    }
    for (;;) {
        TRY(next_part(r, i, &part, any));
        if (!*any) {
            *any = l->has_pending;
            l->has_pending = false;
            *out = (struct part){ l->pending.from, l->pending.to, false };
            return ST_OK;
        }
        if (behavior == PRETOK_ISOLATED || behavior == PRETOK_REMOVED) {
            *out = (struct part){ part.from, part.to, part.match && behavior == PRETOK_REMOVED };
            return ST_OK;
        }
        if (l->has_pending && !joins(behavior, l->pending.match, part.match)) {
            *out = (struct part){ l->pending.from, l->pending.to, false };
            l->pending = part;
            return ST_OK;
        }
        if (!l->has_pending)
            l->pending.from = part.from;
        l->has_pending = true;
        l->pending.to = part.to;
        l->pending.match = part.match;
    }
}

/* ---- the chain ---- */

static void set_steps(struct pretok_run *r, size_t n)
{
    uint64_t steps = STEPS_BASE + (uint64_t)n * STEPS_PER_BYTE;

    pcre2_set_match_limit(r->limits, steps < UINT32_MAX ? (uint32_t)steps : UINT32_MAX);
}

static void begin_level(struct pretok_run *r, struct span text)
{
    r->levels[r->depth] = (struct level){
        .text = text,
        .last_end = SIZE_MAX,
        .scan = { .scanner = &r->cuts[r->depth].scanner,
                  .text = text,
                  .base = (uint32_t)(text.p - r->text.p) },
    };
    r->depth++;
}

void pretok_begin(struct pretok_run *r, struct span text)
{
    BUG_IF(text.n > PRETOK_TEXT_MAX);
    r->text = text;
    r->depth = 0;
    if (text.n > 0) {
        r->own = r->p->changed != NULL && r->cuts == r->p->cuts && unicode_without(r->p->changed, text);
        set_steps(r, text.n);
        begin_level(r, text);
    }
}

static void note_end(struct pretok_run *r, struct span piece, bool dropped)
{
    r->ends[r->count++] =
        (uint32_t)(piece.p + piece.n - r->text.p) | (dropped ? PRETOK_DROPPED : 0);
}

/* The last cut's scanner writes where the batch is. */
static void scan_batch(struct pretok_run *r)
{
    struct level *l = &r->levels[r->depth - 1];

    l->scan.ends = r->ends;
    l->scan.count = r->count;
    r->cuts[r->depth - 1].scan(&l->scan);
    r->count = l->scan.count;
    if (l->scan.at == l->text.n)
        r->depth--;
}

/* One step of the deepest level. */
static enum status step(struct pretok_run *r)
{
    size_t i = r->depth - 1;
    struct part piece;
    struct span text;
    bool any;

    if (r->depth == r->cut_count && r->cuts[i].scan != NULL) {
        scan_batch(r);
        return ST_OK;
    }
    TRY(next_piece(r, i, &piece, &any));
    text = (struct span){ r->levels[i].text.p + piece.from, piece.to - piece.from };
    if (!any)
        r->depth--;
    else if (text.n > 0 && (piece.match || r->depth == r->cut_count))
        note_end(r, text, piece.match);
    else if (text.n > 0)
        begin_level(r, text);
    return ST_OK;
}

enum status pretok_next(struct pretok_run *r, const uint32_t **ends, size_t *n)
{
    enum status st = ST_OK;

    r->count = 0;
    if (r->cut_count == 0 && r->depth > 0) {
        note_end(r, r->text, false);
        r->depth = 0;
    }
    while (st == ST_OK && r->count < BATCH_ENDS - 64 && r->depth > 0)
        st = step(r);
    if (st != ST_OK)
        r->depth = 0;
    *ends = r->ends;
    *n = r->count;
    return st;
}
