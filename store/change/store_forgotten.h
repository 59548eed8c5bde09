/*
 * The ids that were removed from a token store, as its history keeps them, to ask of many documents
 * whether they are among them. Memory: 72 bytes an id; a question costs a SHA-256 for each change
 * that removed something.
 */
#ifndef TUNDISH_STORE_STORE_FORGOTTEN_H
#define TUNDISH_STORE_STORE_FORGOTTEN_H

#include "base/json.h"

struct store_forgotten;
/* history may be NULL, and lives at least as long. NULL: nothing was ever removed. */
struct store_forgotten *store_forgotten_new(const json_t *history);
void store_forgotten_free(struct store_forgotten *f);
bool store_forgotten_has(const struct store_forgotten *f, struct span id);

#endif
