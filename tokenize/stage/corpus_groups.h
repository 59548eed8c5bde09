/*
 * The corpus's files in groups, which are encoded apart from each other. A group is made of files that follow each
 * other and ends with the one by which it holds at least so many bytes; a compressed file counts for four times its
 * size, which is about what text becomes. So groups depend on names and sizes of files alone. A file is never
 * divided.
 */
#ifndef TUNDISH_TOKENIZE_CORPUS_GROUPS_H
#define TUNDISH_TOKENIZE_CORPUS_GROUPS_H

#include "tokenize/corpus_text.h"

struct corpus_group {
    size_t first, count;             /* files */
    uint64_t bytes;                  /* of them, on disk */
};
struct corpus_groups {
    struct corpus_group *v;
    size_t count;
};
void corpus_groups_make(struct arena *a, const struct corpus_files *files, uint64_t least,
                        struct corpus_groups *out);

#endif
