#include "serve/keys.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/crypto.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/hash.h"

enum { FILE_LIMIT = 1 << 20, SHORTEST = 16, LONGEST = 256 };

struct key {
    char digest[SHA256_HEX];
    char *name;
};
struct keys {
    struct key *list;
    int count;
};

static void digest_of(struct span key, char out[SHA256_HEX])
{
    memset(out, 0, SHA256_HEX);
    sha256_bytes(key.p, key.n, out);
}

static enum status add(struct keys *k, const char *path, int line, struct span key,
                       struct span name)
{
    struct key *at;
    char number[24];

    if (key.n < SHORTEST || key.n > LONGEST)
        return fail(ST_CONFIG, "%s:%d: a key of %zu characters, want %d to %d", path, line, key.n,
                    SHORTEST, LONGEST);
    for (size_t i = 0; i < key.n; i++)
        if (key.p[i] < 33 || key.p[i] > 126)
            return fail(ST_CONFIG, "%s:%d: character %zu of the key is not printable ASCII", path,
                        line, i + 1);
    if (keys_find(k, key) >= 0)
        return fail(ST_CONFIG, "%s:%d: this key stands in the file twice", path, line);
    k->list = mem_grow(k->list, (size_t)k->count + 1, sizeof *k->list);
    at = &k->list[k->count++];
    digest_of(key, at->digest);
    snprintf(number, sizeof number, "key %d", k->count);
    at->name = mem_alloc((name.n ? name.n : strlen(number)) + 1);
    memcpy(at->name, name.n ? name.p : number, name.n ? name.n : strlen(number));
    return ST_OK;
}

static struct span trimmed(struct span s)
{
    while (s.n > 0 && strchr(" \t\r", *s.p) != NULL) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && strchr(" \t\r", s.p[s.n - 1]) != NULL)
        s.n--;
    return s;
}

static enum status read_lines(struct keys *k, const char *path, const struct buf *text)
{
    const char *p = text->p, *end = p + text->n;

    for (int line = 1; p < end; line++) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        struct span all;
        size_t n;

        stop = stop == NULL ? end : stop;
        all = trimmed((struct span){ p, (size_t)(stop - p) });
        p = stop + 1;
        if (all.n == 0 || all.p[0] == '#')
            continue;
        for (n = 0; n < all.n && all.p[n] != ' ' && all.p[n] != '\t'; n++)
            ;
        TRY(add(k, path, line, (struct span){ all.p, n },
                trimmed((struct span){ all.p + n, all.n - n })));
    }
    if (k->count == 0)
        return fail(ST_CONFIG, "'%s' holds no key: nobody could come in", path);
    return ST_OK;
}

static enum status check_mode(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return fail_errno(ST_MISSING, "key file '%s'", path);
    if (st.st_mode & 077)
        return fail(ST_CONFIG, "other users may read or write '%s' (mode %03o): chmod 600 it", path,
                    (unsigned)(st.st_mode & 0777));
    return ST_OK;
}

enum status keys_open(const char *path, struct keys **out)
{
    struct keys *k = mem_alloc(sizeof *k);
    struct buf text = { 0 };
    enum status st = check_mode(path);

    if (st == ST_OK)
        st = file_read(path, FILE_LIMIT, &text);
    if (st == ST_OK)
        st = read_lines(k, path, &text);
    if (text.p != NULL)
        OPENSSL_cleanse(text.p, text.n);
    buf_release(&text);
    if (st != ST_OK) {
        keys_close(k);
        return st;
    }
    *out = k;
    return ST_OK;
}

void keys_close(struct keys *k)
{
    if (k == NULL)
        return;
    for (int i = 0; i < k->count; i++)
        free(k->list[i].name);
    free(k->list);
    free(k);
}

int keys_count(const struct keys *k) { return k->count; }

int keys_find(const struct keys *k, struct span key)
{
    char digest[SHA256_HEX];
    int found = -1;

    digest_of(key, digest);
    for (int i = 0; i < k->count; i++)
        if (CRYPTO_memcmp(k->list[i].digest, digest, SHA256_HEX) == 0)
            found = i;
    return found;
}

const char *keys_name(const struct keys *k, int number) { return k->list[number].name; }
