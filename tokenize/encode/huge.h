/*
 * Memory for tables that are read at random: in huge pages where the system has them, as most of the
 * time of a look-up in a table of megabytes is otherwise spent on finding its page. Pages that are
 * never touched cost nothing.
 */
#ifndef TUNDISH_TOKENIZE_HUGE_H
#define TUNDISH_TOKENIZE_HUGE_H

#include <stddef.h>

/* count * size bytes, zeroed, aligned to 64; never NULL. Give back with the same numbers. */
void *huge_array(size_t count, size_t size);
void huge_free(void *p, size_t count, size_t size);

#endif
