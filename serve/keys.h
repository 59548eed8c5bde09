/*
 * API keys: a file with one key a line, and behind it, if wanted, spaces and a name for the logs.
 * '#' begins a comment line. A key is 16 to 256 printable characters without spaces. The file must
 * not be readable by others.
 *
 * Only SHA-256 digests are kept, and all of them are compared, in constant time: how long a wrong
 * key takes says nothing about the right ones.
 */
#ifndef TUNDISH_SERVE_KEYS_H
#define TUNDISH_SERVE_KEYS_H

#include "base/status.h"
#include "base/str.h"

struct keys;
MUST_USE enum status keys_open(const char *path, struct keys **out);
void keys_close(struct keys *k);
int keys_count(const struct keys *k);
/* Its number, -1: no such key. */
int keys_find(const struct keys *k, struct span key);
const char *keys_name(const struct keys *k, int number); /* "key 1" where it has none */

#endif
