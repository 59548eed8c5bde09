/* Matrices: one stage for each combination of values, with names and slugs. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/hash.h"
#include "pipelines/plan/plan_part.h"

#define KEY_LIMIT 8                /* of one matrix */
#define SHOWN_LIMIT 40             /* bytes of a value in a name */
#define SLUG_LIMIT 120             /* file names have 255, and the slug is not alone in one */
#define COPY_LIMIT (64u << 20)     /* bytes that all matrices together may make */

/* ---- what a matrix says ---- */

static enum status check_matrix_key(struct plan_build *b, const struct yaml *key)
{
    if (!name_is_good(key->text))
        return yaml_fail(key, "a matrix key is letters, digits, - and _, at most 64; found '%.80s'",
                         key->text);
    if (name_index_find(&b->params->index, key->text) != NAME_NONE)
        return yaml_fail(key, "'%s' is a param of this pipeline, too; give one another name",
                         key->text);
    return ST_OK;
}

/* The value as it stands in names; NULL: its number must do. */
static const char *shown_value(const struct yaml *value)
{
    static const char good[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-/:%";

    if (value->kind != YAML_SCALAR || *value->text == 0 || strlen(value->text) > SHOWN_LIMIT
        || value->text[strspn(value->text, good)] != 0)
        return NULL;
    return value->text;
}

/* Two stages of one name could not be told apart. */
static enum status refuse_twins(struct plan_build *b, const struct yaml *key,
                                const struct yaml *list)
{
    struct name_index seen = { .arena = b->arena };

    for (size_t i = 0; i < list->count; i++) {
        const char *shown = shown_value(list->items[i]);
        if (shown == NULL)
            continue;
        if (name_index_find(&seen, shown) != NAME_NONE)
            return yaml_fail(list->items[i], "matrix: '%s' has the value %s twice", key->text,
                             shown);
        name_index_add(&seen, shown);
    }
    return ST_OK;
}

static enum status check_axis(struct plan_build *b, const struct yaml *key, const struct yaml *list)
{
    TRY(check_matrix_key(b, key));
    if (list->kind != YAML_LIST || list->count == 0)
        return yaml_fail(list, "matrix: want a list of at least one value for '%s'; found %s",
                         key->text,
                         list->kind == YAML_LIST ? "an empty one" : yaml_describe(b->arena, list));
    return refuse_twins(b, key, list);
}

/* How many stages the entry is. The product is bounded before anything is made of it. */
static enum status count_stages(struct plan_build *b, const struct yaml *matrix, size_t *count)
{
    *count = 1;
    if (matrix->kind != YAML_MAP || matrix->count == 0 || matrix->count > KEY_LIMIT)
        return yaml_fail(matrix, "matrix: want a map of 1 to %d names to lists of values; found %s",
                         KEY_LIMIT,
                         matrix->kind == YAML_MAP ? arena_printf(b->arena, "%zu", matrix->count)
                                                  : yaml_describe(b->arena, matrix));
    for (size_t i = 0; i < matrix->count; i++) {
        TRY(check_axis(b, matrix->keys[i], matrix->items[i]));
        if (matrix->items[i]->count > PLAN_STAGE_LIMIT / *count)
            return yaml_fail(matrix, "matrix: more than %d stages", PLAN_STAGE_LIMIT);
        *count *= matrix->items[i]->count;
    }
    return ST_OK;
}

static enum status count_entry(struct plan_build *b, struct plan_entry *e)
{
    struct yaml *matrix;

    TRY(plan_check_keys(b->arena, e->map, SCHEMA_STAGE));
    matrix = yaml_get(e->map, "matrix");
    e->first = b->plan->count;
    e->count = 1;
    if (matrix != NULL) {
        TRY(params_apply(b->params, matrix));
        TRY(count_stages(b, matrix, &e->count));
        b->copied += e->count * (tree_bytes(e->map) - tree_bytes(matrix));
    }
    b->plan->count += e->count;
    if (b->plan->count > PLAN_STAGE_LIMIT)
        return yaml_fail(matrix != NULL ? matrix : e->key, "more than %d stages",
                         PLAN_STAGE_LIMIT);
    if (b->copied > COPY_LIMIT)
        return yaml_fail(matrix, "matrix: the copies of this stage take more than %u MiB",
                         COPY_LIMIT >> 20);
    return ST_OK;
}

/* ---- the stages ---- */

/* The combination of that number: the last key's value changes first. */
static struct param_scope scope_of(struct arena *a, const struct yaml *matrix, size_t number,
                                   size_t *values)
{
    struct param_scope scope = { .count = matrix->count };

    scope.names = arena_array(a, scope.count, sizeof *scope.names);
    scope.values = arena_array(a, scope.count, sizeof *scope.values);
    for (size_t k = matrix->count; k-- > 0;) {
        values[k] = number % matrix->items[k]->count;
        number /= matrix->items[k]->count;
        scope.names[k] = matrix->keys[k]->text;
        scope.values[k] = matrix->items[k]->items[values[k]];
    }
    return scope;
}

/* "train[lr=3e-4,seed=#2]" */
static const char *instance_name(struct arena *a, const char *stage,
                                 const struct param_scope *scope, const size_t *values)
{
    struct buf text = { 0 };
    const char *kept;

    buf_printf(&text, "%s[", stage);
    for (size_t k = 0; k < scope->count; k++) {
        const char *shown = shown_value(scope->values[k]);
        buf_printf(&text, "%s%s=", k ? "," : "", scope->names[k]);
        if (shown != NULL)
            buf_adds(&text, shown);
        else
            buf_printf(&text, "#%zu", values[k] + 1);
    }
    buf_addc(&text, ']');
    kept = arena_strdup(a, text.p);
    buf_release(&text);
    return kept;
}

/* "train.lr=3e-4,seed=_2"; cut when it is long. */
static char *plain_slug(struct arena *a, const char *name)
{
    char *slug = arena_strndup(a, name, strnlen(name, SLUG_LIMIT));
    size_t n = strlen(slug);
    bool bracket = false;

    if (n > 0 && slug[n - 1] == ']')
        slug[n - 1] = 0;
    for (char *c = slug; *c; c++)
        if (*c == '[' && !bracket) {
            bracket = true;
            *c = '.';
        } else if (!isalnum((unsigned char)*c) && strchr("._=,+-", *c) == NULL) {
            *c = '_';
        }
    return slug;
}

/* Two names that give one slug, or a cut one, are told apart by a digest of the name, so that a
 * stage's files keep their names when others come and go. */
static const char *slug_of(struct arena *a, struct name_index *slugs, const char *name)
{
    const char *slug = plain_slug(a, name), *with = slug;
    bool cut = strlen(name) > SLUG_LIMIT;

    for (uint64_t seed = 0; cut || name_index_find(slugs, with) != NAME_NONE; seed++) {
        with = arena_printf(a, "%s+%08" PRIx64, slug,
                            xxh3_seed(name, strlen(name), seed) & 0xFFFFFFFF);
        cut = false;
    }
    name_index_add(slugs, with);
    return with;
}

/* The stage's own keys; each instance has its own copy to put params into. */
static struct yaml *instance_map(struct plan_build *b, const struct plan_entry *e)
{
    struct yaml *map = arena_new(b->arena, struct yaml);

    *map = *e->map;
    map->keys = arena_array(b->arena, e->map->count, sizeof *map->keys);
    map->items = arena_array(b->arena, e->map->count, sizeof *map->items);
    map->count = 0;
    for (size_t i = 0; i < e->map->count; i++)
        if (strcmp(e->map->keys[i]->text, "matrix") != 0) {
            map->keys[map->count] = e->map->keys[i];
            map->items[map->count++] = e->count == 1 ? e->map->items[i]
                                                     : tree_copy(b->arena, e->map->items[i], NULL);
        }
    return map;
}

static void add_name(struct plan_names *names, const char *name, struct plan_span span)
{
    names->spans[name_index_add(&names->index, name)] = span;
}

static void make_stages(struct plan_build *b, size_t entry, struct plan_names *names,
                        struct name_index *slugs)
{
    const struct plan_entry *e = &b->entries[entry];
    const struct yaml *matrix = yaml_get(e->map, "matrix");
    size_t values[KEY_LIMIT];

    if (matrix != NULL)
        add_name(names, e->key->text, (struct plan_span){ e->first, e->count });
    for (size_t k = 0; k < e->count; k++) {
        size_t i = e->first + k;
        struct plan_stage *s = &b->plan->stages[i];
        s->at = e->key;
        s->name = e->key->text;
        if (matrix != NULL) {
            b->scopes[i] = scope_of(b->arena, matrix, k, values);
            s->name = instance_name(b->arena, e->key->text, &b->scopes[i], values);
        }
        s->slug = slug_of(b->arena, slugs, s->name);
        b->plan->names[i] = s->name;
        b->maps[i] = matrix != NULL ? instance_map(b, e) : e->map;
        b->entry_of[i] = entry;
        add_name(names, s->name, (struct plan_span){ i, 1 });
    }
}

enum status plan_multiply(struct plan_build *b)
{
    struct plan *p = b->plan;
    struct plan_names *names = arena_new(b->arena, struct plan_names);
    struct name_index slugs = { .arena = b->arena };

    for (size_t i = 0; i < b->entry_count; i++)
        TRY(count_entry(b, &b->entries[i]));
    p->stages = arena_array(b->arena, p->count, sizeof *p->stages);
    p->names = arena_array(b->arena, p->count + 1, sizeof *p->names);
    b->scopes = arena_array(b->arena, p->count, sizeof *b->scopes);
    b->maps = arena_array(b->arena, p->count, sizeof *b->maps);
    b->entry_of = arena_array(b->arena, p->count, sizeof *b->entry_of);
    names->index.arena = b->arena;
    names->spans = arena_array(b->arena, p->count + b->entry_count, sizeof *names->spans);
    p->index = names;
    for (size_t i = 0; i < b->entry_count; i++)
        make_stages(b, i, names, &slugs);
    return ST_OK;
}
