/* Ids as text and back: all lengths of numbers, what is no id, the line that encode prints. */
#include "test.h"

#include <stdio.h>

#include "base/rng.h"
#include "tokenize/id_text.h"

static void ids_are_printed_as_by_printf(void **state)
{
    struct rng r = { .seed = 1 };
    uint32_t ids[64];

    for (int round = 0; round < 20000; round++) {
        size_t n = 1 + rng_below(&r, 64);
        struct buf seen = { 0 }, want = { 0 };
        struct token_list back = { 0 };

        for (size_t i = 0; i < n; i++) {
            ids[i] = (uint32_t)(rng_next(&r) >> (32 + rng_below(&r, 32)));
            buf_printf(&want, i ? ",%u" : "%u", ids[i]);
        }
        id_text_add(&seen, ids, n, ',');
        assert_string_equal(seen.p, want.p);
        assert_int_equal(seen.n, want.n);
        for (char *p = seen.p; *p; p++)
            *p = *p == ',' ? ' ' : *p;
        assert_int_equal(id_text_read((struct span){ seen.p, seen.n }, &back), seen.n);
        assert_int_equal(back.count, n);
        assert_memory_equal(back.v, ids, n * sizeof *ids);
        token_list_release(&back);
        buf_release(&seen);
        buf_release(&want);
    }
}

static void edges_of_numbers(void **state)
{
    static const uint64_t numbers[] = { 0, 9, 10, 99, 100, 9999, 10000, 99999999, 100000000, 4294967295, UINT64_MAX };

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct buf seen = { 0 };
        char want[24];
        uint32_t id = (uint32_t)numbers[i];

        snprintf(want, sizeof want, "%llu", (unsigned long long)numbers[i]);
        id_text_add_number(&seen, numbers[i]);
        assert_string_equal(seen.p, want);
        buf_clear(&seen);
        snprintf(want, sizeof want, "%u", id);
        id_text_add(&seen, &id, 1, ' ');
        assert_string_equal(seen.p, want);
        buf_release(&seen);
    }
}

static void reading_stops_at_what_is_no_id(void **state)
{
    static const struct {
        const char *text;
        size_t read, count;
    } cases[] = { { "", 0, 0 }, { " \t\n 7 ", 6, 1 }, { "1 2x 3", 2, 1 }, { "1 4294967295 4294967296", 13, 2 }, { "-1", 0, 0 },
                  { "1,2", 0, 0 }, { "007 8", 5, 2 }, { "99999999999999999999999", 0, 0 } };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct token_list ids = { 0 };

        assert_int_equal(id_text_read(span_of(cases[i].text), &ids), cases[i].read);
        assert_int_equal(ids.count, cases[i].count);
        token_list_release(&ids);
    }
}

static void objects_of_the_usual_form_are_read(void **state)
{
    static const struct {
        const char *line, *id;
        size_t count;
        bool taken;
    } cases[] = {
        { "{\"id\":\"a\",\"ids\":[1,2,3]}", "a", 3, true },   { " { \"ids\" : [ ] } ", "", 0, true },
        { "{\"ids\":[1],\"x\":2}", "", 0, false },           { "{\"id\":\"a\\n\",\"ids\":[1]}", "", 0, false },
        { "{\"ids\":[1,]}", "", 0, false },                  { "{\"ids\":[01]}", "", 0, false },
        { "{\"ids\":[1]", "", 0, false },                    { "{\"ids\":[1]} x", "", 0, false },
        { "{\"id\":\"\xFF\",\"ids\":[1]}", "", 0, false },   { "{\"id\":1,\"ids\":[1]}", "", 0, false },
        { "{", "", 0, false },                               { "{\"ids\":[-1]}", "", 0, false },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct token_list ids = { 0 };
        struct span id;

        assert_int_equal(id_text_read_object(span_of(cases[i].line), &id, &ids), cases[i].taken);
        assert_int_equal(ids.count, cases[i].count);
        if (cases[i].taken)
            assert_true(id.p == NULL ? cases[i].id[0] == 0 : span_eq(id, cases[i].id));
        token_list_release(&ids);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_printed_as_by_printf),
        cmocka_unit_test(edges_of_numbers),
        cmocka_unit_test(reading_stops_at_what_is_no_id),
        cmocka_unit_test(objects_of_the_usual_form_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
