#include "base/cursor.h"
#include "base/hash.h"
#include "curate/language/fasttext.h"

#include <math.h>

#define MAGIC 793712314
#define SUPERVISED 3
#define DIM_MAX 4096
#define ENTRIES_MAX (1u << 30)
#define NGRAM_MAX 100              /* characters or words: the work for a text grows with it */
#define COUNTS_MAX 1000000000000000    /* what the tree of labels takes for "not yet made" */

/* ---- options ---- */

enum { DIM, WORD_NGRAMS = 5, LOSS, MODEL, BUCKETS, MIN_CHARS, MAX_CHARS, OPTIONS = 12 };

static enum status check_option(const struct fasttext *m, const char *key, int64_t value, int64_t low, int64_t high)
{
    if (value >= low && value <= high)
        return ST_OK;
    return fail(ST_FORMAT, "'%s': the option '%s' of the model is %lld; want %lld to %lld", m->name, key,
                (long long)value, (long long)low, (long long)high);
}

static enum status read_options(struct fasttext *m, struct cursor *c)
{
    uint32_t magic = (uint32_t)cursor_uint(c, 4), version = (uint32_t)cursor_uint(c, 4);
    int32_t v[OPTIONS];

    for (int i = 0; i < OPTIONS; i++)
        v[i] = (int32_t)cursor_uint(c, 4);
    cursor_uint(c, 8);
    if (!cursor_ok(c) || magic != MAGIC)
        return fail(ST_FORMAT, "'%s' is no model of fastText (it begins with %u, want %u)", m->name, magic, MAGIC);
    if (version != 11 && version != 12)
        return fail(ST_FORMAT, "'%s' has version %u of fastText's format; want 11 or 12", m->name, version);
    if (v[MODEL] != SUPERVISED)
        return fail(ST_FORMAT, "'%s' holds word vectors; want a classifier (`fasttext supervised`)", m->name);
    if (version == 11)
        v[MAX_CHARS] = 0;
    TRY(check_option(m, "dim", v[DIM], 1, DIM_MAX));
    TRY(check_option(m, "loss", v[LOSS], FASTTEXT_HS, FASTTEXT_OVA));
    TRY(check_option(m, "wordNgrams", v[WORD_NGRAMS], 0, NGRAM_MAX));
    TRY(check_option(m, "minn", v[MIN_CHARS], 0, NGRAM_MAX));
    TRY(check_option(m, "maxn", v[MAX_CHARS], 0, NGRAM_MAX));
    TRY(check_option(m, "bucket", v[BUCKETS], v[WORD_NGRAMS] > 1 || v[MAX_CHARS] > 0, INT32_MAX));
    m->dim = (uint32_t)v[DIM];
    m->loss = (enum fasttext_loss)v[LOSS];
    m->word_ngrams = (uint32_t)v[WORD_NGRAMS];
    m->min_chars = (uint32_t)v[MIN_CHARS];
    m->max_chars = (uint32_t)v[MAX_CHARS];
    m->buckets = (uint32_t)v[BUCKETS];
    m->bucket_share = m->buckets ? UINT64_MAX / m->buckets + 1 : 0;
    return ST_OK;
}

/* ---- dictionary ---- */

static uint32_t mask_for(uint64_t count)
{
    uint64_t slots = 16;

    while (slots < 2 * count)
        slots *= 2;
    return (uint32_t)(slots - 1);
}

static uint32_t *slot_of(const struct fasttext *m, struct span token)
{
    uint32_t i = (uint32_t)xxh3(token.p, token.n) & m->slot_mask;

    while (m->slots[i] != 0) {
        struct span known = m->entries[m->slots[i] - 1];

        if (known.n == token.n && memcmp(known.p, token.p, token.n) == 0)
            break;
        i = (i + 1) & m->slot_mask;
    }
    return &m->slots[i];
}

uint32_t fasttext_find(const struct fasttext *m, struct span token)
{
    uint32_t slot = *slot_of(m, token);

    return slot ? slot - 1 : FASTTEXT_UNKNOWN;
}

static enum status read_entry(struct fasttext *m, struct cursor *c, uint32_t i)
{
    size_t at = cursor_offset(c), left = cursor_left(c);
    const char *start = (const char *)c->p, *end = left ? memchr(start, 0, left) : NULL;
    uint64_t kind;
    int64_t count;

    if (end == NULL)
        return fail(ST_FORMAT, "'%s' ends at byte %zu within its dictionary; was it copied whole?", m->name, at);
    m->entries[i] = cursor_bytes(c, (uint64_t)(end - start));
    cursor_uint(c, 1);
    count = (int64_t)cursor_uint(c, 8);
    kind = cursor_uint(c, 1);
    if (!cursor_ok(c) || kind != (i >= m->words))
        return fail(ST_FORMAT, "'%s': entry %u of the dictionary, at byte %zu, is of kind %llu; want %u words (0), then "
                    "%u labels (1)", m->name, i, at, (unsigned long long)kind, m->words, m->labels);
    if (i >= m->words)
        m->label_counts[i - m->words] = count;
    *slot_of(m, m->entries[i]) = i + 1;
    return ST_OK;
}

static uint64_t *kept_slot(const struct fasttext *m, uint32_t bucket)
{
    uint32_t i = (uint32_t)(((bucket + UINT64_C(1)) * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & m->kept_mask;

    while (m->kept_slots[i] != 0 && m->kept_slots[i] >> 32 != bucket + UINT64_C(1))
        i = (i + 1) & m->kept_mask;
    return &m->kept_slots[i];
}

uint32_t fasttext_bucket_row(const struct fasttext *m, uint32_t bucket)
{
    uint64_t slot;

    if (!m->pruned)
        return m->words + bucket;
    slot = *kept_slot(m, bucket);
    return slot ? m->words + (uint32_t)slot : FASTTEXT_UNKNOWN;
}

static enum status read_pruned(struct fasttext *m, struct cursor *c, int64_t pairs, uint32_t *rows)
{
    size_t at = cursor_offset(c);

    *rows = 0;
    m->pruned = pairs >= 0;
    if (!m->pruned) {
        *rows = m->buckets;
        return ST_OK;
    }
    if ((uint64_t)pairs > cursor_left(c) / 8)
        return fail(ST_FORMAT, "'%s': %lld pruned buckets are told at byte %zu, where %zu bytes are left; was it copied "
                    "whole?", m->name, (long long)pairs, at, cursor_left(c));
    m->kept_mask = mask_for((uint64_t)pairs);
    m->kept_slots = arena_array(&m->arena, (size_t)m->kept_mask + 1, sizeof *m->kept_slots);
    for (int64_t i = 0; i < pairs; i++) {
        uint32_t bucket = (uint32_t)cursor_uint(c, 4), row = (uint32_t)cursor_uint(c, 4);

        if (bucket >= m->buckets || row > INT32_MAX)
            return fail(ST_FORMAT, "'%s': pruned bucket %u has row %u; want a bucket below %u and a row", m->name,
                        bucket, row, m->buckets);
        *kept_slot(m, bucket) = (bucket + UINT64_C(1)) << 32 | row;
        if (row >= *rows)
            *rows = row + 1;
    }
    return ST_OK;
}

/* *rows: how many the input must have. */
static enum status read_dictionary(struct fasttext *m, struct cursor *c, uint64_t *rows)
{
    uint32_t entries = (uint32_t)cursor_uint(c, 4), behind;
    int64_t pairs;

    m->words = (uint32_t)cursor_uint(c, 4);
    m->labels = (uint32_t)cursor_uint(c, 4);
    cursor_uint(c, 8);
    pairs = (int64_t)cursor_uint(c, 8);
    /* an entry takes ten bytes or more */
    if (!cursor_ok(c) || entries > ENTRIES_MAX || entries > cursor_left(c) / 10 || m->labels == 0 || m->words > entries ||
        m->labels != entries - m->words)
        return fail(ST_FORMAT, "'%s': a dictionary of %u entries, %u words and %u labels, with %zu bytes left; want "
                    "their sum, at least one label, and ten bytes for each", m->name, entries, m->words, m->labels,
                    cursor_left(c));
    m->entries = arena_array(&m->arena, entries, sizeof *m->entries);
    m->label_counts = arena_array(&m->arena, m->labels, sizeof *m->label_counts);
    m->slot_mask = mask_for(entries);
    m->slots = arena_array(&m->arena, (size_t)m->slot_mask + 1, sizeof *m->slots);
    for (uint32_t i = 0; i < entries; i++)
        TRY(read_entry(m, c, i));
    TRY(read_pruned(m, c, pairs, &behind));
    *rows = (uint64_t)m->words + (m->max_chars > 0 || m->word_ngrams > 1 ? behind : 0);
    return ST_OK;
}

/* ---- what follows from them ---- */

static enum status check_counts(const struct fasttext *m)
{
    int64_t sum = 0;

    for (uint32_t i = 0; i < m->labels; i++) {
        if (m->label_counts[i] < 0 || m->label_counts[i] >= COUNTS_MAX - sum)
            return fail(ST_FORMAT, "'%s': label '%.100s' is told to stand %lld times in the training data; want 0 or "
                        "more, and less than 1e15 for all labels", m->name, fasttext_label(m, i),
                        (long long)m->label_counts[i]);
        sum += m->label_counts[i];
    }
    return ST_OK;
}

/* Huffman's tree as fastText makes it: labels come by falling counts, inner nodes by rising ones, and the two that
 * are rarest at their ends become one. */
static enum status make_tree(struct fasttext *m)
{
    size_t labels = m->labels, count = 2 * labels - 1, node = labels, leaf = labels;

    TRY(check_counts(m));
    m->tree = arena_array(&m->arena, count, sizeof *m->tree);
    for (size_t i = 0; i < count; i++)
        m->tree[i] = (struct fasttext_node){ -1, -1, i < labels ? m->label_counts[i] : COUNTS_MAX };
    for (size_t i = labels; i < count; i++) {
        size_t least[2];

        for (int j = 0; j < 2; j++)
            least[j] = leaf > 0 && m->tree[leaf - 1].count < m->tree[node].count ? --leaf : node++;
        BUG_IF(least[0] >= i || least[1] >= i);      /* of i + 1 nodes, at least two are free */
        m->tree[i] = (struct fasttext_node){ (int32_t)least[0], (int32_t)least[1],
                                             m->tree[least[0]].count + m->tree[least[1]].count };
    }
    return ST_OK;
}

static void make_sigmoid(struct fasttext *m)
{
    for (int i = 0; i <= 512; i++) {
        float x = (float)(i * 16) / 512 - 8;

        m->sigmoid[i] = (float)(1.0 / (1.0 + (double)expf(-x)));
    }
}

static enum status read_model(struct fasttext *m, struct span bytes)
{
    struct cursor c = cursor_over(bytes.p, bytes.n);
    uint64_t rows = 0;

    TRY(read_options(m, &c));
    TRY(read_dictionary(m, &c, &rows));
    TRY(fasttext_matrix_read(m, &c, "input", &m->input));
    if (m->input.rows < rows)
        return fail(ST_FORMAT, "'%s': the input matrix has %llu rows; want %llu for its words and n-grams", m->name,
                    (unsigned long long)m->input.rows, (unsigned long long)rows);
    TRY(fasttext_matrix_read(m, &c, "output", &m->output));
    if (m->output.rows != m->labels)
        return fail(ST_FORMAT, "'%s': the output matrix has %llu rows; want one for each of %u labels", m->name,
                    (unsigned long long)m->output.rows, m->labels);
    if (cursor_left(&c) > 0)
        return fail(ST_FORMAT, "'%s' has %zu bytes behind its output matrix; want none", m->name, cursor_left(&c));
    make_sigmoid(m);
    fasttext_settle(m);
    return m->loss == FASTTEXT_HS ? make_tree(m) : ST_OK;
}

/* ---- open, close ---- */

enum status fasttext_over(const char *name, struct span bytes, struct fasttext **out)
{
    struct fasttext *m = mem_alloc(sizeof *m);
    enum status st;

    arena_init(&m->arena);
    m->name = arena_strdup(&m->arena, name);
    st = read_model(m, bytes);
    if (st == ST_OK)
        *out = m;
    else
        fasttext_close(m);
    return st;
}

enum status fasttext_open(const char *path, struct fasttext **out)
{
    struct file_map map;
    enum status st;

    TRY(file_map_open(&map, path));
    st = fasttext_over(path, (struct span){ map.p, map.n }, out);
    if (st == ST_OK)
        (*out)->map = map;
    else
        file_map_close(&map);
    return st;
}

void fasttext_close(struct fasttext *m)
{
    if (m == NULL)
        return;
    fasttext_unsettle(m);
    if (m->map.p != NULL)
        file_map_close(&m->map);
    arena_release(&m->arena);
    free(m);
}

size_t fasttext_labels(const struct fasttext *m) { return m->labels; }

const char *fasttext_label(const struct fasttext *m, size_t label) { return m->entries[m->words + label].p; }
