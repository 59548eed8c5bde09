/* The pipeline file and the parts that it includes, gathered into one list of stages and params. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "pipelines/plan/plan_part.h"

#define DEPTH_LIMIT 16
#define FILE_COUNT_LIMIT 256

struct gather {
    struct plan_build *b;
    struct name_index params;
    const struct plan_file **param_files;     /* one a param: the file that declares it */
    size_t param_cap;
};

/* ---- growing ---- */

/* The list with room for one more; a new one twice as long when it is full. */
static void *with_room(struct arena *a, void *list, size_t count, size_t *cap, size_t size)
{
    void *wider;

    if (count < *cap)
        return list;
    *cap = *cap ? 2 * *cap : 16;
    wider = arena_array(a, *cap, size);
    if (count > 0)
        memcpy(wider, list, count * size);
    return wider;
}

static void add_param(struct gather *g, const struct plan_file *f, struct yaml *key,
                      struct yaml *value)
{
    struct yaml *map = g->b->declared;
    size_t cap = g->param_cap;

    map->keys = with_room(g->b->arena, map->keys, map->count, &cap, sizeof(struct yaml *));
    cap = g->param_cap;
    map->items = with_room(g->b->arena, map->items, map->count, &cap, sizeof(struct yaml *));
    g->param_files = with_room(g->b->arena, g->param_files, map->count, &g->param_cap,
                               sizeof *g->param_files);
    name_index_add(&g->params, key->text);
    g->param_files[map->count] = f;
    map->keys[map->count] = key;
    map->items[map->count++] = value;
}

/* ---- params, stages ---- */

static bool includes(const struct plan_file *above, const struct plan_file *f)
{
    for (; f != NULL; f = f->parent)
        if (f == above)
            return true;
    return false;
}

static enum status take_params(struct gather *g, const struct plan_file *f)
{
    const struct yaml *params = yaml_get(f->root, "params");

    if (params == NULL)
        return ST_OK;
    if (params->kind != YAML_MAP)
        return yaml_fail(params, "params: want a map of names to values, got %s",
                         yaml_describe(g->b->arena, params));
    for (size_t i = 0; i < params->count; i++) {
        struct yaml *key = params->keys[i];
        size_t known = name_index_find(&g->params, key->text);
        if (known == NAME_NONE)
            add_param(g, f, key, params->items[i]);
        else if (!includes(g->param_files[known], f))
            return yaml_fail(key, "param '%s' stands in two files; first in %s, line %d", key->text,
                             g->param_files[known]->path, g->b->declared->keys[known]->line);
    }
    return ST_OK;
}

static enum status add_entry(struct plan_build *b, const struct plan_file *f,
                             const struct yaml *key, struct yaml *map)
{
    size_t known = name_index_find(&b->entry_names, key->text);

    if (known != NAME_NONE)
        return yaml_fail(key, "stage '%s' stands in two files; first in %s, line %d", key->text,
                         b->entries[known].file->path, b->entries[known].key->line);
    if (!name_is_good(key->text))
        return yaml_fail(key,
                         "a stage's name is letters, digits, - and _, at most 64; found '%.80s'",
                         key->text);
    if (b->entry_count == PLAN_STAGE_LIMIT)
        return yaml_fail(key, "stages: want 1 to %d stages", PLAN_STAGE_LIMIT);
    b->entries = with_room(b->arena, b->entries, b->entry_count, &b->entry_cap, sizeof *b->entries);
    name_index_add(&b->entry_names, key->text);
    b->entries[b->entry_count++] = (struct plan_entry){ .file = f, .key = key, .map = map };
    return ST_OK;
}

static enum status take_stages(struct plan_build *b, const struct plan_file *f)
{
    const struct yaml *stages = yaml_get(f->root, "stages");

    if (stages == NULL)
        return ST_OK;
    if (stages->kind != YAML_MAP)
        return yaml_fail(stages, "stages: want a map of names to stages; found %s",
                         yaml_describe(b->arena, stages));
    if (stages->count == 0 || stages->count > PLAN_STAGE_LIMIT)
        return yaml_fail(stages, "stages: want 1 to %d stages; found %zu", PLAN_STAGE_LIMIT,
                         stages->count);
    for (size_t i = 0; i < stages->count; i++)
        TRY(add_entry(b, f, stages->keys[i], stages->items[i]));
    return ST_OK;
}

/* ---- files ---- */

static enum status gather_file(struct gather *g, struct plan_file *f);

/* "a.yaml -> b.yaml -> a.yaml" */
static const char *chain_of(struct arena *a, const struct plan_file *f, const char *end)
{
    const char *text = end;

    for (; f != NULL; f = f->parent)
        text = arena_printf(a, "%s -> %s", f->path, text);
    return text;
}

/* Relative to the folder of the file that says it. */
static const char *path_from(struct arena *a, const struct plan_file *f, const char *path)
{
    const char *slash = strrchr(f->path, '/');

    if (*path == '/' || slash == NULL)
        return path;
    return arena_printf(a, "%.*s/%s", (int)(slash - f->path), f->path, path);
}

static void add_file(struct plan_build *b, struct plan_file *f)
{
    if (b->files == NULL)
        b->files = arena_array(b->arena, FILE_COUNT_LIMIT, sizeof *b->files);
    b->files[b->file_count++] = f;
}

/* A circle is refused; *known tells that the file was gathered already. */
static enum status check_file(struct plan_build *b, const struct plan_file *f, bool *known)
{
    *known = false;
    for (const struct plan_file *above = f->parent; above != NULL; above = above->parent)
        if (strcmp(above->real, f->real) == 0)
            return yaml_fail(f->at, "files include each other in a circle: %s",
                             chain_of(b->arena, f->parent, f->path));
    if (f->depth > DEPTH_LIMIT)
        return yaml_fail(f->at, "included more than %d deep: %s", DEPTH_LIMIT,
                         chain_of(b->arena, f->parent, f->path));
    for (size_t i = 0; i < b->file_count; i++)
        *known |= strcmp(b->files[i]->real, f->real) == 0;
    if (!*known && b->file_count == FILE_COUNT_LIMIT)
        return yaml_fail(f->at, "more than %d files are included", FILE_COUNT_LIMIT - 1);
    return ST_OK;
}

static enum status find_file(struct plan_build *b, struct plan_file *f)
{
    char *real = realpath(f->path, NULL);
    struct stat about;

    if (real == NULL || stat(real, &about) != 0) {
        free(real);
        return yaml_fail(f->at, "cannot include '%s': %s", f->path, strerror(errno));
    }
    f->real = arena_strdup(b->arena, real);
    free(real);
    if (!S_ISREG(about.st_mode))
        return yaml_fail(f->at, "cannot include '%s': it is no plain file", f->path);
    return ST_OK;
}

static enum status include(struct gather *g, const struct plan_file *by, const struct yaml *item)
{
    struct plan_build *b = g->b;
    struct plan_file *f = arena_new(b->arena, struct plan_file);
    enum status st;
    bool known;

    if (item->kind != YAML_SCALAR || *item->text == 0)
        return yaml_fail(item, "include: want the paths of files; found %s",
                         yaml_describe(b->arena, item));
    if (strstr(item->text, "${") != NULL)
        return yaml_fail(item, "include: files are read before params are known; write the path");
    *f = (struct plan_file){ .parent = by, .at = item, .depth = by->depth + 1,
                             .path = path_from(b->arena, by, item->text) };
    TRY(find_file(b, f));
    TRY(check_file(b, f, &known));
    if (known)
        return ST_OK;
    st = yaml_read_file(b->arena, f->path, &f->root);
    if (st == ST_IO || st == ST_LIMIT || st == ST_MISSING)
        return yaml_fail(item, "cannot include: %s", arena_strdup(b->arena, fail_message()));
    TRY(st);
    add_file(b, f);
    return gather_file(g, f);
}

static enum status gather_file(struct gather *g, struct plan_file *f)
{
    struct yaml *list = yaml_get(f->root, "include");

    TRY(plan_check_keys(g->b->arena, f->root, SCHEMA_FILE));
    if (list != NULL && plan_item_count(list) == 0)
        return yaml_fail(list, "include: an empty list; leave it out");
    TRY(take_params(g, f));
    for (size_t i = 0; list != NULL && i < plan_item_count(list); i++)
        TRY(include(g, f, plan_item(list, i)));
    return take_stages(g->b, f);
}

enum status plan_gather(struct plan_build *b, struct yaml *root)
{
    struct gather g = { .b = b, .params = { .arena = b->arena } };
    struct plan_file *f = arena_new(b->arena, struct plan_file);
    char *real = realpath(b->args->name, NULL);

    *f = (struct plan_file){ .path = b->args->name, .root = root };
    f->real = arena_strdup(b->arena, real != NULL ? real : f->path);
    free(real);
    b->declared = arena_new(b->arena, struct yaml);
    *b->declared = *root;
    b->declared->kind = YAML_MAP;
    b->declared->keys = b->declared->items = NULL;
    b->declared->count = 0;
    b->entry_names.arena = b->arena;
    add_file(b, f);
    TRY(gather_file(&g, f));
    if (b->entry_count == 0)
        return yaml_fail(root, "'stages' is missing: what this pipeline does");
    return ST_OK;
}
