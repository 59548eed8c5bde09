#include "curate/source/source.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "curate/source/source_part.h"

/* --- outcomes --- */

static const struct {
    const char *key, *text;
} outcomes[SOURCE_OUTCOME_COUNT] = {
#define X(name, key, text) { key, text },
    SOURCE_OUTCOMES(X)
#undef X
};

const char *source_outcome_key(enum source_outcome o) { return outcomes[o].key; }
const char *source_outcome_text(enum source_outcome o) { return outcomes[o].text; }

void source_outcome(struct source *s, enum source_outcome o, const char *id)
{
    uint64_t n = s->stats.outcomes[o]++;

    if (n < sizeof s->stats.samples[o] / sizeof s->stats.samples[o][0])
        s->stats.samples[o][n] = arena_strdup(&s->samples, id);
}

const struct source_stats *source_stats_of(const struct source *s) { return &s->stats; }

/* --- the list of sources --- */

static const struct opt item_opts[] = {
    OPT_STR(struct source_item, path, "path", NULL,
            "a file, folder or archive"),
    OPT_LIST(struct source_item, command, "command",
             "instead of a path: a program and its words, as [python3, rows.py]; it writes JSON lines as they are read from files"),
    OPT_STR(struct source_item, name, "name", NULL,
            "of a command: the source's name, with which its documents' ids begin; without: the program's"),
    OPT_LIST(struct source_item, files, "files",
             "of a command: files that decide what it writes (its script), looked at by a pipeline's cache"),
    OPT_STR(struct source_item, version, "version", NULL,
            "of a command: any word; another one tells a pipeline that the program writes something else now"),
    OPT_STR(struct source_item, timeout, "timeout", NULL,
            "of a command: time for all of it, as 2h; without: no bound"),
    OPT_SIZE(struct source_item, memory, "memory", "0", 0, (double)(UINT64_C(1) << 50),
             "of a command: most address space of each of its processes; 0: no bound"),
    OPT_LIST(struct source_item, text, "text",
             "members of JSON (a line, or the objects of a .json file) or columns of a table that hold the text, in this order"),
    OPT_STR(struct source_item, id_key, "id", NULL,
            "member, column or (of XML, with @ in front) attribute that holds the id"),
    OPT_STR(struct source_item, join, "join", "\n\n", "what stands between several texts of one document"),
    OPT_LIST(struct source_item, metadata, "metadata",
             "columns of a table, or elements and @attributes of XML, that go into metadata; all: every column"),
    OPT_LIST(struct source_item, elements, "elements",
             "elements of XML that are documents: NAME, PARENT/NAME, or * for the whole file"),
    OPT_STR(struct source_item, separator, "separator", NULL,
            "character between the columns of a table; without: found in the first row"),
    OPT_STR(struct source_item, encoding, "encoding", NULL,
            "encoding of tables, and of XML that does not name one, e.g. windows-1252; without: UTF-8"),
    OPT_LIST(struct source_item, include, "include", "globs: read only what one of them matches"),
    OPT_LIST(struct source_item, exclude, "exclude", "globs: leave out what one of them matches"),
    OPT_END
};

bool source_row_item(size_t i, struct opt_item *out)
{
    *out = (struct opt_item){ .help = "a path, or a map with `path` or `command` and options", .opts = item_opts };
    return i == 0;
}

/* The list's items; a single item may stand for a list of one. */
static size_t item_count(const struct yaml *sources)
{
    return sources->kind == YAML_LIST ? sources->count : 1;
}

static const struct yaml *item_at(const struct yaml *sources, size_t i)
{
    return sources->kind == YAML_LIST ? sources->items[i] : sources;
}

static enum status check_item(struct arena *a, const struct yaml *item)
{
    const struct yaml *path = item;

    if (item->kind == YAML_LIST)
        return yaml_fail(item,
                         "a source is a path or {path: P, text: KEY, ...}, not a list");
    if (item->kind == YAML_MAP) {
        TRY(opt_check_map(item_opts, a, item, item, 0));
        TRY(command_item_check(item));
        path = yaml_get(item, "path");
        if (path == NULL)
            return ST_OK;
    }
    if (path->kind != YAML_SCALAR || *path->text == 0)
        return yaml_fail(path, "the path of a source is empty");
    return ST_OK;
}

enum status source_check(const struct yaml *sources)
{
    enum status st = ST_OK;
    struct arena a;

    arena_init(&a);
    if (sources->kind == YAML_LIST && sources->count == 0)
        st = yaml_fail(sources, "the list of sources is empty; name at least one path");
    for (size_t i = 0; st == ST_OK && i < item_count(sources); i++)
        st = check_item(&a, item_at(sources, i));
    arena_release(&a);
    return st;
}

/* A list, or one that stands for a list. */
static enum status visit_files(struct yaml *files, opt_path_fn *visit, void *ctx)
{
    if (files->kind != YAML_LIST)
        return visit(ctx, files);
    for (size_t i = 0; i < files->count; i++)
        TRY(visit(ctx, files->items[i]));
    return ST_OK;
}

enum status source_paths(struct yaml *sources, opt_path_fn *visit, void *ctx)
{
    for (size_t i = 0; i < item_count(sources); i++) {
        struct yaml *item = sources->kind == YAML_LIST ? sources->items[i] : sources;
        struct yaml *path = item->kind == YAML_MAP ? yaml_get(item, "path") : item;
        struct yaml *files = item->kind == YAML_MAP ? yaml_get(item, "files") : NULL;

        if (path != NULL)
            TRY(visit(ctx, path));
        if (files != NULL)
            TRY(visit_files(files, visit, ctx));
    }
    return ST_OK;
}

static const char *base_name(struct arena *a, const char *path)
{
    size_t n = strlen(path), start;

    while (n > 1 && path[n - 1] == '/')
        n--;
    for (start = n; start > 0 && path[start - 1] != '/';)
        start--;
    return start == n ? path : arena_strndup(a, path + start, n - start);
}

static enum status check_encoding(const struct source_item *item)
{
    struct recode *r = item->encoding == NULL ? NULL : recode_open(item->encoding);

    if (item->separator != NULL && (strlen(item->separator) != 1 || strchr("\"\r\n", *item->separator) != NULL))
        return fail(ST_CONFIG, "the separator '%.20s' of source '%s' is not one character other than a quote",
                    item->separator, item->path);
    if (item->encoding != NULL && r == NULL)
        return fail(ST_CONFIG, "source '%s': the encoding '%.40s' is not known, or ASCII is no part of it; "
                    "want one such as utf-8, windows-1252, iso-8859-2, gb18030, shift_jis", item->path, item->encoding);
    recode_close(r);
    return ST_OK;
}

static enum status read_item(struct arena *a, const struct yaml *from, struct source_item *item)
{
    struct stat st;

    if (from->kind == YAML_MAP)
        TRY(opt_from_yaml(item_opts, a, from, item));
    else
        *item = (struct source_item){ .path = arena_strdup(a, from->text), .join = "\n\n" };
    TRY(check_encoding(item));
    if (item->command.count > 0) {
        item->name = item->name != NULL ? item->name : base_name(a, item->command.v[0]);
        item->path = arena_printf(a, "/dev/null/%s", item->name);
        return ST_OK;
    }
    item->name = base_name(a, item->path);
    if (stat(item->path, &st) != 0)
        return fail_errno(ST_MISSING, "source '%s'%s", item->path,
                          strchr("[{", *item->path) ? " (a list with options is the value of sources, no path)" : "");
    return ST_OK;
}

enum status source_open(const struct yaml *sources, const struct source_limits *limits,
                        struct source **out)
{
    struct source *s;
    enum status st;

    TRY(source_check(sources));
    s = mem_alloc(sizeof *s);
    arena_init(&s->arena);
    s->limits = *limits;
    s->item_count = item_count(sources);
    s->items = arena_array(&s->arena, s->item_count, sizeof *s->items);
    for (size_t i = 0; i < s->item_count; i++) {
        st = read_item(&s->arena, item_at(sources, i), &s->items[i]);
        if (st != ST_OK) {
            source_close(s);
            return st;
        }
    }
    *out = s;
    return ST_OK;
}

const struct source_item *source_item_of(const struct source *s) { return &s->items[s->item]; }

/* --- documents --- */

char *source_make_id(const char *head, const char *between, const char *tail)
{
    struct buf b = { 0 };

    utf8_repair(&b, head, strlen(head));
    buf_adds(&b, between);
    utf8_repair(&b, tail, strlen(tail));
    return b.p;
}

char *source_numbered_id(const char *of, uint64_t number)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, number);
    return source_make_id(of, "#", text);
}

char *source_copy(struct span s)
{
    char *p = NULL;

    if (s.n > 0) {
        p = mem_alloc(s.n + 1);
        memcpy(p, s.p, s.n);
    }
    return p;
}

struct raw_document *source_document(struct source *s, enum raw_kind kind, const char *id,
                                     struct buf *bytes)
{
    struct raw_document *d = mem_alloc(sizeof *d);

    d->kind = kind;
    d->id = mem_strdup(id);
    d->source = mem_strdup(source_item_of(s)->name);
    d->bytes = bytes->p;
    d->n = bytes->n;
    buf_init(bytes);
    s->stats.documents++;
    s->stats.document_bytes += d->n;
    return d;
}

void raw_document_free(struct raw_document *d)
{
    if (d == NULL)
        return;
    free(d->id);
    free(d->source);
    free(d->bytes);
    free(d->line_id);
    free(d->created);
    free(d->metadata);
    free(d->charset);
    free(d);
}

/* --- the stack --- */

struct level *source_push(struct source *s, const struct level_kind *kind, struct input *in, const char *id)
{
    struct level *l = mem_alloc(sizeof *l);

    l->kind = kind;
    l->below = s->top;
    l->source = s;
    l->in = in;
    l->id = mem_strdup(id);
    s->top = l;
    return l;
}

static void pop(struct source *s)
{
    struct level *l = s->top;

    s->top = l->below;
    l->kind->close(l);
    input_free(l->in);
    free(l->id);
    free(l);
}

/* Takes off every level that is dead, and all that stands on one. */
static void unwind(struct source *s)
{
    size_t keep = 0, n = 0;

    for (struct level *l = s->top; l != NULL; l = l->below) {
        n++;
        keep = l->dead ? 0 : keep + 1;
    }
    /* keep: live levels below the lowest dead one; 0 dead levels keep all n */
    for (n = s->abandon ? n : n - keep; n > 0; n--)
        pop(s);
}

void source_close(struct source *s)
{
    if (s == NULL)
        return;
    while (s->top != NULL)
        pop(s);
    path_walk_free(s->walk);
    free(s->file_id);
    arena_release(&s->samples);
    arena_release(&s->arena);
    free(s);
}

/* --- files --- */

/* A regular file, opened; -1 otherwise. A pipe's open must not wait for a writer. */
static int open_regular(const char *path, uint64_t *size)
{
    struct stat st;
    int fd;

    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return -1;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return -1;
    }
    *size = (uint64_t)st.st_size;
    return fd;
}

static struct raw_document *enter_file(struct source *s, const char *path, const char *id)
{
    uint64_t size = 0;
    int fd = open_regular(path, &size);

    if (fd < 0) {
        source_outcome(s, SOURCE_UNREADABLE, id);
        return NULL;
    }
    s->stats.files++;
    s->stats.bytes_in += size;
    s->file_bytes = size;
    s->expanded = s->members = 0;
    s->abandon = false;
    return source_enter(s, input_of_file(s, fd, size), id);
}

/* Of the item that comes next: what of it is the group's. False: nothing, or there is no more. */
static bool begin_item(struct source *s)
{
    const struct source_group *g = s->group;
    const char *from = g && s->item == g->item ? g->path : NULL;
    const char *to = g && s->item == g->next_item ? g->next_path : NULL;

    if (s->item == s->item_count || (g && (s->item > g->next_item || (s->item == g->next_item && to == NULL))))
        return false;
    s->walk = path_walk_new(source_item_of(s)->path, from, to);
    return true;
}

/* Goes on to the next file of the list; false at the end. */
static bool next_file(struct source *s, struct raw_document **out)
{
    enum path_found found;
    const char *path;

    if (s->walk == NULL && !begin_item(s))
        return false;
    found = path_walk_next(s->walk, &path);
    if (found == PATH_END) {
        path_walk_free(s->walk);
        s->walk = NULL;
        s->item++;
        return true;
    }
    free(s->file_id);
    s->file_id = item_file_id(source_item_of(s), path);
    if (item_leaves_out(source_item_of(s), s->file_id, false) || (s->want && !s->want(s->want_ctx, path)))
        return true;
    if (source_item_of(s)->command.count > 0)
        command_enter(s, s->file_id);
    else if (found == PATH_FILE)
        *out = enter_file(s, path, s->file_id);
    else
        source_outcome(s, found == PATH_SPECIAL ? SOURCE_LINK : SOURCE_UNREADABLE, s->file_id);
    return true;
}

void source_begin(struct source *s, const struct source_group *g)
{
    while (s->top != NULL)
        pop(s);
    path_walk_free(s->walk);
    s->walk = NULL;
    s->group = g;
    s->item = g->item;
    s->file_bytes = 0;
    s->stats = (struct source_stats){ 0 };
    arena_reset(&s->samples);
}

void source_want(struct source *s, bool (*want)(void *ctx, const char *path), void *ctx)
{
    s->want = want;
    s->want_ctx = ctx;
}

void source_end_file(struct source *s) { s->abandon = true; }

uint64_t source_bytes_read(const struct source *s)
{
    const struct level *bottom = s->top;
    uint64_t taken;

    if (bottom == NULL)
        return s->stats.bytes_in;
    while (bottom->below != NULL)
        bottom = bottom->below;
    taken = bottom->in->taken;
    return s->stats.bytes_in - (taken < s->file_bytes ? s->file_bytes - taken : 0);
}

enum status source_next(struct source *s, struct raw_document **out)
{
    *out = NULL;
    while (*out == NULL) {
        unwind(s);
        if (s->top == NULL) {
            if (!next_file(s, out))
                break;
        } else {
            *out = s->top->kind->step(s->top);
        }
        if (s->failed != ST_OK)
            return s->failed;
    }
    return ST_OK;
}
