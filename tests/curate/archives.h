/* Archives made in memory, and sources read to their end. */
#ifndef TUNDISH_TESTS_CURATE_ARCHIVES_H
#define TUNDISH_TESTS_CURATE_ARCHIVES_H

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "curate/source/source.h"

static inline la_ssize_t to_buf(struct archive *a, void *ctx, const void *p, size_t n)
{
    buf_add(ctx, p, n);
    return (la_ssize_t)n;
}

/* An archive that is written into out: format and filter by libarchive's names ("ustar", "zip", "7zip", "raw"; "gzip"). */
static inline struct archive *pack_begin(const char *format, const char *filter, struct buf *out)
{
    struct archive *a = archive_write_new();

    buf_clear(out);
    assert_int_equal(archive_write_set_format_by_name(a, format), ARCHIVE_OK);
    if (filter != NULL)
        assert_int_equal(archive_write_add_filter_by_name(a, filter), ARCHIVE_OK);
    archive_write_set_bytes_per_block(a, 0);
    archive_write_set_bytes_in_last_block(a, 1);
    assert_int_equal(archive_write_open(a, out, NULL, to_buf, NULL), ARCHIVE_OK);
    return a;
}

static inline void pack_entry(struct archive *a, const char *name, int type, const char *link, const void *p, size_t n)
{
    struct archive_entry *e = archive_entry_new();

    archive_entry_set_pathname(e, name);
    archive_entry_set_filetype(e, (unsigned)type);
    archive_entry_set_perm(e, 0644);
    if (link != NULL && type == AE_IFLNK)
        archive_entry_set_symlink(e, link);
    else if (link != NULL)
        archive_entry_set_hardlink(e, link);
    archive_entry_set_size(e, (la_int64_t)n);
    assert_true(archive_write_header(a, e) >= ARCHIVE_WARN);
    if (n > 0)
        assert_int_equal(archive_write_data(a, p, n), n);
    archive_entry_free(e);
}

static inline void pack_file(struct archive *a, const char *name, const char *text)
{
    pack_entry(a, name, AE_IFREG, NULL, text, strlen(text));
}

static inline void pack_end(struct archive *a)
{
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
}

/* One member, packed: format and filter as for pack_begin(). p may be out's own bytes. */
static inline void pack_one(const char *format, const char *filter, const char *name, const void *p, size_t n,
                            struct buf *out)
{
    struct buf packed = { 0 };
    struct archive *a = pack_begin(format, filter, &packed);

    pack_entry(a, name, AE_IFREG, NULL, p, n);
    pack_end(a);
    buf_release(out);
    *out = packed;
}

static const struct source_limits wide_limits = {
    .max_document = 1 << 20, .max_expanded = 1 << 30, .max_ratio = 200, .max_depth = 8, .max_members = 10000
};

/* What a source gave: one line a document, "kind id: text" (text cut at 40 bytes, line breaks as '/'), then one line an
 * outcome, "! key count first-sample". Paths are shown without `folder`. */
struct reading {
    struct buf text;
    struct source_stats stats;      /* samples are gone */
};

static inline void show_cut(struct buf *out, const char *s, const char *folder)
{
    const char *name = path_base(folder);
    size_t n = strlen(name);

    buf_adds(out, strncmp(s, name, n) == 0 && s[n] == '/' ? s + n + 1 : s);
}

static inline void show_document(struct buf *out, const struct raw_document *d, const char *folder)
{
    static const char *const kinds[] = { "text", "markdown", "html", "jsonl", "table", "xml", "fhir", "docx", "odt" };
    size_t at;

    assert_int_equal(d->bytes[d->n], 0);
    buf_printf(out, "%s ", kinds[d->kind]);
    show_cut(out, d->id, folder);
    buf_adds(out, ": ");
    at = out->n;
    buf_add(out, d->bytes, d->n < 40 ? d->n : 40);
    for (; at < out->n; at++)
        if (out->p[at] == '\n')
            out->p[at] = '/';
    buf_addc(out, '\n');
}

static inline void read_source(const char *yaml, const struct source_limits *limits, const char *folder,
                               struct reading *r)
{
    struct raw_document *d;
    struct source *s;
    struct arena a;
    struct yaml *list;

    arena_init(&a);
    buf_clear(&r->text);
    assert_ok(yaml_parse(&a, "sources", yaml, strlen(yaml), &list));
    assert_ok(source_open(list, limits, &s));
    for (;;) {
        assert_ok(source_next(s, &d));
        if (d == NULL)
            break;
        show_document(&r->text, d, folder);
        raw_document_free(d);
    }
    r->stats = *source_stats_of(s);
    for (int o = 0; o < SOURCE_OUTCOME_COUNT; o++)
        if (r->stats.outcomes[o] > 0) {
            buf_printf(&r->text, "! %s %d ", source_outcome_key(o), (int)r->stats.outcomes[o]);
            show_cut(&r->text, r->stats.samples[o][0], folder);
            buf_addc(&r->text, '\n');
        }
    source_close(s);
    arena_release(&a);
    if (r->text.p == NULL)
        buf_adds(&r->text, "");
}

#endif
