/* Any bytes as what a program of the step `command` writes: the documents stay, are dropped, or have what it said. */
#include <sys/mman.h>
#include <unistd.h>

#include "curate/chain/step.h"
#include "tests/fuzz/fuzz_check.h"

static struct doc *make(void)
{
    struct raw_document *raw = mem_alloc(sizeof *raw);

    raw->id = mem_strdup("doc");
    raw->source = mem_strdup("made");
    raw->bytes = mem_strdup("a text");
    raw->n = strlen(raw->bytes);
    return doc_of_raw(raw, 0);
}

static void pass(const struct chain *c, struct step_work *w)
{
    struct doc *d = make();

    for (size_t i = 0; d->dropped == NULL && i < c->count; i++)
        CHECK(chain_each(c, i, d, w) == ST_OK);
    CHECK(d->dropped || (d->text.n > 0 && utf8_valid(d->text.p, d->text.n)));
    CHECK(d->metadata == NULL || *d->metadata == '{');
    doc_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    int fd = memfd_create("answers", 0);
    struct step_work work = { 0 };
    struct chain chain;
    struct arena a;
    struct yaml *list;
    char steps[128];

    CHECK(fd >= 0 && write(fd, p, n) == (ssize_t)n);
    snprintf(steps, sizeof steps, "[{command: {run: [cat, /proc/%d/fd/%d], on-failure: drop, memory: 0}}]", (int)getpid(), fd);
    arena_init(&a);
    CHECK(yaml_parse(&a, "steps", steps, strlen(steps), &list) == ST_OK && chain_parse(&a, list, &chain) == ST_OK);
    CHECK(chain_load(&chain) == ST_OK);
    pass(&chain, &work);
    pass(&chain, &work);
    step_work_release(&chain, &work);
    chain_unload(&chain);
    arena_release(&a);
    close(fd);
    return 0;
}
