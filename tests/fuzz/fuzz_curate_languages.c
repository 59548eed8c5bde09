/* Any text as a filter's file with options by language, or by extension. */
#include <sys/mman.h>
#include <unistd.h>

#include "curate/chain/step.h"
#include "tests/fuzz/fuzz_check.h"

static void load(const char *steps)
{
    struct chain chain;
    struct arena a;
    struct yaml *list;

    arena_init(&a);
    CHECK(yaml_parse(&a, "steps", steps, strlen(steps), &list) == ST_OK && chain_parse(&a, list, &chain) == ST_OK);
    if (chain_load(&chain) == ST_OK)
        chain_unload(&chain);
    else
        CHECK(*fail_message());
    arena_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const char *const filters[] = { "gopher@datatrove, languages", "c4@datatrove, languages", "code, extensions",
                                           "gopher@dolma, languages" };
    int fd = memfd_create("languages", 0);
    char steps[128];

    if (n > 8192)
        n = 8192;
    CHECK(fd >= 0 && write(fd, p, n) == (ssize_t)n);
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        snprintf(steps, sizeof steps, "[{filter: {profile: %s: /proc/self/fd/%d}}]", filters[i], fd);
        load(steps);
    }
    close(fd);
    return 0;
}
