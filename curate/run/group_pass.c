/* One group through the steps of one pass: a feed, workers, and a sink, in the order of the documents. A document is in
 * memory only while it passes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/bench.h"
#include "base/file.h"
#include "base/progress.h"
#include "base/stop.h"
#include "curate/run/curate_work.h"
#include "curate/run/group_stretch.h"
#include "curate/run/key_merge.h"

#define BATCH_DOCS 64
#define BATCH_BYTES ((size_t)1 << 20)
#define BATCH_SHARE 16               /* and no more than such a share of a stretch, which ends with a batch */
#define NUMBER_BITS 40               /* of a document's number, for its place in its group */

/* What the documents of a batch did at one step of the pass. */
struct tally {
    uint64_t documents_in, bytes_in, documents_out, bytes_out, counts[STEP_COUNTERS];
    double seconds;
};

struct batch {
    struct doc *docs[BATCH_DOCS];
    size_t read_bytes[BATCH_DOCS];     /* of each, as it came */
    size_t count;
    uint64_t done;                     /* how far the group's reading was behind it */
    uint64_t taken;                    /* documents of the input up to its end */
    struct source_stats stats;         /* what the reader had told there */
    struct tally *tallies;             /* of each step of the pass */
    struct report_notes notes;         /* what rules measured */
};

struct pass {
    struct curate_work *work;
    struct lane_tools *tools;
    const struct phase *phase;
    size_t group;
    size_t batch_bytes;
    uint64_t taken;                    /* documents of the input: from the reader, or numbers in the spool */
    size_t at, end;                    /* documents of the spool */
    struct key_merge *merge;           /* where they come by keys */
    uint64_t text;                     /* bytes taken from the spool */
    bool ended;                        /* the feed is not asked again */
    uint64_t told;                     /* to the progress */
    struct stretches stretches;
    struct report *shape;              /* the steps' reasons, for workers; nothing is added */
};

static void free_batch(void *ctx, void *item)
{
    struct batch *b = item;

    (void)ctx;
    for (size_t i = 0; i < b->count; i++)
        doc_free(b->docs[i]);
    report_notes_release(&b->notes);
    free(b->tallies);
    free(b);
}

/* ---- the feed ---- */

static enum status next_read(struct pass *p, struct doc **out)
{
    struct raw_document *raw = NULL;

    TRY(p->work->args->input->next(p->tools->reader, &raw));
    if (raw == NULL)
        return ST_OK;
    *out = doc_of_raw(raw, (uint64_t)p->group << NUMBER_BITS | p->taken++);
    return ST_OK;
}

static bool next_number(struct pass *p, size_t *number)
{
    bool got = p->merge ? key_merge_next(p->merge, number) : p->at < p->end;

    if (got && p->merge == NULL)
        *number = p->at++;
    p->taken += got;
    return got;
}

/* A document of the spool; NULL: it was dropped, and nobody wants to see it. */
static struct doc *spooled(const struct pass *p, size_t number)
{
    const struct curate_work *w = p->work;
    const struct verdict_drop *drop;
    struct doc *d;

    if (!spool_alive(w->spool, number) && !w->args->keep_dropped)
        return NULL;
    d = spool_doc(w->spool, number);
    drop = d->dropped ? NULL : verdict_find(&w->verdict, number);
    if (drop != NULL) {
        doc_drop(d, phases_reason_at(&w->phases, drop->step, drop->reason), drop->value, drop->threshold);
        d->dropped_by = drop->step;
        mark_dropped(d, w->args->chain);
    }
    return d;
}

static enum status next_doc(struct pass *p, struct doc **out)
{
    size_t number;

    *out = NULL;
    if (p->phase->from == PHASE_SOURCES)
        return next_read(p, out);
    while (*out == NULL && next_number(p, &number))
        *out = spooled(p, number);
    if (*out != NULL)
        p->text += (*out)->text.n;
    return ST_OK;
}

static bool reads_sources(const struct pass *p) { return p->phase->from == PHASE_SOURCES; }

/* Where the input is behind a batch. */
static void note_place(const struct pass *p, struct batch *b)
{
    const struct curate_input *input = p->work->args->input;

    b->taken = p->taken;
    b->done = reads_sources(p) ? input->bytes_read(p->tools->reader) : p->text;
    if (reads_sources(p))
        b->stats = *input->stats(p->tools->reader);
}

static enum status ask_whether_to_go_on(const struct pass *p)
{
    return stop_requested() || p->work->over ? fail(ST_INTERRUPTED, "stopped before the corpus was complete") : ST_OK;
}

static enum status produce(void *ctx, void **item)
{
    struct pass *p = ctx;
    struct batch *b = mem_alloc(sizeof *b);
    size_t bytes = 0;
    enum status st = ST_OK;

    b->tallies = mem_array(p->phase->last - p->phase->first + 1, sizeof *b->tallies);
    while (st == ST_OK && !p->ended && b->count < BATCH_DOCS && bytes < p->batch_bytes) {
        struct doc *d = NULL;

        st = ask_whether_to_go_on(p);
        if (st == ST_OK)
            st = next_doc(p, &d);
        p->ended = d == NULL;
        if (st != ST_OK || d == NULL)
            break;
        b->read_bytes[b->count] = d->text.n;
        b->docs[b->count++] = d;
        bytes += d->text.n;
    }
    note_place(p, b);
    if (st == ST_OK && b->count > 0)
        *item = b;
    else
        free_batch(p, b);
    return st;
}

/* ---- the steps ---- */

static enum status run_step(const struct chain *chain, size_t index, struct doc *d,
                            struct step_work *w, struct tally *t)
{
    double start = bench_thread_now();

    t->documents_in++;
    t->bytes_in += d->text.n;
    TRY(chain_each(chain, index, d, w));
    for (int i = 0; i < STEP_COUNTERS; i++)
        t->counts[i] += w->counts[i];
    if (d->dropped == NULL) {
        t->documents_out++;
        t->bytes_out += d->text.n;
    }
    t->seconds += bench_thread_now() - start;
    return ST_OK;
}

/* The shortest decimal form that reads back as v. */
static void add_number(struct buf *out, double v)
{
    char text[40] = "null";

    for (int digits = 15; isfinite(v) && digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    buf_adds(out, text);
}

/* "filter gopher@datatrove" or, where the chain has it twice, "filter gopher@datatrove 2". */
static void add_step_name(struct buf *out, const struct chain *chain, size_t index)
{
    struct buf name = { 0 };
    int times = 1;

    for (size_t i = 0; i < index; i++)
        times += strcmp(chain->steps[i].label, chain->steps[index].label) == 0;
    buf_adds(&name, chain->steps[index].label);
    if (times > 1)
        buf_printf(&name, " %d", times);
    json_quote(out, name.p, name.n);
    buf_release(&name);
}

/* A rule that measures several times (a list of n-grams) tells its last value. */
static bool is_told_again(const struct trace *t, size_t i)
{
    for (size_t k = i + 1; k < t->count; k++)
        if (strcmp(t->values[k].rule->key, t->values[i].rule->key) == 0)
            return true;
    return false;
}

static void add_scores(struct doc *d, const struct chain *chain, size_t index, const struct trace *t)
{
    const char *between = "";

    if (t->count == 0)
        return;
    if (d->scores.n > 0)
        buf_addc(&d->scores, ',');
    add_step_name(&d->scores, chain, index);
    buf_adds(&d->scores, ":{");
    for (size_t i = 0; i < t->count; i++) {
        if (is_told_again(t, i))
            continue;
        buf_adds(&d->scores, between);
        json_quote(&d->scores, t->values[i].rule->key, strlen(t->values[i].rule->key));
        buf_addc(&d->scores, ':');
        add_number(&d->scores, t->values[i].value);
        between = ",";
    }
    buf_addc(&d->scores, '}');
}

void mark_dropped(struct doc *d, const struct chain *chain)
{
    struct buf *out = &d->scores;

    if (out->n > 0)
        buf_addc(out, ',');
    buf_adds(out, "\"dropped\":{\"step\":");
    add_step_name(out, chain, d->dropped_by);
    buf_adds(out, ",\"reason\":");
    json_quote(out, d->dropped->key, strlen(d->dropped->key));
    buf_adds(out, ",\"value\":");
    add_number(out, d->value);
    buf_adds(out, ",\"threshold\":");
    add_number(out, d->threshold);
    buf_addc(out, '}');
    d->part = PART_DROPPED;
}

static enum status pass_doc(struct pass *p, struct batch *b, struct doc *d, struct step_work *w)
{
    const struct curate_args *args = p->work->args;

    if (d->dropped)
        return ST_OK;                /* it comes from the spool, for those who want to see it */
    for (size_t s = p->phase->first; s < p->phase->last && d->dropped == NULL; s++) {
        TRY(run_step(args->chain, s, d, w, &b->tallies[s - p->phase->first]));
        report_note_trace(&b->notes, p->shape, s, &w->trace);
        if (args->scores)
            add_scores(d, args->chain, s, &w->trace);
    }
    if (d->dropped && args->keep_dropped)
        mark_dropped(d, args->chain);
    return ST_OK;
}

static enum status work(void *ctx, void *item, int worker)
{
    struct pass *p = ctx;
    struct batch *b = item;
    struct step_work *w = &p->tools->works[worker];

    w->trace.full = p->work->args->scores;
    for (size_t i = 0; i < b->count; i++)
        TRY(pass_doc(p, b, b->docs[i], w));
    return ST_OK;
}

/* ---- the end of a pass ---- */

/* Was it dropped in this pass? */
static bool is_new_drop(const struct pass *p, const struct doc *d)
{
    return d->dropped && d->dropped_by >= p->phase->first && d->dropped_by < p->phase->last;
}

static enum status settle_doc(struct pass *p, struct doc *d)
{
    bool renamed;

    if (is_new_drop(p, d))
        report_add_dropped(p->stretches.report, d);
    if (d->dropped && !p->work->args->keep_dropped)
        return ST_OK;
    TRY(group_sink_add(p->stretches.sink, d, &renamed));
    if (p->phase->final && d->dropped == NULL)
        report_add_kept(p->stretches.report, d, renamed);
    return ST_OK;
}

static void add_tallies(struct pass *p, const struct batch *b)
{
    for (size_t s = p->phase->first; s < p->phase->last; s++) {
        struct report_step *to = &p->stretches.report->steps[s];
        const struct tally *t = &b->tallies[s - p->phase->first];

        to->documents_in += t->documents_in;
        to->bytes_in += t->bytes_in;
        to->documents_out += t->documents_out;
        to->bytes_out += t->bytes_out;
        to->seconds += t->seconds;
        for (int i = 0; i < STEP_COUNTERS; i++)
            to->counts[i] += t->counts[i];
    }
}

static void add_order(struct pass *p, const struct doc *d)
{
    struct report_step *to = &p->stretches.report->steps[p->phase->order];

    if (d->dropped)
        return;
    to->documents_in++;
    to->documents_out++;
    to->bytes_in += d->text.n;
    to->bytes_out += d->text.n;
}

static enum status settle_batch(struct pass *p, struct batch *b)
{
    add_tallies(p, b);
    report_add_notes(p->stretches.report, &b->notes);
    for (size_t i = 0; i < b->count; i++) {
        if (reads_sources(p))
            report_add_read(p->stretches.report, b->docs[i], b->read_bytes[i]);
        if (p->phase->order != SIZE_MAX)
            add_order(p, b->docs[i]);
        TRY(settle_doc(p, b->docs[i]));
    }
    return ST_OK;
}

/* A stretch that is full ends here, and the next one begins. */
static enum status end_full(struct pass *p, const struct batch *b)
{
    const struct stretch_end end = { .taken = b->taken, .stats = reads_sources(p) ? &b->stats : NULL };

    if (!stretch_is_full(&p->stretches))
        return ST_OK;
    TRY(stretch_finish(&p->stretches, &end));
    return stretch_begin(&p->stretches);
}

static enum status consume(void *ctx, void *item)
{
    struct pass *p = ctx;
    struct batch *b = item;
    enum status st = settle_batch(p, b);

    if (st == ST_OK)
        st = end_full(p, b);
    if (b->done > p->told) {
        progress_add(b->done - p->told);
        p->told = b->done;
    }
    free_batch(p, b);
    return st;
}

/* ---- a group ---- */

static enum status begin(struct pass *p)
{
    const struct curate_work *w = p->work;

    if (reads_sources(p))
        return w->args->input->begin(p->tools->reader, p->group);
    if (p->phase->from == PHASE_RANGES) {
        p->merge = key_merge_new(w->spool, p->group, w->groups);
        return ST_OK;
    }
    p->at = spool_first_of(w->spool, p->group);
    p->end = spool_first_of(w->spool, p->group + 1);
    return ST_OK;
}

/* One document of the input that is in a stretch already; false: there is none. */
static enum status pass_over_one(struct pass *p, bool *got)
{
    struct raw_document *raw = NULL;
    size_t number;

    TRY(ask_whether_to_go_on(p));
    *got = true;
    if (!reads_sources(p)) {
        *got = next_number(p, &number);
        return ST_OK;
    }
    TRY(p->work->args->input->next(p->tools->reader, &raw));
    *got = raw != NULL;
    if (raw)
        raw_document_free(raw);
    p->taken += *got;
    return ST_OK;
}

/* Up to where an earlier run's stretches end. */
static enum status pass_over(struct pass *p)
{
    while (p->taken < p->stretches.taken) {
        bool got;

        TRY(pass_over_one(p, &got));
        if (!got)
            return fail(ST_INTEGRITY, "the input of '%s' ends after %llu documents, and an earlier run took %llu of it: it is "
                                      "not what it was", p->stretches.group, (unsigned long long)p->taken,
                        (unsigned long long)p->stretches.taken);
    }
    if (reads_sources(p) && p->taken > 0)
        p->stretches.before = *p->work->args->input->stats(p->tools->reader);
    return ST_OK;
}

static enum status run_group(struct pass *p)
{
    struct pool_stream stream = {
        .produce = produce, .work = work, .consume = consume, .discard = free_batch, .ctx = p,
    };
    struct stretch_end end = { .last = true };

    TRY(begin(p));
    TRY(pass_over(p));
    TRY(stretch_begin(&p->stretches));
    TRY(pool_ordered(p->tools->pool, &stream));
    end.taken = p->taken;
    if (reads_sources(p))
        end.stats = p->work->args->input->stats(p->tools->reader);
    return stretch_finish(&p->stretches, &end);
}

static size_t batch_bytes(const struct pass *p)
{
    const struct curate_args *args = p->work->args;
    uint64_t share = (p->phase->final ? args->shard_bytes : args->spool_bytes) / BATCH_SHARE;

    return share < BATCH_BYTES ? (size_t)share + 1 : BATCH_BYTES;
}

enum status group_pass(struct curate_work *w, struct lane_tools *tools, size_t group)
{
    struct pass p = { .work = w, .tools = tools, .phase = &w->phases.v[w->phase], .group = group,
                      .shape = report_new(w->args->chain, w->args->samples) };
    enum status st = stretches_open(w, group, &p.stretches);

    p.batch_bytes = batch_bytes(&p);
    if (st == ST_OK && !p.stretches.complete)
        st = run_group(&p);
    if (st == ST_OK)
        st = stretches_commit(&p.stretches);
    stretches_close(&p.stretches);
    key_merge_free(p.merge);
    report_free(p.shape);
    return st;
}
