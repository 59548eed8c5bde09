/*
 * What a run of bytes is, from its first 64 KiB and, where bytes alone cannot say, its name.
 *
 * The order of the questions: is it an archive or compressed (magic bytes), another known binary
 * format (magic bytes), wide text (a UTF-16 or UTF-32 byte order mark, or UTF-16 by its units), binary (NUL or many control
 * characters), nothing, HTML (first tag), XML (its declaration), a markup that is not read (first characters:
 * troff, ...), JSONL (shape of the first lines) and FHIR among it (a member "resourceType"); and only then by the name's
 * ending: Markdown, JSON lines, JSON, kinds that are skipped, tables, and what is left is text.
 *
 * An office file is a zip by its magic; the names of its first members tell which.
 *
 * To add a kind that is known by its magic bytes or its name: one row in a table of source_kind.c.
 */
#ifndef TUNDISH_CURATE_SOURCE_KIND_H
#define TUNDISH_CURATE_SOURCE_KIND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

#define CONTENT_HEAD (64u << 10)      /* bytes that a decision may look at */

enum content_kind {
    CONTENT_EMPTY,                    /* no bytes, or white space alone and
                                       * nothing behind the head */
    CONTENT_TEXT,
    CONTENT_MARKDOWN,
    CONTENT_HTML,
    CONTENT_JSONL,
    CONTENT_JSON_LIST,                /* by its name, as the next: a list that begins with an object */
    CONTENT_JSON,                     /* one object */
    CONTENT_FHIR_LINES,               /* JSON lines that are FHIR resources */
    CONTENT_FHIR,                     /* one resource */
    CONTENT_WARC,
    CONTENT_TABLE,                    /* CSV or TSV, by its name */
    CONTENT_XML,                      /* any but XHTML and drawings */
    CONTENT_ARCHIVE,                  /* .form says which */
    CONTENT_WIDE,                     /* UTF-16 or UTF-32 with a byte order mark, or text that can only be UTF-16:
                                       * convert, then ask again */
    CONTENT_BINARY,
    CONTENT_SKIPPED,                  /* text of a kind that is not read */
};

/* Which reader an archive needs. Compressions come first: they hold one unnamed member. */
enum archive_form {
    ARCHIVE_NONE,
    ARCHIVE_GZIP,
    ARCHIVE_XZ,
    ARCHIVE_ZSTD,
    ARCHIVE_BZIP2,
    ARCHIVE_LZ4,
    ARCHIVE_LZIP,
    ARCHIVE_LZMA,
    ARCHIVE_COMPRESS,
    ARCHIVE_RPM,                      /* a header before a compressed cpio */
    ARCHIVE_TAR,
    ARCHIVE_AR,
    ARCHIVE_ZIP,
    ARCHIVE_7Z,                       /* read by seeking only */
    ARCHIVE_RAR,
    ARCHIVE_RAR5,
    ARCHIVE_CPIO,
    ARCHIVE_CAB,
    ARCHIVE_LHA,
    ARCHIVE_XAR,
    ARCHIVE_ISO,
};
static inline bool archive_is_compression(enum archive_form f)
{
    return f >= ARCHIVE_GZIP && f <= ARCHIVE_RPM;
}

/* A zip that is an office program's file: its parts are no documents of their own. */
enum office_form {
    OFFICE_NONE,
    OFFICE_DOCX,                      /* Word's text */
    OFFICE_ODT,                       /* OpenDocument's text */
    OFFICE_OTHER,                     /* sheets, slides, drawings */
};

struct content {
    enum content_kind kind;
    enum archive_form form;
    enum office_form office;          /* of ARCHIVE_ZIP */
};

/* head: the first bytes; whole: there are no more than those. name:
 * a file's or member's name, without the ending of a compression that was taken off. */
struct content content_of(struct span head, bool whole, const char *name);

/* Converts text of the kind CONTENT_WIDE, all of it, to UTF-8 with a byte order mark (EF BB BF).
 * Ill-formed units become U+FFFD. */
void content_narrow(struct span wide, struct buf *out);

/* The length of name without the ending of a compression ("a.txt.gz": 5);
 * "x.tgz" keeps all of it. */
size_t content_bare_name(const char *name);

/* Bytes of a UTF-8 byte order mark at the start: 3 or 0. */
size_t content_bom(const char *p, size_t n);

/* All bytes are ASCII white space. */
bool content_blank(const char *p, size_t n);

#endif
