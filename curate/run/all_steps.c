/* Steps over all documents, one after the other, by all threads of one rank. */
#include "base/bench.h"
#include "base/progress.h"
#include "curate/run/corpus.h"
#include "curate/run/curate_work.h"

static enum status run_step(struct curate_work *w, const struct corpus *all, size_t index, struct report_step *report)
{
    const struct step *step = &all->phases->chain->steps[index];
    struct corpus c = *all;
    double start = bench_now();
    enum status st;

    c.label = step->label;
    c.step = index;
    c.report = report;
    c.taken = spool_memory(w->spool);
    report->documents_in = spool_alive_count(w->spool);
    report->bytes_in = spool_alive_bytes(w->spool);
    progress_start(step->label, "docs", report->documents_in);
    st = step->kind->all(step->cfg, &c);
    progress_end();
    TRY(st);
    memcpy(report->counts, c.counts, sizeof c.counts);
    report->documents_out = spool_alive_count(w->spool);
    report->bytes_out = spool_alive_bytes(w->spool);
    report->seconds = bench_now() - start;
    return ST_OK;
}

enum status all_steps(struct curate_work *w, json_t **record)
{
    static const struct source_stats none;
    const struct phase *ph = &w->phases.v[w->phase];
    struct corpus c = {
        .spool = w->spool, .pool = pool_new(w->args->threads), .memory = w->args->memory, .seed = w->args->seed,
        .phases = &w->phases, .verdict = w->args->keep_dropped ? &w->verdict : NULL,
    };
    struct report *report = report_new(w->args->chain, w->args->samples);
    enum status st = ST_OK;

    if (spool_count(w->spool) >= UINT32_MAX)
        st = fail(ST_LIMIT, "%zu documents for a step over all of them, want at most %u in one run",
                  spool_count(w->spool), UINT32_MAX - 1);
    for (size_t i = ph->first; st == ST_OK && i < ph->last; i++)
        st = run_step(w, &c, i, &report->steps[i]);
    if (st == ST_OK) {
        verdict_sort(&w->verdict);
        *record = json_pack("{s:i, s:o}", "version", 1, "partial", report_partial(report, &none));
    }
    report_free(report);
    pool_free(c.pool);
    return st;
}
