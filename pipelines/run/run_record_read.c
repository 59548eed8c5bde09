/* Run records: finding and reading them. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "pipelines/run/run_record.h"

#define ENDING ".json"
#define RECORD_LIMIT (64u << 20)
#define TIME_LENGTH 20             /* of "2026-01-31T08-00-00Z" */

/* ---- the list ---- */

/* The number behind the time, 1 for none: "...Z-2" stands behind "...Z" and before "...Z-10". */
static unsigned long number_of(const char *id)
{
    return strlen(id) > TIME_LENGTH && id[TIME_LENGTH] == '-'
               ? strtoul(id + TIME_LENGTH + 1, NULL, 10)
               : 1;
}

static int by_age(const void *x, const void *y)
{
    const char *a = *(const char *const *)x, *b = *(const char *const *)y;
    int times = strncmp(a, b, TIME_LENGTH);
    unsigned long m = number_of(a), n = number_of(b);

    if (times != 0)
        return times;
    return m != n ? (m < n ? -1 : 1) : strcmp(a, b);
}

static bool is_record_name(const char *name)
{
    return name[0] != '.' && str_ends_with(name, ENDING) && strlen(name) > strlen(ENDING)
           && utf8_valid(name, strlen(name));
}

static void add_id(struct arena *a, struct run_list *list, size_t *cap, const char *name)
{
    if (list->count + 1 >= *cap) {
        *cap = *cap ? 2 * *cap : 64;
        list->ids = mem_grow(list->ids, *cap, sizeof *list->ids);
    }
    list->ids[list->count++] = arena_strndup(a, name, strlen(name) - strlen(ENDING));
}

enum status run_record_list(struct arena *a, const char *work, struct run_list *out)
{
    const char *folder = path_join(a, work, "runs"), **ids;
    struct run_list list = { 0 };
    struct dirent *e;
    size_t cap = 0;
    DIR *d = opendir(folder);

    *out = (struct run_list){ .ids = arena_array(a, 1, sizeof *out->ids) };
    if (d == NULL && errno == ENOENT)
        return ST_OK;
    if (d == NULL)
        return fail_errno(ST_IO, "cannot open the folder '%s'", folder);
    while ((e = readdir(d)) != NULL)
        if (is_record_name(e->d_name))
            add_id(a, &list, &cap, e->d_name);
    closedir(d);
    if (list.count == 0)
        return ST_OK;
    qsort(list.ids, list.count, sizeof *list.ids, by_age);
    ids = arena_array(a, list.count + 1, sizeof *ids);
    memcpy(ids, list.ids, list.count * sizeof *ids);
    free(list.ids);
    *out = (struct run_list){ ids, list.count };
    return ST_OK;
}

char *run_record_path(struct arena *a, const char *work, const char *id)
{
    return arena_printf(a, "%s/runs/%s" ENDING, work, id);
}

/* ---- finding one ---- */

static enum status found(struct arena *a, const char *work, const struct run_list *all,
                         size_t index, struct run_place *out)
{
    *out = (struct run_place){ run_record_path(a, work, all->ids[index]), index };
    return ST_OK;
}

/* "last" or "last~N"; false if the word is neither. */
static bool is_relative(const char *word, unsigned long *back)
{
    char *end;

    *back = 0;
    if (strcmp(word, "last") == 0)
        return true;
    if (strncmp(word, "last~", 5) != 0 || !isdigit((unsigned char)word[5]))
        return false;
    errno = 0;
    *back = strtoul(word + 5, &end, 10);
    return *end == 0 && errno == 0;
}

static enum status not_found(struct arena *a, const struct run_list *all, const char *word)
{
    const char **names = arena_array(a, all->count + 2, sizeof *names), *near;

    if (all->count == 0)
        return fail(ST_MISSING, "there is no run '%.60s': no run has left a record yet", word);
    names[0] = "last";
    memcpy(names + 1, all->ids, all->count * sizeof *names);
    near = strlen(word) < 60 ? str_nearest(word, names) : NULL;
    if (near != NULL)
        return fail(ST_MISSING, "there is no run '%.60s'; did you mean '%s'?", word, near);
    return fail(ST_MISSING,
                "there is no run '%.60s'; want an id (%s ... %s), the beginning of one, last, or "
                "last~1",
                word, all->ids[0], all->ids[all->count - 1]);
}

static enum status find_by_beginning(struct arena *a, const char *work, const struct run_list *all,
                                     const char *word, struct run_place *out)
{
    size_t first = all->count;

    for (size_t i = 0; i < all->count && *word != 0; i++) {
        if (strncmp(all->ids[i], word, strlen(word)) != 0)
            continue;
        if (strcmp(all->ids[i], word) == 0)
            return found(a, work, all, i, out);
        if (first < all->count)
            return fail(ST_USAGE, "several runs begin with '%.60s': %s, %s; want more of the id",
                        word, all->ids[first], all->ids[i]);
        first = i;
    }
    return first < all->count ? found(a, work, all, first, out) : not_found(a, all, word);
}

/* A whole id wins over a longer one that begins with it ("...Z" over "...Z-2"). */
static bool find_whole(const struct run_list *all, const char *word, size_t *index)
{
    for (*index = 0; *index < all->count; ++*index)
        if (strcmp(all->ids[*index], word) == 0)
            return true;
    return false;
}

enum status run_record_find(struct arena *a, const char *work, const struct run_list *all,
                            const char *word, struct run_place *out)
{
    unsigned long back;
    size_t index;

    if (is_relative(word, &back)) {
        if (back >= all->count)
            return fail(ST_MISSING, "there is no run '%s': the folder has %zu", word, all->count);
        return found(a, work, all, all->count - 1 - back, out);
    }
    if (find_whole(all, word, &index))
        return found(a, work, all, index, out);
    if (str_ends_with(word, ENDING)) {
        *out = (struct run_place){ arena_strdup(a, word), RUN_OUTSIDE };
        return file_exists(word) ? ST_OK : fail(ST_MISSING, "there is no file '%s'", word);
    }
    return find_by_beginning(a, work, all, word, out);
}

/* ---- reading ---- */

static enum status check(const json_t *record, const char *what)
{
    const json_t *stages = json_object_get(record, "stages"), *stage;
    int64_t version = 0;
    const char *id;
    size_t i;

    if (!json_is_object(record))
        return fail(ST_FORMAT, "'%s' is no run record: want a JSON object", what);
    TRY(json_get_int(record, "tundish", what, &version));
    if (version != 1)
        return fail(ST_FORMAT, "'%s' has version %lld, want 1", what, (long long)version);
    TRY(json_get_str(record, "run", what, &id));
    if (!json_is_array(stages))
        return fail(ST_FORMAT, "'%s' is no run record: it has no list of stages", what);
    json_array_foreach(stages, i, stage)
        if (!json_is_string(json_object_get(stage, "name")))
            return fail(ST_FORMAT, "'%s': stage %zu has no name", what, i);
    return ST_OK;
}

enum status run_record_parse(const char *text, size_t n, const char *what, json_t **out)
{
    json_t *record = NULL;
    enum status st;

    TRY(json_parse(text, n, what, &record));
    st = check(record, what);
    if (st == ST_OK)
        *out = record;
    else
        json_decref(record);
    return st;
}

enum status run_record_load(const char *path, json_t **out)
{
    struct buf text = { 0 };
    enum status st = file_read(path, RECORD_LIMIT, &text);

    if (st == ST_OK)
        st = run_record_parse(text.p, text.n, path, out);
    buf_release(&text);
    return st;
}

/* names NULL: all stages, without what is long. */
static enum status load_part(const char *path, const char *const *names, json_t **out)
{
    struct buf text = { 0 }, part = { 0 };
    enum status st = file_read(path, RECORD_LIMIT, &text);

    if (st == ST_OK) {
        if (names != NULL)
            run_record_few(text.p, text.n, names, &part);
        else
            run_record_brief(text.p, text.n, &part);
        st = run_record_parse(part.p, part.n, path, out);
        if (st != ST_OK)      /* for the fault's true place */
            st = run_record_parse(text.p, text.n, path, out);
    }
    buf_release(&text);
    buf_release(&part);
    return st;
}

enum status run_record_load_brief(const char *path, json_t **out)
{
    return load_part(path, NULL, out);
}

enum status run_record_load_few(const char *path, const char *const *names, json_t **out)
{
    return load_part(path, names, out);
}

json_t *run_record_stage(const json_t *record, const char *name)
{
    json_t *stage;
    size_t i;

    json_array_foreach(json_object_get(record, "stages"), i, stage)
        if (strcmp(json_text(stage, "name"), name) == 0)
            return stage;
    return NULL;
}

