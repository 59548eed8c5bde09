/*
 * Random pipelines with a model that predicts them: which stages must run, by content.
 *
 * The model is the definition of the cache in a few lines. A node (a stage, or one of a matrix) has a value,
 * which is what its artifact's content digest stands for: a kind and a text. Its key is made of its kind,
 * options and inputs' values; it runs if no artifact of that key is left.
 */
#ifndef TUNDISH_TESTS_PIPELINES_GRAPH_H
#define TUNDISH_TESTS_PIPELINES_GRAPH_H

#include <string.h>

#include "base/rng.h"
#include "scene.h"

#define ENTRY_LIMIT 20
#define INSTANCE_LIMIT 3
#define DONE_LIMIT 4000
#define SLUG_ROOM 24

enum kind { GROW, MILL, WALK, SH, COPY, KIND_COUNT };

struct ref {
    int entry, at;               /* at: one of a matrix; -1: all */
};
/* A stage of the file. */
struct entry {
    enum kind kind;
    bool gone;                   /* not in the file now */
    int instances;               /* 1: no matrix */
    int v[INSTANCE_LIMIT];       /* of the matrix */
    int size, modulo;
    int param;                   /* index of the param that is its size; -1: none */
    int nap;                     /* ms; of no consequence */
    struct ref reads[3];
    int read_count;
    int needs[2], need_count;
    bool file;                   /* also reads the file f<i> */
    int content;
    int threads, memory;         /* of `resources`; 0: not said; memory in G */
};
struct value {
    char kind;
    char text[65];
};
struct graph {
    struct rng rng;
    struct entry entries[ENTRY_LIMIT];
    int count;
    int params[2];
    int jobs, threads, memory;
    struct value values[ENTRY_LIMIT][INSTANCE_LIMIT];
    char current[ENTRY_LIMIT][INSTANCE_LIMIT][65];   /* the key of its last artifact */
    bool left_out[ENTRY_LIMIT][INSTANCE_LIMIT];      /* of the run that comes */
    int forced;                                      /* -1: none */
    char done[DONE_LIMIT][SLUG_ROOM + 65];      /* "slug key" */
    size_t done_count;
};

static int below(struct graph *g, int n) { return (int)rng_below(&g->rng, (uint64_t)n); }

/* ---- making one ---- */

/* Something in front of entry i that is in the file now; one: of a matrix, a single one. */
static struct ref any_in_front(struct graph *g, int i, bool one)
{
    struct ref r = { 0, 0 };

    do
        r.entry = below(g, i);
    while (g->entries[r.entry].gone);
    if (g->entries[r.entry].instances > 1)
        r.at = one || below(g, 2) ? below(g, g->entries[r.entry].instances) : -1;
    return r;
}

static void make_entry(struct graph *g, int i)
{
    struct entry *e = &g->entries[i];
    bool one;

    memset(e, 0, sizeof *e);
    e->kind = i == 0 ? GROW : (enum kind)below(g, KIND_COUNT);
    one = e->kind == MILL || e->kind == WALK || e->kind == COPY;
    e->instances = e->kind != COPY && e->kind != MILL && below(g, 5) == 0 ? 2 + below(g, INSTANCE_LIMIT - 1) : 1;
    for (int k = 0; k < e->instances; k++)
        e->v[k] = 10 * k + 1 + below(g, 9);
    e->size = 1 + below(g, 5);
    e->modulo = below(g, 2) ? 1 : 1000000007;
    e->param = below(g, 3) - 1;
    e->nap = below(g, 30);
    e->read_count = one ? 1 : i == 0 ? 0 : below(g, 4);
    for (int k = 0; k < e->read_count; k++)
        e->reads[k] = any_in_front(g, i, e->kind != GROW);
    e->need_count = i == 0 ? 0 : below(g, 3);
    for (int k = 0; k < e->need_count; k++)
        e->needs[k] = any_in_front(g, i, true).entry;
    e->file = (e->kind == GROW || e->kind == SH) && below(g, 2);
    e->threads = below(g, 4);
    e->memory = below(g, 3);
}

static void graph_make(struct graph *g, uint64_t seed, int count)
{
    memset(g, 0, sizeof *g);
    g->rng = (struct rng){ .seed = seed };
    g->count = count;
    g->forced = -1;
    g->jobs = 1 + below(g, 8);
    g->threads = 2 + below(g, 5);
    g->memory = 2 + below(g, 4);
    for (int i = 0; i < count; i++)
        make_entry(g, i);
}

/* ---- writing it ---- */

static const char *const graph_tool =
    "mode=$1 label=$2 out=$3 salt=$4; shift 4\n"
    "echo \"+ $label\" >>trace\n"
    "sleep 0.01\n"
    "if [ $mode = copy ]; then cp \"$1/data\" \"$out/data\"\n"
    "else { echo \"$salt\"; for i; do if [ -d \"$i\" ]; then cat \"$i/data\"; else cat \"$i\"; fi; done; } |\n"
    "  sha256sum | cut -c1-64 | tr -d '\\n' >\"$out/data\"\n"
    "fi\n"
    "[ -f pad ] && head -c 1500000 /dev/zero >\"$out/pad\"\n"
    "echo \"- $label\" >>trace\n";

static void add_ref(const struct graph *g, struct buf *out, struct ref r)
{
    const struct entry *e = &g->entries[r.entry];

    if (e->instances == 1 || r.at < 0)
        buf_printf(out, "\"@s%d\"", r.entry);
    else
        buf_printf(out, "\"@s%d[v=%d]\"", r.entry, e->v[r.at]);
}

static void add_size(struct buf *out, const struct entry *e)
{
    if (e->instances > 1)
        buf_adds(out, "\"${v}\"");
    else if (e->param >= 0)
        buf_printf(out, "\"${p%d}\"", e->param);
    else
        buf_printf(out, "%d", e->size);
}

static void add_program(const struct graph *g, struct buf *out, int i)
{
    const struct entry *e = &g->entries[i];

    buf_printf(out, "run: [sh, tool.sh, %s, \"s%d%s\", \"{out}\", ", e->kind == COPY ? "copy" : "hash", i,
               e->instances > 1 ? ".v=${v}" : "");
    add_size(out, e);
    for (int k = 0; k < e->read_count; k++)
        buf_printf(out, ", \"{i%d}\"", k);
    buf_adds(out, e->file ? ", \"{f}\"], in: {" : "], in: {");
    for (int k = 0; k < e->read_count; k++) {
        buf_printf(out, "i%d: ", k);
        add_ref(g, out, e->reads[k]);
        buf_adds(out, ", ");
    }
    buf_printf(out, e->file ? "f: f%d}" : "}", i);
}

static void add_command(const struct graph *g, struct buf *out, int i)
{
    static const char *const uses[] = { "grow", "mill.fine", "walk" };
    const struct entry *e = &g->entries[i];

    buf_printf(out, "uses: %s, with: {nap: %d, ", uses[e->kind], e->nap);
    if (e->kind == MILL)
        buf_printf(out, "modulo: %d", e->modulo);
    else
        buf_adds(out, e->kind == GROW ? "size: " : "steps: ");
    if (e->kind != MILL)
        add_size(out, e);
    buf_adds(out, e->kind == GROW ? ", in: [" : e->read_count > 0 ? ", thing: " : "");
    for (int k = 0; k < e->read_count; k++) {
        add_ref(g, out, e->reads[k]);
        buf_adds(out, e->kind == GROW ? ", " : "");
    }
    buf_printf(out, e->kind != GROW ? "}" : e->file ? "f%d]}" : "]}", i);
}

static void add_entry(const struct graph *g, struct buf *out, int i)
{
    const struct entry *e = &g->entries[i];

    buf_printf(out, "  s%d: {", i);
    if (e->kind == SH || e->kind == COPY)
        add_program(g, out, i);
    else
        add_command(g, out, i);
    if (e->instances > 1) {
        buf_adds(out, ", matrix: {v: [");
        for (int k = 0; k < e->instances; k++)
            buf_printf(out, "%s%d", k ? ", " : "", e->v[k]);
        buf_adds(out, "]}");
    }
    for (int k = 0; k < e->need_count; k++)
        buf_printf(out, "%ss%d%s", k ? ", " : ", needs: [", e->needs[k], k + 1 == e->need_count ? "]" : "");
    if (e->threads > 0)
        buf_printf(out, ", resources: {threads: %d%s", e->threads, e->memory ? "" : "}");
    if (e->memory > 0)
        buf_printf(out, "%smemory: %dG}", e->threads ? ", " : ", resources: {", e->memory);
    buf_adds(out, "}\n");
}

/* The file lists the stages backwards, so that its order is of no help. What is not changed is not touched. */
static void graph_write(const struct graph *g)
{
    struct buf text = { 0 }, before = { 0 };
    char path[16], content[16];

    buf_printf(&text, "pipeline: p\nparams: {p0: %d, p1: %d}\nstages:\n", g->params[0] + 1, g->params[1] + 1);
    for (int i = g->count - 1; i >= 0; i--) {
        if (!g->entries[i].gone)
            add_entry(g, &text, i);
        snprintf(path, sizeof path, "f%d", i);
        snprintf(content, sizeof content, "%d", g->entries[i].content);
        scene_read(path, &before);
        if (strcmp(before.p, content) != 0)
            scene_write(path, content);
    }
    scene_write("p.yaml", text.p);
    if (!file_exists("tool.sh"))
        scene_write("tool.sh", graph_tool);
    buf_release(&text);
    buf_release(&before);
}

/* ---- the model's cache ---- */

static void slug_of(const struct graph *g, int i, int k, char slug[SLUG_ROOM])
{
    if (g->entries[i].instances > 1)
        snprintf(slug, SLUG_ROOM, "s%d.v=%d", i, g->entries[i].v[k]);
    else
        snprintf(slug, SLUG_ROOM, "s%d", i);
}

static int size_of(const struct graph *g, int i, int k)
{
    const struct entry *e = &g->entries[i];

    return e->instances > 1 ? e->v[k] : e->param >= 0 ? g->params[e->param] + 1 : e->size;
}

static void add_values(const struct graph *g, struct buf *out, struct ref r, bool kinds)
{
    int first = r.at < 0 ? 0 : r.at, last = r.at < 0 ? g->entries[r.entry].instances - 1 : r.at;

    for (int k = first; k <= last; k++)
        buf_printf(out, " %c%s", kinds ? g->values[r.entry][k].kind : ' ', g->values[r.entry][k].text);
}

/* A digest of all that decides it. A program of sh sees its inputs' bytes only, not their kinds. */
static void digest_of(const struct graph *g, int i, int k, bool kinds, char digest[65])
{
    const struct entry *e = &g->entries[i];
    struct buf text = { 0 };

    buf_printf(&text, "%d %d", e->kind, e->kind == MILL ? e->modulo : size_of(g, i, k));
    for (int r = 0; r < e->read_count; r++)
        add_values(g, &text, e->reads[r], kinds);
    if (e->file)
        buf_printf(&text, " %d", e->content);
    sha256_bytes(text.p, text.n, digest);
    buf_release(&text);
}

/* Its key; and its value, which does not know the names of files. */
static void evaluate(struct graph *g, int i, int k, char key[65])
{
    static const char kinds[] = { 't', 'f', 'p', 'x', 'x' };
    const struct entry *e = &g->entries[i];
    struct value *v = &g->values[i][k];

    digest_of(g, i, k, true, key);
    v->kind = kinds[e->kind];
    if (e->kind == MILL && e->modulo == 1)
        strcpy(v->text, "0");
    else if (e->kind == COPY)
        strcpy(v->text, g->values[e->reads[0].entry][e->reads[0].at].text);
    else
        digest_of(g, i, k, e->kind != SH, v->text);
}

static size_t find_done(const struct graph *g, const char *what)
{
    size_t i = 0;

    while (i < g->done_count && strcmp(g->done[i], what) != 0)
        i++;
    return i;
}

/* at < 0: all of a matrix. */
static void graph_take_in(struct graph *g, int i, int at)
{
    for (int k = 0; k < INSTANCE_LIMIT; k++)
        g->left_out[i][k] = g->left_out[i][k] && at >= 0 && at != k;
}

/* Leaves out all that entry `until` does not wait for. */
static void graph_select_until(struct graph *g, int until)
{
    memset(g->left_out, true, sizeof g->left_out);
    graph_take_in(g, until, -1);
    for (int i = until; i >= 0; i--) {
        const struct entry *e = &g->entries[i];
        bool in = false;
        for (int k = 0; k < e->instances; k++)
            in |= !g->left_out[i][k];
        for (int k = 0; in && k < e->read_count; k++)
            graph_take_in(g, e->reads[k].entry, e->reads[k].at);
        for (int k = 0; in && k < e->need_count; k++)
            graph_take_in(g, e->needs[k], -1);
    }
}

/* Which nodes must run; they are done from now on. */
static int graph_predict(struct graph *g, bool runs[ENTRY_LIMIT][INSTANCE_LIMIT])
{
    int count = 0;

    memset(runs, 0, ENTRY_LIMIT * sizeof *runs);
    for (int i = 0; i < g->count; i++)
        for (int k = 0; !g->entries[i].gone && k < g->entries[i].instances; k++) {
            char key[65], what[SLUG_ROOM + 65], slug[SLUG_ROOM];
            if (g->left_out[i][k])
                continue;
            evaluate(g, i, k, key);
            slug_of(g, i, k, slug);
            snprintf(what, sizeof what, "%s %s", slug, key);
            strcpy(g->current[i][k], key);
            runs[i][k] = i == g->forced || find_done(g, what) == g->done_count;
            count += runs[i][k];
            if (find_done(g, what) < g->done_count)
                continue;
            assert_true(g->done_count < DONE_LIMIT);
            strcpy(g->done[g->done_count++], what);
        }
    return count;
}

/* The node's last artifact is no more. */
static void graph_forget(struct graph *g, int i, int k)
{
    char what[SLUG_ROOM + 65], slug[SLUG_ROOM];
    size_t at;

    slug_of(g, i, k, slug);
    snprintf(what, sizeof what, "%s %s", slug, g->current[i][k]);
    at = find_done(g, what);
    if (at < g->done_count)
        memmove(g->done[at], g->done[--g->done_count], sizeof g->done[at]);
}

#endif
