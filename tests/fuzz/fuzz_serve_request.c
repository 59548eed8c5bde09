/* Any bytes as a request's body, for every endpoint: refused with a 400 that says why, or taken
 * with every value within its bounds. The first byte picks the endpoint. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "serve/request.h"

enum { VOCAB = 300 };

static void check_numbers(const struct request *r)
{
    BUG_IF(r->max_tokens < -1 || r->max_completion_tokens < -1 || r->n < 1 || r->n > 128);
    BUG_IF(r->top_k < 0 || r->top_logprobs < 0 || r->top_logprobs > 20);
    BUG_IF(r->logprobs_count < -1 || r->logprobs_count > 20);
    BUG_IF(!(r->temperature >= 0 && r->temperature <= 2));
    BUG_IF(!(r->top_p >= 0 && r->top_p <= 1) || !(r->min_p >= 0 && r->min_p <= 1));
    BUG_IF(!(fabs(r->presence_penalty) <= 2) || !(fabs(r->frequency_penalty) <= 2));
    BUG_IF(!(r->repetition_penalty >= 0.01 && r->repetition_penalty <= 10));
}

static void check_lists(const struct request *r)
{
    BUG_IF(r->stop_count < 0 || r->stop_count > 4 || r->bias_count > BIASES);
    for (int i = 0; i < r->stop_count; i++)
        BUG_IF(r->stops[i].n < 1 || r->stops[i].n > STOP_BYTES ||
               !utf8_valid(r->stops[i].p, r->stops[i].n));
    for (size_t i = 0; i < r->bias_count; i++)
        BUG_IF(r->bias[i].token < 0 || r->bias[i].token >= VOCAB ||
               !(fabsf(r->bias[i].bias) <= 100));
}

static void check_ids(const json_t *list)
{
    struct problem p = { 0 };
    int32_t *ids = NULL;
    size_t count;

    if (!json_is_array(list))
        return;
    if (request_ids(list, "prompt", VOCAB, &ids, &count, &p)) {
        BUG_IF(count != json_array_size(list));
        for (size_t i = 0; i < count; i++)
            BUG_IF(ids[i] < 0 || ids[i] >= VOCAB);
    } else {
        BUG_IF(p.http != 400 || p.text[0] == 0);
    }
    free(ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct request r;
    struct problem p = { 0 };
    enum endpoint at;

    if (n == 0)
        return 0;
    at = (enum endpoint)(1u << bytes[0] % 4);
    if (request_parse(&r, at, (struct span){ (const char *)bytes + 1, n - 1 }, VOCAB, &p)) {
        check_numbers(&r);
        check_lists(&r);
        check_ids(r.prompt);
        check_ids(r.tokens);
    } else {
        BUG_IF(p.http != 400 || p.code == NULL || p.text[0] == 0);
    }
    request_release(&r);
    return 0;
}
