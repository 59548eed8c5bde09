/*
 * Random graphs of stages (our own, of a matrix, programs of others), random edits and damage, random kills:
 * exactly what must run runs, in an order that the graph allows, within the machine's limits, and gives the
 * bytes that a fresh run of one stage at a time gives.
 *
 * TUNDISH_PROPERTY_ROUNDS=100 runs so many times as many histories.
 */
#include "test.h"

#include <dirent.h>

#include "graph.h"
#include "pipelines/run/journal.h"
#include "procs.h"

#define HISTORIES 3
#define STEPS 8
#define KILL_HISTORIES 2
#define KILLS_LIMIT 25       /* a history, after which it is let through */
#define SEED 7000

static int rounds(void)
{
    const char *text = getenv("TUNDISH_PROPERTY_ROUNDS");

    return text != NULL && atoi(text) > 0 ? atoi(text) : 1;
}

static void nap_us(uint64_t us)
{
    struct timespec t = { (time_t)(us / 1000000), (long)(us % 1000000) * 1000 };

    nanosleep(&t, NULL);
}

static uint64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- what a run did ---- */

struct trace {
    int begun[ENTRY_LIMIT][INSTANCE_LIMIT], ended[ENTRY_LIMIT][INSTANCE_LIMIT];      /* line + 1; 0: never */
    int count, most;             /* stages; at one time */
};

static void find_node(const struct graph *g, const char *name, int *i, int *k)
{
    char slug[SLUG_ROOM];

    for (*i = 0; *i < g->count; ++*i)
        for (*k = 0; *k < g->entries[*i].instances; ++*k) {
            slug_of(g, *i, *k, slug);
            if (strcmp(slug, name) == 0 && !g->entries[*i].gone)
                return;
        }
    fail_msg("a stage ran that is not there: '%s'", name);
}

/* What the stage takes of the machine: the words of capacity.h. */
static int threads_of(const struct graph *g, const struct entry *e)
{
    int claim = e->threads > 0 ? e->threads : e->kind == SH || e->kind == COPY ? 1 : g->threads;

    return claim < g->threads ? claim : g->threads;
}

static void read_trace(const struct graph *g, struct trace *t)
{
    int live = 0, threads = 0, memory = 0, line = 0, i, k;
    struct buf text = { 0 };
    char *rest = NULL;

    memset(t, 0, sizeof *t);
    scene_read("trace", &text);
    for (char *p = strtok_r(text.p, "\n", &rest); p != NULL; p = strtok_r(NULL, "\n", &rest)) {
        char *cut = strrchr(p, '-');
        int sign = *p == '+' ? 1 : -1;
        if (cut != NULL && strlen(cut) == 13 && cut > p + 2)      /* the key behind a stage's name */
            *cut = 0;
        find_node(g, p + 2, &i, &k);
        live += sign;
        threads += sign * threads_of(g, &g->entries[i]);
        memory += sign * g->entries[i].memory;
        (sign > 0 ? t->begun : t->ended)[i][k] = ++line;
        t->count += sign > 0;
        t->most = live > t->most ? live : t->most;
        if (live > g->jobs || threads > g->threads || memory > g->memory)
            fail_msg("line %d of the trace: %d stages of %d, %d threads of %d, %d G of %d", line, live, g->jobs,
                     threads, g->threads, memory, g->memory);
    }
    buf_release(&text);
    (void)unlink("trace");
}

/* a before b, if both ran. */
static void check_order(const struct graph *g, const struct trace *t, int from, int at, int to)
{
    for (int k = 0; k < g->entries[to].instances; k++)
        for (int j = at < 0 ? 0 : at; j < (at < 0 ? g->entries[from].instances : at + 1); j++)
            if (t->begun[to][k] > 0 && t->begun[from][j] > 0 && t->ended[from][j] > t->begun[to][k])
                fail_msg("s%d (%d) began before s%d (%d) had ended", to, k, from, j);
}

static void check_trace(const struct graph *g, const struct trace *t)
{
    for (int i = 0; i < g->count; i++) {
        const struct entry *e = &g->entries[i];
        for (int k = 0; !e->gone && k < e->read_count; k++)
            check_order(g, t, e->reads[k].entry, e->reads[k].at, i);
        for (int k = 0; !e->gone && k < e->need_count; k++)
            check_order(g, t, e->needs[k], -1, i);
    }
}

static void show(const struct graph *g, const char *what)
{
    struct buf text = { 0 };

    scene_read("p.yaml", &text);
    print_error("%s (seed %llu)\n%s", what, (unsigned long long)g->rng.seed, text.p);
    buf_release(&text);
}

static int run_graph(struct scene *s, const struct graph *g, const char *work, int until)
{
    char jobs[24], threads[24], memory[24], last[24], force[24];
    const char *words[12] = { "run", "p.yaml", "--work", work, jobs, threads, memory };
    int n = 7;

    snprintf(jobs, sizeof jobs, "--jobs=%d", g->jobs);
    snprintf(threads, sizeof threads, "--threads=%d", g->threads);
    snprintf(memory, sizeof memory, "--memory=%dG", g->memory);
    snprintf(last, sizeof last, "--until=s%d", until);
    snprintf(force, sizeof force, "--force=s%d", g->forced);
    if (until >= 0)
        words[n++] = last;
    if (g->forced >= 0)
        words[n++] = force;
    return scene_run_words(s, words);
}

/* Runs, and compares with the model. How many stages there were at one time. */
static int run_and_compare(struct scene *s, struct graph *g, const char *what, int until)
{
    bool runs[ENTRY_LIMIT][INSTANCE_LIMIT];
    struct trace t;
    int wanted;

    if (until >= 0)
        graph_select_until(g, until);
    wanted = graph_predict(g, runs);
    memset(g->left_out, 0, sizeof g->left_out);
    if (run_graph(s, g, "work", until) != 0) {
        show(g, what);
        fail_msg("the run failed:\n%s", s->err.p);
    }
    read_trace(g, &t);
    check_trace(g, &t);
    for (int i = 0; i < g->count; i++)
        for (int k = 0; k < INSTANCE_LIMIT; k++)
            if (runs[i][k] != (t.begun[i][k] > 0)) {
                show(g, what);
                fail_msg("s%d (%d) %s have run:\n%s", i, k, runs[i][k] ? "should" : "should not", s->err.p);
            }
    assert_int_equal(t.count, wanted);      /* and each once */
    return t.most;
}

/* "name digest" lines of all stages; every one is done. */
static void digests(struct scene *s, const char *work, struct buf *out)
{
    json_t *all, *stage;
    size_t i;

    assert_run(s, 0, "status", "p.yaml", "--json", "--work", work);
    assert_ok(json_parse(s->out.p, s->out.n, "status", &all));
    buf_clear(out);
    json_array_foreach(json_object_get(all, "stages"), i, stage)
    {
        const char *name = json_string_value(json_object_get(stage, "name"));
        const char *digest = json_string_value(json_object_get(stage, "digest"));
        if (digest == NULL)
            fail_msg("%s: stage %s is not done:\n%s", work, name, s->out.p);
        buf_printf(out, "%s %s\n", name, digest);
    }
    json_decref(all);
}

/* ---- edits and damage ---- */

static bool is_read(const struct graph *g, int i)
{
    for (int j = i + 1; j < g->count; j++) {
        const struct entry *e = &g->entries[j];
        for (int k = 0; !e->gone && k < e->read_count; k++)
            if (e->reads[k].entry == i)
                return true;
        for (int k = 0; !e->gone && k < e->need_count; k++)
            if (e->needs[k] == i)
                return true;
    }
    return false;
}

static bool has_all(const struct graph *g, const struct entry *e)
{
    for (int k = 0; k < e->read_count; k++)
        if (g->entries[e->reads[k].entry].gone)
            return false;
    for (int k = 0; k < e->need_count; k++)
        if (g->entries[e->needs[k]].gone)
            return false;
    return true;
}

static void add_or_remove(struct graph *g, int i)
{
    struct entry *e = &g->entries[i];

    if (e->gone)
        e->gone = !has_all(g, e);
    else
        e->gone = i > 0 && !is_read(g, i);
}

static void edit(struct graph *g)
{
    int i = below(g, g->count);
    struct entry *e = &g->entries[i];
    char path[16];

    switch (below(g, 10)) {
    case 0: e->size = 1 + below(g, 5); break;
    case 1: g->params[below(g, 2)] = below(g, 4); break;
    case 2: e->content = below(g, 4); break;
    case 3: e->nap = below(g, 30); break;
    case 4: e->modulo = e->modulo == 1 ? 1000000007 : 1; break;
    case 5:
        if (e->read_count > 0 && !e->gone)
            e->reads[below(g, e->read_count)] = any_in_front(g, i, e->kind != GROW);
        break;
    case 6: add_or_remove(g, i); break;
    case 7:
        snprintf(path, sizeof path, "f%d", i);
        assert_int_equal(utimensat(AT_FDCWD, path, NULL, 0), 0);
        break;
    case 8: e->v[below(g, e->instances)] += 100; break;
    case 9:
        g->jobs = 1 + below(g, 8);
        e->threads = below(g, 4);
        e->memory = below(g, 3);
        break;
    }
}

static void artifact_of(const char *slug, char *path, size_t room)
{
    char link[64], target[256];
    ssize_t n;

    snprintf(link, sizeof link, "work/current/%s", slug);
    n = readlink(link, target, sizeof target - 1);
    assert_true(n > 3);
    target[n] = 0;
    assert_int_equal(strncmp(target, "../", 3), 0);
    snprintf(path, room, "work/%s", target + 3);
}

/* Something that a run has left is not as it left it. */
static void damage(struct graph *g)
{
    int i = below(g, g->count), k = below(g, g->entries[i].instances);
    char slug[SLUG_ROOM], path[256], part[300];

    slug_of(g, i, k, slug);
    snprintf(part, sizeof part, "work/current/%s", slug);
    if (g->entries[i].gone || !file_exists(part))      /* or it was left out until now */
        return;
    artifact_of(slug, path, sizeof path);
    switch (below(g, 6)) {
    case 0: assert_ok(file_remove_tree(path)); break;
    case 1:
        snprintf(part, sizeof part, "%s.key", path);
        assert_int_equal(unlink(part), 0);
        break;
    case 2:
        snprintf(part, sizeof part, "%s/data", path);
        assert_int_equal(truncate(part, 0), 0);
        break;
    case 3:
        snprintf(part, sizeof part, "%s/manifest.json", path);
        assert_int_equal(truncate(part, 10), 0);
        break;
    case 4: assert_int_equal(unlink("work/journal.jsonl"), 0); return;
    default: return;
    }
    graph_forget(g, i, k);
}

static void step(struct graph *g, struct entry *before)
{
    if (below(g, 3) == 0)
        damage(g);
    if (below(g, 6) == 0) {      /* back to what it was */
        memcpy(g->entries, before, sizeof g->entries);
        return;
    }
    memcpy(before, g->entries, sizeof g->entries);
    for (int n = below(g, 4); n > 0; n--)
        edit(g);
}

/* Some runs are about a part of the graph only, and some force a stage. */
static int until_of(struct graph *g)
{
    int until = below(g, 4) == 0 ? below(g, g->count) : -1;

    until = until >= 0 && g->entries[until].gone ? -1 : until;
    g->forced = below(g, 4) == 0 ? below(g, until >= 0 ? until + 1 : g->count) : -1;
    if (until >= 0 && g->forced >= 0)
        g->forced = until;      /* what is left out cannot be forced */
    if (g->forced >= 0 && g->entries[g->forced].gone)
        g->forced = -1;
    return until;
}

static void exactly_what_must_run_runs_in_order_and_within_limits(void **state)
{
    struct graph *g = mem_alloc(sizeof *g);
    struct buf want = { 0 }, got = { 0 };
    int most = 0, runs = 0;

    for (int history = 0; history < HISTORIES * rounds(); history++) {
        struct entry before[ENTRY_LIMIT];
        struct scene s;
        char what[40];
        scene_begin(&s);
        setenv("FAKE_TRACE", "trace", 1);
        graph_make(g, SEED + (uint64_t)history, 5 + history * 4 % 16);
        memcpy(before, g->entries, sizeof before);
        for (int n = 0; n < STEPS; n++, runs++) {
            int now;
            snprintf(what, sizeof what, "history %d, step %d", history, n);
            graph_write(g);
            now = run_and_compare(&s, g, what, until_of(g));
            most = now > most ? now : most;
            step(g, before);
        }
        graph_write(g);
        g->forced = -1;
        run_and_compare(&s, g, what, -1);
        run_and_compare(&s, g, "again", -1);      /* nothing */
        digests(&s, "work", &got);
        g->jobs = 1;
        assert_int_equal(run_graph(&s, g, "fresh", -1), 0);
        digests(&s, "fresh", &want);
        assert_string_equal(got.p, want.p);
        scene_end(&s);
    }
    print_message("%d runs, seeds from %d; at most %d stages at one time\n", runs, SEED, most);
    assert_true(most > 1);
    buf_release(&want);
    buf_release(&got);
    free(g);
}

/* ---- kills ---- */

/* The number behind the last "pid" in the journal; 0. */
static pid_t newest_stage(struct buf *text)
{
    const char *at = NULL;

    scene_read("work/journal.jsonl", text);
    for (const char *p = text->p; (p = strstr(p, "\"pid\":")) != NULL; p++)
        at = p;
    return at != NULL ? (pid_t)strtol(at + 6, NULL, 10) : 0;
}

static size_t count_artifacts(void)
{
    DIR *d = opendir("work/artifacts");
    struct dirent *e;
    size_t count = 0;

    while (d != NULL && (e = readdir(d)) != NULL)
        count += strchr(e->d_name, '.') == NULL || strstr(e->d_name, ".v=") != NULL;
    if (d != NULL)
        closedir(d);
    return count;
}

/* Waits until there is one artifact more than now: it is not written down as done yet. */
static void wait_for_an_artifact(void)
{
    size_t before = count_artifacts();

    for (int i = 0; i < 300 && count_artifacts() <= before; i++)
        nap_us(1000);
}

static const char *leftovers(struct buf *text)
{
    FILE *f = popen("find work \\( -name '*.tmp.*' -o -name '*.progress' -o -name '*.old.*' \\) -print", "r");
    char line[512];

    assert_non_null(f);
    buf_clear(text);
    buf_adds(text, "");
    while (fgets(line, sizeof line, f) != NULL)
        buf_adds(text, line);
    pclose(f);
    return text->p;
}

/* Starts a run and disturbs it; its exit code. */
static int disturbed_run(struct scene *s, struct graph *g, uint64_t calm, int *kills)
{
    char jobs[24];
    const char *words[] = { "run", "p.yaml", "--work", "work", jobs, "--threads=8", "--memory=9G", NULL };
    int way = below(g, 7);
    struct buf text = { 0 };
    pid_t runner, stage;
    int code;
    bool good;

    snprintf(jobs, sizeof jobs, "--jobs=%d", g->jobs);
    runner = scene_start(words);
    nap_us(1000 + rng_below(&g->rng, calm));
    stage = newest_stage(&text);
    if (way == 0)
        kill(runner, SIGINT);
    else if (way == 1)
        kill(runner, SIGTERM);
    else if (way == 2 && stage > 1 && procs_of_stages(s->folder) > 0)
        kill(stage, SIGKILL);
    else if (way == 3)
        wait_for_an_artifact();
    if (way > 2)
        kill(runner, SIGKILL);
    code = scene_wait(runner);
    *kills += code != 0;
    scene_read(".stderr", &s->err);
    good = code == 0 || code == (way < 2 ? 130 : way == 2 ? 1 : 128 + SIGKILL)
           || (way == 1 && code == 128 + SIGTERM);      /* so early that it did not listen yet */
    if (!good)
        fail_msg("way %d: exit code %d\n%s", way, code, s->err.p);
    buf_release(&text);
    return code;
}

static void check_what_is_left(struct scene *s)
{
    struct buf text = { 0 };
    struct journal *j;

    for (int i = 0; i < 200 && procs_of_stages(s->folder) > 0; i++)
        nap_us(10000);
    assert_int_equal(procs_of_stages(s->folder), 0);
    assert_string_equal(leftovers(&text), "");
    assert_ok(journal_open("work/journal.jsonl", &j));
    journal_close(j);
    buf_release(&text);
}

static int one_kill_history(struct scene *s, struct graph *g)
{
    struct buf want = { 0 }, got = { 0 };
    uint64_t calm = now_us();
    int kills = 0;

    graph_write(g);
    scene_write("pad", "");      /* programs leave enough to be hashed by a child */
    assert_int_equal(run_graph(s, g, "calm", -1), 0);
    calm = now_us() - calm;
    digests(s, "calm", &want);
    for (int n = 0; n < KILLS_LIMIT; n++)
        if (disturbed_run(s, g, calm / 2, &kills) == 0)
            break;
    if (run_graph(s, g, "work", -1) != 0)
        fail_msg("after %d kills:\n%s", kills, s->err.p);
    digests(s, "work", &got);
    assert_string_equal(got.p, want.p);
    check_what_is_left(s);
    (void)unlink("trace");
    assert_int_equal(run_graph(s, g, "work", -1), 0);
    assert_false(file_exists("trace"));      /* nothing ran */
    buf_release(&want);
    buf_release(&got);
    return kills;
}

static void runs_that_are_killed_again_and_again_give_the_same_bytes(void **state)
{
    struct graph *g = mem_alloc(sizeof *g);
    int kills = 0, histories = KILL_HISTORIES * rounds();

    for (int history = 0; history < histories; history++) {
        struct scene s;
        scene_begin(&s);
        setenv("FAKE_TRACE", "trace", 1);
        graph_make(g, SEED + 500 + (uint64_t)history, 6 + history % 10);
        for (int i = 0; i < g->count; i++)
            if (g->entries[i].kind == WALK)
                g->entries[i].size = 40 + below(g, 40);
        g->jobs = 1 + below(g, 4);
        g->memory = g->threads = 9;
        kills += one_kill_history(&s, g);
        scene_end(&s);
    }
    print_message("%d kills in %d histories, seeds from %d\n", kills, histories, SEED + 500);
    assert_true(kills >= histories);
    free(g);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exactly_what_must_run_runs_in_order_and_within_limits),
        cmocka_unit_test(runs_that_are_killed_again_and_again_give_the_same_bytes),
    };

    fake_be_program(argc, argv);
    return cmocka_run_group_tests_name("run_property", tests, NULL, NULL);
}
