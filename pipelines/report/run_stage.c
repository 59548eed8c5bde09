/* The section of one stage in the page of a run. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/page.h"
#include "pipelines/plan/options.h"
#include "pipelines/report/run_page.h"
#include "pipelines/report/run_sections.h"
#include "pipelines/run/show.h"
#include "store/artifact/artifact.h"

#define TAIL_BYTES 4000

bool run_page_has_artifact(const struct run_page *p, size_t i)
{
    const struct stage_view *v = &p->report->survey.views[i];

    return (v->state == STAGE_CACHED || v->state == STAGE_KEPT) && v->artifact != NULL;
}

static void add_log(struct buf *out, const struct run_page *p, size_t i)
{
    struct journal_view h = journal_of(p->report->journal, p->args->plan->names[i]);
    const char *name = json_string_value(json_object_get(h.end, "log")), *from;
    struct file_map map;

    if (name == NULL || path_base(name) != name
        || file_map_open(&map, path_join(p->args->arena, p->args->work->logs, name)) != ST_OK)
        return;
    from = map.n > TAIL_BYTES ? map.p + map.n - TAIL_BYTES : map.p;
    buf_adds(out, "<h3>The end of its log</h3>\n<p>");
    page_code(out, name);
    buf_adds(out, "</p>\n<pre class=\"lost\">\n");
    page_text(out, from, (size_t)(map.p + map.n - from));
    buf_adds(out, "</pre>\n");
    file_map_close(&map);
}

/* ---- how its artifact was made ---- */

static void add_member(struct buf *out, const char *before, const json_t *object, const char *key)
{
    if (!json_is_string(json_object_get(object, key)))
        return;
    buf_adds(out, before);
    page_escape(out, json_string_value(json_object_get(object, key)));
}

static void add_made(struct buf *out, const struct run_page *p, size_t i, const json_t *manifest)
{
    const json_t *aside = json_object_get(manifest, "aside");
    struct journal_view h = journal_of(p->report->journal, p->args->plan->names[i]);
    const json_t *seconds = json_object_get(h.done, "seconds");
    const char *digest = json_string_value(json_object_get(h.done, "digest"));
    char took[32];

    buf_adds(out, "<p class=\"soft small\">Made");
    add_member(out, " ", aside, "created");
    add_member(out, " on ", aside, "host");
    add_member(out, " by tundish ", aside, "program");
    if (json_is_number(seconds) && digest != NULL && strcmp(digest, artifact_digest(manifest)) == 0)
        buf_printf(out, " in %s", run_page_duration(took, json_number_value(seconds)));
    buf_adds(out, ".</p>\n");
}

static void add_set(struct buf *out, const struct yaml *with)
{
    if (with == NULL || with->kind != YAML_MAP || with->count == 0)
        return;
    page_table_begin(out, "narrow", "Set by the pipeline", "option|value");
    for (size_t i = 0; i < with->count; i++) {
        struct buf value = { 0 };

        flow_write(&value, with->items[i]);
        page_row(out, with->keys[i]->text);
        page_cell_code(out, with->items[i]->kind == YAML_SCALAR ? with->items[i]->text : value.p);
        buf_adds(out, "</tr>\n");
        buf_release(&value);
    }
    page_table_end(out);
}

static void add_files(struct buf *out, const json_t *files)
{
    const char *name;
    json_t *one;

    page_table_begin(out, NULL, "Files", "file|#size|SHA-256");
    json_object_foreach((json_t *)files, name, one) {
        buf_adds(out, "<tr>");
        page_cell_code(out, name);
        page_cell_bytes(out, (uint64_t)json_integer_value(json_object_get(one, "bytes")));
        page_cell_code(out, json_string_value(json_object_get(one, "sha256")));
        buf_adds(out, "</tr>\n");
    }
    page_table_end(out);
}

static void add_provenance(struct buf *out, const struct run_page *p, size_t i,
                           const json_t *manifest)
{
    const json_t *made_by = json_object_get(manifest, "made_by");

    page_more_begin(out, "Options, counts, files and digests");
    page_table_begin(out, "narrow", "Identity", "what|value");
    page_row(out, "cache key");
    page_cell_code(out, p->report->survey.views[i].key);
    buf_adds(out, "</tr>\n");
    page_row(out, "content digest");
    page_cell_code(out, artifact_digest(manifest));
    buf_adds(out, "</tr>\n");
    page_row(out, "numeric class");
    page_cell_code(out, json_string_value(json_object_get(made_by, "numeric_class")));
    buf_adds(out, "</tr>\n");
    page_table_end(out);
    add_set(out, p->args->plan->stages[i].with);
    run_section_members(out, "All options that can change its results",
                        json_object_get(made_by, "options"));
    run_section_members(out, "Counts", json_object_get(manifest, "counts"));
    add_files(out, json_object_get(manifest, "files"));
    page_more_end(out);
}

static void add_artifact(struct buf *out, const struct run_page *p, size_t i)
{
    json_t *manifest = NULL;
    struct run_section s = { p->args->arena, out, p->report->survey.views[i].artifact, NULL };

    if (artifact_open(s.folder, NULL, &manifest) != ST_OK) {
        run_section_unreadable(&s);
        return;
    }
    s.manifest = manifest;
    add_made(out, p, i, manifest);
    run_section_of_kind(&s);
    add_provenance(out, p, i, manifest);
    json_decref(manifest);
}

/* Of a stage that left nothing: what it was asked to make, by its key record (cache.h). */
static void add_asked(struct buf *out, const struct run_page *p, size_t i)
{
    const struct stage_view *v = &p->report->survey.views[i];

    if (*v->key != 0) {
        page_table_begin(out, "narrow", "Identity", "what|value");
        page_row(out, "cache key");
        page_cell_code(out, v->key);
        buf_adds(out, "</tr>\n");
        page_table_end(out);
    }
    add_set(out, p->args->plan->stages[i].with);
    if (v->record == NULL)
        return;
    page_more_begin(out, "All its options, and digests of its inputs");
    run_section_members(out, "All options that can change its results",
                        json_object_get(v->record, "options"));
    run_section_members(out, "Inputs, by content digest", json_object_get(v->record, "inputs"));
    page_more_end(out);
}

/* Why there is nothing to show of it. */
static void add_nothing(struct buf *out, const struct stage_view *v)
{
    buf_adds(out, "<p class=\"soft\">There is no artifact of it");
    for (size_t i = 0; i < v->why.count; i++) {
        buf_adds(out, i > 0 ? "; " : v->state == STAGE_WAITS ? ": it waits " : ": ");
        page_escape(out, v->why.v[i]);
    }
    buf_adds(out, ".</p>\n");
}

void run_page_stage(struct buf *out, const struct run_page *p, size_t i)
{
    const struct plan_stage *s = &p->args->plan->stages[i];
    bool bad = run_page_is_bad(p, i), there = run_page_has_artifact(p, i);

    buf_printf(out,
               "<section aria-labelledby=\"stage-%s\">\n<p class=\"kind\"><code>%s</code>, "
               "<span class=\"%s\">%s</span></p>\n<h2 id=\"stage-%s\">",
               s->slug, s->command->name, bad ? "bad" : "soft",
               result_word_of(&p->report->now, i), s->slug);
    page_escape(out, s->name);
    buf_adds(out, "</h2>\n");
    if (bad && !there)
        add_log(out, p, i);
    if (there)
        add_artifact(out, p, i);
    else if (!bad)
        add_nothing(out, &p->report->survey.views[i]);
    else
        add_asked(out, p, i);
    buf_adds(out, "</section>\n");
}
