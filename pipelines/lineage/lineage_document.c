/* From a document's id to every artifact that holds it or was made with it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipelines/lineage/lineage_documents.h"
#include "base/file.h"
#include "base/log.h"
#include "base/output.h"
#include "base/progress.h"
#include "base/stop.h"
#include "pipelines/lineage/document_search.h"
#include "pipelines/lineage/lineage_index.h"
#include "pipelines/lineage/lineage_print.h"
#include "pipelines/lineage/lineage_reading.h"
#include "store/tokens/store_history.h"
#include "store/tokens/token_format.h"

/* How near a document came to an artifact, in rising order:
 *    name    in JSON */
#define TOUCH_LIST(X)    \
    X(NONE, "nothing")   \
    X(QUOTES, "quotes")  /* a part of its text, or its id, stands there */            \
    X(LINKED, "linked")  /* made from what holds it, without a trace that is known */ \
    X(TAUGHT, "taught")  /* weights or a vocabulary were learned from it */           \
    X(HOLDS, "holds")    /* its text or its tokens */

enum touch {
#define X(name, text) TOUCH_##name,
    TOUCH_LIST(X)
#undef X
};
static const char *const touch_names[] = {
#define X(name, text) [TOUCH_##name] = text,
    TOUCH_LIST(X)
#undef X
};

struct trace {
    enum touch touch;
    struct buf words;            /* what is known of it, for people */
    json_t *facts;               /* the same for programs; NULL: none */
    struct store_places places;  /* of a token store */
};
struct tracing {
    struct lineage *l;
    const char *id;
    struct trace *traces;        /* one a node */
    struct id_hints hints;
    size_t unread;               /* holders that could not be read */
};

static void say(struct trace *t, enum touch touch, json_t *facts, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
static void say(struct trace *t, enum touch touch, json_t *facts, const char *fmt, ...)
{
    char text[1024];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (t->words.n > 0)
        buf_adds(&t->words, "; ");
    log_add_plain(&t->words, text);
    t->touch = touch > t->touch ? touch : t->touch;
    if (facts && t->facts) {
        json_object_update(t->facts, facts);
        json_decref(facts);
    } else if (facts) {
        t->facts = facts;
    }
}

/* ---- kinds ---- */

/* How near the nearest input came. A quotation ends where it stands: what is made from a corpus
 * that dropped the document has nothing of it. */
static enum touch touch_of_inputs(const struct tracing *w, const struct lineage_node *n,
                                  bool weights)
{
    enum touch most = TOUCH_NONE;

    for (size_t i = 0; i < n->count; i++) {
        const struct lineage_node *input = &w->l->nodes[n->inputs[i].node];
        enum touch touch = w->traces[n->inputs[i].node].touch;

        if ((!weights || lineage_is_weights(input)) && touch > most && touch >= TOUCH_LINKED)
            most = touch;
    }
    return most;
}

static enum status unreadable(struct tracing *w, const struct lineage_node *n, enum status st)
{
    if (st == ST_INTERRUPTED)
        return st;
    log_warn("'%s' cannot be looked through: %s", n->path, fail_message());
    w->unread++;
    return ST_OK;
}

static enum status trace_corpus(struct tracing *w, const struct lineage_node *n, struct trace *t)
{
    struct corpus_place p;
    json_t *dropped;
    enum status st = corpus_search(n->path, w->id, w->l->args.pool, &p, &w->hints);

    if (st != ST_OK)
        return unreadable(w, n, st);
    if (p.documents > 0) {
        char more[64] = "";

        if (p.documents > 1)
            snprintf(more, sizeof more, ", the first of %llu documents of this id",
                     (unsigned long long)p.documents);
        say(t, TOUCH_HOLDS,
            json_pack("{s:o, s:I, s:I, s:o, s:I}", "shard", json_text_of(p.shard), "line",
                      (json_int_t)p.line, "text_bytes", (json_int_t)p.text_bytes, "source",
                      p.source ? json_text_of(p.source) : json_null(), "documents",
                      (json_int_t)p.documents),
            "holds it: %s, line %llu, %llu bytes of text%s", p.shard, (unsigned long long)p.line,
            (unsigned long long)p.text_bytes, more);
        corpus_place_free(&p);
        return ST_OK;
    }
    dropped = dropped_search(n->path, w->id);
    if (dropped != NULL) {
        const json_t *reason = json_object_get(dropped, "reason"),
                     *step = json_object_get(dropped, "step");

        say(t, TOUCH_QUOTES, json_pack("{s:o}", "dropped", dropped),
            "dropped it in the step %s: %s; its report shows how it begins",
            json_is_string(step) ? json_string_value(step) : "?",
            json_is_string(reason) ? json_string_value(reason) : "?");
    }
    return ST_OK;
}

/* What one change removed of it. */
struct buried {
    struct trace *trace;
    struct store_tombstone first;
    uint64_t documents, tokens;
};

static void tell_buried(struct buried *b)
{
    const struct store_tombstone *t = &b->first;
    char more[96] = "";

    if (b->documents > 1)
        snprintf(more, sizeof more, ", the first of %llu documents with %llu tokens",
                 (unsigned long long)b->documents, (unsigned long long)b->tokens);
    if (b->documents > 0)
        say(b->trace, TOUCH_QUOTES,
            json_pack("{s:s, s:I, s:I, s:I, s:I}", "removed_from", token_part_names[t->part],
                      "document", (json_int_t)t->document, "tokens", (json_int_t)b->tokens,
                      "documents", (json_int_t)b->documents, "change", (json_int_t)t->change + 1),
            "held it until it was removed (change %zu): %s, document %llu, %llu tokens, in %s%s",
            t->change + 1, token_part_names[t->part], (unsigned long long)t->document,
            (unsigned long long)t->tokens, t->shard, more);
    b->documents = b->tokens = 0;
}

static enum status bury(void *ctx, const struct store_tombstone *t)
{
    struct buried *b = ctx;

    if (b->documents > 0 && t->change != b->first.change)
        tell_buried(b);
    if (b->documents++ == 0)
        b->first = *t;
    b->tokens += t->tokens;
    return ST_OK;
}

/* What was removed from the store as it is now; a store as it was has it among its places. */
static enum status trace_removed(struct tracing *w, const struct lineage_node *n, struct trace *t)
{
    struct buried b = { .trace = t };
    json_t *history;
    enum status st;

    if (n->changed)
        return ST_OK;
    TRY(store_history_read(n->path, n->manifest, &history));
    st = store_history_find(history, span_of(w->id), bury, &b);
    tell_buried(&b);
    json_decref(history);
    return st;
}

static json_t *places_json(const struct store_places *p)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->count; i++) {
        const struct store_place *one = &p->v[i];

        json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:I, s:b}", "part",
                                              token_part_names[one->part], "document",
                                              (json_int_t)one->index, "first",
                                              (json_int_t)one->first, "tokens",
                                              (json_int_t)one->count, "removed", one->removed));
    }
    return list;
}

static void say_places(struct trace *t)
{
    const struct store_places *p = &t->places;
    bool gone = p->removed == p->count;
    char more[96] = "", some[64] = "";

    if (p->removed > 0 && !gone)
        snprintf(some, sizeof some, ", %zu of which were removed", p->removed);
    if (p->count > 1)
        snprintf(more, sizeof more, ", the first of %zu documents with %llu tokens", p->count,
                 (unsigned long long)p->tokens);
    say(t, gone ? TOUCH_LINKED : TOUCH_HOLDS,
        json_pack("{s:s, s:I, s:I, s:I, s:b, s:o}", "part", token_part_names[p->v->part],
                  "document", (json_int_t)p->v->index, "first", (json_int_t)p->v->first, "tokens",
                  (json_int_t)p->v->count, "removed", p->v->removed, "documents", places_json(p)),
        "%s: %s, document %llu, %llu tokens from token %llu on%s%s",
        gone ? "held it, before it was removed" : "holds it", token_part_names[p->v->part],
        (unsigned long long)p->v->index, (unsigned long long)p->v->count,
        (unsigned long long)p->v->first, more, some);
}

static enum status trace_store(struct tracing *w, const struct lineage_node *n, struct trace *t)
{
    struct token_store *s;
    enum status st = lineage_store(n, &s);

    if (st != ST_OK)
        return unreadable(w, n, st);
    st = store_search(s, w->id, &t->places, &w->hints);
    if (st == ST_OK && t->places.count > 0)
        say_places(t);
    if (st == ST_OK)
        st = trace_removed(w, n, t);
    token_store_close(s);
    return st == ST_OK ? ST_OK : unreadable(w, n, st);
}

/* What training has read of it, of all the stores that have it in their training part. */
struct seen {
    uint64_t read, of;
    size_t documents;            /* of training parts */
    size_t held_out;             /* of validation parts */
};

static enum status count_seen(struct tracing *w, const struct lineage_node *n,
                              const size_t *stores, size_t count, struct seen *out)
{
    struct lineage_reading reading;
    enum status st = lineage_reading_open(w->l, n, &reading);

    for (size_t i = 0; st == ST_OK && i < count; i++) {
        const struct store_places *p = &w->traces[stores[i]].places;

        for (size_t k = 0; st == ST_OK && k < p->count; k++) {
            uint64_t read = 0;

            if (p->v[k].part == TOKENS_TRAIN)
                st = lineage_reading_seen(&reading, w->l->nodes[stores[i]].digest, p->v[k].index,
                                          &read);
            out->read += read;
        }
    }
    lineage_reading_close(&reading);
    return st;
}

static void say_seen(struct trace *t, const struct seen *s)
{
    char more[64] = "";

    if (s->documents > 1)
        snprintf(more, sizeof more, ", in %zu documents", s->documents);
    say(t, s->read > 0 ? TOUCH_TAUGHT : TOUCH_LINKED,
        json_pack("{s:I, s:I}", "read", (json_int_t)s->read, "of", (json_int_t)s->of),
        s->read > 0 ? "was trained on it: it read %llu of its %llu tokens%s"
                    : "has it in its training part, but read %llu of its %llu tokens%s",
        (unsigned long long)s->read, (unsigned long long)s->of, more);
    if (s->held_out > 0)
        say(t, TOUCH_LINKED, NULL, "%zu more of it held out for validation", s->held_out);
}

static void trace_checkpoint(struct tracing *w, const struct lineage_node *n, struct trace *t)
{
    size_t count, *stores = lineage_stores_of(w->l, n, &count);
    struct seen s = { 0 };

    for (size_t i = 0; i < count; i++) {
        const struct store_places *p = &w->traces[stores[i]].places;

        for (size_t k = 0; k < p->count; k++)
            if (p->v[k].part == TOKENS_TRAIN) {
                s.documents++;
                s.of += p->v[k].count;
            } else {
                s.held_out++;
            }
    }
    if (s.held_out && s.documents == 0)
        say(t, TOUCH_LINKED, NULL, "did not learn from it: it was held out for validation");
    else if (s.documents > 0 && count_seen(w, n, stores, count, &s) == ST_OK)
        say_seen(t, &s);
    else if (s.documents > 0)
        say(t, TOUCH_TAUGHT, NULL,
            "has it in its training part; whether it read it is not known (%s)", fail_message());
    if (touch_of_inputs(w, n, true) == TOUCH_TAUGHT)
        say(t, TOUCH_TAUGHT, NULL, "began with weights that were trained on it");
    free(stores);
}

static void trace_report(struct tracing *w, const struct lineage_node *n, struct trace *t)
{
    if (lines_search(n->path, "documents.jsonl", w->id))
        say(t, TOUCH_QUOTES, NULL, "has its id and its score");
    if (lines_search(n->path, "samples.jsonl", w->id))
        say(t, TOUCH_QUOTES, NULL, "quotes its text");
    if (touch_of_inputs(w, n, true) == TOUCH_TAUGHT)
        say(t, TOUCH_LINKED, NULL, "scored weights that were trained on it");
}

/* What holds for any artifact: it was made from those. */
static void trace_inputs(struct tracing *w, const struct lineage_node *n, struct trace *t)
{
    enum touch from = touch_of_inputs(w, n, false);

    if (t->touch >= TOUCH_LINKED || from == TOUCH_NONE)
        return;
    if (strcmp(lineage_kind(n), "tokenizer") == 0 && from == TOUCH_HOLDS)
        say(t, TOUCH_TAUGHT, NULL, "learned its vocabulary from text with it");
    else if (lineage_is_weights(n) && touch_of_inputs(w, n, true) == TOUCH_TAUGHT)
        say(t, TOUCH_TAUGHT, NULL, "has weights that were trained on it");
    else
        say(t, TOUCH_LINKED, NULL, "was made with artifacts of this list");
}

/* Read as documents by a stage that makes tokens or a vocabulary, though no stage made it. */
static bool is_raw_corpus(const struct lineage *l, size_t at)
{
    for (size_t i = 0; i < l->count; i++)
        for (size_t k = 0; k < l->nodes[i].count; k++)
            if (l->nodes[i].inputs[k].node == at &&
                strcmp(l->nodes[i].inputs[k].option, "corpus") == 0)
                return true;
    return false;
}

static enum status trace_node(struct tracing *w, size_t at)
{
    const struct lineage_node *n = &w->l->nodes[at];
    struct trace *t = &w->traces[at];
    const char *kind = lineage_kind(n);

    if (n->state == LINEAGE_MISSING)
        return ST_OK;
    if (n->state == LINEAGE_OUTSIDE)
        return is_raw_corpus(w->l, at) ? trace_corpus(w, n, t) : ST_OK;
    if (strcmp(kind, "corpus") == 0)
        TRY(trace_corpus(w, n, t));
    else if (strcmp(kind, "token-store") == 0)
        TRY(trace_store(w, n, t));
    else if (strcmp(kind, "checkpoint") == 0)
        trace_checkpoint(w, n, t);
    else if (strcmp(kind, "report") == 0)
        trace_report(w, n, t);
    trace_inputs(w, n, t);
    return stop_requested() ? fail(ST_INTERRUPTED, "stopped") : ST_OK;
}

/* ---- sources ---- */

/* An input's name begins the ids of the documents that were read there, and stands as their
 * source. */
static bool came_from(const struct tracing *w, const struct trace *corpus, const char *said)
{
    const char *name = said ? path_base(said) : "", *source;
    size_t n = strlen(name);

    source = json_string_value(json_object_get(corpus->facts, "source"));
    if (n > 0 && source && strcmp(source, name) == 0)
        return true;
    return n > 0 && strncmp(w->id, name, n) == 0 && (w->id[n] == 0 || strchr("/!#", w->id[n]));
}

/* "documents/a.zip!b.txt" in /data/documents is /data/documents/a.zip. */
static void trace_source(struct tracing *w, const struct lineage_input *input)
{
    const struct lineage_node *n = &w->l->nodes[input->node];
    const char *name = path_base(input->said), *path = n->path ? n->path : input->said;
    const char *came = n->state == LINEAGE_OUTSIDE ? "came from" : "is said to have come from";
    size_t length = strlen(name);
    struct trace *t = &w->traces[input->node];

    if (t->touch == TOUCH_NONE && strncmp(w->id, name, length) == 0)
        say(t, TOUCH_HOLDS, NULL, "%s: %s%.*s", came, path, (int)strcspn(w->id + length, "!#"),
            w->id + length);
    else if (t->touch == TOUCH_NONE)
        say(t, TOUCH_HOLDS, NULL, "%s: %s%s", came, file_is_folder(path) ? "somewhere in " : "",
            path);
}

static void trace_sources(struct tracing *w)
{
    for (size_t i = 0; i < w->l->count; i++) {
        const struct lineage_node *n = &w->l->nodes[i];

        if (w->traces[i].touch < TOUCH_QUOTES || strcmp(lineage_kind(n), "corpus") != 0)
            continue;
        for (size_t k = 0; k < n->count; k++)
            if (w->l->nodes[n->inputs[k].node].state != LINEAGE_FOUND &&
                came_from(w, &w->traces[i], n->inputs[k].said))
                trace_source(w, &n->inputs[k]);
    }
}

/* ---- telling ---- */

static const char *path_of(const struct lineage_node *n)
{
    return n->path ? n->path : n->said ? n->said : "?";
}

static const char *kind_of(const struct lineage_node *n)
{
    return n->state == LINEAGE_FOUND     ? lineage_kind(n)
           : n->state == LINEAGE_OUTSIDE ? "source"
                                         : "missing";
}

static size_t count_missing(const struct lineage *l)
{
    size_t n = 0;

    for (size_t i = 0; i < l->count; i++)
        n += l->nodes[i].state == LINEAGE_MISSING;
    return n;
}

/* Other places with the same artifact. */
static json_t *copies_of(const struct tracing *w, const struct lineage_node *n)
{
    json_t *copies = json_array();
    char *own = n->state == LINEAGE_FOUND ? realpath(n->path, NULL) : NULL;
    size_t first, count = own ? lineage_index_find(w->l->index, n->digest, &first) : 0;

    for (size_t i = 0; i < count; i++) {
        char *other = realpath(lineage_index_path(w->l->index, first + i), NULL);

        if (other && strcmp(other, own) != 0)
            json_array_append_new(copies, json_text_of(other));
        free(other);
    }
    free(own);
    return copies;
}

static void add_copies(struct buf *out, const struct tracing *w, const struct lineage_node *n)
{
    json_t *copies = copies_of(w, n), *copy;
    size_t i;

    json_array_foreach(copies, i, copy) {
        buf_adds(out, "    also at ");
        log_add_plain(out, json_string_value(copy));
        buf_addc(out, '\n');
    }
    json_decref(copies);
}

static enum status tell(const struct tracing *w, const size_t *order)
{
    struct buf out = { 0 };
    size_t missing = count_missing(w->l);
    enum status st;

    for (size_t i = 0; i < w->l->count; i++) {
        const struct lineage_node *n = &w->l->nodes[order[i]];
        const struct trace *t = &w->traces[order[i]];

        if (t->touch == TOUCH_NONE)
            continue;
        log_add_plain(&out, kind_of(n));
        buf_printf(&out, " %.12s  ", n->digest);
        log_add_plain(&out, path_of(n));
        buf_printf(&out, "\n    %s\n", t->words.p);
        add_copies(&out, w, n);
    }
    if (missing + w->unread > 0)
        buf_printf(&out, "\nof the chain, not found: %zu, not readable: %zu; there may be more\n",
                   missing, w->unread);
    st = output_text(&out);
    buf_release(&out);
    return st;
}

static enum status tell_json(const struct tracing *w, const size_t *order)
{
    json_t *places = json_array(), *all;
    struct buf out = { 0 };
    enum status st;

    for (size_t i = 0; i < w->l->count; i++) {
        const struct lineage_node *n = &w->l->nodes[order[i]];
        const struct trace *t = &w->traces[order[i]];
        json_t *place;

        if (t->touch == TOUCH_NONE)
            continue;
        place = json_pack("{s:s, s:s, s:o, s:s, s:o}", "kind", kind_of(n), "digest", n->digest,
                          "path", json_text_of(path_of(n)), "touch", touch_names[t->touch],
                          "words", json_text_of(t->words.p));
        json_object_set_new(place, "copies", copies_of(w, n));
        if (t->facts)
            json_object_update_missing(place, t->facts);
        json_array_append_new(places, place);
    }
    all = json_pack("{s:i, s:o, s:o, s:I, s:I}", "lineage", 1, "document", json_text_of(w->id),
                    "places", places, "missing", (json_int_t)count_missing(w->l), "unread",
                    (json_int_t)w->unread);
    json_canonical(&out, all);
    buf_addc(&out, '\n');
    st = output_text(&out);
    buf_release(&out);
    json_decref(all);
    return st;
}

static enum status nowhere(const struct tracing *w)
{
    struct buf near = { 0 };
    size_t missing = count_missing(w->l);
    enum status st;

    id_hints_say(&w->hints, &near);
    st = fail(ST_FAILED,
              "no corpus or token store of this lineage has a document '%.200s' (of what curation "
              "drops, a corpus keeps a few samples alone)%s%s",
              w->id, missing + w->unread > 0 ? "; some of its artifacts could not be looked through"
                                             : "",
              near.p ? near.p : "");
    buf_release(&near);
    return st;
}

static bool is_anywhere(const struct tracing *w)
{
    for (size_t i = 0; i < w->l->count; i++)
        if (w->traces[i].touch != TOUCH_NONE)
            return true;
    return false;
}

enum status lineage_document(struct lineage *l, const char *id, bool json)
{
    struct tracing w = { .l = l, .id = id };
    size_t *order;
    enum status st = lineage_extend(l);

    TRY(st);
    w.traces = mem_array(l->count + 1, sizeof *w.traces);
    order = lineage_order(l);
    progress_start("look for it in", "artifacts", l->count);
    for (size_t i = 0; st == ST_OK && i < l->count; i++) {
        st = trace_node(&w, order[i]);
        progress_add(1);
    }
    progress_end();
    if (st == ST_OK) {
        trace_sources(&w);
        st = !is_anywhere(&w) ? nowhere(&w) : json ? tell_json(&w, order) : tell(&w, order);
    }
    for (size_t i = 0; i < l->count; i++) {
        buf_release(&w.traces[i].words);
        json_decref(w.traces[i].facts);
        store_places_free(&w.traces[i].places);
    }
    free(w.traces);
    free(order);
    id_hints_free(&w.hints);
    return st;
}
