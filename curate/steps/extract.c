#include "curate/steps/extract.h"

#include "curate/html/charset.h"
#include "curate/html/html.h"
#include "curate/html/html_part.h"
#include "curate/text/markdown.h"

static const char *const html_choices[] = { "main", "all", "none", NULL };
static const char *const charset_choices[] = { "auto", "utf-8", NULL };
static const char *const markdown_choices[] = { "keep", "text", NULL };

const struct opt extract_opts[] = {
    OPT_CHOICE(struct extract_cfg, html, "html", "main", html_choices,
               "main: text without navigation; all: text of the whole page; "
               "none: the markup itself"),
    OPT_CHOICE(struct extract_cfg, markdown, "markdown", "keep", markdown_choices,
               "keep: Markdown as it is; text: without its markup"),
    OPT_CHOICE(struct extract_cfg, charset, "charset", "auto", charset_choices,
               "auto: find the encoding of text files and tables that are not UTF-8; utf-8: leave them to "
               "`normalize`. Web pages are always looked at"),
    OPT_END
};

static const struct drop_reason no_text = {
    "no_main_text", "an HTML page without any text of its own (0 bytes)",
};
const struct drop_reason *const extract_reasons[] = { &no_text, &drop_empty, NULL };

enum { COUNT_HTML, COUNT_TOO_DEEP, COUNT_ILL_FORMED, COUNT_CONVERTED };
const char *const extract_counters[] = { "html_documents", "html_too_deep", "not_utf8", "charset_converted", NULL };

/* All that a reader could see, navigation too: the tree of html_main_text()
 * with nothing weighed out. */
static enum status html_all_text(const char *bytes, size_t n, struct buf *out,
                                 struct html_result *result)
{
    struct html_tree t = { .title = result->title };
    struct buf utf8 = { 0 };
    enum status st;

    result->charset = html_decode((struct span){ bytes, n }, result->transport, &utf8);
    st = html_tree_build(&t, (struct span){ utf8.p, utf8.n });
    buf_release(&utf8);
    if (st == ST_OK && t.count > 0)
        html_write_text(&t, 0, out);
    for (size_t i = 0; i < result->title->n; i++)      /* on one line */
        if (strchr("\t\n\r", result->title->p[i]))
            result->title->p[i] = ' ';
    result->too_deep = t.too_deep;
    html_tree_release(&t);
    return st;
}

static enum status extract_page(const struct extract_cfg *c, struct doc *d, struct step_work *w)
{
    struct buf title = { 0 }, text = { 0 };
    struct html_result result = { .title = &title, .transport = d->charset };
    enum status st;

    if (c->html == EXTRACT_MAIN)
        st = html_main_text(d->text.p, d->text.n, &text, &result);
    else
        st = html_all_text(d->text.p, d->text.n, &text, &result);
    if (st != ST_OK) {
        buf_release(&title);
        buf_release(&text);
        return fail_within(st, "'%s': ", d->id);
    }
    buf_release(&d->text);
    d->text = text;
    d->edits++;
    free(d->title);
    d->title = title.n > 0 ? mem_strdup(title.p) : NULL;
    buf_release(&title);
    w->counts[COUNT_HTML]++;
    w->counts[COUNT_TOO_DEEP] += result.too_deep;
    w->counts[COUNT_CONVERTED] += result.charset != NULL && strcmp(result.charset, CHARSET_UTF8) != 0;
    return ST_OK;
}

/* Text in another encoding becomes UTF-8, if its transport or its bytes tell which; else it stays. A line of JSONL was UTF-8
 * or wrong, and so was a document whose format says so. */
static void find_charset(struct doc *d, struct step_work *w)
{
    struct span bytes = { d->text.p, d->text.n };
    const char *name = d->charset != NULL ? charset_of_label(d->charset, strlen(d->charset)) : NULL;
    bool valid = utf8_valid(bytes.p, bytes.n);
    struct buf text = { 0 };

    if (d->kind != RAW_TEXT && d->kind != RAW_MARKDOWN && d->kind != RAW_TABLE)
        return;
    if (name == NULL && valid && memchr(bytes.p, 27, bytes.n) == NULL)
        return;
    if (name == NULL || strcmp(name, CHARSET_UTF8) == 0 || (valid && strcmp(name, CHARSET_WESTERN) == 0))
        name = charset_guess(bytes);
    if (name == NULL || strcmp(name, CHARSET_UTF8) == 0)
        return;
    charset_convert(name, bytes, &text);
    buf_release(&d->text);
    d->text = text;
    d->edits++;
    w->counts[COUNT_CONVERTED]++;
}

static enum status drop_without_text(struct doc *d, struct step_work *w, const struct drop_reason *reason)
{
    doc_judge(d, &w->trace, &(struct trace_value){ reason, 0, 1, TRACE_AT_LEAST, true });
    return ST_OK;
}

static void extract_markdown(struct doc *d, struct step_work *w)
{
    struct buf swap = d->text;

    buf_clear(&w->spare);
    markdown_text((struct span){ d->text.p, d->text.n }, &w->spare);
    d->text = w->spare;
    w->spare = swap;
    d->edits++;
}

enum status extract_each(const void *cfg, struct doc *d, struct step_work *w)
{
    const struct extract_cfg *c = cfg;

    if (d->text.n == 0)
        return drop_without_text(d, w, &drop_empty);
    if (d->kind == RAW_HTML && c->html != EXTRACT_NONE) {
        TRY(extract_page(c, d, w));
        if (d->text.n == 0)
            return drop_without_text(d, w, &no_text);
    }
    if (d->kind == RAW_MARKDOWN && c->markdown == EXTRACT_MARKDOWN_TEXT) {
        extract_markdown(d, w);
        if (d->text.n == 0)
            return drop_without_text(d, w, &drop_empty);
    }
    if (c->charset == EXTRACT_AUTO)
        find_charset(d, w);
    d->ill_formed = !utf8_valid(d->text.p, d->text.n);
    w->counts[COUNT_ILL_FORMED] += d->ill_formed;
    return ST_OK;
}
