/*
 * CSV and TSV: the first row names the columns, each further row is a document.
 *
 * Rows are cut as RFC 4180 says and as spreadsheets write them: fields in quotes may hold separators, line breaks and
 * doubled quotes; a quote inside a field that does not begin with one is a letter. The separator is the option's, that
 * of a first line "sep=;", or the one of `\t ; , |` that the first row has most of. A row that does not fit (text behind
 * a closing quote, a quote that never closes, more or fewer fields than columns) is counted with its line. Extra fields
 * at a row's end that are empty are forgiven: spreadsheets write them.
 *
 * One look at each byte; memory is one row, whose fields lie one behind the other in `row`.
 */
#include <stdio.h>
#include <strings.h>

#include "curate/source/source_part.h"

#define COLUMNS_MAX 4096
#define NAME_MAX_BYTES 128      /* of a column's name, which stands in each row's metadata */

enum field_state { FIELD_START, FIELD_PLAIN, FIELD_QUOTED, FIELD_QUOTE };

struct table {
    struct recode *recode;            /* NULL: UTF-8, or what calls itself so */
    char separator;
    enum field_state state;
    bool after_return;                /* the last row ended with CR: a LF belongs to it */
    bool quoted, broken, too_long;    /* of the row in hand */
    uint64_t line, row_line;          /* from 1; of the byte in hand, of the row's first */
    struct buf row;
    size_t *ends, count, cap;         /* where the row's fields end */
    char **names;                     /* of columns, UTF-8; NULL: the first row is to come */
    size_t columns;
    size_t *text, text_count, id;     /* columns; id = columns: none */
    bool *told;                       /* columns that go into metadata */
};

/* ---- cutting ---- */

static void end_field(struct table *t)
{
    t->state = FIELD_START;
    if (t->too_long)
        return;
    if (t->count == COLUMNS_MAX) {
        t->broken = true;
        return;
    }
    if (t->count == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->ends = mem_grow(t->ends, t->cap, sizeof *t->ends);
    }
    t->ends[t->count++] = t->row.n;
}

static void add_bytes(struct table *t, const char *p, size_t n, uint64_t limit)
{
    t->too_long = t->too_long || n > limit - t->row.n;
    if (!t->too_long)
        buf_add(&t->row, p, n);
}

static void begin_row(struct table *t)
{
    buf_clear(&t->row);
    t->count = 0;
    t->quoted = t->broken = t->too_long = false;
    t->row_line = t->line;
}

/* The bytes at p that the state takes without a change. */
static size_t plain_run(const struct table *t, const char *p, const char *end)
{
    const char *q = p;

    if (t->state == FIELD_QUOTED) {
        q = memchr(p, '"', (size_t)(end - p));
        return q != NULL ? (size_t)(q - p) : (size_t)(end - p);
    }
    while (q < end && *q != t->separator && *q != '\n' && *q != '\r')
        q++;
    return (size_t)(q - p);
}

/* One byte at which a field's state changes; true at the end of a row. */
static bool take_mark(struct table *t, char c, uint64_t limit)
{
    if (t->state == FIELD_QUOTED) {               /* c is a quote */
        t->state = FIELD_QUOTE;
    } else if (c == t->separator) {
        end_field(t);
    } else if (c == '\n' || c == '\r') {
        end_field(t);
        t->after_return = c == '\r';
        t->line++;
        return true;
    } else if (c == '"' && t->state == FIELD_START) {
        t->state = FIELD_QUOTED;
        t->quoted = true;
    } else if (c == '"' && t->state == FIELD_QUOTE) {
        add_bytes(t, &c, 1, limit);
        t->state = FIELD_QUOTED;
    } else {                                      /* text behind a closing quote */
        t->broken = true;
        add_bytes(t, &c, 1, limit);
        t->state = FIELD_PLAIN;
    }
    return false;
}

/* Takes bytes up to a row's end; returns how many, *ended where it was there. */
static size_t take(struct table *t, struct span s, uint64_t limit, bool *ended)
{
    const char *p = s.p, *end = s.p + s.n;

    *ended = false;
    if (t->after_return && p < end) {
        p += *p == '\n';
        t->after_return = false;
    }
    while (p < end && !*ended) {
        size_t n;

        if (t->state == FIELD_START && *p != '"')
            t->state = FIELD_PLAIN;
        n = t->state == FIELD_PLAIN || t->state == FIELD_QUOTED ? plain_run(t, p, end) : 0;
        if (n > 0) {
            if (t->state == FIELD_QUOTED)
                for (const char *q = p; (q = memchr(q, '\n', n - (size_t)(q - p))) != NULL; q++)
                    t->line++;
            add_bytes(t, p, n, limit);
            p += n;
        }
        if (p < end)
            *ended = take_mark(t, *p++, limit);
    }
    return (size_t)(p - s.p);
}

enum row_end { ROW_WHOLE, ROW_NONE };

/* The next row into t->row; ROW_NONE at the end. */
static enum row_end next_row(struct level *l, struct table *t)
{
    uint64_t limit = l->source->limits.max_document;
    bool any = false, ended = false;

    begin_row(t);
    while (!ended) {
        struct span s = input_next(l->in);

        if (l->in->failed)
            return ROW_NONE;
        if (s.n == 0 && !any)
            return ROW_NONE;
        if (s.n == 0) {      /* no line break at the end; a quote that never closes takes the rest of the file */
            t->broken = t->broken || t->state == FIELD_QUOTED;
            end_field(t);
            return ROW_WHOLE;
        }
        if (!any && t->after_return && s.n == 1 && *s.p == '\n') {
            t->after_return = false;
            continue;
        }
        any = true;
        input_unread(l->in, s.n - take(t, s, limit, &ended));
    }
    return ROW_WHOLE;
}

static struct span field(const struct table *t, size_t i)
{
    size_t start = i > 0 ? t->ends[i - 1] : 0;

    return (struct span){ t->row.p ? t->row.p + start : "", t->ends[i] - start };
}

static bool is_blank_row(const struct table *t)
{
    return t->count == 1 && !t->quoted && !t->too_long && content_blank(t->row.p, t->row.n);
}

/* ---- the first row ---- */

static void add_utf8(const struct table *t, struct span text, struct buf *out)
{
    if (t->recode != NULL)
        recode_add(t->recode, text, true, out);
    else
        buf_add(out, text.p, text.n);
}

static size_t column_of(const struct table *t, const char *name)
{
    size_t i = 0;

    while (i < t->columns && strcmp(t->names[i], name) != 0)
        i++;
    return i;
}

static void fail_column(struct level *l, const struct table *t, const char *name)
{
    const char **known = mem_array(t->columns + 1, sizeof *known);
    struct buf list = { 0 };
    const char *near;

    for (size_t i = 0; i < t->columns; i++) {
        known[i] = t->names[i];
        if (list.n < 1000)
            buf_printf(&list, "%s'%.80s'", i > 0 ? ", " : "", t->names[i]);
    }
    near = strlen(name) < 64 ? str_nearest(name, known) : NULL;
    l->source->failed =
        fail(ST_CONFIG, "the table '%s' has no column '%.100s'%s%s%s; its columns: %s; name one of them in "
             "text, id or metadata of the source, or leave the file out with exclude", l->id, name,
             near ? ", near is '" : "", near ? near : "", near ? "'" : "", list.p ? list.p : "none");
    buf_release(&list);
    free(known);
}

static void name_columns(struct table *t)
{
    t->columns = t->count;
    t->names = mem_array(t->count, sizeof *t->names);
    t->told = mem_array(t->count, sizeof *t->told);
    for (size_t i = 0; i < t->count; i++) {
        struct buf raw = { 0 }, name = { 0 };
        struct span s = field(t, i);

        while (s.n > 0 && (*s.p == ' ' || *s.p == '\t'))
            s.p++, s.n--;
        while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
            s.n--;
        s.n = s.n < NAME_MAX_BYTES ? s.n : NAME_MAX_BYTES;
        add_utf8(t, s, &raw);
        utf8_repair(&name, raw.p ? raw.p : "", strlen(raw.p ? raw.p : ""));
        if (name.n == 0)
            buf_printf(&name, "column%zu", i + 1);
        t->names[i] = name.p;
        buf_release(&raw);
    }
}

/* The columns that hold the text: those of the option, or the one that is called "text"; false: neither. */
static bool choose_text(struct level *l, struct table *t)
{
    const struct source_item *item = source_item_of(l->source);

    t->text = mem_array(item->text.count + 1, sizeof *t->text);
    for (size_t i = 0; i < item->text.count; i++) {
        t->text[i] = column_of(t, item->text.v[i]);
        if (t->text[i] == t->columns) {
            fail_column(l, t, item->text.v[i]);
            return false;
        }
    }
    t->text_count = item->text.count;
    for (size_t i = 0; t->text_count == 0 && i < t->columns; i++)
        if (strcasecmp(t->names[i], "text") == 0)
            t->text[t->text_count++] = i;
    if (t->text_count == 0)
        source_outcome(l->source, SOURCE_UNNAMED, l->id);
    return t->text_count > 0;
}

static bool choose_others(struct level *l, struct table *t)
{
    const struct source_item *item = source_item_of(l->source);
    bool all = item->metadata.count == 1 && strcmp(item->metadata.v[0], "all") == 0;

    t->id = item->id_key ? column_of(t, item->id_key) : t->columns;
    if (item->id_key && t->id == t->columns) {
        fail_column(l, t, item->id_key);
        return false;
    }
    for (size_t i = 0; !all && i < item->metadata.count; i++)
        if (column_of(t, item->metadata.v[i]) == t->columns) {
            fail_column(l, t, item->metadata.v[i]);
            return false;
        }
    for (size_t i = 0; i < t->columns; i++) {
        t->told[i] = all ? i != t->id : list_has(item->metadata, span_of(t->names[i]));
        t->told[i] = t->told[i] && column_of(t, t->names[i]) == i;      /* the first of equal names */
        for (size_t k = 0; all && k < t->text_count; k++)
            t->told[i] = t->told[i] && t->text[k] != i;
    }
    return true;
}

static void read_header(struct level *l, struct table *t)
{
    do
        if (next_row(l, t) == ROW_NONE) {
            if (!l->in->failed)
                source_outcome(l->source, SOURCE_EMPTY, l->id);
            l->dead = true;
            return;
        }
    while (is_blank_row(t));
    if (t->broken || t->too_long) {
        source_outcome(l->source, t->too_long ? SOURCE_SIZE : SOURCE_BAD_ROW, l->id);
        l->dead = true;
        return;
    }
    name_columns(t);
    l->dead = !choose_text(l, t) || !choose_others(l, t);
}

/* ---- documents ---- */

static char *row_metadata(const struct table *t)
{
    struct buf json = { 0 }, value = { 0 };
    bool any = false;

    buf_adds(&json, "{");
    for (size_t i = 0; i < t->columns; i++)
        any = any || t->told[i];
    if (!any)
        return buf_release(&json), NULL;
    if (column_of(t, "kind") == t->columns || !t->told[column_of(t, "kind")])
        metadata_add(&json, span_of("kind"), span_of("table"));
    for (size_t i = 0; i < t->columns; i++)
        if (t->told[i]) {
            buf_clear(&value);
            add_utf8(t, field(t, i), &value);
            metadata_add(&json, span_of(t->names[i]), (struct span){ value.p, value.n });
        }
    buf_addc(&json, '}');
    buf_release(&value);
    return json.p;
}

static bool fits(const struct table *t)
{
    if (t->broken || t->count < t->columns)
        return false;
    return t->count == t->columns || t->ends[t->count - 1] == t->ends[t->columns - 1];
}

static struct raw_document *row_document(struct level *l, struct table *t, const char *id)
{
    struct buf text = { 0 }, name = { 0 }, clean = { 0 };
    struct raw_document *doc;

    for (size_t i = 0; i < t->text_count; i++) {
        struct span s = field(t, t->text[i]);

        if (text.n > 0 && s.n > 0)
            buf_adds(&text, source_item_of(l->source)->join);
        add_utf8(t, s, &text);
    }
    if (content_blank(text.p, text.n)) {
        buf_release(&text);
        source_outcome(l->source, SOURCE_EMPTY, id);
        return NULL;
    }
    doc = source_document(l->source, RAW_TABLE, id, &text);
    doc->metadata = row_metadata(t);
    if (t->id < t->columns && field(t, t->id).n > 0) {
        add_utf8(t, field(t, t->id), &name);
        utf8_repair(&clean, name.p, strlen(name.p));
        doc->line_id = clean.p;
        buf_release(&name);
    }
    return doc;
}

static struct raw_document *table_step(struct level *l)
{
    struct table *t = l->state;
    struct raw_document *doc = NULL;
    char *id;

    if (t->names == NULL) {
        read_header(l, t);
        return NULL;
    }
    if (next_row(l, t) == ROW_NONE) {
        l->dead = true;
        return NULL;
    }
    if (is_blank_row(t))
        return NULL;
    id = source_numbered_id(l->id, t->row_line);
    if (t->too_long)
        source_outcome(l->source, SOURCE_SIZE, id);
    else if (!fits(t))
        source_outcome(l->source, SOURCE_BAD_ROW, id);
    else
        doc = row_document(l, t, id);
    free(id);
    return doc;
}

static void table_close(struct level *l)
{
    struct table *t = l->state;

    for (size_t i = 0; t->names != NULL && i < t->columns; i++)
        free(t->names[i]);
    free(t->names);
    free(t->told);
    free(t->text);
    free(t->ends);
    buf_release(&t->row);
    recode_close(t->recode);
    free(t);
}

/* ---- the beginning ---- */

/* The separator that the first row has most of, outside of quotes; the first of equals, ',' if there is none. */
static char most_frequent(struct span head)
{
    static const char candidates[] = { '\t', ';', ',', '|' };
    size_t counts[sizeof candidates] = { 0 }, best = 2;
    bool quoted = false;

    for (size_t i = 0; i < head.n && (quoted || (head.p[i] != '\n' && head.p[i] != '\r')); i++) {
        quoted ^= head.p[i] == '"';
        for (size_t k = 0; !quoted && k < sizeof candidates; k++)
            counts[k] += head.p[i] == candidates[k];
    }
    for (size_t k = 0; k < sizeof candidates; k++)
        if (counts[k] > counts[best] || (counts[k] == counts[best] && k < best && counts[k] > 0))
            best = k;
    return candidates[best];
}

static const struct level_kind table_level = { table_step, table_close };

void table_level_open(struct source *s, struct input *in, const char *id)
{
    struct level *l = source_push(s, &table_level, in, id);
    const struct source_item *item = source_item_of(s);
    struct table *t = mem_alloc(sizeof *t);
    struct span head = input_head(in);
    size_t skip = content_bom(head.p, head.n);

    l->state = t;
    t->line = 1;
    t->recode = item->encoding != NULL && skip == 0 ? recode_open(item->encoding) : NULL;
    head.p += skip;
    head.n -= skip;
    t->separator = item->separator ? *item->separator : most_frequent(head);
    if (head.n >= 6 && strncasecmp(head.p, "sep=", 4) == 0 && strchr("\r\n", head.p[5]) != NULL) {
        t->separator = item->separator ? *item->separator : head.p[4];
        skip += head.p[5] == '\r' && head.n > 6 && head.p[6] == '\n' ? 7 : 6;
        t->line++;
    }
    if (skip > 0) {
        struct span all = input_next(in);
        input_unread(in, all.n - skip);
    }
}
