#include "curate/steps/split.h"

#include <stdlib.h>

#include "base/arena.h"
#include "curate/steps/sample_docs.h"

#define STREAM UINT64_C(0x73706c6974)           /* "split" */
#define NAME_MAX_BYTES 40

const struct opt split_opts[] = {
    OPT_REAL(struct split_cfg, validation, "validation", "0", 0, 1,
             "share of the documents that goes into the part `validation`"),
    OPT_REAL(struct split_cfg, test, "test", "0", 0, 1, "share that goes into the part `test`"),
    OPT_LIST(struct split_cfg, parts, "parts", "more parts, each NAME=SHARE"),
    OPT_INT(struct split_cfg, seed, "seed", "0", 0, 9e18, "another one chooses others"),
    OPT_END
};
const struct drop_reason *const split_reasons[] = { NULL };

/* "dev=0.02"; the share's text, or NULL. */
static const char *share_of(const char *word, size_t *name, double *share)
{
    const char *equals = strchr(word, '=');
    char *end;

    if (equals == NULL)
        return NULL;
    *name = (size_t)(equals - word);
    *share = strtod(equals + 1, &end);
    return *end == 0 && end > equals + 1 ? equals + 1 : NULL;
}

/* Lower-case letters, digits, '-' and '_'. */
static bool is_name(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(p[i] >= 'a' && p[i] <= 'z') && !(p[i] >= '0' && p[i] <= '9') && (i == 0 || (p[i] != '-' && p[i] != '_')))
            return false;
    return n > 0 && n <= NAME_MAX_BYTES && !(n == 7 && memcmp(p, "dropped", 7) == 0);
}

static bool is_named_before(const struct split_cfg *c, size_t i, size_t n)
{
    const char *word = c->parts.v[i];

    if ((n == 4 && memcmp(word, "test", n) == 0) || (n == 10 && memcmp(word, "validation", n) == 0))
        return true;
    while (i-- > 0)
        if (strncmp(c->parts.v[i], word, n + 1) == 0)
            return true;
    return false;
}

enum status split_check(const void *cfg, const struct yaml *at)
{
    const struct split_cfg *c = cfg;
    double sum = c->test + c->validation;

    for (size_t i = 0; i < c->parts.count; i++) {
        double share = 0;
        size_t n = 0;

        if (share_of(c->parts.v[i], &n, &share) == NULL || !(share > 0 && share <= 1))
            return yaml_fail(at, "the part '%.80s' is not NAME=SHARE with a share above 0 and up to 1 (as dev=0.02)",
                             c->parts.v[i]);
        if (!is_name(c->parts.v[i], n))
            return yaml_fail(at, "the part '%.80s' has a name that cannot be a folder's: want 1 to %d lower-case letters, "
                                 "digits, '-' or '_', and not 'dropped'", c->parts.v[i], NAME_MAX_BYTES);
        if (is_named_before(c, i, n))
            return yaml_fail(at, "the part '%.*s' is named twice ('test' and 'validation' are options of their own)",
                             (int)n, c->parts.v[i]);
        sum += share;
    }
    if (!(sum > 0))
        return yaml_fail(at, "'split' without a part; want one at least, as `split: {test: 0.01}`");
    return sum <= 1 ? ST_OK : yaml_fail(at, "the parts of 'split' have shares of %g together, want at most 1", sum);
}

static void add_part(struct split_cfg *c, const char *name, size_t n, double share)
{
    struct split_part *p = &c->v[c->count];
    double before = c->count ? p[-1].until : 0;

    if (share <= 0)
        return;
    p->name = mem_alloc(n + 1);
    memcpy(p->name, name, n);
    p->until = before + share;
    c->count++;
}

enum status split_load(void *cfg)
{
    struct split_cfg *c = cfg;

    c->count = 0;
    c->v = mem_array(c->parts.count + 2, sizeof *c->v);
    add_part(c, "validation", 10, c->validation);
    add_part(c, "test", 4, c->test);
    for (size_t i = 0; i < c->parts.count; i++) {
        double share = 0;
        size_t n = 0;

        share_of(c->parts.v[i], &n, &share);
        add_part(c, c->parts.v[i], n, share);
    }
    return ST_OK;
}

void split_unload(void *cfg)
{
    struct split_cfg *c = cfg;

    for (size_t i = 0; i < c->count; i++)
        free(c->v[i].name);
    free(c->v);
    c->v = NULL;
    c->count = 0;
}

enum status split_each(const void *cfg, struct doc *d, struct step_work *w)
{
    const struct split_cfg *c = cfg;
    double draw = id_draw((struct id_draw){ (uint64_t)c->seed, STREAM }, d);

    (void)w;
    for (size_t i = 0; d->part == NULL && i < c->count; i++)
        if (draw < c->v[i].until)
            d->part = c->v[i].name;
    return ST_OK;
}

const char *split_part(const void *cfg, size_t i)
{
    const struct split_cfg *c = cfg;

    return i < c->count ? c->v[i].name : NULL;
}
