#include "train/train_loop.h"

#include <math.h>
#include <string.h>

#include "base/bench.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/stop.h"
#include "train/trainer.h"

/* ---- how many steps: told, or found by one probe whose answer is kept ---- */

/* What a run of so many steps would read is there. */
static enum status check_steps(const struct trainer *t, int64_t steps)
{
    uint64_t last = sampling_steps(t->loader.sampling), want = (uint64_t)steps;

    if (want > last)
        return fail(ST_CONFIG,
                    "the data last for %llu steps (caps of epochs), and %llu are wanted: train for "
                    "fewer, or raise the caps of the blend",
                    (unsigned long long)last, (unsigned long long)want);
    return ST_OK;
}

/* Rank 0's value, for all. */
static enum status share(struct trainer *t, int64_t *value)
{
    return comm_broadcast(t->comm,
                          &(struct comm_buffer){ .p = value, .count = 1, .type = COMM_I64 }, 0);
}

/* Seconds of one step: the median of three gradients after a first one that warms up. Changes
 * nothing. */
static enum status probe(struct trainer *t, double *seconds)
{
    double took[3], loss, start;
    float *grads;

    TRY(trainer_gradient(t, 1, &grads, &loss));
    for (int i = 0; i < 3; i++) {
        start = bench_now();
        TRY(trainer_gradient(t, 1, &grads, &loss));
        took[i] = bench_now() - start;
    }
    *seconds = took[0] + took[1] + took[2];
    for (int i = 0; i < 3; i++) /* the middle one: neither the least nor the most */
        if ((took[i] >= took[(i + 1) % 3]) != (took[i] > took[(i + 2) % 3])) {
            *seconds = took[i];
            return ST_OK;
        }
    *seconds /= 3;
    return ST_OK;
}

static enum status steps_from_probe(struct trainer *t, int64_t *steps)
{
    const struct train_options *o = t->options;
    const struct read_plan *plan = &t->loader.plan;
    double seconds, most = (double)INT64_MAX / 2, n;

    TRY(probe(t, &seconds));
    n = o->minutes * 60 / seconds; /* steps of the first phase; those of others by their tokens */
    n *= (double)o->batch_tokens;
    *steps = (int64_t)read_plan_steps(plan, (uint64_t)(n > most ? most : n) + 1) - 1;
    *steps = *steps < 1 ? 1 : *steps;
    if (comm_rank(t->comm) != 0)
        return ST_OK;
    TRY(work_write_plan(&t->work, *steps));
    log_info("probe: a step takes %.3f s, so %g minutes are %lld steps (recorded)", seconds,
             o->minutes, (long long)*steps);
    return ST_OK;
}

static enum status steps_from_minutes(struct trainer *t, int64_t *steps)
{
    *steps = 0;
    if (comm_rank(t->comm) == 0)
        TRY(work_read_plan(&t->work, steps));
    TRY(share(t, steps)); /* all ranks probe, or none */
    if (*steps == 0)
        TRY(steps_from_probe(t, steps));
    return share(t, steps);
}

/* ---- start, or go on ---- */

static struct checkpoint_args checkpoint_of(struct trainer *t)
{
    return (struct checkpoint_args){ t->options, &t->loader.plan, t->model, t->optimizer,
                                     t->streams[0], json_object_get(t->work.run, "inputs") };
}

/* Ranks open their stores one after the other, and a store may be changed in between. */
static enum status check_ranks(struct trainer *t)
{
    int64_t mark = loader_mark(&t->loader), ends[2] = { mark, -mark };

    TRY(comm_all_reduce(t->comm, &(struct comm_buffer){ .p = ends, .count = 2, .type = COMM_I64 },
                        COMM_MAX));
    if (ends[0] == -ends[1])
        return ST_OK;
    return fail(ST_FAILED,
                "a store was changed while the run began: the ranks have different ones open; give "
                "the same command again");
}

/* Loads the newest checkpoint of OUT.work, if there is one. */
static enum status go_on(struct arena *a, struct trainer *t, bool *found)
{
    struct checkpoint_args c = checkpoint_of(t);
    int64_t newest = 0;

    TRY(check_ranks(t));
    if (comm_rank(t->comm) == 0) {
        TRY(work_open(&t->work, t->options,
                      device_numeric_class(t->device, model_compute(t->model))));
        TRY(loader_check(&t->loader, json_object_get(t->work.run, "inputs")));
        TRY(work_newest(&t->work, &newest));
    }
    TRY(share(t, &newest));
    *found = newest > 0;
    if (!*found)
        return ST_OK;
    TRY(checkpoint_read(&c, work_step_path(a, t->options, newest), &t->state));
    log_info("going on after step %lld of %lld", (long long)t->state.step,
             (long long)t->state.steps);
    return ST_OK;
}

static void tell_begin(struct trainer *t)
{
    uint64_t validation = blend_tokens(&t->loader.blends[0], TOKENS_VALIDATION);
    char weights[28], tokens[28];

    log_info("%s parameters, %lld steps of %s tokens%s, %s, %d thread%s, %d rank%s",
             str_count((uint64_t)model_params(t->model)->weights, weights),
             (long long)t->state.steps, str_count((uint64_t)t->options->batch_tokens, tokens),
             t->loader.plan.count > 1 ? ", which phases change" : "",
             device_numeric_class(t->device, model_compute(t->model)), pool_threads(t->pool),
             pool_threads(t->pool) == 1 ? "" : "s", comm_size(t->comm),
             comm_size(t->comm) == 1 ? "" : "s");
    if (validation <= (uint64_t)t->T && t->options->eval_tokens > 0)
        log_info("no validation: the store has %llu validation tokens, a look needs %lld",
                 (unsigned long long)validation, (long long)t->T + 1);
}

/* Phases that were added to a run by tokens may not change how many steps it has: the learning
 * rate of those behind it went by that. */
static enum status same_steps(const struct trainer *t, int64_t told)
{
    if (told > 0 && told != t->state.steps)
        return fail(ST_CONFIG,
                    "with these phases the run would have %lld steps, it began with %lld, by which "
                    "its learning rate goes: keep batch-tokens, or begin it anew with steps",
                    (long long)told, (long long)t->state.steps);
    return ST_OK;
}

static enum status begin(struct arena *a, struct trainer *t)
{
    const struct train_options *o = t->options;
    int64_t told = trainer_steps(t);
    bool found;

    TRY(check_steps(t, told > 0 ? told : 1)); /* one is what a probe reads */
    TRY(go_on(a, t, &found));
    if (found)
        TRY(same_steps(t, told));
    else if (told > 0)
        t->state.steps = told;
    else
        TRY(steps_from_minutes(t, &t->state.steps));
    TRY(check_steps(t, t->state.steps));
    t->schedule =
        (struct schedule){ o->lr, o->lr * o->min_lr,
                           (int64_t)(o->warmup * (double)t->state.steps + 0.5), t->state.steps };
    tell_begin(t);
    return ST_OK;
}

/* ---- one step ---- */

static enum status one_step(struct trainer *t)
{
    int64_t step = t->state.step + 1;
    double lr = schedule_lr(&t->schedule, step), loss, norm;
    float *grads;

    TRY(trainer_gradient(t, step, &grads, &loss));
    TRY(optimizer_step(t->optimizer, grads, lr, step, &norm));
    if (!isfinite(loss))
        return fail(ST_FAILED,
                    "the loss of step %lld is not finite: lower lr, or train with dtype f32",
                    (long long)step);
    t->state.step = step;
    t->state.tokens += (int64_t)t->phase->batch_tokens;
    buf_printf(&t->metrics,
               "{\"step\":%lld,\"tokens\":%lld,\"loss\":%.6f,\"lr\":%.6g,\"grad_norm\":%.6g}\n",
               (long long)step, (long long)t->state.tokens, loss, lr, norm);
    progress_note("step %lld/%lld loss %.3f", (long long)step, (long long)t->state.steps, loss);
    progress_add(t->phase->batch_tokens);
    return ST_OK;
}

static enum status validate(struct trainer *t)
{
    double loss;
    bool got;

    TRY(trainer_validate(t, &loss, &got));
    if (!got)
        return ST_OK;
    if (!isfinite(loss))
        return fail(
            ST_FAILED,
            "the validation loss after step %lld is not finite: lower lr, or train with dtype f32",
            (long long)t->state.step);
    buf_printf(&t->metrics, "{\"step\":%lld,\"tokens\":%lld,\"validation_loss\":%.6f}\n",
               (long long)t->state.step, (long long)t->state.tokens, loss);
    log_info("step %lld of %lld: validation loss %.4f nats a token", (long long)t->state.step,
             (long long)t->state.steps, loss);
    return ST_OK;
}

static enum status save(struct trainer *t)
{
    struct arena a = { 0 };
    struct checkpoint_args c = checkpoint_of(t);
    enum status st = ST_OK;

    if (comm_rank(t->comm) == 0) {
        st = checkpoint_write(&c, work_step_path(&a, t->options, t->state.step), &t->state);
        if (st == ST_OK)
            st = work_prune(&t->work);
    }
    arena_release(&a);
    TRY(st);
    return comm_barrier(t->comm);
}

/* Whether any rank was asked to stop: all ranks stop after the same step. */
static enum status stop_asked(struct trainer *t, bool *stop)
{
    int64_t asked = stop_requested();

    TRY(comm_all_reduce(t->comm, &(struct comm_buffer){ .p = &asked, .count = 1, .type = COMM_I64 },
                        COMM_MAX));
    *stop = asked != 0;
    return ST_OK;
}

static bool every(int64_t n, int64_t step) { return n > 0 && step % n == 0; }

static enum status loop(struct trainer *t)
{
    const struct train_options *o = t->options;
    bool stop;

    while (t->state.step < t->state.steps) {
        TRY(one_step(t));
        if (every(o->eval_every, t->state.step) || t->state.step == t->state.steps)
            TRY(validate(t));
        TRY(stop_asked(t, &stop));
        if (stop || (every(o->checkpoint_every, t->state.step) && t->state.step < t->state.steps))
            TRY(save(t));
        if (stop && t->state.step < t->state.steps)
            return fail(ST_INTERRUPTED,
                        "stopped after step %lld of %lld, which is kept: the same command goes on "
                        "from there",
                        (long long)t->state.step, (long long)t->state.steps);
    }
    return ST_OK;
}

static enum status finish(struct trainer *t)
{
    struct checkpoint_args c = checkpoint_of(t);

    if (comm_rank(t->comm) == 0) {
        TRY(checkpoint_write(&c, t->options->out, &t->state));
        TRY(work_remove(&t->work));
    }
    return comm_barrier(t->comm);
}

static enum status train(struct arena *a, struct trainer *t)
{
    double start;
    int64_t first;
    char rate[28];
    enum status st;

    TRY(begin(a, t));
    first = t->state.tokens;
    progress_start("train", "tokens", read_plan_tokens(&t->loader.plan, (uint64_t)t->state.steps));
    progress_add((uint64_t)first);
    start = bench_now();
    st = loop(t);
    progress_end();
    TRY(st);
    if (t->state.tokens > first)
        log_info(
            "%s tokens a second",
            str_count((uint64_t)((double)(t->state.tokens - first) / (bench_now() - start)), rate));
    return finish(t);
}

/* "out/" and "out" are one name: OUT.work stands beside it, not in it. */
static const char *without_slashes(struct arena *a, const char *path)
{
    size_t n = strlen(path);

    while (n > 1 && path[n - 1] == '/')
        n--;
    return arena_strndup(a, path, n);
}

enum status train_run(struct arena *a, struct train_options *options)
{
    struct trainer t;
    enum status st;

    options->out = without_slashes(a, options->out);
    st = trainer_open(&t, options);

    if (st == ST_OK)
        st = train(a, &t);
    if (st != ST_INTERRUPTED)
        comm_abort(t.comm, "train", st);
    trainer_close(&t);
    return st;
}
