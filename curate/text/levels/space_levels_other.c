/* Other processors run the portable level. */
#include "curate/text/space_bits.h"

const struct space_level *space_level(size_t i) { return i == 0 ? &space_level_portable : NULL; }
