/* Other processors run the portable scanners. */
#include "tokenize/pretok/scan.h"

const struct scan_level *scan_level(enum scan_level_id id)
{
    return id == SCAN_PORTABLE ? &scan_portable : NULL;
}
