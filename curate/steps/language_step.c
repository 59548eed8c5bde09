#include "curate/steps/language_step.h"

#include "curate/language/cld2_shim.h"
#include "curate/language/fasttext.h"
#include "curate/language/language_code.h"

static const char *const methods[] = { "cld2", "fasttext", NULL };
static const double least_of[] = { 0.5, 0.65 };

static enum status check_thresholds(const struct yaml *value);

const struct opt language_opts[] = {
    OPT_CHOICE(struct language_cfg, method, "method", "cld2", methods,
               "cld2: built in; fasttext: by the classifier `model`"),
    OPT_INPUT(struct language_cfg, model, "model", "a classifier of fastText, as lid.176.bin or lid.176.ftz", .value = "FILE"),
    OPT_LIST(struct language_cfg, keep, "keep", "codes of the languages that stay (en, de, zh); none: all"),
    OPT_REAL(struct language_cfg, threshold, "threshold", "-1", -1, 1,
             "least score of a document that stays; -1: the method's own, 0.5 with cld2, 0.65 with fasttext as datatrove "
             "has it (Curator: 0.3), where `keep` or `thresholds` is given"),
    OPT_TREE(struct language_cfg, thresholds, "thresholds", "the same for single languages, as {de: 0.5, fr: 0.4}",
             .check = check_thresholds),
    OPT_END
};

static const struct drop_reason unknown = {
    "language_unknown", "no language is found, or none reliably (0)",
};
static const struct drop_reason not_kept = {
    "language_not_kept", "the language is none of those that are kept (0)",
};
static const struct drop_reason score_low = {
    "language_score_low", "the language's score is too low",
};
static const struct drop_reason score_told = {
    "language_score", "the language's score",
};
const struct drop_reason *const language_reasons[] = { &unknown, &not_kept, &score_low, &score_told, NULL };

/* ---- options ---- */

static enum status check_code(const struct yaml *at, const char *text)
{
    char code[LANGUAGE_CODE];

    if (language_code(span_of(text), code) && language_code_exists(code))
        return ST_OK;
    return yaml_fail(at, "'%.40s' is no language's code; want one of ISO 639, as en, de or ceb", text);
}

static enum status check_thresholds(const struct yaml *value)
{
    if (value->kind != YAML_MAP)
        return yaml_fail(value, "want a map of languages to least scores, as {de: 0.5, fr: 0.4}");
    for (size_t i = 0; i < value->count; i++) {
        double score;

        TRY(check_code(value->keys[i], value->keys[i]->text));
        if (!yaml_as_real(value->items[i], &score) || !(score >= 0 && score <= 1))
            return yaml_fail(value->items[i], "want a score from 0 to 1 for the language '%s'", value->keys[i]->text);
    }
    return ST_OK;
}

enum status language_check(const void *cfg, const struct yaml *at)
{
    const struct language_cfg *c = cfg;

    if (c->method == LANGUAGE_FASTTEXT && c->model == NULL)
        return yaml_fail(at, "the method fasttext wants a `model`, as {method: fasttext, model: lid.176.ftz}");
    if (c->method == LANGUAGE_CLD2 && c->model != NULL)
        return yaml_fail(at, "a `model` is for the method fasttext; cld2 has its own");
    for (size_t i = 0; i < c->keep.count; i++)
        TRY(check_code(at, c->keep.v[i]));
    return ST_OK;
}

/* ---- what the options mean ---- */

struct language_code_text { char text[LANGUAGE_CODE]; };
struct language_rules {
    struct fasttext *model;                    /* NULL: CLD2 */
    struct language_code_text *labels;         /* of the model; "" : none */
    bool drops;
    struct language_code_text *keep;
    size_t keep_count;
    struct language_code_text *special;        /* languages with a threshold of their own */
    double *least, least_other;
    size_t special_count;
};

static void read_thresholds(const struct language_cfg *c, struct language_rules *r)
{
    size_t n = c->thresholds ? c->thresholds->count : 0;

    r->special = mem_array(n + 1, sizeof *r->special);
    r->least = mem_array(n + 1, sizeof *r->least);
    r->special_count = n;
    for (size_t i = 0; i < n; i++) {
        BUG_IF(!language_code(span_of(c->thresholds->keys[i]->text), r->special[i].text));
        BUG_IF(!yaml_as_real(c->thresholds->items[i], &r->least[i]));
    }
    r->least_other = c->threshold >= 0 ? c->threshold : least_of[c->method];
}

/* A language that the model does not know would be found in no document. */
static enum status check_keep(const struct language_cfg *c, const struct language_rules *r)
{
    for (size_t i = 0; i < r->keep_count; i++) {
        bool known = false;

        for (size_t j = 0; !known && j < fasttext_labels(r->model); j++)
            known = language_covers(r->keep[i].text, r->labels[j].text);
        if (!known)
            return fail(ST_CONFIG, "the model '%s' knows no language '%s', which `keep` wants: none of its %zu labels is one; leave the "
                        "language out, or take another model", c->model, c->keep.v[i], (size_t)fasttext_labels(r->model));
    }
    return ST_OK;
}

enum status language_load(void *cfg)
{
    struct language_cfg *c = cfg;
    struct language_rules *r = mem_alloc(sizeof *r);

    c->rules = r;
    read_thresholds(c, r);
    r->keep = mem_array(c->keep.count + 1, sizeof *r->keep);
    r->keep_count = c->keep.count;
    for (size_t i = 0; i < c->keep.count; i++)
        BUG_IF(!language_code(span_of(c->keep.v[i]), r->keep[i].text));
    r->drops = r->keep_count > 0 || r->special_count > 0 || c->threshold >= 0;
    if (c->method == LANGUAGE_FASTTEXT) {
        enum status st = fasttext_open(c->model, &r->model);

        if (st != ST_OK) {
            language_unload(c);
            return st;
        }
        r->labels = mem_array(fasttext_labels(r->model), sizeof *r->labels);
        for (size_t i = 0; i < fasttext_labels(r->model); i++)
            language_code(span_of(fasttext_label(r->model, i)), r->labels[i].text);
        st = check_keep(c, r);
        if (st != ST_OK) {
            language_unload(c);
            return st;
        }
    }
    return ST_OK;
}

void language_unload(void *cfg)
{
    struct language_cfg *c = cfg;

    if (c->rules == NULL)
        return;
    fasttext_close(c->rules->model);
    free(c->rules->labels);
    free(c->rules->keep);
    free(c->rules->special);
    free(c->rules->least);
    free(c->rules);
    c->rules = NULL;
}

enum status language_open(const void *cfg, void **state)
{
    const struct language_cfg *c = cfg;

    *state = c->rules->model ? fasttext_scratch_new(c->rules->model) : NULL;
    return ST_OK;
}

void language_close(void *state) { fasttext_scratch_free(state); }

/* ---- a document ---- */

struct found {
    char code[LANGUAGE_CODE];          /* "": none */
    double score;
};

static enum status ask_fasttext(const struct language_rules *r, const struct doc *d, void *state, struct found *out)
{
    struct fasttext_guess g;

    TRY(fasttext_predict(r->model, (struct span){ d->text.p, d->text.n }, state, &g));
    if (g.none)
        return ST_OK;
    memcpy(out->code, r->labels[g.label].text, LANGUAGE_CODE);
    out->score = g.probability < 1 ? g.probability : 1;      /* its logarithm has 0.00001 added */
    return ST_OK;
}

static enum status ask(const struct language_rules *r, const struct doc *d, void *state, struct found *out)
{
    struct cld2_guess g;

    *out = (struct found){ .score = 0 };
    if (r->model != NULL)
        return ask_fasttext(r, d, state, out);
    if (d->text.n > INT32_MAX)
        return fail(ST_LIMIT, "'%s' has %zu bytes; CLD2 takes less than 2 GiB", d->id, d->text.n);
    g = cld2_detect(d->text.n ? d->text.p : "", d->text.n);
    out->score = g.share;
    if (g.reliable)
        language_code(span_of(g.code), out->code);
    return ST_OK;
}

static bool is_kept(const struct language_rules *r, const char *code)
{
    bool kept = r->keep_count == 0;

    for (size_t i = 0; !kept && i < r->keep_count; i++)
        kept = language_covers(r->keep[i].text, code);
    return kept;
}

static double least_score(const struct language_rules *r, const char *code)
{
    for (size_t i = 0; i < r->special_count; i++)
        if (language_covers(r->special[i].text, code))
            return r->least[i];
    return r->least_other;
}

/* A rule that is kept or not, without a measure: 1 or 0, of at least 1. */
static bool judge_whether(struct doc *d, struct step_work *w, const struct drop_reason *rule, bool kept)
{
    return doc_judge(d, &w->trace, &(struct trace_value){ rule, kept, 1, TRACE_AT_LEAST, !kept });
}

static void judge(const struct language_rules *r, struct doc *d, struct step_work *w, const struct found *f)
{
    double least = least_score(r, f->code);

    if (judge_whether(d, w, &unknown, *f->code != 0))
        return;
    if (r->keep_count > 0 && judge_whether(d, w, &not_kept, is_kept(r, f->code)))
        return;
    doc_judge(d, &w->trace, &(struct trace_value){ &score_low, f->score, least, TRACE_AT_LEAST, f->score < least });
}

enum status language_each(const void *cfg, struct doc *d, struct step_work *w)
{
    const struct language_rules *r = ((const struct language_cfg *)cfg)->rules;
    struct found f;

    TRY(ask(r, d, w->state, &f));
    free(d->language);
    d->language = mem_strdup(*f.code ? f.code : "und");
    d->language_score = f.score;
    if (r->drops)
        judge(r, d, w, &f);
    else
        trace_add(&w->trace, &(struct trace_value){ &score_told, f.score, 0, TRACE_TELLS, false });
    return ST_OK;
}
