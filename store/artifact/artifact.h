/*
 * Artifacts: what stages hand to each other. A folder with a manifest.json, written under a
 * temporary name and renamed into place when complete and synced (FORMATS.md, "manifest").
 *
 * The manifest:
 *   { "tundish": 1,                       format of the manifest
 *     "kind": "corpus",
 *     "digest": "<sha256>",               content digest: over the canonical
 *                                         form of {"kind", "files"}
 *     "files": {"part-00000.jsonl.zst": {"bytes": n, "sha256": "..."}},
 *     "made_by": {"stage": "curate", "version": 1, "options": {...}, "numeric_class": null},
 *     "inputs": {"in": ["<digest>", ...]},          content digests of what it was
 *                                                   made from, by option name
 *     "counts": {...},                    documents, bytes, tokens ...
 *     "aside": {"host", "created", "program", "paths", "seconds"} }   covered by no digest
 */
#ifndef TUNDISH_STORE_ARTIFACT_H
#define TUNDISH_STORE_ARTIFACT_H

#include "base/arena.h"
#include "base/command.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/status.h"

struct artifact;     /* one that is being written */

/* Starts writing the artifact of `command` at path. cfg is the command's config: made_by.options is
 * opt_record(), and the digest of each input row becomes inputs (an artifact's content digest, else
 * artifact_digest_path()). Also input paths hidden in trees (opt.paths). */
MUST_USE enum status artifact_begin(const struct command *command, const void *cfg,
                                    const char *path, struct artifact **out);
/* The folder to write into (absolute or relative as given), until commit. */
const char *artifact_folder(const struct artifact *a);
/* Takes ownership of counts (a JSON object). */
void artifact_set_counts(struct artifact *a, json_t *counts);
/* One more member of "aside": what is worth knowing and differs from run to run (the speed of a stage's steps). Takes
 * ownership. */
void artifact_tell_aside(struct artifact *a, const char *key, json_t *value);
/* What makes two runs of a stage the same: {"made_by": {"version", "options", "numeric_class"}, "inputs"}, each as
 * in the manifest. The caller owns it. */
json_t *artifact_run(const struct artifact *a);
/* ST_FAILED if an input is not what it was at artifact_begin(): something else writes there. What is remembered of files
 * that did not change is not hashed again. */
MUST_USE enum status artifact_check_inputs(const struct artifact *a, const void *cfg);
/* In place of the inputs' digests that artifact_begin() found: those that a long stage began with
 * ("inputs" of artifact_run()). An input may have been changed in place since, and what was read
 * is the old one. */
void artifact_set_inputs(struct artifact *a, const json_t *inputs);
/* The digest of a file of the folder, by one who has hashed its bytes: commit does not read it again. */
struct artifact_file {
    const char *name;
    uint64_t bytes;
    const char *sha256;
};
void artifact_know_file(struct artifact *a, const struct artifact_file *f);
/* Hashes the other files, writes manifest.json, syncs, renames. Frees a in any case.
 * digest may be NULL. */
MUST_USE enum status artifact_commit(struct artifact *a, char digest[SHA256_HEX]);
void artifact_abort(struct artifact *a);

/* Reads a finished artifact's manifest; kind NULL: any, else a wrong kind is a clear error naming
 * what it is and what makes one. Checks that every file exists with its size (not its digest).
 * Caller owns *manifest. */
MUST_USE enum status artifact_open(const char *path, const char *kind, json_t **manifest);
/* Re-hashes one file of it / every file. ST_INTEGRITY names file, digest seen and wanted. */
MUST_USE enum status artifact_verify_file(const char *path, const json_t *manifest,
                                          const char *name);
MUST_USE enum status artifact_verify(const char *path, const json_t *manifest);
/* Of all files that a manifest names. */
uint64_t artifact_bytes(const json_t *manifest);
/* The content digest recorded in a manifest (borrowed). */
const char *artifact_digest(const json_t *manifest);
/* The content digest of any path: an artifact's from its manifest; a file's SHA-256; a folder's
 * over the sorted list of its files' names and SHA-256s. File digests are remembered by (device,
 * inode, size, mtime, ctime) in cache_file when it is not NULL (only files older than two seconds
 * are remembered: git's racy rule); digests.h has the rest. */
MUST_USE enum status artifact_digest_path(const char *path, const char *cache_file,
                                          char digest[SHA256_HEX]);
/* The same with an open memory, for those who ask for many paths: it is then read and written
 * once. */
struct digest_cache;
MUST_USE enum status artifact_digest_in(struct digest_cache *cache, const char *path,
                                        char digest[SHA256_HEX]);

#endif
