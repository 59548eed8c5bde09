/*
 * Collectives. One interface, three ways to run: solo (one rank), MPI (tundish_mpi.so, opened only
 * under a launcher), NCCL later.
 *
 * Determinism: every reduction combines ranks in one fixed binary tree over rank numbers, in f32
 * (or the type named), whatever the transport does. For r ranks: with step = 1, 2, 4, ..., rank i
 * (i a multiple of 2*step) becomes value(i) + value(i + step) where i + step < r. So 2^k ranks over
 * contiguous halves give the same bits as one rank that combines the same leaves in the same tree.
 *
 * Buffers are opaque: `where` says whether a pointer is host or device memory, `stream` is what
 * orders device work (NULL on a host). Counts are in elements of the type. All calls are collective
 * unless said otherwise, and every rank must make them in the same order.
 */
#ifndef TUNDISH_COMM_COMM_H
#define TUNDISH_COMM_COMM_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum comm_type { COMM_U8, COMM_F32, COMM_BF16, COMM_F64, COMM_I64 };
enum comm_op { COMM_SUM, COMM_MAX };
enum comm_where { COMM_HOST, COMM_DEVICE };

struct comm_buffer {
    void *p;
    size_t count;
    enum comm_type type;
    enum comm_where where;
    void *stream;
};

struct comm;
/* Solo, or the launcher's world (found by its environment variables; the module is opened then).
 * Called once, by a command. */
MUST_USE enum status comm_open(struct comm **out);
void comm_close(struct comm *c);
int comm_rank(const struct comm *c);
int comm_size(const struct comm *c);
const char *comm_transport(const struct comm *c); /* "solo", "mpi" */

MUST_USE enum status comm_barrier(struct comm *c);
MUST_USE enum status comm_broadcast(struct comm *c, const struct comm_buffer *b, int root);
/* In place; every rank gets the result of the tree above. */
MUST_USE enum status comm_all_reduce(struct comm *c, const struct comm_buffer *b, enum comm_op op);
/* in: comm_size * out.count elements; rank r gets the r-th part of the reduction. */
MUST_USE enum status comm_reduce_scatter(struct comm *c, const struct comm_buffer *in,
                                         const struct comm_buffer *out, enum comm_op op);
/* out: comm_size * in.count elements, in rank order. */
MUST_USE enum status comm_all_gather(struct comm *c, const struct comm_buffer *in,
                                     const struct comm_buffer *out);
/* Bytes with counts: send_counts[r] bytes go to rank r, laid out one after the other in rank order;
 * likewise received. */
struct comm_exchange {
    const void *send;
    const uint64_t *send_counts;
    void *receive;
    const uint64_t *receive_counts;
};
MUST_USE enum status comm_all_to_all(struct comm *c, const struct comm_exchange *x);
/* Between two ranks only. */
MUST_USE enum status comm_send(struct comm *c, const struct comm_buffer *b, int to);
MUST_USE enum status comm_receive(struct comm *c, const struct comm_buffer *b, int from);
/* After a failure of this rank among several: prints its message ("tundish COMMAND: error on rank ...") and ends all
 * ranks, so that none waits for ever. Does nothing where st is ST_OK, or c is solo or NULL. Not collective. */
void comm_abort(struct comm *c, const char *command, enum status st);

#endif
