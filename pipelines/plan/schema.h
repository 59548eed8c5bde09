/*
 * JSON Schemas (draft 2020-12) of pipeline files and site profiles, for editors: what keys there
 * are, what they hold, defaults, bounds and help as one types.
 *
 * The one idea: a stage's `uses` picks by if/then what its `with` may hold, and that comes from the
 * command's own option table; the keys of the file itself are the table in schema_keys.c. What
 * only the whole file can tell (references, circles, options that do not fit each other) is left to
 * the plan: a schema takes every file that the plan takes, and refuses most that it refuses.
 */
#ifndef TUNDISH_PIPELINES_SCHEMA_H
#define TUNDISH_PIPELINES_SCHEMA_H

#include "base/command.h"
#include "base/json.h"

/* Owned by the caller. */
json_t *schema_of_pipeline(command_list commands);
json_t *schema_of_site(command_list commands);

/* ---- the maps of these files ---- */

enum schema_map {
    SCHEMA_FILE,
    SCHEMA_STAGE,
    SCHEMA_DEFAULTS,
    SCHEMA_RESOURCES,
    SCHEMA_RETRY,
    SCHEMA_GATE,
    SCHEMA_NOTIFY,
    SCHEMA_SITE,
    SCHEMA_SITE_ENTRY,
};
/* The map's key of that number, NULL behind the last: what plan_keys.c knows, too. */
const char *schema_key(enum schema_map map, size_t i);

/* ---- shared by pipelines/schema*.c ---- */

/* The map with those keys and no others. */
json_t *schema_of_keys(enum schema_map map);
/* Adds what the keys' schemas refer to: texts with params, names, times ... and the maps. */
void schema_add_shapes(json_t *defs);
/* A map of the table's options but its output, put into defs under that name. */
void schema_add_options(json_t *defs, const char *name, const struct opt *table);
/* {"$ref": "#/$defs/<name>"} */
json_t *schema_ref(const char *name);

#endif
