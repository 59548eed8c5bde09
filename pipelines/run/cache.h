/*
 * The cache: which artifact a stage would make, and whether it is there already.
 *
 * The one idea: a stage's result is decided by its key record,
 *   {"kind": "train", "version": 1,                    the subcommand, and the
 *                                                      version of its results
 *    "options": {...},                                 opt_record(): defaults filled in, no inputs,
 *                                                      outputs or neutral rows
 *    "inputs": {"store": ["<digest>"],                 content digests, by option, in order
 *               "sources": [{"digest": "<digest>", "name": "notes"}]},
 *    "numeric_class": "cpu-f32-avx2" or null}
 * and the key is the SHA-256 of its canonical JSON. Where files lie, how many threads or ranks
 * worked, and which release of the program ran are not in it. A file or folder from outside brings
 * its base name along, since names tell formats and documents carry them; an artifact has only its
 * digest.
 *
 * Keys take in the content digests of inputs, not their keys: a stage that ran again and gave the
 * same bytes leaves everything behind it cached.
 *
 * The record is stored beside the artifact, before the stage starts, and the artifact appears whole
 * or not at all; so an artifact with a key file of that key is the result of that record, even if
 * the runner was killed before it could say so.
 */
#ifndef TUNDISH_PIPELINES_CACHE_H
#define TUNDISH_PIPELINES_CACHE_H

#include "base/hash.h"
#include "base/json.h"
#include "pipelines/plan/plan.h"

/* What is known of one input. */
struct input_value {
    const char *digest;      /* NULL: not known yet */
    const char *name;        /* base name, for a file or folder that is no artifact; else NULL */
};

/* The key record; an unknown digest becomes null in it. values: one for each input of the stage.
 * Paths must be bound (an input that is not known may still hold its "@stage"). Caller owns
 * *out. */
MUST_USE enum status key_record(struct arena *a, const struct plan_stage *s,
                                const struct input_value *values, json_t **out);
/* The stage's options as its command gets them, with `out` for its output. In the arena. */
MUST_USE enum status stage_config(struct arena *a, const struct plan_stage *s, const char *out,
                                  void **cfg);
void key_of_record(const json_t *record, char key[SHA256_HEX]);

/* Writes <artifact>.key. */
MUST_USE enum status key_store(struct arena *a, const char *artifact, const char *key,
                               json_t *record);
/* The record in <artifact>.key, owned by the caller, and its key (may be NULL); NULL if there is no
 * readable one. */
json_t *key_load(struct arena *a, const char *artifact, char key[SHA256_HEX]);

enum cache_state {
    CACHE_VALID,             /* there, whole, and made from this key; digest is set */
    CACHE_ABSENT,
    CACHE_DAMAGED,           /* there, but files are missing or have another size, or it was made of
                                other inputs than its record says: they changed while its stage
                                began; why is set */
    CACHE_FOREIGN,           /* there, without a key file of this key */
};
struct cache_look {
    enum cache_state state;
    char digest[SHA256_HEX];
    const char *why;         /* in the arena */
    const char *changed;     /* CACHE_VALID: NULL, or that somebody changed it in place since its stage made it: a token store
                                that documents were appended to or removed from. In the arena */
};
/* "changed in place (2 times, last by store remove, 2026-11-29T23:44:54Z)", in the arena, if the
 * artifact is a token store that was; else, or if there is none, NULL. */
const char *cache_changed_since(struct arena *a, const char *artifact);
struct cache_question {
    const char *artifact;
    const char *key;         /* NULL: any key will do */
    const char *kind;        /* what the artifact must be */
    const json_t *record;    /* of the key; NULL: its maker's inputs are not compared */
};
struct cache_look cache_look_at(struct arena *a, const struct cache_question *q);

/* Appends a line for each difference between two records of the stage, "option steps: 2000 ->
 * 4000"; inputs that are not known yet are passed over. At most `most` lines, the last one telling
 * how many more there are. */
struct words;
void key_explain(const struct plan *p, const struct plan_stage *s, const json_t *before,
                 const json_t *after, size_t most, struct words *out);

#endif
