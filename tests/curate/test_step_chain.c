/* `steps:` as a chain, and what is said when it is none. */
#include "test.h"

#include "base/golden.h"
#include "curate/chain/step.h"

static const char *parsed(struct arena *a, const char *in, size_t n)
{
    struct yaml *list;
    struct chain chain;
    struct buf out = { 0 };
    const char *text;
    enum status st = yaml_parse(a, "steps", in, n, &list);

    if (st == ST_OK)
        st = chain_parse(a, list, &chain);
    if (st != ST_OK)
        return arena_printf(a, "%s: %s", status_name(st), fail_message());
    for (size_t i = 0; i < chain.count; i++)
        buf_printf(&out, "%s%s", i ? ", " : "", chain.steps[i].label);
    text = arena_strdup(a, out.p);
    buf_release(&out);
    return text;
}

static void chains_and_errors_are_as_written_down(void **state) { golden_run("golden/steps.txt", __FILE__, parsed); }

static void the_default_chain_is_one(void **state)
{
    struct arena a;

    arena_init(&a);
    assert_string_equal(parsed(&a, chain_default, strlen(chain_default)),
                        "extract, normalize, filter gopher@datatrove, dedup exact, dedup minhash, dedup containment");
    arena_release(&a);
}

static void every_step_is_whole(void **state)
{
    for (const struct step_kind *k = step_kinds; k->name; k++) {
        int counters = 0;

        assert_int_equal((k->each != NULL) + (k->all != NULL) + (k->order != NULL), 1);
        assert_true((k->key == NULL) == (k->variant == NULL));
        assert_non_null(k->help);
        assert_true(k->reasons[0] != NULL || k->order || k->part);      /* who drops says why */
        for (int i = 0; k->reasons[i]; i++)
            assert_true(k->reasons[i]->key[0] && k->reasons[i]->meaning[0]);
        while (k->counters && k->counters[counters])
            counters++;
        assert_true(counters <= STEP_COUNTERS);
        assert_true(k->key == NULL || opt_find(k->opts, k->key) != NULL);
        assert_true(k->main == NULL || k->key == NULL);
        /* chain_paths() looks for inputs in maps only */
        assert_true(k->main == NULL || (opt_find(k->opts, k->main) != NULL && opt_find(k->opts, k->main)->type != OPT_T_INPUT &&
                                        opt_find(k->opts, k->main)->type != OPT_T_INPUTS));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_and_errors_are_as_written_down),
        cmocka_unit_test(the_default_chain_is_one),
        cmocka_unit_test(every_step_is_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
