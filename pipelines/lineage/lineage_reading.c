#include "pipelines/lineage/lineage_reading.h"

#include <stdlib.h>
#include <string.h>

#include "base/command.h"

/* The first version of `train` whose order this is; before it windows of one stream were shuffled.
 */
#define ORDER_SINCE 2

/* ---- the options ---- */

static enum status check_stage(const struct lineage_node *c)
{
    const struct command *train = command_all() ? command_find(command_all(), "train") : NULL;
    int64_t version =
        json_integer_value(json_object_get(json_object_get(c->manifest, "made_by"), "version"));

    if (train == NULL || strcmp(lineage_stage(c), train->name) != 0 ||
        version > train->stage_version || version < ORDER_SINCE)
        return fail(ST_UNSUPPORTED, "'%s' was made by %s, version %lld, whose order is not known",
                    c->path, lineage_stage(c), (long long)version);
    return ST_OK;
}

static enum status read_steps(const struct lineage_node *c, uint64_t *steps)
{
    const json_t *step = json_object_get(json_object_get(c->manifest, "counts"), "step");

    if (!json_is_integer(step) || json_integer_value(step) < 1)
        return fail(ST_FORMAT, "the manifest of '%s' does not say its count step", c->path);
    *steps = (uint64_t)json_integer_value(step);
    return ST_OK;
}

/* ---- the stores ---- */

/* The i-th store that the options name: `store`, then those of `phases`. NULL: the manifest has
 * fewer. */
static const struct lineage_input *input_at(const struct lineage_node *c, size_t i)
{
    const char *option = i == 0 ? "store" : "phases";
    size_t left = i == 0 ? 0 : i - 1;

    for (size_t k = 0; k < c->count; k++)
        if (strcmp(c->inputs[k].option, option) == 0 && left-- == 0)
            return &c->inputs[k];
    return NULL;
}

/* Adds the store of a node, as it was where it was changed since: the order goes by lengths, which
 * its history tells. */
static enum status add_source(const struct lineage_node *n, double weight, double epochs,
                              struct blend *out)
{
    struct token_store *store;

    TRY(lineage_store(n, &store));
    out->sources[out->count++] = (struct sampling_source){ store, n->path, weight, epochs };
    return ST_OK;
}

static const struct lineage_node *node_of(const struct lineage *l, const char *digest)
{
    const json_t *place = json_object_get(l->by_digest, digest);

    return place == NULL ? NULL : &l->nodes[json_integer_value(place)];
}

/* The stores of a blend, wherever the lineage found them. */
static enum status open_blend(const struct lineage *l, const struct lineage_node *n,
                              struct blend *out)
{
    struct blend_record r;

    TRY(blend_read_record(n->path, n->manifest, &out->arena, &r));
    out->sources = arena_array(&out->arena, r.count, sizeof *out->sources);
    for (size_t i = 0; i < r.count; i++) {
        const struct lineage_node *store = node_of(l, r.stores[i].digest);

        if (store == NULL || store->state != LINEAGE_FOUND)
            return fail(ST_MISSING, "the store %.12s of the blend '%s' was not found",
                        r.stores[i].digest, n->path);
        TRY(add_source(store, r.stores[i].weight, r.stores[i].epochs, out));
    }
    return ST_OK;
}

static enum status open_input(const struct lineage *l, const struct lineage_node *c, size_t i,
                              struct blend *out)
{
    const struct lineage_input *input = input_at(c, i);
    const struct lineage_node *n = input ? &l->nodes[input->node] : NULL;

    if (n == NULL)
        return fail(ST_FORMAT, "the manifest of '%s' names fewer stores than its options", c->path);
    if (n->state != LINEAGE_FOUND)
        return fail(
            ST_MISSING,
            "the store %.12s that '%s' was trained on was not found (it was said to be '%s')",
            n->digest, c->path, input->said ? input->said : "?");
    *out = (struct blend){ .path = n->path };
    if (strcmp(lineage_kind(n), "token-blend") == 0)
        return open_blend(l, n, out);
    out->sources = arena_new(&out->arena, struct sampling_source);
    return add_source(n, 1, 0, out);
}

static enum status open_all(const struct lineage *l, const struct lineage_node *c,
                            struct lineage_reading *r)
{
    struct read_input *inputs = arena_array(&r->arena, r->plan.inputs, sizeof *inputs);

    r->blends = arena_array(&r->arena, r->plan.inputs, sizeof *r->blends);
    for (size_t i = 0; i < r->plan.inputs; i++) {
        r->open++; /* of a blend, too, some of whose stores cannot be opened */
        TRY(open_input(l, c, i, &r->blends[i]));
        inputs[i] = (struct read_input){ r->blends[i].sources, r->blends[i].count };
    }
    return read_plan_open(&r->plan, inputs, r->steps, &r->sampling);
}

enum status lineage_reading_open(const struct lineage *l, const struct lineage_node *c,
                                 struct lineage_reading *r)
{
    *r = (struct lineage_reading){ 0 };
    TRY(check_stage(c));
    TRY(read_steps(c, &r->steps));
    TRY(read_plan_of(&r->arena, json_object_get(json_object_get(c->manifest, "made_by"), "options"),
                     c->path, &r->plan));
    TRY(open_all(l, c, r));
    if (r->steps > sampling_steps(r->sampling))
        return fail(ST_FORMAT, "'%s' counts %llu steps, its data last for %llu", c->path,
                    (unsigned long long)r->steps, (unsigned long long)sampling_steps(r->sampling));
    return ST_OK;
}

void lineage_reading_close(struct lineage_reading *r)
{
    sampling_close(r->sampling);
    for (size_t i = 0; i < r->open; i++)
        blend_close(&r->blends[i]);
    arena_release(&r->arena);
    *r = (struct lineage_reading){ 0 };
}

enum status lineage_reading_seen(struct lineage_reading *r, const char *digest, uint64_t document,
                                 uint64_t *tokens)
{
    return sampling_seen(r->sampling, r->steps, digest, document, tokens);
}

/* ---- which stores ---- */

struct store_list {
    size_t *v, count;
};

static void add_store(struct store_list *s, size_t node)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->v[i] == node)
            return;
    s->v = mem_grow(s->v, s->count + 1, sizeof *s->v);
    s->v[s->count++] = node;
}

size_t *lineage_stores_of(const struct lineage *l, const struct lineage_node *c, size_t *count)
{
    const struct lineage_input *input;
    struct store_list s = { 0 };

    for (size_t i = 0; (input = input_at(c, i)) != NULL; i++) {
        const struct lineage_node *n = &l->nodes[input->node];
        bool blend = strcmp(lineage_kind(n), "token-blend") == 0;

        if (!blend)
            add_store(&s, input->node);
        for (size_t k = 0; blend && k < n->count; k++)
            add_store(&s, n->inputs[k].node);
    }
    *count = s.count;
    return s.v;
}
