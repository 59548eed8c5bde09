#include "train/units.h"

#include <pthread.h>
#include <string.h>

#include "base/arena.h"

enum { MAX_LEVELS = 40 };

struct units {
    struct model *model;
    struct pool *pool;
    struct stream **streams;
    struct pass **passes; /* one a thread */
    float **losses;       /* one a thread: host [batch * T] */
    int64_t batch, length;
    /* the tree of the call in hand; waiting[level][i]: node i's sum, when its sibling is not there
     * yet */
    pthread_mutex_t lock;
    float **owned; /* every gradient array */
    float **spare; /* those that nobody uses */
    int owned_count, spare_count;
    float **waiting[MAX_LEVELS];
    int64_t width[MAX_LEVELS]; /* nodes of a level */
    int levels;
    float *root;
    const struct units_data *data;
    float scale;
    double *unit_loss; /* [count] */
    int64_t unit_loss_cap;
    bool gradients;
};

enum status units_new(const struct units_args *args, struct units **out)
{
    struct units *u = mem_alloc(sizeof *u);
    int threads = pool_threads(args->pool);
    enum status st = ST_OK;

    *u = (struct units){ .model = args->model,
                         .pool = args->pool,
                         .streams = args->streams,
                         .batch = args->batch,
                         .length = args->length };
    pthread_mutex_init(&u->lock, NULL);
    u->passes = mem_array((size_t)threads, sizeof *u->passes);
    u->losses = mem_array((size_t)threads, sizeof *u->losses);
    for (int t = 0; t < threads && st == ST_OK; t++) {
        u->losses[t] = mem_array((size_t)(args->batch * args->length), sizeof *u->losses[t]);
        st = pass_new(&(struct pass_args){ .model = args->model,
                                           .stream = args->streams[t],
                                           .batch = args->batch,
                                           .length = args->length,
                                           .gradients = true },
                      &u->passes[t]);
    }
    if (st != ST_OK) {
        units_free(u);
        return st;
    }
    *out = u;
    return ST_OK;
}

/* ---- gradient arrays ---- */

static enum status array_new(struct units *u, float **out)
{
    void *p;

    TRY(device_alloc(model_device(u->model),
                     (size_t)model_params(u->model)->elements * sizeof(float), &p));
    pthread_mutex_lock(&u->lock);
    u->owned = mem_grow(u->owned, (size_t)u->owned_count + 1, sizeof *u->owned);
    u->spare = mem_grow(u->spare, (size_t)u->owned_count + 1, sizeof *u->spare);
    u->owned[u->owned_count++] = p;
    pthread_mutex_unlock(&u->lock);
    *out = p;
    return ST_OK;
}

static enum status array_take(struct units *u, float **out)
{
    float *p = NULL;

    pthread_mutex_lock(&u->lock);
    if (u->spare_count > 0)
        p = u->spare[--u->spare_count];
    pthread_mutex_unlock(&u->lock);
    *out = p;
    return p == NULL ? array_new(u, out) : ST_OK;
}

static void array_return(struct units *u, float *p)
{
    pthread_mutex_lock(&u->lock);
    u->spare[u->spare_count++] = p;
    pthread_mutex_unlock(&u->lock);
}

/* ---- the tree ---- */

/* No array is in use: those that a call which failed left waiting or at work are spare again. */
static void tree_end(struct units *u)
{
    for (int l = 0; l < u->levels; l++)
        free(u->waiting[l]);
    u->levels = 0;
    u->root = NULL;
    for (u->spare_count = 0; u->spare_count < u->owned_count; u->spare_count++)
        u->spare[u->spare_count] = u->owned[u->spare_count];
}

static void tree_begin(struct units *u, int64_t count)
{
    tree_end(u);
    for (int64_t n = count;; n = (n + 1) / 2) {
        BUG_IF(u->levels == MAX_LEVELS);
        u->width[u->levels] = n;
        u->waiting[u->levels++] = mem_array((size_t)n, sizeof(float *));
        if (n == 1)
            break;
    }
}

/* The sibling's sum if it waits (and takes it away); else leaves mine to wait for it. */
static float *tree_meet(struct units *u, int level, int64_t node, float *mine)
{
    float *other;

    pthread_mutex_lock(&u->lock);
    other = u->waiting[level][node ^ 1];
    u->waiting[level][node ^ 1] = NULL;
    if (other == NULL)
        u->waiting[level][node] = mine;
    pthread_mutex_unlock(&u->lock);
    return other;
}

/* Node `node` of level 0 is done: adds upwards as far as siblings are there. left += right, always.
 */
static enum status tree_add(struct units *u, struct stream *s, int64_t node, float *sum)
{
    int64_t n = model_params(u->model)->elements;

    for (int level = 0; level + 1 < u->levels; level++, node /= 2) {
        float *other, *right;

        if ((node ^ 1) >= u->width[level])
            continue; /* no sibling: goes up as it is */
        other = tree_meet(u, level, node, sum);
        if (other == NULL)
            return ST_OK;
        right = node % 2 == 1 ? sum : other;
        sum = node % 2 == 1 ? other : sum;
        TRY(op_add(s, &(struct add_args){ .out = tensor_of(sum, DT_F32, 1, n),
                                          .x = tensor_of(right, DT_F32, 1, n),
                                          .alpha = 1 }));
        TRY(stream_wait(s));
        array_return(u, right);
    }
    u->root = sum;
    return ST_OK;
}

void units_free(struct units *u)
{
    if (u == NULL)
        return;
    for (int t = 0; t < pool_threads(u->pool); t++) {
        pass_free(u->passes[t]);
        free(u->losses[t]);
    }
    tree_end(u);
    for (int i = 0; i < u->owned_count; i++)
        device_free(model_device(u->model), u->owned[i]);
    free(u->passes);
    free(u->losses);
    free(u->owned);
    free(u->spare);
    free(u->unit_loss);
    pthread_mutex_destroy(&u->lock);
    free(u);
}

/* ---- one unit ---- */

static double sum_of(const float *v, int64_t n)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += (double)v[i];
    return sum;
}

static enum status run_unit(void *ctx, size_t item, int worker)
{
    struct units *u = ctx;
    int64_t N = u->batch * u->length, first = (int64_t)item * N;
    struct pass_data d = { .tokens = u->data->tokens + first,
                           .targets = u->data->targets + first,
                           .first = u->data->first == NULL ? NULL : u->data->first + first,
                           .losses = u->losses[worker] };
    float *grads;

    if (!u->gradients) {
        TRY(pass_forward(u->passes[worker], &d));
    } else {
        TRY(array_take(u, &grads));
        TRY(stream_zero(u->streams[worker], grads,
                        (size_t)model_params(u->model)->elements * sizeof *grads));
        TRY(pass_train(u->passes[worker], &d, u->scale, grads));
        TRY(tree_add(u, u->streams[worker], (int64_t)item, grads));
    }
    u->unit_loss[item] = sum_of(d.losses, N);
    return ST_OK;
}

static enum status run_all(struct units *u, const struct units_data *data, double *loss)
{
    if (data->count > u->unit_loss_cap) {
        u->unit_loss = mem_grow(u->unit_loss, (size_t)data->count, sizeof *u->unit_loss);
        u->unit_loss_cap = data->count;
    }
    u->data = data;
    TRY(pool_for(u->pool, (size_t)data->count, run_unit, u));
    for (int64_t step = 1; step < data->count; step *= 2) /* the gradients' tree */
        for (int64_t i = 0; i + step < data->count; i += 2 * step)
            u->unit_loss[i] += u->unit_loss[i + step];
    *loss = data->count > 0 ? u->unit_loss[0] : 0;
    return ST_OK;
}

enum status units_train(struct units *u, const struct units_data *data, float scale, float **grads,
                        double *loss)
{
    u->gradients = true;
    u->scale = scale;
    tree_begin(u, data->count);
    TRY(run_all(u, data, loss));
    *grads = u->root;
    return ST_OK;
}

enum status units_score(struct units *u, const struct units_data *data, double *loss)
{
    u->gradients = false;
    return run_all(u, data, loss);
}
