/* What a stage may take: resources, timeout, retry, in layers of which a later one wins: the
 * defaults of the files that include its own, those of its own, its own keys, the site. */
#include <math.h>
#include <string.h>

#include "pipelines/plan/plan_part.h"
#include "pipelines/plan/program.h"

#define RANK_LIMIT 100000
#define RETRY_LIMIT 1000
#define MEMORY_LEAST (1u << 20)
#define DAY 86400.0

bool plan_takes_threads(const struct command *c)
{
    return c == &stage_program || opt_find(c->opts, "threads") != NULL;
}

/* ---- numbers ---- */

enum status plan_read_count(struct arena *a, const struct yaml *map, const char *key,
                            long long limit, long long *out)
{
    const struct yaml *n = yaml_get(map, key);

    if (n == NULL)
        return ST_OK;
    if (!yaml_as_int(n, out) || *out < 1 || *out > limit)
        return yaml_fail(n, "%s: want a whole number, 1 to %lld; found %s", key, limit,
                         yaml_describe(a, n));
    return ST_OK;
}

enum status plan_read_memory(struct arena *a, const struct yaml *map, uint64_t *out)
{
    const struct yaml *n = yaml_get(map, "memory");

    if (n == NULL)
        return ST_OK;
    if (n->kind != YAML_SCALAR || !str_parse_size(n->text, out) || *out < MEMORY_LEAST
        || *out > INT64_MAX)
        return yaml_fail(n, "memory: want a size such as 512M or 4G, at least 1M; found %s",
                         yaml_describe(a, n));
    return ST_OK;
}

struct time_bounds {
    const char *key, *example;
    double least, most;           /* seconds */
    const char *least_text, *most_text;
};

static enum status read_time(struct arena *a, const struct yaml *map, const struct time_bounds *t,
                             double *out)
{
    const struct yaml *n = yaml_get(map, t->key);
    double seconds, number;

    if (n == NULL)
        return ST_OK;
    if (yaml_as_real(n, &number))
        return yaml_fail(n, "%s: want a time with its unit, such as %ss or %s; found %s", t->key,
                         n->text, t->example, yaml_describe(a, n));
    if (n->kind != YAML_SCALAR || !str_parse_duration(n->text, &seconds))
        return yaml_fail(n, "%s: want a time such as 90s, 30m, 1h30m or 2d; found %s", t->key,
                         yaml_describe(a, n));
    if (seconds < t->least || seconds > t->most)
        return yaml_fail(n, "%s: want %s to %s; found %s", t->key, t->least_text, t->most_text,
                         yaml_describe(a, n));
    *out = seconds;
    return ST_OK;
}

/* ---- resources ---- */

static enum status read_resources(struct arena *a, const struct yaml *map, struct plan_policy *p)
{
    static const struct time_bounds time = { "time", "2h", 1, 366 * DAY, "1s", "366d" };

    TRY(plan_check_keys(a, map, SCHEMA_RESOURCES));
    TRY(plan_read_count(a, map, "ranks", RANK_LIMIT, &p->ranks));
    TRY(plan_read_count(a, map, "threads", PLAN_THREAD_LIMIT, &p->threads));
    TRY(plan_read_memory(a, map, &p->memory));
    TRY(read_time(a, map, &time, &p->time));
    p->threads_at = yaml_get(map, "threads");
    p->said |= (p->ranks > 0 ? SAID_RANKS : 0u) | (p->threads > 0 ? SAID_THREADS : 0u)
               | (p->memory > 0 ? SAID_MEMORY : 0u) | (p->time > 0 ? SAID_TIME : 0u);
    return ST_OK;
}

/* ---- timeout ---- */

static enum status read_timeout(struct arena *a, const struct yaml *map, struct plan_policy *p)
{
    static const struct time_bounds timeout = { "timeout", "2h", 1, 366 * DAY, "1s", "366d" };
    const struct yaml *n = yaml_get(map, "timeout");

    if (n == NULL)
        return ST_OK;
    p->said |= SAID_TIMEOUT;
    if (n->kind == YAML_SCALAR && strcmp(n->text, "none") == 0)
        return ST_OK;
    return read_time(a, map, &timeout, &p->timeout);
}

/* ---- retry ---- */

const char *const fail_cause_words[] = {
#define X(name, word, text) word,
    FAIL_CAUSES(X)
#undef X
    NULL
};

static enum status read_cause(struct arena *a, const struct yaml *word, unsigned *on)
{
    const char *hint;

    if (word->kind != YAML_SCALAR)
        return yaml_fail(word, "retry: want the causes %s; found %s", plan_words(a, fail_cause_words),
                         yaml_describe(a, word));
    for (unsigned i = 0; i < CAUSE_COUNT; i++)
        if (strcmp(word->text, fail_cause_words[i]) == 0) {
            *on |= 1u << i;
            return ST_OK;
        }
    hint = hint_nearest(a, word->text, fail_cause_words);
    if (*hint == 0)
        hint = arena_printf(a, "; there are %s", plan_words(a, fail_cause_words));
    return yaml_fail(word, "retry: no cause '%.40s'%s", word->text, hint);
}

static enum status read_causes(struct arena *a, struct yaml *on, struct plan_retry *r)
{
    if (on == NULL)
        return ST_OK;
    r->on = 0;
    for (size_t i = 0; i < plan_item_count(on); i++)
        TRY(read_cause(a, plan_item(on, i), &r->on));
    return r->on != 0 ? ST_OK
                      : yaml_fail(on, "retry: an empty list of causes; write `retry: 0` for none");
}

static enum status read_times(struct arena *a, const struct yaml *n, struct plan_retry *r)
{
    if (!yaml_as_int(n, &r->times) || r->times < 0 || r->times > RETRY_LIMIT)
        return yaml_fail(n, "retry: want how many further attempts, 0 to %d; found %s", RETRY_LIMIT,
                         yaml_describe(a, n));
    return ST_OK;
}

static enum status read_factor(struct arena *a, const struct yaml *n, struct plan_retry *r)
{
    if (n != NULL && (!yaml_as_real(n, &r->factor) || !(r->factor >= 1 && r->factor <= 100)))
        return yaml_fail(n, "factor: want a number, 1 to 100; found %s", yaml_describe(a, n));
    return ST_OK;
}

static enum status read_retry_map(struct arena *a, const struct yaml *map, struct plan_retry *r)
{
    static const struct time_bounds wait = { "wait", "1m", 0, DAY, "0s", "1d" };
    static const struct time_bounds most = { "most", "10m", 0, 7 * DAY, "0s", "7d" };

    TRY(plan_check_keys(a, map, SCHEMA_RETRY));
    if (yaml_get(map, "times") == NULL)
        return yaml_fail(map, "'times' is missing: how many further attempts");
    TRY(read_times(a, yaml_get(map, "times"), r));
    TRY(read_causes(a, yaml_get(map, "on"), r));
    TRY(read_time(a, map, &wait, &r->wait));
    TRY(read_factor(a, yaml_get(map, "factor"), r));
    if (yaml_get(map, "most") == NULL)
        r->most = fmax(r->most, r->wait);
    TRY(read_time(a, map, &most, &r->most));
    if (r->most < r->wait)
        return yaml_fail(yaml_get(map, "most"), "most: less than `wait`, which is %g seconds",
                         r->wait);
    return ST_OK;
}

static enum status read_retry(struct arena *a, const struct yaml *n, struct plan_policy *p)
{
    p->retry = (struct plan_retry){ .on = 1u << CAUSE_LATER | 1u << CAUSE_SIGNAL
                                          | 1u << CAUSE_TIMEOUT | 1u << CAUSE_MEMORY,
                                    .wait = 10, .factor = 2, .most = 600 };
    if (n == NULL)
        return ST_OK;
    p->said |= SAID_RETRY;
    return n->kind == YAML_SCALAR ? read_times(a, n, &p->retry) : read_retry_map(a, n, &p->retry);
}

/* ---- layers ---- */

enum status plan_policy_read(struct arena *a, const struct yaml *map, struct plan_policy *out)
{
    const struct yaml *resources = yaml_get(map, "resources");

    *out = (struct plan_policy){ 0 };
    if (resources != NULL)
        TRY(read_resources(a, resources, out));
    TRY(read_timeout(a, map, out));
    return read_retry(a, yaml_get(map, "retry"), out);
}

void plan_policy_put(struct plan_policy *policy, const struct plan_policy *over)
{
    policy->said |= over->said;
    if (over->said & SAID_RANKS)
        policy->ranks = over->ranks;
    if (over->said & SAID_THREADS)
        policy->threads = over->threads;
    if (over->said & SAID_MEMORY)
        policy->memory = over->memory;
    if (over->said & SAID_TIME)
        policy->time = over->time;
    if (over->said & SAID_TIMEOUT)
        policy->timeout = over->timeout;
    if (over->said & SAID_RETRY)
        policy->retry = over->retry;
}

static void put_defaults(const struct plan_file *f, struct plan_policy *policy)
{
    if (f == NULL)
        return;
    put_defaults(f->parent, policy);
    plan_policy_put(policy, &f->defaults);
}

/* Where `with` says threads: the value, or 0 ("all processors" is no number). */
static size_t threads_in_with(const struct yaml *with, long long *threads)
{
    for (size_t i = 0; i < with->count; i++)
        if (strcmp(with->keys[i]->text, "threads") == 0) {
            if (!yaml_as_int(with->items[i], threads) || *threads < 1)
                *threads = 0;
            return i;
        }
    return with->count;
}

static void take_out(struct yaml *map, size_t i)
{
    size_t behind = map->count - i - 1;

    memmove(&map->keys[i], &map->keys[i + 1], behind * sizeof *map->keys);
    memmove(&map->items[i], &map->items[i + 1], behind * sizeof *map->items);
    map->count--;
}

/* A stage's `with: {threads: N}` is its own word on threads like `resources: {threads: N}`: only
 * one of them may reach its command line. */
static void settle_threads(struct plan_stage *s, const struct plan_policy *site)
{
    long long own = 0;
    size_t at;

    if (!plan_takes_threads(s->command))
        s->threads = 0;
    if (s->command == &stage_program || !plan_takes_threads(s->command))
        return;
    at = threads_in_with(s->with, &own);
    if (at == s->with->count)
        return;
    if (!(site->said & SAID_THREADS))
        s->threads = own;
    if (s->threads > 0)
        take_out(s->with, at);
}

void plan_policy_settle(struct plan_build *b, size_t i, const struct plan_policy *own)
{
    struct plan_stage *s = &b->plan->stages[i];
    struct plan_policy all = { .ranks = 1 }, site = { 0 };

    put_defaults(b->entries[b->entry_of[i]].file, &all);
    plan_policy_put(&all, own);
    plan_site_over(b, i, &site);
    plan_policy_put(&all, &site);
    s->ranks = all.ranks;
    s->threads = all.threads;
    s->memory = all.memory;
    s->timeout = all.said & SAID_TIMEOUT ? all.timeout : all.time;
    s->retry = all.said & SAID_RETRY ? all.retry : own->retry;
    settle_threads(s, &site);
}
