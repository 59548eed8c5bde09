/* Any config.json is refused with words, or is a config that passes its own check, has a list of
 * parameters with sizes that fit, and is written and read back as the same. */
#include <stdlib.h>

#include "model/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void check(int ok)
{
    if (!ok)
        abort();
}

static void survives_its_file(const struct model_config *c)
{
    json_t *j = model_config_to_json(c, DT_F32), *again;
    struct model_config d;

    check(model_config_from_json(j, "again", &d) == ST_OK);
    again = model_config_to_json(&d, DT_F32);
    check(json_equal(j, again));
    json_decref(j);
    json_decref(again);
}

static void has_parameters(const struct model_config *c)
{
    struct params p;

    params_init(&p, c);
    check(p.count > 0 && p.weights > 0 && p.weights <= p.elements && p.elements < INT64_MAX / 16);
    for (int i = 0; i < p.count; i++)
        check(p.list[i].offset >= 0 &&
              p.list[i].offset + p.list[i].rows * p.list[i].cols <= p.elements);
    params_release(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct model_config c;
    json_t *j;

    if (json_parse((const char *)p, n, "input", &j) != ST_OK)
        return 0;
    if (model_config_from_json(j, "input", &c) == ST_OK) {
        check(model_config_check(&c) == ST_OK);
        survives_its_file(&c);
        has_parameters(&c);
    } else {
        check(fail_message()[0] != 0);
    }
    json_decref(j);
    return 0;
}
