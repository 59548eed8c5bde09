/*
 * gzip and zstd files of many members (a member a WARC record, a frame a block), unpacked ahead of
 * their reader by several threads, with the very bytes that one thread would give.
 *
 * The one idea: a packed stream is cut into pieces where something that looks like the start of a
 * member stands. Whoever is free unpacks the whole members at a piece's start, on the guess that it
 * is one. The reader goes through the pieces in order and knows where a member truly begins (where
 * the one before ended): a piece that begins there is taken as it was unpacked, everything else (a
 * false start, a member longer than a piece, damage) the reader unpacks itself, as a stream. Where
 * pieces begin depends on the bytes alone, so nothing depends on the number of threads. Checksums
 * are verified either way.
 *
 * Memory: (2 threads + 1) pieces of at most UNPACK_PIECE packed and UNPACK_ROOM unpacked bytes
 * (mostly far less), and the window of the stream. Threads are begun when a second piece is read.
 */
#ifndef TUNDISH_CURATE_SOURCE_UNPACK_H
#define TUNDISH_CURATE_SOURCE_UNPACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "curate/source/source_kind.h"

#define UNPACK_PIECE (512u << 10)
#define UNPACK_ROOM (8u << 20)
#define UNPACK_THREADS_MAX 8

struct input;
struct unpack;

bool unpack_can(enum archive_form form);
/* in: borrowed, read by the caller's thread alone. threads: beside the caller's, 0 to
 * UNPACK_THREADS_MAX. */
struct unpack *unpack_open(struct input *in, enum archive_form form, int threads);
void unpack_close(struct unpack *u);

enum unpack_what {
    UNPACK_BYTES,
    UNPACK_END,
    UNPACK_TRUNCATED,      /* the packed bytes end within a member, or the input failed */
    UNPACK_DAMAGED,        /* a member cannot be unpacked, or its checksum is wrong */
    UNPACK_GARBAGE,        /* something else follows behind a member */
};
/* The next unpacked bytes, at most max, valid until the next call; none but with UNPACK_BYTES.
 * After a fault: UNPACK_END, or (going on) what follows from the next sound member on. */
enum unpack_what unpack_next(struct unpack *u, size_t max, struct span *out);
/* Faults are gaps: unpacking goes on behind them. */
void unpack_go_on(struct unpack *u);
/* Packed bytes behind what has been given out; the same for any number of threads. */
uint64_t unpack_taken(const struct unpack *u);

#endif
