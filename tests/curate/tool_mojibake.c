/* Texts on standard input, each behind the other with a NUL at its end, come out mended in the same form. */
#include <stdio.h>

#include "curate/text/mojibake.h"

int main(void)
{
    struct mojibake *m = mojibake_new();
    struct buf in = { 0 }, out = { 0 };
    char block[65536];
    size_t n;

    while ((n = fread(block, 1, sizeof block, stdin)) > 0)
        buf_add(&in, block, n);
    for (size_t at = 0; at < in.n; at += n + 1) {
        const struct span text = { in.p + at, strlen(in.p + at) };
        const bool mended = mojibake_mend(m, text, &out) > 0;

        n = text.n;
        fwrite(mended ? out.p : text.p, 1, mended ? out.n : text.n, stdout);
        putchar(0);
    }
    buf_release(&in);
    buf_release(&out);
    mojibake_free(m);
    return 0;
}
