/* Any bytes as Markdown: the text is no longer than the markup and one line break, and is UTF-8 where that is. */
#include "curate/text/markdown.h"
#include "tests/fuzz/fuzz_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct buf out = { 0 };

    markdown_text((struct span){ (const char *)p, n }, &out);
    CHECK(out.n <= 2 * n + 2);
    CHECK(!utf8_valid((const char *)p, n) || utf8_valid(out.p ? out.p : "", out.n));
    buf_release(&out);
    return 0;
}
