/*
 * The MPI transport: built as tundish_mpi.so, opened only under a launcher, so that the program
 * itself needs no MPI.
 *
 * MPI counts are ints: longer messages go in pieces of 1 GiB, in order.
 */
#include <mpi.h>
#include <stdlib.h>
#include <string.h>

#include "comm/transport.h"

enum { PIECE = 1 << 30, TAG = 7 };

static char problem[MPI_MAX_ERROR_STRING + 1];

static const char *result(int code)
{
    int length = 0;

    if (code == MPI_SUCCESS)
        return NULL;
    if (MPI_Error_string(code, problem, &length) != MPI_SUCCESS)
        memcpy(problem, "unknown error", sizeof "unknown error");
    return problem;
}

static const char *mpi_open(int *rank, int *size)
{
    int given, code = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &given);

    if (code == MPI_SUCCESS)
        code = MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    if (code == MPI_SUCCESS)
        code = MPI_Comm_rank(MPI_COMM_WORLD, rank);
    if (code == MPI_SUCCESS)
        code = MPI_Comm_size(MPI_COMM_WORLD, size);
    return result(code);
}

static void mpi_close(void) { MPI_Finalize(); }

static const char *mpi_barrier(void) { return result(MPI_Barrier(MPI_COMM_WORLD)); }

static int piece(size_t left) { return left < PIECE ? (int)left : PIECE; }

static const char *mpi_send(const void *p, size_t bytes, int to)
{
    int code = MPI_SUCCESS;

    for (size_t done = 0; done < bytes && code == MPI_SUCCESS; done += (size_t)piece(bytes - done))
        code = MPI_Send((const char *)p + done, piece(bytes - done), MPI_BYTE, to, TAG,
                        MPI_COMM_WORLD);
    return result(code);
}

static const char *mpi_receive(void *p, size_t bytes, int from)
{
    int code = MPI_SUCCESS;

    for (size_t done = 0; done < bytes && code == MPI_SUCCESS; done += (size_t)piece(bytes - done))
        code = MPI_Recv((char *)p + done, piece(bytes - done), MPI_BYTE, from, TAG, MPI_COMM_WORLD,
                        MPI_STATUS_IGNORE);
    return result(code);
}

static const char *mpi_broadcast(void *p, size_t bytes, int root)
{
    int code = MPI_SUCCESS;

    for (size_t done = 0; done < bytes && code == MPI_SUCCESS; done += (size_t)piece(bytes - done))
        code = MPI_Bcast((char *)p + done, piece(bytes - done), MPI_BYTE, root, MPI_COMM_WORLD);
    return result(code);
}

static const char *mpi_all_gather(const void *in, size_t bytes, void *out)
{
    int rank, size;
    const char *bad;

    if (bytes < PIECE)
        return result(
            MPI_Allgather(in, (int)bytes, MPI_BYTE, out, (int)bytes, MPI_BYTE, MPI_COMM_WORLD));
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    memmove((char *)out + (size_t)rank * bytes, in, bytes);
    for (int r = 0; r < size; r++)
        if ((bad = mpi_broadcast((char *)out + (size_t)r * bytes, bytes, r)) != NULL)
            return bad;
    return NULL;
}

/* One piece between each pair at a time: sendrecv in a ring of distances, so that no pair waits for
 * another. Both ends know the counts, so a side with nothing left takes no part. */
static const char *exchange(const char *send, size_t send_bytes, int to, char *receive,
                            size_t receive_bytes, int from)
{
    int code = MPI_SUCCESS;

    while ((send_bytes > 0 || receive_bytes > 0) && code == MPI_SUCCESS) {
        int s = piece(send_bytes), r = piece(receive_bytes);

        code =
            MPI_Sendrecv(send, s, MPI_BYTE, s > 0 ? to : MPI_PROC_NULL, TAG, receive, r, MPI_BYTE,
                         r > 0 ? from : MPI_PROC_NULL, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        send += s;
        receive += r;
        send_bytes -= (size_t)s;
        receive_bytes -= (size_t)r;
    }
    return result(code);
}

static uint64_t offset(const uint64_t *counts, int rank)
{
    uint64_t sum = 0;

    for (int r = 0; r < rank; r++)
        sum += counts[r];
    return sum;
}

static const char *mpi_all_to_all(const void *send, const uint64_t *send_counts, void *receive,
                                  const uint64_t *receive_counts)
{
    int rank, size;

    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    for (int distance = 0; distance < size; distance++) {
        int to = (rank + distance) % size, from = (rank - distance + size) % size;
        const char *bad =
            exchange((const char *)send + offset(send_counts, to), send_counts[to], to,
                     (char *)receive + offset(receive_counts, from), receive_counts[from], from);

        if (bad != NULL)
            return bad;
    }
    return NULL;
}

static void mpi_abort(int exit_code) { MPI_Abort(MPI_COMM_WORLD, exit_code); }

const struct comm_transport *comm_transport_load(void);
const struct comm_transport *comm_transport_load(void)
{
    static const struct comm_transport t = {
        .version = COMM_TRANSPORT_VERSION,
        .name = "mpi",
        .open = mpi_open,
        .close = mpi_close,
        .barrier = mpi_barrier,
        .send = mpi_send,
        .receive = mpi_receive,
        .broadcast = mpi_broadcast,
        .all_gather = mpi_all_gather,
        .all_to_all = mpi_all_to_all,
        .abort = mpi_abort,
    };

    return &t;
}
