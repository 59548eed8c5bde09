#include <math.h>

#include "curate/language/fasttext.h"

#define AHEAD 16                   /* rows that are called up before they are added */
#define FNV_START UINT32_C(2166136261)

struct fasttext_scratch {
    float *hidden, *output;        /* dim, labels */
    uint32_t *hashes;              /* of the text's words, where word n-grams want them */
    size_t hash_count, hash_cap;
    uint32_t ahead[AHEAD];
    size_t rows;                   /* of the text; the last AHEAD of them may be in `ahead` only */
    uint32_t *stack;               /* of the tree's nodes: their scores stand beside */
    float *scores;
};

struct fasttext_scratch *fasttext_scratch_new(const struct fasttext *m)
{
    struct fasttext_scratch *s = mem_alloc(sizeof *s);

    s->hidden = mem_alloc_aligned(m->dim * sizeof *s->hidden);
    s->output = mem_array(m->labels, sizeof *s->output);
    if (m->loss == FASTTEXT_HS) {
        s->stack = mem_array(2 * (size_t)m->labels, sizeof *s->stack);
        s->scores = mem_array(2 * (size_t)m->labels, sizeof *s->scores);
    }
    return s;
}

void fasttext_scratch_free(struct fasttext_scratch *s)
{
    if (s == NULL)
        return;
    mem_free_aligned(s->hidden);
    free(s->output);
    free(s->hashes);
    free(s->stack);
    free(s->scores);
    free(s);
}

/* ---- a text's rows ---- */

static void take_row(const struct fasttext *m, struct fasttext_scratch *s, uint32_t row)
{
    uint32_t *slot = &s->ahead[s->rows % AHEAD];

    if (s->rows >= AHEAD)
        fasttext_add_row(&m->input, *slot, s->hidden);
    *slot = row;
    s->rows++;
    fasttext_fetch_row(&m->input, row);
}

static void add_waiting(const struct fasttext *m, struct fasttext_scratch *s)
{
    for (size_t i = s->rows > AHEAD ? s->rows - AHEAD : 0; i < s->rows; i++)
        fasttext_add_row(&m->input, s->ahead[i % AHEAD], s->hidden);
}

static void take_bucket(const struct fasttext *m, struct fasttext_scratch *s, uint32_t bucket)
{
    uint32_t row = fasttext_bucket_row(m, bucket);

    if (row != FASTTEXT_UNKNOWN)
        take_row(m, s, row);
}

/* FNV-1a, but that bytes are taken as signed. */
static uint32_t hash_byte(uint32_t h, char c) { return (h ^ (uint32_t)(int8_t)c) * UINT32_C(16777619); }

static uint32_t hash_word(struct span word)
{
    uint32_t h = FNV_START;

    for (size_t i = 0; i < word.n; i++)
        h = hash_byte(h, word.p[i]);
    return h;
}

/* h % buckets: the fraction of h / buckets in 64 bits, times buckets (Lemire, Kaser, Kurz 2019; exact for 32 bits). */
static uint32_t bucket_of(const struct fasttext *m, uint32_t h)
{
    return (uint32_t)((unsigned __int128)(m->bucket_share * h) * m->buckets >> 64);
}

static bool goes_on(char c) { return (c & 0xC0) == 0x80; }

/* Byte i of "<word>". */
static char framed(struct span word, size_t i) { return i == 0 ? '<' : i <= word.n ? word.p[i - 1] : '>'; }

/* All n-grams of min_chars to max_chars characters of "<word>", but "<" and ">" alone. */
static void take_characters(const struct fasttext *m, struct fasttext_scratch *s, struct span word)
{
    size_t size = word.n + 2;

    for (size_t i = 0; i < size; i++) {
        uint32_t h = FNV_START;

        if (goes_on(framed(word, i)))
            continue;
        for (size_t j = i, n = 1; j < size && n <= m->max_chars; n++) {
            h = hash_byte(h, framed(word, j++));
            while (j < size && goes_on(framed(word, j)))
                h = hash_byte(h, framed(word, j++));
            if (n >= m->min_chars && !(n == 1 && (i == 0 || j == size)))
                take_bucket(m, s, bucket_of(m, h));
        }
    }
}

static bool is_end(struct span token) { return span_eq(token, "</s>"); }

static void note_hash(const struct fasttext *m, struct fasttext_scratch *s, struct span token)
{
    if (m->word_ngrams <= 1)
        return;
    if (s->hash_count == s->hash_cap) {
        s->hash_cap = s->hash_cap ? 2 * s->hash_cap : 1024;
        s->hashes = mem_grow(s->hashes, s->hash_cap, sizeof *s->hashes);
    }
    s->hashes[s->hash_count++] = hash_word(token);
}

static void take_token(const struct fasttext *m, struct fasttext_scratch *s, struct span token)
{
    static const char prefix[] = "__label__";
    uint32_t id = fasttext_find(m, token);

    if (id == FASTTEXT_UNKNOWN ? token.n >= strlen(prefix) && memcmp(token.p, prefix, strlen(prefix)) == 0
                               : id >= m->words)
        return;                                        /* a label is not read */
    if (id != FASTTEXT_UNKNOWN)
        take_row(m, s, id);
    if (!is_end(token) && (m->max_chars > 0 || id == FASTTEXT_UNKNOWN))
        take_characters(m, s, token);
    note_hash(m, s, token);
}

static void take_word_ngrams(const struct fasttext *m, struct fasttext_scratch *s)
{
    for (size_t i = 0; i < s->hash_count; i++) {
        uint64_t h = (uint64_t)(int32_t)s->hashes[i];

        for (size_t j = i + 1; j < s->hash_count && j < i + m->word_ngrams; j++) {
            h = h * 116049371 + (uint64_t)(int32_t)s->hashes[j];
            take_bucket(m, s, (uint32_t)(h % m->buckets));
        }
    }
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\v' || c == '\f' || c == 0;
}

/* Leaves the mean of all rows in s->hidden; false when there is none. */
static bool read_text(const struct fasttext *m, struct span text, struct fasttext_scratch *s)
{
    size_t at = 0;
    bool ended = false;
    float share = 0;

    memset(s->hidden, 0, m->dim * sizeof *s->hidden);
    s->rows = s->hash_count = 0;
    while (!ended) {
        size_t start;

        while (at < text.n && is_space(text.p[at]))
            at++;
        start = at;
        while (at < text.n && !is_space(text.p[at]))
            at++;
        if (at == start)
            break;
        ended = is_end((struct span){ text.p + start, at - start });
        take_token(m, s, (struct span){ text.p + start, at - start });
    }
    if (!ended)
        take_token(m, s, span_of("</s>"));
    take_word_ngrams(m, s);
    add_waiting(m, s);
    if (s->rows > 0)
        share = (float)(1.0 / (double)s->rows);
    for (uint32_t j = 0; j < m->dim; j++)
        s->hidden[j] *= share;
    return s->rows > 0;
}

/* ---- the label ---- */

/* As fastText has it, so that what is added up is the same. */
static float log_of(float x) { return (float)log((double)x + 1e-5); }

static float sigmoid_of(const struct fasttext *m, float x)
{
    if (x < -8)
        return 0;
    if (x > 8)
        return 1;
    return m->sigmoid[(int)((x + 8) * 512 / 8 / 2)];
}

static enum status no_number(const struct fasttext *m)
{
    return fail(ST_FORMAT, "'%s' leads to a score that is no number; the model is damaged", m->name);
}

static enum status all_outputs(const struct fasttext *m, struct fasttext_scratch *s)
{
    for (uint32_t i = 0; i < m->labels; i++) {
        s->output[i] = fasttext_dot_row(&m->output, i, s->hidden);
        if (isnan(s->output[i]))
            return no_number(m);
        if (m->loss != FASTTEXT_SOFTMAX)
            s->output[i] = sigmoid_of(m, s->output[i]);
    }
    return ST_OK;
}

static void softmax(float *x, uint32_t n)
{
    float max = x[0], sum = 0;

    for (uint32_t i = 0; i < n; i++)
        max = x[i] > max ? x[i] : max;
    for (uint32_t i = 0; i < n; i++) {
        x[i] = (float)exp((double)(x[i] - max));
        sum += x[i];
    }
    for (uint32_t i = 0; i < n; i++)
        x[i] /= sum;
}

static enum status best_output(const struct fasttext *m, struct fasttext_scratch *s, struct fasttext_guess *out)
{
    float best = -INFINITY;

    TRY(all_outputs(m, s));
    if (m->loss == FASTTEXT_SOFTMAX)
        softmax(s->output, m->labels);
    for (uint32_t i = 0; i < m->labels; i++) {
        float score = log_of(s->output[i]);

        if (isnan(score))
            return no_number(m);
        if (score >= best) {                /* of equals the last, as its heap leaves it */
            best = score;
            out->label = i;
        }
    }
    out->probability = (double)expf(best);
    return ST_OK;
}

/* Down the tree, left before right, leaving out what cannot be better than the best label so far. */
static enum status best_leaf(const struct fasttext *m, struct fasttext_scratch *s, struct fasttext_guess *out)
{
    size_t depth = 0;
    float best = log_of(0);              /* a label below that is none */

    out->none = true;
    s->stack[depth] = 2 * m->labels - 2;
    s->scores[depth++] = 0;
    while (depth > 0) {
        uint32_t node = s->stack[--depth];
        float score = s->scores[depth], f;

        if (score < best)
            continue;
        if (node < m->labels) {
            best = score;
            out->label = node;
            out->none = false;
            continue;
        }
        f = fasttext_dot_row(&m->output, node - m->labels, s->hidden);
        if (isnan(f))
            return no_number(m);
        f = (float)(1. / (double)(1 + expf(-f)));
        s->stack[depth] = (uint32_t)m->tree[node].right;
        s->scores[depth++] = score + log_of(f);
        s->stack[depth] = (uint32_t)m->tree[node].left;
        s->scores[depth++] = score + log_of((float)(1.0 - (double)f));
    }
    out->probability = (double)expf(best);
    return ST_OK;
}

enum status fasttext_predict(const struct fasttext *m, struct span text, struct fasttext_scratch *s,
                             struct fasttext_guess *out)
{
    *out = (struct fasttext_guess){ .none = !read_text(m, text, s) };
    if (out->none)
        return ST_OK;
    return m->loss == FASTTEXT_HS ? best_leaf(m, s, out) : best_output(m, s, out);
}
