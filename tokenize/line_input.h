/*
 * Files read one after the other, "-" (the standard input) among them: what the commands on text
 * and ids have in common.
 */
#ifndef TUNDISH_TOKENIZE_LINE_INPUT_H
#define TUNDISH_TOKENIZE_LINE_INPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/opt.h"
#include "base/status.h"
#include "base/str.h"

struct line_input {                  /* {.paths} before use */
    const struct opt_list *paths;    /* none: the standard input stands alone */
    size_t next;                     /* path */
    const char *path;                /* of the open one, for messages */
    FILE *file;                      /* NULL: none is open */
    char *line;
    size_t cap;
    uint64_t line_number;
};
bool line_input_is_stdin(const char *path);
/* Takes the next path, or NULL behind the last. */
const char *line_input_path(struct line_input *in);
MUST_USE enum status line_input_open(struct line_input *in, const char *path);
void line_input_close_file(struct line_input *in);
void line_input_close(struct line_input *in);
/* A line of the open file, without its newline; valid until the next call. */
MUST_USE enum status line_input_line(struct line_input *in, struct span *line, bool *got);

#endif
