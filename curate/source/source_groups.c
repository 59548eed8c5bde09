/* The files of all sources, cut into groups. */
#include <string.h>
#include <sys/stat.h>

#include "curate/source/source_part.h"

struct listing {
    const struct source *source;
    struct arena *arena;
    uint64_t least;
    struct source_groups *out;
    size_t cap;
};

/* The group in hand ends before this file. */
static struct source_group *begin_group(struct listing *l, size_t item, const char *path)
{
    struct source_groups *g = l->out;

    if (g->count == l->cap) {
        struct source_group *old = g->v;

        l->cap = l->cap ? l->cap * 2 : 16;
        g->v = arena_array(l->arena, l->cap, sizeof *g->v);
        if (g->count > 0)
            memcpy(g->v, old, g->count * sizeof *old);
    }
    if (g->count > 0) {
        g->v[g->count - 1].next_item = item;
        g->v[g->count - 1].next_path = path;
    }
    g->v[g->count] = (struct source_group){ .item = item, .next_item = l->source->item_count, .path = path };
    return &g->v[g->count++];
}

static void add_file(struct listing *l, size_t item, const char *path, uint64_t bytes)
{
    struct source_group *g = &l->out->v[l->out->count - 1];

    if (g->bytes >= l->least)
        g = begin_group(l, item, arena_strdup(l->arena, path));
    if (l->source->items[item].command.count > 0) {
        g->program = true;
        path = l->source->items[item].name;
    }
    if (g->files++ == 0)
        g->first = arena_strdup(l->arena, path);
    g->bytes += bytes > SOURCE_FILE_LEAST ? bytes : SOURCE_FILE_LEAST;
    g->disk += bytes;
    l->out->files++;
    l->out->bytes += bytes;
}

static uint64_t size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

static void list_item(struct listing *l, size_t number)
{
    const struct source_item *item = &l->source->items[number];
    struct path_walk *walk = path_walk_new(item->path, NULL, NULL);
    enum path_found found;
    const char *path;

    while ((found = path_walk_next(walk, &path)) != PATH_END) {
        char *id = item_file_id(item, path);

        if (!item_leaves_out(item, id, false))
            add_file(l, number, path, found == PATH_FILE ? size_of(path) : 0);
        free(id);
    }
    path_walk_free(walk);
}

enum status source_groups_list(const struct source *s, uint64_t least, struct arena *a, struct source_groups *out)
{
    struct listing l = { .source = s, .arena = a, .least = least, .out = out };

    *out = (struct source_groups){ 0 };
    begin_group(&l, 0, NULL);
    for (size_t i = 0; i < s->item_count; i++)
        list_item(&l, i);
    return ST_OK;
}
