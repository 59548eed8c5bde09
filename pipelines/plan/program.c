#include "pipelines/plan/program.h"

#include <string.h>

#include "pipelines/plan/name_index.h"
#include "pipelines/plan/param.h"

/* ---- the table ---- */

struct program_cfg {
    struct opt_list argv;
    struct yaml *in;
    const char *out;
};

/* Each value of the map is a path. */
static enum status visit_inputs(struct yaml *in, opt_path_fn *visit, void *ctx)
{
    for (size_t i = 0; in->kind == YAML_MAP && i < in->count; i++)
        if (in->items[i]->kind == YAML_SCALAR)
            TRY(visit(ctx, in->items[i]));
    return ST_OK;
}

static const struct opt program_opts[] = {
    OPT_LIST(struct program_cfg, argv, "argv", "the program and its words", .flags = OPT_REQUIRED),
    OPT_TREE(struct program_cfg, in, "in", "names of what it reads, and where that is",
             .paths = visit_inputs),
    OPT_OUTPUT(struct program_cfg, out, "out", "the folder that it fills", .flags = OPT_REQUIRED),
    OPT_END
};

const struct command stage_program = {
    .name = "run",
    .summary = "a program of the user's",
    .details = "",
    .opts = program_opts,
    .cfg_size = sizeof(struct program_cfg),
    .stage_version = 1,
    .makes = "files",
};

/* ---- words with placeholders ---- */

static const char *const own_names[] = { "out", "threads" };
#define OWN_COUNT (sizeof own_names / sizeof *own_names)

/* Placeholders: our own, and behind them the inputs' names in the order of the map. */
static struct name_index index_names(struct arena *a, const struct yaml *in)
{
    struct name_index names = { .arena = a };

    for (size_t i = 0; i < OWN_COUNT; i++)
        name_index_add(&names, own_names[i]);
    for (size_t i = 0; in != NULL && i < in->count; i++)
        name_index_add(&names, in->keys[i]->text);
    return names;
}

/* A piece of a word: plain bytes, or a placeholder. */
struct piece {
    bool is_name;
    const char *p;
    size_t n;
};

/* The piece at s (not at its end); what follows it; NULL if there is a lone brace. */
static const char *next_piece(const char *s, struct piece *out)
{
    size_t n = strcspn(s, "{}");

    *out = (struct piece){ .p = s, .n = n };
    if (n > 0)
        return s + n;
    if (s[0] == s[1]) {
        out->n = 1;
        return s + 2;
    }
    n = *s == '{' ? strcspn(s + 1, "{}") : 0;
    if (*s == '}' || s[1 + n] != '}')
        return NULL;
    *out = (struct piece){ true, s + 1, n };
    return s + n + 2;
}

/* "{a}, {b}, {out} and {threads}" */
static const char *names_text(const struct name_index *names)
{
    struct buf text = { 0 };
    const char *kept;

    for (size_t i = OWN_COUNT; i < names->count && i < OWN_COUNT + 12; i++)
        buf_printf(&text, "{%s}, ", names->names[i]);
    buf_adds(&text, "{out} and {threads}");
    kept = arena_strdup(names->arena, text.p);
    buf_release(&text);
    return kept;
}

static enum status check_name(const struct name_index *names, const struct yaml *word,
                              const struct piece *name)
{
    const char *text = arena_strndup(names->arena, name->p, name->n), *hint;

    if (name_index_find(names, text) != NAME_NONE)
        return ST_OK;
    hint = hint_nearest(names->arena, text, names->names);
    if (*hint == 0)
        hint = arena_printf(names->arena, "; there are %s, and {{ }} are braces",
                            names_text(names));
    return yaml_fail(word, "unknown placeholder '{%.40s}'%s", text, hint);
}

static enum status check_word(const struct name_index *names, const struct yaml *word)
{
    struct piece piece;

    for (const char *s = word->text; *s != 0;) {
        const char *next = next_piece(s, &piece);
        if (next == NULL)
            return yaml_fail(word, "a lone '%c' (write %c%c for the sign itself)", *s, *s, *s);
        if (piece.is_name)
            TRY(check_name(names, word, &piece));
        s = next;
    }
    return ST_OK;
}

enum status program_check_words(struct arena *a, const struct yaml *run, const char *what)
{
    if (run->kind == YAML_SCALAR && !yaml_is_null(run))
        return yaml_fail(run,
                         "%s: want a list of words, such as [python3, work.py]; there is no shell "
                         "that would divide a text",
                         what);
    if (run->kind != YAML_LIST || run->count == 0)
        return yaml_fail(run, "%s: want a list of words, the first of which is a program; found %s",
                         what,
                         run->kind == YAML_LIST ? "an empty one" : yaml_describe(a, run));
    for (size_t i = 0; i < run->count; i++) {
        const struct yaml *word = run->items[i];
        if (word->kind != YAML_SCALAR || yaml_is_null(word) || (i == 0 && *word->text == 0))
            return yaml_fail(word, "%s: want a word; found %s", what, yaml_describe(a, word));
    }
    return ST_OK;
}

/* ---- inputs ---- */

static enum status check_input(struct arena *a, const struct yaml *key, const struct yaml *path)
{
    if (!name_is_good(key->text))
        return yaml_fail(key,
                         "an input's name is letters, digits, - and _, at most 64; found '%.80s'",
                         key->text);
    for (size_t i = 0; i < OWN_COUNT; i++)
        if (strcmp(key->text, own_names[i]) == 0)
            return yaml_fail(key, "'%s' is a placeholder of its own; name the input otherwise",
                             key->text);
    if (path->kind != YAML_SCALAR || yaml_is_null(path) || *path->text == 0)
        return yaml_fail(path, "in: want one path or \"@stage\" for '%s'; found %s", key->text,
                         yaml_describe(a, path));
    return ST_OK;
}

enum status program_check(struct arena *a, const struct yaml *run, const struct yaml *in)
{
    struct name_index names;

    if (in != NULL && in->kind != YAML_MAP)
        return yaml_fail(in, "in: want a map of names to paths or \"@stage\"; found %s",
                         yaml_describe(a, in));
    for (size_t i = 0; in != NULL && i < in->count; i++)
        TRY(check_input(a, in->keys[i], in->items[i]));
    TRY(program_check_words(a, run, "run"));
    names = index_names(a, in);
    for (size_t i = 0; i < run->count; i++)
        TRY(check_word(&names, run->items[i]));
    return ST_OK;
}

/* ---- the command line ---- */

/* What each placeholder is, by its number. */
struct binding {
    struct name_index names;
    const char **values;
};

static struct binding bind_names(struct arena *a, const struct yaml *in, const char *out,
                                 long long threads)
{
    struct binding b = { .names = index_names(a, in) };

    b.values = arena_array(a, b.names.count, sizeof *b.values);
    b.values[0] = out;
    b.values[1] = arena_printf(a, "%lld", threads);
    for (size_t i = OWN_COUNT; i < b.names.count; i++)
        b.values[i] = in->items[i - OWN_COUNT]->text;
    return b;
}

static const char *expand(struct arena *a, const struct binding *b, const char *s)
{
    struct buf word = { 0 };
    struct piece piece;
    const char *kept;

    while (*s != 0) {
        s = next_piece(s, &piece);
        BUG_IF(s == NULL);      /* program_check() has seen it */
        if (piece.is_name)
            buf_adds(&word, b->values[name_index_find(&b->names,
                                                      arena_strndup(a, piece.p, piece.n))]);
        else
            buf_add(&word, piece.p, piece.n);
    }
    kept = arena_strdup(a, word.n ? word.p : "");
    buf_release(&word);
    return kept;
}

const char **program_argv(struct arena *a, const struct plan_stage *s, const char *out,
                          long long threads)
{
    const struct yaml *words = yaml_get(s->with, "argv");
    struct binding b = bind_names(a, yaml_get(s->with, "in"), out, threads);
    const char **argv = arena_array(a, words->count + 1, sizeof *argv);

    for (size_t i = 0; i < words->count; i++)
        argv[i] = expand(a, &b, words->items[i]->text);
    return argv;
}
