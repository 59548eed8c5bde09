/*
 * The task bits_per_byte: how many bits the model needs for each byte of the validation documents,
 * end-of-text tokens included, beside what `xz -9` needs for the same bytes, alone and after it has
 * read the training text.
 */
#ifndef TUNDISH_EVALUATE_BITS_PER_BYTE_H
#define TUNDISH_EVALUATE_BITS_PER_BYTE_H

#include "base/pool.h"
#include "base/str.h"
#include "model/model.h"
#include "store/sampling/blend_part.h"
#include "tokenize/tokenizer.h"

struct bits_args {
    struct model *model;
    struct pool *pool;
    const struct blend *blend; /* its stores' validation parts, one after the other */
    const struct tokenizer *tokenizer;
    int64_t length;       /* window; 0: the model's context */
    uint64_t prime_bytes; /* of training text for the primed yardstick; 0: leave it out */
};
struct bits_result {
    uint64_t documents, tokens, bytes;
    double bits_per_byte, nats_per_token;
    double xz, xz_primed;       /* bits per byte; xz_primed < 0: left out */
    struct buf documents_jsonl; /* {"id", "bytes", "tokens", "bits"} a line, in store order; the
                                   caller releases it */
};
MUST_USE enum status bits_per_byte(const struct bits_args *args, struct bits_result *out);

#endif
