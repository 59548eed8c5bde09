/* Every collective, for as many ranks as the launcher starts (alone: one). test_comm_mpi.sh runs it
 * under mpirun. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "comm/comm.h"

static struct comm *comm;

/* Values whose sum depends on the order of addition. */
static float value(int rank, size_t i)
{
    return (float)(rank % 2 == 0 ? 1e8 : 1) * (1.0f + (float)(i % 97) / 31.0f) + (float)rank;
}

/* The order that comm.h promises, computed by one rank. */
static float tree_sum(size_t i)
{
    int n = comm_size(comm);
    float *v = calloc((size_t)n, sizeof *v), sum;

    for (int r = 0; r < n; r++)
        v[r] = value(r, i);
    for (int step = 1; step < n; step *= 2)
        for (int r = 0; r + step < n; r += 2 * step)
            v[r] += v[r + step];
    sum = v[0];
    free(v);
    return sum;
}

static void sums_follow_the_tree(void **state)
{
    const size_t counts[] = { 1, 5, 1000, 3000001 }; /* the last is longer than one piece */

    for (int k = 0; k < 4; k++) {
        float *v = calloc(counts[k], sizeof *v);

        for (size_t i = 0; i < counts[k]; i++)
            v[i] = value(comm_rank(comm), i);
        assert_ok(comm_all_reduce(
            comm, &(struct comm_buffer){ .p = v, .count = counts[k], .type = COMM_F32 }, COMM_SUM));
        for (size_t i = 0; i < counts[k]; i += i / 50 + 1)
            assert_true(v[i] == tree_sum(i));
        free(v);
    }
}

static void other_types_reduce(void **state)
{
    int64_t i = comm_rank(comm) == comm_size(comm) - 1 ? 7 : -1;
    double d = comm_rank(comm) + 1;
    uint16_t half = 0x3f80; /* 1 in bf16 */
    int n = comm_size(comm);

    assert_ok(comm_all_reduce(comm, &(struct comm_buffer){ .p = &i, .count = 1, .type = COMM_I64 },
                              COMM_MAX));
    assert_int_equal(i, 7);
    assert_ok(comm_all_reduce(comm, &(struct comm_buffer){ .p = &d, .count = 1, .type = COMM_F64 },
                              COMM_SUM));
    assert_true(d == n * (n + 1) / 2);
    assert_ok(comm_all_reduce(
        comm, &(struct comm_buffer){ .p = &half, .count = 1, .type = COMM_BF16 }, COMM_SUM));
    assert_int_equal(half, n == 1 ? 0x3f80 : n == 2 ? 0x4000 : n == 3 ? 0x4040 : 0x4080);
}

static void parts_are_scattered_and_gathered(void **state)
{
    int n = comm_size(comm), rank = comm_rank(comm);
    float *all = calloc((size_t)n * 3, sizeof *all), *again = calloc((size_t)n * 3, sizeof *again),
          mine[3];

    for (int i = 0; i < n * 3; i++)
        all[i] = value(rank, (size_t)i);
    assert_ok(comm_reduce_scatter(
        comm, &(struct comm_buffer){ .p = all, .count = (size_t)n * 3, .type = COMM_F32 },
        &(struct comm_buffer){ .p = mine, .count = 3, .type = COMM_F32 }, COMM_SUM));
    for (size_t i = 0; i < 3; i++)
        assert_true(mine[i] == tree_sum((size_t)rank * 3 + i));
    assert_ok(comm_all_gather(
        comm, &(struct comm_buffer){ .p = mine, .count = 3, .type = COMM_F32 },
        &(struct comm_buffer){ .p = again, .count = (size_t)n * 3, .type = COMM_F32 }));
    for (size_t i = 0; i < (size_t)n * 3; i++)
        assert_true(again[i] == tree_sum(i));
    free(all);
    free(again);
}

/* Rank a sends a + b + 1 bytes of value a * 16 + b to rank b; from rank 0 to rank 0 nothing. */
static uint64_t exchanged(int a, int b) { return a == 0 && b == 0 ? 0 : (uint64_t)(a + b + 1); }

static void all_exchange_different_counts(void **state)
{
    int n = comm_size(comm), rank = comm_rank(comm);
    uint64_t out[16], in[16], sent = 0, got = 0;
    unsigned char send[1024], receive[1024];

    for (int r = 0; r < n; r++) {
        out[r] = exchanged(rank, r);
        in[r] = exchanged(r, rank);
        memset(send + sent, rank * 16 + r, out[r]);
        sent += out[r];
    }
    assert_ok(comm_all_to_all(comm, &(struct comm_exchange){ send, out, receive, in }));
    for (int r = 0; r < n; got += in[r], r++)
        for (uint64_t i = 0; i < in[r]; i++)
            assert_int_equal(receive[got + i], r * 16 + rank);
}

static void messages_arrive(void **state)
{
    int n = comm_size(comm), rank = comm_rank(comm);
    int64_t v = rank * 10;
    struct comm_buffer b = { .p = &v, .count = 1, .type = COMM_I64 };

    assert_ok(comm_broadcast(comm, &b, n - 1));
    assert_int_equal(v, (n - 1) * 10);
    v = rank;
    if (n > 1 && rank == 0)
        assert_ok(comm_send(comm, &b, 1));
    if (n > 1 && rank == 1) {
        assert_ok(comm_receive(comm, &b, 0));
        assert_int_equal(v, 0);
    }
    assert_ok(comm_barrier(comm));
    assert_string_equal(comm_transport(comm),
                        getenv("OMPI_COMM_WORLD_SIZE") == NULL ? "solo" : "mpi");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_follow_the_tree),
        cmocka_unit_test(other_types_reduce),
        cmocka_unit_test(parts_are_scattered_and_gathered),
        cmocka_unit_test(all_exchange_different_counts),
        cmocka_unit_test(messages_arrive),
    };
    int failed;

    if (comm_open(&comm) != ST_OK) {
        print_error("%s\n", fail_message());
        return 1;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_close(comm);
    return failed;
}
