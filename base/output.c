#include "base/output.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

/* The reading end of a pipe is closed. */
static bool reader_is_gone(void)
{
    struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };

    return poll(&p, 1, 0) == 1 && (p.revents & POLLERR);
}

enum status output_flush(void)
{
    bool flushed = fflush(stdout) == 0;
    int reason = errno;

    if ((flushed && !ferror(stdout)) || reader_is_gone())
        return ST_OK;
    if (flushed)      /* an earlier write failed; its reason is lost */
        return fail(ST_IO, "cannot write to standard output");
    errno = reason;
    return fail_errno(ST_IO, "cannot write to standard output");
}

enum status output_flush_stream(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return ST_OK;
    if (errno == EPIPE || reader_is_gone())
        exit(0);
    return fail_errno(ST_IO, "cannot write to standard output");
}

enum status output_text(const struct buf *text)
{
    if (text->n > 0)
        (void)fwrite(text->p, 1, text->n, stdout);      /* stdio remembers a failure */
    return output_flush();
}

enum status output_stream(const struct buf *text)
{
    if (text->n > 0)
        (void)fwrite(text->p, 1, text->n, stdout);
    return output_flush_stream();
}

enum status output_json(const json_t *value)
{
    struct buf text = { 0 };
    enum status st;

    json_canonical(&text, value);
    buf_addc(&text, '\n');
    st = output_text(&text);
    buf_release(&text);
    return st;
}
