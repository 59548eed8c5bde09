/* A file of some name in a folder of its own, read as a source with options; what comes out, as text. */
#ifndef TUNDISH_TESTS_CURATE_ONE_FILE_H
#define TUNDISH_TESTS_CURATE_ONE_FILE_H

#include "tests/test.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "curate/source/source.h"

static const struct source_limits file_limits = {
    .max_document = 1 << 20, .max_expanded = 1 << 30, .max_ratio = 500, .max_depth = 8, .max_members = 10000
};

static inline void show(struct buf *out, const char *text)
{
    for (; *text != 0; text++)
        if (*text == '\n')
            buf_adds(out, "\\n");
        else
            buf_addc(out, *text);
}

static inline void show_raw(struct buf *out, const struct raw_document *d)
{
    assert_int_equal(d->bytes[d->n], 0);
    buf_printf(out, "%s%s%s: ", d->id, d->line_id ? " = " : "", d->line_id ? d->line_id : "");
    show(out, d->bytes);
    if (d->created)
        buf_printf(out, " @%s", d->created);
    if (d->metadata)
        buf_printf(out, " %s", d->metadata);
    buf_addc(out, '\n');
}

/* options: YAML of a flow map without braces ("text: a, id: b"), or "". Returns lines "id = own id: text @created
 * metadata" and "! outcome count first-sample"; or "failed: message". */
static inline const char *read_one(const char *name, const char *options, const void *bytes, size_t n,
                                   const struct source_limits *limits)
{
    static struct buf out;
    char folder[] = "/tmp/tundish-file-XXXXXX";
    struct raw_document *d = NULL;
    struct source *s = NULL;
    struct arena a;
    struct yaml *list;
    enum status st;
    const char *item;

    buf_clear(&out);
    buf_adds(&out, "");
    arena_init(&a);
    assert_non_null(mkdtemp(folder));
    assert_ok(file_write_atomic(path_join(&a, folder, name), bytes, n));
    item = arena_printf(&a, "[{path: '%s/%s'%s%s}]", folder, name, *options ? ", " : "", options);
    assert_ok(yaml_parse(&a, "sources", item, strlen(item), &list));
    st = source_open(list, limits, &s);
    while (st == ST_OK && (st = source_next(s, &d)) == ST_OK && d != NULL) {
        show_raw(&out, d);
        raw_document_free(d);
    }
    for (int o = 0; st == ST_OK && o < SOURCE_OUTCOME_COUNT; o++)
        if (source_stats_of(s)->outcomes[o] > 0)
            buf_printf(&out, "! %s %d %s\n", source_outcome_key(o), (int)source_stats_of(s)->outcomes[o],
                       source_stats_of(s)->samples[o][0]);
    if (st != ST_OK) {
        buf_clear(&out);
        buf_printf(&out, "failed: %s", fail_message());
    }
    source_close(s);
    assert_ok(file_remove_tree(folder));
    arena_release(&a);
    return out.p;
}

static inline void reads(const char *name, const char *options, const char *bytes, const char *want)
{
    assert_string_equal(read_one(name, options, bytes, strlen(bytes), &file_limits), want);
}

#endif
