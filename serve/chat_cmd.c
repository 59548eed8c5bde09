#include "serve/chat_cmd.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bench.h"
#include "base/log.h"
#include "base/stop.h"
#include "model/compute.h"
#include "model/model_folder.h"
#include "serve/chat_template.h"
#include "serve/choice.h"
#include "serve/loaded.h"
#include "serve/sampling_rows.h"

struct chat_options {
    const char *model, *system, *device;
    int64_t max_tokens, top_k, seed;
    double temperature, top_p, min_p;
    int dtype;
};

static const struct opt options[] = {
#define S struct chat_options
    OPT_INPUT(S, model, "model", "checkpoint or model folder", .flags = OPT_REQUIRED),
    OPT_STR(S, system, "system", NULL, "what stands above the conversation"),
    OPT_INT(S, max_tokens, "max-tokens", "0", 0, 1e9,
            "most tokens of an answer; 0: what the context holds"),
    SAMPLING_ROWS(S),
    OPT_CHOICE(S, dtype, "dtype", "auto", compute_names,
               "type of matrix products; auto: bf16 where the hardware has it"),
    OPT_STR(S, device, "device", "auto", "auto, cpu or cuda"),
#undef S
    OPT_END
};

enum { LINE_LIMIT = 1 << 20, TURNS = 100000 };
static const struct span stop_text = { CHAT_STOP, sizeof CHAT_STOP - 1 };

/* One answer, written by the engine's thread while this one waits. */
struct answer {
    struct choice choice;
    struct buf text;
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool ended;
    enum engine_end end;
    struct failure failure;
    int64_t tokens;
};

struct chat {
    const struct chat_options *o;
    struct loaded loaded;
    struct buf head;  /* what stands above the conversation */
    struct buf turns; /* the conversation, as the template writes it */
    int64_t count;
};

static void show_piece(struct answer *a, bool last)
{
    struct choice_piece piece;

    choice_take(&a->choice, last, &piece);
    buf_add(&a->text, piece.text.p, piece.text.n);
    fwrite(piece.text.p, 1, piece.text.n, stdout);
    fflush(stdout);
    choice_piece_release(&piece);
}

static bool on_token(void *ctx, const struct engine_token *t)
{
    struct answer *a = ctx;
    bool go_on = choice_add(&a->choice, t);

    a->tokens++;
    if (go_on)
        show_piece(a, false);
    return go_on && !stop_requested();
}

static void on_end(void *ctx, enum engine_end end)
{
    struct answer *a = ctx;

    show_piece(a, true);
    if (end == END_FAILED)
        failure_save(&a->failure, ST_FAILED);
    pthread_mutex_lock(&a->lock);
    a->end = end;
    a->ended = true;
    pthread_cond_signal(&a->over);
    pthread_mutex_unlock(&a->lock);
}

/* ---- what fits into the context ---- */

static enum status encode(struct chat *c, const struct buf *text, struct token_list *ids)
{
    int64_t end = tokenizer_end_of_text(c->loaded.tokenizer);
    struct encoder *e = encoder_new(c->loaded.tokenizer);
    enum status st;

    ids->count = 0;
    if (end >= 0)
        token_list_add(ids, (uint32_t)end);
    st = encoder_encode(e, (struct span){ text->p, text->n }, false, ids);
    encoder_free(e);
    return st;
}

/* Forgets the oldest turn; false: only the last question is left. */
static bool forget_oldest(struct chat *c)
{
    static const char turn[] = "\nUser: ";
    const char *next =
        c->turns.n == 0 ? NULL : memmem(c->turns.p + 1, c->turns.n - 1, turn, sizeof turn - 1);
    size_t n = next == NULL ? 0 : (size_t)(next + 1 - c->turns.p);

    if (next == NULL)
        return false;
    memmove(c->turns.p, c->turns.p + n, c->turns.n - n + 1);
    c->turns.n -= n;
    return true;
}

/* The conversation, less what is too old to leave room for an answer. */
static enum status make_prompt(struct chat *c, struct token_list *ids)
{
    int64_t context = model_config_of(c->loaded.model)->context;
    int64_t room =
        c->o->max_tokens > 0 && c->o->max_tokens < context / 2 ? c->o->max_tokens : context / 4;
    bool forgot = false;

    for (;; forgot = true) {
        struct buf text = { 0 };
        enum status st;

        buf_add(&text, c->head.p, c->head.n);
        buf_add(&text, c->turns.p, c->turns.n);
        chat_ask(&text);
        st = encode(c, &text, ids);
        buf_release(&text);
        TRY(st);
        if ((int64_t)ids->count + room <= context)
            break;
        if (!forget_oldest(c))
            return fail(ST_LIMIT,
                        "the message has %zu tokens, the model's context is %lld: "
                        "shorten it",
                        ids->count, (long long)context);
    }
    if (forgot)
        log_info("the context of %lld tokens is full: the oldest turns are forgotten",
                 (long long)context);
    return ST_OK;
}

/* ---- one turn ---- */

static enum status submit(struct chat *c, const struct token_list *ids, struct answer *a)
{
    const struct chat_options *o = c->o;
    int64_t left = model_config_of(c->loaded.model)->context - (int64_t)ids->count;
    int32_t *prompt = mem_array(ids->count, sizeof *prompt);
    uint64_t ticket;
    enum status st;

    for (size_t i = 0; i < ids->count; i++)
        prompt[i] = (int32_t)ids->v[i];
    st = engine_submit(
        c->loaded.engine,
        &(struct sequence_args){
            .prompt = prompt,
            .prompt_count = (int64_t)ids->count,
            .max_tokens = o->max_tokens > 0 && o->max_tokens < left ? o->max_tokens : left,
            .sample = { .temperature = o->temperature,
                        .top_k = o->top_k,
                        .top_p = o->top_p,
                        .min_p = o->min_p,
                        .repetition_penalty = 1 },
            .seed = (uint64_t)o->seed,
            .stream = (uint64_t)c->count++,
            .logprobs = -1,
            .on_token = on_token,
            .on_end = on_end,
            .ctx = a },
        &ticket);
    free(prompt);
    return st;
}

static enum status write_answer(struct chat *c, const struct token_list *ids, struct answer *a)
{
    double start = bench_now();

    TRY(submit(c, ids, a));
    pthread_mutex_lock(&a->lock);
    while (!a->ended)
        pthread_cond_wait(&a->over, &a->lock);
    pthread_mutex_unlock(&a->lock);
    if (a->end == END_FAILED)
        return failure_restore(&a->failure);
    fputc('\n', stdout);
    if (ferror(stdout))
        return fail_errno(ST_IO, "writing to standard output");
    if (isatty(STDOUT_FILENO))
        log_info("%lld tokens, %.0f a second", (long long)a->tokens,
                 (double)a->tokens / (bench_now() - start));
    return ST_OK;
}

static enum status answer(struct chat *c)
{
    struct answer a = { .lock = PTHREAD_MUTEX_INITIALIZER, .over = PTHREAD_COND_INITIALIZER };
    struct token_list ids = { 0 };
    enum status st = make_prompt(c, &ids);

    choice_init(&a.choice, &(struct choice_args){ .tokenizer = c->loaded.tokenizer,
                                                  .stops = &stop_text,
                                                  .stop_count = 1,
                                                  .drop_space = true });
    if (st == ST_OK)
        st = write_answer(c, &ids, &a);
    if (st == ST_OK)
        chat_add(&c->turns, CHAT_ASSISTANT,
                 (struct span){ a.text.p == NULL ? "" : a.text.p, a.text.n });
    choice_release(&a.choice);
    buf_release(&a.text);
    token_list_release(&ids);
    return st;
}

/* ---- the conversation ---- */

/* False: nothing more comes. */
static enum status read_line(struct buf *line, bool *more)
{
    char *text = NULL;
    size_t room = 0;
    ssize_t n;

    if (isatty(STDIN_FILENO) && isatty(STDERR_FILENO))
        fputs("> ", stderr);
    n = stop_requested() ? -1 : getline(&text, &room, stdin);
    *more = n >= 0;
    buf_clear(line);
    if (n > LINE_LIMIT) {
        free(text);
        return fail(ST_LIMIT, "a message of %zd bytes, at most %d", n, LINE_LIMIT);
    }
    if (n > 0)
        buf_add(line, text, (size_t)n - (text[n - 1] == '\n'));
    free(text);
    return ST_OK;
}

static void start_anew(struct chat *c)
{
    buf_clear(&c->turns);
    log_info("a new conversation");
}

static enum status converse(struct chat *c, struct buf *line)
{
    bool more = true;

    for (int turn = 0; turn < TURNS; turn++) {
        TRY(read_line(line, &more));
        if (!more || stop_requested())
            return ST_OK;
        if (line->n == 0)
            continue;
        if (strcmp(line->p, "/new") == 0) {
            start_anew(c);
            continue;
        }
        chat_add(&c->turns, CHAT_USER, (struct span){ line->p, line->n });
        TRY(answer(c));
    }
    return ST_OK;
}

static enum status chat(struct chat *c)
{
    const struct chat_options *o = c->o;
    struct buf line = { 0 };
    enum status st;

    TRY(model_folder_check(o->model));
    TRY(loaded_open(&c->loaded, o->model, o->device, o->dtype));
    TRY(loaded_start(&c->loaded,
                     &(struct engine_args){ .sequences = 1, .step_rows = 256, .waiting = 1 }));
    if (o->system != NULL)
        chat_add(&c->head, CHAT_SYSTEM, span_of(o->system));
    if (isatty(STDIN_FILENO))
        log_info("a line is a message; /new forgets the conversation, Ctrl-D ends it");
    st = converse(c, &line);
    buf_release(&line);
    return st;
}

static enum status run(struct arena *a, void *cfg)
{
    struct chat c = { .o = cfg };
    struct failure failure;
    enum status st = chat(&c);

    failure_save(&failure, st);
    loaded_close(&c.loaded);
    buf_release(&c.head);
    buf_release(&c.turns);
    return st == ST_OK ? ST_OK : failure_restore(&failure);
}

const struct command cmd_chat = {
    .name = "chat",
    .summary = "talk with a model in the terminal",
    .details =
        "Each line of standard input is a message; the answer comes as it is written. The plain "
        "template is that of\nthe server: \"User: ...\", \"Assistant: ...\". When the context is "
        "full, the oldest turns are forgotten. The same seed\nand the same messages give the same "
        "answers.\n\n"
        "  tundish chat --model work/quickstart/current/model\n"
        "  echo 'How do I create an index?' | tundish chat --model model --temperature 0",
    .opts = options,
    .cfg_size = sizeof(struct chat_options),
    .run = run,
};
