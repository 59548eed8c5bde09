/* Any bytes: an encoding is found or not; what is made of them is UTF-8. */
#include <stdlib.h>

#include "curate/html/charset.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct span bytes = { (const char *)p, n };
    const char *name = charset_guess(bytes);
    struct buf text = { 0 };

    charset_is_mostly_utf8(bytes);
    charset_convert(name != NULL ? name : CHARSET_WESTERN, bytes, &text);
    if (text.n > 0 && !utf8_valid(text.p, text.n))
        abort();
    if (text.n > 4 * n)
        abort();
    buf_release(&text);
    return 0;
}
