#include "tokenize/stage/corpus_groups.h"

#include "base/str.h"

#define EXPANSION 4                  /* of compressed text, about */

static uint64_t weight_of(const struct corpus_file *f)
{
    bool packed = str_ends_with(f->path, ".zst") && f->bytes < UINT64_MAX / EXPANSION;

    return packed ? f->bytes * EXPANSION : f->bytes;
}

void corpus_groups_make(struct arena *a, const struct corpus_files *files, uint64_t least,
                        struct corpus_groups *out)
{
    uint64_t weight = least;         /* of the last group: it is full, so the first file begins one */

    *out = (struct corpus_groups){ .v = arena_array(a, files->count + 1, sizeof *out->v) };
    for (size_t i = 0; i < files->count; i++) {
        struct corpus_group *g;

        if (weight >= least) {
            out->v[out->count++] = (struct corpus_group){ .first = i };
            weight = 0;
        }
        g = &out->v[out->count - 1];
        g->count++;
        g->bytes += files->v[i].bytes;
        weight += weight_of(&files->v[i]);
    }
}
