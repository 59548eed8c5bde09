/*
 * A tokenizer.json in the middle of being read: what its parts share. tokenizer_json.c reads the
 * whole, and each of the parts has its file.
 */
#ifndef TUNDISH_TOKENIZE_TOKENIZER_READING_H
#define TUNDISH_TOKENIZE_TOKENIZER_READING_H

#include "base/json.h"
#include "tokenize/encode/normalizer.h"
#include "tokenize/files/json_big.h"
#include "tokenize/tokenizer_part.h"

struct reading {
    const char *what;                /* names the file */
    struct tokenizer *t;
    struct text_map strings;         /* the vocabulary's strings as they stand in the file -> id */
    struct json_big big;
    bool bytes;                      /* symbols are bytes: the last pre-tokenizer is ByteLevel */
    bool byte_fallback;
    const char *prefix, *suffix;     /* continuing_subword_prefix, end_of_word_suffix; "": none */
    /* of the vocabulary, in the file's order, until it is stored */
    struct read_entry {
        struct span token;
        int64_t id;
    } *entries;
    size_t entry_count, entry_cap;
    /* of the merges */
    struct read_merge *waiting;      /* see json_model.c */
    size_t waiting_count;
    struct buf joined;
    struct normal_scratch normal;    /* of the added tokens' contents */
    struct arena scratch;
    bool crosses_mark, crosses_space;     /* one joins something to U+2581, or to a space, behind it */
    uint32_t *rank_of;               /* [vocab] rank_by_token: of the first merge that makes it */
};

enum status reading_unsupported(const struct reading *r, const char *part, const char *found,
                                const char *want);
/* The `type`, or for older files what the members tell, or "". */
const char *reading_type(const json_t *part);
bool reading_flag(const json_t *part, const char *key, bool absent);
/* null, absent or "" */
bool reading_is_nothing(const json_t *v);
/* A text into the tokenizer's arena, with a NUL behind it. */
struct span reading_keep(struct reading *r, const char *p, size_t n);
/* A text member of at most 4096 bytes; ST_FORMAT if it is something else. */
MUST_USE enum status reading_text(const struct reading *r, const json_t *part, const char *key,
                                  struct span *out);

/* Each reads its part of the file into r->t. */
MUST_USE enum status reading_normalizer(struct reading *r, const json_t *part);
MUST_USE enum status reading_pretok(struct reading *r, const json_t *part);
MUST_USE enum status reading_decoder(struct reading *r, const json_t *part);
MUST_USE enum status reading_template(struct reading *r, const json_t *part);
MUST_USE enum status reading_model(struct reading *r, const json_t *model, const json_t *added);
/* Behind the model: where no pre-tokenizer cuts, cuts before U+2581 where no merge goes over it. */
MUST_USE enum status reading_cut_marks(struct reading *r);

#endif
