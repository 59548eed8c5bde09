#include "pipelines/registry/gate_report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "store/artifact/artifact.h"

#define METRICS_NAME "metrics.json"
#define METRICS_LIMIT (16ull << 20)
#define LEVELS 16                        /* of objects in metrics.json */
#define LINE_LIMIT ((size_t)1 << 20)
#define DOCUMENTS_LIMIT ((size_t)1 << 24)
#define NUMBER_LIMIT 1e15                /* sums of so many stay finite */
#define NAMES_SHOWN 20

/* ---- metrics.json ---- */

static void add_number(struct arena *a, struct gate_numbers *n, const char *name, double value)
{
    if ((n->count & (n->count - 1)) == 0) {      /* full: 0, 1, 2, 4, 8 ... */
        struct gate_number *more = arena_array(a, n->count ? n->count * 2 : 1, sizeof *more);

        if (n->count > 0)
            memcpy(more, n->v, n->count * sizeof *more);
        n->v = more;
    }
    n->v[n->count++] = (struct gate_number){ name, value };
}

static void add_members(struct arena *a, const json_t *object, const char *prefix, int level,
                        struct gate_numbers *out)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value) {
        const char *name;

        if (!json_is_number(value) && !json_is_object(value))
            continue;
        name = *prefix ? arena_printf(a, "%s.%s", prefix, key) : arena_strdup(a, key);
        if (json_is_number(value))
            add_number(a, out, name, json_number_value(value));
        else if (level < LEVELS)
            add_members(a, value, name, level + 1, out);
    }
}

enum status gate_numbers_parse(struct arena *a, const char *what, const char *text, size_t n,
                               struct gate_numbers *out)
{
    enum status st = ST_OK;
    json_t *value;

    *out = (struct gate_numbers){ 0 };
    TRY(json_parse(text, n, what, &value));
    if (json_is_object(value))
        add_members(a, value, "", 1, out);
    else
        st = fail(ST_FORMAT, "'%s' is not a JSON object", what);
    json_decref(value);
    return st;
}

/* The manifest vouches for the file: what a gate says must be what was measured. */
static enum status check_file(const char *report, const char *name)
{
    json_t *manifest;
    enum status st;

    TRY(artifact_open(report, NULL, &manifest));
    if (json_object_get(json_object_get(manifest, "files"), name) == NULL)
        st = fail(ST_CONFIG, "'%s' (kind %s) has no %s, so it has nothing for a gate", report,
                  json_string_value(json_object_get(manifest, "kind")), name);
    else
        st = artifact_verify_file(report, manifest, name);
    json_decref(manifest);
    return st;
}

enum status gate_numbers_read(struct arena *a, const char *report, struct gate_numbers *out)
{
    const char *path = path_join(a, report, METRICS_NAME);
    struct buf text = { 0 };
    enum status st;

    TRY(check_file(report, METRICS_NAME));
    st = file_read(path, METRICS_LIMIT, &text);
    if (st == ST_OK)
        st = gate_numbers_parse(a, path, text.p, text.n, out);
    buf_release(&text);
    return st;
}

/* "a, b, c and 7 more" */
static void list_names(const struct gate_numbers *numbers, struct buf *out)
{
    buf_adds(out, "");
    for (size_t i = 0; i < numbers->count && i < NAMES_SHOWN; i++)
        buf_printf(out, "%s%s", i ? ", " : "", numbers->v[i].name);
    if (numbers->count > NAMES_SHOWN)
        buf_printf(out, " and %zu more", numbers->count - NAMES_SHOWN);
}

static enum status no_such_number(const struct gate_numbers *numbers, const char *report,
                                  const char *name)
{
    const char **names = mem_array(numbers->count + 1, sizeof *names), *near;
    struct buf list = { 0 };
    enum status st;

    for (size_t i = 0; i < numbers->count; i++)
        names[i] = numbers->v[i].name;
    near = str_nearest(name, names);
    list_names(numbers, &list);
    if (near != NULL)
        st = fail(ST_CONFIG, "'%s' has no number '%s'; did you mean '%s'? There are: %s", report,
                  name, near, list.p);
    else
        st = fail(ST_CONFIG, "'%s' has no number '%s'; there are: %s", report, name,
                  numbers->count > 0 ? list.p : "none");
    buf_release(&list);
    free(names);
    return st;
}

enum status gate_numbers_find(const struct gate_numbers *numbers, const char *report,
                              const char *name, double *out)
{
    for (size_t i = 0; i < numbers->count; i++)
        if (strcmp(numbers->v[i].name, name) == 0) {
            *out = numbers->v[i].value;
            return ST_OK;
        }
    return no_such_number(numbers, report, name);
}

/* ---- documents ---- */

static enum status get_number(const json_t *line, const char *key, const char *what, double *out)
{
    TRY(json_get_real(line, key, what, out));
    if (!(fabs(*out) <= NUMBER_LIMIT))
        return fail(ST_FORMAT, "%s: '%s' is %g, want at most %g", what, key, *out, NUMBER_LIMIT);
    return ST_OK;
}

static enum status take_document(struct arena *a, const struct gate_metric *m, const char *what,
                                 const json_t *line, struct gate_document *out)
{
    const char *id;

    TRY(json_get_str(line, "id", what, &id));
    TRY(get_number(line, m->numerator, what, &out->numerator));
    out->weight = 1;
    if (m->weight != NULL)
        TRY(get_number(line, m->weight, what, &out->weight));
    if (out->weight < 0)
        return fail(ST_FORMAT, "%s: '%s' is %g, want 0 or more", what, m->weight, out->weight);
    out->numerator *= m->scale;
    out->id = arena_strdup(a, id);
    return ST_OK;
}

static enum status take_line(struct arena *a, const struct gate_metric *m, const char *what,
                             struct span text, struct gate_documents *out)
{
    json_t *line;
    enum status st;

    if (text.n > LINE_LIMIT)
        return fail(ST_LIMIT, "%s has %zu bytes, want at most %zu", what, text.n, LINE_LIMIT);
    if (out->count == DOCUMENTS_LIMIT)
        return fail(ST_LIMIT, "%s: want at most %zu documents", what, DOCUMENTS_LIMIT);
    line = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(line))
        st = fail(ST_FORMAT, "%s is not a JSON object", what);
    else
        st = take_document(a, m, what, line, &out->v[out->count]);
    json_decref(line);
    if (st == ST_OK)
        out->count++;
    return st;
}

struct numbered {
    struct gate_document d;
    size_t line;
};

static int by_id_and_line(const void *a, const void *b)
{
    const struct numbered *x = a, *y = b;
    int c = strcmp(x->d.id, y->d.id);

    return c != 0 ? c : x->line < y->line ? -1 : 1;
}

static void sort(struct gate_documents *documents)
{
    struct numbered *v = mem_array(documents->count + 1, sizeof *v);

    for (size_t i = 0; i < documents->count; i++)
        v[i] = (struct numbered){ documents->v[i], i };
    qsort(v, documents->count, sizeof *v, by_id_and_line);
    for (size_t i = 0; i < documents->count; i++)
        documents->v[i] = v[i].d;
    free(v);
}

static size_t count_lines(const char *text, size_t n)
{
    size_t lines = 0;

    for (const char *p = text, *end = text + n; p < end; lines++) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));

        p = stop != NULL ? stop + 1 : end;
    }
    return lines;
}

enum status gate_documents_parse(struct arena *a, const struct gate_metric *m, const char *what,
                                 const char *text, size_t n, struct gate_documents *out)
{
    const char *end = text + n;
    struct buf place = { 0 };
    enum status st = ST_OK;
    size_t number = 1, lines = count_lines(text, n);

    *out = (struct gate_documents){ 0 };
    out->v = arena_array(a, lines < DOCUMENTS_LIMIT ? lines : DOCUMENTS_LIMIT, sizeof *out->v);
    for (const char *p = text; st == ST_OK && p < end; number++) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        size_t length = (size_t)((stop != NULL ? stop : end) - p);

        buf_clear(&place);
        buf_printf(&place, "'%s', line %zu", what, number);
        st = take_line(a, m, place.p, (struct span){ p, length }, out);
        p += length + 1;
    }
    buf_release(&place);
    if (st == ST_OK)
        sort(out);
    return st;
}

enum status gate_documents_read(struct arena *a, const struct gate_metric *m, const char *report,
                                struct gate_documents *out)
{
    const char *path = path_join(a, report, m->file);
    struct file_map map;
    enum status st;

    TRY(check_file(report, m->file));
    TRY(file_map_open(&map, path));
    st = gate_documents_parse(a, m, path, map.p, map.n, out);
    file_map_close(&map);
    return st;
}
