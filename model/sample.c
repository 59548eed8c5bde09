#include <math.h>
#include <stdlib.h>

#include "base/arena.h"
#include "model/decode.h"

/*
 * Top-k and top-p keep the most likely choices; which order they are then drawn in is ours to
 * choose, and it is that of ids. So nothing is sorted but the few choices at the edge: all are
 * counted into bands of equal ratio, the bands are walked from the most likely on, and only the
 * band in which the limit falls is looked at closely. The cost is linear in the vocabulary.
 */
enum { BANDS = 1024, BANDS_A_NEPER = 24, BEYOND = 42 }; /* e^-42 is 6e-19: less than any draw */

struct choice {
    double p; /* not normalised: the most likely has 1 */
    int32_t id;
    int32_t band;
};
struct choices {
    struct choice *v; /* by id */
    int64_t n;
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

static struct choices choices_of(const float *logits, int64_t vocab, double temperature)
{
    struct choices c = { .v = mem_array((size_t)vocab, sizeof *c.v) };
    int32_t best = most_likely(logits, vocab);

    for (int64_t i = 0; i < vocab; i++) {
        double below = ((double)logits[best] - logits[i]) / temperature;

        if (below < BEYOND)
            c.v[c.n++] =
                (struct choice){ exp(-below), (int32_t)i, (int32_t)(below * BANDS_A_NEPER) };
    }
    if (c.n == 0) /* logits that are not numbers */
        c.v[c.n++] = (struct choice){ 1, best, 0 };
    return c;
}

static double mass_of(const struct choices *c)
{
    double sum = 0;

    for (int64_t i = 0; i < c->n; i++)
        sum += c->v[i].p;
    return sum;
}

/* The last of a band's choices that stays, when `count` and `mass` may still be taken: the one that
 * reaches either. */
static struct choice last_of_band(const struct choices *c, int32_t band, int64_t count, double mass)
{
    struct choice *in = mem_array((size_t)c->n, sizeof *in), last;
    int64_t n = 0, i = 0;

    for (int64_t k = 0; k < c->n; k++)
        if (c->v[k].band == band)
            in[n++] = c->v[k];
    qsort(in, (size_t)n, sizeof *in, by_probability);
    while (i + 1 < n && i + 1 < count && mass > in[i].p)
        mass -= in[i++].p;
    last = in[i];
    free(in);
    return last;
}

/* Keeps the most likely: `count` of them, or as few as reach `mass`, whichever is fewer. */
static void cut(struct choices *c, int64_t count, double mass)
{
    int64_t counts[BANDS] = { 0 }, kept = 0;
    double masses[BANDS] = { 0 };
    struct choice last;
    int32_t band = 0;

    for (int64_t i = 0; i < c->n; i++) {
        counts[c->v[i].band]++;
        masses[c->v[i].band] += c->v[i].p;
    }
    while (band + 1 < BANDS && counts[band] < count && masses[band] < mass) {
        count -= counts[band];
        mass -= masses[band++];
    }
    while (counts[band] == 0 && band > 0) /* all stay: the last that there is */
        band--;
    last = last_of_band(c, band, count, mass);
    for (int64_t i = 0; i < c->n; i++)
        if (c->v[i].band < band || (c->v[i].band == band && by_probability(&c->v[i], &last) <= 0))
            c->v[kept++] = c->v[i];
    c->n = kept;
}

/* The element that draw falls on. */
static int32_t pick(const struct choices *c, double min_p, double draw)
{
    double total = 0, sum = 0;
    int32_t id = c->v[0].id;

    for (int64_t i = 0; i < c->n; i++)
        total += c->v[i].p >= min_p ? c->v[i].p : 0;
    for (int64_t i = 0; i < c->n; i++) {
        if (c->v[i].p < min_p)
            continue;
        id = c->v[i].id;
        sum += c->v[i].p;
        if (draw * total < sum)
            break;
    }
    return id;
}

/* min-p: Nguyen et al. 2024, section 3. The most likely choice always stays. */
int32_t sample_token(const float *logits, int64_t vocab, const struct sample_options *o,
                     double draw)
{
    struct choices c;
    int32_t id;

    if (o->temperature <= 0)
        return most_likely(logits, vocab);
    c = choices_of(logits, vocab, o->temperature);
    if (o->top_k > 0 && o->top_k < c.n)
        cut(&c, o->top_k, INFINITY);
    if (o->top_p < 1)
        cut(&c, INT64_MAX, o->top_p * mass_of(&c));
    id = pick(&c, o->min_p, draw);
    free(c.v);
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
