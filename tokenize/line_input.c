#include "tokenize/line_input.h"

#include <errno.h>
#include <stdlib.h>

bool line_input_is_stdin(const char *path)
{
    return strcmp(path, "-") == 0;
}

const char *line_input_path(struct line_input *in)
{
    size_t i = in->next++;

    if (in->paths->count == 0)
        return i == 0 ? "-" : NULL;
    return i < in->paths->count ? in->paths->v[i] : NULL;
}

enum status line_input_open(struct line_input *in, const char *path)
{
    in->path = line_input_is_stdin(path) ? "standard input" : path;
    in->line_number = 0;
    in->file = line_input_is_stdin(path) ? stdin : fopen(path, "rb");
    if (in->file)
        return ST_OK;
    return fail_errno(errno == ENOENT ? ST_MISSING : ST_IO, "cannot open '%s'", path);
}

void line_input_close_file(struct line_input *in)
{
    if (in->file && in->file != stdin)
        fclose(in->file);
    in->file = NULL;
}

void line_input_close(struct line_input *in)
{
    line_input_close_file(in);
    free(in->line);
}

enum status line_input_line(struct line_input *in, struct span *line, bool *got)
{
    ssize_t n = getline(&in->line, &in->cap, in->file);

    *got = n >= 0;
    if (!*got)
        return ferror(in->file) ? fail_errno(ST_IO, "cannot read '%s'", in->path) : ST_OK;
    in->line_number++;
    if (n > 0 && in->line[n - 1] == '\n')
        n--;
    *line = (struct span){ in->line, (size_t)n };
    return ST_OK;
}
