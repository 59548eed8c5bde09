/*
 * Megatron-LM's indexed dataset: PREFIX.bin, the tokens one after the other, and PREFIX.idx:
 *
 *   0   9   "MMIDIDX" 0 0
 *   9   8   version: 1
 *   17  1   type of a token: 1 u8, 2 i8, 3 i16, 4 i32, 5 i64, 6 f64, 7 f32, 8 u16
 *   18  8   S, sequences
 *   26  8   D, entries of the document list
 *   34      i32 lengths[S], in tokens
 *           i64 pointers[S], where a sequence begins in PREFIX.bin: the sum of the bytes before it
 *           i64 documents[D]: 0, then the sequence behind the last one of each document
 *           i8 modes[S], of multimodal data alone
 *
 * All little-endian. A document of ours is one sequence and one document there.
 */
#ifndef TUNDISH_STORE_MEGATRON_H
#define TUNDISH_STORE_MEGATRON_H

#include "base/str.h"
#include "store/tokens/tokens.h"

#define MEGATRON_HEAD 34
/* Megatron's choice of the type: u16 below so many entries, else i32. */
#define MEGATRON_U16_BELOW 65500u

/* A parsed PREFIX.idx. The spans point into its bytes. */
struct megatron_index {
    int width; /* bytes a token: 1, 2, 4 or 8 */
    bool is_signed;
    uint64_t sequences, documents;       /* documents: D - 1 */
    uint64_t tokens;                     /* of PREFIX.bin */
    const unsigned char *lengths, *ends; /* ends: D entries */
};
/* Checks every entry. bin_bytes: the size of PREFIX.bin. what names the .idx in errors, which say
 * the offset, the value seen and the value wanted. ST_UNSUPPORTED: real numbers, modes. (The fuzz
 * target.) */
MUST_USE enum status megatron_parse(const char *what, struct span idx, uint64_t bin_bytes,
                                    struct megatron_index *out);
/* Tokens of document d, a walk over its sequences (*sequences of them, from the one that the
 * document before ended at). */
uint64_t megatron_document(const struct megatron_index *x, uint64_t d, uint64_t *sequences);
/* n tokens at p as u32; one that is negative or does not fit is UINT32_MAX. */
void megatron_widen(const struct megatron_index *x, const unsigned char *p, uint64_t n,
                    uint32_t *out);

struct megatron_export {
    const struct token_store *store;
    enum token_part part;
    const char *prefix;
};
/* Writes both files, with the bytes that Megatron's own builder gives from the same ids
 * (megatron-core 0.20.0). What was there under these names is replaced: the old .idx goes first and
 * the new one comes last, so a pair is seen whole or without its .idx. Memory is bounded.
 * ST_CONFIG: a part without documents. */
MUST_USE enum status megatron_write(const struct megatron_export *e);

#endif
