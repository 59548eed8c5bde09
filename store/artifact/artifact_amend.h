/*
 * A finished artifact that is changed in place: files are added to it and others go, and its
 * manifest says so.
 *
 * The one idea: the manifest is what an artifact is. New files are written into the folder under
 * names that the manifest does not have, hashed and synced; then the manifest is replaced by one
 * rename; then the files that it no longer names go. Whoever opens the artifact sees the old one or
 * the new one, each whole, and a kill leaves one of them, with files of the other that nobody names
 * (strangers), which the next change removes. Whoever has it open keeps the old files until it
 * closes them. Digests of files that stay are taken over, not hashed again.
 *
 * The manifest is locked meanwhile: two changes, or a change and gc, never meet.
 */
#ifndef TUNDISH_STORE_ARTIFACT_AMEND_H
#define TUNDISH_STORE_ARTIFACT_AMEND_H

#include "store/artifact/artifact.h"

struct amendment;
/* ST_HELD: somebody else changes it, or removes it. */
MUST_USE enum status amend_begin(const char *path, const char *kind, struct amendment **out);
const char *amend_path(const struct amendment *a);
/* As it was. */
const json_t *amend_before(const struct amendment *a);
/* As it will be, for the caller to change, but for `files` and `digest`. */
json_t *amend_manifest(struct amendment *a);
/* Removes files of the artifact's own folder that the manifest does not name and `ours` knows as
 * left by a change. */
MUST_USE enum status amend_clear(struct amendment *a, bool (*ours)(const char *name));
/* A file that lies in the folder will belong to it; its name is none of the manifest's. */
void amend_add(struct amendment *a, const char *name);
/* The same of a file whose digest is known; entry as in a manifest's `files`. */
void amend_add_known(struct amendment *a, const char *name, const json_t *entry);
/* A file of the manifest will not. */
void amend_drop(struct amendment *a, const char *name);
/* Frees a in any case. digest may be NULL. After a failure the artifact is the old one, and the
 * added files are left as strangers; but where only the dropped files could not be removed it is the
 * new one, and the message says so. */
MUST_USE enum status amend_commit(struct amendment *a, char digest[SHA256_HEX]);
/* The artifact stays as it was; files that were added are the caller's matter. NULL is fine. */
void amend_abort(struct amendment *a);

#endif
