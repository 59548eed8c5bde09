#include "tokenize/document_metadata.h"

#include <string.h>

#include "base/json.h"

struct span metadata_language(struct arena *a, struct span metadata)
{
    static const char *const keys[] = { "language", "lang" };
    struct span found = { "", 0 };
    json_t *json;

    if (metadata.n == 0 || memmem(metadata.p, metadata.n, "lang", 4) == NULL)
        return found;
    json = json_loadb(metadata.p, metadata.n, JSON_ALLOW_NUL, NULL);
    for (int i = 0; i < 2 && found.n == 0; i++) {
        const json_t *value = json_object_get(json, keys[i]);

        if (json_is_string(value))
            found = (struct span){ arena_strndup(a, json_string_value(value), json_string_length(value)),
                                   json_string_length(value) };
    }
    json_decref(json);
    return found;
}

static enum status read_range(const struct metadata_ranges_args *args, const json_t *pair, size_t i,
                              struct byte_range *out)
{
    const json_t *begin = json_array_get(pair, 0), *end = json_array_get(pair, 1);
    json_int_t b = json_integer_value(begin), e = json_integer_value(end);

    if (json_array_size(pair) != 2 || !json_is_integer(begin) || !json_is_integer(end))
        return fail(ST_FORMAT, "metadata '%s': item %zu is no pair of whole numbers; want [begin, end]",
                    args->key, i + 1);
    if (b < 0 || e <= b || (uint64_t)e > args->text_bytes)
        return fail(ST_FORMAT,
                    "metadata '%s': item %zu is [%lld, %lld]; want 0 <= begin < end <= %llu, the bytes of the "
                    "text",
                    args->key, i + 1, (long long)b, (long long)e, (unsigned long long)args->text_bytes);
    *out = (struct byte_range){ (uint64_t)b, (uint64_t)e };
    return ST_OK;
}

static enum status read_ranges(struct arena *a, const struct metadata_ranges_args *args,
                               const json_t *list, struct byte_ranges *out)
{
    if (list == NULL || json_is_null(list))
        return ST_OK;
    if (!json_is_array(list))
        return fail(ST_FORMAT, "metadata '%s' is no list; want a list of [begin, end]", args->key);
    out->given = true;
    out->count = json_array_size(list);
    out->v = arena_array(a, out->count + 1, sizeof *out->v);
    for (size_t i = 0; i < out->count; i++) {
        TRY(read_range(args, json_array_get(list, i), i, &out->v[i]));
        if (i > 0 && out->v[i].begin < out->v[i - 1].end)
            return fail(ST_FORMAT,
                        "metadata '%s': item %zu begins at %llu, before the end of the item before it, %llu; want "
                        "them ascending and apart",
                        args->key, i + 1, (unsigned long long)out->v[i].begin,
                        (unsigned long long)out->v[i - 1].end);
    }
    return ST_OK;
}

enum status metadata_ranges(struct arena *a, const struct metadata_ranges_args *args,
                            struct byte_ranges *out)
{
    json_t *json = NULL;
    enum status st;

    *out = (struct byte_ranges){ 0 };
    if (args->metadata.n == 0)
        return ST_OK;
    TRY(json_parse(args->metadata.p, args->metadata.n, "metadata", &json));
    st = read_ranges(a, args, json_object_get(json, args->key), out);
    json_decref(json);
    return st;
}
