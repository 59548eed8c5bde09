/* Every kind of normalizer, pre-tokenizer, model, decoder and post-processor, held against what Hugging Face's tokenizers make of the
 * same files and texts (golden/make_styles.py). */
#include "test.h"

#include "base/file.h"
#include "base/json.h"
#include "tokenize/making.h"

struct styles {
    json_t *bases;
    const char *name;                /* of the style in hand */
    struct making m;
    size_t cases, styles, differ, undecoded;
};

static void open_style(struct styles *s, json_t *line)
{
    const char *base = json_string_value(json_object_get(line, "base")), *key;
    json_t *file = json_deep_copy(json_object_get(s->bases, base)), *value, *around = json_object_get(line, "around");
    char *text;

    json_object_foreach(json_object_get(line, "set"), key, value) {
        if (strcmp(key, "model") == 0)
            json_object_update(json_object_get(file, "model"), value);
        else
            json_object_set(file, key, value);
    }
    text = json_dumps(file, 0);
    if (s->m.tokenizer)
        making_close(&s->m);
    s->m = (struct making){ 0 };
    s->name = json_string_value(json_object_get(line, "style"));
    if (tokenizer_parse(s->name, text, strlen(text), &s->m.tokenizer) != ST_OK)
        fail_msg("%s", fail_message());
    s->m.encoder = encoder_new(s->m.tokenizer);
    for (size_t side = 0; side < 2; side++) {
        const json_t *want = json_array_get(around, side);
        const struct tokenizer *t = s->m.tokenizer;

        assert_int_equal(json_array_size(want), side ? t->suffix_count : t->prefix_count);
        for (size_t i = 0; i < json_array_size(want); i++)
            assert_int_equal(json_integer_value(json_array_get(want, i)), (side ? t->suffix : t->prefix)[i]);
    }
    s->styles++;
    free(text);
    json_decref(file);
}

static void print_ids(struct buf *out, const struct token_list *ids)
{
    buf_adds(out, "");
    for (size_t i = 0; i < ids->count; i++)
        buf_printf(out, i ? ",%u" : "%u", ids->v[i]);
}

static void check_ids(struct styles *s, const json_t *line, bool specials)
{
    const json_t *text = json_array_get(line, 0);
    char *want = json_dumps(json_array_get(line, specials ? 2 : 1), JSON_COMPACT);
    struct buf seen = { 0 };

    making_encode(&s->m, (struct span){ json_string_value(text), json_string_length(text) }, specials);
    print_ids(&seen, &s->m.ids);
    if (strlen(want) != seen.n + 2 || memcmp(want + 1, seen.p, seen.n) != 0) {
        print_message("%s: '%s' (specials %d)\n  seen %s\n  want %s\n", s->name, json_string_value(text), specials, seen.p, want);
        s->differ++;
    }
    buf_release(&seen);
    free(want);
}

/* All at once, and one at a time. What the peer shows as U+FFFD stays bytes here. */
static void check_text(struct styles *s, const json_t *line)
{
    const char *want = json_string_value(json_array_get(line, 3));
    struct decode_feed *d = decode_feed_new(s->m.tokenizer, &(struct decode_feed_args){ 0 });
    struct buf seen = { 0 }, slow = { 0 };

    buf_adds(&seen, "");
    buf_adds(&slow, "");
    making_encode(&s->m, span_of(json_string_value(json_array_get(line, 0))), false);
    assert_ok(tokenizer_decode(s->m.tokenizer, s->m.ids.v, s->m.ids.count, false, &seen));
    for (size_t i = 0; i < s->m.ids.count; i++)
        assert_ok(decode_feed_add(d, s->m.ids.v + i, 1, &slow));
    decode_feed_end(d, &slow);
    if (want && strstr(want, "\xEF\xBF\xBD") == NULL) {
        if (strcmp(seen.p, want) != 0) {
            print_message("%s: decodes to '%s'; want '%s'\n", s->name, seen.p, want);
            s->differ++;
        }
    } else {
        s->undecoded++;
    }
    assert_string_equal(slow.p, seen.p);
    decode_feed_free(d);
    buf_release(&seen);
    buf_release(&slow);
}

static void every_style_as_the_peer(void **state)
{
    struct styles s = { .bases = json_object() };
    struct buf all = { 0 };
    json_t *keep = json_array();
    char *p, *end;

    assert_ok(file_read(making_golden("styles", "jsonl"), 16 << 20, &all));
    for (p = all.p; (end = strchr(p, '\n')) != NULL; p = end + 1) {
        json_t *line;

        assert_ok(json_parse(p, (size_t)(end - p), "styles.jsonl", &line));
        json_array_append_new(keep, line);
        if (json_is_array(line)) {
            check_ids(&s, line, false);
            check_ids(&s, line, true);
            check_text(&s, line);
            s.cases++;
        } else if (json_object_get(line, "file")) {
            json_object_set(s.bases, json_string_value(json_object_get(line, "base")), json_object_get(line, "file"));
        } else {
            open_style(&s, line);
        }
    }
    assert_in_range(s.styles, 60, 1000);
    assert_int_equal(s.cases % s.styles, 0);
    assert_true(s.undecoded * 4 < s.cases);
    assert_int_equal(s.differ, 0);
    making_close(&s.m);
    json_decref(s.bases);
    json_decref(keep);
    buf_release(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_style_as_the_peer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
