#include "model/decode.h"

#include <math.h>
#include <stdlib.h>

#include "base/arena.h"

struct choice {
    double p;
    int32_t id;
};

static int by_probability(const void *a, const void *b)
{
    const struct choice *x = a, *y = b;

    if (x->p != y->p)
        return x->p < y->p ? 1 : -1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static int32_t most_likely(const float *logits, int64_t vocab)
{
    int32_t best = 0;

    for (int64_t i = 1; i < vocab; i++)
        if (logits[i] > logits[best])
            best = (int32_t)i;
    return best;
}

/* How many of the sorted choices stay: top-k, then the smallest set that reaches top-p, then those
 * of at least min-p times the first one's probability (Nguyen et al. 2024, section 3). At least
 * one. */
static int64_t keep(const struct choice *v, int64_t n, const struct sample_options *o)
{
    double sum = 0;
    int64_t k = o->top_k > 0 && o->top_k < n ? o->top_k : n, i = 0;

    if (o->top_p < 1) {
        double total = 0;

        for (i = 0; i < k; i++)
            total += v[i].p;
        for (i = 0; i < k && sum < o->top_p * total; i++)
            sum += v[i].p;
        k = i > 0 ? i : 1;
    }
    while (k > 1 && v[k - 1].p < o->min_p * v[0].p)
        k--;
    return k;
}

int32_t sample_token(const float *logits, int64_t vocab, const struct sample_options *o,
                     double draw)
{
    struct choice *v;
    double top, total = 0, sum = 0;
    int64_t n;
    int32_t id;

    if (o->temperature <= 0)
        return most_likely(logits, vocab);
    v = mem_array((size_t)vocab, sizeof *v);
    top = logits[most_likely(logits, vocab)];
    for (int64_t i = 0; i < vocab; i++)
        v[i] = (struct choice){ exp((logits[i] - top) / o->temperature), (int32_t)i };
    qsort(v, (size_t)vocab, sizeof *v, by_probability);
    n = keep(v, vocab, o);
    for (int64_t i = 0; i < n; i++)
        total += v[i].p;
    id = v[n - 1].id;
    for (int64_t i = 0; i < n; i++) {
        sum += v[i].p;
        if (draw * total < sum) {
            id = v[i].id;
            break;
        }
    }
    free(v);
    return id;
}
