/* The normalizer of a tokenizer.json. */
#include "tokenize/files/tokenizer_reading.h"

static enum status add(struct reading *r, struct normalizer *n, struct normal_step s)
{
    return normalizer_add(n, r->what, &s);
}

static enum status read_replace(struct reading *r, const json_t *part, struct normalizer *n)
{
    const json_t *pattern = json_object_get(part, "pattern");
    struct normal_step s = { .kind = NORMAL_REPLACE };
    bool regex = json_is_string(json_object_get(pattern, "Regex"));

    TRY(reading_text(r, pattern, regex ? "Regex" : "String", &s.from));
    TRY(reading_text(r, part, "content", &s.to));
    s.kind = regex ? NORMAL_REPLACE_REGEX : NORMAL_REPLACE;
    return add(r, n, s);
}

static enum status read_prepend(struct reading *r, const json_t *part, struct normalizer *n)
{
    struct normal_step s = { .kind = NORMAL_PREPEND };

    TRY(reading_text(r, part, "prepend", &s.to));
    return add(r, n, s);
}

static enum status read_bert(struct reading *r, const json_t *part, struct normalizer *n)
{
    bool lower = reading_flag(part, "lowercase", true);

    if (reading_flag(part, "clean_text", true))
        TRY(add(r, n, (struct normal_step){ .kind = NORMAL_BERT_CLEAN }));
    if (reading_flag(part, "handle_chinese_chars", true))
        TRY(add(r, n, (struct normal_step){ .kind = NORMAL_BERT_CHINESE }));
    if (reading_flag(part, "strip_accents", lower)) {
        TRY(add(r, n, (struct normal_step){ .kind = NORMAL_FORM, .form = FORM_NFD }));
        TRY(add(r, n, (struct normal_step){ .kind = NORMAL_STRIP_ACCENTS, .only_mn = true }));
    }
    return lower ? add(r, n, (struct normal_step){ .kind = NORMAL_LOWERCASE }) : ST_OK;
}

static enum status read_one(struct reading *r, const json_t *part, struct normalizer *n, int depth)
{
    static const struct {
        const char *type;
        struct normal_step step;
    } plain[] = {
        { "NFC", { .kind = NORMAL_FORM, .form = FORM_NFC } },
        { "NFD", { .kind = NORMAL_FORM, .form = FORM_NFD } },
        { "NFKC", { .kind = NORMAL_FORM, .form = FORM_NFKC } },
        { "NFKD", { .kind = NORMAL_FORM, .form = FORM_NFKD } },
        { "Lowercase", { .kind = NORMAL_LOWERCASE } },
        { "StripAccents", { .kind = NORMAL_STRIP_ACCENTS } },
        { "Nmt", { .kind = NORMAL_NMT } },
        { "ByteLevel", { .kind = NORMAL_BYTE_LEVEL } },
    };
    const char *type = reading_type(part);
    const json_t *items = json_object_get(part, "normalizers");

    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (strcmp(type, plain[i].type) == 0)
            return add(r, n, plain[i].step);
    if (strcmp(type, "Strip") == 0)
        return add(r, n, (struct normal_step){ .kind = NORMAL_STRIP,
                                               .left = reading_flag(part, "strip_left", true),
                                               .right = reading_flag(part, "strip_right", true) });
    if (strcmp(type, "Replace") == 0)
        return read_replace(r, part, n);
    if (strcmp(type, "Prepend") == 0)
        return read_prepend(r, part, n);
    if (strcmp(type, "BertNormalizer") == 0)
        return read_bert(r, part, n);
    if (strcmp(type, "Sequence") == 0 && json_is_array(items) && depth < 8) {
        for (size_t i = 0; i < json_array_size(items); i++)
            TRY(read_one(r, json_array_get(items, i), n, depth + 1));
        return ST_OK;
    }
    return reading_unsupported(r, "the normalizer", *type ? type : "(without a type)",
                               "one of Hugging Face's other than Precompiled");
}

enum status reading_normalizer(struct reading *r, const json_t *part)
{
    struct tokenizer *t = r->t;

    if (reading_is_nothing(part))
        return ST_OK;
    t->normalizer = normalizer_new();
    TRY(read_one(r, part, t->normalizer, 0));
    t->nfc = normalizer_is_form(t->normalizer, FORM_NFC);
    if (t->nfc || normalizer_count(t->normalizer) == 0) {
        normalizer_free(t->normalizer);
        t->normalizer = NULL;
    }
    return ST_OK;
}
