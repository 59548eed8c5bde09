/* A run record without the long members of its stages, or with few of its stages: brackets and
 * strings are followed, nothing else is understood, and the parser gets a tenth of the text or
 * less. */
#include <string.h>

#include "pipelines/run/run_record.h"

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

/* ---- few stages ---- */

static bool is_among(const char *text, size_t n, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strlen(*names) == n && memcmp(*names, text, n) == 0)
            return true;
    return false;
}

/* Behind the stage that begins at p. *wanted: one of its own texts (its name among them) is one of
 * the names; one that is wanted by mistake does no harm. */
static const char *behind_stage(const char *p, const char *end, const char *const *names,
                                bool *wanted)
{
    size_t depth = 0;

    *wanted = false;
    while (p < end) {
        if (*p == '"') {
            const char *behind = behind_string(p, end);
            if (depth == 1 && behind - p >= 2)
                *wanted = *wanted || is_among(p + 1, (size_t)(behind - p) - 2, names);
            p = behind;
            continue;
        }
        depth += *p == '{' || *p == '[';
        depth -= depth > 0 && (*p == '}' || *p == ']');
        p++;
        if (depth == 0)
            break;
    }
    return p;
}

/* p is at the list of stages: appends it with those that are wanted; behind it. */
static const char *few_stages(const char *p, const char *end, const char *const *names,
                              struct buf *out)
{
    const char *before = "";

    buf_addc(out, *p++);
    for (;;) {
        const char *from = p = behind_space(p, end);
        bool wanted;

        if (p < end && *p == ',') {
            p++;
            continue;
        }
        if (p == end || *p != '{')
            return p;
        p = behind_stage(p, end, names, &wanted);
        if (!wanted)
            continue;
        buf_adds(out, before);
        buf_add(out, from, (size_t)(p - from));
        before = ",";
    }
}

void run_record_few(const char *text, size_t n, const char *const *names, struct buf *out)
{
    static const char list[] = "\"stages\"";
    const char *end = text + n, *from = text, *p = text;
    size_t depth = 0;

    while (p < end) {
        if (*p == '"') {
            const char *begin = p, *value;
            p = behind_string(p, end);
            value = behind_space(p, end);
            if (depth != 1 || (size_t)(p - begin) != strlen(list)
                || memcmp(begin, list, strlen(list)) != 0 || value == end || *value != ':')
                continue;
            value = behind_space(value + 1, end);
            if (value == end || *value != '[')
                continue;
            buf_add(out, from, (size_t)(value - from));
            p = from = few_stages(value, end, names, out);
            if (p < end && *p == ']')
                depth++;      /* which its bracket takes back */
            continue;
        }
        depth += *p == '{' || *p == '[';
        depth -= depth > 0 && (*p == '}' || *p == ']');
        p++;
    }
    buf_add(out, from, (size_t)(end - from));
}
