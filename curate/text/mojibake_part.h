/* The inside of mojibake.h: encodings and what they make suspicious (mojibake.c), weighing (mojibake_weigh.c). */
#ifndef TUNDISH_CURATE_MOJIBAKE_PART_H
#define TUNDISH_CURATE_MOJIBAKE_PART_H

#include "curate/text/mojibake.h"

#define MOJIBAKE_ENCODINGS 9
#define MOJIBAKE_CODES 0x2800      /* code points below this one are in the tables; no encoding needs others */
extern const uint16_t mojibake_tables[MOJIBAKE_ENCODINGS][128];

/* A piece of text as characters. */
struct piece {
    const uint32_t *c;
    size_t n;
    const uint8_t (*bytes)[MOJIBAKE_ENCODINGS];      /* of each character in each encoding; 0: none */
};
/* What stands at a place: how many characters make a sequence (0: none), and what they would become. */
struct sequence {
    size_t n;
    uint32_t becomes;
};
struct sequence mojibake_sequence(const struct piece *p, size_t i, int encoding);
bool mojibake_is_letter(uint32_t c);
/* How much better the piece would be; at least MOJIBAKE_BETTER: clearly. mend[i]: a sequence begins that should be
 * replaced (n entries, zeroed). */
#define MOJIBAKE_BETTER 2
int mojibake_weigh(const struct piece *p, int encoding, bool *mend);

#endif
