/* The reading half of curate/run/spool.h. */
#include "curate/run/spool.h"

#include "base/arena.h"
#include "base/file.h"
#include "curate/run/chain_phases.h"
#include "curate/run/spool_format.h"

struct part {
    struct file_map map;
    const struct spool_entry *entries;
    size_t first, count;
    uint64_t text_bytes;
};
struct spool {
    const struct phases *phases;
    struct part *parts;
    size_t part_count, count, alive_count;
    uint64_t bytes, alive_bytes;
    bool *alive;
};

/* ---- opening ---- */

static enum status open_part(struct part *p, const char *path)
{
    struct spool_tail tail = { 0 };

    TRY(file_map_open(&p->map, path));
    if (p->map.n >= sizeof tail)
        memcpy(&tail, p->map.p + p->map.n - sizeof tail, sizeof tail);
    if (tail.magic != SPOOL_MAGIC || tail.index_at % 8 != 0 || tail.index_at > p->map.n - sizeof tail ||
        tail.count != (p->map.n - sizeof tail - tail.index_at) / sizeof *p->entries ||
        (p->map.n - sizeof tail - tail.index_at) % sizeof *p->entries != 0)
        return fail(ST_FORMAT, "'%s' (%zu bytes) is not a whole spool of documents; remove the .work folder to begin anew",
                    path, p->map.n);
    p->entries = (const struct spool_entry *)(const void *)(p->map.p + tail.index_at);
    p->count = tail.count;
    p->text_bytes = tail.text_bytes;
    for (size_t i = 0; i < p->count; i++)
        if (p->entries[i].at > tail.index_at || p->entries[i].text_bytes > tail.index_at - p->entries[i].at)
            return fail(ST_FORMAT, "'%s': document %zu lies outside; remove the .work folder to begin anew", path, i);
    return ST_OK;
}

static void look_who_lives(struct spool *s, const struct part *p)
{
    for (size_t i = 0; i < p->count; i++) {
        bool alive = p->entries[i].dropped == 0;

        s->alive[p->first + i] = alive;
        s->alive_count += alive;
        s->alive_bytes += alive ? p->entries[i].text_bytes : 0;
    }
}

enum status spool_open(const char *const *paths, size_t count, const struct phases *phases, struct spool **out)
{
    struct spool *s;
    enum status st = ST_OK;

    if (count > SPOOL_FILES_MAX)
        return fail(ST_LIMIT, "%zu groups wait for a step over all documents, want at most %d; want a larger --group-bytes",
                    count, SPOOL_FILES_MAX);
    s = mem_alloc(sizeof *s);
    s->phases = phases;
    s->parts = mem_array(count + 1, sizeof *s->parts);
    while (st == ST_OK && s->part_count < count) {
        struct part *p = &s->parts[s->part_count];

        st = open_part(p, paths[s->part_count++]);
        p->first = s->count;
        s->count += p->count;
        s->bytes += p->text_bytes;
    }
    if (st != ST_OK) {
        spool_close(s);
        return st;
    }
    s->alive = mem_array(s->count + 1, sizeof *s->alive);
    for (size_t i = 0; i < s->part_count; i++)
        look_who_lives(s, &s->parts[i]);
    *out = s;
    return ST_OK;
}

void spool_close(struct spool *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->part_count; i++)
        if (s->parts[i].map.p)
            file_map_close(&s->parts[i].map);
    free(s->parts);
    free(s->alive);
    free(s);
}

/* ---- numbers ---- */

size_t spool_count(const struct spool *s) { return s->count; }
size_t spool_files(const struct spool *s) { return s->part_count; }
uint64_t spool_bytes(const struct spool *s) { return s->bytes; }
uint64_t spool_file_bytes(const struct spool *s, size_t file) { return s->parts[file].text_bytes; }
bool spool_alive(const struct spool *s, size_t i) { return s->alive[i]; }
size_t spool_alive_count(const struct spool *s) { return s->alive_count; }
uint64_t spool_alive_bytes(const struct spool *s) { return s->alive_bytes; }
uint64_t spool_memory(const struct spool *s)
{
    return s->count * SPOOL_INDEX_BYTES + s->part_count * sizeof *s->parts;
}

size_t spool_first_of(const struct spool *s, size_t file)
{
    return file < s->part_count ? s->parts[file].first : s->count;
}

static const struct part *part_of(const struct spool *s, size_t i)
{
    size_t low = 0, high = s->part_count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (s->parts[middle].first <= i)
            low = middle;
        else
            high = middle;
    }
    return &s->parts[low];
}

void spool_kill(struct spool *s, size_t i)
{
    const struct part *p = part_of(s, i);

    BUG_IF(!s->alive[i]);
    s->alive[i] = false;
    s->alive_count--;
    s->alive_bytes -= p->entries[i - p->first].text_bytes;
}

uint64_t spool_key(const struct spool *s, size_t i)
{
    const struct part *p = part_of(s, i);

    return p->entries[i - p->first].key;
}

/* ---- documents ---- */

static struct spool_record record_at(const struct spool *s, size_t i, const char **fields)
{
    const struct part *p = part_of(s, i);
    const char *at = p->map.p + p->entries[i - p->first].at;
    struct spool_record r;

    memcpy(&r, at, sizeof r);
    *fields = at + sizeof r;
    return r;
}

/* The field at *p, or NULL; *p moves behind it. */
static const char *next_field(const struct spool_record *r, int i, const char **p)
{
    const char *field = *p;

    if (r->n[i] == SPOOL_ABSENT)
        return NULL;
    *p += (size_t)r->n[i] + 1;
    return field;
}

const char *spool_id(const struct spool *s, size_t i)
{
    const char *p;
    struct spool_record r = record_at(s, i, &p);

    return next_field(&r, SPOOL_ID, &p);
}

const char *spool_language(const struct spool *s, size_t i)
{
    const char *p, *language = NULL;
    struct spool_record r = record_at(s, i, &p);

    for (int f = 0; f <= SPOOL_LANGUAGE; f++)
        language = next_field(&r, f, &p);
    return language;
}

struct span spool_text(const struct spool *s, size_t i)
{
    const char *p;
    struct spool_record r = record_at(s, i, &p);

    for (int f = 0; f < SPOOL_FIELDS; f++)
        next_field(&r, f, &p);
    return (struct span){ p, r.text_bytes };
}

static char *copy_or_null(const char *s) { return s ? mem_strdup(s) : NULL; }

static void read_fields(struct doc *d, const struct spool_record *r, const char **p)
{
    char **const fields[SPOOL_FIELDS] = {
        [SPOOL_ID] = &d->id, [SPOOL_SOURCE] = &d->source, [SPOOL_CREATED] = &d->created,
        [SPOOL_METADATA] = &d->metadata, [SPOOL_TITLE] = &d->title, [SPOOL_LANGUAGE] = &d->language,
    };

    for (int i = 0; i < SPOOL_FIELDS; i++) {
        const char *field = next_field(r, i, p);

        if (fields[i])
            *fields[i] = copy_or_null(field);
        else if (field)
            buf_add(&d->scores, field, r->n[i]);
    }
}

struct doc *spool_doc(const struct spool *s, size_t i)
{
    const char *p;
    struct spool_record r = record_at(s, i, &p);
    struct doc *d = mem_alloc(sizeof *d);

    d->number = r.number;
    d->kind = (enum raw_kind)r.kind;
    d->ill_formed = r.ill_formed != 0;
    d->edits = r.edits;
    d->language_score = r.language_score;
    d->value = r.value;
    d->threshold = r.threshold;
    if (r.part)
        d->part = s->phases->parts[r.part - 1];
    if (r.dropped) {
        d->dropped_by = r.dropped_by;
        d->dropped = phases_reason_at(s->phases, r.dropped_by, r.dropped - 1);
    }
    read_fields(d, &r, &p);
    buf_add(&d->text, p, r.text_bytes);
    return d;
}
