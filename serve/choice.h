/*
 * One text of a reply: tokens become bytes, bytes become characters, and the text ends at the first
 * text to stop at, wherever token edges lie.
 *
 * What could still become part of a text to stop at, or of a character, is held back; a token is
 * shown when its last byte is. Everything is kept in `raw`, the exact bytes.
 */
#ifndef TUNDISH_SERVE_CHOICE_H
#define TUNDISH_SERVE_CHOICE_H

#include "serve/engine.h"
#include "tokenize/encode/text_stream.h"
#include "tokenize/tokenizer.h"

/* A token with its logprob, as long as it is not shown. */
struct choice_token {
    int32_t id;
    bool has_logprob;
    float logprob;
    int top_count;
    struct token_choice *top;
    size_t begin, end;  /* in raw */
    int64_t text_begin; /* characters of the text in front of it; set when it is shown */
};

struct choice_args {
    const struct tokenizer *tokenizer;
    const struct span *stops; /* borrowed */
    int stop_count;
    bool keep_tokens; /* logprobs or ids are wanted */
    bool drop_space;  /* the space in front of an answer is not part of it */
};
struct choice {
    struct choice_args args;
    struct buf raw;
    size_t prompt_bytes; /* of raw: an echo, in which nothing stops */
    size_t shown;        /* of raw */
    size_t searched;
    size_t cut; /* where a text to stop at begins; SIZE_MAX: none was found */
    struct text_stream characters;
    struct text_stream counted; /* how many characters stand in front of a token */
    size_t counted_bytes;
    int64_t counted_length;
    struct choice_token *tokens;
    size_t token_count, token_cap, tokens_shown;
};
void choice_init(struct choice *c, const struct choice_args *args);
void choice_release(struct choice *c);
/* A token of an echoed prompt. */
void choice_add_prompt(struct choice *c, const struct engine_token *t);
/* Bytes of an echoed prompt whose tokens are not wanted. */
void choice_add_echo(struct choice *c, struct span bytes);
/* A written token. False: a text to stop at is complete. */
bool choice_add(struct choice *c, const struct engine_token *t);

/* What can be shown now, and was not: text; exact: the bytes that it stands for; tokens [first,
 * first + count). last: all that is left. */
struct choice_piece {
    struct buf text;
    struct span exact; /* valid until the next call */
    bool repaired;     /* text is not exact: some bytes were no characters */
    const struct choice_token *tokens;
    size_t token_count;
};
void choice_take(struct choice *c, bool last, struct choice_piece *out);
void choice_piece_release(struct choice_piece *p);

#endif
