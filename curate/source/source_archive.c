#include <archive.h>
#include <archive_entry.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "curate/source/source_part.h"
#include "curate/source/source_unpack.h"

#define LENT_MAX (256u << 10)    /* bytes that are counted at once */

/* --- what libarchive reads through --- */

static la_ssize_t on_read(struct archive *a, void *ctx, const void **bytes)
{
    struct level *l = ctx;
    struct span s = input_next(l->in);

    *bytes = s.p;
    if (l->in->failed) {
        archive_set_error(a, EIO, "the bytes below cannot be read");
        return -1;
    }
    return (la_ssize_t)s.n;
}

static la_int64_t on_seek(struct archive *a, void *ctx, la_int64_t offset, int whence)
{
    struct level *l = ctx;
    int64_t at = input_seek(l->in, offset, whence);

    return at < 0 ? ARCHIVE_FATAL : at;
}

/* A file's bytes are passed over by seeking; never past its end, so that a cut is noticed. */
static la_int64_t on_skip(struct archive *a, void *ctx, la_int64_t n)
{
    struct level *l = ctx;
    int64_t here, left;

    if (l->in->at < l->in->fill || l->in->fd < 0 || n <= 0)
        return 0;
    here = lseek(l->in->fd, 0, SEEK_CUR);
    left = (int64_t)l->in->size - here;
    if (here < 0 || left <= 0)
        return 0;
    n = n < left ? n : left;
    return input_seek(l->in, here + n, SEEK_SET) < 0 ? 0 : n;
}

/* What libarchive is to read: one compression of a nameless member (format "raw"), or one format.
 * Never a chain that it finds itself: what comes out of a compression goes through
 * archive_member_read() and is counted, before anything looks at it; and a damaged archive of one
 * kind is never taken for another. */
static const struct {
    int filter;
    int (*format)(struct archive *);
} readers[] = {
    [ARCHIVE_GZIP] = { ARCHIVE_FILTER_GZIP, archive_read_support_format_raw },
    [ARCHIVE_XZ] = { ARCHIVE_FILTER_XZ, archive_read_support_format_raw },
    [ARCHIVE_ZSTD] = { ARCHIVE_FILTER_ZSTD, archive_read_support_format_raw },
    [ARCHIVE_BZIP2] = { ARCHIVE_FILTER_BZIP2, archive_read_support_format_raw },
    [ARCHIVE_LZ4] = { ARCHIVE_FILTER_LZ4, archive_read_support_format_raw },
    [ARCHIVE_LZIP] = { ARCHIVE_FILTER_LZIP, archive_read_support_format_raw },
    [ARCHIVE_LZMA] = { ARCHIVE_FILTER_LZMA, archive_read_support_format_raw },
    /* see set_up() */
    [ARCHIVE_COMPRESS] = { ARCHIVE_FILTER_NONE, archive_read_support_format_raw },
    [ARCHIVE_RPM] = { ARCHIVE_FILTER_RPM, archive_read_support_format_raw },
    [ARCHIVE_TAR] = { ARCHIVE_FILTER_NONE, archive_read_support_format_tar },
    [ARCHIVE_AR] = { ARCHIVE_FILTER_NONE, archive_read_support_format_ar },
    [ARCHIVE_ZIP] = { ARCHIVE_FILTER_NONE, archive_read_support_format_zip },
    [ARCHIVE_7Z] = { ARCHIVE_FILTER_NONE, archive_read_support_format_7zip },
    [ARCHIVE_RAR] = { ARCHIVE_FILTER_NONE, archive_read_support_format_rar },
    [ARCHIVE_RAR5] = { ARCHIVE_FILTER_NONE, archive_read_support_format_rar5 },
    [ARCHIVE_CPIO] = { ARCHIVE_FILTER_NONE, archive_read_support_format_cpio },
    [ARCHIVE_CAB] = { ARCHIVE_FILTER_NONE, archive_read_support_format_cab },
    [ARCHIVE_LHA] = { ARCHIVE_FILTER_NONE, archive_read_support_format_lha },
    [ARCHIVE_XAR] = { ARCHIVE_FILTER_NONE, archive_read_support_format_xar },
    [ARCHIVE_ISO] = { ARCHIVE_FILTER_NONE, archive_read_support_format_iso9660 },
};

static void set_up(struct archive *a, enum archive_form form)
{
    /* Appended, compress would read before there is something to read from. */
    if (form == ARCHIVE_COMPRESS)
        archive_read_support_filter_compress(a);
    else
        archive_read_append_filter(a, readers[form].filter);
    archive_read_support_format_empty(a);
    readers[form].format(a);
}

bool archive_can_read(enum archive_form form)
{
    /* A hostile file of these kinds makes older libarchives loop for ever:
     * xar before 3.7.5, ISO images before 3.8.8. */
    if (form == ARCHIVE_XAR)
        return archive_version_number() >= 3007005;
    return form != ARCHIVE_ISO || archive_version_number() >= 3008008;
}

/* --- faults and limits --- */

/* A fault at the end of the bytes is a cut archive; before it, damage. */
static enum source_outcome fault_kind(const struct level *l)
{
    const char *words = archive_error_string(l->archive);

    if (l->opened && l->members == 0 && archive_read_has_encrypted_entries(l->archive) == 1)
        return SOURCE_ENCRYPTED;
    if (l->in->ended || (words != NULL && strcasestr(words, "truncated") != NULL))
        return SOURCE_TRUNCATED;
    return SOURCE_DAMAGED;
}

/* The archive cannot be read on. A fault of what lies below has been counted there. */
static void archive_fault(struct level *l)
{
    l->dead = true;
    if (!l->in->failed)
        source_outcome(l->source, fault_kind(l), l->id);
}

static bool within_limits(struct level *l)
{
    struct source *s = l->source;
    uint64_t packed = l->unpack != NULL ? unpack_taken(l->unpack) : l->in->taken;

    if (input_can_seek(l->in) && packed > l->in->size)
        packed = l->in->size;
    if (l->expanded > RATIO_FROM && (double)l->expanded > s->limits.max_ratio * (double)packed) {
        source_outcome(s, SOURCE_RATIO, l->id);
        l->dead = true;
        return false;
    }
    if (s->expanded > s->limits.max_expanded) {
        source_outcome(s, SOURCE_SIZE, s->file_id);
        s->abandon = true;
        return false;
    }
    return true;
}

static bool count_bytes(struct level *l, size_t n)
{
    l->left -= n;
    l->expanded += n;
    l->source->expanded += n;
    return within_limits(l);
}

/* A fault of a compression that is unpacked here. Behind a whole member it costs only what follows. */
static ssize_t unpack_fault(struct level *l, enum unpack_what what)
{
    enum source_outcome o = what == UNPACK_TRUNCATED ? SOURCE_TRUNCATED : SOURCE_DAMAGED;

    if (l->in->failed) {
        l->dead = true;
        return -1;
    }
    source_outcome(l->source, o, l->id);
    l->gap = true;
    if (l->gap_wanted)
        return 0;
    l->member_open = false;
    if (what == UNPACK_GARBAGE)
        return 0;
    l->dead = true;
    return -1;
}

static ssize_t unpack_lend(struct level *l, size_t most, const char **p)
{
    enum unpack_what what;
    struct span s;

    if (l->dead || l->source->abandon)
        return -1;
    if (!l->member_open)
        return 0;
    what = unpack_next(l->unpack, most, &s);
    if (what == UNPACK_END)
        l->member_open = false;
    if (what == UNPACK_END)
        return 0;
    if (what != UNPACK_BYTES)
        return unpack_fault(l, what);
    *p = s.p;
    return count_bytes(l, s.n) ? (ssize_t)s.n : -1;
}

ssize_t archive_member_next(struct level *l, const char **p) { return unpack_lend(l, LENT_MAX, p); }

bool archive_go_on(struct level *l)
{
    if (l == NULL || l->unpack == NULL)
        return false;
    l->gap_wanted = true;
    if (l->gap) {
        l->dead = false;
        l->member_open = true;
    }
    return l->gap;
}

static ssize_t unpack_read(struct level *l, void *p, size_t n)
{
    const char *from;
    ssize_t got = unpack_lend(l, n, &from);

    if (got > 0)
        memcpy(p, from, (size_t)got);
    return got;
}

ssize_t archive_member_read(struct level *l, void *p, size_t n)
{
    la_ssize_t got;

    if (l->unpack != NULL)
        return unpack_read(l, p, n);
    if (l->dead || l->source->abandon)
        return -1;
    if (!l->member_open)
        return 0;
    got = archive_read_data(l->archive, p, n);
    if (got <= 0)
        l->member_open = false;
    if (got == ARCHIVE_FATAL || (got < 0 && l->in->failed)) {
        archive_fault(l);
        return -1;
    }
    if (got < 0) {
        source_outcome(l->source, SOURCE_DAMAGED, l->member);
        return -1;
    }
    if ((uint64_t)got > l->left) {      /* libarchive pads members of xar with zeros */
        got = (la_ssize_t)l->left;
        l->member_open = false;
    }
    return count_bytes(l, (size_t)got) ? got : -1;
}

/* --- members --- */

/* Can the rest of a member be passed over without unpacking it? Else it is read,
 * so that it counts. */
static bool can_skip(struct level *l)
{
    switch (l->form) {
    case ARCHIVE_TAR:
    case ARCHIVE_AR:
    case ARCHIVE_CPIO:
        return true;
    case ARCHIVE_ZIP:
        return input_can_seek(l->in);
    default:
        return false;
    }
}

static void finish_member(struct level *l)
{
    static _Thread_local char scrap[16384];

    if (can_skip(l)) {
        l->member_open = false;
        if (archive_read_data_skip(l->archive) == ARCHIVE_FATAL)
            archive_fault(l);
        return;
    }
    while (l->member_open && archive_member_read(l, scrap, sizeof scrap) > 0)
        ;
}

/* Does a member's name lead out of the archive: absolute,
 * or with a ".." part? Windows' names count too. */
static bool leads_out(const char *name)
{
    const char *part = name;

    if (name[0] == '/' || name[0] == '\\' || (isalpha((unsigned char)name[0]) && name[1] == ':'))
        return true;
    for (const char *p = name;; p++) {      /* no strcspn(): a checked build measures all that is left at each call */
        if (*p != '/' && *p != '\\' && *p != 0)
            continue;
        if (p - part == 2 && part[0] == '.' && part[1] == '.')
            return true;
        if (*p == 0)
            return false;
        part = p + 1;
    }
}

/* The member's name as the archive has it; NULL if it has none. */
static const char *entry_name(struct archive_entry *e)
{
    const char *name;

    errno = 0;      /* as before a header */
    name = archive_entry_pathname_utf8(e);
    if (name == NULL)
        name = archive_entry_pathname(e);
    return name;
}

static void name_member(struct level *l, const char *name)
{
    char number[32];

    free(l->member);
    l->member = NULL;
    if (archive_is_compression(l->form)) {      /* the one file inside x.gz is x.gz */
        l->member = mem_strdup(l->id);
        return;
    }
    if (name == NULL) {
        snprintf(number, sizeof number, "%" PRIu64, l->members);
        name = number;
    }
    while (name[0] == '.' && name[1] == '/')
        for (name += 2; *name == '/';)
            name++;
    l->member = source_make_id(l->id, "!", name);
}

/* What keeps a member from being read; SOURCE_OUTCOME_COUNT: nothing. */
static enum source_outcome obstacle(struct level *l, struct archive_entry *e, const char *name)
{
    if (name != NULL && leads_out(name))
        return SOURCE_TRAVERSAL;
    if (archive_entry_hardlink(e) != NULL || archive_entry_filetype(e) != AE_IFREG)
        return SOURCE_LINK;
    if (archive_entry_is_encrypted(e))
        return SOURCE_ENCRYPTED;
    if (l->is_deb && (name == NULL || strncmp(name, "data.tar", 8) != 0))
        return SOURCE_SKIPPED;      /* a package's control part is not prose */
    return SOURCE_OUTCOME_COUNT;
}

static struct raw_document *enter_member(struct level *l, struct archive_entry *e)
{
    const char *name = entry_name(e);
    enum source_outcome why;

    l->member_open = true;
    l->left = archive_entry_size_is_set(e) ? (uint64_t)archive_entry_size(e) : UINT64_MAX;
    l->is_deb = l->is_deb || (l->members == 1 && l->form == ARCHIVE_AR && name != NULL &&
                              strcmp(name, "debian-binary") == 0);
    name_member(l, name);
    if (archive_entry_filetype(e) == AE_IFDIR && (name == NULL || !leads_out(name)))
        return NULL;
    if (l->office == NULL && item_leaves_out(source_item_of(l->source), l->member, false))
        return NULL;
    why = obstacle(l, e, name);
    if (why == SOURCE_OUTCOME_COUNT && l->office != NULL) {
        office_member(l, name != NULL ? name : "");
        return NULL;
    }
    if (why == SOURCE_OUTCOME_COUNT)
        return source_enter(l->source, input_of_member(l), l->member);
    source_outcome(l->source, why, l->member);
    if (why == SOURCE_ENCRYPTED)
        l->member_open = false;     /* libarchive passes over it by its length */
    return NULL;
}

/* --- the level --- */

static void archive_end(struct level *l)
{
    l->dead = true;
    if (l->members == 0 && archive_is_compression(l->form))
        source_outcome(l->source, SOURCE_EMPTY, l->id);
}

static struct raw_document *archive_level_step(struct level *l)
{
    struct source *s = l->source;
    struct archive_entry *e;
    int got;

    if (l->member_open)
        finish_member(l);
    if (l->dead || s->abandon)
        return NULL;
    errno = 0;      /* libarchive ends the process over a name when an old ENOMEM is left here */
    got = archive_read_next_header(l->archive, &e);
    if (got == ARCHIVE_EOF) {
        archive_end(l);
        return l->office != NULL ? office_document(l, true) : NULL;
    }
    if (got == ARCHIVE_FATAL || got == ARCHIVE_FAILED) {
        archive_fault(l);
        return l->office != NULL ? office_document(l, false) : NULL;
    }
    l->members++;
    s->members += !archive_is_compression(l->form);
    if (s->members > s->limits.max_members) {
        source_outcome(s, SOURCE_MEMBERS, s->file_id);
        s->abandon = true;
        return NULL;
    }
    return got == ARCHIVE_RETRY ? NULL : enter_member(l, e);
}

static void archive_level_close(struct level *l)
{
    l->source->depth -= l->depth;
    archive_read_free(l->archive);
    free(l->member);
    office_free(l->office);
}

static const struct level_kind archive_level = { archive_level_step, archive_level_close };

/* The one member of a compression that is unpacked here. What nobody read of it is not unpacked. */
static struct raw_document *unpack_level_step(struct level *l)
{
    if (l->dead || l->source->abandon)
        return NULL;
    if (l->members > 0) {
        l->dead = true;
        return NULL;
    }
    l->members = 1;
    l->member_open = true;
    l->left = UINT64_MAX;
    name_member(l, NULL);
    return source_enter(l->source, input_of_member(l), l->member);
}

static void unpack_level_close(struct level *l)
{
    l->source->depth -= l->depth;
    unpack_close(l->unpack);
    free(l->member);
}

static const struct level_kind unpack_level = { unpack_level_step, unpack_level_close };

/* A compression and the archive right inside it (.tar.gz) are one level. */
int archive_depth(const struct source *s, enum archive_form form)
{
    bool inside = s->top != NULL && archive_is_compression(s->top->form);

    return s->depth + !(inside && !archive_is_compression(form));
}

void archive_level_open(struct source *s, struct input *in, const char *id, const struct content *c)
{
    enum archive_form form = c->form;
    bool ours = unpack_can(form);
    int depth = archive_depth(s, form);
    struct level *l = source_push(s, ours ? &unpack_level : &archive_level, in, id);

    l->form = form;
    l->depth = depth - s->depth;
    s->depth = depth;
    if (ours) {
        l->unpack = unpack_open(in, form, s->limits.unpack_threads);
        unpack_go_on(l->unpack);
        return;
    }
    l->archive = archive_read_new();
    BUG_IF(l->archive == NULL);      /* only without memory */
    l->office = c->office != OFFICE_NONE ? office_new(c->office, s->limits.max_document) : NULL;
    set_up(l->archive, form);
    archive_read_set_callback_data(l->archive, l);
    archive_read_set_read_callback(l->archive, on_read);
    archive_read_set_skip_callback(l->archive, on_skip);
    if (input_can_seek(in))
        archive_read_set_seek_callback(l->archive, on_seek);
    l->opened = archive_read_open1(l->archive) == ARCHIVE_OK;
    /* What fails to unpack from its first byte on is "empty" to libarchive,
     * which still has the words. */
    if (!l->opened || (archive_is_compression(form) && archive_error_string(l->archive) != NULL))
        archive_fault(l);
}
