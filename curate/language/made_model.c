#include "curate/language/made_model.h"

#include <stdio.h>

#include "base/rng.h"

#define COLUMNS 16
#define WORDS 7000
#define LABELS 176
#define BUCKETS 2000000

static void add_int(struct buf *out, int64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        buf_addc(out, (char)((uint64_t)value >> (8 * i)));
}

static void add_matrix(struct buf *out, size_t rows, struct rng *r)
{
    add_int(out, 0, 1);
    add_int(out, (int64_t)rows, 8);
    add_int(out, COLUMNS, 8);
    buf_reserve(out, 4 * rows * COLUMNS);
    for (size_t i = 0; i < rows * COLUMNS; i++) {
        float x = (float)rng_below(r, 2001) / 1000 - 1;

        buf_add(out, &x, sizeof x);
    }
}

void made_model(struct buf *out)
{
    /* dim ws epoch minCount neg wordNgrams, loss: a tree, model: a classifier, bucket minn maxn lrUpdateRate */
    static const int32_t options[12] = { COLUMNS, 5, 5, 1000, 5, 1, 1, 3, BUCKETS, 2, 4, 100 };
    struct rng r = { .seed = 3 };

    add_int(out, 793712314, 4);
    add_int(out, 12, 4);
    for (int i = 0; i < 12; i++)
        add_int(out, options[i], 4);
    add_int(out, 0, 8);
    add_int(out, WORDS + LABELS, 4);
    add_int(out, WORDS, 4);
    add_int(out, LABELS, 4);
    add_int(out, 0, 8);
    add_int(out, -1, 8);
    for (int i = 0; i < WORDS + LABELS; i++) {
        if (i < WORDS)
            buf_printf(out, "word%d", i);
        else
            buf_printf(out, "__label__%c%c", 'a' + (i - WORDS) / 26, 'a' + (i - WORDS) % 26);
        add_int(out, 0, 1);
        add_int(out, i < WORDS ? WORDS - i : 10 * (WORDS + LABELS - i), 8);
        add_int(out, i >= WORDS, 1);
    }
    add_matrix(out, WORDS + BUCKETS, &r);
    add_matrix(out, LABELS, &r);
}
