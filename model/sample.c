#include <math.h>
#include <stdlib.h>

#include "base/arena.h"
#include "model/decode.h"

struct choice {
    double p; /* not normalised: the most likely has 1 */
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

/* The element that draw falls on, of n with these weights. */
static int32_t pick(const struct choice *v, int64_t n, double draw)
{
    double total = 0, sum = 0;

    for (int64_t i = 0; i < n; i++)
        total += v[i].p;
    for (int64_t i = 0; i < n; i++) {
        sum += v[i].p;
        if (draw * total < sum)
            return v[i].id;
    }
    return v[n - 1].id;
}

/* How many of the sorted choices stay: top-k, then the smallest set that reaches `mass`, then those
 * of at least min-p times the first one's probability (Nguyen et al. 2024, section 3). At least
 * one. */
static int64_t keep(const struct choice *v, int64_t n, const struct sample_options *o, double mass)
{
    double sum = 0;
    int64_t k = o->top_k > 0 && o->top_k < n ? o->top_k : n, i = 0;

    while (i < k && (o->top_p >= 1 || sum < mass))
        sum += v[i++].p;
    k = i > 0 ? i : 1;
    while (k > 1 && v[k - 1].p < o->min_p)
        k--;
    return k;
}

/* Sorts the most likely of v (n of them, in any order) to its front, as many as keep() may look at,
 * and returns how many that is: few, mostly, so that sorting costs little beside one look at all.
 */
static int64_t sort_front(struct choice *v, int64_t n, const struct sample_options *o, double mass)
{
    int64_t front = 0;

    for (double least = 1.0 / 16;; least /= 256) {
        double sum = 0;

        for (int64_t i = front; i < n; i++)
            if (v[i].p >= least || least < 1e-12) {
                struct choice c = v[i];

                v[i] = v[front];
                v[front++] = c;
            }
        for (int64_t i = 0; i < front; i++)
            sum += v[i].p;
        if (front == n || (o->top_k > 0 && front >= o->top_k) || (o->top_p < 1 && sum >= mass))
            break;
    }
    qsort(v, (size_t)front, sizeof *v, by_probability);
    return front;
}

/* The probability mass that top-p asks for, of what top-k leaves. */
static double wanted_mass(struct choice *v, int64_t n, const struct sample_options *o)
{
    double total = 0;

    if (o->top_k > 0 && o->top_k < n) {
        n = sort_front(v, n, o, INFINITY);
        n = n < o->top_k ? n : o->top_k;
    }
    for (int64_t i = 0; i < n; i++)
        total += v[i].p;
    return o->top_p * total;
}

int32_t sample_token(const float *logits, int64_t vocab, const struct sample_options *o,
                     double draw)
{
    int32_t best = most_likely(logits, vocab), id;
    const bool cut = o->top_k > 0 || o->top_p < 1;
    struct choice *v;
    int64_t n = 0;

    if (o->temperature <= 0)
        return best;
    v = mem_array((size_t)vocab, sizeof *v);
    for (int64_t i = 0; i < vocab; i++) {
        double p = exp(((double)logits[i] - logits[best]) / o->temperature);

        if (cut || p >= o->min_p)
            v[n++] = (struct choice){ p, (int32_t)i };
    }
    if (n == 0) /* logits that are not numbers */
        v[n++] = (struct choice){ 1, best };
    if (cut) {
        double mass = wanted_mass(v, n, o);

        n = keep(v, sort_front(v, n, o, mass), o, mass);
    }
    id = pick(v, n, draw);
    free(v);
    return id;
}

bool sample_adjusts(const struct sample_options *o)
{
    return o->presence_penalty != 0 || o->frequency_penalty != 0 || o->repetition_penalty != 1 ||
           o->bias_count > 0;
}

void sample_adjust(float *logits, int64_t vocab, const struct sample_options *o,
                   const int32_t *written, const bool *in_prompt)
{
    const float repetition = (float)o->repetition_penalty;

    for (int64_t i = 0; i < vocab; i++) {
        if (written[i] == 0 && !in_prompt[i])
            continue;
        logits[i] = logits[i] > 0 ? logits[i] / repetition : logits[i] * repetition;
        if (written[i] > 0)
            logits[i] -= (float)(o->presence_penalty + o->frequency_penalty * written[i]);
    }
    for (size_t i = 0; i < o->bias_count; i++)
        logits[o->bias[i].token] += o->bias[i].bias;
}

int sample_top(const float *logits, int64_t vocab, int k, struct token_choice *out, double *log_sum)
{
    const double top = logits[most_likely(logits, vocab)];
    double sum = 0;
    int n = 0;

    for (int64_t i = 0; i < vocab; i++)
        sum += exp(logits[i] - top);
    *log_sum = top + log(sum);
    for (int64_t i = 0; i < vocab && k > 0; i++) {
        int at;

        if (n == k && !(logits[i] > out[k - 1].logprob))
            continue;
        for (at = n < k ? n++ : k - 1; at > 0 && logits[i] > out[at - 1].logprob; at--)
            out[at] = out[at - 1];
        out[at] = (struct token_choice){ (int32_t)i, logits[i] };
    }
    for (int i = 0; i < n; i++)
        out[i].logprob = (float)(out[i].logprob - *log_sum);
    return n;
}
