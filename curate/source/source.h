/*
 * Sources: files, folders and archives (nested) become raw documents, in a fixed order.
 *
 * The order is that of sorted paths, then of members inside an archive: the same inputs give the
 * same sequence. Kind is found by content first, name second. What cannot be read is never fatal:
 * it becomes an outcome (counted by reason, with samples), and reading goes on. Only a source path
 * that does not exist, or a wrong option, is an error.
 *
 * Memory is one document (max_document; of a WARC, two) and one block an archive level, whatever the archive's
 * size; for a level of gzip or zstd the pieces that are unpacked ahead (source_unpack.h: at most 8.5 MB each, one and
 * two for each of unpack_threads, mostly under 2); the window of a decompressor comes on top, as large as the archive
 * asks for (xz -9: 64 MB; a hostile LZMA or PPMd member: up to 4 GB of addresses, of which only what its data
 * fills is touched).
 *
 * To add a kind: a row in the tables of source_kind.c; an archive kind,
 * also one in source_archive.c. How the files of this folder share the work: source_part.h.
 */
#ifndef TUNDISH_CURATE_SOURCE_H
#define TUNDISH_CURATE_SOURCE_H

#include "base/arena.h"
#include "base/opt.h"
#include "base/status.h"
#include "base/str.h"

/* What a raw document's bytes are: one list. All but HTML are text already; those of a file with many documents
 * (a line of JSONL, a row of a table, an element of XML) were taken out of their quotes or tags. */
#define RAW_KINDS(X)                                                                           \
    X(TEXT, "text") X(MARKDOWN, "markdown") X(HTML, "html") X(JSONL, "jsonl") X(TABLE, "table") \
    X(XML, "xml") X(FHIR, "fhir") X(DOCX, "docx") X(ODT, "odt")
enum raw_kind {
#define X(name, key) RAW_##name,
    RAW_KINDS(X)
#undef X
};

struct raw_document {
    enum raw_kind kind;
    char *id;            /* the source's base name, the path below it,
                          * "!member" for each archive level, "#line" for JSONL and tables,
                          * "#number" for elements of XML */
    char *source;        /* the top-level source path's base name */
    char *bytes;         /* NUL-terminated; owned */
    size_t n;
    /* What else a line, row or record says of itself; owned, NULL when absent. */
    char *line_id;       /* its "id" */
    char *created;       /* its "created" */
    char *metadata;      /* its "metadata": the raw JSON text of an object */
    char *charset;       /* the encoding that its transport names (HTTP's Content-Type), as it stands there:
                          * a word of others, weighed by `extract` */
};
void raw_document_free(struct raw_document *d);

/* Things that did not become documents, and why. One list. */
#define SOURCE_OUTCOMES(X)                                                                     \
    X(EMPTY,      "empty",             "nothing but white space")                              \
    X(BINARY,     "binary",            "not text: NUL bytes, or a known binary format")        \
    X(SKIPPED,    "skipped_kind",      "a kind that is not read (image, program, style sheet)")\
    X(TRAVERSAL,  "path_traversal",    "an archive member's name leads out of the archive")    \
    X(LINK,       "link",              "a link, device or other special file")                 \
    X(TRUNCATED,  "truncated_archive", "the archive ends too early; what came before is kept") \
    X(DAMAGED,    "damaged_archive",   "the archive cannot be read on")                        \
    X(ENCRYPTED,  "encrypted",         "a member is encrypted")                                \
    X(DEPTH,      "depth_limit",       "archives nested deeper than max-depth")                \
    X(RATIO,      "ratio_limit",       "expands more than max-ratio times: a bomb")            \
    X(SIZE,       "size_limit",        "larger than max-document")                             \
    X(MEMBERS,    "member_limit",      "more members than max-members")                        \
    X(BAD_LINE,   "bad_jsonl_line",    "a line or object of JSON that is none or has no text; where the " \
                                       "text is not in \"text\", write {path: P, text: MEMBER}") \
    X(BAD_RECORD, "bad_warc_record",   "a WARC record whose head or length is wrong; reading goes on at the next") \
    X(CUT_RECORD, "cut_warc_record",   "a WARC record or what it holds ends too early; what there is is kept") \
    X(OTHER_RECORD, "other_warc_record", "a WARC record that holds no document (request, metadata, revisit ...)") \
    X(HTTP_STATUS, "http_status",      "a web server's answer other than 200 to 299")         \
    X(ENCODING,   "unknown_encoding",  "a web server's answer in a content-encoding that is not known") \
    X(BAD_ROW,    "bad_table_row",     "a table's row with a wrong number of fields or a broken quote") \
    X(BAD_XML,    "bad_xml",           "XML that is not well-formed; what came before the fault is kept") \
    X(ATTACHMENT, "attachment_kind",   "a FHIR attachment that is damaged, elsewhere (a URL), or neither plain text nor HTML") \
    X(NO_TEXT,    "fhir_without_text", "a FHIR resource that has no clinical text") \
    X(UNNAMED,    "text_not_named",    "a table, XML or list of JSON objects whose text is not named: write " \
                                       "{path: P, text: COLUMN or MEMBER} or {path: P, elements: [NAME]}")                        \
    X(UNREADABLE, "unreadable",        "the file cannot be opened or read")
enum source_outcome {
#define X(name, key, text) SOURCE_##name,
    SOURCE_OUTCOMES(X)
#undef X
    SOURCE_OUTCOME_COUNT
};
const char *source_outcome_key(enum source_outcome o);
const char *source_outcome_text(enum source_outcome o);

struct source_limits {
    uint64_t max_document;     /* bytes of one document */
    uint64_t max_expanded;     /* bytes that one top-level file may expand to, over all levels */
    double max_ratio;          /* expanded to compressed bytes of one archive (checked past 1 MB) */
    int max_depth;             /* archive levels */
    uint64_t max_members;      /* members of one top-level archive, over all levels */
    int unpack_threads;        /* no limit, and of no influence on what is read: threads beside the
                                * caller's that unpack gzip and zstd ahead of it (source_unpack.h) */
};

struct source_stats {
    uint64_t files, bytes_in;             /* top-level files opened, their bytes on disk */
    uint64_t documents, document_bytes;   /* handed out */
    uint64_t outcomes[SOURCE_OUTCOME_COUNT];
    const char *samples[SOURCE_OUTCOME_COUNT][5];   /* ids, the first five */
};

struct source;
/* sources: the YAML list of `sources:`, items `path`, or `{path: P, text: KEY, include:
 * [GLOB...], exclude: [GLOB...], ...}` (globs over the id's part below the path; KEY is the member of JSON lines or
 * the column of tables with the text), or `{command: [PROGRAM, WORD...], name: N, ...}`: a program that writes JSON
 * lines. The options stand in source.c. */
MUST_USE enum status source_open(const struct yaml *sources, const struct source_limits *limits,
                                 struct source **out);
/* The next document, owned by the caller; *out = NULL at the end. Called by one thread. Fails only where an option
 * of the item does not fit what is read (a column that a table does not have). */
MUST_USE enum status source_next(struct source *s, struct raw_document **out);
const struct source_stats *source_stats_of(const struct source *s);
/* Bytes of files on disk that have been read since it was opened, or began a group; of a file that is being read,
 * about as many. */
uint64_t source_bytes_read(const struct source *s);

/* The files of the sources in groups of files that follow each other: what can be read apart from the others, so that
 * several readers share the work. A group ends with the file by which it holds at least so many bytes on disk, a file
 * counted with 4 KiB at least, which is about what opening it costs; a file is never divided. Groups depend on names
 * and sizes of files alone, and cost memory for one path each, whatever the number of files. */
#define SOURCE_FILE_LEAST 4096
struct source_group {
    size_t item, next_item;          /* of the list of sources: where it begins, and where the next one does */
    const char *path, *next_path;    /* of its first file, and the next group's; NULL: at the item's beginning */
    const char *first;               /* path of its first file (of a program its name); NULL: it has none */
    bool program;                    /* one of them is a program, not a file */
    uint64_t files, bytes;           /* bytes as they are counted */
};
struct source_groups {
    struct source_group *v;          /* at least one */
    size_t count;
    uint64_t files, bytes;           /* on disk */
};
MUST_USE enum status source_groups_list(const struct source *s, uint64_t least, struct arena *a,
                                        struct source_groups *out);
/* From here on source_next() gives the documents of that group, and counts begin anew. The group outlives its use. */
void source_begin(struct source *s, const struct source_group *g);
/* For a look at a part of the input: from here on only files are read that want() says yes to (path: as in a group's
 * `first`); and what is left of the file that is being read is passed over. */
void source_want(struct source *s, bool (*want)(void *ctx, const char *path), void *ctx);
void source_end_file(struct source *s);
void source_close(struct source *s);
/* For the option row: checks the list; and visits each path in it. */
opt_check_fn source_check;
/* What an item is, for those who describe the row. */
opt_item_fn source_row_item;
opt_paths_fn source_paths;

#endif
