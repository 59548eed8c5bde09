/*
 * The symbols that a piece begins with, before anything is merged, for vocabularies whose symbols
 * are characters (SentencePiece's kind), or that lack bytes.
 *
 * A character that has no token becomes the tokens <0xHH> of its bytes if the file says
 * byte_fallback and has all of them, else the unknown token (a run of them one, with fuse_unk), else
 * nothing, as in Hugging Face's BPE. In a byte-level vocabulary the characters are the 256 of
 * store/formats/byte_level.h, that is, bytes.
 */
#ifndef TUNDISH_TOKENIZE_SYMBOLS_H
#define TUNDISH_TOKENIZE_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define NO_TOKEN UINT32_MAX

struct symbols;
struct symbol_args {
    bool bytes;                      /* symbols are bytes */
    const uint32_t *byte_id;         /* [256] of bytes, or of <0xHH>; NO_TOKEN: none; borrowed */
    bool byte_fallback, fuse_unk;    /* characters only */
    uint32_t unk;                    /* or NO_TOKEN */
};
struct symbols *symbols_new(const struct symbol_args *args);
void symbols_free(struct symbols *s);
/* Where a character stands in its piece: continuing_subword_prefix and end_of_word_suffix make the
 * tokens different. */
enum symbol_place { SYMBOL_FIRST = 0, SYMBOL_INNER = 1, SYMBOL_LAST = 2, SYMBOL_PLACES = 4 };
/* The token of a character; place: SYMBOL_FIRST or SYMBOL_INNER, plus SYMBOL_LAST. */
void symbols_add(struct symbols *s, uint32_t cp, int place, uint32_t id);
uint32_t symbols_unk(const struct symbols *s);
/* Also of NULL, which a tokenizer has whose symbols are all 256 bytes. */
bool symbols_are_bytes(const struct symbols *s);

/* The symbols of a piece (well-formed UTF-8; any bytes where symbols are bytes) into ids, which has
 * room for piece.n; returns how many. */
size_t symbols_of(const struct symbols *s, struct span piece, uint32_t *ids);

#endif
