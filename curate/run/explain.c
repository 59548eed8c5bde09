#include "curate/run/explain.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/output.h"
#include "base/stop.h"

#define NEAREST 3

/* ---- one document through the chain ---- */

static void note_step(struct arena *a, struct explain_step *s, const struct doc *d, const struct step_work *w)
{
    s->judged = true;
    s->bytes_out = d->text.n;
    s->dropped = d->dropped;
    s->value = d->value;
    s->threshold = d->threshold;
    s->value_count = w->trace.count;
    s->values = arena_array(a, w->trace.count + 1, sizeof *s->values);
    if (w->trace.count > 0)
        memcpy(s->values, w->trace.values, w->trace.count * sizeof *s->values);
    memcpy(s->counts, w->counts, sizeof s->counts);
}

static enum status pass_steps(struct arena *a, const struct chain *chain, struct doc *d, struct step_work *w,
                              struct explain_result *r)
{
    struct explain_step *steps = arena_array(a, chain->count + 1, sizeof *steps);

    r->steps = steps;
    r->count = r->dropper = chain->count;
    for (size_t i = 0; i < chain->count; i++) {
        struct explain_step *s = &steps[i];
        uint64_t before = xxh3(d->text.p, d->text.n);

        s->step = &chain->steps[i];
        s->behind = r->dropper < r->count;
        s->bytes_in = s->bytes_out = d->text.n;
        if (s->step->kind->each == NULL || (i > 0 && d->text.n == 0) || (s->behind && d->ill_formed))
            continue;
        d->dropped = NULL;
        TRY(chain_each(chain, i, d, w));
        note_step(a, s, d, w);
        s->changed = xxh3(d->text.p, d->text.n) != before;
        if (d->dropped != NULL && !s->behind)
            r->dropper = i;
    }
    return ST_OK;
}

/* ---- what to look for ---- */

struct hunt {
    struct arena *a;
    const struct explain_args *args;
    const char *wanted;              /* an id; or the beginning of one, if it is a file's */
    bool all;                        /* all documents whose ids begin so */
    const char *front;               /* of ids: the way from the source to the file that is read alone; "" : none */
    struct step_work work;
    size_t found, explained;
    char *near[NEAREST];             /* ids that are most like it, best first */
    size_t likeness[NEAREST];
    struct buf out;
};

static bool begins_with(const char *id, const char *start)
{
    size_t n = strlen(start);

    return strncmp(id, start, n) == 0 && (id[n] == 0 || strchr("/!#", id[n]) != NULL);
}

/* A corpus gives the second document of an id "~2" behind it. */
static bool is_numbered(const char *wanted, const char *id)
{
    size_t n = strlen(id);

    return strncmp(wanted, id, n) == 0 && wanted[n] == '~' && wanted[n + 1] != 0 &&
           wanted[n + 1 + strspn(wanted + n + 1, "0123456789")] == 0;
}

static bool is_wanted(const struct hunt *h, const char *id)
{
    return id != NULL && (strcmp(id, h->wanted) == 0 || (h->all ? begins_with(id, h->wanted)
                                                                 : is_numbered(h->wanted, id)));
}

/* Bytes that an id shares with what is wanted, at the beginning and end, or as a whole. */
static size_t alike(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b), head = 0, tail = 0;

    while (head < n && head < m && a[head] == b[head])
        head++;
    while (tail < n - head && tail < m - head && a[n - 1 - tail] == b[m - 1 - tail])
        tail++;
    return head + tail + (strstr(a, b) != NULL ? m : 0);
}

static void note_near(struct hunt *h, const char *id)
{
    size_t like = alike(id, h->wanted), at = NEAREST;

    for (int i = 0; i < NEAREST && h->near[i]; i++)
        if (strcmp(h->near[i], id) == 0)
            return;                 /* several sources may name it, and it is looked for more than once */
    while (at > 0 && (h->near[at - 1] == NULL || h->likeness[at - 1] < like))
        at--;
    if (at == NEAREST || like == 0)
        return;
    free(h->near[NEAREST - 1]);
    memmove(&h->near[at + 1], &h->near[at], (NEAREST - 1 - at) * sizeof *h->near);
    memmove(&h->likeness[at + 1], &h->likeness[at], (NEAREST - 1 - at) * sizeof *h->likeness);
    h->near[at] = mem_strdup(id);
    h->likeness[at] = like;
}

static enum status explain_one(struct hunt *h, struct raw_document *raw)
{
    char *place = raw->line_id ? mem_strdup(raw->id) : NULL;
    struct explain_result r = { .place = place, .kind = raw->kind };
    struct doc *d = doc_of_raw(raw, h->explained);
    enum status st;

    h->work.trace.full = true;
    st = pass_steps(h->a, h->args->chain, d, &h->work, &r);
    r.id = d->id;
    r.doc = d;
    if (st == ST_OK && h->args->json) {
        json_t *value = explain_to_json(&r);

        st = output_json(value);
        json_decref(value);
    } else if (st == ST_OK) {
        buf_clear(&h->out);
        if (h->explained > 0)
            buf_addc(&h->out, '\n');
        explain_print_text(&h->out, &r);
        st = output_text(&h->out);
    }
    h->explained++;
    doc_free(d);
    free(place);
    return st;
}

/* The id that the document has when its whole source is read. */
static void put_front(const struct hunt *h, struct raw_document *raw)
{
    struct buf id = { 0 };

    if (*h->front == 0)
        return;
    buf_printf(&id, "%s%s", h->front, raw->id);
    free(raw->id);
    raw->id = mem_strdup(id.p);
    buf_release(&id);
}

static enum status next_of(struct hunt *h, struct source *s, bool *more)
{
    struct raw_document *raw = NULL;

    if (stop_requested())
        return fail(ST_INTERRUPTED, "stopped while '%s' was looked for", h->args->what);
    TRY(source_next(s, &raw));
    *more = raw != NULL;
    if (raw == NULL)
        return ST_OK;
    if (!is_wanted(h, raw->id) && !is_wanted(h, raw->line_id)) {
        note_near(h, raw->line_id ? raw->line_id : raw->id);
        raw_document_free(raw);
        return ST_OK;
    }
    h->found++;
    put_front(h, raw);
    if (h->found <= EXPLAIN_MOST)
        return explain_one(h, raw);
    raw_document_free(raw);
    *more = false;
    log_info("'%s' has more documents than the %d that were explained; name one, as FILE#3", h->args->what,
             EXPLAIN_MOST);
    return ST_OK;
}

/* What the sources did not make a document of. */
static enum status explain_outcomes(struct hunt *h, const struct source_stats *stats)
{
    for (int o = 0; o < SOURCE_OUTCOME_COUNT; o++)
        for (int i = 0; i < 5 && stats->samples[o][i]; i++) {
            const char *id = stats->samples[o][i];
            json_t *value;
            enum status st;

            if (!is_wanted(h, id))
                continue;
            h->found++;
            if (!h->args->json) {
                buf_clear(&h->out);
                log_add_plain(&h->out, h->front);
                log_add_plain(&h->out, id);
                buf_printf(&h->out, "\n  never became a document: %s, %s\n", source_outcome_key(o), source_outcome_text(o));
                TRY(output_text(&h->out));
                continue;
            }
            value = json_pack("{s:o, s:s, s:s}", "id", json_text_of(arena_printf(h->a, "%s%s", h->front, id)), "outcome", source_outcome_key(o), "meaning",
                              source_outcome_text(o));
            st = output_json(value);
            json_decref(value);
            TRY(st);
        }
    return ST_OK;
}

static enum status look_in(struct hunt *h, const struct yaml *sources)
{
    struct source *s;
    enum status st;
    bool more = true;

    TRY(source_open(sources, h->args->limits, &s));
    do
        st = next_of(h, s, &more);
    while (st == ST_OK && more && (h->all || h->found == 0));
    if (st == ST_OK && (h->found == 0 || h->all))
        st = explain_outcomes(h, source_stats_of(s));
    source_close(s);
    return st;
}

/* ---- where to look ---- */

/* Cuts path in front of the '!' or '#' behind which it exists no more; rest: what is cut off. False: nothing of it
 * exists. */
static bool cut_existing(struct arena *a, const char *path, const char **file, const char **rest)
{
    char *copy = arena_strdup(a, path);

    for (size_t n = strlen(copy); n > 0; n--) {
        if (path[n] != 0 && path[n] != '!' && path[n] != '#')
            continue;
        copy[n] = 0;
        if (file_exists(copy)) {
            *file = copy;
            *rest = path + n;
            return true;
        }
    }
    return false;
}

static const char *item_path(const struct yaml *item)
{
    const struct yaml *path = item->kind == YAML_MAP ? yaml_get(item, "path") : item;

    return path && path->kind == YAML_SCALAR ? path->text : "";
}

/* The source with the file in place of its path, without include and exclude; item NULL: none. */
static struct yaml *item_for(struct arena *a, const struct yaml *item, const char *file)
{
    struct yaml *copy = arena_new(a, struct yaml);

    if (item == NULL || item->kind != YAML_MAP)
        return yaml_word(a, "explain", file);
    *copy = *item;
    copy->count = 0;
    copy->keys = arena_array(a, item->count, sizeof *copy->keys);
    copy->items = arena_array(a, item->count, sizeof *copy->items);
    for (size_t i = 0; i < item->count; i++) {
        const char *key = item->keys[i]->text;

        if (strcmp(key, "include") == 0 || strcmp(key, "exclude") == 0)
            continue;
        copy->keys[copy->count] = item->keys[i];
        copy->items[copy->count++] = strcmp(key, "path") == 0 ? yaml_word(a, "explain", file) : item->items[i];
    }
    return copy;
}

/* The real path in the arena; the path itself where there is none. */
static const char *real_path(struct arena *a, const char *path)
{
    char *real = realpath(path, NULL);
    const char *copy = arena_strdup(a, real ? real : path);

    free(real);
    return copy;
}

/* Does the source at that path hold the file? *front is then what its documents' ids have before the file's name: "web/a/"
 * for the source /data/web and the file /data/web/a/b.html. */
static bool holds(struct arena *a, const char *source, const char *file, const char **front)
{
    const char *top = real_path(a, source), *real = real_path(a, file);
    char *named = arena_strdup(a, source);
    size_t n = strlen(top), m = strlen(named), k = strlen(path_base(real));

    *front = "";
    while (m > 1 && named[m - 1] == '/')
        named[--m] = 0;
    if (m == 0 || strncmp(real, top, n) != 0 || (real[n] != 0 && real[n] != '/'))
        return false;
    if (real[n] == '/')
        *front = arena_printf(a, "%s%.*s", path_base(named), (int)(strlen(real) - n - k), real + n);
    return true;
}

static enum status look_in_file(struct hunt *h, const struct yaml *item, const char *file, const char *rest)
{
    struct yaml *list = NULL;
    size_t n = strlen(file);
    char *trimmed = arena_strdup(h->a, file);

    while (n > 1 && trimmed[n - 1] == '/')
        trimmed[--n] = 0;
    TRY(yaml_parse(h->a, "explain", "[]", 2, &list));
    list->count = 1;
    list->items = arena_array(h->a, 1, sizeof *list->items);
    list->items[0] = item_for(h->a, item, trimmed);
    h->wanted = arena_printf(h->a, "%s%s", path_base(trimmed), rest);
    h->front = "";
    if (item != NULL)
        (void)holds(h->a, item_path(item), trimmed, &h->front);
    h->all = true;
    return look_in(h, list);
}

static size_t source_count(const struct yaml *sources)
{
    return sources == NULL ? 0 : sources->kind == YAML_LIST ? sources->count : 1;
}

static const struct yaml *source_at(const struct yaml *sources, size_t i)
{
    return sources->kind == YAML_LIST ? sources->items[i] : sources;
}

/* As a path. */
static enum status look_by_path(struct hunt *h)
{
    const struct yaml *cover = NULL;
    const char *file, *rest, *front;

    if (!cut_existing(h->a, h->args->what, &file, &rest))
        return ST_OK;
    for (size_t i = 0; cover == NULL && i < source_count(h->args->sources); i++) {
        const struct yaml *item = source_at(h->args->sources, i);

        if (holds(h->a, item_path(item), file, &front))
            cover = item;
    }
    return look_in_file(h, cover, file, rest);
}

/* As an id whose beginning is a source's name and the way below it. */
static enum status look_by_id(struct hunt *h)
{
    for (size_t i = 0; h->found == 0 && i < source_count(h->args->sources); i++) {
        const struct yaml *item = source_at(h->args->sources, i);
        char *path = arena_strdup(h->a, item_path(item));
        const char *file, *rest, *name;
        size_t n = strlen(path);

        while (n > 1 && path[n - 1] == '/')
            path[--n] = 0;
        name = path_base(path);
        if (n == 0 || !begins_with(h->args->what, name))
            continue;
        path = arena_printf(h->a, "%s%s", path, h->args->what + strlen(name));
        if (cut_existing(h->a, path, &file, &rest))
            TRY(look_in_file(h, item, file, rest));
    }
    return ST_OK;
}

static enum status not_found(const struct hunt *h)
{
    struct buf near = { 0 };

    for (int i = 0; i < NEAREST && h->near[i]; i++) {
        buf_adds(&near, i ? ", '" : "; nearest are '");
        log_add_plain(&near, h->near[i]);
        buf_addc(&near, '\'');
    }
    fail(ST_MISSING, "no document '%s' in the sources, and no such file%s", h->args->what, near.n ? near.p : "");
    buf_release(&near);
    return ST_MISSING;
}

static enum status look(struct hunt *h)
{
    TRY(look_by_path(h));
    if (h->found == 0)
        TRY(look_by_id(h));
    if (h->found == 0 && h->args->sources != NULL) {
        h->wanted = h->args->what;
        h->front = "";
        h->all = false;
        TRY(look_in(h, h->args->sources));
    }
    return h->found > 0 ? ST_OK : not_found(h);
}

enum status explain(struct arena *a, const struct explain_args *args)
{
    struct hunt h = { .a = a, .args = args, .wanted = args->what, .front = "" };
    enum status st = chain_load(args->chain);

    if (st != ST_OK)
        return st;
    st = look(&h);
    step_work_release(args->chain, &h.work);
    chain_unload(args->chain);
    for (int i = 0; i < NEAREST; i++)
        free(h.near[i]);
    buf_release(&h.out);
    return st;
}
