/*
 * Models of fastText that classify texts (lid.176.bin, lid.176.ftz and their like): the file is mapped, checked and
 * used as it is, and a text gets the label and probability that `fasttext predict-prob` gives it.
 *
 * The file (version 12; 11, which has no subwords in classifiers), little-endian, nothing aligned:
 *   magic 793712314, version              int32 each
 *   options                               12 int32: dim ws epoch minCount neg wordNgrams loss model bucket minn maxn
 *                                         lrUpdateRate; t, a double
 *   dictionary                            int32 entries, words, labels; int64 tokens, pruned (-1: not pruned);
 *                                         an entry: text, NUL, int64 count, int8 kind (0 word, 1 label), words first;
 *                                         pruned pairs of int32: bucket, row behind the words
 *   input                                 int8 quantised?, matrix of (words + buckets) x dim
 *   output                                int8 quantised?, matrix of labels x dim
 *   a matrix as it is                     int64 rows, columns; floats
 *   a quantised matrix                    int8 norms?, int64 rows, columns, int32 codes; codes; quantiser;
 *                                         norms: a code a row; quantiser
 *   a quantiser                           int32 dim, parts, part, last part; 256 centroids of each part, floats
 *
 * What a text is: tokens between ASCII white space and NULs, line ends being blanks as others (datatrove and Curator
 * replace "\n" by " " before they ask), and the token "</s>" at the end, which the program sees at its line's end. A
 * token gives its own row, if it is known, the rows of its character n-grams, and those of word n-grams. The mean of
 * the rows, times the output matrix, through the model's loss, is a probability for each label. Sums are made in
 * fastText's order with its types.
 *
 * Nothing of the file is believed: every size is held against the bytes that are there and against the others before
 * it is used. A large input that is not quantised is copied once, into memory that suits it; all else stays where it lies.
 *
 *   fasttext_read.c    the file: options, dictionary, pruned buckets
 *   fasttext_matrix.c  matrices, quantised or not
 *   fasttext_predict.c from a text to a label
 */
#ifndef TUNDISH_CURATE_FASTTEXT_H
#define TUNDISH_CURATE_FASTTEXT_H

#include <stdint.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/status.h"
#include "base/str.h"

struct fasttext;
/* Maps the file. A file that is no classifier of fastText's, or is damaged: ST_FORMAT with the place. */
MUST_USE enum status fasttext_open(const char *path, struct fasttext **out);
/* The same of bytes in memory, borrowed until fasttext_close(); name is for messages. */
MUST_USE enum status fasttext_over(const char *name, struct span bytes, struct fasttext **out);
void fasttext_close(struct fasttext *m);
size_t fasttext_labels(const struct fasttext *m);
/* "__label__en"; borrowed, NUL-terminated. */
const char *fasttext_label(const struct fasttext *m, size_t label);

/* What one thread keeps between texts. */
struct fasttext_scratch;
struct fasttext_scratch *fasttext_scratch_new(const struct fasttext *m);
void fasttext_scratch_free(struct fasttext_scratch *s);

struct fasttext_guess {
    size_t label;
    double probability;
    bool none;             /* no token of the text is known: the other two mean nothing */
};
/* The likeliest label. ST_FORMAT: the model's numbers lead to none (NaN). Linear in the text. */
MUST_USE enum status fasttext_predict(const struct fasttext *m, struct span text, struct fasttext_scratch *s,
                                      struct fasttext_guess *out);

/* --- the inside --- */

enum fasttext_loss { FASTTEXT_HS = 1, FASTTEXT_NS, FASTTEXT_SOFTMAX, FASTTEXT_OVA };

/* Floats where they lie, aligned or not. */
struct fasttext_floats {
    const char *p;
    size_t count;
};
static inline float fasttext_float(struct fasttext_floats f, size_t i)
{
    float x;

    memcpy(&x, f.p + 4 * i, 4);
    return x;
}

/* 256 centroids of each part of a row. */
struct fasttext_quantiser {
    uint32_t dim, parts, part, last;
    struct fasttext_floats centroids;
};

struct fasttext_matrix {
    uint64_t rows;
    uint32_t columns;
    bool quantised, norms;
    struct fasttext_floats dense;
    const uint8_t *codes, *norm_codes;       /* parts a row; one a row */
    struct fasttext_quantiser quantiser, norm_quantiser;
};

struct fasttext_node {                       /* of the tree of a hierarchical softmax */
    int32_t left, right;                     /* -1: a label */
    int64_t count;
};

struct fasttext {
    const char *name;
    struct arena arena;
    struct file_map map;                     /* p NULL: the bytes are somebody else's */
    uint32_t dim, word_ngrams, buckets, min_chars, max_chars;
    uint64_t bucket_share;                   /* 2^64 / buckets, rounded up: for remainders without a division */
    enum fasttext_loss loss;
    uint32_t words, labels;
    struct span *entries;                    /* words, then labels; their NULs follow */
    int64_t *label_counts;
    uint32_t *slots, slot_mask;              /* entry + 1 by hash of its text; 0: free */
    bool pruned;
    uint64_t *kept_slots;                    /* of a pruned model: (bucket + 1) << 32 | row by hash of the bucket */
    uint32_t kept_mask;
    struct fasttext_matrix input, output;
    char *copy;                              /* of a dense input, aligned, in huge pages if there are; mapped */
    size_t copy_bytes;
    struct fasttext_node *tree;              /* 2 * labels - 1, of FASTTEXT_HS */
    float sigmoid[513];                      /* of FASTTEXT_NS and FASTTEXT_OVA */
};

struct cursor;
MUST_USE enum status fasttext_matrix_read(struct fasttext *m, struct cursor *c, const char *what,
                                          struct fasttext_matrix *out);
/* Moves a dense input into memory of its own, where rows begin at cache lines and a page holds thousands of them: they
 * are drawn at random, and each would cost two lines and a page's address. */
void fasttext_settle(struct fasttext *m);
void fasttext_unsettle(struct fasttext *m);
/* sum += row i */
void fasttext_add_row(const struct fasttext_matrix *m, size_t i, float *sum);
float fasttext_dot_row(const struct fasttext_matrix *m, size_t i, const float *x);
/* Calls up the memory of a row that will be asked for. */
void fasttext_fetch_row(const struct fasttext_matrix *m, size_t i);

#define FASTTEXT_UNKNOWN UINT32_MAX
/* The entry with that text, or FASTTEXT_UNKNOWN. */
uint32_t fasttext_find(const struct fasttext *m, struct span token);
/* The input row of a bucket, or FASTTEXT_UNKNOWN when it was pruned. */
uint32_t fasttext_bucket_row(const struct fasttext *m, uint32_t bucket);

#endif
