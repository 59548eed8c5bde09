#include "curate/chain/step.h"

#include "curate/dedup/dedup.h"
#include "curate/steps/extract.h"
#include "curate/filter/code.h"
#include "curate/filter/curator.h"
#include "curate/filter/dolma.h"
#include "curate/filter/c4.h"
#include "curate/filter/fineweb.h"
#include "curate/filter/gopher.h"
#include "curate/steps/command_step.h"
#include "curate/steps/language_step.h"
#include "curate/steps/normalize.h"
#include "curate/steps/sample_docs.h"
#include "curate/steps/shuffle.h"
#include "curate/steps/split.h"
#include "curate/text/mojibake.h"
#include "curate/text/space_scan.h"

const char chain_default[] =
    "[extract, normalize, {filter: {profile: gopher@datatrove}}, {dedup: {method: exact}}, "
    "{dedup: {method: minhash}}, {dedup: {method: containment}}]";

const struct drop_reason drop_invalid_utf8 = {
    "invalid_utf8", "share of characters that are not UTF-8 is too large",
};
const struct drop_reason drop_empty = { "empty", "no text is left (0 bytes)" };

const struct step_kind step_kinds[] = {
    { .name = "extract", .help = "text from raw bytes; always the first step",
      .main = "html", .opts = extract_opts, .cfg_size = sizeof(struct extract_cfg),
      .reasons = extract_reasons, .counters = extract_counters, .takes_bytes = true,
      .each = extract_each },
    { .name = "normalize", .help = "one form of Unicode, line ends and blanks",
      .opts = normalize_opts, .cfg_size = sizeof(struct normalize_cfg),
      .reasons = normalize_reasons, .counters = normalize_counters, .takes_bytes = true,
      .each = normalize_each },
    { .name = "language", .help = "finds the language, and keeps those that are wanted",
      .main = "keep", .opts = language_opts, .cfg_size = sizeof(struct language_cfg), .reasons = language_reasons,
      .check = language_check, .load = language_load, .unload = language_unload,
      .open = language_open, .close = language_close, .each = language_each },
    { .name = "command", .help = "passes documents through any program, as lines of JSON",
      .main = "run", .opts = command_opts, .cfg_size = sizeof(struct command_cfg), .reasons = command_reasons,
      .counters = command_counters, .check = command_check,
      .open = command_open, .close = command_close, .each = command_each },
    { .name = "filter", .key = "profile", .variant = "gopher@datatrove",
      .help = "drops what is not prose, by Gopher's repetition and quality rules "
              "as datatrove has them",
      .opts = gopher_opts, .cfg_size = sizeof(struct gopher_cfg), .reasons = gopher_reasons,
      .load = gopher_load, .unload = gopher_unload, .each = gopher_each },
    { .name = "filter", .key = "profile", .variant = "c4@datatrove",
      .help = "leaves out lines that are no sentences, by C4's rules as datatrove has them",
      .opts = c4_opts, .cfg_size = sizeof(struct c4_cfg), .reasons = c4_reasons, .counters = c4_counters,
      .load = c4_load, .unload = c4_unload, .open = c4_open, .close = c4_close, .each = c4_each },
    { .name = "filter", .key = "profile", .variant = "fineweb",
      .help = "drops lists and what is not sentences, by the rules that FineWeb added to C4's and Gopher's",
      .opts = fineweb_opts, .cfg_size = sizeof(struct fineweb_cfg), .reasons = fineweb_reasons,
      .load = fineweb_load, .unload = fineweb_unload, .each = fineweb_each },
    { .name = "filter", .key = "profile", .variant = "gopher@dolma",
      .help = "drops what is not prose, by Gopher's rules as Dolma 1.6 has them",
      .opts = dolma_opts, .cfg_size = sizeof(struct dolma_cfg), .reasons = dolma_reasons,
      .check = dolma_check, .load = dolma_load, .unload = dolma_unload, .each = dolma_each },
    { .name = "filter", .key = "profile", .variant = "curator-en",
      .help = "drops what is not English prose, by the 28 heuristics of NeMo Curator",
      .opts = curator_opts, .cfg_size = sizeof(struct curator_cfg), .reasons = curator_reasons,
      .check = curator_check, .load = curator_load, .unload = curator_unload, .each = curator_each },
    { .name = "filter", .key = "profile", .variant = "code",
      .help = "drops what is not source code worth reading, by rules of NeMo Curator and RedPajama",
      .opts = code_opts, .cfg_size = sizeof(struct code_cfg), .reasons = code_reasons, .load = code_load,
      .unload = code_unload, .each = code_each },
    { .name = "dedup", .key = "method", .variant = "exact",
      .help = "keeps the first of equal texts",
      .opts = dedup_exact_opts, .cfg_size = sizeof(struct dedup_exact_cfg),
      .reasons = dedup_exact_reasons, .all = dedup_exact_all },
    { .name = "dedup", .key = "method", .variant = "minhash",
      .help = "keeps the longest of texts that share most of their word n-grams (Jaccard index)",
      .opts = dedup_minhash_opts, .cfg_size = sizeof(struct dedup_minhash_cfg),
      .reasons = dedup_minhash_reasons, .counters = dedup_minhash_counters,
      .check = dedup_minhash_check, .all = dedup_minhash_all },
    { .name = "dedup", .key = "method", .variant = "containment",
      .help = "drops texts most of whose word n-grams stand in other texts",
      .opts = dedup_containment_opts, .cfg_size = sizeof(struct dedup_containment_cfg),
      .reasons = dedup_containment_reasons, .counters = dedup_containment_counters,
      .all = dedup_containment_all },
    { .name = "sample", .help = "keeps a share of the documents, chosen by their ids",
      .main = "fraction", .opts = sample_opts, .cfg_size = sizeof(struct sample_cfg), .reasons = sample_reasons,
      .takes_bytes = true, .each = sample_each },
    { .name = "shuffle", .help = "puts all documents into a random order",
      .main = "seed", .opts = shuffle_opts, .cfg_size = sizeof(struct shuffle_cfg), .reasons = shuffle_reasons,
      .order = shuffle_key },
    { .name = "split",
      .help = "puts shares of the documents, chosen by their ids, into folders of their own "
              "(OUT/test, ...), which are corpora, too",
      .main = "test", .opts = split_opts, .cfg_size = sizeof(struct split_cfg), .reasons = split_reasons,
      .takes_bytes = true, .check = split_check, .load = split_load, .unload = split_unload,
      .each = split_each, .part = split_part },
    { .name = NULL }
};

/* ---- running ---- */

void step_work_release(const struct chain *chain, struct step_work *w)
{
    for (size_t i = 0; chain && w->states && i < chain->count; i++)
        if (w->states[i])
            chain->steps[i].kind->close(w->states[i]);
    free(w->states);
    trace_release(&w->trace);
    buf_release(&w->spare);
    nfc_scratch_free(w->nfc);
    mojibake_free(w->mojibake);
    gopher_scratch_free(w->gopher);
    space_scan_free(w->space);
    *w = (struct step_work){ 0 };
}

void chain_unload(const struct chain *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->steps[i].kind->unload)
            c->steps[i].kind->unload(c->steps[i].cfg);
}

enum status chain_load(const struct chain *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->steps[i].kind->load) {
            enum status st = c->steps[i].kind->load(c->steps[i].cfg);

            if (st != ST_OK) {
                const struct chain before = { c->steps, i };

                chain_unload(&before);
                return st;
            }
        }
    return ST_OK;
}

/* Drops text that is not UTF-8, unless the step behind number `index` deals with it. */
static void drop_ill_formed(const struct chain *c, size_t index, struct doc *d, struct step_work *w)
{
    double share;

    if (d->dropped || !d->ill_formed ||
        (index + 1 < c->count && c->steps[index + 1].kind->takes_bytes))
        return;
    doc_repair(d, &w->spare, &share);
    doc_judge(d, &w->trace, &(struct trace_value){ &drop_invalid_utf8, share, 0, TRACE_AT_MOST, true });
}

enum status chain_each(const struct chain *c, size_t index, struct doc *d, struct step_work *w)
{
    const struct step *s = &c->steps[index];

    if (s->kind->open) {
        if (w->states == NULL)
            w->states = mem_array(c->count, sizeof *w->states);
        if (w->states[index] == NULL)
            TRY(s->kind->open(s->cfg, &w->states[index]));
        w->state = w->states[index];
    }
    memset(w->counts, 0, sizeof w->counts);
    trace_clear(&w->trace);
    TRY(s->kind->each(s->cfg, d, w));
    drop_ill_formed(c, index, d, w);
    if (d->dropped)
        d->dropped_by = index;
    return ST_OK;
}

/* ---- which row ---- */

#define KINDS_MAX 32

/* Without doubles; NULL-terminated. */
static void kind_names(const char *names[KINDS_MAX])
{
    size_t n = 0;

    for (const struct step_kind *k = step_kinds; k->name; k++)
        if (n == 0 || strcmp(names[n - 1], k->name) != 0)
            names[n++] = k->name;
    names[n] = NULL;
}

static void kind_variants(const char *name, const char *variants[KINDS_MAX])
{
    size_t n = 0;

    for (const struct step_kind *k = step_kinds; k->name; k++)
        if (strcmp(k->name, name) == 0)
            variants[n++] = k->variant;
    variants[n] = NULL;
}

static void join(struct buf *out, const char *const *words)
{
    for (size_t i = 0; words[i]; i++)
        buf_printf(out, "%s%s", i ? ", " : "", words[i]);
}

/* "...; did you mean 'x'?" or the list of what there is. */
static enum status unknown(const struct yaml *at, const char *what, const char *const *known)
{
    const char *near = strlen(at->text) < 100 ? str_nearest(at->text, known) : NULL;
    struct buf list = { 0 };

    if (near)
        buf_printf(&list, "did you mean '%s'?", near);
    else
        buf_adds(&list, "known are ");
    if (!near)
        join(&list, known);
    yaml_fail(at, "there is no %s '%.60s'; %s", what, at->text, list.p);
    buf_release(&list);
    return ST_CONFIG;
}

static enum status missing_variant(const struct yaml *at, const char *name, const char *key,
                                   const char *const *variants)
{
    struct buf list = { 0 };

    join(&list, variants);
    yaml_fail(at, "'%s' wants '%s': one of %s", name, key, list.p);
    buf_release(&list);
    return ST_CONFIG;
}

/* The first row of a step's name. */
static enum status find_name(const struct yaml *name, const struct step_kind **out)
{
    const char *names[KINDS_MAX];
    const struct step_kind *k = step_kinds;

    while (k->name && strcmp(k->name, name->text) != 0)
        k++;
    *out = k;
    if (k->name)
        return ST_OK;
    kind_names(names);
    return unknown(name, "step", names);
}

/* The row that the options pick, from the first one of the name. */
static enum status find_variant(const struct step_kind **kind, const struct yaml *name, const struct yaml *options)
{
    const char *variants[KINDS_MAX];
    const struct step_kind *k = *kind;
    const struct yaml *chosen = k->key ? yaml_get(options, k->key) : NULL;

    if (k->key == NULL)
        return ST_OK;
    kind_variants(k->name, variants);
    if (chosen == NULL)
        return variants[1] ? missing_variant(name, k->name, k->key, variants) : ST_OK;
    if (chosen->kind != YAML_SCALAR)
        return missing_variant(chosen, k->name, k->key, variants);
    for (; k->name && strcmp(k->name, name->text) == 0; k++)
        if (strcmp(k->variant, chosen->text) == 0) {
            *kind = k;
            return ST_OK;
        }
    return unknown(chosen, (*kind)->key, variants);
}

/* ---- the list ---- */

static const char *main_option(const struct step_kind *k) { return k->key ? k->key : k->main; }

/* The options of a step as a map: of a value alone, that of its main option. NULL: none are given. */
static enum status options_map(struct arena *a, const struct step_kind *kind, const struct yaml *name, struct yaml *given,
                               struct yaml **out)
{
    struct yaml *map, *key;

    *out = given;
    if (given && given->kind == YAML_MAP)
        return ST_OK;
    *out = map = arena_alloc(a, sizeof *map);
    *map = given && !yaml_is_null(given) ? *given : *name;        /* messages about the map tell this place */
    map->kind = YAML_MAP;
    map->count = 0;
    if (given == NULL || yaml_is_null(given))
        return ST_OK;
    if (main_option(kind) == NULL)
        return yaml_fail(given, "want a map with the options of '%s'; found %s", kind->name, yaml_describe(a, given));
    key = arena_alloc(a, sizeof *key);
    *key = *given;
    key->kind = YAML_SCALAR;
    key->text = main_option(kind);
    key->count = 0;
    map->keys = arena_array(a, 1, sizeof *map->keys);
    map->items = arena_array(a, 1, sizeof *map->items);
    map->keys[0] = key;
    map->items[0] = given;
    map->count = 1;
    return ST_OK;
}

static enum status parse_step(struct arena *a, const struct yaml *name, struct yaml *given, struct step *out)
{
    struct yaml *options;
    void *cfg;

    TRY(find_name(name, &out->kind));
    TRY(options_map(a, out->kind, name, given, &options));
    TRY(find_variant(&out->kind, name, options));
    out->cfg = cfg = arena_alloc(a, out->kind->cfg_size);
    out->label = out->kind->variant ? arena_printf(a, "%s %s", out->kind->name, out->kind->variant)
                                    : out->kind->name;
    TRY(opt_from_yaml(out->kind->opts, a, options, cfg));
    return out->kind->check ? out->kind->check(cfg, options) : ST_OK;
}

/* One item: a name, or a map of one name to its options or to the value of its main one. */
static enum status parse_item(struct arena *a, struct yaml *item, struct step *out)
{
    if (item->kind == YAML_SCALAR && !yaml_is_null(item))
        return parse_step(a, item, NULL, out);
    if (item->kind == YAML_MAP && item->count == 1)
        return parse_step(a, item->keys[0], item->items[0], out);
    if (item->kind == YAML_MAP && item->count > 1)
        return yaml_fail(item->keys[1], "want one step an item; '%s' and '%s' stand in the same "
                         "one (a step begins with '- ', and its options stand in {} or deeper)",
                         item->keys[0]->text, item->keys[1]->text);
    return yaml_fail(item, "want a step, as `normalize`, `filter: fineweb` or `normalize: {unicode: none}`; found %s",
                     yaml_describe(a, item));
}

enum status chain_parse(struct arena *a, const struct yaml *list, struct chain *out)
{
    static const struct yaml extract = { .kind = YAML_SCALAR, .text = "extract", .plain = true };
    const struct step_kind *first = step_kinds;

    if (list->kind != YAML_LIST)
        return yaml_fail(list, "want a list of steps; found %s", yaml_describe(a, list));
    *out = (struct chain){ .steps = arena_array(a, list->count + 1, sizeof *out->steps) };
    for (size_t i = 0; i < list->count; i++) {
        struct step s = { 0 };

        TRY(parse_item(a, list->items[i], &s));
        if (s.kind == first && i > 0)
            return yaml_fail(list->items[i], "'%s' must be the first step, and stands there once",
                             first->name);
        if (s.kind != first && i == 0)
            TRY(parse_step(a, &extract, NULL, &out->steps[out->count++]));
        out->steps[out->count++] = s;
    }
    if (list->count == 0)
        TRY(parse_step(a, &extract, NULL, &out->steps[out->count++]));
    return ST_OK;
}

bool chain_item(size_t i, struct opt_item *out)
{
    const struct step_kind *k = &step_kinds[i];

    *out = (struct opt_item){ k->name, k->key, k->variant, k->help, k->opts, k->name ? main_option(k) : NULL };
    return k->name != NULL;
}

enum status chain_check(const struct yaml *value)
{
    struct arena a;
    struct chain chain;
    enum status st;

    arena_init(&a);
    st = chain_parse(&a, value, &chain);
    arena_release(&a);
    return st;
}
