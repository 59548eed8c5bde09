#include "curate/report/name_counts.h"

/* The place of a name, or where it belongs; *found says which. */
static size_t place_of(const struct name_counts *c, const char *name, bool *found)
{
    size_t low = 0, high = c->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(c->v[mid].name, name);

        if (order == 0) {
            *found = true;
            return mid;
        }
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    *found = false;
    return low;
}

static void insert(struct name_counts *c, size_t at, const char *name)
{
    if (c->count == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 8;
        c->v = mem_grow(c->v, c->cap, sizeof *c->v);
    }
    memmove(c->v + at + 1, c->v + at, (c->count - at) * sizeof *c->v);
    c->v[at] = (struct name_count){ .name = mem_strdup(name) };
    c->count++;
}

static void add_well_formed(struct name_counts *c, const struct name_count *add)
{
    bool found;
    size_t at = place_of(c, add->name, &found);

    if (!found)
        insert(c, at, add->name);
    c->v[at].documents += add->documents;
    c->v[at].bytes += add->bytes;
}

void name_counts_add(struct name_counts *c, const struct name_count *add)
{
    struct buf repaired = { 0 };

    if (utf8_valid(add->name, strlen(add->name))) {
        add_well_formed(c, add);
        return;
    }
    utf8_repair(&repaired, add->name, strlen(add->name));
    add_well_formed(c, &(struct name_count){ repaired.p, add->documents, add->bytes });
    buf_release(&repaired);
}

void name_counts_merge(struct name_counts *c, const struct name_counts *from)
{
    for (size_t i = 0; i < from->count; i++)
        add_well_formed(c, &from->v[i]);
}

struct name_count name_counts_get(const struct name_counts *c, const char *name)
{
    bool found;
    size_t at = place_of(c, name, &found);

    return found ? c->v[at] : (struct name_count){ .name = name };
}

json_t *name_counts_json(const struct name_counts *c)
{
    json_t *o = json_object();

    for (size_t i = 0; i < c->count; i++)
        json_object_set_new(o, c->v[i].name,
                            json_pack("{sIsI}", "documents", (json_int_t)c->v[i].documents, "bytes",
                                      (json_int_t)c->v[i].bytes));
    return o;
}

enum status name_counts_read(struct name_counts *c, const json_t *from, const char *what)
{
    const char *name;
    json_t *value;

    if (!json_is_object(from))
        return fail(ST_FORMAT, "%s is not an object", what);
    json_object_foreach((json_t *)from, name, value) {
        int64_t documents, bytes;

        TRY(json_get_int(value, "documents", what, &documents));
        TRY(json_get_int(value, "bytes", what, &bytes));
        if (documents < 0 || bytes < 0)
            return fail(ST_FORMAT, "%s: '%.60s' has a count below 0", what, name);
        name_counts_add(c, &(struct name_count){ name, (uint64_t)documents, (uint64_t)bytes });
    }
    return ST_OK;
}

void name_counts_release(struct name_counts *c)
{
    for (size_t i = 0; i < c->count; i++)
        free((char *)c->v[i].name);
    free(c->v);
    *c = (struct name_counts){ 0 };
}
