/*
 * What tokenizers make of a corpus: how many tokens, of which kinds, for which sources, languages
 * and scripts; and where several of them part.
 *
 * Texts are read in order, measured by all threads and summed in order; what is summed by threads
 * (how often each token occurs) are whole numbers. So the result is the same for any number of
 * threads. Memory is bounded by the threads, the largest text, the vocabularies and
 * MEASURE_GROUPS.
 */
#ifndef TUNDISH_TOKENIZE_TOKEN_MEASURE_H
#define TUNDISH_TOKENIZE_TOKEN_MEASURE_H

#include "base/arena.h"
#include "base/pool.h"
#include "tokenize/measure/measure_source.h"
#include "tokenize/measure/token_differ.h"
#include "tokenize/text_map.h"

#define MEASURE_TOKENIZERS 16        /* at most */
#define MEASURE_GROUPS 4096          /* sources or languages with a row of their own; the rest
                                        share the last row */
#define MEASURE_SPAN_IDS 16          /* ids of a difference that are kept */

struct measure_args {
    struct measure_source_args source;
    const struct tokenizer *tokenizers[MEASURE_TOKENIZERS];
    size_t count;                    /* 1 to MEASURE_TOKENIZERS */
    size_t samples;                  /* texts whose beginning is kept */
    size_t differences;              /* places kept for each tokenizer but the first */
    bool by_ids;                     /* a place is where ids differ, not where boundaries do */
};

/* Texts of one source, language or script. */
struct measure_group {
    struct span name;                /* "": the texts do not say */
    uint64_t texts, bytes, characters, words;
    uint64_t tokens[MEASURE_TOKENIZERS];
};
struct measure_groups {
    struct measure_group *v;         /* in the order in which they were met */
    size_t count, cap;
    struct text_map index;
};
struct measure_place {               /* where two tokenizers part, the first time in a text */
    struct span id, before, text, after;     /* the differing bytes and what stands around them */
    uint64_t at;                     /* byte of the text (of a part, for a sample) */
    size_t count[2];                 /* tokens of the span */
    uint32_t ids[2][MEASURE_SPAN_IDS];       /* the first of them */
};
/* A tokenizer against the first one. */
struct measure_pair {
    uint64_t texts_other_ids, texts_other_cuts;
    uint64_t spans, tokens[2], same_bytes;   /* as in struct token_difference, summed */
    struct measure_place *places;
    size_t place_count;
};
struct measure_sample {
    struct span id, source, text;    /* the text's beginning, UTF-8 without NUL */
};
struct token_measure {
    struct arena arena;              /* names and texts */
    struct measure_source_totals whole;
    struct measure_group all;
    struct measure_groups sources, languages, scripts;
    uint64_t *counts[MEASURE_TOKENIZERS];            /* [vocabulary]: how often each token occurs */
    struct {
        uint64_t all, whole;         /* pieces of the pre-tokenizer; those that are one token. 0
                                        where there is none, or it sees another text than is there */
    } pieces[MEASURE_TOKENIZERS];
    struct measure_pair pairs[MEASURE_TOKENIZERS];   /* [0] is not used */
    struct measure_sample *samples;
    size_t sample_count;
};
/* ST_FORMAT for a corpus without text. Release in any case. */
MUST_USE enum status token_measure(struct pool *pool, const struct measure_args *args,
                                   struct token_measure *out);
void token_measure_release(struct token_measure *m, size_t tokenizers);

#endif
