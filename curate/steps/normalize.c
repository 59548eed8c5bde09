#include "curate/steps/normalize.h"

#include "curate/text/mojibake.h"

static const char *const unicode_choices[] = { "nfc", "none", NULL };

const struct opt normalize_opts[] = {
    OPT_CHOICE(struct normalize_cfg, unicode, "unicode", "nfc", unicode_choices,
               "normal form of Unicode"),
    OPT_BOOL(struct normalize_cfg, repair, "repair", "true",
             "replace bytes that are not UTF-8; off: drop such documents"),
    OPT_REAL(struct normalize_cfg, max_invalid, "max-invalid", "0.05", 0, 1,
             "share of characters that may be replacements"),
    OPT_BOOL(struct normalize_cfg, mojibake, "mojibake", "false",
             "mend UTF-8 that was read as another encoding (an e with an accent that became two signs)"),
    OPT_BOOL(struct normalize_cfg, newlines, "newlines", "true",
             "line ends of all kinds become LF"),
    OPT_BOOL(struct normalize_cfg, controls, "controls", "true", "take control characters out"),
    OPT_BOOL(struct normalize_cfg, trailing_spaces, "trailing-spaces", "true",
             "take spaces at line ends out"),
    OPT_INT(struct normalize_cfg, blank_lines, "blank-lines", "2", 0, 1e9,
            "most blank lines in a row"),
    OPT_END
};

const struct drop_reason *const normalize_reasons[] = { &drop_invalid_utf8, &drop_empty, NULL };

enum { COUNT_REPLACED, COUNT_REPAIRED, COUNT_CONTROLS, COUNT_LONG_RUNS, COUNT_MENDED, COUNT_MENDED_DOCUMENTS };
const char *const normalize_counters[] = {
    "replaced_characters", "repaired_documents", "removed_controls", "long_mark_runs",
    "mojibake_characters", "mojibake_documents", NULL,
};

/* ---- cleaning, in place: what is written never passes what is read ---- */

struct clean {
    const struct normalize_cfg *c;
    char *out;
    size_t n, line;          /* written; where the current line begins */
    int64_t blank;           /* blank lines just before it */
    uint64_t controls;       /* taken out */
};

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static void end_line(struct clean *k)
{
    while (k->c->trailing_spaces && k->n > k->line && is_blank(k->out[k->n - 1]))
        k->n--;
    if (k->n > k->line)
        k->blank = 0;
    else if (k->n == 0 || k->blank == k->c->blank_lines)
        return;
    else
        k->blank++;
    k->out[k->n++] = '\n';
    k->line = k->n;
}

/* What to do at a byte: nothing special, or one of these. */
enum { PLAIN, CONTROL, LINE_FEED, LINE_END, RETURN, TWO_BYTES, BYTE_ORDER_MARK };

static const uint8_t *actions(void)
{
    static const uint8_t table[256] = {
        [0 ... 8] = CONTROL, ['\n'] = LINE_FEED, ['\v'] = LINE_END,
        ['\f'] = LINE_END,   ['\r'] = RETURN,    [14 ... 31] = CONTROL,
        [127] = CONTROL,     [0xC2] = TWO_BYTES, [0xEF] = BYTE_ORDER_MARK,
    };

    return table;
}

/* Deals with the special byte at p; returns how many bytes it took. */
static size_t clean_special(struct clean *k, const unsigned char *p, size_t left, unsigned action)
{
    bool c1 = action == TWO_BYTES && left > 1 && p[1] < 0xA0;
    bool mark =
        action == BYTE_ORDER_MARK && left > 2 && memcmp(p, "\xEF\xBB\xBF", 3) == 0 && k->n == 0;
    size_t n = mark ? 3 : action == TWO_BYTES && left > 1 ? 2 : 1;
    bool ends = action == LINE_FEED || (k->c->newlines && (action == LINE_END || action == RETURN ||
                                                           (c1 && p[1] == 0x85)));

    if (ends) {
        end_line(k);
        return action == RETURN && left > 1 && p[1] == '\n' ? 2 : n;
    }
    if (k->c->controls && (action == CONTROL || action == LINE_END || c1 || mark)) {
        k->controls++;
        return n;
    }
    memmove(k->out + k->n, p, n);
    k->n += n;
    return n;
}

static size_t clean_text(const struct normalize_cfg *c, char *text, size_t n, uint64_t *controls)
{
    const uint8_t *action = actions();
    const unsigned char *p = (const unsigned char *)text, *end = p + n;
    struct clean k = { .c = c, .out = text };

    while (p < end) {
        const unsigned char *start = p;

        while (p < end && action[*p] == PLAIN)
            p++;
        memmove(k.out + k.n, start, (size_t)(p - start));
        k.n += (size_t)(p - start);
        if (p < end)
            p += clean_special(&k, p, (size_t)(end - p), action[*p]);
    }
    while (k.n > 0 && (k.out[k.n - 1] == '\n' || is_blank(k.out[k.n - 1])))
        k.n--;
    *controls += k.controls;
    return k.n;
}

/* ---- the step ---- */

static enum status repair(const struct normalize_cfg *c, struct doc *d, struct step_work *w)
{
    double most = c->repair ? c->max_invalid : 0, share;
    size_t replaced = doc_repair(d, &w->spare, &share);
    struct buf swap;

    doc_judge(d, &w->trace, &(struct trace_value){ &drop_invalid_utf8, share, most, TRACE_AT_MOST, share > most });
    if (d->dropped)
        return ST_OK;
    swap = d->text;
    d->text = w->spare;
    d->edits++;
    w->spare = swap;
    d->ill_formed = false;
    w->counts[COUNT_REPLACED] += replaced;
    w->counts[COUNT_REPAIRED]++;
    return ST_OK;
}

static void mend(struct doc *d, struct step_work *w)
{
    uint64_t made;
    struct buf swap;

    if (w->mojibake == NULL)
        w->mojibake = mojibake_new();
    made = mojibake_mend(w->mojibake, (struct span){ d->text.p, d->text.n }, &w->spare);
    if (made == 0)
        return;
    swap = d->text;
    d->text = w->spare;
    w->spare = swap;
    d->edits++;
    w->counts[COUNT_MENDED] += made;
    w->counts[COUNT_MENDED_DOCUMENTS]++;
}

enum status normalize_each(const void *cfg, struct doc *d, struct step_work *w)
{
    const struct normalize_cfg *c = cfg;

    if (d->ill_formed)
        TRY(repair(c, d, w));
    if (d->dropped)
        return ST_OK;
    if (c->mojibake)
        mend(d, w);
    d->edits++;
    if (d->text.n > 0)
        d->text.n = clean_text(c, d->text.p, d->text.n, &w->counts[COUNT_CONTROLS]);
    if (d->text.n == 0) {
        doc_judge(d, &w->trace, &(struct trace_value){ &drop_empty, 0, 1, TRACE_AT_LEAST, true });
        return ST_OK;
    }
    d->text.p[d->text.n] = 0;
    buf_clear(&w->spare);
    if (c->unicode == NORMALIZE_NFC && nfc_append(&w->spare, (struct span){ d->text.p, d->text.n },
                                                  &w->counts[COUNT_LONG_RUNS], &w->nfc)) {
        struct buf swap = d->text;

        d->text = w->spare;
        w->spare = swap;
    }
    return ST_OK;
}
