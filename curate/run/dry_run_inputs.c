/* What a dry run tells without a sample. */
#include "curate/run/dry_run_part.h"

#include "curate/report/report_part.h"

/* "txt" of "a/b.txt", "warc.gz" of "a/b.warc.gz"; "" where there is none that is short. */
static const char *ending_of(const char *path)
{
    static const char *const packed[] = { ".gz", ".xz", ".zst", ".bz2", ".lz4" };
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.'), *before;

    if (dot == NULL || dot == name || strlen(dot) > 8)
        return "";
    for (size_t i = 0; i < sizeof packed / sizeof *packed; i++)
        if (strcmp(dot, packed[i]) == 0) {
            for (before = dot; before > name && before[-1] != '.';)
                before--;
            return before > name + 1 && dot - before <= 6 ? before : dot + 1;
        }
    return dot + 1;
}

json_t *dry_run_endings(const struct source_groups *g)
{
    struct name_counts endings = { 0 };
    json_t *list = json_array();

    for (size_t i = 0; i < g->count; i++)
        if (g->v[i].files > 0 && !g->v[i].program)
            name_counts_add(&endings, &(struct name_count){ ending_of(g->v[i].first), 1, g->v[i].disk });
    for (size_t i = 0; i < endings.count; i++)
        json_array_append_new(list, json_pack("{s:s,s:I,s:I}", "ending", endings.v[i].name, "files",
                                              (json_int_t)endings.v[i].documents, "bytes",
                                              (json_int_t)endings.v[i].bytes));
    name_counts_release(&endings);
    return list;
}

json_t *dry_run_steps(const struct chain *chain)
{
    json_t *list = json_array();

    for (size_t i = 0; i < chain->count; i++) {
        const struct step *s = &chain->steps[i];

        json_array_append_new(list, json_pack("{s:s,s:s,s:o}", "step", s->label, "sees",
                                              s->kind->each ? "one document" : "all documents", "options",
                                              opt_record(s->kind->opts, s->cfg)));
    }
    return list;
}
