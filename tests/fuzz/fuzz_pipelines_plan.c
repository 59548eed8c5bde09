/* Any bytes as a pipeline file: a message with exit code 2, or a plan whose words, keys and drawings can be made. Lines
 * "# --set name=value" at the top are params set on the command line. */
#include "../pipelines/fake.h"
#include "pipelines/cache.h"
#include "pipelines/options.h"
#include "pipelines/plan.h"
#include "pipelines/show.h"

#define SETS_LIMIT 8

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
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena a = { 0 };
    const char *text = arena_strndup(&a, (const char *)p, n);
    struct opt_list sets = read_sets(&a, text);
    struct plan_args args = { .name = "fuzz.yaml", .commands = fake_commands, .sets = &sets };
    struct buf drawn = { 0 };
    struct plan *plan;
    enum status st = plan_parse(&a, &args, text, n, &plan);

    BUG_IF(st != ST_OK && status_exit_code(st) != 2);
    if (st == ST_OK) {
        for (size_t i = 0; i < plan->count; i++)
            use_stage(&a, &plan->stages[i]);
        show_tree(plan, &drawn);
        show_dot(plan, &drawn);
    }
    buf_release(&drawn);
    arena_release(&a);
    return 0;
}
