#include "store/blend_cmd.h"

#include <stdio.h>

#include "base/file.h"
#include "base/log.h"
#include "store/artifact/artifact.h"
#include "store/sampling/blend.h"

struct blend_options {
    struct opt_list store, weight, epochs;
    const char *out;
};
#define S struct blend_options
static const struct opt options[] = {
    OPT_INPUTS(S, store, "store", "the token stores, 1 to 256",
               .flags = OPT_REQUIRED | OPT_POSITIONAL, .reads = "token-store"),
    OPT_LIST(
        S, weight, "weight",
        "share of the rows, one a store in their order, in proportion to each other; absent: the "
        "stores' numbers of tokens"),
    OPT_LIST(
        S, epochs, "epochs",
        "how often a store may be read at most, one a store in their order, or one for all; 0 or "
        "absent: without end"),
    OPT_OUTPUT(S, out, "out", "folder of the blend", .flags = OPT_REQUIRED),
    OPT_END
};
#undef S

static enum status parse_real(const char *option, const char *text, double *out)
{
    char *end;

    *out = strtod(text, &end);
    if (end == text || *end != 0)
        return fail(ST_CONFIG, "--%s '%s', want a number", option, text);
    return ST_OK;
}

static enum status fill_numbers(const struct blend_options *o, struct blend_record *r)
{
    if (o->weight.count != 0 && o->weight.count != r->count)
        return fail(ST_CONFIG, "%zu weights for %zu stores; give one a store, in their order",
                    o->weight.count, r->count);
    if (o->epochs.count > 1 && o->epochs.count != r->count)
        return fail(ST_CONFIG,
                    "%zu numbers of epochs for %zu stores; give one a store, or one for all",
                    o->epochs.count, r->count);
    for (size_t i = 0; i < r->count; i++) {
        struct blend_store *s = &r->stores[i];

        s->weight = (double)s->tokens;
        if (o->weight.count > 0)
            TRY(parse_real("weight", o->weight.v[i], &s->weight));
        if (o->epochs.count > 0)
            TRY(parse_real("epochs", o->epochs.v[o->epochs.count == 1 ? 0 : i], &s->epochs));
    }
    return ST_OK;
}

/* What sampling would refuse, and how long the blend lasts. */
static enum status check_sampling(const struct blend *b)
{
    struct sampling_phase phase = {
        .length = 1024, .rows = 1, .sources = b->sources, .source_count = b->count
    };
    struct sampling_args args = { .packing = PACK_CONCAT, .phases = &phase, .phase_count = 1 };
    struct sampling *s;
    char digits[28];

    TRY(sampling_open(&args, &s));
    if (sampling_steps(s) == 0)
        log_warn("the blend has less than a row of 1,024 tokens");
    else if (sampling_steps(s) != UINT64_MAX)
        log_info("the blend ends after about %s tokens",
                 str_count(sampling_steps(s) * phase.length, digits));
    sampling_close(s);
    return ST_OK;
}

static enum status open_all(const struct blend_options *o, struct blend *b, struct blend_record *r)
{
    if (o->store.count > SAMPLING_SOURCES_MOST)
        return fail(ST_CONFIG, "%zu stores, want at most %d", o->store.count,
                    SAMPLING_SOURCES_MOST);
    b->path = o->out;
    b->sources = arena_array(&b->arena, o->store.count, sizeof *b->sources);
    *r = (struct blend_record){ .stores = arena_array(&b->arena, o->store.count, sizeof *r->stores),
                                .count = o->store.count };
    for (size_t i = 0; i < o->store.count; i++) {
        struct token_store *store;

        TRY(token_store_open(o->store.v[i], &store));
        b->sources[b->count++] = (struct sampling_source){ .store = store, .name = o->store.v[i] };
        r->stores[i] =
            (struct blend_store){ .digest = token_store_digest(store),
                                  .documents = token_store_documents(store, TOKENS_TRAIN),
                                  .tokens = token_store_tokens(store, TOKENS_TRAIN) };
    }
    r->tokenizer = token_store_tokenizer(b->sources[0].store);
    return ST_OK;
}

static enum status check(const struct blend_options *o, struct blend *b, struct blend_record *r)
{
    TRY(open_all(o, b, r));
    TRY(fill_numbers(o, r));
    for (size_t i = 0; i < b->count; i++) {
        b->sources[i].weight = r->stores[i].weight;
        b->sources[i].epochs = r->stores[i].epochs;
    }
    return check_sampling(b);
}

static enum status write_files(const struct blend_options *o, const struct blend_record *r,
                               struct arena *a, const char *folder)
{
    struct buf text = { 0 };
    enum status st;

    blend_print(r, &text);
    st = file_write_new(path_join(a, folder, BLEND_FILE), text.p, text.n);
    buf_release(&text);
    TRY(st);
    return file_copy(path_join(a, o->store.v[0], "tokenizer.json"),
                     path_join(a, folder, "tokenizer.json"));
}

static json_t *counts_of(const struct blend *b)
{
    uint64_t documents = 0;

    for (size_t i = 0; i < b->count; i++)
        documents += token_store_documents(b->sources[i].store, TOKENS_TRAIN);
    return json_pack("{s:I, s:{s:I, s:I}}", "stores", (json_int_t)b->count, "train", "documents",
                     (json_int_t)documents, "tokens", (json_int_t)blend_tokens(b, TOKENS_TRAIN));
}

static enum status run_blend(struct arena *a, void *cfg)
{
    const struct blend_options *o = cfg;
    struct blend b = { 0 };
    struct blend_record r;
    struct artifact *artifact;
    enum status st = check(o, &b, &r);

    if (st == ST_OK)
        st = artifact_begin(&cmd_store_blend, cfg, o->out, &artifact);
    if (st == ST_OK) {
        st = write_files(o, &r, a, artifact_folder(artifact));
        if (st == ST_OK) {
            artifact_set_counts(artifact, counts_of(&b));
            st = artifact_commit(artifact, NULL);
        } else {
            artifact_abort(artifact);
        }
    }
    blend_close(&b);
    return st;
}

const struct command cmd_store_blend = {
    .name = "store blend",
    .summary = "several token stores, with weights, to be read as one",
    .details =
        "Writes weights and caps of epochs, not tokens: training reads the stores where they lie, "
        "and knows each by its\ndigest. After any number of rows each store has had its share to "
        "within a few rows. A store that is at its cap leaves\nits share to the others.\n\n"
        "  tundish store blend web books --weight 0.9 --weight 0.1 --epochs 1 --epochs 4 "
        "--out mix\n"
        "  tundish train --store mix --out model",
    .opts = options,
    .cfg_size = sizeof(struct blend_options),
    .stage_version = 1,
    .makes = "token-blend",
    .run = run_blend,
};
