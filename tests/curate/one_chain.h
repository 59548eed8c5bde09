/* A chain that is made from YAML once, and documents that pass it one at a time. */
#ifndef TUNDISH_TESTS_CURATE_ONE_CHAIN_H
#define TUNDISH_TESTS_CURATE_ONE_CHAIN_H

#include "test.h"

#include "base/arena.h"
#include "curate/chain/step.h"

struct one_chain {
    struct arena arena;
    struct chain chain;
    struct step_work work;
    struct doc *doc;             /* the last one */
};

static inline enum status one_chain_parse(struct one_chain *c, const char *steps)
{
    struct yaml *list;

    memset(c, 0, sizeof *c);
    arena_init(&c->arena);
    assert_ok(yaml_parse(&c->arena, "steps", steps, strlen(steps), &list));
    return chain_parse(&c->arena, list, &c->chain);
}

static inline void one_chain_begin(struct one_chain *c, const char *steps)
{
    assert_ok(one_chain_parse(c, steps));
    assert_ok(chain_load(&c->chain));
}

/* Through all steps or to the one that drops it. */
static inline enum status one_chain_pass(struct one_chain *c, const char *id, struct span text)
{
    struct raw_document *raw = mem_alloc(sizeof *raw);
    enum status st = ST_OK;

    raw->id = mem_strdup(id);
    raw->source = mem_strdup("made");
    raw->bytes = mem_alloc(text.n + 1);
    memcpy(raw->bytes, text.p, text.n);
    raw->n = text.n;
    doc_free(c->doc);
    c->doc = doc_of_raw(raw, 0);
    for (size_t i = 0; st == ST_OK && c->doc->dropped == NULL && i < c->chain.count; i++)
        st = chain_each(&c->chain, i, c->doc, &c->work);
    return st;
}

static inline const char *one_chain_verdict(struct one_chain *c, const char *text)
{
    assert_ok(one_chain_pass(c, "doc", span_of(text)));
    return c->doc->dropped ? c->doc->dropped->key : "stays";
}

static inline void one_chain_end(struct one_chain *c)
{
    doc_free(c->doc);
    step_work_release(&c->chain, &c->work);
    chain_unload(&c->chain);
    arena_release(&c->arena);
}

#endif
