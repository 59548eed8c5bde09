#include "curate/run/dry_run.h"

#include <math.h>
#include <zstd.h>

#include "base/bench.h"
#include "base/hash.h"
#include "base/progress.h"
#include "base/rng.h"
#include "base/stop.h"
#include "curate/report/report_part.h"
#include "curate/run/dry_run_part.h"

#define PREFIX_LEAST ((double)(256 << 10))   /* a file whose share is more is read in part, not chosen */
#define FILES_LEAST 50                       /* so is one that alone would be that part of the sample */
#define READ_TIMES 10                        /* of the share of large files is read; only the share passes the steps */
#define READ_LEAST ((double)(64 << 20))      /* or so much of all of them together */
#define PASS_LEAST ((double)(64 << 10))      /* at least so much of them passes the steps */
#define PACK_BYTES ((size_t)1 << 20)
#define PACK_LEVEL 3                         /* the corpus' own */

#define PARTS_A_THREAD 8                     /* each lists the folders on its way anew */

/* One file of the sample. */
struct unit {
    const struct source_group *group;
    uint64_t take;                     /* bytes on disk; UINT64_MAX: all */
    bool chosen;                       /* it stands for those that were not, too */
    double pass;                       /* the share of its documents that passes the steps */
    uint64_t draw;                     /* by which documents are drawn */
    /* what came of it */
    bool cut;                          /* it was not read to its end */
    uint64_t bytes_read, documents, document_bytes;
    uint64_t passed, passed_bytes, kept, kept_bytes;
    uint64_t ahead;                    /* of bytes_read, those that were read before the first document came */
};

/* Units that follow each other, read by one thread in one walk. */
struct part {
    struct unit *units;
    size_t count, at;                  /* at: the one that the walk comes to next */
    struct source_group group;         /* from the first to the last */
    struct source *source;
    uint64_t before;                   /* bytes read before the unit in hand */
    struct report *report;
    json_t *partial;
    double read_seconds;
    struct buf text;                   /* of kept documents, to be packed */
};

struct sampling {
    const struct dry_run_args *args;
    struct source_groups groups;
    struct unit *units;
    size_t count, next;
    uint64_t part_bytes;
    struct source **readers;           /* of each worker; NULL: not needed yet */
    struct step_work *works;
    double chosen_weight;              /* of small files: bytes of all over those of the chosen */
    /* What was seen, and what it stands for, added up in the order of parts. */
    struct report *report;
    struct source_stats stats;
    uint64_t bytes_read;
    uint64_t begun;                    /* files of which only the beginning was read */
    uint64_t passed, passed_bytes;     /* documents that went through the steps */
    struct {
        double read, read_bytes, passed, passed_bytes, kept, kept_bytes;
    } all;
    double read_seconds;
    struct buf text;
    uint64_t packed, packed_of;        /* compressed bytes, of so many */
};

/* ---- which files ---- */

static bool is_chosen(const struct sampling *s, const struct source_group *g)
{
    return rng_unit(xxh3_seed(g->first, strlen(g->first), s->args->seed)) < s->args->share;
}

/* How far the large files are read, and how many of their documents pass. */
static void reach_into(struct sampling *s, double large)
{
    double reach = fmin(1, fmax(READ_TIMES * s->args->share, READ_LEAST / large));
    double pass = fmin(1, fmax(s->args->share, PASS_LEAST / large) / reach);

    for (size_t i = 0; i < s->count; i++) {
        struct unit *u = &s->units[i];

        if (u->chosen)
            continue;
        u->take = reach < 1 ? (uint64_t)((double)u->group->bytes * reach) : UINT64_MAX;
        u->pass = pass;
        u->draw = xxh3_seed(u->group->first, strlen(u->group->first), s->args->seed);
    }
}

static void choose_units(struct sampling *s)
{
    double small = 0, chosen = 0, large = 0, alone = 0;

    for (size_t i = 0; i < s->groups.count; i++)
        alone += s->groups.v[i].program ? 0 : (double)s->groups.v[i].bytes * s->args->share / FILES_LEAST;
    s->units = mem_array(s->groups.count, sizeof *s->units);
    for (size_t i = 0; i < s->groups.count; i++) {
        const struct source_group *g = &s->groups.v[i];
        struct unit u = { .group = g, .take = UINT64_MAX, .pass = 1 };

        if (g->files == 0 || g->program)
            continue;
        if (s->args->share >= 1 || (double)g->bytes > alone || (double)g->bytes * s->args->share >= PREFIX_LEAST)
            large += (double)g->bytes;
        else {
            small += (double)g->bytes;
            u.chosen = is_chosen(s, g);
            if (!u.chosen)
                continue;
            chosen += (double)g->bytes;
        }
        s->units[s->count++] = u;
    }
    s->chosen_weight = chosen > 0 ? small / chosen : 1;
    reach_into(s, large);
}

/* Does the document that was just read pass the steps? */
static bool is_drawn(const struct unit *u)
{
    return u->pass >= 1 || rng_unit(xxh3_seed(&u->documents, sizeof u->documents, u->draw)) < u->pass;
}

/* How many such units the input has. Readers are ahead of their documents by as much as they were when the first one came, which may be
 * megabytes of a packed file. */
static double weight_of(const struct sampling *s, const struct unit *u)
{
    if (u->chosen)
        return s->chosen_weight;
    if (!u->cut || u->bytes_read == u->ahead)
        return 1;
    return fmax((double)u->group->bytes / (double)(u->bytes_read - u->ahead), 1);
}

/* ---- documents ---- */

static enum status unit_step(struct report *r, const struct chain *chain, size_t i, struct doc *d, struct step_work *w)
{
    struct report_step *s = &r->steps[i];
    double start = bench_thread_now();

    s->documents_in++;
    s->bytes_in += d->text.n;
    TRY(chain_each(chain, i, d, w));
    for (int k = 0; k < STEP_COUNTERS; k++)
        s->counts[k] += w->counts[k];
    if (d->dropped == NULL) {
        s->documents_out++;
        s->bytes_out += d->text.n;
    }
    s->seconds += bench_thread_now() - start;
    return ST_OK;
}

static enum status pass_document(struct part *p, struct unit *u, const struct chain *chain, struct doc *d,
                                 struct step_work *w)
{
    report_add_read(p->report, d, d->text.n);
    for (size_t i = 0; i < chain->count && d->dropped == NULL; i++)
        if (chain->steps[i].kind->each)
            TRY(unit_step(p->report, chain, i, d, w));
    if (d->dropped) {
        report_add_dropped(p->report, d);
        return ST_OK;
    }
    report_add_kept(p->report, d, false);
    u->kept++;
    u->kept_bytes += d->text.n;
    if (p->text.n < PACK_BYTES)
        buf_add(&p->text, d->text.p, d->text.n < PACK_BYTES ? d->text.n : PACK_BYTES);
    return ST_OK;
}

/* ---- one part ---- */

/* Asked of each file on the way: is it the next one of the sample? The bytes of the one before are all counted by then. */
static bool wants(void *ctx, const char *path)
{
    struct part *p = ctx;

    if (p->at == p->count || strcmp(p->units[p->at].group->first, path) != 0)
        return false;
    p->before = source_bytes_read(p->source);
    p->at++;
    return true;
}

static enum status next_document(struct part *p, struct raw_document **out)
{
    double start = bench_thread_now();
    struct raw_document *raw;
    struct unit *u;

    if (stop_requested())
        return fail(ST_INTERRUPTED, "stopped; a dry run leaves nothing behind");
    TRY(source_next(p->source, &raw));
    p->read_seconds += bench_thread_now() - start;
    *out = raw;
    if (raw == NULL)
        return ST_OK;
    u = &p->units[p->at - 1];
    u->documents++;
    u->document_bytes += raw->n;
    u->bytes_read = source_bytes_read(p->source) - p->before;
    if (u->documents == 1)
        u->ahead = u->bytes_read;
    u->cut = u->bytes_read > u->ahead && u->bytes_read - u->ahead >= u->take;
    if (u->cut)
        source_end_file(p->source);
    return ST_OK;
}

static enum status read_part(struct part *p, const struct chain *chain, struct step_work *w)
{
    source_want(p->source, wants, p);
    source_begin(p->source, &p->group);
    for (;;) {
        struct raw_document *raw;
        struct unit *u;
        struct doc *d;
        enum status st;

        TRY(next_document(p, &raw));
        if (raw == NULL)
            break;
        u = &p->units[p->at - 1];
        if (!is_drawn(u)) {
            raw_document_free(raw);
            continue;
        }
        u->passed++;
        u->passed_bytes += raw->n;
        d = doc_of_raw(raw, 0);
        st = pass_document(p, u, chain, d, w);
        doc_free(d);
        TRY(st);
    }
    p->partial = report_partial(p->report, source_stats_of(p->source));
    return ST_OK;
}

/* ---- all of them ---- */

static void free_part(void *ctx, void *item)
{
    struct part *p = item;

    report_free(p->report);
    json_decref(p->partial);
    buf_release(&p->text);
    free(p);
}

static enum status next_part(void *ctx, void **item)
{
    struct sampling *s = ctx;
    struct part *p;
    uint64_t bytes = 0;

    if (s->next == s->count)
        return ST_OK;
    p = mem_alloc(sizeof *p);
    p->units = s->units + s->next;
    while (s->next < s->count && bytes < s->part_bytes) {
        const struct unit *u = &s->units[s->next++];

        bytes += u->take < u->group->bytes ? u->take : u->group->bytes;
        p->count++;
    }
    p->group = *p->units[0].group;
    p->group.next_item = p->units[p->count - 1].group->next_item;
    p->group.next_path = p->units[p->count - 1].group->next_path;
    p->report = report_like(s->report);
    *item = p;
    return ST_OK;
}

static enum status work_part(void *ctx, void *item, int worker)
{
    struct sampling *s = ctx;
    struct part *p = item;

    if (s->readers[worker] == NULL)
        TRY(source_open(s->args->sources, &s->args->limits, &s->readers[worker]));
    p->source = s->readers[worker];
    return read_part(p, s->args->chain, &s->works[worker]);
}

static void pack(struct sampling *s)
{
    size_t most = ZSTD_compressBound(s->text.n), n;
    char *to = mem_alloc(most);

    n = ZSTD_compress(to, most, s->text.p ? s->text.p : "", s->text.n, PACK_LEVEL);
    BUG_IF(ZSTD_isError(n));
    s->packed += n;
    s->packed_of += s->text.n;
    buf_clear(&s->text);
    free(to);
}

static void add_unit(struct sampling *s, const struct unit *u)
{
    double weight = weight_of(s, u), each = weight / u->pass;

    s->bytes_read += u->bytes_read;
    s->begun += !u->chosen && weight > 1;
    s->all.read += weight * (double)u->documents;
    s->all.read_bytes += weight * (double)u->document_bytes;
    s->passed += u->passed;
    s->passed_bytes += u->passed_bytes;
    s->all.passed += each * (double)u->passed;
    s->all.passed_bytes += each * (double)u->passed_bytes;
    s->all.kept += each * (double)u->kept;
    s->all.kept_bytes += each * (double)u->kept_bytes;
}

static enum status take_part(void *ctx, void *item)
{
    struct sampling *s = ctx;
    struct part *p = item;
    enum status st = report_add_partial(s->report, &s->stats, p->partial);

    for (size_t i = 0; i < p->count; i++)
        add_unit(s, &p->units[i]);
    s->read_seconds += p->read_seconds;
    buf_add(&s->text, p->text.p ? p->text.p : "", p->text.n);
    if (s->text.n >= PACK_BYTES)
        pack(s);
    progress_add(p->count);
    free_part(s, p);
    return st;
}

static enum status run_units(struct sampling *s, struct pool *pool)
{
    struct pool_stream stream = {
        .produce = next_part, .work = work_part, .consume = take_part, .discard = free_part, .ctx = s,
    };
    enum status st;

    TRY(chain_load(s->args->chain));
    progress_start("sampling", "files", s->count);
    st = pool_ordered(pool, &stream);
    progress_end();
    if (s->text.n > 0)
        pack(s);
    for (int i = 0; i < pool_threads(pool); i++)
        step_work_release(s->args->chain, &s->works[i]);
    chain_unload(s->args->chain);
    return st;
}

/* ---- estimates ---- */

struct interval wilson(double hits, double n)
{
    double z = 1.96, p = hits / n, middle = p + z * z / (2 * n);
    double around = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)), below = 1 + z * z / n;

    return (struct interval){ fmax(0, (middle - around) / below), fmin(1, (middle + around) / below) };
}

/* As many independent documents as tell as much as these, which come from files that differ. */
static double independent_documents(const struct sampling *s)
{
    double documents = (double)s->passed, share = s->all.kept / s->all.passed, spread = 0, files = 0, alone;

    for (size_t i = 0; i < s->count; i++)
        if (s->units[i].passed > 0) {
            const struct unit *u = &s->units[i];
            double off = weight_of(s, u) / u->pass * ((double)u->kept - share * (double)u->passed);

            spread += off * off;
            files++;
        }
    if (files < 2 || spread <= 0 || share <= 0 || share >= 1)
        return documents;
    spread *= files / (files - 1) / (s->all.passed * s->all.passed);       /* variance of the share */
    alone = share * (1 - share) / spread;
    return alone < documents ? alone : documents;
}

static json_t *whole(double n) { return json_integer(n > 0 ? (json_int_t)fmin(round(n), 9e18) : 0); }

static double ratio(double part, double of) { return of > 0 ? part / of : 0; }

static json_t *kept_json(const struct sampling *s)
{
    double share = ratio(s->all.kept, s->all.passed);
    struct interval i = { 0, 1 };

    if (s->all.passed > 0)
        i = wilson(share * independent_documents(s), independent_documents(s));
    return json_pack("{s:f,s:f,s:f,s:f}", "documents", share, "low", i.low, "high", i.high, "bytes",
                     ratio(s->all.kept_bytes, s->all.passed_bytes));
}

/* What the sample cost, as much more as there is more text. */
static json_t *costs_json(const struct sampling *s, double *all)
{
    double times = ratio(s->all.read_bytes, (double)s->passed_bytes);
    json_t *list = json_array();

    *all = s->read_seconds * ratio(s->all.read_bytes, (double)s->stats.document_bytes);
    json_array_append_new(list, json_pack("{s:s,s:f}", "step", "read", "cpu_seconds", *all));
    for (size_t i = 0; i < s->report->count; i++) {
        const struct report_step *step = &s->report->steps[i];

        if (step->step->kind->each == NULL)
            continue;
        *all += step->seconds * times;
        json_array_append_new(list, json_pack("{s:s,s:f}", "step", step->step->label, "cpu_seconds",
                                              step->seconds * times));
    }
    return list;
}

static json_t *not_estimated(const struct sampling *s)
{
    const struct chain *chain = s->args->chain;
    json_t *list = json_array();

    for (size_t i = 0; i < s->groups.count; i++)
        if (s->groups.v[i].program)
            json_array_append_new(list, json_sprintf("the program %s", s->groups.v[i].first));
    for (size_t i = 0; i < chain->count; i++)
        if (chain->steps[i].kind->each == NULL)
            json_array_append_new(list, json_string(chain->steps[i].label));
    return list;
}

/* From the report of the sample: each reason with its share of the documents that passed the steps. */
static json_t *drops_json(const json_t *report, double passed)
{
    json_t *list = json_array();
    const json_t *step, *drop;
    size_t i, j;

    json_array_foreach(json_object_get(report, "steps"), i, step)
        json_array_foreach(json_object_get(step, "drops"), j, drop) {
            double n = (double)json_integer_value(json_object_get(drop, "documents"));

            json_array_append_new(list, json_pack("{s:O,s:O,s:O,s:f}", "step", json_object_get(step, "step"), "reason",
                                                  json_object_get(drop, "reason"), "documents",
                                                  json_object_get(drop, "documents"), "share", n / fmax(passed, 1)));
        }
    return list;
}

static void add_estimates(const struct sampling *s, int threads, json_t *out)
{
    double packing = ratio((double)s->packed, (double)s->packed_of), cpu;
    double kept_bytes = ratio(s->all.kept_bytes, s->all.passed_bytes) * s->all.read_bytes;
    json_t *report = report_json(s->report, &s->stats), *kept = kept_json(s), *costs = costs_json(s, &cpu);
    const json_t *input = json_object_get(report, "input");

    json_object_set_new(out, "sample",
        json_pack("{s:f,s:i,s:I,s:I,s:I,s:I,s:I}", "share", s->args->share, "files", (int)s->count, "begun",
                  (json_int_t)s->begun, "bytes_read", (json_int_t)s->bytes_read, "documents_seen", (json_int_t)s->stats.documents,
                  "documents", (json_int_t)s->passed, "document_bytes", (json_int_t)s->passed_bytes));
    json_object_set_new(out, "estimate",
        json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:f,s:i,s:f}", "documents_read", whole(s->all.read),
                  "document_bytes_read", whole(s->all.read_bytes), "documents", whole(s->all.read * ratio(s->all.kept, s->all.passed)), "documents_low",
                  whole(s->all.read * json_real_value(json_object_get(kept, "low"))), "documents_high",
                  whole(s->all.read * json_real_value(json_object_get(kept, "high"))), "bytes",
                  whole(kept_bytes), "compressed_bytes", whole(kept_bytes * packing), "cpu_seconds", cpu,
                  "threads", threads, "seconds", cpu / threads));
    json_object_set_new(out, "kept", kept);
    json_object_set_new(out, "costs", costs);
    json_object_set_new(out, "drops", drops_json(report, (double)s->passed));
    json_object_set(out, "not_read", json_object_get(input, "not_documents"));
    json_object_set(out, "kinds", json_object_get(input, "kinds"));
    json_object_set_new(out, "not_estimated", not_estimated(s));
    json_decref(report);
}

static enum status add_sample(struct sampling *s, json_t *out)
{
    struct pool *pool = pool_new(s->args->threads);
    size_t threads = (size_t)pool_threads(pool);
    enum status st;

    choose_units(s);
    s->report = report_new(s->args->chain, 0);
    s->readers = mem_array(threads, sizeof *s->readers);
    s->works = mem_array(threads, sizeof *s->works);
    for (size_t i = 0; i < s->count; i++)
        s->part_bytes += s->units[i].take < s->units[i].group->bytes ? s->units[i].take : s->units[i].group->bytes;
    s->part_bytes = s->part_bytes / (threads * PARTS_A_THREAD) + 1;
    st = run_units(s, pool);
    if (st == ST_OK)
        add_estimates(s, (int)threads, out);
    for (size_t i = 0; i < threads; i++)
        source_close(s->readers[i]);
    report_free(s->report);
    buf_release(&s->text);
    free(s->readers);
    free(s->works);
    free(s->units);
    pool_free(pool);
    return st;
}

/* ---- all of it ---- */

static enum status look(const struct dry_run_args *args, struct arena *a, json_t *out)
{
    struct sampling s = { .args = args };
    struct source *source;
    uint64_t programs = 0;
    enum status st;

    TRY(source_open(args->sources, &args->limits, &source));
    st = source_groups_list(source, 1, a, &s.groups);
    source_close(source);
    TRY(st);
    for (size_t i = 0; i < s.groups.count; i++)
        programs += s.groups.v[i].program;
    json_object_set_new(out, "files", json_integer((json_int_t)(s.groups.files - programs)));
    json_object_set_new(out, "programs", json_integer((json_int_t)programs));
    json_object_set_new(out, "bytes", json_integer((json_int_t)s.groups.bytes));
    json_object_set_new(out, "endings", dry_run_endings(&s.groups));
    json_object_set_new(out, "steps", dry_run_steps(args->chain));
    if (args->share > 0)
        return add_sample(&s, out);
    TRY(chain_load(args->chain));       /* a list or a model that cannot be read is told now */
    chain_unload(args->chain);
    return ST_OK;
}

enum status dry_run(const struct dry_run_args *args, json_t **out)
{
    struct arena a;
    json_t *json = json_object();
    enum status st;

    arena_init(&a);
    st = look(args, &a, json);
    arena_release(&a);
    if (st == ST_OK)
        *out = json;
    else
        json_decref(json);
    return st;
}

enum status dry_run_share(const char *text, double *out)
{
    char *end;
    double v = strtod(text, &end);

    if (*end == '%' && end > text) {
        v /= 100;
        end++;
    }
    if (*end != 0 || !(v > 0) || v > 1)
        return fail(ST_USAGE, "the sample is '%.40s'; want a share above 0, up to 1 or 100%%: '1%%' or '0.01'", text);
    *out = v;
    return ST_OK;
}
