#include "serve/sequence.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"

static void *copy(const void *p, size_t count, size_t size)
{
    void *out = mem_array(count ? count : 1, size);

    if (count > 0)
        memcpy(out, p, count * size);
    return out;
}

struct sequence *sequence_new(const struct sequence_args *args)
{
    struct sequence *s = mem_alloc(sizeof *s);

    *s = (struct sequence){ .args = *args, .count = args->prompt_count, .slot = -1 };
    s->tokens = mem_array((size_t)(args->prompt_count + args->max_tokens), sizeof *s->tokens);
    memcpy(s->tokens, args->prompt, (size_t)args->prompt_count * sizeof *s->tokens);
    s->args.prompt = s->tokens;
    s->args.sample.bias =
        copy(args->sample.bias, args->sample.bias_count, sizeof *args->sample.bias);
    return s;
}

void sequence_begin(struct sequence *s, int64_t vocab)
{
    if (!sample_adjusts(&s->args.sample))
        return;
    s->written = mem_array((size_t)vocab, sizeof *s->written);
    s->in_prompt = mem_array((size_t)vocab, sizeof *s->in_prompt);
    for (int64_t i = 0; i < s->args.prompt_count; i++)
        s->in_prompt[s->tokens[i]] = true;
}

void sequence_free(struct sequence *s)
{
    if (s == NULL)
        return;
    free((void *)s->args.sample.bias);
    free(s->tokens);
    free(s->written);
    free(s->in_prompt);
    free(s);
}

bool sequence_wants(const struct sequence *s, int64_t position)
{
    if (position + 1 < s->args.prompt_count)
        return s->args.prompt_logprobs;
    return s->args.max_tokens > 0;
}

/* The row's logits with penalties and bias, where there are any: in scratch. */
static const float *adjusted(const struct sequence *s, const float *logits, float *scratch,
                             int64_t vocab)
{
    if (s->written == NULL)
        return logits;
    memcpy(scratch, logits, (size_t)vocab * sizeof *scratch);
    sample_adjust(scratch, vocab, &s->args.sample, s->written, s->in_prompt);
    return scratch;
}

void sequence_draw(const struct sequence *s, int64_t position, const float *logits, float *scratch,
                   int64_t vocab, struct drawn *out)
{
    int64_t nth = position + 1 - s->args.prompt_count;
    double log_sum;

    if (nth < 0)
        out->id = s->tokens[position + 1];
    else
        out->id = sample_token(adjusted(s, logits, scratch, vocab), vocab, &s->args.sample,
                               rng_uniform_at(s->args.seed, s->args.stream, (uint64_t)nth));
    out->finite = isfinite(logits[out->id]);
    out->top_count = 0;
    if (s->args.logprobs >= 0) {
        out->top_count = sample_top(logits, vocab, (int)s->args.logprobs, out->top, &log_sum);
        out->logprob = (float)(logits[out->id] - log_sum);
        out->finite = out->finite && isfinite(log_sum);
    }
}

static bool tell(const struct sequence *s, const struct engine_token *t)
{
    return s->args.on_token(s->args.ctx, t);
}

bool sequence_tell_prompt(struct sequence *s, int64_t position, const struct drawn *d)
{
    s->told = position + 2;
    return tell(s, &(struct engine_token){ .id = d->id,
                                           .position = position + 1,
                                           .of_prompt = true,
                                           .has_logprob = s->args.logprobs >= 0,
                                           .logprob = d->logprob,
                                           .top_count = d->top_count,
                                           .top = d->top });
}

bool sequence_take(struct sequence *s, const struct drawn *d, int32_t end_of_text,
                   enum engine_end *end)
{
    struct engine_token t = { .id = d->id,
                              .position = s->count,
                              .has_logprob = s->args.logprobs >= 0,
                              .logprob = d->logprob,
                              .top_count = d->top_count,
                              .top = d->top };

    *end = END_STOP;
    if (d->id == end_of_text && !s->args.past_end)
        return false;
    s->tokens[s->count++] = d->id;
    if (s->written != NULL)
        s->written[d->id]++;
    if (!tell(s, &t))
        return false;
    *end = END_LENGTH;
    return s->count < s->args.prompt_count + s->args.max_tokens;
}
