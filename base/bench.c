#include "base/bench.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/platform.h"
#include "base/str.h"

/* ---- measuring ---- */

static double seconds_of(clockid_t clock)
{
    struct timespec t;

    BUG_IF(clock_gettime(clock, &t) != 0);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double bench_now(void) { return seconds_of(CLOCK_MONOTONIC); }

double bench_thread_now(void) { return seconds_of(CLOCK_THREAD_CPUTIME_ID); }

/* Eight sums side by side, so that the adds do not wait for each other. */
static uint64_t sum_words(const uint64_t *p, size_t n)
{
    uint64_t s[8] = { 0 }, total = 0;

    for (size_t i = 0; i + 8 <= n; i += 8)
        for (int j = 0; j < 8; j++)
            s[j] += p[i + (size_t)j];
    for (int j = 0; j < 8; j++)
        total += s[j];
    return total;
}

static volatile uint64_t scanned;      /* keeps the scan from being optimised away */

double bench_memory_scan(size_t bytes)
{
    size_t words = bytes / 64 * 8;
    uint64_t *p = mem_alloc_aligned(words * 8 + 64);
    double best = 0, begin = bench_now();

    memset(p, 1, words * 8);      /* pages that were never written are all one page */
    for (int pass = 0; pass < 3 || bench_now() - begin < 0.1; pass++) {
        double start = bench_now(), rate;
        scanned = sum_words(p, words);
        rate = (double)(words * 8) / (bench_now() - start + 1e-9) / 1e9;
        if (rate > best)
            best = rate;
    }
    mem_free_aligned(p);
    return best;
}

/* ---- reporting ---- */

static int by_size(const void *va, const void *vb)
{
    double a = *(const double *)va, b = *(const double *)vb;

    return (a > b) - (a < b);
}

static void add_number(struct buf *out, const char *key, double x)
{
    if (isfinite(x))
        buf_printf(out, ", \"%s\": %.6g", key, x);
    else
        buf_printf(out, ", \"%s\": null", key);
}

static void add_text(struct buf *out, const char *key, const char *text)
{
    buf_printf(out, "%s\"%s\": ", out->n > 1 ? ", " : "", key);
    json_quote(out, text, strlen(text));
}

static void add_case(struct buf *out, const struct bench *b, const char *variant)
{
    struct buf name = { 0 };

    buf_printf(&name, "%s%s%s", b->name, variant ? " " : "", variant ? variant : "");
    add_text(out, "case", name.p);
    buf_release(&name);
}

void bench_report(const struct bench *b, const struct bench_result *r)
{
    struct buf out = { 0 };
    double *sorted = mem_array((size_t)r->count, sizeof *sorted), median;
    int half = r->count / 2;

    BUG_IF(r->count < 1);
    memcpy(sorted, r->values, (size_t)r->count * sizeof *sorted);
    qsort(sorted, (size_t)r->count, sizeof *sorted, by_size);
    median = r->count % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    buf_addc(&out, '{');
    add_text(&out, "bench", b->group);
    add_case(&out, b, r->variant);
    buf_printf(&out, ", \"threads\": %d", b->threads);
    add_number(&out, "value", median);
    add_text(&out, "unit", r->unit);
    if (r->count > 1) {
        add_number(&out, "minimum", sorted[0]);
        add_number(&out, "median", median);
        add_number(&out, "maximum", sorted[r->count - 1]);
    }
    if (r->yardstick != NULL) {
        add_text(&out, "yardstick", r->yardstick);
        add_number(&out, "yardstick_value", r->yardstick_value);
        add_number(&out, "ratio", median / r->yardstick_value);
    }
    printf("%s}\n", out.p);
    fflush(stdout);
    buf_release(&out);
    free(sorted);
}

/* ---- the command ---- */

struct bench_cfg {
    struct opt_list what;      /* group, case */
    int64_t threads, repeat;
    const char *in, *tokenizer;
    bool list;
};

static const struct opt options[] = {
    OPT_LIST(struct bench_cfg, what, "what",
             "which benches: a group, and of it the cases that begin so", .flags = OPT_POSITIONAL,
             .value = "GROUP [CASE]"),
    OPT_INT(struct bench_cfg, threads, "threads", "1", 0, 4096, "threads; 0: as many as usable"),
    OPT_INT(struct bench_cfg, repeat, "repeat", "1", 1, 1000, "measurements a case"),
    OPT_INPUT(struct bench_cfg, in, "in",
              "text file to work on; else each case makes its own data"),
    OPT_INPUT(struct bench_cfg, tokenizer, "tokenizer",
              "tokenizer of the cases that need one; else they train it"),
    OPT_BOOL(struct bench_cfg, list, "list", "false", "list groups and cases, run none"),
    OPT_END
};

/* The group of a command: the first word of its name. */
static struct span group_of(const struct command *c)
{
    return (struct span){ c->name, strcspn(c->name, " ") };
}

static bool starts_with(const char *s, const char *head)
{
    return strncmp(s, head, strlen(head)) == 0;
}

static bool in_group(const struct command *c, const char *group)
{
    return c->benches != NULL && (group == NULL || span_eq(group_of(c), group));
}

/* Calls each case that is asked for (NULL: any), or prints its name; sets how many there were. */
static enum status walk(struct arena *a, const struct bench_cfg *c, const char *group,
                        const char *name, int *found)
{
    *found = 0;
    for (command_list all = command_all(); *all; all++) {
        struct span own = group_of(*all);
        if (!in_group(*all, group))
            continue;
        for (const struct bench_case *k = (*all)->benches; k->name; k++) {
            struct bench b = { .group = arena_strndup(a, own.p, own.n), .name = k->name,
                               .threads = c->threads ? (int)c->threads : cpu_count(),
                               .repeat = (int)c->repeat, .in = c->in,
                               .tokenizer = c->tokenizer };
            if (name != NULL && !starts_with(k->name, name))
                continue;
            ++*found;
            if (c->list)
                printf("%s\t%s\n", b.group, k->name);
            else
                TRY(k->run(&b));
        }
    }
    return ST_OK;
}

/* Names of groups (group NULL) or of a group's cases. */
static const char **candidates(struct arena *a, const char *group)
{
    size_t n = 0, room = 1;
    const char **names;

    for (command_list all = command_all(); *all; all++)
        for (const struct bench_case *k = (*all)->benches; k && k->name; k++)
            room++;
    names = arena_array(a, room, sizeof *names);
    for (command_list all = command_all(); *all; all++) {
        struct span own = group_of(*all);
        if (!in_group(*all, group) || (*all)->benches->name == NULL)
            continue;
        if (group == NULL && !(n && span_eq(own, names[n - 1])))
            names[n++] = arena_strndup(a, own.p, own.n);
        for (const struct bench_case *k = (*all)->benches; group && k->name; k++)
            names[n++] = k->name;
    }
    return names;
}

static enum status nothing_found(struct arena *a, const char *group, const char *name)
{
    const char **groups = candidates(a, NULL), **cases, *near;
    struct buf text = { 0 };

    if (groups[0] == NULL)
        return fail(ST_MISSING, "this program has no benches");
    cases = group ? candidates(a, group) : groups;
    if (group == NULL || cases[0] == NULL) {
        near = group ? str_nearest(group, groups) : NULL;
        buf_printf(&text, group ? "no benches for '%.60s'" : "want a GROUP of benches", group);
        cases = groups;
    } else {
        near = str_nearest(name, cases);
        buf_printf(&text, "'%s' has no bench '%.60s'", group, name);
    }
    buf_adds(&text, near ? "; did you mean " : "; there are ");
    for (size_t i = 0; !near && cases[i]; i++)
        buf_printf(&text, "%s'%s'", i ? ", " : "", cases[i]);
    fail(ST_USAGE, near ? "%s'%s'?" : "%s", text.p, near);
    buf_release(&text);
    return ST_USAGE;
}

static enum status run(struct arena *a, void *cfg)
{
    const struct bench_cfg *c = cfg;
    const char *group = c->what.count > 0 ? c->what.v[0] : NULL;
    const char *name = c->what.count > 1 ? c->what.v[1] : NULL;
    int found;

    if (c->what.count > 2)
        return fail(ST_USAGE, "unexpected word '%.60s' behind GROUP and CASE", c->what.v[2]);
    if (group == NULL && !c->list)
        return nothing_found(a, NULL, NULL);
    TRY(walk(a, c, group, name, &found));
    return found ? ST_OK : nothing_found(a, group, name);
}

const struct command cmd_bench = {
    .name = "bench",
    .summary = "measure a part of this program; one JSON line a case",
    .details =
        "A line has the value, its unit, and a yardstick that was measured in the same run, so\n"
        "that their ratio means something on a noisy machine. With --repeat a line has\n"
        "minimum, median (also as value) and maximum.\n\n"
        "examples:\n"
        "  tundish bench --list\n"
        "  tundish bench kernels --threads 2 --repeat 5\n"
        "  tundish bench tokenize encode --in notes.txt --tokenizer llama3.json",
    .opts = options,
    .cfg_size = sizeof(struct bench_cfg),
    .run = run,
};
