/* Any bytes as JSON: what is accepted has a canonical form that is a fixed point; what is quoted reads back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"

static void check_canonical(const json_t *value)
{
    struct buf first = { 0 }, second = { 0 };
    json_t *again;

    json_canonical(&first, value);
    BUG_IF(json_parse(first.p, first.n, "again", &again) != ST_OK);
    BUG_IF(!json_equal(value, again));
    json_canonical(&second, again);
    BUG_IF(first.n != second.n || memcmp(first.p, second.p, first.n) != 0);
    json_decref(again);
    buf_release(&first);
    buf_release(&second);
}

static void check_quote(const char *p, size_t n)
{
    struct buf quoted = { 0 }, wanted = { 0 };
    json_t *value;

    json_quote(&quoted, p, n);
    if (memchr(p, 0, n) == NULL) {
        utf8_repair(&wanted, p, n);
        BUG_IF(json_parse(quoted.p, quoted.n, "quoted", &value) != ST_OK);
        BUG_IF(json_string_length(value) != wanted.n);
        BUG_IF(wanted.n && memcmp(json_string_value(value), wanted.p, wanted.n) != 0);
        json_decref(value);
    }
    buf_release(&quoted);
    buf_release(&wanted);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    json_t *value;

    if (json_parse((const char *)p, n, "f.json", &value) == ST_OK)
        check_canonical(value);
    else
        BUG_IF(value != NULL || strncmp(fail_message(), "f.json:", 7) != 0);
    json_decref(value);
    if (n > 0)
        check_quote((const char *)p, n);
    return 0;
}
