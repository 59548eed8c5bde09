#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/arena.h"

#define READ_SIZE ((size_t)256 << 10)

struct sha256 {
    EVP_MD_CTX *ctx;
};

/* OpenSSL fails here only when it cannot load the algorithm or has no memory. */
static void must(int ok)
{
    BUG_IF(ok != 1);
}

struct sha256 *sha256_new(void)
{
    struct sha256 *h = mem_alloc(sizeof *h);

    h->ctx = EVP_MD_CTX_new();
    must(h->ctx != NULL);
    must(EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL));
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

static enum status add_file(struct sha256 *h, int fd, const char *path, uint64_t *bytes)
{
    char *chunk = mem_grow(NULL, READ_SIZE, 1);
    ssize_t n;

    *bytes = 0;
    while ((n = read(fd, chunk, READ_SIZE)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        sha256_add(h, chunk, (size_t)n);
        *bytes += (uint64_t)n;
    }
    free(chunk);
    return n < 0 ? fail_errno(ST_IO, "cannot read '%s'", path) : ST_OK;
}

/* A device or a pipe has no end, or none that comes: opened without waiting, then refused. */
static enum status open_regular(const char *path, int *fd)
{
    struct stat info;

    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0)
        return fail_errno(errno == ENOENT ? ST_MISSING : ST_IO, "cannot open '%s'", path);
    if (fstat(*fd, &info) == 0 && S_ISREG(info.st_mode))
        return ST_OK;
    close(*fd);
    return fail(ST_UNSUPPORTED, "'%s' is not a regular file", path);
}

enum status sha256_file(const char *path, char hex[SHA256_HEX], uint64_t *bytes)
{
    uint64_t n;
    struct sha256 *h;
    enum status st;
    int fd;

    TRY(open_regular(path, &fd));
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    h = sha256_new();
    st = add_file(h, fd, path, &n);
    sha256_finish(h, hex);
    close(fd);
    if (st == ST_OK && bytes)
        *bytes = n;
    return st;
}

uint64_t xxh3(const void *p, size_t n)
{
    return XXH3_64bits(p, n);
}

uint64_t xxh3_seed(const void *p, size_t n, uint64_t seed)
{
    return XXH3_64bits_withSeed(p, n, seed);
}
