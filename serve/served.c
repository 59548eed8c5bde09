#include "serve/served.h"

#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/bench.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/stop.h"
#include "model/model_folder.h"
#include "store/artifact/artifact.h"

/* ---- the folder ---- */

/* Who only looks what could be removed has the lock for a moment. */
static enum status lock_soon(struct served *s, const char *manifest)
{
    enum status st = file_lock_share(&s->lock, manifest);

    for (int i = 0; i < 5 && st == ST_HELD; i++) {
        nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
        st = file_lock_share(&s->lock, manifest);
    }
    return st;
}

/* A folder without a manifest is in no registry that would prune it. */
static enum status hold_folder(struct served *s, const char *folder)
{
    const char *manifest = path_join(&s->arena, folder, "manifest.json");
    enum status st = file_exists(manifest) ? lock_soon(s, manifest) : ST_OK;

    if (st != ST_IO)
        return st;
    log_warn("%s: others cannot see that this model is in use", fail_message());
    return ST_OK;
}

static const char *digest_of(struct served *s, const char *folder)
{
    const char *path = path_join(&s->arena, folder, "manifest.json"), *digest = NULL;
    json_t *manifest = NULL;

    if (file_exists(path) && json_read_file(path, &manifest) == ST_OK)
        digest = json_string_value(json_object_get(manifest, "digest"));
    if (digest != NULL)
        digest = arena_strdup(&s->arena, digest);
    json_decref(manifest);
    return digest;
}

static int64_t made_at(struct served *s, const char *folder)
{
    struct stat st;

    return stat(path_join(&s->arena, folder, "config.json"), &st) == 0 ? (int64_t)st.st_mtime : 0;
}

/* Changes with the weights (where no manifest names them: with the folder) and with how they are
 * computed. */
static const char *fingerprint_of(struct served *s, const char *folder, const char *digest)
{
    char hex[SHA256_HEX];
    struct buf text = { 0 };

    buf_printf(&text, "%s %s", digest == NULL ? folder : digest,
               device_numeric_class(s->loaded.device, model_compute(s->loaded.model)));
    sha256_bytes(text.p, text.n, hex);
    buf_release(&text);
    return arena_printf(&s->arena, "fp_%.12s", hex);
}

static size_t longest_token(const struct tokenizer *t)
{
    size_t longest = 1;

    for (uint32_t i = 0; i < tokenizer_vocab(t); i++)
        longest = tokenizer_bytes(t, i).n > longest ? tokenizer_bytes(t, i).n : longest;
    return longest;
}

static void fill_api(struct served *s, const char *folder, const struct served_args *args)
{
    const char *digest = digest_of(s, folder);

    s->api = (struct api){ .engine = s->loaded.engine,
                           .tokenizer = s->loaded.tokenizer,
                           .config = model_config_of(s->loaded.model),
                           .name = arena_strdup(&s->arena, args->name),
                           .folder = arena_strdup(&s->arena, folder),
                           .digest = digest,
                           .created = made_at(s, folder),
                           .fingerprint = fingerprint_of(s, folder, digest),
                           .longest_token = longest_token(s->loaded.tokenizer),
                           .queue = args->engine.waiting,
                           .max_reply = args->max_reply,
                           .served = s };
}

/* ---- the trial ---- */

struct trial {
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool is_over;
    struct failure failure;
};

static bool trial_token(void *ctx, const struct engine_token *t) { return true; }

static void trial_end(void *ctx, enum engine_end end)
{
    struct trial *t = ctx;

    pthread_mutex_lock(&t->lock);
    if (end == END_FAILED)
        failure_save(&t->failure, ST_FAILED);
    t->is_over = true;
    pthread_cond_signal(&t->over);
    pthread_mutex_unlock(&t->lock);
}

/* One token: memory is touched, products are prepared, and weights that give no numbers are found
 * before a client does. */
static enum status try_out(struct served *s)
{
    struct trial t = { .lock = PTHREAD_MUTEX_INITIALIZER, .over = PTHREAD_COND_INITIALIZER };
    int64_t end = model_config_of(s->loaded.model)->end_of_text;
    const int32_t prompt[] = { end >= 0 ? (int32_t)end : 0 };
    uint64_t ticket;

    TRY(engine_submit(s->loaded.engine,
                      &(struct sequence_args){ .prompt = prompt,
                                               .prompt_count = 1,
                                               .max_tokens = 1,
                                               .sample = { .top_p = 1, .repetition_penalty = 1 },
                                               .logprobs = -1,
                                               .past_end = true,
                                               .on_token = trial_token,
                                               .on_end = trial_end,
                                               .ctx = &t },
                      &ticket));
    pthread_mutex_lock(&t.lock);
    while (!t.is_over)
        pthread_cond_wait(&t.over, &t.lock);
    pthread_mutex_unlock(&t.lock);
    pthread_mutex_destroy(&t.lock);
    pthread_cond_destroy(&t.over);
    s->trial = engine_state(s->loaded.engine);
    return t.failure.st == ST_OK ? ST_OK : failure_restore(&t.failure);
}

/* ---- life ---- */

static enum status go_on(void)
{
    return stop_requested() ? fail(ST_INTERRUPTED, "stopped while a model was loaded") : ST_OK;
}

static enum status open_all(struct served *s, const char *folder, const struct served_args *args)
{
    TRY(hold_folder(s, folder));
    TRY(model_folder_check(folder));
    TRY(go_on());
    TRY(loaded_open(&s->loaded, folder, args->device, args->dtype));
    TRY(go_on());
    TRY(loaded_start(&s->loaded, &args->engine));
    TRY(try_out(s));
    fill_api(s, folder, args);
    return ST_OK;
}

enum status served_open(const char *folder, const struct served_args *args, struct served **out)
{
    struct served *s = mem_alloc(sizeof *s);
    double start = bench_now();
    struct failure failure;
    enum status st;

    s->lock.fd = -1;
    st = open_all(s, folder, args);
    if (st != ST_OK) {
        failure_save(&failure, st);
        served_close(s);
        return failure_restore(&failure);
    }
    s->seconds = bench_now() - start;
    *out = s;
    return ST_OK;
}

struct engine_state served_state(const struct served *s)
{
    struct engine_state e = engine_state(s->loaded.engine);

    e.prompt_tokens -= s->trial.prompt_tokens;
    e.written_tokens -= s->trial.written_tokens;
    e.steps -= s->trial.steps;
    e.busy_seconds -= s->trial.busy_seconds;
    return e;
}

void served_close(struct served *s)
{
    if (s == NULL)
        return;
    loaded_close(&s->loaded);
    file_lock_drop(&s->lock);
    arena_release(&s->arena);
    free(s);
}
