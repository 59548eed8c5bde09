/* Any bytes as the record of a run: what is accepted is accepted in its brief form, too, with nothing but the long
 * members gone, and does not differ from itself; the table of a comparison is text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pipelines/history/compare.h"
#include "pipelines/run/run_record.h"

static void drop_long(json_t *record)
{
    static const char *const gone[] = { "options", "inputs", "why", "asked", "attempts" };
    json_t *stage;
    size_t i;

    json_array_foreach(json_object_get(record, "stages"), i, stage)
        for (size_t k = 0; k < sizeof gone / sizeof *gone; k++) {
            json_t *value = json_object_get(stage, gone[k]);
            if (json_is_object(value) || json_is_array(value))
                json_object_set_new(stage, gone[k], json_null());
        }
}

/* The brief form also empties members of that name three levels down elsewhere; the stages are what counts. */
static void check_brief(json_t *record, const char *text, size_t n)
{
    struct buf brief = { 0 };
    json_t *less;

    run_record_brief(text, n, &brief);
    BUG_IF(run_record_parse(brief.p, brief.n, "brief", &less) != ST_OK);
    drop_long(record);
    BUG_IF(!json_equal(json_object_get(record, "stages"), json_object_get(less, "stages")));
    json_decref(less);
    buf_release(&brief);
}

/* With few of its stages, or none, it is a record still. */
static void check_few(const json_t *record, const char *text, size_t n)
{
    const json_t *first = json_array_get(json_object_get(record, "stages"), 0);
    const char *names[] = { json_text(first, "name"), NULL };
    struct buf few = { 0 };
    json_t *less;

    for (int k = 0; k < 2; k++) {
        buf_clear(&few);
        run_record_few(text, n, names + k, &few);
        BUG_IF(run_record_parse(few.p, few.n, "few", &less) != ST_OK);
        BUG_IF(json_array_size(json_object_get(less, "stages"))
               > json_array_size(json_object_get(record, "stages")));
        json_decref(less);
    }
    buf_release(&few);
}

static void check_comparison(json_t *record)
{
    json_t *twice[2] = { record, record }, *all = compare_records(twice, 2, true);
    json_t *none = compare_records(twice, 2, false);
    struct buf text = { 0 };
    struct arena a;

    arena_init(&a);
    compare_show(&a, all, &text);
    BUG_IF(!utf8_valid(text.p, text.n));
    BUG_IF(json_object_size(json_object_get(none, "stages")) != 0);
    BUG_IF(json_object_size(json_object_get(none, "run")) != 0);
    arena_release(&a);
    buf_release(&text);
    json_decref(all);
    json_decref(none);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const char *const none[] = { NULL };
    struct buf brief = { 0 };
    json_t *record;

    if (run_record_parse((const char *)p, n, "f.json", &record) != ST_OK) {
        run_record_brief((const char *)p, n, &brief);      /* must end */
        run_record_few((const char *)p, n, none, &brief);
        buf_release(&brief);
        return 0;
    }
    check_comparison(record);
    check_few(record, (const char *)p, n);
    check_brief(record, (const char *)p, n);
    json_decref(record);
    return 0;
}
