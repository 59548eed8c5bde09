#include "store/sampling/sampling.h"

#include <math.h>
#include <string.h>

#include "store/sampling/sampling_part.h"

const char *const packing_names[] = { "concat", "best-fit", NULL };

/* ---- what cannot be ---- */

static enum status check_source(const struct sampling_source *source, const char *tokenizer)
{
    if (!isfinite(source->weight) || source->weight <= 0)
        return fail(ST_CONFIG, "'%s' has the weight %g, want a number above 0", source->name,
                    source->weight);
    if (!(source->epochs >= 0 && source->epochs <= SAMPLING_EPOCHS_MOST))
        return fail(ST_CONFIG, "'%s' is to be read at most %g times, want 0 (without end) to %g",
                    source->name, source->epochs, SAMPLING_EPOCHS_MOST);
    if (token_store_tokens(source->store, TOKENS_TRAIN) == 0)
        return fail(ST_CONFIG, "'%s' has no tokens to train on", source->name);
    if (strcmp(token_store_tokenizer(source->store), tokenizer) != 0)
        return fail(
            ST_CONFIG,
            "'%s' was made with the tokenizer %.16s, the first store with %.16s; a run reads "
            "stores of one tokenizer",
            source->name, token_store_tokenizer(source->store), tokenizer);
    return ST_OK;
}

static enum status check_phase(const struct sampling_args *args, size_t number)
{
    const struct sampling_phase *p = &args->phases[number];

    if (number == 0 ? p->step != 0 : p->step <= args->phases[number - 1].step)
        return fail(ST_CONFIG, "phase %zu begins at step %llu, want %s", number,
                    (unsigned long long)p->step,
                    number == 0 ? "0" : "a later step than the phase before it");
    if (p->length < 2 || p->length > SAMPLING_LENGTH_MOST)
        return fail(ST_CONFIG, "phase %zu has rows of %llu tokens, want 2 to %llu", number,
                    (unsigned long long)p->length, (unsigned long long)SAMPLING_LENGTH_MOST);
    if (p->rows < 1 || p->rows > SAMPLING_ROWS_MOST)
        return fail(ST_CONFIG, "phase %zu has %llu rows a step, want 1 to %llu", number,
                    (unsigned long long)p->rows, (unsigned long long)SAMPLING_ROWS_MOST);
    if (p->source_count < 1 || p->source_count > SAMPLING_SOURCES_MOST)
        return fail(ST_CONFIG, "phase %zu has %zu sources, want 1 to %d", number, p->source_count,
                    SAMPLING_SOURCES_MOST);
    for (size_t i = 0; i < p->source_count; i++)
        TRY(check_source(&p->sources[i], token_store_tokenizer(args->phases[0].sources[0].store)));
    return ST_OK;
}

/* Tokens of a phase but the last one, filling counted; UINT64_MAX: as many or more. */
static uint64_t phase_tokens(const struct sampling_phase *p)
{
    uint64_t tokens;

    return __builtin_mul_overflow(p[1].step - p->step, p->rows * p->length, &tokens) ? UINT64_MAX
                                                                                     : tokens;
}

static enum status check_phases(const struct sampling_args *args)
{
    uint64_t tokens, left = SAMPLING_TOKENS_MOST;

    for (size_t i = 0; i < args->phase_count; i++) {
        TRY(check_phase(args, i));
        if (i == 0)
            continue;
        tokens = phase_tokens(&args->phases[i - 1]);
        if (tokens >= left)
            return fail(ST_CONFIG, "phase %zu begins at step %llu, which is past 2^60 tokens", i,
                        (unsigned long long)args->phases[i].step);
        left -= tokens;
    }
    return ST_OK;
}

static enum status check(const struct sampling_args *args)
{
    if (args->packing < 0 || args->packing >= PACKINGS)
        return fail(ST_CONFIG, "packing %d, want one below %d", (int)args->packing, PACKINGS);
    if (args->packing == PACK_BEST_FIT && (args->window < 1 || args->window > 65536))
        return fail(ST_CONFIG, "a window of %llu documents, want 1 to 65,536",
                    (unsigned long long)args->window);
    if (args->phase_count < 1)
        return fail(ST_CONFIG, "no phase, want at least one");
    return check_phases(args);
}

/* ---- sources ---- */

/* The number of the store's source, made if it is new. */
static size_t source_number(struct sampling *s, const struct sampling_source *source)
{
    const char *digest = token_store_digest(source->store);
    size_t i = 0;

    while (i < s->source_count &&
           strcmp(token_store_digest(s->sources[i].order.store), digest) != 0)
        i++;
    if (i == s->source_count) {
        s->sources = mem_grow(s->sources, ++s->source_count, sizeof *s->sources);
        sample_order_init(&s->sources[i].order, source->store, s->seed);
        s->sources[i].name = arena_strdup(&s->arena, source->name);
    }
    return i;
}

static enum status number_sources(struct sampling *s, const struct sampling_phase *from,
                                  struct sample_phase *p)
{
    for (size_t i = 0; i < p->run_count; i++) {
        p->runs[i].source = source_number(s, &from->sources[i]);
        for (size_t k = 0; k < i; k++)
            if (p->runs[k].source == p->runs[i].source)
                return fail(ST_CONFIG, "'%s' and '%s' are the same store; name it once",
                            from->sources[k].name, from->sources[i].name);
    }
    return ST_OK;
}

static enum status set_weights(const struct sampling_phase *from, struct sample_phase *p)
{
    double real[SAMPLING_SOURCES_MOST];
    uint64_t whole[SAMPLING_SOURCES_MOST];
    size_t which;

    for (size_t i = 0; i < p->run_count; i++)
        real[i] = from->sources[i].weight;
    if (!sample_blend_weights(real, p->run_count, whole, &which))
        return fail(ST_CONFIG,
                    "'%s' has the weight %g, too little beside the largest (a 10^12th at least)",
                    from->sources[which].name, real[which]);
    for (size_t i = 0; i < p->run_count; i++)
        p->runs[i].weight = whole[i];
    return ST_OK;
}

/* ---- how long a run lasts ---- */

/* n * epochs, rounded down; UINT64_MAX without a cap. */
static uint64_t cap_of(double epochs, uint64_t n)
{
    double cap = epochs * (double)n;

    return epochs == 0 || cap >= 0x1p60 ? UINT64_MAX : (uint64_t)cap;
}

/* Of windows with an end: what the whole epochs before it need if nothing is filled, without
 * packing them. */
static uint64_t rows_at_least(const struct sample_windows *w)
{
    uint64_t epochs = w->end / w->order->documents,
             begun = w->start->document / w->order->documents;

    return epochs > begun + 1 ? (epochs - begun - 1) * (w->order->tokens / w->pack.length) : 0;
}

/* most: rows of the phase. */
static void begin_run(struct sampling *s, const struct sample_phase *p, struct sample_run *r,
                      double epochs, uint64_t most)
{
    struct sample_order *order = &s->sources[r->source].order;

    r->start = &p->places[r->source];
    if (s->packing == PACK_CONCAT) {
        sample_shuffle_init(&r->shuffle,
                            &(struct sample_shuffle_args){ .order = order,
                                                           .start = r->start,
                                                           .length = p->length,
                                                           .cap = cap_of(epochs, order->tokens) });
        r->limit = r->shuffle.limit;
        return;
    }
    sample_windows_init(&r->windows,
                        &(struct sample_windows_args){ .order = order,
                                                       .start = r->start,
                                                       .length = p->length,
                                                       .window = s->window,
                                                       .end = cap_of(epochs, order->documents) });
    r->limit = UINT64_MAX;
    if (r->windows.end != UINT64_MAX && rows_at_least(&r->windows) < most)
        r->limit = sample_windows_rows(&r->windows, most);
}

/* ---- segments ---- */

static void segment_release(struct sample_segment *g)
{
    free(g->runs);
    free(g->before);
    sample_blend_release(&g->blend);
}

static struct sample_segment *add_segment(struct sample_phase *p, uint64_t first, size_t count)
{
    struct sample_segment *g;

    p->segments = mem_grow(p->segments, p->segment_count + 1, sizeof *p->segments);
    g = &p->segments[p->segment_count++];
    *g = (struct sample_segment){ .first = first,
                                  .count = count,
                                  .runs = mem_array(count, sizeof *g->runs),
                                  .before = mem_array(count, sizeof *g->before) };
    return g;
}

static void blend_segment(const struct sample_phase *p, struct sample_segment *g)
{
    uint64_t weights[SAMPLING_SOURCES_MOST];

    for (size_t i = 0; i < g->count; i++)
        weights[i] = p->runs[g->runs[i]].weight;
    sample_blend_init(&g->blend, weights, g->count);
}

/* The first row of the segment that its run no longer has; UINT64_MAX: none. *who: that run's
 * place in it. */
static uint64_t segment_rows(const struct sample_phase *p, const struct sample_segment *g,
                             size_t *who)
{
    uint64_t rows = UINT64_MAX;

    for (size_t i = 0; i < g->count; i++) {
        uint64_t limit = p->runs[g->runs[i]].limit, row;

        if (limit == UINT64_MAX)
            continue;
        row = sample_blend_row(&g->blend, i, limit - g->before[i]);
        if (row < rows) {
            rows = row;
            *who = i;
        }
    }
    return rows;
}

/* Makes the segments of a phase that has at most so many rows. */
static void deal(struct sample_phase *p, uint64_t most)
{
    struct sample_segment *g = add_segment(p, 0, p->run_count);

    for (size_t i = 0; i < p->run_count; i++)
        g->runs[i] = i;
    p->end = UINT64_MAX;
    for (;;) {
        struct sample_segment *next;
        uint64_t rows;
        size_t who = 0, n = 0, last = p->segment_count - 1;

        blend_segment(p, g);
        rows = segment_rows(p, g, &who);
        if (rows == UINT64_MAX || rows >= most - g->first)
            return;
        if (g->count == 1) {
            p->end = g->first + rows;
            return;
        }
        next = add_segment(p, g->first + rows, g->count - 1);
        g = &p->segments[last];
        for (size_t i = 0; i < g->count; i++)
            if (i != who) {
                next->runs[n] = g->runs[i];
                next->before[n++] = g->before[i] + sample_blend_count(&g->blend, i, rows);
            }
        g = next;
    }
}

static const struct sample_segment *segment_of(const struct sample_phase *p, uint64_t row)
{
    size_t low = 0, high = p->segment_count;

    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;

        if (p->segments[mid].first <= row)
            low = mid;
        else
            high = mid;
    }
    return &p->segments[low];
}

struct sample_run *sampling_run_of(const struct sample_phase *p, uint64_t row, uint64_t *number)
{
    const struct sample_segment *g = segment_of(p, row);
    size_t i = sample_blend_find(&g->blend, row - g->first, number);

    *number += g->before[i];
    return &p->runs[g->runs[i]];
}

/* ---- places ---- */

/* How many of the first `rows` rows of the phase each run has: into counts[run_count]. */
static void count_rows(const struct sample_phase *p, uint64_t rows, uint64_t *counts)
{
    for (size_t k = 0; k < p->segment_count && p->segments[k].first <= rows; k++) {
        const struct sample_segment *g = &p->segments[k];
        uint64_t end = rows;

        if (k + 1 < p->segment_count && p->segments[k + 1].first < rows)
            end = p->segments[k + 1].first;
        for (size_t i = 0; i < g->count; i++)
            counts[g->runs[i]] = g->before[i] + sample_blend_count(&g->blend, i, end - g->first);
    }
}

struct sample_place *sampling_places(const struct sampling *s, const struct sample_phase *p,
                                     uint64_t rows)
{
    struct sample_place *places = mem_array(s->source_count, sizeof *places);
    uint64_t counts[SAMPLING_SOURCES_MOST] = { 0 };

    count_rows(p, rows, counts);
    for (size_t i = 0; i < s->source_count; i++)
        sample_place_copy(&p->places[i], &places[i]);
    for (size_t i = 0; i < p->run_count; i++) {
        struct sample_run *r = &p->runs[i];

        free(places[r->source].rest);
        if (s->packing == PACK_CONCAT)
            sample_shuffle_place(&r->shuffle, counts[i], &places[r->source]);
        else
            sample_windows_place(&r->windows, counts[i], &places[r->source]);
    }
    return places;
}

void sampling_places_free(struct sample_place *places, size_t count)
{
    for (size_t i = 0; places && i < count; i++)
        free(places[i].rest);
    free(places);
}

/* ---- opening ---- */

/* UINT64_MAX: any number of them. */
static uint64_t phase_rows(const struct sampling_args *args, size_t number)
{
    const struct sampling_phase *p = &args->phases[number];
    uint64_t end = args->steps > 0 ? args->steps : UINT64_MAX, rows;

    if (number + 1 < args->phase_count && p[1].step < end)
        end = p[1].step;
    if (end == UINT64_MAX || __builtin_mul_overflow(end - p->step, p->rows, &rows))
        return UINT64_MAX;
    return rows;
}

/* *over: no later phase is reached. */
static enum status open_phase(struct sampling *s, const struct sampling_args *args, size_t number,
                              bool *over)
{
    const struct sampling_phase *from = &args->phases[number];
    struct sample_phase *p = &s->phases[number];
    uint64_t rows = phase_rows(args, number);

    if (number == 0)
        p->places = mem_array(s->source_count, sizeof *p->places);
    else
        p->places = sampling_places(s, p - 1, phase_rows(args, number - 1));
    for (size_t i = 0; i < p->run_count; i++)
        begin_run(s, p, &p->runs[i], from->sources[i].epochs, rows);
    deal(p, rows);
    s->phase_count = number + 1;
    s->steps = p->end == UINT64_MAX ? UINT64_MAX : p->step + p->end / p->rows;
    if (args->steps > 0 && args->steps < s->steps)
        s->steps = args->steps;
    *over = number + 1 < args->phase_count && s->steps <= args->phases[number + 1].step;
    return ST_OK;
}

static enum status open_phases(struct sampling *s, const struct sampling_args *args)
{
    bool over = false;

    s->phases = mem_array(args->phase_count, sizeof *s->phases);
    for (size_t i = 0; i < args->phase_count; i++) {
        const struct sampling_phase *from = &args->phases[i];
        struct sample_phase *p = &s->phases[i];

        *p = (struct sample_phase){ .step = from->step,
                                    .length = from->length,
                                    .rows = from->rows,
                                    .before = i == 0 ? 0 : p[-1].before + phase_tokens(from - 1),
                                    .runs = mem_array(from->source_count, sizeof *p->runs),
                                    .run_count = from->source_count };
        s->phases_made = i + 1;
        TRY(number_sources(s, from, p));
        TRY(set_weights(from, p));
    }
    for (size_t i = 0; i < args->phase_count && !over; i++)
        TRY(open_phase(s, args, i, &over));
    return ST_OK;
}

enum status sampling_open(const struct sampling_args *args, struct sampling **out)
{
    struct sampling *s;
    enum status st;

    TRY(check(args));
    s = mem_alloc(sizeof *s);
    s->seed = args->seed;
    s->packing = args->packing;
    s->window = args->window;
    s->apart = args->apart;
    st = open_phases(s, args);
    if (st != ST_OK) {
        sampling_close(s);
        return st;
    }
    *out = s;
    return ST_OK;
}

static void phase_release(const struct sampling *s, struct sample_phase *p)
{
    for (size_t i = 0; i < p->run_count; i++) {
        sample_windows_release(&p->runs[i].windows);
        sample_shuffle_release(&p->runs[i].shuffle);
    }
    for (size_t i = 0; i < p->segment_count; i++)
        segment_release(&p->segments[i]);
    sampling_places_free(p->places, s->source_count);
    free(p->segments);
    free(p->runs);
}

void sampling_close(struct sampling *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->phases_made; i++)
        phase_release(s, &s->phases[i]);
    for (size_t i = 0; i < s->source_count; i++)
        sample_order_release(&s->sources[i].order);
    sampling_places_free(s->seen.places, s->source_count);
    free(s->seen.borders);
    free(s->pieces);
    free(s->phases);
    free(s->sources);
    arena_release(&s->arena);
    free(s);
}

/* ---- steps ---- */

const struct sample_phase *sampling_phase_of(const struct sampling *s, uint64_t step)
{
    size_t i = s->phase_count - 1;

    while (s->phases[i].step > step)
        i--;
    return &s->phases[i];
}

uint64_t sampling_steps(const struct sampling *s) { return s->steps; }

uint64_t sampling_length(const struct sampling *s, uint64_t step)
{
    return sampling_phase_of(s, step)->length;
}

uint64_t sampling_rows(const struct sampling *s, uint64_t step)
{
    return sampling_phase_of(s, step)->rows;
}
