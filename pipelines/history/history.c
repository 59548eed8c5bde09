#include "pipelines/history/history.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/file.h"

static bool is_workdir(struct arena *a, const char *folder)
{
    return file_exists(path_join(a, folder, "journal.jsonl"))
           || file_is_folder(path_join(a, folder, "runs"));
}

static enum status read_name(struct arena *a, const char *path, struct history *h)
{
    struct yaml *root, *name;

    TRY(yaml_read_file(a, path, &root));
    name = root->kind == YAML_MAP ? yaml_get(root, "pipeline") : NULL;
    if (name == NULL || name->kind != YAML_SCALAR || *name->text == 0
        || strchr(name->text, '/') != NULL || name->text[0] == '.')
        return yaml_fail(name != NULL ? name : root,
                         "want a pipeline file: a map with its name under 'pipeline'");
    h->file = root;
    h->pipeline = name->text;
    return ST_OK;
}

enum status history_open(struct arena *a, const char *word, const char *work, struct history *out)
{
    *out = (struct history){ 0 };
    if (file_is_folder(word)) {
        if (work != NULL)
            return fail(ST_USAGE, "'%s' is a folder, and --work names another; want one of them",
                        word);
        if (!is_workdir(a, word))
            return fail(ST_USAGE,
                        "'%s' is a folder without a journal.jsonl; want a pipeline file or its "
                        "work folder",
                        word);
        work = word;
    } else {
        TRY(read_name(a, word, out));
    }
    out->work = workdir_at(a, work, out->pipeline);
    if (!file_is_folder(out->work.path))
        return fail(ST_MISSING,
                    "there is no work folder '%s': nothing ran yet, or it was run with --work",
                    out->work.path);
    return ST_OK;
}

/* ---- words ---- */

const char *history_time(struct arena *a, double when)
{
    time_t seconds;
    struct tm local;
    char text[32];

    if (!(when > 0 && when < 1e11))
        return "-";
    seconds = (time_t)when;
    if (localtime_r(&seconds, &local) == NULL
        || strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local) == 0)
        return "-";
    return arena_strdup(a, text);
}

const char *history_number(struct arena *a, double x)
{
    char text[40];
    int digits = x == floor(x) && fabs(x) < 1e15 ? 15 : 6;

    do
        snprintf(text, sizeof text, "%.*g", digits, x);
    while (digits++ < 17 && strtod(text, NULL) != x);
    return arena_strdup(a, text);
}

const char *history_bytes(struct arena *a, uint64_t n)
{
    char text[24];

    return arena_strdup(a, str_bytes(n, text));
}
