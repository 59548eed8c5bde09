#include "curate/filter/filter_languages.h"

#include <stdlib.h>
#include <string.h>

struct language {
    const char *code;
    void *cfg;
};
struct filter_languages {
    struct arena arena;
    struct language *list;         /* by code */
    size_t count;
    void (*discard)(void *cfg);
};

static size_t field_size(const struct opt *row)
{
    switch (row->type) {
    case OPT_T_INT: return sizeof(int64_t);
    case OPT_T_REAL: return sizeof(double);
    case OPT_T_BOOL: return sizeof(bool);
    case OPT_T_SIZE: return sizeof(uint64_t);
    case OPT_T_CHOICE: return sizeof(int);
    case OPT_T_LIST:
    case OPT_T_INPUTS: return sizeof(struct opt_list);
    case OPT_T_TREE: return sizeof(struct yaml *);
    case OPT_T_STR:
    case OPT_T_INPUT:
    case OPT_T_OUTPUT: break;
    }
    return sizeof(const char *);
}

/* Reads the map with all defaults, then takes over what it names. */
static enum status read_language(struct filter_languages *l, const struct filter_languages_args *args, const struct yaml *map, void *out)
{
    char *read = arena_alloc(&l->arena, args->cfg_size), *own = out;

    TRY(opt_from_yaml(args->opts, &l->arena, map, read));
    memcpy(own, args->cfg, args->cfg_size);
    for (size_t i = 0; i < map->count; i++) {
        const struct opt *row = opt_find(args->opts, map->keys[i]->text);

        if (row == NULL || strcmp(row->name, "profile") == 0 || strcmp(row->name, "languages") == 0 || strcmp(row->name, "extensions") == 0)
            return yaml_fail(map->keys[i], "'%.60s' cannot differ by language; want thresholds and words", map->keys[i]->text);
        memcpy(own + row->offset, read + row->offset, field_size(row));
    }
    return args->check ? args->check(own, map) : ST_OK;
}

static enum status read_all(struct filter_languages *l, const struct filter_languages_args *args)
{
    struct yaml *root;

    TRY(yaml_read_file(&l->arena, args->path, &root));
    if (root->kind != YAML_MAP)
        return yaml_fail(root, "want a map of languages, as `de: {min-words: 30}`; found %s", yaml_describe(&l->arena, root));
    l->list = arena_array(&l->arena, root->count + 1, sizeof *l->list);
    for (size_t i = 0; i < root->count; i++) {
        void *cfg = arena_alloc(&l->arena, args->cfg_size);

        TRY(read_language(l, args, root->items[i], cfg));
        if (args->finish)
            TRY(args->finish(cfg));
        l->list[l->count++] = (struct language){ root->keys[i]->text, cfg };
    }
    return ST_OK;
}

static int by_code(const void *a, const void *b)
{
    return strcmp(((const struct language *)a)->code, ((const struct language *)b)->code);
}

enum status filter_languages_load(const struct filter_languages_args *args, struct filter_languages **out)
{
    struct filter_languages *l;
    enum status st;

    *out = NULL;
    if (args->path == NULL)
        return ST_OK;
    l = mem_alloc(sizeof *l);
    arena_init(&l->arena);
    l->discard = args->discard;
    st = read_all(l, args);
    if (st != ST_OK) {
        filter_languages_free(l);
        return st;
    }
    qsort(l->list, l->count, sizeof *l->list, by_code);
    *out = l;
    return ST_OK;
}

static const struct language *find(const struct filter_languages *l, const char *code)
{
    const struct language key = { code, NULL };

    return bsearch(&key, l->list, l->count, sizeof *l->list, by_code);
}

const void *filter_languages_pick(const struct filter_languages *l, const void *own, const struct doc *d)
{
    const struct language *found;
    const char *dash;
    char code[16];

    if (l == NULL || l->count == 0 || d->language == NULL)
        return own;
    found = find(l, d->language);
    dash = strchr(d->language, '-');
    if (found == NULL && dash && (size_t)(dash - d->language) < sizeof code) {
        memcpy(code, d->language, (size_t)(dash - d->language));
        code[dash - d->language] = 0;
        found = find(l, code);
    }
    return found ? found->cfg : own;
}

void filter_languages_free(struct filter_languages *l)
{
    if (l == NULL)
        return;
    for (size_t i = 0; l->discard && i < l->count; i++)
        l->discard(l->list[i].cfg);
    arena_release(&l->arena);
    free(l);
}
