/*
 * What an artifact was made from, told by manifests alone: a graph of artifacts, from any one of
 * them to the files from outside that its chain began with.
 *
 * The one idea: a manifest names its inputs by content digest and says where they lay; an input is
 * whatever has that digest, wherever it lies now. It is looked for where it was said to be (as
 * recorded, and from each folder above the artifact that names it), beside that artifact, among the
 * artifacts beside those found so far, and in the folders to search. What is not found stays in the
 * graph as missing, with its digest and where it was said to be.
 *
 * A node is a digest, so shared branches stand once and a forged circle ends where it began. Inputs
 * are covered by no digest: a manifest whose `inputs` were changed leads to what is missing or to
 * other artifacts, never to damage unseen in those. Bounds: LINEAGE_NODES_MOST nodes,
 * LINEAGE_ENTRIES_MOST names in searched folders, LINEAGE_SEARCH_DEPTH levels.
 *
 * Cost: one manifest read for each node; on the first input that is not where it was said to be,
 * one for each artifact beside those found and in the folders to search; and the bytes of sources
 * from outside, unless `compare` is false (remembered, store/artifact/digests.h). No artifact's own files
 * are read.
 */
#ifndef TUNDISH_PIPELINES_LINEAGE_H
#define TUNDISH_PIPELINES_LINEAGE_H

#include "base/hash.h"
#include "base/json.h"
#include "base/opt.h"
#include "base/pool.h"

#define LINEAGE_NODES_MOST 100000u

enum lineage_state {
    LINEAGE_FOUND,           /* an artifact: path and manifest are set */
    LINEAGE_OUTSIDE,         /* a file or folder that no stage made: path is set */
    LINEAGE_MISSING,
};

struct lineage_input {
    const char *option;      /* of the stage that read it */
    const char *said;        /* where it lay then; NULL: not told */
    size_t node;
};
struct lineage_node {
    char digest[SHA256_HEX];
    enum lineage_state state;
    const char *path;
    const char *said;        /* where it was first said to be; NULL for the first node */
    const char *why;         /* missing: what stands where it was said to be; NULL: nothing */
    char seen[SHA256_HEX];   /* outside: the digest of what is there now; "": not compared */
    bool changed;            /* a token store that documents were appended to or removed from since it had this digest: path
                                and manifest are those of what it became */
    json_t *manifest;
    struct lineage_input *inputs;
    size_t count;
};

struct lineage_args {
    const char *path;                    /* the artifact, maybe through a link */
    const struct opt_list *search;       /* folders; may be NULL */
    bool compare;                        /* hash what lies outside */
    bool alone;                          /* the artifact without its chain */
    const char *cache_file;              /* as artifact_digest_path()'s */
    struct pool *pool;
};
struct lineage_index;
struct lineage {
    struct arena arena;
    struct lineage_args args;
    struct lineage_node *nodes;          /* the first is the artifact that was asked for */
    size_t count, cap;
    size_t chain;                        /* nodes of its own chain; those behind: extend's */
    json_t *by_digest;
    struct lineage_index *index;
    bool searched;                       /* the folders given are in the index */
    size_t *fresh, fresh_count;          /* found, and what lies beside them is not indexed yet */
};

MUST_USE enum status lineage_open(const struct lineage_args *args, struct lineage **out);
/* Adds every artifact (beside those found, and in the folders to search) that was made from one of
 * the chain, however far down, with what else it was made from. */
MUST_USE enum status lineage_extend(struct lineage *l);
void lineage_free(struct lineage *l);

/* A manifest without a look at the artifact's files. ST_MISSING: no folder with a manifest of ours.
 */
MUST_USE enum status lineage_manifest(const char *path, json_t **manifest);
/* Borrowed words of a node's manifest; "" where it has none. */
const char *lineage_kind(const struct lineage_node *n);
const char *lineage_stage(const struct lineage_node *n);
/* Opens a found token store, as it was if it was changed. */
struct token_store;
MUST_USE enum status lineage_store(const struct lineage_node *n, struct token_store **out);
/* An option of the stage that made it; NULL where there is none. */
const json_t *lineage_option(const struct lineage_node *n, const char *name);

#endif
