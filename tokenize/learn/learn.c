#include "tokenize/learn/learn.h"

#include <inttypes.h>
#include <malloc.h>

#include "base/bench.h"
#include "base/progress.h"
#include "tokenize/learn/spill_file.h"

#define LEAST ((uint64_t)6 << 20)            /* beside what the process has already */
#define LEAST_A_THREAD ((uint64_t)1 << 20)
#define BYTES_A_TOKEN ((uint64_t)1400)      /* to write the tokenizer, and to read it again */
#define MARGIN ((uint64_t)3 << 20)           /* stacks, the pattern's matcher, what malloc keeps */

struct shares {
    uint64_t text, tables;
};

/* Large blocks go back to the system as soon as they are freed, or the bound would not hold. */
static void return_memory_at_once(void)
{
    mallopt(M_MMAP_THRESHOLD, 2 << 20);
    mallopt(M_TRIM_THRESHOLD, 4 << 20);
}

static enum status share_memory(const struct learn_args *a, struct shares *out)
{
    uint64_t now = resident_bytes(), threads = (uint64_t)pool_threads(a->pool);
    uint64_t least = LEAST + threads * LEAST_A_THREAD, end = a->train.vocab * BYTES_A_TOKEN, rest;
    char want[32], seen[32];

    least = now + (least > end ? least : end);
    if (a->train.memory < least)
        return fail(ST_CONFIG,
                    "memory is %s; for %u tokens with %" PRIu64 " thread%s training wants at least %s",
                    str_bytes(a->train.memory, seen), a->train.vocab, threads,
                    threads == 1 ? "" : "s", str_bytes(least, want));
    rest = a->train.memory - now - MARGIN;
    *out = (struct shares){ .text = rest / 6, .tables = rest / 2 };
    return ST_OK;
}

static enum status add_totals(struct train_text_totals *t, struct comm *comm)
{
    int64_t mine[2] = { (int64_t)t->pieces, (int64_t)t->other_bytes };

    TRY(comm_all_reduce(comm, &(struct comm_buffer){ .p = mine, .count = 2, .type = COMM_I64 },
                        COMM_SUM));
    t->pieces = (uint64_t)mine[0];
    t->other_bytes = (uint64_t)mine[1];
    return ST_OK;
}

static enum status count(const struct learn_args *a, struct bpe_counter *c, uint64_t text,
                         struct learnt *out)
{
    struct train_text_args args = { .pool = a->pool,
                                    .corpus = a->corpus,
                                    .pretok = a->pretok,
                                    .counter = c,
                                    .comm = a->comm,
                                    .nfc = a->nfc,
                                    .memory = text };
    enum status st;

    progress_start("counting pieces", "bytes", corpus_text_total(a->corpus));
    st = train_text_count(&args, &out->totals);
    progress_end();
    TRY(st);
    TRY(add_totals(&out->totals, a->comm));
    TRY(bpe_counter_gather(c, a->comm));
    if (out->totals.bytes == 0)
        return fail(ST_FORMAT, "there is no text to train on (%" PRIu64 " documents)",
                    out->totals.documents);
    return ST_OK;
}

static enum status count_and_fill(const struct learn_args *a, struct bpe_trainer *t,
                                  struct learnt *out)
{
    struct shares share = { 0 };
    struct bpe_counter *c;
    struct bpe_words words;
    double start = bench_now();
    enum status st;

    TRY(share_memory(a, &share));
    c = bpe_counter_new(&(struct bpe_counter_args){
        .workers = pool_threads(a->pool), .memory = share.tables, .folder = a->train.folder });
    st = count(a, c, share.text, out);
    out->seconds.count = bench_now() - start;
    start = bench_now();
    if (st == ST_OK && comm_rank(a->comm) == 0)
        st = bpe_counter_finish(c, &words);
    if (st == ST_OK && comm_rank(a->comm) == 0)
        st = bpe_trainer_fill(t, &words);
    out->runs = bpe_counter_runs(c);
    bpe_counter_free(c);
    out->seconds.fill = bench_now() - start;
    return st;
}

static enum status merge(const struct learn_args *a, struct bpe_trainer *t, struct learnt *out)
{
    double start = bench_now();
    enum status st;

    progress_start("merging pairs", "tokens", bpe_trainer_wanted(t));
    st = bpe_trainer_run(t, &out->trained);
    progress_end();
    out->seconds.merge = bench_now() - start;
    return st;
}

enum status learn(const struct learn_args *args, struct learnt *out)
{
    struct bpe_trainer *t = bpe_trainer_new(&args->train);
    enum status st;

    *out = (struct learnt){ 0 };
    return_memory_at_once();
    st = count_and_fill(args, t, out);
    if (st == ST_OK && comm_rank(args->comm) == 0)
        st = merge(args, t, out);
    bpe_trainer_free(t);
    return st;
}

void learnt_release(struct learnt *l)
{
    bpe_trained_release(&l->trained);
}
