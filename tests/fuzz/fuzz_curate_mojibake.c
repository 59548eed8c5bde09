/* Any text: what is mended is UTF-8 and shorter, lines that were not suspicious are as before, and a mended text that
 * is looked at again in one piece shows no more than the rounds left over. */
#include "curate/text/mojibake.h"
#include "tests/fuzz/fuzz_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static struct mojibake *m;
    struct buf text = { 0 }, out = { 0 };
    uint64_t made;
    size_t clean;

    if (m == NULL)
        m = mojibake_new();
    utf8_repair(&text, (const char *)p, n);
    buf_adds(&text, "");
    clean = mojibake_scan(m, (struct span){ text.p, text.n });
    made = mojibake_mend(m, (struct span){ text.p, text.n }, &out);
    if (made > 0) {
        CHECK(utf8_valid(out.p, out.n));
        CHECK(out.n < text.n && clean < text.n);
        CHECK(utf8_length(out.p, out.n) < utf8_length(text.p, text.n));
        CHECK(memcmp(out.p, text.p, clean) == 0);
    }
    buf_release(&text);
    buf_release(&out);
    return 0;
}
