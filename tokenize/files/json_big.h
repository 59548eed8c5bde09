/*
 * The two members of a tokenizer.json that are nearly all of it, `vocab` and `merges` of `model`,
 * read without a tree of values: a general reader takes half a second for them, most of it
 * for objects that are looked at once.
 *
 * The file is walked once to see where they lie; what is left of it, with {} and [] in their place, goes
 * to the general reader, which checks it. The members themselves are read here, strictly.
 */
#ifndef TUNDISH_TOKENIZE_JSON_BIG_H
#define TUNDISH_TOKENIZE_JSON_BIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

struct json_big {
    struct span vocab, merges;       /* the members' text with their brackets; p NULL: not there */
};
/* Where they lie in the text, which need not be JSON. */
void json_big_find(struct span text, struct json_big *big);
/* Appends the text without them. */
void json_big_rest(struct span text, const struct json_big *big, struct buf *out);

/* Reads {"token": id, ...}: calls take for each. The tokens lie in the arena, with a final NUL.
 * what names the file. */
typedef enum status json_vocab_fn(void *ctx, struct span token, int64_t id);
MUST_USE enum status json_big_vocab(struct span text, const char *what, struct arena *a,
                                    json_vocab_fn *take, void *ctx);
/* Reads ["a b", ["a", "b"], ...] in either form; both sides lie in the arena. */
typedef enum status json_merge_fn(void *ctx, size_t rank, struct span left, struct span right);
MUST_USE enum status json_big_merges(struct span text, const char *what, struct arena *a,
                                     json_merge_fn *take, void *ctx);

#endif
