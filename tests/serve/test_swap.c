/* A model that is lent stays whole while another takes its place; at most two are held; what cannot
 * be opened changes nothing. */
#include "test.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/bench.h"
#include "base/log.h"
#include "serve/swap.h"
#include "store/artifact/artifact.h"

static struct arena scratch;
static char home[4096];

/* ---- model folders ---- */

static void write_model(const char *folder, uint64_t seed, int64_t context)
{
    const char *source = getenv("TUNDISH_SOURCE");
    struct tokenizer *tokenizer;
    struct device *device;
    struct stream *stream;
    struct model *model;
    json_t *config;

    assert_ok(file_copy(arena_printf(&scratch, "%s/tests/tokenize/golden/gpt2.json",
                                     source != NULL ? source : home),
                        path_join(&scratch, folder, "tokenizer.json")));
    assert_ok(tokenizer_open(folder, &tokenizer));
    assert_ok(device_open("cpu", &device));
    assert_ok(stream_open(device, &stream));
    assert_ok(model_new(&(struct model_config){ .vocab = tokenizer_vocab(tokenizer),
                                                .width = 16,
                                                .layers = 1,
                                                .heads = 2,
                                                .kv_heads = 1,
                                                .head_width = 8,
                                                .ff = 32,
                                                .context = context,
                                                .rope_theta = 10000,
                                                .norm_eps = 1e-5,
                                                .tied = true,
                                                .end_of_text = -1 },
                        device, DT_F32, &model));
    assert_ok(model_init(model, stream, seed));
    config = model_config_to_json(model_config_of(model), DT_F32);
    assert_ok(json_write_file(path_join(&scratch, folder, "config.json"), config));
    assert_ok(weights_write(
        path_join(&scratch, folder, "model.safetensors"),
        &(struct weights_part){ model_params(model), model_weights(model), "", DT_F32 }, 1));
    json_decref(config);
    model_free(model);
    stream_close(stream);
    device_close(device);
    tokenizer_close(tokenizer);
}

/* Each has a context of its own, by which it is known. */
static void make_artifact(const char *path, int64_t context)
{
    static const struct opt no_options[] = { OPT_END };
    static const struct command maker = { .name = "make", .opts = no_options, .makes = "model" };
    struct artifact *a;

    assert_ok(artifact_begin(&maker, "", path, &a));
    write_model(artifact_folder(a), (uint64_t)context, context);
    assert_ok(artifact_commit(a, NULL));
}

enum { A = 40, B = 50, C = 60 };

static int begin(void **state)
{
    char name[] = "test_swap.XXXXXX";

    arena_init(&scratch);
    if (!getcwd(home, sizeof home) || !mkdtemp(name) || chdir(name) != 0)
        return -1;
    *state = strdup(name);
    make_artifact("a", A);
    make_artifact("b", B);
    make_artifact("c", C);
    return 0;
}

static int end(void **state)
{
    int failed = chdir(home) != 0 || file_remove_tree(*state) != ST_OK;

    free(*state);
    arena_release(&scratch);
    return failed;
}

static void promote(const char *target)
{
    (void)unlink("new");
    assert_int_equal(symlink(target, "new"), 0);
    assert_int_equal(rename("new", "link"), 0);
}

static struct swap *open_link(const char *target)
{
    struct swap *sw;

    promote(target);
    assert_ok(swap_open(
        &(struct swap_args){
            .path = "link",
            .follow = true,
            .period = 0.02,
            .served = { .name = "m",
                        .device = "cpu",
                        .engine = { .threads = 1, .sequences = 4, .step_rows = 16, .waiting = 4 },
                        .max_reply = 1 << 20 } },
        &sw));
    return sw;
}

/* ---- what is seen from outside ---- */

static int64_t context_now(struct swap *sw)
{
    struct api *a = swap_lend(sw);
    int64_t context = a->config->context;

    assert_int_equal(model_config_of(engine_model(a->engine))->context, context);
    swap_give_back(a);
    return context;
}

static void nap(void) { usleep(5000); }

static void wait_for(struct swap *sw, int64_t context)
{
    double end = bench_now() + 30;

    while (context_now(sw) != context && bench_now() < end)
        nap();
    assert_int_equal(context_now(sw), context);
}

/* What a pruner asks. */
static bool is_used(const char *folder)
{
    int fd = open(path_join(&scratch, folder, "manifest.json"), O_RDONLY | O_CLOEXEC);
    bool used = flock(fd, LOCK_EX | LOCK_NB) != 0;

    assert_true(fd >= 0);
    close(fd);
    return used;
}

static void wait_until_unused(const char *folder)
{
    double end = bench_now() + 30;

    while (is_used(folder) && bench_now() < end)
        nap();
    assert_false(is_used(folder));
}

struct text {
    pthread_mutex_t lock;
    pthread_cond_t over;
    int count;
    bool ended;
    enum engine_end end;
};

static bool on_token(void *ctx, const struct engine_token *t)
{
    ((struct text *)ctx)->count++;
    return true;
}

static void on_end(void *ctx, enum engine_end end)
{
    struct text *x = ctx;

    pthread_mutex_lock(&x->lock);
    x->end = end;
    x->ended = true;
    pthread_cond_signal(&x->over);
    pthread_mutex_unlock(&x->lock);
}

/* As long a text as the context of the model takes. */
static void write_text(const struct api *a)
{
    struct text x = { .lock = PTHREAD_MUTEX_INITIALIZER, .over = PTHREAD_COND_INITIALIZER };
    const int32_t prompt[] = { 1 };
    uint64_t ticket;

    assert_ok(
        engine_submit(a->engine,
                      &(struct sequence_args){ .prompt = prompt,
                                               .prompt_count = 1,
                                               .max_tokens = a->config->context,
                                               .sample = { .top_p = 1, .repetition_penalty = 1 },
                                               .logprobs = -1,
                                               .past_end = true,
                                               .on_token = on_token,
                                               .on_end = on_end,
                                               .ctx = &x },
                      &ticket));
    pthread_mutex_lock(&x.lock);
    while (!x.ended)
        pthread_cond_wait(&x.over, &x.lock);
    pthread_mutex_unlock(&x.lock);
    assert_int_equal(x.end, END_LENGTH);
    assert_int_equal(x.count, a->config->context);
}

/* ---- tests ---- */

static void a_lent_model_works_until_it_is_given_back(void **state)
{
    struct swap *sw = open_link("a");
    struct api *a = swap_lend(sw);

    write_text(a);
    assert_true(is_used("a"));
    assert_false(is_used("b"));
    promote("b");
    wait_for(sw, B);
    assert_true(is_used("a"));
    assert_true(is_used("b"));
    write_text(a);
    assert_int_equal(swap_state(sw).written_tokens, 2 * A); /* the trials are not counted */
    api_hold(a);
    swap_give_back(a);
    for (int i = 0; i < 20; i++)
        nap();
    assert_true(is_used("a"));
    write_text(a);
    api_release(a);
    wait_until_unused("a");
    assert_int_equal(swap_state(sw).written_tokens, 3 * A); /* what is gone still counts */
    assert_int_equal(context_now(sw), B);
    swap_stop(sw);
    swap_free(sw);
    assert_false(is_used("b"));
}

static void no_third_model_is_opened_and_the_way_back_is_short(void **state)
{
    struct swap *sw = open_link("a");
    struct api *a = swap_lend(sw), *b;

    promote("b");
    wait_for(sw, B);
    b = swap_lend(sw);
    promote("c");
    swap_look(sw);
    for (int i = 0; i < 40; i++)
        nap();
    assert_int_equal(context_now(sw), B); /* two are held */
    assert_false(is_used("c"));
    promote("a");
    wait_for(sw, A);
    assert_ptr_equal(swap_lend(sw), a); /* the very same: it was not opened again */
    swap_give_back(a);
    promote("c");
    swap_give_back(b);
    wait_for(sw, C);
    wait_until_unused("b");
    assert_true(is_used("a"));
    swap_give_back(a);
    wait_until_unused("a");
    swap_free(sw);
    assert_false(is_used("c"));
}

static void what_cannot_be_opened_changes_nothing(void **state)
{
    struct swap *sw = open_link("a");
    int fd;

    promote("nothing");
    for (int i = 0; i < 20; i++)
        nap();
    assert_int_equal(context_now(sw), A);
    assert_ok(file_write_atomic("b/config.json", "{}", 2));
    promote("b");
    for (int i = 0; i < 40; i++)
        nap();
    assert_int_equal(context_now(sw), A);
    wait_until_unused("b");
    fd = open("c/manifest.json", O_RDONLY | O_CLOEXEC); /* somebody is removing it */
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    promote("c");
    for (int i = 0; i < 200; i++)
        nap();
    assert_int_equal(context_now(sw), A);
    close(fd);
    for (int i = 0; i < 40; i++)
        nap();
    assert_int_equal(context_now(sw), A); /* it is not tried again by itself */
    swap_look(sw);
    wait_for(sw, C);
    swap_free(sw);
}

/* Everyone takes, uses and gives back, while the link goes to and fro. */
static struct swap *shared;
static atomic_bool enough;

static void *borrow(void *arg)
{
    while (!atomic_load(&enough)) {
        struct api *a = swap_lend(shared);
        int64_t context = a->config->context;

        api_hold(a);
        swap_give_back(a);
        write_text(a);
        assert_int_equal(model_config_of(engine_model(a->engine))->context, context);
        api_release(a);
    }
    return NULL;
}

static void many_may_use_it_while_it_changes(void **state)
{
    pthread_t threads[4];

    shared = open_link("a");
    atomic_store(&enough, false);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, borrow, NULL), 0);
    for (int i = 0; i < 20; i++) {
        promote(i % 2 ? "a" : "b");
        wait_for(shared, i % 2 ? A : B);
    }
    atomic_store(&enough, true);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    swap_free(shared);
    assert_false(is_used("a"));
    assert_false(is_used("b"));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        T(a_lent_model_works_until_it_is_given_back),
        T(no_third_model_is_opened_and_the_way_back_is_short),
        T(what_cannot_be_opened_changes_nothing),
        T(many_may_use_it_while_it_changes),
    };

    log_set_quiet(true);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
