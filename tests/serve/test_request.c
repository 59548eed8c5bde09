/* Requests: what is taken, with its defaults; and each way to be wrong, with its code and field. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "serve/request.h"

enum { VOCAB = 300 };

static struct span made(struct buf *b, const char *head, const char *part, int times,
                        const char *tail)
{
    buf_adds(b, head);
    for (int i = 0; i < times; i++)
        buf_adds(b, part);
    buf_adds(b, tail);
    return (struct span){ b->p, b->n };
}

static void refused_bytes(enum endpoint at, struct span body, const char *code, const char *param)
{
    struct request r;
    struct problem p = { 0 };

    if (request_parse(&r, at, body, VOCAB, &p))
        fail_msg("taken: %.200s", body.p);
    if (p.http != 400 || strcmp(p.code, code) != 0 || p.text[0] == 0 ||
        (param == NULL) != (p.param == NULL) || (param != NULL && strcmp(p.param, param) != 0))
        fail_msg("%.200s\n  is %d, %s, %s: %s\n  want 400, %s, %s", body.p, p.http, p.code,
                 p.param ? p.param : "-", p.text, code, param ? param : "-");
    request_release(&r);
}

static void refused(enum endpoint at, const char *body, const char *code, const char *param)
{
    refused_bytes(at, span_of(body), code, param);
}

static struct request taken(enum endpoint at, const char *body)
{
    struct request r;
    struct problem p = { 0 };

    if (!request_parse(&r, at, span_of(body), VOCAB, &p))
        fail_msg("%s: %s", body, p.text);
    return r;
}

static void defaults_are_openais(void **state)
{
    struct request r = taken(AT_COMPLETIONS, "{\"model\":\"m\",\"prompt\":\"a\",\"stop\":null,"
                                             "\"logprobs\":null,\"seed\":null,\"n\":null}");

    assert_string_equal(r.model, "m");
    assert_int_equal(r.max_tokens, -1);
    assert_int_equal(r.n, 1);
    assert_true(r.seed == SEED_NONE);
    assert_true(r.temperature == 1 && r.top_p == 1 && r.min_p == 0 && r.repetition_penalty == 1);
    assert_true(r.presence_penalty == 0 && r.frequency_penalty == 0 && r.top_k == 0);
    assert_int_equal(r.logprobs_count, -1);
    assert_true(r.add_special_tokens && !r.stream && !r.echo && !r.ignore_eos);
    assert_int_equal(r.stop_count, 0);
    request_release(&r);
}

static void what_is_said_is_taken(void **state)
{
    struct request r = taken(
        AT_COMPLETIONS,
        "{\"max_tokens\":0,\"temperature\":0,\"top_p\":0.5,\"min_p\":0.25,\"top_k\":7,\"n\":128,"
        "\"seed\":-3,\"stop\":[\"a\",\"\xc3\xa9\"],\"stream\":true,\"logprobs\":0,\"echo\":true,"
        "\"stream_options\":{\"include_usage\":true},\"presence_penalty\":-2,"
        "\"frequency_penalty\":2,\"repetition_penalty\":1.5,\"logit_bias\":{\"299\":-100,\"0\":1},"
        "\"user\":[{}],\"best_of\":128,\"suffix\":\"\",\"add_special_tokens\":false,"
        "\"ignore_eos\":true,\"return_token_ids\":true}");

    assert_int_equal(r.max_tokens, 0);
    assert_true(r.temperature == 0 && r.top_p == 0.5 && r.min_p == 0.25);
    assert_int_equal(r.top_k, 7);
    assert_int_equal(r.n, 128);
    assert_int_equal(r.seed, -3);
    assert_int_equal(r.stop_count, 2);
    assert_true(span_eq(r.stops[0], "a") && span_eq(r.stops[1], "\xc3\xa9"));
    assert_true(r.stream && r.include_usage && r.echo && r.ignore_eos && r.return_token_ids);
    assert_false(r.add_special_tokens);
    assert_int_equal(r.logprobs_count, 0);
    assert_true(r.presence_penalty == -2 && r.frequency_penalty == 2);
    assert_int_equal(r.bias_count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_true(r.bias[i].token == 299 ? r.bias[i].bias == -100 : r.bias[i].bias == 1);
    request_release(&r);
}

/* Clients say what they do not want; that is no reason to refuse them. */
static void nothing_asked_for_is_fine(void **state)
{
    struct request r = taken(
        AT_CHAT, "{\"tools\":[],\"tool_choice\":\"none\",\"response_format\":{\"type\":\"text\"},"
                 "\"modalities\":[\"text\"],\"audio\":null,\"functions\":[],\"prediction\":null,"
                 "\"metadata\":{\"a\":\"b\"},\"store\":true,\"service_tier\":\"auto\","
                 "\"parallel_tool_calls\":false,\"logprobs\":true,\"top_logprobs\":20}");

    assert_true(r.logprobs);
    assert_int_equal(r.top_logprobs, 20);
    request_release(&r);
}

static void what_is_no_json(void **state)
{
    static const char *const bodies[] = {
        "",
        "{",
        "nonsense",
        "{\"n\":NaN}",
        "{\"n\":1e999}",
        "{\"n\":-1e999}",
        "{\"n\":99999999999999999999}",
        "{\"n\":1,}",
        "{\"n\":1}x",
        "[1]",
        "\"a\"",
        "null",
        "3",
        "{\"n\":1,\"n\":1}",
        "{'n':1}",
        "{\"prompt\":\"\\ud800\"}",
        "{\"prompt\":\"\\udc00\\ud800\"}",
        "{\"prompt\":\"\xff\"}",
        "{\"prompt\":\"\xed\xa0\x80\"}",
        "{\"prompt\":\"\xc0\x80\"}",
        "{\"user\":{\"a\":1,\"a\":2}}",
        "{\"\xff\":1}",
        "{\"n\":Infinity}",
        "{\"prompt\":\"a\nb\"}",
    };

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        refused(AT_COMPLETIONS, bodies[i], "invalid_json", NULL);
    refused_bytes(AT_CHAT, (struct span){ "{}\0", 3 }, "invalid_json", NULL);
}

struct bad {
    enum endpoint at;
    const char *body, *code, *param;
};

static const struct bad values[] = {
    { AT_COMPLETIONS, "{\"temperature\":-5}", "out_of_range", "temperature" },
    { AT_COMPLETIONS, "{\"temperature\":2.0001}", "out_of_range", "temperature" },
    { AT_COMPLETIONS, "{\"temperature\":1e308}", "out_of_range", "temperature" },
    { AT_COMPLETIONS, "{\"temperature\":\"1\"}", "wrong_type", "temperature" },
    { AT_COMPLETIONS, "{\"temperature\":[1]}", "wrong_type", "temperature" },
    { AT_COMPLETIONS, "{\"top_p\":7}", "out_of_range", "top_p" },
    { AT_COMPLETIONS, "{\"min_p\":-0.1}", "out_of_range", "min_p" },
    { AT_COMPLETIONS, "{\"top_k\":-1}", "out_of_range", "top_k" },
    { AT_COMPLETIONS, "{\"n\":0}", "out_of_range", "n" },
    { AT_COMPLETIONS, "{\"n\":129}", "out_of_range", "n" },
    { AT_COMPLETIONS, "{\"n\":1.5}", "wrong_type", "n" },
    { AT_COMPLETIONS, "{\"n\":true}", "wrong_type", "n" },
    { AT_COMPLETIONS, "{\"max_tokens\":-1}", "out_of_range", "max_tokens" },
    { AT_COMPLETIONS, "{\"max_tokens\":9223372036854775807}", "out_of_range", "max_tokens" },
    { AT_COMPLETIONS, "{\"max_tokens\":1e300}", "out_of_range", "max_tokens" },
    { AT_COMPLETIONS, "{\"seed\":\"7\"}", "wrong_type", "seed" },
    { AT_COMPLETIONS, "{\"logprobs\":21}", "out_of_range", "logprobs" },
    { AT_COMPLETIONS, "{\"logprobs\":true}", "wrong_type", "logprobs" },
    { AT_COMPLETIONS, "{\"presence_penalty\":2.1}", "out_of_range", "presence_penalty" },
    { AT_COMPLETIONS, "{\"frequency_penalty\":-2.1}", "out_of_range", "frequency_penalty" },
    { AT_COMPLETIONS, "{\"repetition_penalty\":0}", "out_of_range", "repetition_penalty" },
    { AT_COMPLETIONS, "{\"echo\":1}", "wrong_type", "echo" },
    { AT_COMPLETIONS, "{\"stream\":\"true\"}", "wrong_type", "stream" },
    { AT_COMPLETIONS, "{\"model\":7}", "wrong_type", "model" },
    { AT_CHAT, "{\"logprobs\":3}", "wrong_type", "logprobs" },
    { AT_CHAT, "{\"top_logprobs\":21}", "out_of_range", "top_logprobs" },
    { AT_CHAT, "{\"max_completion_tokens\":-1}", "out_of_range", "max_completion_tokens" },
    { AT_COMPLETIONS, "{\"stop\":7}", "wrong_type", "stop" },
    { AT_COMPLETIONS, "{\"stop\":\"\"}", "out_of_range", "stop" },
    { AT_COMPLETIONS, "{\"stop\":[\"a\",\"\"]}", "out_of_range", "stop" },
    { AT_COMPLETIONS, "{\"stop\":[\"a\",[\"b\"]]}", "wrong_type", "stop" },
    { AT_COMPLETIONS, "{\"stop\":[\"a\",null]}", "wrong_type", "stop" },
    { AT_COMPLETIONS, "{\"stop\":[\"a\",\"b\",\"c\",\"d\",\"e\"]}", "out_of_range", "stop" },
    { AT_COMPLETIONS, "{\"stop\":{\"a\":1}}", "wrong_type", "stop" },
    { AT_COMPLETIONS, "{\"logit_bias\":[]}", "wrong_type", "logit_bias" },
    { AT_COMPLETIONS, "{\"logit_bias\":{\"300\":1}}", "out_of_range", "logit_bias" },
    { AT_COMPLETIONS, "{\"logit_bias\":{\"-1\":1}}", "out_of_range", "logit_bias" },
    { AT_COMPLETIONS, "{\"logit_bias\":{\"\":1}}", "out_of_range", "logit_bias" },
    { AT_COMPLETIONS, "{\"logit_bias\":{\" 1\":1}}", "out_of_range", "logit_bias" },
    { AT_COMPLETIONS, "{\"logit_bias\":{\"05\":1}}", "out_of_range", "logit_bias" },
    { AT_COMPLETIONS, "{\"logit_bias\":{\"1x\":1}}", "out_of_range", "logit_bias" },
    { AT_COMPLETIONS, "{\"logit_bias\":{\"99999999999999999999\":1}}", "out_of_range",
      "logit_bias" },
    { AT_COMPLETIONS, "{\"logit_bias\":{\"1\":100.5}}", "out_of_range", "logit_bias" },
    { AT_COMPLETIONS, "{\"logit_bias\":{\"1\":\"x\"}}", "out_of_range", "logit_bias" },
    { AT_COMPLETIONS, "{\"stream\":true,\"stream_options\":[]}", "wrong_type", "stream_options" },
    { AT_COMPLETIONS, "{\"stream\":true,\"stream_options\":{\"include_usage\":1}}", "wrong_type",
      "stream_options" },
    { AT_COMPLETIONS, "{\"stream\":true,\"stream_options\":{\"x\":true}}", "unknown_field",
      "stream_options" },
    { AT_COMPLETIONS, "{\"best_of\":2}", "unsupported", "best_of" },
    { AT_COMPLETIONS, "{\"n\":2,\"best_of\":3}", "unsupported", "best_of" },
    { AT_COMPLETIONS, "{\"suffix\":\"x\"}", "unsupported", "suffix" },
    { AT_COMPLETIONS, "{\"suffix\":\"none\"}", "unsupported", "suffix" },
    { AT_COMPLETIONS, "{\"stream_options\":{}}", "unsupported", "stream_options" },
    { AT_CHAT, "{\"top_logprobs\":3}", "unsupported", "top_logprobs" },
    { AT_CHAT, "{\"logprobs\":false,\"top_logprobs\":3}", "unsupported", "top_logprobs" },
    { AT_CHAT, "{\"tools\":[{}]}", "unsupported", "tools" },
    { AT_CHAT, "{\"tool_choice\":\"auto\"}", "unsupported", "tool_choice" },
    { AT_CHAT, "{\"tool_choice\":{\"type\":\"function\"}}", "unsupported", "tool_choice" },
    { AT_CHAT, "{\"response_format\":{\"type\":\"json_object\"}}", "unsupported",
      "response_format" },
    { AT_CHAT, "{\"response_format\":{}}", "unsupported", "response_format" },
    { AT_CHAT, "{\"modalities\":[\"text\",\"audio\"]}", "unsupported", "modalities" },
    { AT_CHAT, "{\"audio\":{\"voice\":\"x\"}}", "unsupported", "audio" },
    { AT_CHAT, "{\"prediction\":{\"type\":\"content\"}}", "unsupported", "prediction" },
    { AT_CHAT, "{\"functions\":[{}]}", "unsupported", "functions" },
    { AT_COMPLETIONS, "{\"max_token\":1}", "unknown_field", "max_token" },
    { AT_COMPLETIONS, "{\"messages\":[]}", "unknown_field", "messages" },
    { AT_CHAT, "{\"prompt\":\"a\"}", "unknown_field", "prompt" },
    { AT_CHAT, "{\"echo\":true}", "unknown_field", "echo" },
    { AT_TOKENIZE, "{\"tokens\":[]}", "unknown_field", "tokens" },
    { AT_TOKENIZE, "{\"temperature\":1}", "unknown_field", "temperature" },
    { AT_DETOKENIZE, "{\"prompt\":\"a\"}", "unknown_field", "prompt" },
    { AT_DETOKENIZE, "{\"\":1}", "unknown_field", "" },
};

static void wrong_values_are_named(void **state)
{
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        refused(values[i].at, values[i].body, values[i].code, values[i].param);
}

static void unknown_names_are_helped(void **state)
{
    struct request r;
    struct problem p = { 0 };

    assert_false(request_parse(&r, AT_COMPLETIONS, span_of("{\"temprature\":1}"), VOCAB, &p));
    assert_non_null(strstr(p.text, "did you mean 'temperature'"));
    request_release(&r);
    assert_false(request_parse(&r, AT_COMPLETIONS, span_of("{\"xyzzyxyzzy\":1}"), VOCAB, &p));
    assert_null(strstr(p.text, "did you mean"));
    request_release(&r);
}

static void bombs_are_defused(void **state)
{
    struct buf b = { 0 };

    refused_bytes(AT_CHAT, made(&b, "{\"user\":", "[", 200000, ""), "invalid_json", NULL);
    buf_clear(&b);
    refused_bytes(AT_CHAT, made(&b, "", "{\"a\":", 100000, "1"), "invalid_json", NULL);
    buf_clear(&b);
    refused_bytes(AT_CHAT, made(&b, "{\"user\":\"\\\"", "[", 200000, ""), "invalid_json", NULL);
    buf_clear(&b);
    refused_bytes(AT_COMPLETIONS, made(&b, "{\"stop\":[\"x\"", ",\"x\"", 200000, "]}"),
                  "out_of_range", "stop");
    buf_clear(&b);
    refused_bytes(AT_COMPLETIONS, made(&b, "{\"stop\":\"", "xy", 513, "\"}"), "out_of_range",
                  "stop");
    buf_clear(&b);
    refused_bytes(AT_COMPLETIONS, made(&b, "{\"user\":[{}", ",{}", 1000000, "]}"), "invalid_json",
                  NULL);
    buf_release(&b);
}

static void depth_64_is_fine(void **state)
{
    struct buf b = { 0 };
    struct request r;
    struct problem p = { 0 };

    made(&b, "{\"user\":", "[", 63, "");
    made(&b, "", "]", 63, "}");
    assert_true(request_parse(&r, AT_CHAT, (struct span){ b.p, b.n }, VOCAB, &p));
    request_release(&r);
    buf_clear(&b);
    made(&b, "{\"user\":", "[", 64, "");
    refused_bytes(AT_CHAT, made(&b, "", "]", 64, "}"), "invalid_json", NULL);
    buf_release(&b);
}

static void ids_are_checked(void **state)
{
    static const struct {
        const char *list, *code;
    } lists[] = { { "[0,299,7]", NULL },        { "[]", NULL },
                  { "[300]", "out_of_range" },  { "[-1]", "out_of_range" },
                  { "[1.5]", "wrong_type" },    { "[\"1\"]", "wrong_type" },
                  { "[[1]]", "wrong_type" },    { "[1,null]", "wrong_type" },
                  { "[1e18]", "out_of_range" }, { "[4294967296]", "out_of_range" },
                  { "[true]", "wrong_type" } };

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct problem p = { 0 };
        int32_t *ids = NULL;
        size_t count;
        json_t *list;
        bool good;

        assert_ok(json_parse(lists[i].list, strlen(lists[i].list), "list", &list));
        good = request_ids(list, "prompt", VOCAB, &ids, &count, &p);
        if (good != (lists[i].code == NULL))
            fail_msg("%s: %s", lists[i].list, good ? "taken" : p.text);
        if (good) {
            assert_int_equal(count, json_array_size(list));
        } else {
            assert_string_equal(p.code, lists[i].code);
            assert_string_equal(p.param, "prompt");
        }
        free(ids);
        json_decref(list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_openais),      cmocka_unit_test(what_is_said_is_taken),
        cmocka_unit_test(nothing_asked_for_is_fine), cmocka_unit_test(what_is_no_json),
        cmocka_unit_test(wrong_values_are_named),    cmocka_unit_test(unknown_names_are_helped),
        cmocka_unit_test(bombs_are_defused),         cmocka_unit_test(depth_64_is_fine),
        cmocka_unit_test(ids_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
