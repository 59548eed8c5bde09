/*
 * GPT-2's pair of files: vocab.bpe (a line "#version: ...", then lines "a b" by rank) and
 * encoder.json (token -> id), both in the byte-level alphabet. Hugging Face calls them merges.txt
 * and vocab.json.
 */
#include <stdlib.h>

#include "store/formats/byte_level.h"
#include "tokenize/encode/bpe.h"
#include "tokenize/files/foreign.h"
#include "tokenize/files/json_big.h"
#include "tokenize/pretok/pretok.h"
#include "tokenize/text_map.h"

#define TOKENS_MAX (1u << 20)

struct pair {
    const char *what;
    struct foreign *f;
    struct text_map strings;         /* in the alphabet */
    size_t room;                     /* of f->tokens */
};

static enum status take_token(void *ctx, struct span token, int64_t id)
{
    struct pair *p = ctx;
    struct foreign *f = p->f;
    struct buf bytes = { 0 };

    if (id < 0 || id >= (int64_t)p->room)
        return fail(ST_FORMAT, "'%s': token '%.80s' has id %lld; want 0 to %zu", p->what, token.p,
                    (long long)id, p->room - 1);
    if (f->tokens[id].p != NULL || text_map_add(&p->strings, token, (uint32_t)id) != id)
        return fail(ST_FORMAT, "'%s': token '%.80s' or its id %lld stands twice", p->what, token.p,
                    (long long)id);
    if (!byte_level_scan(&bytes, token)) {
        buf_release(&bytes);
        return fail(ST_FORMAT, "'%s': token '%.80s' is not in the byte-level alphabet", p->what,
                    token.p);
    }
    f->tokens[id] = (struct span){ arena_strndup(&f->arena, bytes.p ? bytes.p : "", bytes.n),
                                   bytes.n };
    if (id >= f->count)
        f->count = (uint32_t)id + 1;
    buf_release(&bytes);
    return ST_OK;
}

static enum status take_merge(struct pair *p, struct span line, size_t number)
{
    struct foreign *f = p->f;
    const char *space = memchr(line.p, ' ', line.n);
    struct foreign_merge *m = &f->merges[f->merge_count++];
    struct span left, right;

    left = (struct span){ line.p, space ? (size_t)(space - line.p) : 0 };
    right = (struct span){ space ? space + 1 : line.p, space ? line.n - left.n - 1 : 0 };
    if (space == NULL || !text_map_get(&p->strings, left, &m->left) ||
        !text_map_get(&p->strings, right, &m->right))
        return fail(ST_FORMAT, "'%s': line %zu is not two tokens of the vocabulary with a space "
                               "between",
                    p->what, number);
    return ST_OK;
}

static enum status read_merges(struct pair *p, struct span text)
{
    size_t number = 0, lines = 1;

    for (size_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n';
    if (lines >= BPE_NO_RANK)
        return fail(ST_LIMIT, "'%s': %zu lines; want less than %u", p->what, lines, BPE_NO_RANK);
    p->f->merges = mem_array(lines, sizeof *p->f->merges);
    while (text.n > 0) {
        const char *stop = memchr(text.p, '\n', text.n);
        struct span line = { text.p, stop ? (size_t)(stop - text.p) : text.n };

        text.p += line.n + (stop != NULL);
        text.n -= line.n + (stop != NULL);
        number++;
        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        if (line.n == 0 || (number == 1 && line.p[0] == '#'))
            continue;
        TRY(take_merge(p, line, number));
    }
    return ST_OK;
}

/* "<|endoftext|>" stands in the vocabulary and is its one special token. */
static void find_end(struct pair *p)
{
    struct foreign *f = p->f;
    struct span name = span_of("<|endoftext|>");
    uint32_t id;

    if (!text_map_get(&p->strings, name, &id))
        return;
    f->specials = mem_array(1, sizeof *f->specials);
    f->specials[0] = (struct foreign_special){ name, id, true };
    f->special_count = 1;
}

enum status foreign_read_pair(const char *what, struct span vocab_bpe, struct span encoder,
                              struct foreign *f)
{
    struct pair p = { .what = what, .f = f, .room = encoder.n / 4 + 1 };
    enum status st;

    if (p.room > TOKENS_MAX)
        p.room = TOKENS_MAX;
    f->bytes = true;
    f->tokens = mem_array(p.room, sizeof *f->tokens);
    f->pattern = pretok_pattern_text("gpt2");
    text_map_init(&p.strings, 1024);
    st = json_big_vocab(encoder, what, &f->arena, take_token, &p);
    if (st == ST_OK)
        st = read_merges(&p, vocab_bpe);
    if (st == ST_OK)
        find_end(&p);
    text_map_release(&p.strings);
    return st;
}
