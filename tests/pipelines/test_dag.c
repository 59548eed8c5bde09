/*
 * Random graphs, random edits: exactly what must be rebuilt is rebuilt.
 *
 * The model is the definition of the cache in a few lines: a stage's value is a text made of its
 * kind, options and inputs' values (or "0" where modulo is 1: the output that never changes), and
 * it runs if no artifact of that text is left.
 */
#include "test.h"

#include "base/rng.h"
#include "scene.h"

#define STAGES 7
#define HISTORIES 6
#define EDITS 7
#define DONE_LIMIT 1000

struct model_stage {
    bool mill;
    int size, modulo, nap;       /* nap: of no consequence */
    int reads[3], read_count;    /* lower-numbered stages */
    bool file;                   /* also reads the file f<i> */
    int content;
    char value[65];              /* a digest of the definition */
};
struct model {
    struct rng rng;
    struct model_stage stages[STAGES];
    char done[DONE_LIMIT][80];   /* "stage key" */
    size_t done_count;
};

static int below(struct model *m, int n) { return (int)rng_below(&m->rng, (uint64_t)n); }

static void make_graph(struct model *m)
{
    for (int i = 0; i < STAGES; i++) {
        struct model_stage *s = &m->stages[i];
        memset(s, 0, sizeof *s);
        s->mill = i > 0 && below(m, 3) == 0;
        s->size = 1 + below(m, 5);
        s->modulo = below(m, 2) ? 1 : 1000000007;
        s->read_count = s->mill ? 1 : i == 0 ? 0 : below(m, 4);
        for (int k = 0; k < s->read_count; k++)
            s->reads[k] = below(m, i);
        s->file = !s->mill && below(m, 2);
    }
}

/* The file lists the stages backwards, so that its order is of no help. */
static void write_files(const struct model *m)
{
    struct buf text = { 0 };
    char path[16], content[16];

    buf_adds(&text, "pipeline: p\nstages:\n");
    for (int i = STAGES - 1; i >= 0; i--) {
        const struct model_stage *s = &m->stages[i];
        buf_printf(&text, "  s%d: {uses: %s, with: {nap: %d, ", i, s->mill ? "mill.fine" : "grow", s->nap);
        if (s->mill) {
            buf_printf(&text, "modulo: %d, thing: \"@s%d\"}}\n", s->modulo, s->reads[0]);
            continue;
        }
        buf_printf(&text, "size: %d, in: [", s->size);
        for (int k = 0; k < s->read_count; k++)
            buf_printf(&text, "\"@s%d\", ", s->reads[k]);
        buf_printf(&text, s->file ? "f%d]}}\n" : "]}}\n", i);
        snprintf(path, sizeof path, "f%d", i);
        snprintf(content, sizeof content, "%d", s->content);
        scene_write(path, content);
    }
    scene_write("p.yaml", text.p);
    buf_release(&text);
}

/* ---- the model's cache ---- */

static bool is_done(const struct model *m, const char *what)
{
    for (size_t i = 0; i < m->done_count; i++)
        if (strcmp(m->done[i], what) == 0)
            return true;
    return false;
}

/* Its key, a digest of all that decides it. */
static void key_of(const struct model *m, int i, char key[65])
{
    const struct model_stage *s = &m->stages[i];
    struct buf text = { 0 };

    if (s->mill)
        buf_printf(&text, "mill %d", s->modulo);
    else
        buf_printf(&text, "grow %d", s->size);
    for (int k = 0; k < s->read_count; k++)
        buf_printf(&text, " %s", m->stages[s->reads[k]].value);
    if (s->file)
        buf_printf(&text, " f%d %d", i, s->content);
    sha256_bytes(text.p, text.n, key);
    buf_release(&text);
}

/* Appends the names of the stages that must run, in order, and takes them for done. */
static void predict(struct model *m, bool *runs)
{
    for (int i = 0; i < STAGES; i++) {
        struct model_stage *s = &m->stages[i];
        char key[65], what[80];
        key_of(m, i, key);
        snprintf(what, sizeof what, "%d %s", i, key);
        runs[i] = !is_done(m, what);
        if (runs[i]) {
            assert_true(m->done_count < DONE_LIMIT);
            strcpy(m->done[m->done_count++], what);
        }
        strcpy(s->value, s->mill && s->modulo == 1 ? "0" : key);
    }
}

static void forget(struct model *m, int i)
{
    char key[65], what[80];

    key_of(m, i, key);
    snprintf(what, sizeof what, "%d %s", i, key);
    for (size_t k = 0; k < m->done_count; k++)
        if (strcmp(m->done[k], what) == 0) {
            memmove(m->done[k], m->done[--m->done_count], sizeof m->done[k]);
            return;
        }
}

/* ---- edits ---- */

static void delete_artifact(struct model *m, int i)
{
    char link[64], target[256];
    ssize_t n;

    snprintf(link, sizeof link, "work/p/current/s%d", i);
    n = readlink(link, target, sizeof target - 1);
    assert_true(n > 0);
    target[n] = 0;
    assert_int_equal(strncmp(target, "../", 3), 0);
    memmove(target + 7, target + 3, strlen(target + 3) + 1);
    memcpy(target, "work/p/", 7);
    assert_ok(file_remove_tree(target));
    forget(m, i);
}

static void edit(struct model *m)
{
    int i = below(m, STAGES);
    struct model_stage *s = &m->stages[i];

    switch (below(m, 7)) {
    case 0: s->size = 1 + below(m, 5); break;
    case 1: s->content = below(m, 4); break;
    case 2: s->nap = below(m, 3); break;
    case 3: s->modulo = s->modulo == 1 ? 1000000007 : 1; break;
    case 4: delete_artifact(m, i); break;
    case 5:
        if (s->read_count > 0)
            s->reads[below(m, s->read_count)] = below(m, i);
        break;
    case 6: break;      /* nothing */
    }
}

/* ---- comparing ---- */

static void compare(struct scene *s, struct model *m, int history, int step)
{
    const char *ran;
    bool runs[STAGES];
    size_t said = 0, wanted = 0;

    predict(m, runs);
    assert_run(s, 0, "run", "p.yaml");
    ran = scene_ran(s);
    for (const char *p = ran; *p != 0; p++)
        said += *p == 's';
    for (int i = 0; i < STAGES; i++) {
        char name[8];
        snprintf(name, sizeof name, "s%d", i);
        wanted += runs[i];
        if (runs[i] != (strstr(ran, name) != NULL))
            fail_msg("history %d, step %d: s%d %s have run; ran: %s\n%s", history, step, i,
                     runs[i] ? "should" : "should not", ran, s->err.p);
    }
    assert_int_equal(said, wanted);      /* and each once */
}

static void exactly_what_must_be_rebuilt_is_rebuilt(void **state)
{
    struct model *m = mem_alloc(sizeof *m);

    for (int history = 0; history < HISTORIES; history++) {
        struct scene s;
        scene_begin(&s);
        m->rng = (struct rng){ .seed = 20 + (uint64_t)history };
        m->done_count = 0;
        make_graph(m);
        write_files(m);
        for (int step = 0; step < EDITS; step++) {
            compare(&s, m, history, step);
            edit(m);
            if (below(m, 2))
                edit(m);
            write_files(m);
        }
        scene_end(&s);
    }
    free(m);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(exactly_what_must_be_rebuilt_is_rebuilt) };

    fake_be_program(argc, argv);
    return cmocka_run_group_tests_name("dag", tests, NULL, NULL);
}
