/* The decoder and the post_processor of a tokenizer.json. */
#include "tokenize/files/tokenizer_reading.h"

#define TEMPLATE_IDS 64
#define STRIP_MAX 1000

/* ---- decoder ---- */

static enum status read_strip(struct reading *r, const json_t *part, struct decode_step *s)
{
    const json_t *start = json_object_get(part, "start"), *stop = json_object_get(part, "stop");
    json_int_t a = json_integer_value(start), b = json_integer_value(stop);

    TRY(reading_text(r, part, "content", &s->from));
    if (a < 0 || b < 0 || a > STRIP_MAX || b > STRIP_MAX)
        return fail(ST_LIMIT, "'%s': the decoder Strip takes %" JSON_INTEGER_FORMAT
                              " and %" JSON_INTEGER_FORMAT " characters; want 0 to %d",
                    r->what, a, b, STRIP_MAX);
    s->start = (size_t)a;
    s->stop = (size_t)b;
    return ST_OK;
}

static enum status read_replace(struct reading *r, const json_t *part, struct decode_step *s)
{
    const json_t *pattern = json_object_get(part, "pattern");

    if (!json_is_string(json_object_get(pattern, "String")))
        return reading_unsupported(r, "the decoder Replace with", "a regular expression",
                                   "{\"String\": ...}");
    TRY(reading_text(r, pattern, "String", &s->from));
    return reading_text(r, part, "content", &s->to);
}

static enum status read_step(struct reading *r, const json_t *part, const char *type,
                             struct decode_step *s)
{
    static const char *const names[] = {
        [DECODE_BYTE_LEVEL] = "ByteLevel",       [DECODE_REPLACE] = "Replace",
        [DECODE_BYTE_FALLBACK] = "ByteFallback", [DECODE_FUSE] = "Fuse",
        [DECODE_STRIP] = "Strip",                [DECODE_METASPACE] = "Metaspace",
        [DECODE_WORD_PIECE] = "WordPiece",       [DECODE_BPE] = "BPEDecoder",
    };
    const char *scheme = json_string_value(json_object_get(part, "prepend_scheme"));
    size_t kind = 0, kinds = sizeof names / sizeof names[0];

    while (kind < kinds && strcmp(type, names[kind]) != 0)
        kind++;
    if (kind == kinds)
        return reading_unsupported(r, "the decoder", *type ? type : "(without a type)",
                                   "one of Hugging Face's other than CTC");
    *s = (struct decode_step){ .kind = (enum decode_kind)kind };
    switch (s->kind) {
    case DECODE_REPLACE: return read_replace(r, part, s);
    case DECODE_STRIP: return read_strip(r, part, s);
    case DECODE_METASPACE:
        s->first = scheme ? strcmp(scheme, "never") != 0
                          : reading_flag(part, "add_prefix_space", true);
        return reading_text(r, part, "replacement", &s->from);
    case DECODE_WORD_PIECE:
        s->cleanup = reading_flag(part, "cleanup", true);
        return reading_text(r, part, "prefix", &s->from);
    case DECODE_BPE: return reading_text(r, part, "suffix", &s->from);
    default: return ST_OK;
    }
}

static enum status read_steps(struct reading *r, const json_t *part, struct decode_steps *d,
                              int depth)
{
    const char *type = reading_type(part);
    const json_t *items = json_object_get(part, "decoders");

    if (strcmp(type, "Sequence") == 0 && json_is_array(items) && depth < 8) {
        for (size_t i = 0; i < json_array_size(items); i++)
            TRY(read_steps(r, json_array_get(items, i), d, depth + 1));
        return ST_OK;
    }
    if (d->count == DECODE_STEPS_MAX)
        return fail(ST_LIMIT, "'%s': more than %d steps of the decoder", r->what, DECODE_STEPS_MAX);
    TRY(read_step(r, part, type, &d->steps[d->count]));
    d->count++;
    return ST_OK;
}

/* Without a decoder Hugging Face puts spaces between tokens; where tokens are known to be bytes they
 * are text as they are. */
enum status reading_decoder(struct reading *r, const json_t *part)
{
    struct decode_steps *d = arena_new(&r->t->arena, struct decode_steps);

    if (!reading_is_nothing(part))
        TRY(read_steps(r, part, d, 0));
    else if (!r->bytes)
        d->steps[d->count++].kind = DECODE_SPACES;
    TRY(decode_steps_finish(d, r->what));
    if (d->count > 1 || (d->count == 1 && d->steps[0].kind != DECODE_BYTE_LEVEL))
        r->t->decode = d;
    return ST_OK;
}

/* ---- post_processor ---- */

struct template {
    uint32_t before[TEMPLATE_IDS], after[TEMPLATE_IDS];
    size_t before_count, after_count;
};

static enum status template_add(struct reading *r, struct template *m, json_int_t id, bool after)
{
    size_t *n = after ? &m->after_count : &m->before_count;

    if (id < 0 || id >= r->t->vocab)
        return fail(ST_FORMAT,
                    "'%s': the post_processor puts id %" JSON_INTEGER_FORMAT
                    ", which is not in the vocabulary (0 to %u)",
                    r->what, id, r->t->vocab - 1);
    if (*n == TEMPLATE_IDS)
        return fail(ST_LIMIT, "'%s': the post_processor puts more than %d tokens at one side",
                    r->what, TEMPLATE_IDS);
    (after ? m->after : m->before)[(*n)++] = (uint32_t)id;
    return ST_OK;
}

static enum status read_single(struct reading *r, const json_t *part, struct template *m)
{
    const json_t *single = json_object_get(part, "single"),
                 *tokens = json_object_get(part, "special_tokens");
    bool after = false;

    if (!json_is_array(single))
        return fail(ST_FORMAT, "'%s': the post_processor's \"single\" is no list", r->what);
    for (size_t i = 0; i < json_array_size(single); i++) {
        const json_t *item = json_array_get(single, i);
        const char *name = json_string_value(json_object_get(
            json_object_get(item, "SpecialToken"), "id"));
        const json_t *ids = json_object_get(name ? json_object_get(tokens, name) : NULL, "ids");

        if (json_object_get(item, "Sequence") != NULL) {
            after = true;
            continue;
        }
        if (!json_is_array(ids))
            return fail(ST_FORMAT, "'%s': the post_processor's token '%.80s' has no ids", r->what,
                        name ? name : "");
        for (size_t k = 0; k < json_array_size(ids); k++)
            TRY(template_add(r, m, json_is_integer(json_array_get(ids, k))
                                       ? json_integer_value(json_array_get(ids, k))
                                       : -1,
                             after));
    }
    return ST_OK;
}

/* ["[SEP]", 102] */
static enum status read_pair(struct reading *r, const json_t *part, const char *key,
                             struct template *m)
{
    const json_t *id = json_array_get(json_object_get(part, key), 1);

    if (!json_is_integer(id))
        return fail(ST_FORMAT, "'%s': the post_processor's \"%s\" is not [\"token\", id]", r->what,
                    key);
    return template_add(r, m, json_integer_value(id), strcmp(key, "sep") == 0);
}

static enum status read_processor(struct reading *r, const json_t *part, struct template *m,
                                  int depth)
{
    const char *type = reading_type(part);
    const json_t *items = json_object_get(part, "processors");

    if (reading_is_nothing(part) || strcmp(type, "ByteLevel") == 0)
        return ST_OK;
    if (strcmp(type, "TemplateProcessing") == 0)
        return read_single(r, part, m);
    if (strcmp(type, "BertProcessing") == 0 || strcmp(type, "RobertaProcessing") == 0) {
        TRY(read_pair(r, part, "cls", m));
        return read_pair(r, part, "sep", m);
    }
    if (strcmp(type, "Sequence") == 0 && json_is_array(items) && depth < 8) {
        for (size_t i = 0; i < json_array_size(items); i++)
            TRY(read_processor(r, json_array_get(items, i), m, depth + 1));
        return ST_OK;
    }
    return reading_unsupported(r, "the post_processor", *type ? type : "(without a type)",
                               "one of Hugging Face's");
}

static uint32_t *keep_ids(struct reading *r, const uint32_t *ids, size_t n)
{
    uint32_t *copy = arena_array(&r->t->arena, n + 1, sizeof *copy);

    memcpy(copy, ids, n * sizeof *copy);
    return copy;
}

enum status reading_template(struct reading *r, const json_t *part)
{
    struct template m = { .before_count = 0 };
    struct tokenizer *t = r->t;

    TRY(read_processor(r, part, &m, 0));
    t->prefix = keep_ids(r, m.before, m.before_count);
    t->suffix = keep_ids(r, m.after, m.after_count);
    t->prefix_count = m.before_count;
    t->suffix_count = m.after_count;
    return ST_OK;
}
