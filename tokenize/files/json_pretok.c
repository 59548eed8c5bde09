/*
 * The pre-tokenizer of a tokenizer.json: cuts (pretok.h), and stages (stages.h) where text is
 * rewritten on the way. Each kind becomes patterns that say the same.
 */
#include "tokenize/files/tokenizer_reading.h"
#include "tokenize/pretok/regex_dialect.h"

#define STAGES_MAX 8
/* Rust's \w; what Hugging Face's Whitespace keeps together */
#define WORD "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200c}\\x{200d}"
#define PUNCTUATION "[\\p{P}!-/:-@\\[-`{-~]"
#define FIXED_MAX 65535

struct work {
    struct reading *r;
    struct pretok *cuts;         /* of the stage in hand */
    bool byte_level;             /* the last step was ByteLevel's step to bytes */
    bool any;                    /* the stage has cuts */
};

static enum status add_cut(struct work *w, const char *pattern, enum pretok_behavior behavior,
                           bool invert)
{
    struct pretok_rule rule = { w->r->what, pattern, behavior, invert };

    w->any = true;
    return pretok_add(w->cuts, &rule);
}

static enum status add_literal(struct work *w, struct span text, enum pretok_behavior behavior,
                               bool invert)
{
    struct buf quoted = { 0 };
    enum status st = ST_OK;

    regex_quote(&quoted, text);
    if (text.n > 0)
        st = add_cut(w, quoted.p, behavior, invert);
    buf_release(&quoted);
    return st;
}

/* The cuts so far become a stage that rewrites each piece; cuts from here on see the result. */
static enum status add_rewrite(struct work *w, const struct normal_step *step)
{
    struct tokenizer *t = w->r->t;
    struct stage *s = t->stage_count ? &t->stages[t->stage_count - 1] : NULL;

    if (w->any || s == NULL) {
        if (t->stage_count == STAGES_MAX)
            return fail(ST_LIMIT, "'%s': more than %d steps of the pre_tokenizer rewrite text",
                        w->r->what, STAGES_MAX);
        if (t->stages == NULL)
            t->stages = arena_array(&t->arena, STAGES_MAX, sizeof *t->stages);
        s = &t->stages[t->stage_count++];
        *s = (struct stage){ w->any ? w->cuts : NULL, normalizer_new() };
        if (w->any)
            t->pretok = w->cuts = pretok_new();
        w->any = false;
    }
    return normalizer_add(s->rewrite, w->r->what, step);
}

/* ---- the kinds ---- */

static enum status read_behavior(struct work *w, const json_t *part, enum pretok_behavior absent,
                                 enum pretok_behavior *out)
{
    static const char *const names[] = { "Isolated", "Removed", "MergedWithPrevious",
                                         "MergedWithNext", "Contiguous" };
    const json_t *v = json_object_get(part, "behavior");
    const char *name = json_string_value(v);

    *out = absent;
    if (v == NULL)
        return ST_OK;
    for (int i = 0; i < 5; i++)
        if (name && strcmp(name, names[i]) == 0) {
            *out = (enum pretok_behavior)i;
            return ST_OK;
        }
    return reading_unsupported(w->r, "the pre_tokenizer with behavior", name ? name : "(none)",
                               "Isolated, Removed, MergedWithPrevious, MergedWithNext or Contiguous");
}

static enum status read_split(struct work *w, const json_t *part)
{
    const json_t *pattern = json_object_get(part, "pattern");
    const char *regex = json_string_value(json_object_get(pattern, "Regex"));
    const json_t *string = json_object_get(pattern, "String");
    bool invert = reading_flag(part, "invert", false);
    enum pretok_behavior behavior;

    if (regex == NULL && !json_is_string(string))
        return fail(ST_FORMAT,
                    "'%s': a Split without pattern; want {\"Regex\": ...} or {\"String\": ...}",
                    w->r->what);
    TRY(read_behavior(w, part, PRETOK_ISOLATED, &behavior));
    if (regex != NULL)
        return add_cut(w, regex, behavior, invert);
    return add_literal(w, (struct span){ json_string_value(string), json_string_length(string) },
                       behavior, invert);
}

static enum status read_byte_level(struct work *w, const json_t *part)
{
    if (reading_flag(part, "add_prefix_space", true))
        TRY(add_rewrite(w, &(struct normal_step){ .kind = NORMAL_PREPEND_UNLESS,
                                                  .to = { " ", 1 } }));
    w->byte_level = true;
    return reading_flag(part, "use_regex", true)
               ? add_cut(w, pretok_pattern_text("gpt2"), PRETOK_ISOLATED, false)
               : ST_OK;
}

/* Older files say add_prefix_space in place of prepend_scheme. */
static enum status read_metaspace(struct work *w, const json_t *part)
{
    const char *scheme = json_string_value(json_object_get(part, "prepend_scheme"));
    bool legacy = reading_flag(part, "add_prefix_space", true);
    struct normal_step spaces = { .kind = NORMAL_REPLACE, .from = { " ", 1 } };
    struct normal_step front = { .kind = NORMAL_PREPEND_UNLESS };
    uint32_t cp;

    TRY(reading_text(w->r, part, "replacement", &spaces.to));
    if (utf8_decode(spaces.to.p, spaces.to.p + spaces.to.n, &cp) != spaces.to.n)
        return fail(ST_FORMAT, "'%s': Metaspace's replacement '%s' is not one character", w->r->what,
                    spaces.to.p);
    front.to = spaces.to;
    if (scheme == NULL)
        scheme = legacy ? "always" : "never";
    front.first_only = strcmp(scheme, "first") == 0;
    TRY(add_rewrite(w, &spaces));
    if (front.first_only || strcmp(scheme, "always") == 0)
        TRY(add_rewrite(w, &front));
    else if (strcmp(scheme, "never") != 0)
        return reading_unsupported(w->r, "the pre_tokenizer Metaspace with prepend_scheme", scheme,
                                   "always, first or never");
    return reading_flag(part, "split", true)
               ? add_literal(w, spaces.to, PRETOK_MERGED_WITH_NEXT, false)
               : ST_OK;
}

static enum status read_fixed_length(struct work *w, const json_t *part)
{
    const json_t *length = json_object_get(part, "length");
    json_int_t n = json_is_integer(length) ? json_integer_value(length) : 5;
    char pattern[64];

    if (n < 1 || n > FIXED_MAX)
        return fail(ST_LIMIT, "'%s': FixedLength of %" JSON_INTEGER_FORMAT "; want 1 to %d",
                    w->r->what, n, FIXED_MAX);
    snprintf(pattern, sizeof pattern, "[\\s\\S]{1,%d}", (int)n);
    return add_cut(w, pattern, PRETOK_ISOLATED, false);
}

static enum status read_delimiter(struct work *w, const json_t *part)
{
    struct span delimiter;

    TRY(reading_text(w->r, part, "delimiter", &delimiter));
    return add_literal(w, delimiter, PRETOK_REMOVED, false);
}

static enum status read_punctuation(struct work *w, const json_t *part)
{
    enum pretok_behavior behavior;

    TRY(read_behavior(w, part, PRETOK_ISOLATED, &behavior));
    return add_cut(w, PUNCTUATION, behavior, false);
}

/* The scripts of Unicode 14. Han, Hiragana, Katakana and the long vowel mark count as one, a
 * space belongs to what stands before it, and to nothing where a text begins with it. */
static enum status add_scripts(struct work *w)
{
    static const char *const names[] = {
        "Latin", "Common", "Inherited", "Cyrillic", "Greek", "Arabic", "Hebrew", "Hangul", "Thai",
        "Devanagari", "Bengali", "Tamil", "Telugu", "Georgian", "Armenian", "Adlam", "Ahom",
        "Anatolian_Hieroglyphs", "Avestan", "Balinese", "Bamum", "Bassa_Vah", "Batak", "Bhaiksuki",
        "Bopomofo", "Brahmi", "Braille", "Buginese", "Buhid", "Canadian_Aboriginal", "Carian",
        "Caucasian_Albanian", "Chakma", "Cham", "Cherokee", "Coptic", "Cuneiform", "Cypriot",
        "Deseret", "Duployan", "Egyptian_Hieroglyphs", "Elbasan", "Ethiopic", "Glagolitic", "Gothic",
        "Grantha", "Gujarati", "Gurmukhi", "Hanunoo", "Hatran", "Imperial_Aramaic",
        "Inscriptional_Pahlavi", "Inscriptional_Parthian", "Javanese", "Kaithi", "Kannada",
        "Kayah_Li", "Kharoshthi", "Khmer", "Khojki", "Khudawadi", "Lao", "Lepcha", "Limbu",
        "Linear_A", "Linear_B", "Lisu", "Lycian", "Lydian", "Mahajani", "Malayalam", "Mandaic",
        "Manichaean", "Marchen", "Meetei_Mayek", "Mende_Kikakui", "Meroitic_Cursive",
        "Meroitic_Hieroglyphs", "Miao", "Modi", "Mongolian", "Mro", "Multani", "Myanmar",
        "Nabataean", "New_Tai_Lue", "Newa", "Nko", "Ogham", "Ol_Chiki", "Old_Hungarian",
        "Old_Italic", "Old_North_Arabian", "Old_Permic", "Old_Persian", "Old_South_Arabian",
        "Old_Turkic", "Oriya", "Osage", "Osmanya", "Pahawh_Hmong", "Palmyrene", "Pau_Cin_Hau",
        "Phags_Pa", "Phoenician", "Psalter_Pahlavi", "Rejang", "Runic", "Samaritan", "Saurashtra",
        "Sharada", "Shavian", "Siddham", "SignWriting", "Sinhala", "Sora_Sompeng", "Sundanese",
        "Syloti_Nagri", "Syriac", "Tagalog", "Tagbanwa", "Tai_Le", "Tai_Tham", "Tai_Viet", "Takri",
        "Tangut", "Thaana", "Tibetan", "Tifinagh", "Tirhuta", "Ugaritic", "Vai", "Warang_Citi", "Yi",
    };
    struct buf pattern = { 0 };
    enum status st;

    buf_adds(&pattern, "[\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30fc}]"
                       "[\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30fc} ]*");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *no = strcmp(names[i], "Common") == 0 ? "(?![ \\x{30fc}])" : "";

        buf_printf(&pattern, "|%s\\p{%s}(?:%s\\p{%s}| )*", no, names[i], no, names[i]);
    }
    st = add_cut(w, "\\A +", PRETOK_REMOVED, false);
    if (st == ST_OK)
        st = add_cut(w, pattern.p, PRETOK_ISOLATED, false);
    buf_release(&pattern);
    return st;
}

static enum status read_one(struct work *w, const json_t *part, int depth);

static enum status read_sequence(struct work *w, const json_t *part, int depth)
{
    const json_t *items = json_object_get(part, "pretokenizers");

    if (!json_is_array(items) || depth >= 8)
        return reading_unsupported(w->r, "the pre_tokenizer", "Sequence",
                                   "\"pretokenizers\", at most 8 deep");
    for (size_t i = 0; i < json_array_size(items); i++)
        TRY(read_one(w, json_array_get(items, i), depth + 1));
    return ST_OK;
}

static enum status read_simple(struct work *w, const json_t *part, const char *type)
{
    if (strcmp(type, "Whitespace") == 0)
        return add_cut(w, "[" WORD "]+|[^\\s" WORD "]+", PRETOK_REMOVED, true);
    if (strcmp(type, "WhitespaceSplit") == 0)
        return add_cut(w, "\\s", PRETOK_REMOVED, false);
    if (strcmp(type, "BertPreTokenizer") == 0) {
        TRY(add_cut(w, "\\s", PRETOK_REMOVED, false));
        return add_cut(w, PUNCTUATION, PRETOK_ISOLATED, false);
    }
    if (strcmp(type, "Digits") == 0)
        return add_cut(w, "\\p{N}",
                       reading_flag(part, "individual_digits", false) ? PRETOK_ISOLATED
                                                                      : PRETOK_CONTIGUOUS,
                       false);
    if (strcmp(type, "UnicodeScripts") == 0)
        return add_scripts(w);
    return reading_unsupported(w->r, "the pre_tokenizer", *type ? type : "(without a type)",
                               "one of Hugging Face's kinds");
}

static enum status read_one(struct work *w, const json_t *part, int depth)
{
    static const struct {
        const char *type;
        enum status (*read)(struct work *w, const json_t *part);
    } kinds[] = {
        { "Split", read_split },
        { "ByteLevel", read_byte_level },
        { "Metaspace", read_metaspace },
        { "FixedLength", read_fixed_length },
        { "CharDelimiterSplit", read_delimiter },
        { "Punctuation", read_punctuation },
    };
    const char *type = reading_type(part);

    if (strcmp(type, "Sequence") == 0)
        return read_sequence(w, part, depth);
    if (w->byte_level) {         /* what follows sees the alphabet's characters */
        TRY(add_rewrite(w, &(struct normal_step){ .kind = NORMAL_BYTE_LEVEL }));
        w->byte_level = false;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(type, kinds[i].type) == 0)
            return kinds[i].read(w, part);
    return read_simple(w, part, type);
}

enum status reading_pretok(struct reading *r, const json_t *part)
{
    struct work w = { .r = r };

    r->t->pretok = w.cuts = pretok_new();
    if (!reading_is_nothing(part))
        TRY(read_one(&w, part, 0));
    r->bytes = w.byte_level;
    return ST_OK;
}

/* ---- texts that nothing cuts ---- */

static bool replaces_spaces(const struct tokenizer *t)
{
    for (size_t i = 0; i < normalizer_count(t->normalizer); i++) {
        const struct normal_step *s = normalizer_step(t->normalizer, i);

        if (s->kind == NORMAL_REPLACE && span_eq(s->from, " ") && span_eq(s->to, "\xE2\x96\x81"))
            return true;
    }
    return false;
}

enum status reading_cut_marks(struct reading *r)
{
    struct tokenizer *t = r->t;
    struct pretok_rule rule = { r->what, NULL, PRETOK_ISOLATED, false };
    uint32_t id;

    if (r->bytes || t->ignore_merges || *r->prefix || *r->suffix ||
        (pretok_cut(t->pretok, 0) != NULL && !replaces_spaces(t)))
        return ST_OK;
    if (!r->crosses_mark && text_map_get(&r->strings, span_of("\xE2\x96\x81"), &id))
        rule.pattern = "\xE2\x96\x81+[^\xE2\x96\x81]*";
    else if (!r->crosses_space && text_map_get(&r->strings, span_of(" "), &id))
        rule.pattern = " +[^ ]*";
    t->cut_marks = rule.pattern != NULL;
    return rule.pattern ? pretok_add(t->pretok, &rule) : ST_OK;
}
