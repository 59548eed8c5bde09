#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/arena.h"

#define READ_SIZE ((size_t)256 << 10)   /* stays in the cache between its reading and its hashing */
#define AHEAD ((uint64_t)8 << 20)

struct sha256 {
    EVP_MD_CTX *ctx;
};

/* OpenSSL fails here only when it cannot load the algorithm or has no memory. */
static void must(int ok)
{
    BUG_IF(ok != 1);
}

/* Looked up once: a look-up a digest takes locks, and many small files are many digests. */
static const EVP_MD *algorithm;

static void find_algorithm(void)
{
    algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    must(algorithm != NULL);
}

struct sha256 *sha256_new(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct sha256 *h = mem_alloc(sizeof *h);

    pthread_once(&once, find_algorithm);
    h->ctx = EVP_MD_CTX_new();
    must(h->ctx != NULL);
    must(EVP_DigestInit_ex(h->ctx, algorithm, NULL));
    return h;
}

void sha256_add(struct sha256 *h, const void *p, size_t n)
{
    must(EVP_DigestUpdate(h->ctx, p, n));
}

void sha256_finish(struct sha256 *h, char hex[SHA256_HEX])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[32];

    must(EVP_DigestFinal_ex(h->ctx, digest, NULL));
    for (size_t i = 0; i < sizeof digest; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[64] = 0;
    EVP_MD_CTX_free(h->ctx);
    free(h);
}

void sha256_bytes(const void *p, size_t n, char hex[SHA256_HEX])
{
    struct sha256 *h = sha256_new();

    sha256_add(h, p, n);
    sha256_finish(h, hex);
}

/* The pages that come after next are asked for before these are hashed: the disk works meanwhile. */
static void read_ahead(int fd, uint64_t at, uint64_t size)
{
    if (at % AHEAD == 0 && at + AHEAD < size)
        (void)posix_fadvise(fd, (off_t)(at + AHEAD), (off_t)AHEAD, POSIX_FADV_WILLNEED);
}

static enum status add_file(struct sha256 *h, int fd, const struct sha256_reading *r,
                            uint64_t size, uint64_t *bytes)
{
    size_t room = size < READ_SIZE ? (size_t)size + 1 : READ_SIZE;
    char *chunk = mem_grow(NULL, room, 1);
    enum status st = ST_OK;
    ssize_t n;

    *bytes = 0;
    while (st == ST_OK && (n = read(fd, chunk, room)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            st = fail_errno(ST_IO, "cannot read '%s'", r->path);
            break;
        }
        sha256_add(h, chunk, (size_t)n);
        *bytes += (uint64_t)n;
        read_ahead(fd, *bytes, size);
        if (r->each)
            st = r->each(r->ctx, (size_t)n);
    }
    free(chunk);
    return st;
}

/* A device or a pipe has no end, or none that comes: opened without waiting, then refused. */
static enum status open_regular(const char *path, int *fd, struct stat *info)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0)
        return fail_errno(errno == ENOENT ? ST_MISSING : ST_IO, "cannot open '%s'", path);
    if (fstat(*fd, info) == 0 && S_ISREG(info->st_mode))
        return ST_OK;
    close(*fd);
    return fail(ST_UNSUPPORTED, "'%s' is not a regular file", path);
}

enum status sha256_read(const struct sha256_reading *r, char hex[SHA256_HEX], uint64_t *bytes)
{
    struct stat info;
    uint64_t n;
    struct sha256 *h;
    enum status st;
    int fd;

    TRY(open_regular(r->path, &fd, &info));
    if (r->before)
        *r->before = info;
    if (info.st_size > (off_t)READ_SIZE)
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    h = sha256_new();
    st = add_file(h, fd, r, (uint64_t)info.st_size, &n);
    sha256_finish(h, hex);
    if (st == ST_OK && r->after && fstat(fd, r->after) != 0)
        st = fail_errno(ST_IO, "cannot look at '%s'", r->path);
    close(fd);
    if (st == ST_OK && bytes)
        *bytes = n;
    return st;
}

enum status sha256_file(const char *path, char hex[SHA256_HEX], uint64_t *bytes)
{
    return sha256_read(&(struct sha256_reading){ .path = path }, hex, bytes);
}

uint64_t xxh3(const void *p, size_t n)
{
    return XXH3_64bits(p, n);
}

uint64_t xxh3_seed(const void *p, size_t n, uint64_t seed)
{
    return XXH3_64bits_withSeed(p, n, seed);
}

struct xxh3_parts {
    XXH3_state_t *state;
};

struct xxh3_parts *xxh3_parts_new(void)
{
    struct xxh3_parts *h = mem_alloc(sizeof *h);

    h->state = XXH3_createState();
    BUG_IF(h->state == NULL);
    XXH3_64bits_reset(h->state);
    return h;
}

void xxh3_parts_free(struct xxh3_parts *h)
{
    if (h == NULL)
        return;
    XXH3_freeState(h->state);
    free(h);
}

void xxh3_parts_add(struct xxh3_parts *h, const void *p, size_t n)
{
    XXH3_64bits_update(h->state, p, n);
}

uint64_t xxh3_parts_take(struct xxh3_parts *h)
{
    uint64_t hash = XXH3_64bits_digest(h->state);

    XXH3_64bits_reset(h->state);
    return hash;
}
