#include "train/trainer.h"

#include <stdio.h>

#include "base/log.h"
#include "model/compute.h"
#include "model/model_folder.h"
#include "tokenize/tokenizer.h"

/* ---- the model's shape ---- */

/* Of all that is read. */
static uint32_t vocab_of(const struct trainer *t)
{
    uint32_t most = 0;

    for (size_t i = 0; i < t->loader.open; i++) {
        uint32_t vocab = blend_vocab(&t->loader.blends[i]);

        most = vocab > most ? vocab : most;
    }
    return most;
}

static int64_t or_default(int64_t given, int64_t fallback) { return given > 0 ? given : fallback; }

/* ff 0: 8/3 of the width (Shazeer 2020 keeps the parameter count of 4 times the width), up to a
 * multiple of 64. */
static struct model_config config_from_options(const struct trainer *t, int64_t end_of_text)
{
    const struct train_options *o = t->options;

    return (struct model_config){ .vocab = vocab_of(t),
                                  .width = o->width,
                                  .layers = o->layers,
                                  .heads = o->heads,
                                  .kv_heads = or_default(o->kv_heads, o->heads),
                                  .head_width = or_default(o->head_width,
                                                           o->heads > 0 ? o->width / o->heads : 0),
                                  .ff = or_default(o->ff, (o->width * 8 / 3 + 63) / 64 * 64),
                                  .context = (int64_t)read_plan_context(&t->loader.plan),
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
    int64_t context = (int64_t)read_plan_context(&t->loader.plan);
    const struct model_config *c;

    TRY(check_initial(o));
    TRY(model_load(o->init, t->device, compute, &t->model));
    c = model_config_of(t->model);
    if (c->vocab < vocab_of(t))
        return fail(ST_CONFIG,
                    "the model '%s' has %lld vocabulary entries, the token store needs %u", o->init,
                    (long long)c->vocab, vocab_of(t));
    if (c->context < context)
        return fail(ST_CONFIG, "context is %lld, the model '%s' was made for %lld",
                    (long long)context, o->init, (long long)c->context);
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
    c = config_from_options(t, end_of_text);
    TRY(model_config_check(&c));
    TRY(model_new(&c, t->device, compute, &t->model));
    return model_init(t->model, t->streams[0], (uint64_t)o->seed);
}

/* ---- length, units and ranks ---- */

int64_t trainer_steps(const struct trainer *t)
{
    const struct train_options *o = t->options;

    return o->minutes > 0 ? 0
           : o->steps > 0 ? o->steps
                          : (int64_t)read_plan_steps(&t->loader.plan, (uint64_t)o->tokens);
}

static enum status check_length(const struct trainer *t)
{
    const struct train_options *o = t->options;
    const struct read_plan *plan = &t->loader.plan;
    uint64_t begins = plan->phases[plan->count - 1].step;
    int given = (o->steps > 0) + (o->tokens > 0) + (o->minutes > 0);

    if (given != 1)
        return fail(ST_CONFIG, "give one of steps, tokens and minutes (%d are given)", given);
    if (read_plan_tokens(plan, (uint64_t)o->steps) > INT64_MAX)
        return fail(ST_CONFIG, "steps times batch-tokens is %.3g, want at most %.3g tokens",
                    (double)o->steps * (double)o->batch_tokens, (double)INT64_MAX);
    if (o->minutes == 0 && begins >= (uint64_t)trainer_steps(t))
        return fail(ST_CONFIG, "a phase begins at step %llu, and the run has %lld steps",
                    (unsigned long long)begins, (long long)trainer_steps(t));
    return ST_OK;
}

/* Which phase a message is about; "" for the only one. */
static const char *phase_words(struct trainer *t, const struct read_phase *p)
{
    return t->loader.plan.count == 1 ? ""
                                     : arena_printf(&t->loader.arena, " (from step %llu on)",
                                                    (unsigned long long)p->step);
}

static enum status check_phase(struct trainer *t, const struct read_phase *p)
{
    int64_t unit = t->options->unit_tokens, ranks = comm_size(t->comm), units, share;
    const char *words = phase_words(t, p);

    if (unit % (int64_t)p->context != 0)
        return fail(ST_CONFIG, "unit-tokens is %lld, want a multiple of context %llu%s",
                    (long long)unit, (unsigned long long)p->context, words);
    if ((int64_t)p->batch_tokens % unit != 0)
        return fail(ST_CONFIG, "batch-tokens is %llu, want a multiple of unit-tokens %lld%s",
                    (unsigned long long)p->batch_tokens, (long long)unit, words);
    units = (int64_t)p->batch_tokens / unit;
    share = units / ranks;
    if (units % ranks != 0 || (ranks > 1 && (share & (share - 1)) != 0))
        return fail(ST_CONFIG,
                    "%lld units a step (batch-tokens / unit-tokens) over %lld ranks: want a power "
                    "of two for each rank%s",
                    (long long)units, (long long)ranks, words);
    return ST_OK;
}

static enum status plan_units(struct trainer *t)
{
    struct read_plan *plan = &t->loader.plan;

    TRY(loader_plan(&t->loader, t->options));
    TRY(check_length(t));
    for (size_t i = 0; i < plan->count; i++)
        TRY(check_phase(t, &plan->phases[i]));
    return ST_OK;
}

/* Makes the units fit a phase; nothing to do while it lasts. */
static enum status enter_phase(struct trainer *t, const struct read_phase *p)
{
    int64_t T = (int64_t)p->context;

    if (t->units == NULL || T != t->T) {
        units_free(t->units);
        t->units = NULL;
        TRY(units_new(&(struct units_args){ .model = t->model,
                                            .pool = t->pool,
                                            .streams = t->streams,
                                            .batch = t->options->unit_tokens / T,
                                            .length = T },
                      &t->units));
    }
    t->phase = p;
    t->T = T;
    t->unit_batch = t->options->unit_tokens / T;
    t->rank_units = (int64_t)p->batch_tokens / t->options->unit_tokens / comm_size(t->comm);
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

/* Every phase is entered once, last the first one: what does not fit into memory is known before
 * the work. */
static enum status open_rows(struct trainer *t)
{
    const struct read_plan *plan = &t->loader.plan;
    size_t most = 0;

    for (size_t i = plan->count; i-- > 0;) {
        size_t n = (size_t)(plan->phases[i].batch_tokens / (uint64_t)comm_size(t->comm));

        most = n > most ? n : most;
        TRY(enter_phase(t, &plan->phases[i]));
    }
    t->tokens = mem_array(most, sizeof *t->tokens);
    t->targets = mem_array(most, sizeof *t->targets);
    if (plan->apart)
        t->first = mem_array(most, sizeof *t->first);
    return ST_OK;
}

static enum status open_parts(struct trainer *t)
{
    const struct train_options *o = t->options;

    TRY(optimizer_new(&(struct optimizer_args){ .model = t->model,
                                                .pool = t->pool,
                                                .streams = t->streams,
                                                .beta1 = o->beta1,
                                                .beta2 = o->beta2,
                                                .epsilon = o->epsilon,
                                                .weight_decay = o->weight_decay,
                                                .clip = o->clip },
                      &t->optimizer));
    return open_rows(t);
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
    TRY(loader_open(&t->loader, o, (uint64_t)trainer_steps(t)));
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
    loader_close(&t->loader);
    for (int i = 0; t->streams != NULL && i < pool_threads(t->pool); i++)
        stream_close(t->streams[i]);
    free(t->streams);
    free(t->tokens);
    free(t->targets);
    free(t->first);
    buf_release(&t->metrics);
    pool_free(t->pool);
    device_close(t->device);
    comm_close(t->comm);
}

/* ---- a step's gradient ---- */

static enum status sum_over_ranks(struct trainer *t, void *p, enum comm_type type)
{
    return comm_all_reduce(t->comm, &(struct comm_buffer){ .p = p, .count = 1, .type = type },
                           COMM_SUM);
}

/* This rank's rows of the step; *learnt: targets of all ranks' rows. */
static enum status read_rows(struct trainer *t, int64_t step, int64_t *learnt)
{
    uint64_t rows = (uint64_t)(t->rank_units * t->unit_batch), mine;

    TRY(loader_read(&t->loader, (uint64_t)(step - 1),
                    &(struct loader_rows){ .row = (uint64_t)comm_rank(t->comm) * rows,
                                           .rows = rows,
                                           .tokens = t->tokens,
                                           .targets = t->targets,
                                           .first = t->first },
                    &mine));
    *learnt = (int64_t)mine;
    return sum_over_ranks(t, learnt, COMM_I64);
}

/* A step without any target (all of it filling, or not to be learnt) has no gradient and no loss.
 */
enum status trainer_gradient(struct trainer *t, int64_t step, float **grads, double *loss)
{
    size_t n = (size_t)model_params(t->model)->elements;
    int64_t learnt;

    TRY(enter_phase(t, read_plan_at(&t->loader.plan, (uint64_t)(step - 1))));
    TRY(read_rows(t, step, &learnt));
    TRY(units_train(t->units,
                    &(struct units_data){ t->tokens, t->targets, t->first, t->rank_units },
                    learnt > 0 ? (float)(1.0 / (double)learnt) : 0, grads, loss));
    TRY(comm_all_reduce(t->comm, &(struct comm_buffer){ .p = *grads, .count = n, .type = COMM_F32 },
                        COMM_SUM));
    TRY(sum_over_ranks(t, loss, COMM_F64));
    *loss = learnt > 0 ? *loss / (double)learnt : 0;
    return ST_OK;
}

/* ---- validation ---- */

/* The first `count` windows as whole units; what is left of the last unit has no targets. */
static enum status score_windows(struct trainer *t, int64_t count, double *loss, uint64_t *learnt)
{
    int64_t units = (count + t->unit_batch - 1) / t->unit_batch, N = units * t->unit_batch * t->T;
    struct loader_rows to = { .rows = (uint64_t)count,
                              .tokens = mem_array((size_t)N, sizeof(int32_t)),
                              .targets = mem_array((size_t)N, sizeof(int32_t)) };
    enum status st;

    if (t->first != NULL)
        to.first = mem_array((size_t)N, sizeof(int32_t));
    for (int64_t i = count * t->T; i < N; i++)
        to.targets[i] = -1;
    st = loader_read_validation(&t->loader, (uint64_t)t->T, &to, learnt);
    if (st == ST_OK)
        st = units_score(t->units, &(struct units_data){ to.tokens, to.targets, to.first, units },
                         loss);
    free(to.tokens);
    free(to.targets);
    free(to.first);
    return st;
}

enum status trainer_validate(struct trainer *t, double *loss, bool *got)
{
    uint64_t windows = loader_validation_windows(&t->loader, (uint64_t)t->T), learnt;
    uint64_t most = (uint64_t)(t->options->eval_tokens / t->T);

    if (most == 0 && t->options->eval_tokens > 0)
        most = 1;
    windows = windows < most ? windows : most;
    *got = windows > 0;
    if (!*got)
        return ST_OK;
    TRY(score_windows(t, (int64_t)windows, loss, &learnt));
    *got = learnt > 0;
    if (*got)
        *loss /= (double)learnt;
    return ST_OK;
}
