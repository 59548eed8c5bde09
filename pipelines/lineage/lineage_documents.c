#include "pipelines/lineage/lineage_documents.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/output.h"
#include "base/stop.h"
#include "pipelines/lineage/lineage_print.h"
#include "pipelines/lineage/lineage_reading.h"
#include "store/tokens/token_format.h"

#define WRITE_BYTES (64u << 10)

/* ---- the way of the weights ---- */

bool lineage_is_weights(const struct lineage_node *n)
{
    return strcmp(lineage_kind(n), "checkpoint") == 0 || strcmp(lineage_kind(n), "model") == 0;
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
    struct lineage_reading *reading;            /* NULL: not known */
    bool json;
    uint64_t whole, some, none;                 /* training documents by what was read */
    struct buf out;
};

static void add_line(struct listing *w, enum token_part part, const struct token_range *d,
                     uint64_t read)
{
    bool train = part == TOKENS_TRAIN, told = !train || w->reading != NULL;
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
        uint64_t read = 0;

        TRY(token_store_document(w->store, part, i, &d));
        if (part == TOKENS_TRAIN && w->reading != NULL)
            TRY(lineage_reading_seen(w->reading, token_store_digest(w->store), i, &read));
        add_line(w, part, &d, read);
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
    if (w->reading == NULL)
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

/* reading NULL: not known, or no checkpoint's (c is NULL, too). */
static enum status list_store(const struct lineage_node *store, const struct lineage_node *c,
                              struct lineage_reading *reading, bool json)
{
    struct listing w = { .checkpoint = c, .reading = reading, .json = json };
    enum status st;

    TRY(lineage_store(store, &w.store));
    st = list_part(&w, TOKENS_TRAIN);
    if (st == ST_OK)
        st = list_part(&w, TOKENS_VALIDATION);
    if (st == ST_OK)
        summarise(&w);
    buf_release(&w.out);
    token_store_close(w.store);
    return st;
}

/* One that is not found is an error, for the list would lack it. */
static enum status check_stores(const struct lineage *l, const struct lineage_node *c,
                                const size_t *stores, size_t count)
{
    if (count == 0)
        return fail(ST_FORMAT, "the manifest of '%s' names no token store", c->path);
    for (size_t i = 0; i < count; i++) {
        const struct lineage_node *n = &l->nodes[stores[i]];

        if (n->state != LINEAGE_FOUND)
            return fail(ST_MISSING,
                        "the token store %.12s that '%s' was trained on was not found (it was said "
                        "to be '%s'); --search DIR looks elsewhere, too",
                        n->digest, c->path, n->said ? n->said : "?");
        if (strcmp(lineage_kind(n), "token-store") != 0)
            return fail(ST_FORMAT, "the manifest of '%s' names a %s, '%s', as what it was trained on",
                        c->path, lineage_kind(n), n->path);
    }
    return ST_OK;
}

/* A checkpoint's own stores. */
static enum status list_checkpoint(const struct lineage *l, const struct lineage_node *c, bool json)
{
    size_t count, *stores = lineage_stores_of(l, c, &count);
    struct lineage_reading reading = { 0 };
    enum status st = check_stores(l, c, stores, count);
    bool known;

    if (st == ST_OK) {
        known = lineage_reading_open(l, c, &reading) == ST_OK;
        if (!known)
            log_warn("%s", fail_message());
        for (size_t i = 0; st == ST_OK && i < count; i++)
            st = list_store(&l->nodes[stores[i]], c, known ? &reading : NULL, json);
        lineage_reading_close(&reading);
    }
    free(stores);
    return st;
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
        return list_store(&l->nodes[0], NULL, NULL, json);
    met = mem_array(l->count + 1, sizeof *met);
    queue = mem_array(l->count + 1, sizeof *queue);
    met[0] = true;
    st = list_weights(l, met, queue, json);
    free(met);
    free(queue);
    return st;
}
