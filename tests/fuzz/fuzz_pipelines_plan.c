/* Any bytes as a pipeline file: a message with exit code 2, or a plan whose names, words, keys and drawings can be made. Lines
 * "# --set name=value" at the top are params set on the command line; what stands behind a line "# file NAME" is another file
 * of the same folder, which can be included; the one named site is the site profile. */
#include "../pipelines/fake.h"
#include "pipelines/plan/name_index.h"
#include "pipelines/plan/options.h"
#include "pipelines/plan/plan.h"
#include "pipelines/plan/program.h"
#include "pipelines/run/cache.h"
#include "pipelines/run/show.h"

#define SETS_LIMIT 8
#define FILES_LIMIT 4

static char folder[] = "/tmp/tundish-fuzz-XXXXXX";

static void remove_folder(void) { BUG_IF(file_remove_tree(folder) != ST_OK); }

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    BUG_IF(mkdtemp(folder) == NULL);
    BUG_IF(atexit(remove_folder) != 0);
    return 0;
}

static struct opt_list read_sets(struct arena *a, const char *text)
{
    struct opt_list list = { arena_array(a, SETS_LIMIT, sizeof(char *)), 0 };

    while (strncmp(text, "# --set ", 8) == 0 && list.count < SETS_LIMIT) {
        size_t n = strcspn(text, "\n");
        list.v[list.count++] = arena_strndup(a, text + 8, n - 8);
        text += n + (text[n] == '\n');
    }
    return list;
}

/* ---- other files ---- */

struct files {
    const char *paths[FILES_LIMIT];
    size_t count;
    const char *site;
};

static void write_file(const char *path, const char *text, size_t n)
{
    FILE *f = fopen(path, "w");

    BUG_IF(f == NULL || fwrite(text, 1, n, f) != n || fclose(f) != 0);
}

/* A name of small letters only: nothing else is written anywhere. */
static bool is_file_name(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz.");

    return n > 0 && n < 20 && name[n] == 0 && name[0] != '.';
}

/* Ends the text in front of its first "# file NAME" line, and writes what stands behind such lines. */
static struct files split_files(struct arena *a, char *text)
{
    struct files files = { 0 };
    char *mark = strstr(text, "\n# file ");

    while (mark != NULL && files.count < FILES_LIMIT) {
        char *name = mark + strlen("\n# file "), *end = strchr(name, '\n'), *next;
        const char *path;
        if (end == NULL)
            break;
        mark[1] = 0;
        *end = 0;
        next = strstr(end + 1, "\n# file ");
        if (is_file_name(name)) {
            path = path_join(a, folder, name);
            write_file(path, end + 1, next != NULL ? (size_t)(next + 1 - end - 1) : strlen(end + 1));
            files.paths[files.count++] = path;
            if (strcmp(name, "site") == 0)
                files.site = path;
        }
        mark = next;
    }
    return files;
}

/* ---- what a plan is used for ---- */

/* What the runner makes of a stage: its command line, which must give the same options, and its key. */
static void use_stage(struct arena *a, const struct plan_stage *s)
{
    struct input_value *values = arena_array(a, s->input_count + 1, sizeof *values);
    struct words words = { .arena = a };
    void *cfg = arena_alloc(a, s->command->cfg_size);
    json_t *record, *again;
    char key[SHA256_HEX];

    BUG_IF(key_record(a, s, values, &record) != ST_OK);
    key_of_record(record, key);
    options_words(s->command->opts, s->with, &words);
    words_add(&words, "--out=there");
    if (opt_parse(s->command->opts, a, (int)words.count, (char **)(uintptr_t)words.v, cfg) != ST_OK) {
        fprintf(stderr, "its words are refused: %s\n", fail_message());
        abort();
    }
    again = opt_record(s->command->opts, cfg);
    BUG_IF(!json_equal(json_object_get(record, "options"), again));
    json_decref(again);
    json_decref(record);
    if (s->command == &stage_program)
        BUG_IF(program_argv(a, s, "there", 1)[0] == NULL);
    BUG_IF(s->ranks < 1 || s->timeout < 0 || s->retry.times < 0 || s->retry.most < s->retry.wait);
}

/* Each name finds its stage, and only its own; a slug is a plain file name. */
static void use_names(struct arena *a, const struct plan *p)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._=,+-";
    struct name_index slugs = { .arena = a };
    struct plan_span found;

    for (size_t i = 0; i < p->count; i++) {
        const char *slug = p->stages[i].slug;
        BUG_IF(plan_find(p, "find", p->names[i], &found) != ST_OK || found.first != i || found.count != 1);
        BUG_IF(slug[strspn(slug, good)] != 0 || strlen(slug) > 200 || name_index_find(&slugs, slug) != NAME_NONE);
        name_index_add(&slugs, slug);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena a = { 0 };
    char *text = arena_strndup(&a, (const char *)p, n);
    struct files files = split_files(&a, text);
    struct opt_list sets = read_sets(&a, text);
    struct plan_args args = { .name = path_join(&a, folder, "fuzz.yaml"), .commands = fake_commands, .sets = &sets,
                              .site = files.site };
    struct buf drawn = { 0 };
    struct plan *plan;
    enum status st = plan_parse(&a, &args, text, files.count > 0 ? strlen(text) : n, &plan);

    BUG_IF(st != ST_OK && status_exit_code(st) != 2);
    if (st == ST_OK) {
        use_names(&a, plan);
        for (size_t i = 0; i < plan->count; i++)
            use_stage(&a, &plan->stages[i]);
        show_tree(plan, &drawn);
        show_dot(plan, &drawn);
    }
    for (size_t i = 0; i < files.count; i++)
        (void)unlink(files.paths[i]);
    buf_release(&drawn);
    arena_release(&a);
    return 0;
}
