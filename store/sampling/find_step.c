#include "store/sampling/find_step.h"

#include <stdlib.h>
#include <string.h>

#include "base/command.h"
#include "base/file.h"
#include "base/log.h"
#include "base/output.h"
#include "store/artifact/artifact.h"
#include "store/artifact/artifact_search.h"
#include "store/sampling/blend.h"
#include "store/sampling/read_plan.h"
#include "store/tokens/store_history.h"

#define ORDER_SINCE 2 /* the first version of `train` that reads in this order */

struct step_search {
    const struct find_step *o;
    struct arena arena;
    json_t *manifest;
    struct read_plan plan;
    struct blend *blends; /* of each of the plan's inputs */
    size_t open;
    struct sampling *sampling;
    struct buf text;
};

/* ---- the checkpoint ---- */

static enum status check_stage(const struct step_search *f)
{
    const json_t *made_by = json_object_get(f->manifest, "made_by");
    const struct command *train = command_all() ? command_find(command_all(), "train") : NULL;
    json_int_t version = json_integer_value(json_object_get(made_by, "version"));
    const char *stage = json_text(made_by, "stage");

    if (train == NULL || strcmp(stage, train->name) != 0 || version < ORDER_SINCE ||
        version > train->stage_version)
        return fail(
            ST_UNSUPPORTED,
            "'%s' was made by %s, version %lld; what it has read is known of train, version %d "
            "to %d",
            f->o->checkpoint, stage, (long long)version, ORDER_SINCE,
            train ? train->stage_version : ORDER_SINCE);
    return ST_OK;
}

static enum status check_step(const struct step_search *f)
{
    const json_t *step = json_object_get(json_object_get(f->manifest, "counts"), "step");

    if (!json_is_integer(step))
        return fail(ST_FORMAT, "the manifest of '%s' does not say its count step",
                    f->o->checkpoint);
    if (f->o->step < 1 || f->o->step > json_integer_value(step))
        return fail(ST_LIMIT, "step %lld of '%s', which has made the steps 1 to %lld",
                    (long long)f->o->step, f->o->checkpoint, (long long)json_integer_value(step));
    return ST_OK;
}

/* ---- its stores ---- */

/* The text of the i-th store that the options name: `store`, then those of `phases`. */
static const char *input_text(const json_t *object, size_t i)
{
    const json_t *list = json_object_get(object, i == 0 ? "store" : "phases");

    return json_string_value(json_array_get(list, i == 0 ? 0 : i - 1));
}

/* *path: NULL if it is nowhere. */
static enum status look(const struct step_search *f, struct artifact_search *s, const char *said,
                        const char **path)
{
    bool found = false;

    *path = said;
    if (said)
        TRY(artifact_search_at(s, said, &found));
    if (found)
        return ST_OK;
    TRY(artifact_search_in(s, path_join(s->arena, f->o->checkpoint, ".."), path));
    for (size_t i = 0; *path == NULL && i < f->o->search.count; i++)
        TRY(artifact_search_in(s, f->o->search.v[i], path));
    return ST_OK;
}

static enum status open_input(struct step_search *f, size_t i, struct blend *out)
{
    const json_t *paths = json_object_get(json_object_get(f->manifest, "aside"), "paths");
    struct artifact_search s = { .arena = &f->arena,
                                 .digest = input_text(json_object_get(f->manifest, "inputs"), i) };
    const char *said = input_text(paths, i), *path;

    if (s.digest == NULL)
        return fail(ST_FORMAT, "the manifest of '%s' names fewer stores than its options",
                    f->o->checkpoint);
    TRY(look(f, &s, said, &path));
    if (path == NULL) { /* one that was changed since tells its order, too */
        s.also = store_history_had;
        TRY(look(f, &s, said, &path));
    }
    if (path == NULL && s.seen)
        return fail(
            ST_MISSING,
            "'%s' read the store %.16s, but at '%s' is another one now, %.16s; name a folder to "
            "look in with --search",
            f->o->checkpoint, s.digest, s.seen, s.seen_digest);
    if (path == NULL)
        return fail(ST_MISSING,
                    "the store %.16s that '%s' read is neither at '%s' nor beside it; name a "
                    "folder to look "
                    "in with --search",
                    s.digest, f->o->checkpoint, said ? said : "?");
    return blend_open_then(path, s.digest, out);
}

static enum status open_inputs(struct step_search *f)
{
    struct read_input *inputs = arena_array(&f->arena, f->plan.inputs, sizeof *inputs);

    f->blends = arena_array(&f->arena, f->plan.inputs, sizeof *f->blends);
    for (; f->open < f->plan.inputs; f->open++) {
        struct blend *b = &f->blends[f->open];

        TRY(open_input(f, f->open, b));
        inputs[f->open] = (struct read_input){ b->sources, b->count };
    }
    return read_plan_open(&f->plan, inputs, (uint64_t)f->o->step, &f->sampling);
}

/* ---- telling ---- */

static void add_word(struct buf *out, struct span s)
{
    char *word = mem_alloc(s.n + 1);

    if (s.n > 0)
        memcpy(word, s.p, s.n);
    buf_addc(out, '\t');
    log_add_plain(out, s.n > 0 ? word : "-");
    free(word);
}

static void add_columns(const struct find_step *at, const struct sampling_source *source,
                        const struct sampling_piece *p, const struct token_range *d,
                        struct buf *out)
{
    buf_printf(out, "%lld", (long long)at->row);
    add_word(out, span_of(source->name));
    buf_printf(out, "\t%llu", (unsigned long long)p->document);
    add_word(out, d->id);
    add_word(out, d->source);
    add_word(out, d->language);
    buf_printf(out, "\t%llu\t%llu\t%llu\n", (unsigned long long)p->offset,
               (unsigned long long)p->count, (unsigned long long)p->epoch);
}

static void add_member(struct buf *out, const char *name, struct span s)
{
    buf_printf(out, ",\"%s\":", name);
    json_quote(out, s.p ? s.p : "", s.n);
}

static void add_json(const struct find_step *at, const struct sampling_source *source,
                     const struct sampling_piece *p, const struct token_range *d, struct buf *out)
{
    buf_printf(out, "{\"row\":%lld", (long long)at->row);
    add_member(out, "store", span_of(source->name));
    buf_printf(out, ",\"document\":%llu", (unsigned long long)p->document);
    add_member(out, "id", d->id);
    add_member(out, "source", d->source);
    if (d->language.n > 0)
        add_member(out, "language", d->language);
    buf_printf(out, ",\"offset\":%llu,\"count\":%llu,\"epoch\":%llu}\n",
               (unsigned long long)p->offset, (unsigned long long)p->count,
               (unsigned long long)p->epoch);
}

static enum status tell_row(struct step_search *f, const struct blend *b, uint64_t row)
{
    struct find_step at = *f->o;
    const struct sampling_piece *pieces;
    size_t count;

    at.row = (int64_t)row;
    TRY(sampling_pieces(f->sampling, (uint64_t)f->o->step - 1, row, &pieces, &count));
    for (size_t i = 0; i < count; i++) {
        const struct sampling_source *source = &b->sources[pieces[i].source];
        struct token_range d;

        TRY(token_store_document(source->store, TOKENS_TRAIN, pieces[i].document, &d));
        (at.json ? add_json : add_columns)(&at, source, &pieces[i], &d, &f->text);
    }
    TRY(output_stream(&f->text));
    buf_clear(&f->text);
    return ST_OK;
}

static enum status tell(struct step_search *f)
{
    uint64_t step = (uint64_t)f->o->step - 1, rows = sampling_rows(f->sampling, step);
    const struct blend *b = &f->blends[read_plan_at(&f->plan, step)->input];

    if (f->o->row >= 0 && (uint64_t)f->o->row >= rows)
        return fail(ST_LIMIT, "row %lld of step %lld, which has the rows 0 to %llu",
                    (long long)f->o->row, (long long)f->o->step, (unsigned long long)rows - 1);
    if (f->o->row >= 0)
        return tell_row(f, b, (uint64_t)f->o->row);
    for (uint64_t row = 0; row < rows; row++)
        TRY(tell_row(f, b, row));
    return ST_OK;
}

static enum status find(struct step_search *f)
{
    const json_t *options;

    TRY(artifact_open(f->o->checkpoint, "checkpoint", &f->manifest));
    options = json_object_get(json_object_get(f->manifest, "made_by"), "options");
    TRY(check_stage(f));
    TRY(check_step(f));
    TRY(read_plan_of(&f->arena, options, f->o->checkpoint, &f->plan));
    TRY(open_inputs(f));
    return tell(f);
}

enum status find_step(const struct find_step *what)
{
    struct step_search f = { .o = what };
    enum status st = find(&f);

    sampling_close(f.sampling);
    for (size_t i = 0; i < f.open; i++)
        blend_close(&f.blends[i]);
    json_decref(f.manifest);
    buf_release(&f.text);
    arena_release(&f.arena);
    return st;
}
