/* Which artifact of a run came from which, by content digest. */
#include <string.h>

#include "pipelines/plan/name_index.h"
#include "pipelines/report/run_page.h"
#include "store/artifact/artifact.h"

enum { ROWS_MOST = 1000 };


/* Digests of the artifacts that there are, and whose they are: of equal ones the first stage's. */
struct makers {
    struct name_index digests;
    size_t *stages;              /* by the digest's number */
};

static struct makers find_makers(const struct run_page *p)
{
    const struct plan *plan = p->args->plan;
    struct makers m = { { .arena = p->args->arena },
                        arena_array(p->args->arena, plan->count + 1, sizeof *m.stages) };

    for (size_t i = 0; i < plan->count; i++) {
        const char *digest = p->report->survey.views[i].digest;
        if (run_page_has_artifact(p, i) && name_index_find(&m.digests, digest) == NAME_NONE)
            m.stages[name_index_add(&m.digests, digest)] = i;
    }
    return m;
}

static void add_inputs(struct buf *out, const struct run_page *p, const struct makers *m,
                       const json_t *manifest)
{
    const json_t *paths = json_object_get(json_object_get(manifest, "aside"), "paths");
    const char *option;
    json_t *digests, *one;
    size_t i;

    json_object_foreach(json_object_get(manifest, "inputs"), option, digests)
        json_array_foreach(digests, i, one) {
            const char *digest = json_is_string(one) ? json_string_value(one) : "";
            size_t from = name_index_find(&m->digests, digest);

            page_escape(out, option);
            buf_adds(out, " <code>");
            page_text(out, digest, strnlen(digest, 12));
            buf_adds(out, "</code> ");
            if (from != NAME_NONE)
                run_page_link(out, p, m->stages[from]);
            else
                page_escape(out,
                            json_string_value(json_array_get(json_object_get(paths, option), i)));
            buf_adds(out, "<br>");
        }
}

void run_page_lineage(struct buf *out, const struct run_page *p)
{
    const struct plan *plan = p->args->plan;
    struct makers makers = find_makers(p);
    size_t artifacts = 0, rows = 0;

    for (size_t i = 0; i < plan->count; i++)
        artifacts += run_page_has_artifact(p, i);
    buf_adds(out, "<section aria-labelledby=\"lineage\">\n<h2 id=\"lineage\">Lineage</h2>\n");
    if (artifacts == 0) {
        buf_adds(out, "<p class=\"soft\">There are no artifacts.</p>\n</section>\n");
        return;
    }
    if (artifacts > RUN_PAGE_FOLD)
        page_more_begin(out, "Every artifact");
    page_table_begin(out, NULL, "Each artifact, and what it was made from, by content digest "
                                "(SHA-256, the first 12 digits)",
                     "stage|digest|made from");
    for (size_t k = 0; k < plan->count && rows < ROWS_MOST; k++) {
        size_t i = plan->order[k];
        json_t *manifest = NULL;

        if (!run_page_has_artifact(p, i)
            || artifact_open(p->report->survey.views[i].artifact, NULL, &manifest) != ST_OK)
            continue;
        rows++;
        run_page_row(out, p, i);
        buf_printf(out, "<td><code>%.12s</code></td><td>", artifact_digest(manifest));
        add_inputs(out, p, &makers, manifest);
        buf_adds(out, "</td></tr>\n");
        json_decref(manifest);
    }
    page_table_end(out);
    if (rows < artifacts)
        buf_printf(out, "<p class=\"soft small\">%zu of %zu artifacts are here; <code>tundish "
                        "lineage</code> tells of all.</p>\n", rows, artifacts);
    if (artifacts > RUN_PAGE_FOLD)
        page_more_end(out);
    buf_adds(out, "</section>\n");
}
