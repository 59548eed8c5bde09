#include "train/train_loop.h"

#include <stdio.h>
#include <string.h>

#include "base/bench.h"
#include "base/file.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/stop.h"
#include "train/trainer.h"

/* ---- how many steps: told, or found by one probe whose answer is kept ---- */

static const char *plan_path(struct arena *a, const struct train_options *o)
{
    return arena_printf(a, "%s.work/plan.json", o->out);
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

static enum status write_plan(const char *path, int64_t steps)
{
    json_t *j = json_pack("{s:I}", "steps", (json_int_t)steps);
    enum status st = json_write_file(path, j);

    json_decref(j);
    return st;
}

static enum status read_plan(const char *path, int64_t *steps)
{
    json_t *j;
    enum status st;

    TRY(json_read_file(path, &j));
    st = json_get_int(j, "steps", path, steps);
    json_decref(j);
    return st;
}

static enum status steps_from_minutes(struct arena *a, struct trainer *t, int64_t *steps)
{
    const struct train_options *o = t->options;
    const char *path = plan_path(a, o);
    double seconds;

    if (comm_rank(t->comm) == 0 && file_exists(path)) {
        TRY(read_plan(path, steps));
    } else {
        TRY(probe(t, &seconds));
        *steps = (int64_t)(o->minutes * 60 / seconds);
        *steps = *steps < 1 ? 1 : *steps;
        if (comm_rank(t->comm) == 0) {
            TRY(write_plan(path, *steps));
            log_info("probe: a step takes %.3f s, so %g minutes are %lld steps (recorded)", seconds,
                     o->minutes, (long long)*steps);
        }
    }
    return comm_broadcast(t->comm,
                          &(struct comm_buffer){ .p = steps, .count = 1, .type = COMM_I64 }, 0);
}

static enum status plan_steps(struct arena *a, struct trainer *t, int64_t *steps)
{
    const struct train_options *o = t->options;
    int given = (o->steps > 0) + (o->tokens > 0) + (o->minutes > 0);

    if (given != 1)
        return fail(ST_CONFIG, "give one of steps, tokens and minutes (%d are given)", given);
    if (o->minutes > 0)
        return steps_from_minutes(a, t, steps);
    *steps = o->steps > 0 ? o->steps : (o->tokens + o->batch_tokens - 1) / o->batch_tokens;
    return ST_OK;
}

/* ---- start, or go on ---- */

static struct checkpoint_args checkpoint_of(struct trainer *t)
{
    return (struct checkpoint_args){ t->options, t->model, t->optimizer, t->streams[0] };
}

static enum status begin(struct arena *a, struct trainer *t)
{
    const struct train_options *o = t->options;
    struct checkpoint_args c = checkpoint_of(t);
    const char *newest;
    char weights[28], tokens[28];

    TRY(file_make_folders(arena_printf(a, "%s.work", o->out)));
    TRY(checkpoint_find(a, o, &newest));
    if (newest != NULL) {
        TRY(checkpoint_read(&c, newest, &t->state));
        log_info("going on after step %lld of %lld", (long long)t->state.step,
                 (long long)t->state.steps);
    } else {
        TRY(plan_steps(a, t, &t->state.steps));
    }
    t->schedule =
        (struct schedule){ o->lr, o->lr * o->min_lr,
                           (int64_t)(o->warmup * (double)t->state.steps + 0.5), t->state.steps };
    log_info("%s parameters, %lld steps of %s tokens, %s, %d threads, %d ranks",
             str_count((uint64_t)model_params(t->model)->weights, weights),
             (long long)t->state.steps, str_count((uint64_t)o->batch_tokens, tokens),
             device_numeric_class(t->device, model_compute(t->model)), pool_threads(t->pool),
             comm_size(t->comm));
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
    t->state.step = step;
    t->state.tokens += t->options->batch_tokens;
    buf_printf(&t->metrics,
               "{\"step\":%lld,\"tokens\":%lld,\"loss\":%.6f,\"lr\":%.6g,\"grad_norm\":%.6g}\n",
               (long long)step, (long long)t->state.tokens, loss, lr, norm);
    progress_note("step %lld/%lld loss %.3f", (long long)step, (long long)t->state.steps, loss);
    progress_add((uint64_t)t->options->batch_tokens);
    return ST_OK;
}

static enum status validate(struct trainer *t)
{
    double loss;
    bool got;

    TRY(trainer_validate(t, &loss, &got));
    if (!got)
        return ST_OK;
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
        st = checkpoint_write(&c, checkpoint_path(&a, t->options, t->state.step), &t->state);
        if (st == ST_OK)
            st = checkpoint_prune(&a, t->options);
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

static enum status finish(struct arena *a, struct trainer *t)
{
    struct checkpoint_args c = checkpoint_of(t);

    if (comm_rank(t->comm) == 0) {
        TRY(checkpoint_write(&c, t->options->out, &t->state));
        TRY(file_remove_tree(arena_printf(a, "%s.work", t->options->out)));
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
    progress_start("train", "tokens", (uint64_t)(t->state.steps * t->options->batch_tokens));
    progress_add((uint64_t)first);
    start = bench_now();
    st = loop(t);
    progress_end();
    TRY(st);
    if (t->state.tokens > first)
        log_info(
            "%s tokens a second",
            str_count((uint64_t)((double)(t->state.tokens - first) / (bench_now() - start)), rate));
    return finish(a, t);
}

enum status train_run(struct arena *a, struct train_options *options)
{
    struct trainer t;
    enum status st = trainer_open(&t, options);

    if (st == ST_OK)
        st = train(a, &t);
    if (st != ST_OK && st != ST_INTERRUPTED && t.comm != NULL && comm_size(t.comm) > 1) {
        log_error("tundish train: error on rank %d: %s", comm_rank(t.comm), fail_message());
        comm_abort(t.comm, status_exit_code(st)); /* no other rank waits for this one */
    }
    trainer_close(&t);
    return st;
}
