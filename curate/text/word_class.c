#include "curate/text/word_class.h"

#include <pthread.h>
#include <string.h>

#include "base/arena.h"
#include "curate/text/word_tables.h"

#define BLOCK (1u << WORD_BLOCK_BITS)

static struct word_classes classes;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The flags of a block, from range r on, which is the first that ends in or behind it. */
static const struct word_range *fill_block(uint16_t *flags, uint32_t first, const struct word_range *r)
{
    memset(flags, 0, BLOCK * sizeof *flags);
    while (r->flags && r->first < first + BLOCK) {
        uint32_t from = r->first > first ? r->first : first;

        for (uint32_t cp = from; cp <= r->last && cp < first + BLOCK; cp++)
            flags[cp - first] = r->flags;
        if (r->last >= first + BLOCK)
            break;
        r++;
    }
    return r;
}

/* Equal blocks are kept once. */
static void fill(void)
{
    const struct word_range *r = word_ranges;
    size_t count = 0, cap = 0;

    for (uint32_t b = 0; b < sizeof classes.block / sizeof classes.block[0]; b++) {
        size_t same = 0;

        if (count == cap) {
            cap = cap ? 2 * cap : 64;
            classes.flags = mem_grow(classes.flags, cap, sizeof *classes.flags);
        }
        r = fill_block(classes.flags[count], b << WORD_BLOCK_BITS, r);
        while (memcmp(classes.flags[same], classes.flags[count], sizeof *classes.flags) != 0)
            same++;
        classes.block[b] = (uint16_t)same;
        count += same == count;
    }
    memcpy(classes.ascii, classes.flags[classes.block[0]], sizeof classes.ascii);
}

const struct word_classes *word_class_init(void)
{
    pthread_once(&once, fill);
    return &classes;
}
