/*
 * The byte-level alphabet: 256 printable characters that stand for the 256 bytes in a
 * tokenizer.json, so that any bytes can be written there as text.
 *
 * Bytes 33..126, 161..172 and 174..255 stand for themselves as code points; the other 68
 * follow from U+0100 on, in byte order (Radford et al., GPT-2's encoder.py). Space is
 * U+0120, newline U+010A.
 */
#ifndef TUNDISH_STORE_BYTE_LEVEL_H
#define TUNDISH_STORE_BYTE_LEVEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* The code point that stands for a byte. */
uint32_t byte_level_char(uint8_t byte);
/* The bytes in the order of their code points: order[0] is 33 ('!'), order[255] is 173. */
void byte_level_order(uint8_t order[256]);
/* Appends the text that stands for the bytes. */
void byte_level_print(struct buf *out, struct span bytes);
/* Appends the bytes that the text stands for. False, and nothing appended, where a character is
 * not of the alphabet. */
bool byte_level_scan(struct buf *out, struct span text);

#endif
