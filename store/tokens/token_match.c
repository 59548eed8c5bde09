#include "store/tokens/token_match.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define GROUP 64

struct token_match {
    uint32_t *tokens;
    size_t count;
    int width;
};

void token_places_add(struct token_places *p, uint64_t place)
{
    if (p->count == p->cap) {
        p->cap = p->cap ? 2 * p->cap : 16;
        p->v = mem_grow(p->v, p->cap, sizeof *p->v);
    }
    p->v[p->count++] = place;
}

void token_places_release(struct token_places *p)
{
    free(p->v);
    *p = (struct token_places){ 0 };
}

struct token_match *token_match_new(const uint32_t *tokens, size_t n, int width)
{
    struct token_match *m = mem_alloc(sizeof *m);

    m->tokens = mem_array(n, sizeof *m->tokens);
    memcpy(m->tokens, tokens, n * sizeof *tokens);
    m->count = n;
    m->width = width;
    return m;
}

void token_match_free(struct token_match *m)
{
    if (m == NULL)
        return;
    free(m->tokens);
    free(m);
}

size_t token_match_count(const struct token_match *m) { return m->count; }
const uint32_t *token_match_tokens(const struct token_match *m) { return m->tokens; }

/* Does one of GROUP places agree with a, and the one behind it with b? No early end, so that the
 * loop is vector code. */
static bool any_u16(const uint16_t *p, uint16_t a, uint16_t b)
{
    uint16_t any = 0;

    for (int i = 0; i < GROUP; i++)
        any |= (uint16_t)((p[i] == a) & (p[i + 1] == b));
    return any != 0;
}

static bool any_u32(const uint32_t *p, uint32_t a, uint32_t b)
{
    uint32_t any = 0;

    for (int i = 0; i < GROUP; i++)
        any |= (uint32_t)((p[i] == a) & (p[i + 1] == b));
    return any != 0;
}

static bool any_first_u16(const uint16_t *p, uint16_t a)
{
    uint16_t any = 0;

    for (int i = 0; i < GROUP; i++)
        any |= (uint16_t)(p[i] == a);
    return any != 0;
}

static bool any_first_u32(const uint32_t *p, uint32_t a)
{
    uint32_t any = 0;

    for (int i = 0; i < GROUP; i++)
        any |= (uint32_t)(p[i] == a);
    return any != 0;
}

static bool may_hold(const struct token_match *m, const void *row, uint64_t i)
{
    uint32_t a = m->tokens[0], b = m->count > 1 ? m->tokens[1] : 0;

    if (m->count > 1)
        return m->width == 2 ? any_u16((const uint16_t *)row + i, (uint16_t)a, (uint16_t)b)
                             : any_u32((const uint32_t *)row + i, a, b);
    return m->width == 2 ? any_first_u16((const uint16_t *)row + i, (uint16_t)a)
                         : any_first_u32((const uint32_t *)row + i, a);
}

static uint32_t element(const struct token_match *m, const void *row, uint64_t i)
{
    return m->width == 2 ? ((const uint16_t *)row)[i] : ((const uint32_t *)row)[i];
}

void token_match_find(const struct token_match *m, const void *row, uint64_t n, uint64_t at,
                      struct token_places *out)
{
    for (uint64_t i = 0; i < n;) {
        uint64_t end = n - i > GROUP ? i + GROUP : n;

        if (n - i > GROUP && !may_hold(m, row, i)) {
            i = end;
            continue;
        }
        for (; i < end; i++)
            if (element(m, row, i) == m->tokens[0] &&
                (m->count == 1 || i + 1 == n || element(m, row, i + 1) == m->tokens[1]))
                token_places_add(out, at + i);
    }
}
