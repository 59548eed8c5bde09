#include "comm/comm.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/half.h"
#include "base/log.h"
#include "comm/transport.h"

/* Solo is the absence of a transport. */
struct comm {
    int rank, size;
    void *module;
    const struct comm_transport *via;
    unsigned char *scratch; /* what a sibling sent */
    size_t scratch_bytes;
};

enum {
    CHUNK = 4 << 20
}; /* bytes that a reduction moves at a time: the tree's sums stay in cache */

/* Variables by which launchers tell a process that it is one of several. */
static const char *const launchers[] = { "OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK" };

static size_t type_size(enum comm_type t)
{
    static const size_t sizes[] = {
        [COMM_U8] = 1, [COMM_F32] = 4, [COMM_BF16] = 2, [COMM_F64] = 8, [COMM_I64] = 8
    };

    return sizes[t];
}

static size_t bytes_of(const struct comm_buffer *b)
{
    BUG_IF(b->where != COMM_HOST); /* device memory comes with the device's transport */
    return b->count * type_size(b->type);
}

static enum status told(const struct comm *c, const char *what, const char *problem)
{
    return problem == NULL ? ST_OK : fail(ST_FAILED, "%s over %s: %s", what, c->via->name, problem);
}

/* ---- opening ---- */

static bool launched(void)
{
    for (size_t i = 0; i < sizeof launchers / sizeof launchers[0]; i++)
        if (getenv(launchers[i]) != NULL)
            return true;
    return false;
}

/* The module stands beside the program, or in ../lib/tundish of it. */
static void *load_module(char *tried, size_t n)
{
    static const char *const places[] = { "", "../lib/tundish/" };
    char exe[4096], path[4200];
    ssize_t length = readlink("/proc/self/exe", exe, sizeof exe - 1);
    void *module = NULL;

    exe[length < 0 ? 0 : length] = 0;
    if (strrchr(exe, '/') != NULL)
        strrchr(exe, '/')[1] = 0;
    for (size_t i = 0; i < 2 && module == NULL; i++) {
        snprintf(path, sizeof path, "%s%stundish_mpi.so", exe, places[i]);
        module = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
        if (module == NULL && (i == 0 || access(path, F_OK) == 0))
            snprintf(tried, n, "%s", dlerror());
    }
    return module;
}

static enum status open_transport(struct comm *c)
{
    char tried[1024] = "";
    const char *problem;
    comm_transport_loader *load;

    c->module = load_module(tried, sizeof tried);
    if (c->module == NULL)
        return fail(ST_UNSUPPORTED,
                    "started by mpirun, but the MPI part cannot be opened (%s): start it without "
                    "mpirun, or build "
                    "where Open MPI's development files are",
                    tried);
    load = (comm_transport_loader *)dlsym(c->module, "comm_transport_load");
    if (load == NULL || load()->version != COMM_TRANSPORT_VERSION)
        return fail(ST_UNSUPPORTED, "the MPI part belongs to another version of this program");
    problem = load()->open(&c->rank, &c->size);
    if (problem != NULL)
        return fail(ST_FAILED, "starting %s: %s", load()->name, problem);
    c->via = load();
    return ST_OK;
}

enum status comm_open(struct comm **out)
{
    struct comm *c = mem_alloc(sizeof *c);

    *c = (struct comm){ .rank = 0, .size = 1 };
    *out = c; /* also on failure: the caller closes it */
    return launched() ? open_transport(c) : ST_OK;
}

void comm_close(struct comm *c)
{
    if (c == NULL)
        return;
    if (c->via != NULL)
        c->via->close();
    free(c->scratch);
    free(c); /* the module stays loaded: MPI's own threads may still run in it */
}

int comm_rank(const struct comm *c) { return c->rank; }
int comm_size(const struct comm *c) { return c->size; }
const char *comm_transport(const struct comm *c) { return c->via == NULL ? "solo" : c->via->name; }

void comm_abort(struct comm *c, const char *command, enum status st)
{
    if (st == ST_OK || c == NULL || c->size == 1 || c->via == NULL)
        return;
    log_error("tundish %s: error on rank %d: %s", command, c->rank, fail_message());
    c->via->abort(status_exit_code(st));
}

/* ---- moving ---- */

enum status comm_barrier(struct comm *c)
{
    return c->via == NULL ? ST_OK : told(c, "barrier", c->via->barrier());
}

enum status comm_broadcast(struct comm *c, const struct comm_buffer *b, int root)
{
    return c->via == NULL ? ST_OK
                          : told(c, "broadcast", c->via->broadcast(b->p, bytes_of(b), root));
}

enum status comm_all_gather(struct comm *c, const struct comm_buffer *in,
                            const struct comm_buffer *out)
{
    BUG_IF(out->count != in->count * (size_t)c->size || out->type != in->type);
    if (c->via != NULL)
        return told(c, "all-gather", c->via->all_gather(in->p, bytes_of(in), out->p));
    memmove(out->p, in->p, bytes_of(in));
    return ST_OK;
}

enum status comm_all_to_all(struct comm *c, const struct comm_exchange *x)
{
    if (c->via != NULL)
        return told(c, "all-to-all",
                    c->via->all_to_all(x->send, x->send_counts, x->receive, x->receive_counts));
    BUG_IF(x->send_counts[0] != x->receive_counts[0]);
    memmove(x->receive, x->send, x->send_counts[0]);
    return ST_OK;
}

enum status comm_send(struct comm *c, const struct comm_buffer *b, int to)
{
    BUG_IF(c->via == NULL);
    return told(c, "send", c->via->send(b->p, bytes_of(b), to));
}

enum status comm_receive(struct comm *c, const struct comm_buffer *b, int from)
{
    BUG_IF(c->via == NULL);
    return told(c, "receive", c->via->receive(b->p, bytes_of(b), from));
}

/* ---- reducing, in the order that comm.h promises ---- */

#define COMBINE(name, T)                                                                           \
    static void combine_##name(void *into, const void *x, size_t n, enum comm_op op)               \
    {                                                                                              \
        T *a = into;                                                                               \
        const T *b = x;                                                                            \
        if (op == COMM_SUM)                                                                        \
            for (size_t i = 0; i < n; i++)                                                         \
                a[i] = (T)(a[i] + b[i]);                                                           \
        else                                                                                       \
            for (size_t i = 0; i < n; i++)                                                         \
                a[i] = b[i] > a[i] ? b[i] : a[i];                                                  \
    }
COMBINE(u8, uint8_t)
COMBINE(f32, float)
COMBINE(f64, double)
COMBINE(i64, int64_t)

static void combine_bf16(void *into, const void *x, size_t n, enum comm_op op)
{
    uint16_t *a = into;
    const uint16_t *b = x;

    for (size_t i = 0; i < n; i++) {
        float p = half_from_bf16(a[i]), q = half_from_bf16(b[i]);

        a[i] = half_to_bf16(op == COMM_SUM ? p + q : q > p ? q : p);
    }
}

static void combine(enum comm_type t, void *into, const void *x, size_t n, enum comm_op op)
{
    /* clang-format off */
    static void (*const by_type[])(void *, const void *, size_t, enum comm_op) = {
        [COMM_U8] = combine_u8, [COMM_F32] = combine_f32, [COMM_BF16] = combine_bf16,
        [COMM_F64] = combine_f64, [COMM_I64] = combine_i64,
    };
    /* clang-format on */

    by_type[t](into, x, n, op);
}

/* Up the tree: afterwards rank 0 has the reduction of this chunk. */
static enum status reduce_chunk(struct comm *c, void *p, size_t n, enum comm_type t,
                                enum comm_op op)
{
    size_t bytes = n * type_size(t);

    for (int step = 1; step < c->size; step *= 2) {
        if (c->rank % (2 * step) == step)
            return told(c, "reduction", c->via->send(p, bytes, c->rank - step));
        if (c->rank % (2 * step) == 0 && c->rank + step < c->size) {
            TRY(told(c, "reduction", c->via->receive(c->scratch, bytes, c->rank + step)));
            combine(t, p, c->scratch, n, op);
        }
    }
    return ST_OK;
}

enum status comm_all_reduce(struct comm *c, const struct comm_buffer *b, enum comm_op op)
{
    size_t width = type_size(b->type), most = CHUNK / width;

    (void)bytes_of(b);
    if (c->via == NULL)
        return ST_OK;
    if (c->scratch == NULL)
        c->scratch = mem_alloc(CHUNK);
    for (size_t first = 0; first < b->count; first += most) {
        size_t n = b->count - first < most ? b->count - first : most;
        char *p = (char *)b->p + first * width;

        TRY(reduce_chunk(c, p, n, b->type, op));
        TRY(told(c, "reduction", c->via->broadcast(p, n * width, 0)));
    }
    return ST_OK;
}

enum status comm_reduce_scatter(struct comm *c, const struct comm_buffer *in,
                                const struct comm_buffer *out, enum comm_op op)
{
    size_t bytes = bytes_of(out);
    enum status st;
    struct comm_buffer whole = *in;

    BUG_IF(in->count != out->count * (size_t)c->size || in->type != out->type);
    whole.p = mem_alloc(bytes_of(in)); /* `in` stays as it is */
    memcpy(whole.p, in->p, bytes_of(in));
    st = comm_all_reduce(c, &whole, op);
    memcpy(out->p, (char *)whole.p + (size_t)c->rank * bytes, bytes);
    free(whole.p);
    return st;
}
