/*
 * Where a stretch's documents (group_stretch.h) go: a spool, or shards of the corpus and of its parts, each with a list
 * of the hashes of its ids. All of it lies in one folder, which gets its name when the stretch is done.
 *
 *     documents.spool                        a pass that is not the last
 *     part-00000.jsonl.zst, ids-0            the last: the corpus itself, one shard
 *     test/part-00000.jsonl.zst ..., ids-1   and its first part
 */
#ifndef TUNDISH_CURATE_GROUP_SINK_H
#define TUNDISH_CURATE_GROUP_SINK_H

#include "base/json.h"
#include "curate/run/chain_phases.h"

struct group_sink;
struct group_sink_args {
    const char *folder;              /* existing, empty */
    const struct phases *phases;
    const struct phase *phase;
    uint64_t shard_bytes, spool_bytes, memory;
};
MUST_USE enum status group_sink_open(const struct group_sink_args *args, struct group_sink **out);
/* d may get another id, if the last pass has that one already in this stretch. */
MUST_USE enum status group_sink_add(struct group_sink *s, struct doc *d, bool *renamed);
/* Does the shard of the corpus itself have more than shard_bytes of lines, or the spool spool_bytes of text, a document
 * counted with SPOOL_DOCUMENT_BYTES beside it? */
bool group_sink_is_full(const struct group_sink *s);
/* Finishes and frees, also after an error. *told, owned by the caller, is a list of the corpus itself and its parts,
 * in their order: [{"documents", "bytes", "shards": [{"bytes", "sha256"}...]}...]. */
MUST_USE enum status group_sink_close(struct group_sink *s, json_t **told);
void group_sink_abort(struct group_sink *s);

/* In the arena: "documents.spool" in a stretch's folder; the list of ids of part number `part` (0: the corpus itself);
 * the folder of its shards. */
const char *group_spool_path(struct arena *a, const char *folder);
/* The list has 8 bytes a document: the id's hash, but for the lowest bit, which says that it was renamed here. */
#define ID_RENAMED UINT64_C(1)
const char *group_ids_path(struct arena *a, const char *folder, size_t part);
const char *group_part_folder(struct arena *a, const char *folder, const char *part);

#endif
