/* Any bytes as a document through normalize, the filter and the hashes of de-duplication. What comes out of normalize is UTF-8, and
 * going through it again changes nothing. */
#include "curate/filter/gopher.h"
#include "curate/steps/normalize.h"
#include "curate/dedup/shingles.h"

static const struct normalize_cfg all_of_it = {
    .unicode = NORMALIZE_NFC, .repair = true, .newlines = true, .controls = true, .trailing_spaces = true,
    .max_invalid = 1, .blank_lines = 2,
};

/* All rules on, with thresholds that none can break: every one is computed. */
static struct gopher_cfg every_rule(void)
{
    struct gopher_cfg c = { .repetition = true, .quality = true, .max_words = INT64_MAX, .max_mean_word = 1e9,
                            .max_symbols = 1e9, .max_bullets = 2, .max_ellipsis_lines = 2, .min_alpha_words = 1e-9 };

    for (int i = 0; i < GOPHER_REPETITION_RULES; i++)
        c.most[i] = 100;
    return c;
}

static void hash_it(const struct doc *d)
{
    struct shingles s = { 0 };

    shingles_of(&s, (struct span){ d->text.p, d->text.n }, 3);
    shingles_sample(&s, 2);
    shingles_set(&s);
    for (size_t i = 1; i < s.count; i++)
        BUG_IF(s.v[i - 1] >= s.v[i]);
    shingles_release(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct gopher_cfg rules = every_rule();
    struct step_work work = { 0 };
    struct doc d = { 0 };

    if (n == 0 || n > 65536)
        return 0;
    buf_add(&d.text, p, n);
    d.ill_formed = !utf8_valid(d.text.p, n);
    BUG_IF(normalize_each(&all_of_it, &d, &work) != ST_OK);
    if (d.dropped == NULL) {
        struct buf once = { 0 };

        BUG_IF(!utf8_valid(d.text.p, d.text.n) || d.text.n == 0);
        buf_add(&once, d.text.p, d.text.n);
        BUG_IF(normalize_each(&all_of_it, &d, &work) != ST_OK);
        BUG_IF(d.text.n != once.n || memcmp(d.text.p, once.p, once.n) != 0);
        buf_release(&once);
        BUG_IF(gopher_load(&rules) != ST_OK || gopher_each(&rules, &d, &work) != ST_OK);
        gopher_unload(&rules);
        hash_it(&d);
    }
    buf_release(&d.text);
    step_work_release(NULL, &work);
    return 0;
}
