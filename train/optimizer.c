#include "train/optimizer.h"

#include <math.h>

#include "base/arena.h"

enum { SEGMENT = 1 << 16 }; /* elements; also the leaf of the norm's sum */

struct segment {
    int64_t first, n;
    bool decay;
};

struct optimizer {
    struct model *model;
    struct pool *pool;
    struct stream **streams;
    double beta1, beta2, epsilon, weight_decay, clip;
    float *m, *v;
    double *squares; /* device f64 [segments] */
    double *host_squares;
    struct segment *segments;
    size_t count;
    /* the step in hand */
    const float *grads;
    double lr, scale;
    int64_t step;
};

static void cut_segments(struct optimizer *o)
{
    const struct params *p = model_params(o->model);

    for (int i = 0; i < p->count; i++) {
        int64_t n = p->list[i].rows * p->list[i].cols;

        for (int64_t first = 0; first < n; first += SEGMENT) {
            o->segments = mem_grow(o->segments, o->count + 1, sizeof *o->segments);
            o->segments[o->count++] =
                (struct segment){ p->list[i].offset + first,
                                  n - first < SEGMENT ? n - first : SEGMENT, p->list[i].decay };
        }
    }
}

enum status optimizer_new(const struct optimizer_args *args, struct optimizer **out)
{
    struct optimizer *o = mem_alloc(sizeof *o);
    size_t bytes = (size_t)model_params(args->model)->elements * sizeof(float);
    void *m = NULL, *v = NULL, *squares = NULL;
    enum status st;

    *o = (struct optimizer){ .model = args->model,
                             .pool = args->pool,
                             .streams = args->streams,
                             .beta1 = args->beta1,
                             .beta2 = args->beta2,
                             .epsilon = args->epsilon,
                             .weight_decay = args->weight_decay,
                             .clip = args->clip };
    cut_segments(o);
    o->host_squares = mem_array(o->count, sizeof *o->host_squares);
    st = device_alloc(model_device(o->model), bytes, &m);
    if (st == ST_OK)
        st = device_alloc(model_device(o->model), bytes, &v);
    if (st == ST_OK)
        st = device_alloc(model_device(o->model), o->count * sizeof(double), &squares);
    o->m = m;
    o->v = v;
    o->squares = squares;
    if (st != ST_OK) {
        optimizer_free(o);
        return st;
    }
    *out = o;
    return ST_OK;
}

void optimizer_free(struct optimizer *o)
{
    if (o == NULL)
        return;
    device_free(model_device(o->model), o->m);
    device_free(model_device(o->model), o->v);
    device_free(model_device(o->model), o->squares);
    free(o->host_squares);
    free(o->segments);
    free(o);
}

float *optimizer_m(struct optimizer *o) { return o->m; }
float *optimizer_v(struct optimizer *o) { return o->v; }

static struct tensor part(const float *p, const struct segment *s)
{
    return tensor_of((float *)p + s->first, DT_F32, 1, s->n);
}

static enum status sum_segment(void *ctx, size_t i, int worker)
{
    struct optimizer *o = ctx;

    return op_sum_squares(
        o->streams[worker],
        &(struct sum_squares_args){ .out = o->squares + i, .x = part(o->grads, &o->segments[i]) });
}

static enum status update_segment(void *ctx, size_t i, int worker)
{
    struct optimizer *o = ctx;
    const struct segment *s = &o->segments[i];
    struct adamw_args a = { .param = part(model_weights(o->model), s),
                            .grad = part(o->grads, s),
                            .m = part(o->m, s),
                            .v = part(o->v, s),
                            .lr = (float)o->lr,
                            .beta1 = (float)o->beta1,
                            .beta2 = (float)o->beta2,
                            .eps = (float)o->epsilon,
                            .decay = s->decay ? (float)o->weight_decay : 0,
                            .scale = (float)o->scale,
                            .step = o->step };

    if (model_compute(o->model) == DT_BF16)
        a.copy = tensor_of((char *)model_copy(o->model) + (size_t)s->first * 2, DT_BF16, 1, s->n);
    return op_adamw(o->streams[worker], &a);
}

static enum status wait_all(struct optimizer *o)
{
    for (int t = 0; t < pool_threads(o->pool); t++)
        TRY(stream_wait(o->streams[t]));
    return ST_OK;
}

static enum status gradient_norm(struct optimizer *o, double *norm)
{
    double sum = 0;

    TRY(pool_for(o->pool, o->count, sum_segment, o));
    TRY(wait_all(o));
    TRY(stream_download(o->streams[0], o->host_squares, o->squares, o->count * sizeof(double)));
    TRY(stream_wait(o->streams[0]));
    for (size_t i = 0; i < o->count; i++)
        sum += o->host_squares[i];
    *norm = sqrt(sum);
    return ST_OK;
}

enum status optimizer_step(struct optimizer *o, const float *grads, double lr, int64_t step,
                           double *norm)
{
    o->grads = grads;
    o->lr = lr;
    o->step = step;
    TRY(gradient_norm(o, norm));
    if (!isfinite(*norm))
        return fail(ST_FAILED,
                    "the gradient of step %lld is not finite: lower lr, or train with dtype f32",
                    (long long)step);
    o->scale = o->clip > 0 && *norm > o->clip ? o->clip / (*norm + 1e-6) : 1;
    TRY(pool_for(o->pool, o->count, update_segment, o));
    return wait_all(o);
}

double schedule_lr(const struct schedule *s, int64_t step)
{
    double done;

    if (step <= s->warmup)
        return s->lr * (double)step / (double)s->warmup;
    if (s->steps <= s->warmup)
        return s->lr;
    done = (double)(step - s->warmup) / (double)(s->steps - s->warmup);
    return s->min_lr + 0.5 * (s->lr - s->min_lr) * (1 + cos(M_PI * done));
}
