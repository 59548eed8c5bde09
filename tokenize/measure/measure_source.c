#include "tokenize/measure/measure_source.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/progress.h"
#include "base/stop.h"

#define PART_BYTES ((size_t)64 << 10)
#define BUCKET_BITS 16
#define BUCKETS ((size_t)1 << BUCKET_BITS)

struct measure_source {
    struct measure_source_args args;
    struct corpus_text *corpus;
    struct document document;        /* being cut */
    size_t done;                     /* bytes of it handed out */
    bool open;                       /* is there a document? */
    uint32_t limit;                  /* texts of lower buckets are in the sample */
    struct measure_source_totals totals;
};

static uint32_t bucket_of(const struct measure_source *s, struct span text)
{
    return (uint32_t)(xxh3_seed(text.p, text.n, s->args.seed) >> (64 - BUCKET_BITS));
}

/* Where a part that may hold so many bytes ends: behind its last line feed, else before a
 * character. */
static size_t part_end(struct span text)
{
    const char *line;
    size_t n = PART_BYTES;

    if (text.n <= PART_BYTES + PART_BYTES / 2)
        return text.n;
    line = memrchr(text.p, '\n', n);
    if (line != NULL)
        return (size_t)(line - text.p) + 1;
    for (int i = 0; i < 3 && ((unsigned char)text.p[n] & 0xC0) == 0x80; i++)
        n--;
    return n;
}

static enum status next_document(struct measure_source *s, bool *got)
{
    s->done = 0;
    TRY(corpus_text_next(s->corpus, &s->document, &s->open));
    *got = s->open;
    return ST_OK;
}

/* The next document, or part of one. */
static enum status next_text(struct measure_source *s, bool cut, struct document *d, bool *got)
{
    struct span rest;

    if (stop_requested())
        return fail(ST_INTERRUPTED, "interrupted; run the same command to begin again");
    *got = true;
    if (!s->open || s->done >= s->document.text.n)
        TRY(next_document(s, got));
    if (!*got)
        return ST_OK;
    *d = s->document;
    rest = (struct span){ d->text.p + s->done, d->text.n - s->done };
    d->text = (struct span){ rest.p, cut ? part_end(rest) : rest.n };
    s->done += d->text.n;
    return ST_OK;
}

/* How many bytes have which hash. */
static enum status survey(struct measure_source *s, uint64_t bytes[BUCKETS])
{
    struct document d = { 0 };
    bool got = true;

    while (got) {
        TRY(next_text(s, true, &d, &got));
        if (!got)
            break;
        bytes[bucket_of(s, d.text)] += d.text.n;
        s->totals.texts++;
        s->totals.bytes += d.text.n;
        progress_add(d.text.n);
    }
    return ST_OK;
}

static uint32_t limit_of(const uint64_t bytes[BUCKETS], uint64_t most)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < BUCKETS; i++) {
        if (sum + bytes[i] > most && sum > 0)
            return i;
        sum += bytes[i];
    }
    return BUCKETS;
}

static enum status choose(struct measure_source *s)
{
    uint64_t *bytes = mem_array(BUCKETS, sizeof *bytes);
    bool mine = !progress_running();
    enum status st;

    if (mine)
        progress_start("choosing a sample", "bytes", corpus_text_total(s->corpus));
    st = survey(s, bytes);
    if (mine)
        progress_end();
    s->totals.sampled = s->totals.bytes > s->args.most;
    if (s->totals.sampled)
        s->limit = limit_of(bytes, s->args.most);
    else
        s->totals.texts = s->totals.bytes = 0;
    free(bytes);
    corpus_text_close(s->corpus);
    s->corpus = NULL;
    s->open = false;
    TRY(st);
    return corpus_text_open(s->args.corpus, &s->corpus);
}

enum status measure_source_open(const struct measure_source_args *args, struct measure_source **out)
{
    struct measure_source *s = mem_alloc(sizeof *s);
    enum status st;

    s->args = *args;
    st = corpus_text_open(args->corpus, &s->corpus);
    if (st == ST_OK && args->most > 0)
        st = choose(s);
    if (st == ST_OK)
        *out = s;
    else
        measure_source_close(s);
    return st;
}

enum status measure_source_next(struct measure_source *s, struct document *d, bool *got)
{
    do {
        TRY(next_text(s, s->totals.sampled, d, got));
    } while (*got && s->totals.sampled && bucket_of(s, d->text) >= s->limit);
    if (*got && !s->totals.sampled) {
        s->totals.texts++;
        s->totals.bytes += d->text.n;
    }
    return ST_OK;
}

void measure_source_close(struct measure_source *s)
{
    if (s == NULL)
        return;
    corpus_text_close(s->corpus);
    free(s);
}

struct measure_source_totals measure_source_totals(const struct measure_source *s)
{
    return s->totals;
}
