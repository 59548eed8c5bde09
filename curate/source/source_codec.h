/*
 * The two compressions whose files are many members one behind the other, as source_unpack.h wants
 * them: where a member may begin, whole members at once, and a member as a stream.
 */
#ifndef TUNDISH_CURATE_SOURCE_CODEC_H
#define TUNDISH_CURATE_SOURCE_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum codec_state {
    CODEC_MORE,             /* wants more bytes, or more room */
    CODEC_MEMBER,           /* the member ended */
    CODEC_FAULT,
};
struct codec_some {
    struct span in;         /* on return: what is left */
    char *out;
    size_t room, made;
};

struct codec_work;          /* what one thread needs to unpack */
struct codec {
    /* The offset of what may begin a member; n: nowhere. */
    size_t (*find)(const char *p, size_t n);
    /* dictionary: borrowed for as long as the work; n = 0: none */
    struct codec_work *(*work_new)(struct span dictionary);
    void (*work_free)(struct codec_work *w);
    /* Unpacks whole members from the start of in, and appends them to out, which grows up to room
     * bytes; returns the bytes of in that they took. What is wrong or incomplete is left. */
    size_t (*whole)(struct codec_work *w, struct span in, struct buf *out, size_t room);
    /* A member as a stream: begin, then some, until it ends or fails; whole() may come between. */
    void (*begin)(struct codec_work *w);
    enum codec_state (*some)(struct codec_work *w, struct codec_some *s);
};
extern const struct codec codec_gzip, codec_zstd;

/* The dictionary that a file of zstd may begin with (WARC's): the bytes of the frame that holds
 * it, if p begins one (at least 8 bytes; else 0); and the dictionary that is in the frame,
 * false if it is none. */
#define ZSTD_DICTIONARY_MAX (16u << 20)
size_t zstd_dictionary_frame(const char *p, size_t n);
bool zstd_dictionary(struct span frame, struct buf *out);

#endif
