/*
 * A model in use: opened from one folder, checked, tried, and all that its answers need.
 *
 * Everything that belongs to the model (weights, engine, tokenizer, context, fingerprint) is read
 * from the folder once and lies in this one struct, so that a request which is checked, written and
 * answered with one `struct api` cannot mix two models. The folder's manifest.json is locked
 * (shared) until served_close(): whoever removes old models can see that this one is in use.
 */
#ifndef TUNDISH_SERVE_SERVED_H
#define TUNDISH_SERVE_SERVED_H

#include "base/arena.h"
#include "base/file.h"
#include "serve/api.h"
#include "serve/loaded.h"

struct served_args {
    const char *name;          /* what clients call it */
    const char *device;        /* device_open()'s */
    int dtype;                 /* of compute_names */
    struct engine_args engine; /* model is filled in */
    uint64_t max_reply;        /* bytes that one reply may need */
};
struct served {
    struct api api;
    struct loaded loaded;
    struct file_lock lock;
    struct engine_state trial; /* what the trial cost: no client asked for it */
    double seconds;            /* that it took to open */
    int64_t holders;           /* who uses the api; swap.c counts */
    struct swap *swap;         /* who lends it */
    struct arena arena;
};
/* Locks and checks the folder, loads it, and has it write one token. Takes as long as the model is
 * large; a stop that is asked for (base/stop.h) ends it between two of these steps:
 * ST_INTERRUPTED. */
MUST_USE enum status served_open(const char *folder, const struct served_args *args,
                                 struct served **out);
/* What it did for clients. */
struct engine_state served_state(const struct served *s);
void served_close(struct served *s); /* NULL is fine; never from a callback of its own engine */

#endif
