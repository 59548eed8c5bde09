#include "pipelines/lineage/lineage_documents.h"

#include <stdlib.h>
#include <string.h>

#include "base/command.h"
#include "base/log.h"
#include "base/output.h"
#include "base/stop.h"
#include "pipelines/lineage/lineage_print.h"
#include "store/token_format.h"

#define WRITE_BYTES (64u << 10)

/* ---- what a checkpoint has read ---- */

static enum status positive(const struct lineage_node *n, const json_t *value, const char *what,
                            uint64_t *out)
{
    if (!json_is_integer(value) || json_integer_value(value) < 1)
        return fail(ST_FORMAT, "the manifest of '%s' does not say its %s", n->path, what);
    *out = (uint64_t)json_integer_value(value);
    return ST_OK;
}

enum status lineage_reading(const struct lineage_node *c, const struct token_store *store,
                            struct token_reading *r)
{
    const struct command *train = command_all() ? command_find(command_all(), "train") : NULL;
    const json_t *seed = lineage_option(c, "seed"),
                 *made_by = json_object_get(c->manifest, "made_by");
    int64_t version = json_integer_value(json_object_get(made_by, "version"));
    uint64_t context = 0, batch = 0, step = 0, tokens;

    if (train == NULL || strcmp(lineage_stage(c), train->name) != 0 ||
        version > train->stage_version)
        return fail(ST_UNSUPPORTED, "'%s' was made by %s, version %lld, whose order is not known",
                    c->path, lineage_stage(c), (long long)version);
    TRY(positive(c, lineage_option(c, "context"), "option context", &context));
    TRY(positive(c, lineage_option(c, "batch-tokens"), "option batch-tokens", &batch));
    TRY(positive(c, json_object_get(json_object_get(c->manifest, "counts"), "step"), "count step",
                 &step));
    if (!json_is_integer(seed) || __builtin_mul_overflow(step, batch, &tokens))
        return fail(ST_FORMAT, "the manifest of '%s' has no seed, or too many steps", c->path);
    return token_reading_init(r, token_store_tokens(store, TOKENS_TRAIN), context,
                              (uint64_t)json_integer_value(seed), tokens / context);
}

/* ---- the way of the weights ---- */

bool lineage_is_weights(const struct lineage_node *n)
{
    return strcmp(lineage_kind(n), "checkpoint") == 0 || strcmp(lineage_kind(n), "model") == 0;
}

const struct lineage_node *lineage_input_of(const struct lineage *l, const struct lineage_node *n,
                                            const char *option)
{
    for (size_t i = 0; i < n->count; i++)
        if (strcmp(n->inputs[i].option, option) == 0 &&
            l->nodes[n->inputs[i].node].state == LINEAGE_FOUND)
            return &l->nodes[n->inputs[i].node];
    return NULL;
}

/* An option of a stage that takes weights in: what it names is on the way though it is missing. */
static bool takes_weights(const char *option)
{
    return strcmp(option, "checkpoint") == 0 || strcmp(option, "init") == 0 ||
           strcmp(option, "model") == 0;
}

/* ---- a store's documents ---- */

struct listing {
    const struct lineage_node *checkpoint;      /* NULL: the store itself was asked for */
    struct token_store *store;
    struct token_reading reading;
    bool json, known;
    uint64_t whole, some, none;                 /* training documents by what was read */
    struct buf out;
};

static void add_line(struct listing *w, enum token_part part, const struct token_range *d)
{
    bool train = part == TOKENS_TRAIN, told = !train || w->known;
    uint64_t read = train && w->known ? token_reading_count(&w->reading, d->first, d->count) : 0;
    struct buf id = { 0 };

    w->whole += train && read == d->count;
    w->some += train && read > 0 && read < d->count;
    w->none += train && read == 0;
    if (w->json) {
        buf_printf(&w->out, "{\"part\":\"%s\",\"id\":", token_part_names[part]);
        json_quote(&w->out, d->id.p, d->id.n);
        buf_adds(&w->out, ",\"source\":");
        json_quote(&w->out, d->source.p, d->source.n);
        buf_printf(&w->out, ",\"tokens\":%llu,\"read\":", (unsigned long long)d->count);
    } else {
        buf_printf(&w->out, "%s\t", token_part_names[part]);
        buf_add(&id, d->id.p, d->id.n);
        log_add_plain(&w->out, id.p ? id.p : "");
        buf_addc(&w->out, '\t');
        buf_clear(&id);
        buf_add(&id, d->source.p, d->source.n);
        log_add_plain(&w->out, id.p ? id.p : "");
        buf_printf(&w->out, "\t%llu\t", (unsigned long long)d->count);
        buf_release(&id);
    }
    if (told)
        buf_printf(&w->out, "%llu", (unsigned long long)read);
    else
        buf_adds(&w->out, w->json ? "null" : "-");
    if (w->json)
        buf_printf(&w->out, ",\"store\":\"%s\"}", token_store_digest(w->store));
    buf_addc(&w->out, '\n');
}

static enum status list_part(struct listing *w, enum token_part part)
{
    uint64_t n = token_store_documents(w->store, part);

    for (uint64_t i = 0; i < n; i++) {
        struct token_range d;

        TRY(token_store_document(w->store, part, i, &d));
        add_line(w, part, &d);
        if (w->out.n >= WRITE_BYTES || i + 1 == n) {
            TRY(output_stream(&w->out));
            buf_clear(&w->out);
            if (stop_requested())
                return fail(ST_INTERRUPTED, "stopped");
        }
    }
    return ST_OK;
}

static void summarise(const struct listing *w)
{
    char whole[28], some[28], none[28], held[28];

    if (w->checkpoint == NULL)
        return;
    str_count(token_store_documents(w->store, TOKENS_VALIDATION), held);
    if (!w->known)
        log_info("%s: %s documents for training, %s held out for validation; what training has "
                 "read of them is not known",
                 w->checkpoint->path,
                 str_count(token_store_documents(w->store, TOKENS_TRAIN), whole), held);
    else
        log_info(
            "%s: training has read %s documents whole, %s in part, %s not at all; %s were held "
            "out for validation",
            w->checkpoint->path, str_count(w->whole, whole), str_count(w->some, some),
            str_count(w->none, none), held);
}

static enum status list_store(const struct lineage_node *store, const struct lineage_node *c,
                              bool json)
{
    struct listing w = { .checkpoint = c, .json = json };
    enum status st;

    TRY(token_store_open(store->path, &w.store));
    w.known = c != NULL && lineage_reading(c, w.store, &w.reading) == ST_OK;
    if (c != NULL && !w.known)
        log_warn("%s", fail_message());
    st = list_part(&w, TOKENS_TRAIN);
    if (st == ST_OK)
        st = list_part(&w, TOKENS_VALIDATION);
    if (st == ST_OK)
        summarise(&w);
    buf_release(&w.out);
    token_store_close(w.store);
    return st;
}

/* A checkpoint's own store; one that is not found is an error, for the list would lack it. */
static enum status list_checkpoint(const struct lineage *l, const struct lineage_node *c, bool json)
{
    const struct lineage_node *store = lineage_input_of(l, c, "store");

    if (store != NULL)
        return list_store(store, c, json);
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->inputs[i].option, "store") == 0)
            return fail(ST_MISSING,
                        "the token store %.12s that '%s' was trained on was not found (it was said "
                        "to be '%s'); --search DIR looks elsewhere, too",
                        l->nodes[c->inputs[i].node].digest, c->path,
                        c->inputs[i].said ? c->inputs[i].said : "?");
    return fail(ST_FORMAT, "the manifest of '%s' names no token store", c->path);
}

/* Follows weights alone: a report's own store, or a model card's corpus, taught nothing. */
static enum status list_weights(const struct lineage *l, bool *met, size_t *queue, bool json)
{
    size_t queued = 1, listed = 0;

    for (size_t i = 0; i < queued; i++) {
        const struct lineage_node *n = &l->nodes[queue[i]];

        if (strcmp(lineage_kind(n), "checkpoint") == 0) {
            TRY(list_checkpoint(l, n, json));
            listed++;
        }
        for (size_t k = 0; k < n->count; k++) {
            size_t next = n->inputs[k].node;

            if (met[next] || !takes_weights(n->inputs[k].option))
                continue;
            if (l->nodes[next].state == LINEAGE_OUTSIDE)
                log_warn("'%s' is from outside: what it was trained on is not known",
                         l->nodes[next].path);
            else if (l->nodes[next].state == LINEAGE_MISSING)
                return fail(ST_MISSING,
                            "the %s %.12s of '%s' was not found; --search DIR looks elsewhere, too",
                            n->inputs[k].option, l->nodes[next].digest, n->path);
            met[next] = true;
            queue[queued++] = next;
        }
    }
    if (listed > 0)
        return ST_OK;
    return fail(ST_CONFIG,
                "'%s' is a %s without trained weights in its chain; want a model, a checkpoint, a "
                "report or a token store",
                l->nodes[0].path, lineage_kind(&l->nodes[0]));
}

enum status lineage_documents(const struct lineage *l, bool json)
{
    bool *met;
    size_t *queue;
    enum status st;

    if (strcmp(lineage_kind(&l->nodes[0]), "token-store") == 0)
        return list_store(&l->nodes[0], NULL, json);
    met = mem_array(l->count + 1, sizeof *met);
    queue = mem_array(l->count + 1, sizeof *queue);
    met[0] = true;
    st = list_weights(l, met, queue, json);
    free(met);
    free(queue);
    return st;
}
