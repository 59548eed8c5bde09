/* Any bytes as YAML: refused with a message that has a place, or a tree that keeps its promises, whose JSON
 * is YAML again and the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "base/yaml.h"

struct walk {
    struct arena *arena;
    int shown;
};

static void check_text(const struct yaml *n)
{
    BUG_IF(n->text == NULL || !utf8_valid(n->text, strlen(n->text)));
}

static void check_node(struct walk *w, const struct yaml *n, int depth)
{
    BUG_IF(depth > 65 || n->line < 1 || n->column < 1 || n->source == NULL);
    BUG_IF(*yaml_describe(w->arena, n) == 0);
    if (w->shown++ < 20) {
        BUG_IF(yaml_fail(n, "seen") != ST_CONFIG);
        BUG_IF(strncmp(fail_message(), "f.yaml:", 7) != 0 || strlen(fail_message()) > 1000);
    }
    if (n->kind == YAML_SCALAR)
        check_text(n);
    for (size_t i = 0; n->kind != YAML_SCALAR && i < n->count; i++) {
        if (n->kind == YAML_MAP) {
            check_text(n->keys[i]);
            BUG_IF(i < 20 && yaml_get(n, n->keys[i]->text) != n->items[i]);
        }
        check_node(w, n->items[i], depth + 1);
    }
}

/* JSON is YAML, but for keys over 1,024 characters and control characters, which may be refused. */
static void check_round_trip(struct arena *a, const struct yaml *root)
{
    json_t *value = yaml_to_json(root), *again;
    struct buf text = { 0 };
    struct yaml *back;

    json_canonical(&text, value);
    if (yaml_parse(a, "again", text.p, text.n, &back) == ST_OK) {
        again = yaml_to_json(back);
        BUG_IF(!json_equal(value, again));
        json_decref(again);
    }
    json_decref(value);
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena a;
    struct walk w = { .arena = &a };
    struct yaml *root;

    arena_init(&a);
    if (yaml_parse(&a, "f.yaml", (const char *)p, n, &root) == ST_OK) {
        check_node(&w, root, 1);
        check_round_trip(&a, root);
    } else {
        BUG_IF(root != NULL || strncmp(fail_message(), "f.yaml:", 7) != 0);
        BUG_IF(!utf8_valid(fail_message(), strlen(fail_message())));
        BUG_IF(strlen(fail_message()) > 3000);
    }
    arena_release(&a);
    return 0;
}
