/* Between charset_guess.c and the table that is made for it. */
#ifndef TUNDISH_CURATE_CHARSET_PART_H
#define TUNDISH_CURATE_CHARSET_PART_H

#include <stddef.h>

enum charset_group {      /* languages that shared encodings */
    CHARSET_WEST,
    CHARSET_CENTRAL,
    CHARSET_TURKISH,
    CHARSET_BALTIC,
    CHARSET_SOUTH,
    CHARSET_CYRILLIC,
    CHARSET_GREEK,
    CHARSET_HEBREW,
    CHARSET_ARABIC,
    CHARSET_THAI,
    CHARSET_VIETNAMESE,
};

/* Pairs of letters of which at least one is not ASCII, lower case, '_': no letter; a digit w before those whose share of such pairs
 * is about 2 to the (w - 11). */
struct charset_language {
    enum charset_group group;
    const char *pairs;
};
extern const struct charset_language charset_languages[];      /* ends with pairs NULL */

#endif
