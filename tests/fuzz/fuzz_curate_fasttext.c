/* Hostile models of fastText: refused with words, or they give a text one of their labels, or none. */
#include <math.h>

#include "curate/language/fasttext.h"
#include "tests/fuzz/fuzz_check.h"

static void use(const struct fasttext *m)
{
    static const char text[] = "all human \xD7\x91\xD7\xA0\xD7\x99 </s\xFF beings, all\nfree";
    struct fasttext_scratch *s = fasttext_scratch_new(m);
    struct fasttext_guess g;
    enum status st = fasttext_predict(m, span_of(text), s, &g);

    if (st != ST_OK)
        CHECK(*fail_message());
    else if (!g.none) {
        CHECK(g.label < fasttext_labels(m));
        CHECK(strlen(fasttext_label(m, g.label)) < 65536);
        CHECK(g.probability >= 0 && g.probability < 1.01);
    }
    fasttext_scratch_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct fasttext *m = NULL;

    if (fasttext_over("fuzz", (struct span){ (const char *)p, n }, &m) == ST_OK)
        use(m);
    else
        CHECK(*fail_message());
    fasttext_close(m);
    return 0;
}
