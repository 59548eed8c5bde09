#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "curate/source/source_part.h"

static struct input *input_new(struct source *s)
{
    struct input *in = mem_alloc(sizeof *in);

    in->source = s;
    in->fd = -1;
    in->from = in->block = mem_alloc(CONTENT_HEAD);
    return in;
}

struct input *input_of_file(struct source *s, int fd, uint64_t size)
{
    struct input *in = input_new(s);

    in->fd = fd;
    in->size = size;
    return in;
}

struct input *input_of_member(struct level *archive)
{
    struct input *in = input_new(archive->source);

    in->archive = archive;
    return in;
}

struct input *input_of_memory(struct source *s, struct buf *bytes)
{
    struct input *in = input_new(s);

    in->memory = *bytes;
    in->size = bytes->n;
    buf_init(bytes);
    return in;
}

struct input *input_of_command(struct source *s, struct source_command *c)
{
    struct input *in = input_new(s);

    in->command = c;
    return in;
}

void input_free(struct input *in)
{
    if (in == NULL)
        return;
    if (in->fd >= 0)
        close(in->fd);
    command_close_source(in->command);
    buf_release(&in->memory);
    free(in->block);
    free(in);
}

bool input_can_seek(const struct input *in) { return in->archive == NULL && in->command == NULL; }

static ssize_t file_read_some(struct input *in, char *p, size_t n)
{
    ssize_t got;

    do
        got = read(in->fd, p, n);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        source_outcome(in->source, SOURCE_UNREADABLE, in->source->file_id);
    return got;
}

static ssize_t memory_read_some(struct input *in, char *p, size_t n)
{
    size_t left = in->memory.n - (size_t)in->taken;

    n = n < left ? n : left;
    if (n > 0)
        memcpy(p, in->memory.p + in->taken, n);
    return (ssize_t)n;
}

static ssize_t read_some(struct input *in, char *p, size_t n)
{
    if (in->fd >= 0)
        return file_read_some(in, p, n);
    if (in->archive != NULL)
        return archive_member_read(in->archive, p, n);
    if (in->command != NULL)
        return command_read(in->command, p, n);
    return memory_read_some(in, p, n);
}

static void take(struct input *in, ssize_t got)
{
    if (got > 0) {
        in->fill += (size_t)got;
        in->taken += (uint64_t)got;
        return;
    }
    in->ended = true;
    in->failed = got < 0;
}

/* What is at hand, when nothing is left: lent where it can be. */
static void fill_next(struct input *in)
{
    in->at = in->fill = 0;
    in->from = in->block;
    if (in->archive != NULL && in->archive->unpack != NULL)
        take(in, archive_member_next(in->archive, &in->from));
    else
        take(in, read_some(in, in->block, CONTENT_HEAD));
}

struct span input_head(struct input *in)
{
    size_t left = in->fill - in->at;

    if (left < CONTENT_HEAD && !in->ended) {
        memmove(in->block, in->from + in->at, left);
        in->from = in->block;
        in->fill = left;
        in->at = 0;
        while (!in->ended && in->fill < CONTENT_HEAD)
            take(in, read_some(in, in->block + in->fill, CONTENT_HEAD - in->fill));
    }
    left = in->fill - in->at;
    return (struct span){ in->from + in->at, left < CONTENT_HEAD ? left : CONTENT_HEAD };
}

struct span input_next(struct input *in)
{
    struct span s;

    if (in->at == in->fill && !in->ended)
        fill_next(in);
    s = (struct span){ in->from + in->at, in->fill - in->at };
    in->at = in->fill;
    return s;
}

void input_allow_gaps(struct input *in)
{
    if (archive_go_on(in->archive) && !in->archive->in->failed)
        in->failed = false;
}

bool input_resume(struct input *in)
{
    if (in->archive == NULL || !in->archive->gap || in->failed)
        return false;
    in->archive->gap = in->ended = false;
    return true;
}

void input_unread(struct input *in, size_t n)
{
    BUG_IF(n > in->at);
    in->at -= n;
}

bool input_all(struct input *in, uint64_t limit, struct buf *out)
{
    for (;;) {
        struct span s = input_next(in);
        if (in->failed)
            return false;
        if (s.n == 0)
            return true;
        if (s.n > limit - out->n)
            return false;
        buf_add(out, s.p, s.n);
    }
}

static int64_t memory_seek(struct input *in, int64_t offset, int whence)
{
    int64_t base = whence == SEEK_SET ? 0 : (int64_t)in->size;

    if (offset > (int64_t)in->size - base || offset < -base)
        return -1;
    in->taken = (uint64_t)(base + offset);
    return base + offset;
}

int64_t input_seek(struct input *in, int64_t offset, int whence)
{
    int64_t at;

    if (whence != SEEK_SET && whence != SEEK_END)
        return -1;
    at = in->fd >= 0 ? lseek(in->fd, offset, whence) : memory_seek(in, offset, whence);
    if (at >= 0) {
        in->at = in->fill = 0;
        in->ended = false;
    }
    return at;
}
