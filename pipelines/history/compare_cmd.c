/* `tundish compare`: what differs between runs. */
#include <string.h>

#include "base/file.h"
#include "base/output.h"
#include "pipelines/history/compare.h"
#include "pipelines/history/history.h"
#include "pipelines/history/history_cmd.h"
#include "pipelines/run/run_record.h"

struct compare_cfg {
    struct opt_list words;
    const char *work;
    bool json, all;
};

/* The records that are meant, in order. */
struct chosen {
    json_t *records[COMPARE_MOST];
    size_t count;
};

static enum status take(struct chosen *c, const char *path)
{
    TRY(run_record_load(path, &c->records[c->count]));
    c->count++;
    return ST_OK;
}

/* One run alone stands beside the one before it, none at all is the newest. */
static enum status take_with_the_one_before(struct arena *a, const struct history *h,
                                            const struct run_list *all, const char *word,
                                            struct chosen *c)
{
    struct run_place place;

    TRY(run_record_find(a, h->work.path, all, word, &place));
    if (place.index == RUN_OUTSIDE)
        return fail(ST_USAGE, "'%s' is a file, so no run is the one before it; want two runs",
                    word);
    if (place.index == 0)
        return fail(ST_MISSING, "run %s is the first; want two runs", all->ids[0]);
    TRY(take(c, run_record_path(a, h->work.path, all->ids[place.index - 1])));
    return take(c, place.path);
}

static enum status choose(struct arena *a, const struct history *h, const struct opt_list *words,
                          struct chosen *c)
{
    struct run_place place;
    struct run_list all;

    TRY(run_record_list(a, h->work.path, &all));
    if (words->count > COMPARE_MOST + 1)
        return fail(ST_USAGE, "found %zu runs, want at most %d", words->count - 1, COMPARE_MOST);
    if (words->count <= 2)
        return take_with_the_one_before(a, h, &all, words->count == 2 ? words->v[1] : "last", c);
    for (size_t i = 1; i < words->count; i++) {
        TRY(run_record_find(a, h->work.path, &all, words->v[i], &place));
        TRY(take(c, place.path));
    }
    return ST_OK;
}

/* As `runs` tells it: a record that says "running" while nobody has the work folder. A newer run
 * cannot have it, for then its record would be the newest. */
static void tell_cut_off(const struct history *h, const struct chosen *c)
{
    bool held = file_lock_is_held(h->work.lock);

    for (size_t i = 0; i < c->count; i++)
        if (strcmp(json_text(c->records[i], "outcome"), "running") == 0
            && !(held && i + 1 == c->count))
            json_object_set_new(c->records[i], "outcome", json_string("cut off"));
}

static enum status show(struct arena *a, const struct chosen *c, bool all, bool as_json)
{
    json_t *comparison = compare_records(c->records, c->count, all);
    struct buf text = { 0 };
    enum status st;

    if (as_json) {
        st = output_json(comparison);
    } else {
        compare_show(a, comparison, &text);
        st = output_text(&text);
    }
    buf_release(&text);
    json_decref(comparison);
    return st;
}

static enum status run_compare(struct arena *a, void *cfg)
{
    const struct compare_cfg *c = cfg;
    struct chosen chosen = { .count = 0 };
    struct history history;
    enum status st;

    TRY(history_open(a, c->words.v[0], c->work, &history));
    st = choose(a, &history, &c->words, &chosen);
    tell_cut_off(&history, &chosen);
    if (st == ST_OK)
        st = show(a, &chosen, c->all, c->json);
    for (size_t i = 0; i < chosen.count; i++)
        json_decref(chosen.records[i]);
    return st;
}

static const struct opt compare_opts[] = {
    OPT_LIST(struct compare_cfg, words, "file",
             "the pipeline file or its work folder, and behind it the runs",
             .flags = OPT_REQUIRED | OPT_POSITIONAL, .value = "FILE [RUN...]"),
    OPT_BOOL(struct compare_cfg, all, "all", "false", "what is equal, too"),
    HISTORY_ROW_WORK(struct compare_cfg),
    HISTORY_ROW_JSON(struct compare_cfg),
    OPT_END
};

const struct command cmd_compare = {
    .name = "compare",
    .summary = "show what differs between runs: params, options, inputs, times, metrics",
    .details =
        "A run is named by its id (`tundish runs`), by the beginning of it, by last or last~1 (the "
        "one before),\n"
        "or by the path of its record. One run alone stands beside the one before it; none at all "
        "is last.\n"
        "Differences of numbers are told between two runs.\n"
        "\n"
        "  tundish compare my.yaml\n"
        "  tundish compare my.yaml last~2 last --all\n"
        "  tundish compare work/my 2026-01-31T08 last --json",
    .opts = compare_opts,
    .cfg_size = sizeof(struct compare_cfg),
    .run = run_compare,
};
