#include "store/change/store_scan.h"

#include <stdlib.h>

#include "base/progress.h"
#include "base/stop.h"
#include "store/tokens/token_match.h"

#define DOCUMENTS_A_PIECE 16384u
#define TOKENS_A_PIECE    ((uint64_t)1 << 21)

struct piece {
    enum token_part part;
    uint64_t from, to;         /* documents, or tokens */
    struct token_places found; /* numbers of documents, or tokens of the stream */
};
struct scanning {
    const struct store_scan *s;
    uint64_t a_piece;
    int part; /* of the next piece */
    uint64_t next;
    bool enough;
    struct token_match *match; /* NULL: documents are searched */
};

static uint64_t size_of(const struct scanning *w, enum token_part part)
{
    return w->match ? token_store_tokens(w->s->store, part)
                    : token_store_documents(w->s->store, part);
}

static enum status produce(void *ctx, void **item)
{
    struct scanning *w = ctx;
    int last = w->s->part < 0 ? TOKENS_PARTS - 1 : w->s->part;

    if (stop_requested())
        return fail(ST_INTERRUPTED, "stopped");
    while (w->part <= last && w->next >= size_of(w, (enum token_part)w->part)) {
        w->part++;
        w->next = 0;
    }
    if (w->part <= last && !__atomic_load_n(&w->enough, __ATOMIC_RELAXED)) {
        uint64_t size = size_of(w, (enum token_part)w->part), left = size - w->next;
        struct piece *p = mem_alloc(sizeof *p);

        *p = (struct piece){ .part = (enum token_part)w->part,
                             .from = w->next,
                             .to = w->next + (left < w->a_piece ? left : w->a_piece) };
        w->next = p->to;
        *item = p;
    }
    return ST_OK;
}

static enum status look_through(const struct scanning *w, struct piece *p)
{
    for (uint64_t i = p->from; i < p->to; i++) {
        struct token_range d;

        TRY(token_store_document(w->s->store, p->part, i, &d));
        if (w->s->wants == NULL || w->s->wants(w->s->ctx, &d))
            token_places_add(&p->found, i);
    }
    return ST_OK;
}

/* Places that begin in the piece; they may end in the next one. */
static enum status match_tokens(const struct scanning *w, struct piece *p)
{
    for (uint64_t at = p->from; at < p->to;) {
        const void *tokens;
        uint64_t n;

        TRY(token_store_slice(w->s->store, p->part, at, &tokens, &n));
        n = n < p->to - at ? n : p->to - at;
        token_match_find(w->match, tokens, n, at, &p->found);
        at += n;
    }
    return ST_OK;
}

static enum status work(void *ctx, void *item, int worker)
{
    struct scanning *w = ctx;
    struct piece *p = item;

    return w->match ? match_tokens(w, p) : look_through(w, p);
}

/* The document with token t of the part, which is in one (the last that begins at or before it:
 * empty ones, which begin there too, stand before it). */
static uint64_t document_of(const struct store_scan *s, enum token_part part, uint64_t t)
{
    uint64_t low = 0, high = token_store_documents(s->store, part);

    while (high - low > 1) {
        uint64_t mid = low + (high - low) / 2;

        if (token_store_first(s->store, part, mid) <= t)
            low = mid;
        else
            high = mid;
    }
    return low;
}

/* Are the tokens from t on those that are sought? Block borders do not matter here. */
static enum status compare(const struct scanning *w, enum token_part part, uint64_t t, bool *same)
{
    size_t n = token_match_count(w->match);
    const uint32_t *want = token_match_tokens(w->match);
    int32_t seen[256];

    for (size_t done = 0, some; done < n; done += some) {
        some = n - done < 256 ? n - done : 256;
        TRY(token_store_read(w->s->store, part, t + done, some, seen));
        for (size_t i = 0; i < some; i++)
            if ((uint32_t)seen[i] != want[done + i]) {
                *same = false;
                return ST_OK;
            }
    }
    *same = true;
    return ST_OK;
}

static enum status tell_place(struct scanning *w, const struct piece *p, uint64_t place)
{
    struct store_find f = { .part = p->part, .index = place };

    if (w->match) {
        uint64_t length;
        bool same;

        f.index = document_of(w->s, p->part, place);
        f.offset = place - token_store_first(w->s->store, p->part, f.index);
        length = token_store_length(w->s->store, p->part, f.index);
        if (f.offset > length || length - f.offset < token_match_count(w->match))
            return ST_OK; /* goes over the document's end */
        TRY(compare(w, p->part, place, &same));
        if (!same)
            return ST_OK;
    }
    TRY(token_store_document(w->s->store, p->part, f.index, &f.document));
    if (w->match && w->s->wants && !w->s->wants(w->s->ctx, &f.document))
        return ST_OK;
    return w->s->tell(w->s->ctx, &f, &w->enough);
}

static void discard(void *ctx, void *item)
{
    struct piece *p = item;

    token_places_release(&p->found);
    free(p);
}

static enum status consume(void *ctx, void *item)
{
    struct scanning *w = ctx;
    struct piece *p = item;
    enum status st = ST_OK;

    for (size_t i = 0; st == ST_OK && i < p->found.count && !w->enough; i++)
        st = tell_place(w, p, p->found.v[i]);
    progress_add(p->to - p->from);
    discard(ctx, p);
    return st;
}

static enum status scan(struct scanning *w)
{
    const struct pool_stream stream = {
        .produce = produce, .work = work, .consume = consume, .discard = discard, .ctx = w
    };
    uint64_t total = 0;
    enum status st;

    for (int p = 0; p < TOKENS_PARTS; p++)
        total += w->s->part < 0 || w->s->part == p ? size_of(w, (enum token_part)p) : 0;
    w->part = w->s->part < 0 ? 0 : w->s->part;
    progress_start("searching", w->match ? "tokens" : "docs", total);
    st = pool_ordered(w->s->pool, &stream);
    progress_end();
    return st;
}

enum status store_scan_documents(const struct store_scan *s)
{
    struct scanning w = { .s = s, .a_piece = DOCUMENTS_A_PIECE };

    return scan(&w);
}

enum status store_scan_tokens(const struct store_scan *s, const uint32_t *tokens, size_t n)
{
    struct scanning w = { .s = s, .a_piece = TOKENS_A_PIECE };
    enum status st = ST_OK;

    BUG_IF(n == 0 || n > TOKEN_MATCH_MOST);
    for (size_t i = 0; i < n; i++)
        if (tokens[i] >= token_store_vocab(s->store))
            return fail(ST_CONFIG, "the token %u, but the store's vocabulary ends at %u", tokens[i],
                        token_store_vocab(s->store) - 1);
    w.match = token_match_new(tokens, n, token_store_width(s->store));
    st = scan(&w);
    token_match_free(w.match);
    return st;
}
