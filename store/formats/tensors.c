#include "store/formats/tensors.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/file.h"

#define HEADER_MAX 100000000u       /* the limit of the reference implementation */
#define ALIGN 64u
#define DIMS_MAX 8
#define METADATA "__metadata__"

static const struct { const char *name; size_t size; } dtypes[TENSOR_DTYPES] = {
    [TENSOR_F32] = { "F32", 4 }, [TENSOR_BF16] = { "BF16", 2 }, [TENSOR_F16] = { "F16", 2 },
    [TENSOR_F64] = { "F64", 8 }, [TENSOR_I32] = { "I32", 4 },   [TENSOR_I64] = { "I64", 8 },
    [TENSOR_U8] = { "U8", 1 },
};

struct tensor_file {
    char *what;
    struct tensor_entry *entries;           /* in the order of their data */
    uint64_t *offsets;                      /* of their data in the data section */
    const struct tensor_entry **by_name;
    size_t count;
    json_t *header;                         /* names lie in it */
    uint64_t data_begin;                    /* in the file */
    struct file_map map;
    void **copies;                          /* [count]: aligned copies of data that lies badly
                                               in the map, or NULL */
};

const char *tensor_dtype_name(enum tensor_dtype t) { return dtypes[t].name; }
size_t tensor_dtype_size(enum tensor_dtype t) { return dtypes[t].size; }

/* ---- the header of a file ---- */

/* The bytes that a shape takes; false on overflow. */
static bool shape_bytes(const struct tensor_entry *e, uint64_t *bytes)
{
    *bytes = dtypes[e->dtype].size;
    for (int i = 0; i < e->dims; i++)
        if (e->shape[i] < 0 || __builtin_mul_overflow(*bytes, (uint64_t)e->shape[i], bytes))
            return false;
    return true;
}

static enum status read_dtype(const struct tensor_file *f, const json_t *tensor,
                              struct tensor_entry *e)
{
    const char *name = json_string_value(json_object_get(tensor, "dtype"));

    if (name == NULL)
        return fail(ST_FORMAT, "%s: tensor '%s' wants an object with the text 'dtype'", f->what,
                    e->name);
    for (int t = 0; t < TENSOR_DTYPES; t++)
        if (strcmp(name, dtypes[t].name) == 0) {
            e->dtype = (enum tensor_dtype)t;
            return ST_OK;
        }
    return fail(ST_UNSUPPORTED,
                "%s: tensor '%s' has the type '%.40s', which this program does not read", f->what,
                e->name, name);
}

static enum status read_shape(const struct tensor_file *f, const json_t *tensor,
                              struct tensor_entry *e)
{
    const json_t *shape = json_object_get(tensor, "shape");
    size_t dims = json_array_size(shape);

    if (!json_is_array(shape) || dims > DIMS_MAX)
        return fail(ST_FORMAT,
                    "%s: tensor '%s' has a 'shape' of %zu items, want a list of at most %d",
                    f->what, e->name, dims, DIMS_MAX);
    e->dims = (int)dims;
    for (size_t i = 0; i < dims; i++) {
        const json_t *size = json_array_get(shape, i);

        e->shape[i] = json_is_integer(size) ? json_integer_value(size) : -1;
    }
    if (!shape_bytes(e, &e->bytes))
        return fail(ST_FORMAT,
                    "%s: the shape of tensor '%s' has an item that is no size, or is too large",
                    f->what, e->name);
    return ST_OK;
}

static enum status read_offsets(const struct tensor_file *f, const json_t *tensor,
                                const struct tensor_entry *e, uint64_t data_bytes, uint64_t *begin)
{
    const json_t *offsets = json_object_get(tensor, "data_offsets"), *from, *to;
    json_int_t a, b;

    from = json_array_get(offsets, 0);
    to = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(from) || !json_is_integer(to))
        return fail(ST_FORMAT, "%s: tensor '%s' wants 'data_offsets' of two integers", f->what,
                    e->name);
    a = json_integer_value(from);
    b = json_integer_value(to);
    if (a < 0 || b < a || (uint64_t)b > data_bytes)
        return fail(ST_FORMAT,
                    "%s: tensor '%s' lies at %lld to %lld, but the file has %llu bytes of data",
                    f->what, e->name, (long long)a, (long long)b, (unsigned long long)data_bytes);
    if ((uint64_t)(b - a) != e->bytes)
        return fail(ST_FORMAT,
                    "%s: tensor '%s' has %lld bytes of data, its shape and type want %llu", f->what,
                    e->name, (long long)(b - a), (unsigned long long)e->bytes);
    *begin = (uint64_t)a;
    return ST_OK;
}

static enum status check_metadata(const struct tensor_file *f, const json_t *metadata)
{
    const char *key;
    json_t *value;

    if (!json_is_object(metadata))
        return fail(ST_FORMAT, "%s: '" METADATA "' is not an object", f->what);
    json_object_foreach((json_t *)metadata, key, value)
        if (!json_is_string(value))
            return fail(ST_FORMAT, "%s: '" METADATA "' wants texts, but '%s' is none", f->what,
                        key);
    return ST_OK;
}

/* An entry and where its data begins, for sorting both at once. */
struct placed {
    struct tensor_entry entry;
    uint64_t begin;
};

/* Empty tensors stand before the one whose place they share. */
static int by_place(const void *va, const void *vb)
{
    const struct placed *a = va, *b = vb;

    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    if ((a->entry.bytes > 0) != (b->entry.bytes > 0))
        return a->entry.bytes > 0 ? 1 : -1;
    return strcmp(a->entry.name, b->entry.name);
}

static int by_name(const void *a, const void *b)
{
    const struct tensor_entry *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

static enum status read_entries(struct tensor_file *f, struct placed *list, uint64_t data_bytes)
{
    const char *name;
    json_t *tensor;

    json_object_foreach(f->header, name, tensor) {
        struct placed *p = &list[f->count];

        if (strcmp(name, METADATA) == 0) {
            TRY(check_metadata(f, tensor));
            continue;
        }
        p->entry.name = name;
        TRY(read_dtype(f, tensor, &p->entry));
        TRY(read_shape(f, tensor, &p->entry));
        TRY(read_offsets(f, tensor, &p->entry, data_bytes, &p->begin));
        f->count++;
    }
    return ST_OK;
}

/* Sorts by place; data must follow data without overlap or hole, to the end of the file. */
static enum status place_entries(struct tensor_file *f, struct placed *list, uint64_t data_bytes)
{
    uint64_t end = 0;

    qsort(list, f->count, sizeof *list, by_place);
    f->entries = mem_array(f->count + 1, sizeof *f->entries);
    f->offsets = mem_array(f->count + 1, sizeof *f->offsets);
    f->by_name = mem_array(f->count + 1, sizeof *f->by_name);
    for (size_t i = 0; i < f->count; i++) {
        if (list[i].begin != end)
            return fail(
                ST_FORMAT,
                "%s: the data of tensor '%s' begins at %llu, that before it ends at %llu (%s)",
                f->what, list[i].entry.name, (unsigned long long)list[i].begin,
                (unsigned long long)end, list[i].begin < end ? "they overlap" : "a hole");
        end += list[i].entry.bytes;
        f->entries[i] = list[i].entry;
        f->offsets[i] = list[i].begin;
        f->by_name[i] = &f->entries[i];
    }
    if (end != data_bytes)
        return fail(ST_FORMAT,
                    "%s: its tensors have %llu bytes, but the file has %llu bytes of data", f->what,
                    (unsigned long long)end, (unsigned long long)data_bytes);
    qsort(f->by_name, f->count, sizeof *f->by_name, by_name);
    return ST_OK;
}

static enum status parse(struct tensor_file *f, const void *p, size_t n, uint64_t file_bytes)
{
    struct cursor c = cursor_over(p, n);
    uint64_t header_bytes = cursor_uint(&c, 8);
    struct span text;
    struct placed *list;
    enum status st;

    if (!cursor_ok(&c) || header_bytes > HEADER_MAX || header_bytes > file_bytes - 8)
        return fail(
            ST_FORMAT,
            "%s: no safetensors file: a header of %llu bytes in a file of %llu (want at most %u)",
            f->what, (unsigned long long)header_bytes, (unsigned long long)file_bytes, HEADER_MAX);
    text = cursor_bytes(&c, header_bytes);
    if (!cursor_ok(&c) || text.n == 0 || text.p[0] != '{')
        return fail(ST_FORMAT, "%s: no safetensors file: the header does not begin with '{'",
                    f->what);
    TRY(json_parse(text.p, text.n, f->what, &f->header));
    f->data_begin = 8 + header_bytes;
    list = mem_array(json_object_size(f->header) + 1, sizeof *list);
    st = read_entries(f, list, file_bytes - f->data_begin);
    if (st == ST_OK)
        st = place_entries(f, list, file_bytes - f->data_begin);
    free(list);
    return st;
}

enum status tensors_parse(const char *what, const void *p, size_t n, uint64_t file_bytes,
                          struct tensor_file **out)
{
    struct tensor_file *f = mem_alloc(sizeof *f);
    enum status st;

    BUG_IF(n > file_bytes);
    f->what = mem_strdup(what);
    st = parse(f, p, n, file_bytes);
    if (st != ST_OK) {
        tensors_close(f);
        return st;
    }
    *out = f;
    return ST_OK;
}

/* ---- reading ---- */

/* Data that does not lie at a multiple of its type's size (files whose header is not padded) is
 * copied to where it does. */
static void attach_data(struct tensor_file *f)
{
    f->copies = mem_array(f->count + 1, sizeof *f->copies);
    for (size_t i = 0; i < f->count; i++) {
        struct tensor_entry *e = &f->entries[i];

        e->data = f->map.p + f->data_begin + f->offsets[i];
        if (e->bytes == 0 || (uintptr_t)e->data % dtypes[e->dtype].size == 0)
            continue;
        f->copies[i] = mem_alloc_aligned(e->bytes);
        memcpy(f->copies[i], e->data, e->bytes);
        e->data = f->copies[i];
    }
}

enum status tensors_open(const char *path, struct tensor_file **out)
{
    struct file_map map;
    enum status st;

    TRY(file_map_open(&map, path));
    st = tensors_parse(path, map.p, map.n, map.n, out);
    if (st != ST_OK) {
        file_map_close(&map);
        return st;
    }
    (*out)->map = map;
    attach_data(*out);
    return ST_OK;
}

void tensors_close(struct tensor_file *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; f->copies && i < f->count; i++)
        if (f->copies[i])
            mem_free_aligned(f->copies[i]);
    if (f->map.p)
        file_map_close(&f->map);
    json_decref(f->header);
    free(f->copies);
    free(f->by_name);
    free(f->offsets);
    free(f->entries);
    free(f->what);
    free(f);
}

size_t tensors_count(const struct tensor_file *f)
{
    return f->count;
}

const struct tensor_entry *tensors_at(const struct tensor_file *f, size_t i)
{
    return &f->entries[i];
}

const struct tensor_entry *tensors_find(const struct tensor_file *f, const char *name)
{
    const struct tensor_entry key = { .name = name }, *want = &key;
    const struct tensor_entry **found =
        bsearch(&want, f->by_name, f->count, sizeof *f->by_name, by_name);

    return found ? *found : NULL;
}

const json_t *tensors_metadata(const struct tensor_file *f)
{
    return json_object_get(f->header, METADATA);
}

/* ---- writing ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum status check_names(const char *path, const struct tensor_entry *entries, size_t count)
{
    const char **names = mem_array(count + 1, sizeof *names);
    enum status st = ST_OK;

    for (size_t i = 0; i < count; i++)
        names[i] = entries[i].name;
    qsort(names, count, sizeof *names, by_text);
    for (size_t i = 0; i < count && st == ST_OK; i++)
        if ((i > 0 && strcmp(names[i], names[i - 1]) == 0) || strcmp(names[i], METADATA) == 0 ||
            !utf8_valid(names[i], strlen(names[i])))
            st = fail(ST_FORMAT,
                      "'%s': the tensor name '%s' stands twice, is reserved or is not UTF-8", path,
                      names[i]);
    free(names);
    return st;
}

static enum status check_entry(const char *path, const struct tensor_entry *e, uint64_t begin)
{
    uint64_t bytes;

    if (e->dims < 0 || e->dims > DIMS_MAX || !shape_bytes(e, &bytes) || bytes != e->bytes)
        return fail(ST_FORMAT, "'%s': tensor '%s' has %llu bytes, which are not those of its shape",
                    path, e->name, (unsigned long long)e->bytes);
    if (begin % dtypes[e->dtype].size != 0)
        return fail(
            ST_FORMAT,
            "'%s': tensor '%s' (%s) would begin at byte %llu of the data, want a multiple of %zu: "
            "put wider types first",
            path, e->name, dtypes[e->dtype].name, (unsigned long long)begin, dtypes[e->dtype].size);
    return ST_OK;
}

static void print_entry(struct buf *out, const struct tensor_entry *e, uint64_t begin)
{
    json_quote(out, e->name, strlen(e->name));
    buf_printf(out, ":{\"dtype\":\"%s\",\"shape\":[", dtypes[e->dtype].name);
    for (int i = 0; i < e->dims; i++)
        buf_printf(out, "%s%lld", i ? "," : "", (long long)e->shape[i]);
    buf_printf(out, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)begin,
               (unsigned long long)(begin + e->bytes));
}

/* The first bytes of the file, up to its data. */
static enum status print_header(const char *path, const struct tensor_entry *entries, size_t count,
                                const json_t *metadata, struct buf *out)
{
    uint64_t begin = 0, length;

    buf_add(out, "\0\0\0\0\0\0\0\0{", 9);
    if (metadata) {
        buf_adds(out, "\"" METADATA "\":");
        json_canonical(out, metadata);
    }
    for (size_t i = 0; i < count; i++) {
        TRY(check_entry(path, &entries[i], begin));
        if (i > 0 || metadata)
            buf_addc(out, ',');
        print_entry(out, &entries[i], begin);
        begin += entries[i].bytes;
    }
    buf_addc(out, '}');
    while (out->n % ALIGN != 0)
        buf_addc(out, ' ');
    length = out->n - 8;
    if (length > HEADER_MAX)
        return fail(ST_LIMIT, "'%s': a header of %llu bytes, want at most %u", path,
                    (unsigned long long)length, HEADER_MAX);
    for (int i = 0; i < 8; i++)
        out->p[i] = (char)(length >> (8 * i));
    return ST_OK;
}

static enum status write_all(int fd, const char *path, const void *bytes, uint64_t n)
{
    const char *p = bytes;

    while (n > 0) {
        ssize_t done = write(fd, p, n < (1u << 30) ? n : 1u << 30);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return fail_errno(ST_IO, "cannot write '%s'", path);
        p += done;
        n -= (uint64_t)done;
    }
    return ST_OK;
}

static enum status write_file(int fd, const char *path, const struct buf *header,
                              const struct tensor_entry *entries, size_t count)
{
    TRY(write_all(fd, path, header->p, header->n));
    for (size_t i = 0; i < count; i++)
        TRY(write_all(fd, path, entries[i].data, entries[i].bytes));
    return fsync(fd) == 0 ? ST_OK : fail_errno(ST_IO, "cannot sync '%s'", path);
}

enum status tensors_write(const char *path, const struct tensor_entry *entries, size_t count,
                          const json_t *metadata)
{
    struct buf header = { 0 };
    struct tensor_file checks = { .what = (char *)path };
    enum status st = check_names(path, entries, count);
    int fd = -1;

    if (st == ST_OK && metadata)
        st = check_metadata(&checks, metadata);
    if (st == ST_OK)
        st = print_header(path, entries, count, metadata, &header);
    if (st == ST_OK) {
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        st = fd < 0 ? fail_errno(ST_IO, "cannot create '%s'", path)
                    : write_file(fd, path, &header, entries, count);
    }
    if (fd >= 0 && close(fd) != 0 && st == ST_OK)
        st = fail_errno(ST_IO, "cannot write '%s'", path);
    buf_release(&header);
    return st;
}
