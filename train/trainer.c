#include "train/trainer.h"

#include <stdio.h>

#include "base/log.h"
#include "model/compute.h"
#include "model/model_folder.h"
#include "tokenize/tokenizer.h"

/* ---- the model's shape ---- */

static int64_t or_default(int64_t given, int64_t fallback) { return given > 0 ? given : fallback; }

/* ff 0: 8/3 of the width (Shazeer 2020 keeps the parameter count of 4 times the width), up to a
 * multiple of 64. */
static struct model_config config_from_options(const struct train_options *o, uint32_t vocab,
                                               int64_t end_of_text)
{
    return (struct model_config){ .vocab = vocab,
                                  .width = o->width,
                                  .layers = o->layers,
                                  .heads = o->heads,
                                  .kv_heads = or_default(o->kv_heads, o->heads),
                                  .head_width = or_default(o->head_width,
                                                           o->heads > 0 ? o->width / o->heads : 0),
                                  .ff = or_default(o->ff, (o->width * 8 / 3 + 63) / 64 * 64),
                                  .context = o->context,
                                  .rope_theta = o->rope_theta,
                                  .norm_eps = o->norm_eps,
                                  .tied = o->tied,
                                  .end_of_text = end_of_text };
}

static enum status find_end_of_text(const char *store, int64_t *out)
{
    struct tokenizer *t;

    TRY(tokenizer_open(store, &t));
    *out = tokenizer_end_of_text(t);
    tokenizer_close(t);
    return ST_OK;
}

/* A model folder without a tokenizer.json is taken at its word: the vocabularies are compared. */
static enum status check_initial(const struct train_options *o)
{
    struct arena a = { 0 };
    bool has_tokenizer = file_exists(path_join(&a, o->init, "tokenizer.json"));

    arena_release(&a);
    TRY(model_folder_check(o->init));
    return has_tokenizer ? model_folder_check_tokenizer(o->init, o->store) : ST_OK;
}

static enum status load_initial(struct trainer *t, enum dtype compute)
{
    const struct train_options *o = t->options;
    const struct model_config *c;

    TRY(check_initial(o));
    TRY(model_load(o->init, t->device, compute, &t->model));
    c = model_config_of(t->model);
    if (c->vocab < token_store_vocab(t->store))
        return fail(ST_CONFIG,
                    "the model '%s' has %lld vocabulary entries, the token store needs %u", o->init,
                    (long long)c->vocab, token_store_vocab(t->store));
    if (c->context < o->context)
        return fail(ST_CONFIG, "context is %lld, the model '%s' was made for %lld",
                    (long long)o->context, o->init, (long long)c->context);
    return ST_OK;
}

static enum status open_model(struct trainer *t)
{
    const struct train_options *o = t->options;
    enum dtype compute = compute_type(o->dtype, t->device);
    struct model_config c;
    int64_t end_of_text;

    if (o->init != NULL)
        return load_initial(t, compute);
    TRY(find_end_of_text(o->store, &end_of_text));
    c = config_from_options(o, token_store_vocab(t->store), end_of_text);
    TRY(model_config_check(&c));
    TRY(model_new(&c, t->device, compute, &t->model));
    return model_init(t->model, t->streams[0], (uint64_t)o->seed);
}

/* ---- units and ranks ---- */

static enum status check_length(const struct train_options *o)
{
    int given = (o->steps > 0) + (o->tokens > 0) + (o->minutes > 0);

    if (given != 1)
        return fail(ST_CONFIG, "give one of steps, tokens and minutes (%d are given)", given);
    if (o->steps > INT64_MAX / o->batch_tokens)
        return fail(ST_CONFIG, "steps times batch-tokens is %.3g, want at most %.3g tokens",
                    (double)o->steps * (double)o->batch_tokens, (double)INT64_MAX);
    if (o->unit_tokens % o->context != 0)
        return fail(ST_CONFIG, "unit-tokens is %lld, want a multiple of context %lld",
                    (long long)o->unit_tokens, (long long)o->context);
    if (o->batch_tokens % o->unit_tokens != 0)
        return fail(ST_CONFIG, "batch-tokens is %lld, want a multiple of unit-tokens %lld",
                    (long long)o->batch_tokens, (long long)o->unit_tokens);
    return ST_OK;
}

static enum status plan_units(struct trainer *t)
{
    const struct train_options *o = t->options;
    int64_t ranks = comm_size(t->comm);

    TRY(check_length(o));
    t->T = o->context;
    t->unit_batch = o->unit_tokens / t->T;
    t->step_units = o->batch_tokens / o->unit_tokens;
    t->rank_units = t->step_units / ranks;
    if (t->step_units % ranks != 0 || (ranks > 1 && (t->rank_units & (t->rank_units - 1)) != 0))
        return fail(ST_CONFIG,
                    "%lld units a step (batch-tokens / unit-tokens) over %lld ranks: want a power "
                    "of two for each rank",
                    (long long)t->step_units, (long long)ranks);
    return ST_OK;
}

static enum status open_streams(struct trainer *t)
{
    int threads = pool_threads(t->pool);

    t->streams = mem_array((size_t)threads, sizeof *t->streams);
    for (int i = 0; i < threads; i++)
        TRY(stream_open(t->device, &t->streams[i]));
    return ST_OK;
}

static enum status open_parts(struct trainer *t)
{
    const struct train_options *o = t->options;
    size_t n;

    TRY(optimizer_new(&(struct optimizer_args){ .model = t->model,
                                                .pool = t->pool,
                                                .streams = t->streams,
                                                .beta1 = o->beta1,
                                                .beta2 = o->beta2,
                                                .epsilon = o->epsilon,
                                                .weight_decay = o->weight_decay,
                                                .clip = o->clip },
                      &t->optimizer));
    TRY(units_new(&(struct units_args){ .model = t->model,
                                        .pool = t->pool,
                                        .streams = t->streams,
                                        .batch = t->unit_batch,
                                        .length = t->T },
                  &t->units));
    n = (size_t)(t->rank_units * t->unit_batch * t->T);
    t->tokens = mem_array(n, sizeof *t->tokens);
    t->targets = mem_array(n, sizeof *t->targets);
    return ST_OK;
}

enum status trainer_open(struct trainer *t, const struct train_options *o)
{
    *t = (struct trainer){ .options = o, .work.lock.fd = -1 };
    TRY(comm_open(&t->comm));
    if (comm_rank(t->comm) > 0)
        log_set_quiet(true); /* one rank speaks for all */
    TRY(device_open(o->device, &t->device));
    t->pool = pool_new((int)o->threads);
    TRY(plan_units(t));
    TRY(open_streams(t));
    TRY(token_store_open(o->store, &t->store));
    TRY(loader_init(&t->loader, t->store, t->T, (uint64_t)o->seed));
    TRY(open_model(t));
    TRY(open_parts(t));
    t->state.metrics = &t->metrics;
    return ST_OK;
}

void trainer_close(struct trainer *t)
{
    work_close(&t->work);
    units_free(t->units);
    optimizer_free(t->optimizer);
    model_free(t->model);
    token_store_close(t->store);
    for (int i = 0; t->streams != NULL && i < pool_threads(t->pool); i++)
        stream_close(t->streams[i]);
    free(t->streams);
    free(t->tokens);
    free(t->targets);
    buf_release(&t->metrics);
    pool_free(t->pool);
    device_close(t->device);
    comm_close(t->comm);
}

/* ---- a step's gradient ---- */

enum status trainer_gradient(struct trainer *t, int64_t step, float **grads, double *loss)
{
    int64_t n = model_params(t->model)->elements, sequences = t->rank_units * t->unit_batch;
    uint64_t first = (uint64_t)((step - 1) * t->step_units + comm_rank(t->comm) * t->rank_units) *
                     (uint64_t)t->unit_batch;
    struct units_data data = { t->tokens, t->targets, t->rank_units };
    float scale = (float)(1.0 / (double)t->options->batch_tokens);

    TRY(loader_read(&t->loader, first, sequences, t->tokens, t->targets));
    TRY(units_train(t->units, &data, scale, grads, loss));
    TRY(comm_all_reduce(t->comm,
                        &(struct comm_buffer){ .p = *grads, .count = (size_t)n, .type = COMM_F32 },
                        COMM_SUM));
    TRY(comm_all_reduce(t->comm, &(struct comm_buffer){ .p = loss, .count = 1, .type = COMM_F64 },
                        COMM_SUM));
    *loss /= (double)t->options->batch_tokens;
    return ST_OK;
}

/* ---- validation ---- */

/* Windows [first, first + count) as whole units; what is left of the last unit has no targets. */
static enum status score_windows(struct trainer *t, uint64_t first, int64_t count, double *loss)
{
    int64_t units = (count + t->unit_batch - 1) / t->unit_batch, N = units * t->unit_batch * t->T;
    int32_t *tokens = mem_array((size_t)N, sizeof *tokens),
            *targets = mem_array((size_t)N, sizeof *targets);
    enum status st;

    for (int64_t i = count * t->T; i < N; i++)
        targets[i] = -1;
    st = loader_read_validation(t->store, t->T, first, count, tokens, targets);
    if (st == ST_OK)
        st = units_score(t->units, &(struct units_data){ tokens, targets, units }, loss);
    free(tokens);
    free(targets);
    return st;
}

enum status trainer_validate(struct trainer *t, double *loss, bool *got)
{
    uint64_t windows = loader_validation_windows(t->store, t->T);
    uint64_t most = (uint64_t)(t->options->eval_tokens / t->T);

    if (most == 0 && t->options->eval_tokens > 0)
        most = 1;
    windows = windows < most ? windows : most;
    *got = windows > 0;
    if (!*got)
        return ST_OK;
    TRY(score_windows(t, 0, (int64_t)windows, loss));
    *loss /= (double)windows * (double)t->T;
    return ST_OK;
}
