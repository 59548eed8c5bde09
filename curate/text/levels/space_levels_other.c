/* Other processors run the portable level. */
#include "curate/text/space_bits.h"

space_bits_fn *space_bits_level(size_t i) { return i == 0 ? space_bits_portable : NULL; }
