/*
 * The order in which a source's documents come: a seeded permutation of them each epoch
 * (base/rng.h), one epoch after the other. A document has a place in this endless sequence:
 * epoch * documents + its number in the epoch's order.
 *
 * Where a document's tokens begin in the epoch is known from a sparse index: running sums of
 * lengths, one every 8 documents (more, where that would be more than 2^23 sums), made as far as
 * somebody asks and kept for two epochs, since rows straddle their border. Who reads many rows of
 * one stretch of the sequence, in any order, has its documents looked up once, and kept.
 */
#ifndef TUNDISH_STORE_SAMPLE_ORDER_H
#define TUNDISH_STORE_SAMPLE_ORDER_H

#include "store/tokens/tokens.h"

/* Of ascending sums, the number of the last that is at most `value`; 0 if there is none. */
uint64_t sample_search(const uint64_t *sums, uint64_t count, uint64_t value);

#define SAMPLE_ORDER_EVERY  8
#define SAMPLE_ORDER_STARTS ((uint64_t)1 << 23) /* at most: 64 MiB */

struct sample_epoch {
    uint64_t epoch, seed;
    bool used;
    uint64_t *starts; /* [documents / every + 1]: tokens before document i * every */
    uint64_t count;   /* how many are known, at least 1 once starts is there */
};
/* Documents that stand together. */
struct sample_stretch {
    uint64_t token, end;          /* as was asked for */
    uint64_t place;               /* of the first document */
    uint64_t *documents, *begins; /* [count], [count + 1]: as in struct sample_spot */
    uint64_t count, capacity;
};
#define SAMPLE_STRETCH_MOST ((uint64_t)1 << 19) /* documents: 8 MiB */
struct sample_order {
    const struct token_store *store;
    uint64_t documents, tokens; /* of the train part, both at least 1 */
    uint64_t every;             /* documents between two sums of the index */
    uint64_t seed;
    uint64_t digest; /* the first 8 bytes of the store's content digest */
    struct sample_epoch epochs[2];
    struct sample_stretch stretch;
};
void sample_order_init(struct sample_order *o, const struct token_store *store, uint64_t seed);
void sample_order_release(struct sample_order *o);
/* The number in the store of the document at a place of the sequence. */
uint64_t sample_order_document(struct sample_order *o, uint64_t place);
/* The inverse in epoch 0: the place of a document there. */
uint64_t sample_order_place(struct sample_order *o, uint64_t document);
/* The next document that is not empty behind one of an epoch. */
uint64_t sample_order_after(struct sample_order *o, uint64_t epoch, uint64_t document);
/* How many tokens the documents before a place of epoch 0 have. */
uint64_t sample_order_begin(struct sample_order *o, uint64_t place);
/* The seed of the order of a window's rows, which begins at a place (PACK_CONCAT: at a token). */
uint64_t sample_order_rows_seed(const struct sample_order *o, uint64_t place);

/* Where a token of the endless sequence of tokens stands. */
struct sample_spot {
    uint64_t place; /* of its document */
    uint64_t begin; /* the document's first token, in the endless sequence of tokens */
    uint64_t document, length;
};
/* The document that holds a token. O(log documents) and `every` steps once the index reaches
 * it. */
void sample_order_find(struct sample_order *o, uint64_t token, struct sample_spot *out);
/* Looks up the documents of the tokens [token, end), all of one epoch, and keeps them (at most
 * SAMPLE_STRETCH_MOST, the first) for the calls that follow, which are then O(log documents) at the
 * most. Nothing to do if it was the last to be asked for. */
void sample_order_gather(struct sample_order *o, uint64_t token, uint64_t end);
/* The next document that is not empty. */
void sample_order_next(struct sample_order *o, struct sample_spot *spot);

#endif
