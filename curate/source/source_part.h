/*
 * The inside of curate/source/source.h: what its files share and nobody else includes.
 *
 * The one idea is a stack of levels. The bottom is a file on disk; on it stand the archives that
 * are open (each reads the current member of the one below through libarchive's read callback,
 * so nothing is unpacked to disk or held whole) and perhaps, on top, a JSONL file that is being
 * read line by line. source_next() asks the top level for its next step: a document, a new
 * level, or its end.
 *
 *   source.c          the list of paths, the options, outcomes and counts, source_next()
 *   source_paths.c    one path of the list: walking folders in order, include and exclude
 *   source_groups.c   the files of all paths, cut into groups
 *   source_command.c  a program instead of a path
 *   source_input.c    bytes of a file, of a member or of memory, with a head to look at first
 *   source_enter.c    an input becomes a document, an outcome or a level, by its kind
 *   source_archive.c  the archive level
 *   source_unpack.h   gzip and zstd of many members, by several threads
 *   source_codec.h    the two compressions for it
 *   source_jsonl.c    the JSONL level
 *   source_json.c     the level of JSON files with many documents
 *   source_fhir.c     the level of FHIR's JSON
 *   source_warc.c     the WARC level: records, and how the next is found when one is wrong
 *   source_payload.h  what a record holds becomes a document
 *   source_http.h     what a web server sent
 *   source_table.c    the level of CSV and TSV
 *   source_office.c   DOCX and ODT, which are archives and one document
 *   source_xml.c      the level of XML; xml_scan.h: tags and text
 *   source_recode.c   other encodings
 *   source_kind.h     what bytes are
 *
 * Limits: a member's bytes are counted where they leave an archive (source_member_read), so a bomb
 * is stopped inside the read of whoever wanted the bytes: the level (or all of the file) is marked
 * dead and unwound by source_next().
 */
#ifndef TUNDISH_CURATE_SOURCE_PART_H
#define TUNDISH_CURATE_SOURCE_PART_H

#include <stdint.h>
#include <sys/types.h>

#include "curate/source/source.h"
#include "curate/source/source_kind.h"

#define RATIO_FROM (1u << 20)         /* expanded bytes from which a ratio is looked at */

/* One entry of the `sources:` list. */
struct source_item {
    const char *path;                 /* of a command: a path that cannot be, which a walk gives once */
    const char *name;                 /* base name, or the command's */
    struct opt_list command, files;   /* a program and its words (none: a path); what decides what it writes */
    const char *version, *timeout;    /* NULL: none */
    uint64_t memory;                  /* 0: no bound */
    struct opt_list text;             /* members of JSON lines or columns of tables; none: "text" */
    const char *id_key;               /* a member, column or attribute (source_table.c, source_xml.c) */
    const char *join;                 /* between several texts of one document */
    struct opt_list metadata;         /* columns, elements, attributes; "all" */
    struct opt_list elements;         /* of XML: names, or paths of names */
    const char *separator;            /* of tables; NULL: found out */
    const char *encoding;             /* of tables, and of XML that does not say; NULL: UTF-8 */
    struct opt_list include, exclude; /* globs */
};

/* --- source_paths.c --- */

struct path_walk;
/* Walks the files below path in the order of their paths' bytes: those at or behind the path `from` and before `to`,
 * as the walk tells paths (NULL: no bound). Memory: the names of one folder a level, within the bounds. */
struct path_walk *path_walk_new(const char *path, const char *from, const char *to);
void path_walk_free(struct path_walk *w);
enum path_found { PATH_END, PATH_FILE, PATH_SPECIAL, PATH_UNREADABLE };
/* The next file; *path is valid until the next call. */
enum path_found path_walk_next(struct path_walk *w, const char **path);

/* The id of a file at path, which the item's walk found: the item's name and what follows its path.
 * Where a source lies is no part of it, so that a corpus has the same bytes wherever its documents
 * lay. The caller frees it. */
char *item_file_id(const struct source_item *item, const char *path);

/* Is the id excluded, or (leaf) not included? Globs are matched against what follows the item's
 * path; '*' also crosses '/' and '!'. A glob without either is matched against the last part
 * alone as well. */
bool item_leaves_out(const struct source_item *item, const char *id, bool leaf);

/* --- source_input.c --- */

struct level;
struct source_command;
struct input {
    struct source *source;
    int fd;                     /* a file; -1: none */
    struct level *archive;      /* the current member of this archive; NULL: none */
    struct source_command *command;     /* what a program writes; NULL: none */
    struct buf memory;          /* neither: these bytes, owned */
    uint64_t size;              /* of a file or memory */
    uint64_t taken;             /* bytes taken from below (memory: the position);
                                 * what is read twice counts twice */
    const char *from;           /* at..fill of these are not yet handed on: own, or lent by below */
    char *block;                /* own: CONTENT_HEAD bytes */
    size_t at, fill;
    bool ended;                 /* below said that there is no more */
    bool failed;                /* below failed; the outcome has been counted there */
};
struct input *input_of_file(struct source *s, int fd, uint64_t size);
struct input *input_of_member(struct level *archive);
struct input *input_of_command(struct source *s, struct source_command *c);      /* takes c over */
struct input *input_of_memory(struct source *s, struct buf *bytes);    /* takes the bytes over */
void input_free(struct input *in);
/* Reads ahead until the block is full or the end; what has been read is not consumed. */
struct span input_head(struct input *in);
/* The next bytes that are at hand, consumed; n = 0 at the end or after a failure.
 * Valid until the next call. */
struct span input_next(struct input *in);
/* Gaps in what lies below shall be ends, not failures; one that was met already, too. */
void input_allow_gaps(struct input *in);
/* The input ended at a gap in what lies below (input_allow_gaps()): true, and there may be more. */
bool input_resume(struct input *in);
/* Puts the last n bytes of input_next() back. */
void input_unread(struct input *in, size_t n);
/* All that is left into out; false when there is more than limit
 * (the rest stays unread) or the input failed. */
bool input_all(struct input *in, uint64_t limit, struct buf *out);
bool input_can_seek(const struct input *in);
/* Moves in a file or memory (SEEK_SET, SEEK_END); returns the new offset, -1 on error. */
int64_t input_seek(struct input *in, int64_t offset, int whence);

/* --- source_command.c: a program that writes JSON lines --- */

/* Of the item: its own rules, beside those of the option table. */
MUST_USE enum status command_item_check(const struct yaml *item);
/* Starts the current item's program and puts the level that reads it on the stack; what goes wrong, then or later,
 * is s->failed. */
void command_enter(struct source *s, const char *id);
/* Bytes that it wrote; 0: it ended well; -1: s->failed. */
ssize_t command_read(struct source_command *c, char *p, size_t n);
void command_close_source(struct source_command *c);

/* --- levels --- */

struct archive;
struct unpack;
/* What a level does when its turn comes: gives a document, puts a level on itself, or sets `dead`. */
struct level_kind {
    struct raw_document *(*step)(struct level *l);
    void (*close)(struct level *l);
};
struct level {
    const struct level_kind *kind;
    void *state;                  /* of that kind, where it has one */
    struct level *below;
    struct source *source;
    struct input *in;             /* owned */
    char *id;                     /* owned: of the archive or the JSONL file */
    struct archive *archive;      /* NULL: a JSONL level */
    bool dead;                    /* to be unwound */
    /* archive */
    enum archive_form form;
    int depth;                    /* what this level adds to the source's depth */
    struct unpack *unpack;        /* instead of libarchive; else NULL */
    bool gap, gap_wanted;         /* the member goes on behind damage */
    bool opened;                  /* libarchive knows the format; else it must not
                                   * be asked about members */
    uint64_t expanded;            /* bytes that members gave */
    uint64_t members;
    char *member;                 /* id of the current member, owned */
    bool member_open;             /* the current member may have bytes left */
    uint64_t left;                /* of the current member, if its header says how many;
                                   * else UINT64_MAX */
    bool is_deb;
    struct office *office;        /* an office program's file; NULL: any other archive */
    /* JSONL */
    struct buf line;
    struct arena scratch;
    uint64_t line_number;
};

struct source {
    struct arena arena;           /* lives as long as the source */
    struct source_limits limits;
    struct source_stats stats;
    struct source_item *items;
    size_t item_count, item;      /* item: the one being read */
    struct path_walk *walk;       /* of that item; NULL: not begun */
    const struct source_group *group;    /* what is read of all; NULL: all */
    struct arena samples;         /* ids in stats */
    struct level *top;            /* NULL: no file is open */
    int depth;                    /* archive levels of the stack, as max_depth counts them */
    char *file_id;                /* of the file at the bottom of the stack, owned */
    bool abandon;                 /* a limit of the whole file was reached */
    enum status failed;           /* an option does not fit what is read (told by fail()) */
    uint64_t expanded, members;   /* of the file at the bottom */
    uint64_t file_bytes;          /* of it, on disk */
    bool (*want)(void *ctx, const char *path);    /* NULL: every file */
    void *want_ctx;
};

/* Counts an outcome, with the id as a sample. */
void source_outcome(struct source *s, enum source_outcome o, const char *id);
const struct source_item *source_item_of(const struct source *s);
/* A new level on the stack that takes over `in`; id is copied. */
struct level *source_push(struct source *s, const struct level_kind *kind, struct input *in, const char *id);
/* "archive!member" and the like: text that is not UTF-8 is repaired. */
char *source_make_id(const char *head, const char *between, const char *tail);
/* "file.jsonl#7" of the seventh line, row or record in it. */
char *source_numbered_id(const char *of, uint64_t number);
/* A copy of what a file says; NULL of an empty one. */
char *source_copy(struct span s);
/* A document with these bytes (taken over). */
struct raw_document *source_document(struct source *s, enum raw_kind kind, const char *id,
                                     struct buf *bytes);

/* source_enter.c: finds out what `in` is (taken over) and deals with it:
 * a document, an outcome, or a new level. Returns the document or NULL. */
struct raw_document *source_enter(struct source *s, struct input *in, const char *id);

/* source_office.c: what the archive level hands over when it is an office file: each member, and its end. */
struct office;
struct office *office_new(enum office_form form, uint64_t max_document);
void office_free(struct office *o);
void office_member(struct level *l, const char *name);
/* The document at the end, or NULL: an outcome. whole: no fault has been counted. */
struct raw_document *office_document(struct level *l, bool whole);

/* source_archive.c */
bool archive_can_read(enum archive_form form);
/* The depth that the stack would have with an archive of that form on it. */
int archive_depth(const struct source *s, enum archive_form form);
void archive_level_open(struct source *s, struct input *in, const char *id, const struct content *c);
/* Reads bytes of the current member; counts them against the limits.
 * 0 at the end, -1 on failure (counted). */
ssize_t archive_member_read(struct level *l, void *p, size_t n);
/* The same without a copy, of a level with `unpack`: bytes lent until the next call. */
ssize_t archive_member_next(struct level *l, const char **p);
/* What is damaged in the packed bytes of a level with `unpack` shall be a gap of its member: the member ends there
 * (counted), and input_resume() goes on behind it. True: there has been one. Other levels: nothing. */
bool archive_go_on(struct level *l);

/* source_warc.c: WARC and WET */
void warc_level_open(struct source *s, struct input *in, const char *id);

/* source_jsonl.c */
void jsonl_level_open(struct source *s, struct input *in, const char *id);
/* The next line into l->line, which the level releases. */
enum jsonl_line { JSONL_WHOLE, JSONL_TOO_LONG, JSONL_END };
enum jsonl_line jsonl_next_line(struct level *l);
/* The document in one object, or NULL: counted. l->scratch is used; l->line_number 1: it may begin with a byte order
 * mark. And whether it has the text that the item names. */
struct raw_document *jsonl_document(struct level *l, struct span line, const char *id);
bool jsonl_has_text(struct level *l, struct span line);

/* source_json.c: a list or an object of objects, of items that name the text */
void json_level_open(struct source *s, struct input *in, const char *id);

/* source_fhir.c: a resource a line, or one that is the whole file */
void fhir_level_open(struct source *s, struct input *in, const char *id, bool lines);

/* source_table.c: CSV and TSV */
void table_level_open(struct source *s, struct input *in, const char *id);

/* source_xml.c: XML of which chosen elements are documents */
void xml_level_open(struct source *s, struct input *in, const char *id);

/* source_recode.c: text of other encodings, piece by piece. */
struct recode;
/* NULL: there is no such encoding, or it is none in which ASCII bytes stand for themselves. */
struct recode *recode_open(const char *encoding);
/* Appends UTF-8; what is wrong becomes U+FFFD. A character cut at the end waits for the next piece, or for `last`. */
void recode_add(struct recode *r, struct span text, bool last, struct buf *out);
void recode_close(struct recode *r);

/* A member `"name":"value"` for metadata, with a comma in front where one is due; not UTF-8: repaired. */
void metadata_add(struct buf *out, struct span name, struct span value);
/* Is the word in the list, or is the list `all`? */
bool list_has(struct opt_list list, struct span word);

#endif
