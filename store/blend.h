/*
 * What a run reads its tokens from: one token store, or a blend of several (kind `token-blend`; FORMATS.md,
 * "token blend"): paths, content digests, weights and caps of epochs, made by `tundish store blend`.
 * All stores of a blend have the same tokenizer; the blend's folder carries its tokenizer.json, as a store does.
 */
#ifndef TUNDISH_STORE_BLEND_H
#define TUNDISH_STORE_BLEND_H

#include "store/sampling.h"

struct blend {
    struct arena arena;
    const char *path;
    struct sampling_source *sources; /* of one store: itself, weight 1, no cap */
    size_t count;
};
/* Opens the store, or the blend and each of its stores (found at the path that the blend has, else
 * relative to the blend's folder). A store whose content digest is another one than the blend's is refused, with what to do. */
MUST_USE enum status blend_open(const char *path, struct blend *out);
void blend_close(struct blend *b);
/* Over all stores. */
uint64_t blend_tokens(const struct blend *b, enum token_part part);

#endif
