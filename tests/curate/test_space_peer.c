/* What NeMo Curator 1.4 and Dolma 1.0.8 say of the texts of golden/space_peer.jsonl (made by `peer_space.py golden`), rule by rule,
 * and what we say. */
#include "test.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/yaml.h"
#include "curate/chain/step.h"

static bool stands_in(const json_t *list, const char *key)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(json_string_value(json_array_get(list, i)), key) == 0)
            return true;
    return false;
}

static void judge(const char *profile, struct doc *d, struct step_work *w)
{
    struct arena a;
    struct buf list = { 0 };
    struct chain c;
    struct yaml *parsed;

    arena_init(&a);
    buf_printf(&list, "[{filter: {profile: %s}}]", profile);
    assert_ok(yaml_parse(&a, "step", list.p, list.n, &parsed));
    assert_ok(chain_parse(&a, parsed, &c));
    assert_ok(chain_load(&c));
    assert_ok(chain_each(&c, 1, d, w));
    chain_unload(&c);
    buf_release(&list);
    arena_release(&a);
}

static void compare(const json_t *row, uint64_t number, struct step_work *w)
{
    const json_t *text = json_object_get(row, "text"), *want = json_object_get(row, "broken");
    struct doc d = { .number = number, .id = mem_strdup(json_text(row, "id")) };
    size_t broken = 0;

    buf_add(&d.text, json_string_value(text), json_string_length(text));
    judge(json_text(row, "profile"), &d, w);
    for (size_t i = 0; i < w->trace.count; i++) {
        const struct trace_value *v = &w->trace.values[i];

        if (v->broken != stands_in(want, v->rule->key))
            fail_msg("text %s, %s: %s is %g, threshold %g; the peer says %s", d.id, json_text(row, "profile"), v->rule->key,
                     v->value, v->threshold, v->broken ? "keep" : "drop");
        broken += v->broken;
    }
    assert_int_equal(broken, json_array_size(want));
    assert_true((d.dropped != NULL) == (broken > 0));
    free(d.id);
    buf_release(&d.text);
}

static void decisions_are_the_peers(void **state)
{
    struct step_work w = { .trace = { .full = true } };
    char path[1000], *line = NULL;
    size_t cap = 0;
    uint64_t n = 0;
    FILE *f;

    snprintf(path, sizeof path, "%.*s/golden/space_peer.jsonl", (int)(strrchr(__FILE__, '/') - __FILE__), __FILE__);
    f = fopen(path, "r");
    assert_non_null(f);
    for (; getline(&line, &cap, f) > 0; n++) {
        json_t *row;

        assert_ok(json_parse(line, strlen(line), path, &row));
        compare(row, n, &w);
        json_decref(row);
    }
    assert_in_range(n, 60, 1000);
    free(line);
    fclose(f);
    step_work_release(NULL, &w);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(decisions_are_the_peers) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
