/* Options from any words ('w' first, one a line) or any YAML ('y' first): what is accepted is within
 * bounds, and its record, read as YAML, gives the same record. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/opt.h"
#include "base/str.h"

struct cfg {
    const char *name, *out;
    int64_t batch, width;
    double lr;
    bool shuffle;
    uint64_t memory;
    int kind;
    struct opt_list in, words;
    struct yaml *steps;
};

static const char *const kinds[] = { "none", "zstd", "gzip", NULL };
static const struct opt table[] = {
    OPT_STR(struct cfg, name, "name", NULL, "a"),
    OPT_INT(struct cfg, batch, "batch-tokens", "8192", 1, 1e6, "b"),
    OPT_REAL(struct cfg, lr, "lr", "3e-4", 0, 1, "c"),
    OPT_BOOL(struct cfg, shuffle, "shuffle", "true", "d"),
    OPT_SIZE(struct cfg, memory, "memory", "1G", 1, 1ull << 40, "e"),
    OPT_CHOICE(struct cfg, kind, "model.kind", "zstd", kinds, "f"),
    OPT_INT(struct cfg, width, "model.part.width", "256", 0, 0, "g"),
    OPT_LIST(struct cfg, words, "words", "h"),
    OPT_TREE(struct cfg, steps, "steps", "i"),
    OPT_OUTPUT(struct cfg, out, "out", "j"),
    OPT_INPUTS(struct cfg, in, "in", "k", .flags = OPT_POSITIONAL),
    OPT_END
};

static enum status from_words(struct arena *a, const char *p, size_t n, struct cfg *c)
{
    char *text = arena_strndup(a, p, n), *argv[64], *rest = NULL;
    int argc = 0;

    for (char *word = strtok_r(text, "\n", &rest); word && argc < 64; word = strtok_r(NULL, "\n", &rest))
        if (strncmp(word, "--config", 8) != 0)      /* would open files */
            argv[argc++] = word;
    return opt_parse(table, a, argc, argv, c);
}

static enum status from_yaml(struct arena *a, const char *p, size_t n, struct cfg *c)
{
    struct yaml *map;
    enum status checked;

    TRY(yaml_parse(a, "f.yaml", p, n, &map));
    checked = opt_check_map(table, a, map, map, 0);
    BUG_IF(checked != opt_from_yaml(table, a, map, c));
    return checked;
}

/* The record without what is absent, read back. */
static void check_record(struct arena *a, const struct cfg *c)
{
    json_t *record = opt_record(table, c), *given = json_copy(record), *value;
    struct buf text = { 0 };
    struct cfg back = { 0 };
    struct yaml *map;
    const char *key;
    void *next;

    json_object_foreach_safe(given, next, key, value)
        if (json_is_null(value))
            json_object_del(given, key);
    json_canonical(&text, given);
    if (yaml_parse(a, "record", text.p, text.n, &map) == ST_OK) {      /* refuses some control characters */
        json_t *again;
        BUG_IF(opt_from_yaml(table, a, map, &back) != ST_OK);
        again = opt_record(table, &back);
        BUG_IF(!json_equal(record, again));
        json_decref(again);
    }
    buf_release(&text);
    json_decref(given);
    json_decref(record);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    const char *text = (const char *)p;
    struct arena a;
    struct cfg c = { 0 };
    enum status st;

    if (n == 0 || (*text != 'w' && *text != 'y'))
        return 0;
    arena_init(&a);
    st = *text == 'w' ? from_words(&a, text + 1, n - 1, &c) : from_yaml(&a, text + 1, n - 1, &c);
    if (st == ST_OK) {
        BUG_IF(c.batch < 1 || c.batch > 1000000 || !(c.lr >= 0 && c.lr <= 1));
        BUG_IF(c.memory < 1 || c.memory > 1ull << 40 || c.kind < 0 || c.kind > 2);
        check_record(&a, &c);
    } else {
        BUG_IF(st != ST_USAGE && st != ST_CONFIG);
        BUG_IF(*fail_message() == 0);
    }
    arena_release(&a);
    return 0;
}
