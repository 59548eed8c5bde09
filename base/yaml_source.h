/*
 * Where YAML text came from, and messages that point into it. Private to base/yaml*.c.
 *
 * Lines end at LF, CR and CRLF and columns count code points, as libyaml's marks do. (It
 * also ends lines at U+0085, U+2028 and U+2029, as YAML 1.1 did and 1.2 does not:
 * base/yaml.c lets none of them in.)
 */
#ifndef TUNDISH_BASE_YAML_SOURCE_H
#define TUNDISH_BASE_YAML_SOURCE_H

#include <stdarg.h>
#include <stddef.h>

#include "base/status.h"

struct yaml_source {
    const char *name;
    const char *text;      /* NULL: a word of the command line; messages have no place */
    size_t n;
};
struct yaml_place {
    int line, column;      /* from 1 */
};

/* The place of the byte at `offset` (at most n). */
struct yaml_place yaml_place_of(const struct yaml_source *s, size_t offset);
/* The byte offset of a place; n if it lies behind the end. */
size_t yaml_offset_of(const struct yaml_source *s, struct yaml_place at);
/* fail(ST_CONFIG) with "name:line:column: message", the source line (cut to the part around the
 * column when long) and a caret. */
enum status yaml_fail_at(const struct yaml_source *s, struct yaml_place at, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

#endif
