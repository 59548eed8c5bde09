#include "curate/run/curate_run.h"

#include <time.h>

#include "base/arena.h"
#include "base/bench.h"
#include "base/progress.h"
#include "base/stop.h"
#include "curate/run/corpus.h"
#include "curate/run/id_set.h"

#define BATCH_DOCS 64
#define BATCH_BYTES ((size_t)1 << 20)

struct run {
    const struct curate_args *args;
    struct pool *pool;
    struct report *report;
    struct step_work *works;           /* one a worker */
    uint64_t read;                     /* documents taken from the feed */
    struct document_writer *writer;
    struct id_set ids;
    struct buf line;                   /* metadata of the document being written */
};

/* ---- a pass ---- */

/* What the documents of a batch did at one step of the pass. */
struct tally {
    uint64_t documents_in, bytes_in, documents_out, bytes_out, counts[STEP_COUNTERS];
    double seconds;
};

struct batch {
    struct doc *docs[BATCH_DOCS];
    size_t count;
    struct tally *tallies;             /* of each step of the pass */
    struct report_notes notes;         /* what rules measured */
};

struct pass {
    struct run *run;
    size_t first, last;                /* steps of the chain, [first, last) */
    struct spool *from;                /* NULL: the feed */
    size_t at;                         /* in from */
    bool ended;                        /* the feed is not asked again */
    struct spool *to;                  /* NULL: the corpus */
};

static void free_batch(void *ctx, void *item)
{
    struct batch *b = item;

    for (size_t i = 0; i < b->count; i++)
        doc_free(b->docs[i]);
    free(b->tallies);
    report_notes_release(&b->notes);
    free(b);
}

static enum status next_doc(struct pass *p, struct doc **out)
{
    struct raw_document *raw = NULL;

    *out = NULL;
    if (p->from == NULL) {
        TRY(p->run->args->feed.next(p->run->args->feed.ctx, &raw));
        if (raw != NULL) {
            *out = doc_of_raw(raw, p->run->read++);
            report_add_read(p->run->report, *out);
        }
        return ST_OK;
    }
    while (p->at < spool_count(p->from) && !spool_alive(p->from, p->at))
        p->at++;
    if (p->at < spool_count(p->from))
        *out = spool_doc(p->from, p->at++);
    return ST_OK;
}

static enum status produce(void *ctx, void **item)
{
    struct pass *p = ctx;
    struct batch *b = mem_alloc(sizeof *b);
    size_t bytes = 0;
    enum status st = ST_OK;

    b->tallies = mem_array(p->last - p->first + 1, sizeof *b->tallies);
    while (st == ST_OK && !p->ended && b->count < BATCH_DOCS && bytes < BATCH_BYTES) {
        struct doc *d = NULL;

        if (stop_requested())
            st = fail(ST_INTERRUPTED, "stopped before the corpus was complete; nothing was "
                                      "written, the same command begins anew");
        else
            st = next_doc(p, &d);
        p->ended = d == NULL;
        if (st != ST_OK || d == NULL)
            break;
        b->docs[b->count++] = d;
        bytes += d->text.n;
    }
    if (st == ST_OK && b->count > 0)
        *item = b;
    else
        free_batch(p, b);
    return st;
}

/* Seconds of this thread on a processor: what other programs do to the
 * machine is not the step's. */
static double cpu_now(void)
{
    struct timespec t;

    BUG_IF(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) != 0);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static enum status run_step(const struct chain *chain, size_t index, struct doc *d,
                            struct step_work *w, struct tally *t)
{
    double start = cpu_now();

    t->documents_in++;
    t->bytes_in += d->text.n;
    TRY(chain_each(chain, index, d, w));
    for (int i = 0; i < STEP_COUNTERS; i++)
        t->counts[i] += w->counts[i];
    if (d->dropped == NULL) {
        t->documents_out++;
        t->bytes_out += d->text.n;
    }
    t->seconds += cpu_now() - start;
    return ST_OK;
}

static enum status work(void *ctx, void *item, int worker)
{
    struct pass *p = ctx;
    struct batch *b = item;

    for (size_t i = 0; i < b->count; i++) {
        struct doc *d = b->docs[i];

        for (size_t s = p->first; s < p->last && d->dropped == NULL; s++) {
            struct step_work *w = &p->run->works[worker];

            TRY(run_step(p->run->args->chain, s, d, w, &b->tallies[s - p->first]));
            report_note_trace(&b->notes, p->run->report, s, &w->trace);
        }
    }
    return ST_OK;
}

/* ---- the end of a pass ---- */

static enum status write_doc(struct run *r, struct doc *d)
{
    struct document line;
    bool renamed;
    char bound[24];

    if (id_set_memory(&r->ids) > r->args->memory)
        return fail(ST_LIMIT, "the ids of the corpus take more than memory %s allows; want more "
                              "--memory, or fewer documents in one run",
                    str_bytes(r->args->memory, bound));
    renamed = id_set_claim(&r->ids, &d->id);
    report_add_kept(r->report, d, renamed);
    line = doc_print(d, &r->line);
    return document_writer_add(r->writer, &line);
}

static enum status settle_doc(struct pass *p, struct doc *d)
{
    if (d->dropped) {
        report_add_dropped(p->run->report, d);
        return ST_OK;
    }
    return p->to ? spool_add(p->to, d) : write_doc(p->run, d);
}

static void add_tallies(struct pass *p, const struct batch *b)
{
    for (size_t s = p->first; s < p->last; s++) {
        struct report_step *to = &p->run->report->steps[s];
        const struct tally *t = &b->tallies[s - p->first];

        to->documents_in += t->documents_in;
        to->bytes_in += t->bytes_in;
        to->documents_out += t->documents_out;
        to->bytes_out += t->bytes_out;
        to->seconds += t->seconds;
        for (int i = 0; i < STEP_COUNTERS; i++)
            to->counts[i] += t->counts[i];
    }
}

static enum status consume(void *ctx, void *item)
{
    struct pass *p = ctx;
    struct batch *b = item;
    enum status st = ST_OK;

    add_tallies(p, b);
    report_add_notes(p->run->report, &b->notes);
    for (size_t i = 0; st == ST_OK && i < b->count; i++)
        st = settle_doc(p, b->docs[i]);
    progress_add(b->count);
    free_batch(p, b);
    return st;
}

static enum status run_pass(struct pass *p)
{
    struct pool_stream stream = {
        .produce = produce, .work = work, .consume = consume, .discard = free_batch, .ctx = p,
    };
    enum status st;

    progress_start(p->from == NULL ? "reading" : p->to ? "filtering" : "writing", "docs",
                   p->from ? spool_alive_count(p->from) : 0);
    st = pool_ordered(p->run->pool, &stream);
    progress_end();
    if (st == ST_OK && p->to)
        st = spool_seal(p->to);
    return st;
}

/* ---- steps over all documents ---- */

static enum status run_corpus_step(struct run *r, size_t index, struct spool *spool)
{
    const struct step *step = &r->args->chain->steps[index];
    struct report_step *report = &r->report->steps[index];
    struct corpus c = {
        .spool = spool, .pool = r->pool, .seed = r->args->seed, .label = step->label,
        .report = report,
        .memory = r->args->memory, .taken = spool_memory(spool),
    };
    double start = bench_now();
    enum status st;

    report->documents_in = spool_alive_count(spool);
    report->bytes_in = spool_alive_bytes(spool);
    progress_start(step->label, "docs", 0);
    st = step->kind->all(step->cfg, &c);
    progress_end();
    TRY(st);
    memcpy(report->counts, c.counts, sizeof c.counts);
    report->documents_out = spool_alive_count(spool);
    report->bytes_out = spool_alive_bytes(spool);
    report->seconds = bench_now() - start;
    return ST_OK;
}

/* ---- the chain ---- */

static enum status run_chain(struct run *r, struct spool **spool)
{
    const struct chain *chain = r->args->chain;

    for (size_t first = 0;; first++) {
        struct pass p = { .run = r, .first = first, .last = first, .from = *spool };
        bool final;

        while (p.last < chain->count && chain->steps[p.last].kind->each)
            p.last++;
        final = p.last == chain->count;
        if (!final && (p.from == NULL || p.last > first))
            TRY(spool_new(r->args->folder, &p.to));
        if (final || p.to) {
            enum status st = run_pass(&p);

            spool_free(*spool);
            *spool = p.to;
            TRY(st);
        }
        if (final)
            return ST_OK;
        TRY(run_corpus_step(r, p.last, *spool));
        first = p.last;
    }
}

static enum status run_all(struct run *r)
{
    struct spool *spool = NULL;
    enum status st;

    TRY(document_writer_open(r->args->folder, r->args->shard_bytes, &r->writer));
    st = run_chain(r, &spool);
    spool_free(spool);
    if (st == ST_OK && r->report->out.documents == 0)
        st = report_nothing_left(r->report, r->args->stats);
    if (st != ST_OK) {
        document_writer_abort(r->writer);
        return st;
    }
    TRY(document_writer_close(r->writer));
    return report_write(r->report, r->args->stats, r->args->folder);
}

enum status curate_run(const struct curate_args *args, struct report **out)
{
    struct run r = { .args = args };
    enum status st;
    int threads;

    r.pool = pool_new(args->threads);
    threads = pool_threads(r.pool);
    r.works = mem_array((size_t)threads, sizeof *r.works);
    *out = r.report = report_new(args->chain, args->samples);
    st = chain_load(args->chain);
    if (st == ST_OK) {
        st = run_all(&r);
        for (int i = 0; i < threads; i++)
            step_work_release(args->chain, &r.works[i]);
        chain_unload(args->chain);
    }
    free(r.works);
    id_set_release(&r.ids);
    buf_release(&r.line);
    pool_free(r.pool);
    return st;
}
