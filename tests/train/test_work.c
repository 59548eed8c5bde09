/* OUT.work: which checkpoint a run goes on from, what it refuses, and that nothing half-removed is
 * ever read. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "store/artifact/artifact.h"
#include "train/checkpoint.h"
#include "train/loader.h"
#include "train/train_cmd.h"
#include "train/work.h"

static const struct model_config config = { .vocab = 11,
                                            .width = 8,
                                            .layers = 1,
                                            .heads = 2,
                                            .kv_heads = 1,
                                            .head_width = 4,
                                            .ff = 12,
                                            .context = 8,
                                            .rope_theta = 10000,
                                            .norm_eps = 1e-5,
                                            .tied = true,
                                            .end_of_text = 0 };

struct fixture {
    struct arena arena;
    char folder[40];
    struct device *device;
    struct pool *pool;
    struct stream *stream;
    struct model *model;
    struct optimizer *optimizer;
    struct train_options o;
    struct checkpoint_args args;
    struct buf metrics;
    struct loader loader;        /* its plan alone */
    struct work work;
};

/* The options of a run, as the command line would give them, and one more word. */
static void set_options(struct fixture *f, const char *more)
{
    char *argv[] = { "--store",   arena_printf(&f->arena, "%s/store", f->folder),
                     "--out",     arena_printf(&f->arena, "%s/out", f->folder),
                     "--dtype",   "f32",
                     "--minutes", "2",
                     (char *)more };

    memset(&f->o, 0, sizeof f->o);
    assert_ok(opt_parse(cmd_train.opts, &f->arena, more == NULL ? 8 : 9, argv, &f->o));
    assert_ok(loader_plan(&f->loader, &f->o));
}

static const char *numeric_class(const struct fixture *f)
{
    return device_numeric_class(f->device, DT_F32);
}

static int begin(void **state)
{
    struct fixture *f = mem_alloc(sizeof *f);

    *state = f;
    strcpy(f->folder, "/tmp/tundish-test-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    set_options(f, NULL);
    assert_ok(file_make_folders(f->o.store));
    assert_ok(file_write_atomic(path_join(&f->arena, f->o.store, "tokenizer.json"), "{}", 2));
    assert_ok(device_open("cpu", &f->device));
    f->pool = pool_new(1);
    assert_ok(stream_open(f->device, &f->stream));
    assert_ok(model_new(&config, f->device, DT_F32, &f->model));
    assert_ok(model_init(f->model, f->stream, 1));
    assert_ok(optimizer_new(
        &(struct optimizer_args){ f->model, f->pool, &f->stream, 0.9, 0.95, 1e-8, 0.1, 1 },
        &f->optimizer));
    f->args = (struct checkpoint_args){ &f->o, &f->loader.plan, f->model, f->optimizer, f->stream, NULL };
    buf_adds(&f->metrics, "{\"step\":1}\n");
    assert_ok(work_open(&f->work, &f->o, numeric_class(f)));
    return 0;
}

static int end(void **state)
{
    struct fixture *f = *state;

    work_close(&f->work);
    loader_close(&f->loader);
    optimizer_free(f->optimizer);
    model_free(f->model);
    stream_close(f->stream);
    pool_free(f->pool);
    device_close(f->device);
    buf_release(&f->metrics);
    assert_ok(file_remove_tree(f->folder));
    arena_release(&f->arena);
    free(f);
    return 0;
}

static const char *step_path(struct fixture *f, int64_t step)
{
    return work_step_path(&f->arena, &f->o, step);
}

static void save(struct fixture *f, int64_t step, int64_t tokens)
{
    assert_ok(
        checkpoint_write(&f->args, step_path(f, step),
                         &(struct checkpoint_state){ step, 1000000000, tokens, &f->metrics }));
}

static int64_t newest(struct fixture *f)
{
    int64_t step;

    assert_ok(work_newest(&f->work, &step));
    return step;
}

static void refuses(enum status st, enum status want, const char *words)
{
    assert_int_equal(st, want);
    if (strstr(fail_message(), words) == NULL)
        fail_msg("'%s' lacks '%s'", fail_message(), words);
}

static void the_newest_is_found_and_old_ones_go(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(newest(f), 0);
    save(f, 4, 4 * f->o.batch_tokens);
    save(f, 100000000,
         100000000 * f->o.batch_tokens); /* nine digits: behind 99999999 all the same */
    save(f, 99999999, 99999999 * f->o.batch_tokens);
    assert_int_equal(newest(f), 100000000);
    assert_ok(work_prune(&f->work));
    assert_false(file_exists(step_path(f, 4)));
    assert_true(file_exists(step_path(f, 99999999)));
    assert_true(file_exists(step_path(f, 100000000)));
    assert_ok(work_remove(&f->work));
    assert_false(file_exists(f->work.path));
}

static void what_a_kill_leaves_is_passed_over(void **state)
{
    struct fixture *f = *state;
    char name[64];

    save(f, 4, 4 * f->o.batch_tokens);
    snprintf(name, sizeof name, "step-00000008.tmp.%d/manifest.json", getpid());
    assert_ok(file_make_folders(path_join(&f->arena, f->work.path, "step-00000008.tmp.1")));
    assert_ok(file_make_folders(path_join(&f->arena, f->work.path, name)));
    assert_ok(file_make_folders(path_join(&f->arena, f->work.path, "step-00000012")));
    assert_int_equal(newest(f), 4);
    save(f, 8, 8 * f->o.batch_tokens); /* its writer removes what was left of it */
    assert_int_equal(newest(f), 8);
}

static void a_checkpoint_comes_back(void **state)
{
    struct fixture *f = *state;
    struct checkpoint_state s = { .metrics = &(struct buf){ 0 } };
    size_t bytes = (size_t)model_params(f->model)->elements * sizeof(float);
    float *was = malloc(bytes);

    optimizer_m(f->optimizer)[3] = 0.5f;
    optimizer_v(f->optimizer)[4] = 0.25f;
    memcpy(was, model_weights(f->model), bytes);
    save(f, 4, 4 * f->o.batch_tokens);
    memset(model_weights(f->model), 0, bytes);
    memset(optimizer_m(f->optimizer), 0, bytes);
    memset(optimizer_v(f->optimizer), 0, bytes);
    assert_ok(checkpoint_read(&f->args, step_path(f, 4), &s));
    assert_memory_equal(model_weights(f->model), was, bytes);
    assert_true(optimizer_m(f->optimizer)[3] == 0.5f && optimizer_v(f->optimizer)[4] == 0.25f);
    assert_int_equal(s.step, 4);
    assert_int_equal(s.steps, 1000000000);
    assert_string_equal(s.metrics->p, "{\"step\":1}\n");
    buf_release(s.metrics);
    free(was);
}

static void flip(const char *path, off_t at)
{
    int fd = open(path, O_RDWR);
    char c;

    assert_int_equal(pread(fd, &c, 1, at), 1);
    c ^= 1;
    assert_int_equal(pwrite(fd, &c, 1, at), 1);
    close(fd);
}

static void a_flipped_bit_is_refused_in_every_file(void **state)
{
    struct fixture *f = *state;
    const char *const files[] = { "model.safetensors", "optimizer.safetensors", "config.json",
                                  "state.json",        "metrics.jsonl",         "tokenizer.json" };

    save(f, 4, 4 * f->o.batch_tokens);
    for (size_t i = 0; i < 6; i++) {
        struct checkpoint_state s = { .metrics = &(struct buf){ 0 } };
        const char *path = path_join(&f->arena, step_path(f, 4), files[i]);

        flip(path, 1);
        refuses(checkpoint_read(&f->args, step_path(f, 4), &s), ST_INTEGRITY, files[i]);
        assert_non_null(strstr(fail_message(), "remove it to go on from what was before"));
        flip(path, 1);
    }
}

static void a_state_of_no_run_is_refused(void **state)
{
    struct fixture *f = *state;
    struct checkpoint_state s = { .metrics = &(struct buf){ 0 } };

    save(f, 4, 4 * f->o.batch_tokens + 1);
    refuses(checkpoint_read(&f->args, step_path(f, 4), &s), ST_FORMAT, "step times batch-tokens");
    save(f, 2000000000, 2000000000 * f->o.batch_tokens);
    refuses(checkpoint_read(&f->args, step_path(f, 2000000000), &s), ST_FORMAT,
            "step 2000000000 of 1000000000");
}

static void reopen(struct fixture *f, const char *more, const char *class)
{
    work_close(&f->work);
    set_options(f, more);
    assert_ok(work_open(&f->work, &f->o, class));
}

static void another_run_is_refused(void **state)
{
    struct fixture *f = *state;
    int64_t step;

    save(f, 4, 4 * f->o.batch_tokens);
    reopen(f, "--threads=3", numeric_class(f)); /* changes no result */
    assert_int_equal(newest(f), 4);
    reopen(f, "--lr=0.5", numeric_class(f));
    refuses(work_newest(&f->work, &step), ST_CONFIG, "lr 0.001, this one has 0.5");
    reopen(f, NULL, "gpu-f32");
    refuses(work_newest(&f->work, &step), ST_CONFIG, "this one has \"gpu-f32\"");
    reopen(f, arena_printf(&f->arena, "--init=%s", f->o.store), numeric_class(f));
    refuses(work_newest(&f->work, &step), ST_CONFIG, "a run with init (absent)");
    assert_ok(file_write_atomic(path_join(&f->arena, f->o.store, "tokenizer.json"), "[]", 2));
    reopen(f, NULL, numeric_class(f));
    refuses(work_newest(&f->work, &step), ST_CONFIG, "a run with store");
}

/* A run under way takes what begins where its newest checkpoint stands, or later. */
static void phases_change_what_is_still_to_come(void **state)
{
    struct fixture *f = *state;
    const char *other = path_join(&f->arena, f->folder, "other");
    int64_t step;

    assert_ok(file_make_folders(other));
    assert_ok(file_write_atomic(path_join(&f->arena, other, "tokenizer.json"), "[]", 2));
    save(f, 4, 4 * f->o.batch_tokens);
    reopen(f, "--phases=[{step: 4, context: 512}]", numeric_class(f));
    assert_int_equal(newest(f), 4);
    reopen(f, "--phases=[{step: 3, context: 512}]", numeric_class(f));
    refuses(work_newest(&f->work, &step), ST_CONFIG, "has gone 4 steps, and from step 3 on");
    reopen(f, "--phases=[{step: 3, batch_tokens: 8192}]", numeric_class(f)); /* the order would begin anew at 3 */
    refuses(work_newest(&f->work, &step), ST_CONFIG, "has gone 4 steps, and from step 3 on");
    reopen(f, "--phases=[{step: 3, context: 512}, {step: 9, context: 256}]", numeric_class(f));
    save(f, 6, 6 * f->o.batch_tokens);
    assert_int_equal(newest(f), 6);
    reopen(f, "--phases=[{step: 3, context: 512}, {step: 6, batch-tokens: 16384}]",
           numeric_class(f));
    assert_int_equal(newest(f), 6);
    reopen(f, NULL, numeric_class(f));
    refuses(work_newest(&f->work, &step), ST_CONFIG, "has gone 6 steps, and from step 3 on");
    reopen(f, arena_printf(&f->arena, "--phases=[{step: 3, context: 512}, {step: 6, store: %s}]", other),
           numeric_class(f));
    assert_int_equal(newest(f), 6);
    reopen(f, arena_printf(&f->arena, "--phases=[{step: 3, context: 512, store: %s}]", other),
           numeric_class(f));
    refuses(work_newest(&f->work, &step), ST_CONFIG, "has gone 6 steps, and from step 3 on");
    save(f, 8, 8 * f->o.batch_tokens);
    assert_int_equal(newest(f), 8);
    assert_ok(file_write_atomic(path_join(&f->arena, other, "tokenizer.json"), "{}", 2));
    reopen(f, arena_printf(&f->arena, "--phases=[{step: 3, context: 512, store: %s}]", other),
           numeric_class(f)); /* the same path, another content: that of the option `store` */
    refuses(work_newest(&f->work, &step), ST_CONFIG, "has gone 8 steps, and from step 3 on");
}

static void a_plan_is_for_its_run(void **state)
{
    struct fixture *f = *state;
    int64_t steps;

    assert_ok(work_read_plan(&f->work, &steps));
    assert_int_equal(steps, 0);
    assert_ok(work_write_plan(&f->work, 77));
    reopen(f, NULL, numeric_class(f));
    assert_ok(work_read_plan(&f->work, &steps));
    assert_int_equal(steps, 77);
    reopen(f, "--lr=0.5", numeric_class(f));
    assert_ok(work_read_plan(&f->work, &steps));
    assert_int_equal(steps, 0);
    assert_ok(work_write_plan(&f->work, -3));
    assert_int_equal(work_read_plan(&f->work, &steps), ST_FORMAT);
}

static void one_run_at_a_time(void **state)
{
    struct fixture *f = *state;
    struct work second;

    assert_int_equal(work_open(&second, &f->o, numeric_class(f)), ST_HELD);
    work_close(&second);
    work_close(&f->work);
    assert_ok(work_open(&second, &f->o, numeric_class(f)));
    work_close(&second);
}

static void an_out_that_cannot_be_written_is_known_at_once(void **state)
{
    struct fixture *f = *state;
    struct work w;

    assert_ok(file_write_atomic(f->o.out, "", 0));
    assert_int_equal(work_open(&w, &f->o, numeric_class(f)), ST_CONFIG);
    work_close(&w);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = { T(the_newest_is_found_and_old_ones_go),
                                        T(what_a_kill_leaves_is_passed_over),
                                        T(a_checkpoint_comes_back),
                                        T(a_flipped_bit_is_refused_in_every_file),
                                        T(a_state_of_no_run_is_refused),
                                        T(another_run_is_refused),
                                        T(phases_change_what_is_still_to_come),
                                        T(a_plan_is_for_its_run),
                                        T(one_run_at_a_time),
                                        T(an_out_that_cannot_be_written_is_known_at_once) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
