/* Any bytes as an HTML page: the text is UTF-8 without NUL, and no longer than the page allows. */
#include <stdlib.h>

#include "curate/html/html.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct buf title = { 0 }, text = { 0 };
    struct html_result r = { .title = &title };

    if (html_main_text((const char *)p, n, &text, &r) != ST_OK)
        abort();
    if (text.n > 0 && (!utf8_valid(text.p, text.n) || strlen(text.p) != text.n))
        abort();
    if (title.n > 0 && !utf8_valid(title.p, title.n))
        abort();
    if (text.n > 64 * n + 64)     /* a tag of four bytes may become a bullet with its indentation */
        abort();
    buf_release(&title);
    buf_release(&text);
    return 0;
}
