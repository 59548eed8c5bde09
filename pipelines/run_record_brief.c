/* A run record without the long members of its stages: brackets and strings are followed, nothing
 * else is understood, and the parser gets a tenth of the text. */
#include <string.h>

#include "pipelines/run_record.h"

#define STAGE_DEPTH 3     /* {"stages": [{"options": ... */

static const char *const long_members[] = { "options", "inputs", "why", "asked", "attempts" };

/* Behind the string that begins at p. */
static const char *behind_string(const char *p, const char *end)
{
    for (p++; p < end; p++) {
        if (*p == '"')
            return p + 1;
        if (*p == '\\')
            p++;
    }
    return end;
}

static const char *behind_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
        p++;
    return p;
}

/* Behind the map or list that begins at p. */
static const char *behind_brackets(const char *p, const char *end)
{
    size_t depth = 0;

    while (p < end) {
        switch (*p) {
        case '"':
            p = behind_string(p, end);
            continue;
        case '{':
        case '[': depth++; break;
        case '}':
        case ']': depth--; break;
        }
        p++;
        if (depth == 0)
            break;
    }
    return p;
}

static bool is_long(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof long_members / sizeof *long_members; i++)
        if (strlen(long_members[i]) == n && memcmp(long_members[i], name, n) == 0)
            return true;
    return false;
}

/* p is at a string: if it names a long member whose value has brackets, goes behind the name and
 * sets *value and *rest to where the value begins and ends. */
static bool long_value(const char *p, const char *end, const char **value, const char **rest)
{
    const char *behind = behind_string(p, end);

    if (behind - p < 3 || !is_long(p + 1, (size_t)(behind - p) - 2))
        return false;
    *value = behind_space(behind, end);
    if (*value == end || **value != ':')
        return false;
    *value = behind_space(*value + 1, end);
    if (*value == end || (**value != '{' && **value != '['))
        return false;
    *rest = behind_brackets(*value, end);
    return true;
}

void run_record_brief(const char *text, size_t n, struct buf *out)
{
    const char *end = text + n, *from = text, *p = text, *value, *rest;
    size_t depth = 0;

    while (p < end) {
        if (*p == '"' && depth == STAGE_DEPTH && long_value(p, end, &value, &rest)) {
            buf_add(out, from, (size_t)(value - from));
            buf_adds(out, "null");
            p = from = rest;
            continue;
        }
        if (*p == '"') {
            p = behind_string(p, end);
            continue;
        }
        depth += *p == '{' || *p == '[';
        depth -= depth > 0 && (*p == '}' || *p == ']');
        p++;
    }
    buf_add(out, from, (size_t)(end - from));
}
