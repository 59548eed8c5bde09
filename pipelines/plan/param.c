#include "pipelines/plan/param.h"

#include <ctype.h>
#include <string.h>

#define COPY_LIMIT (16u << 20)   /* bytes that all substitutions of one file may add */
#define NAME_LIMIT 64

bool name_is_good(const char *name)
{
    size_t n = strlen(name);

    if (n == 0 || n > NAME_LIMIT || !isalnum((unsigned char)name[0]))
        return false;
    for (size_t i = 1; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && name[i] != '-' && name[i] != '_')
            return false;
    return true;
}

const char *hint_nearest(struct arena *a, const char *word, const char *const *candidates)
{
    const char *near = str_nearest(word, candidates);

    return near == NULL ? "" : arena_printf(a, "; did you mean '%s'?", near);
}

static struct yaml **copy_list(struct arena *a, struct yaml *const *from, size_t count,
                               const struct yaml *at)
{
    struct yaml **to = arena_array(a, count + 1, sizeof *to);

    for (size_t i = 0; i < count; i++)
        to[i] = tree_copy(a, from[i], at);
    return to;
}

struct yaml *tree_copy(struct arena *a, const struct yaml *n, const struct yaml *at)
{
    struct yaml *c = arena_new(a, struct yaml);

    *c = *n;
    if (at != NULL) {
        c->line = at->line;
        c->column = at->column;
        c->source = at->source;
        if (n->from == NULL)
            c->from = n;
    }
    if (n->kind == YAML_MAP)
        c->keys = copy_list(a, n->keys, n->count, at);
    if (n->kind != YAML_SCALAR)
        c->items = copy_list(a, n->items, n->count, at);
    return c;
}

/* ---- reading ---- */

static enum status read_declared(struct params *p, const struct yaml *declared)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct yaml *key = declared->keys[i];
        if (!name_is_good(key->text))
            return yaml_fail(key, "a param's name is letters, digits, - and _, got '%s'",
                             key->text);
        name_index_add(&p->index, key->text);
        p->names[i] = key->text;
        p->values[i] = declared->items[i];
    }
    return ST_OK;
}

static enum status read_value(struct params *p, const char *name, const char *text,
                              struct yaml **out)
{
    const char *shown = arena_printf(p->arena, "--set %s", name);

    if (*text != 0 && strchr("[{\"'", *text) != NULL)
        return yaml_parse(p->arena, shown, text, strlen(text), out);
    *out = yaml_word(p->arena, shown, text);
    return ST_OK;
}

static enum status set_one(struct params *p, const char *word)
{
    const char *equals = strchr(word, '=');
    const char *name;
    size_t i;

    if (equals == NULL || equals == word)
        return fail(ST_USAGE, "--set wants name=value, got '%s'", word);
    name = arena_strndup(p->arena, word, (size_t)(equals - word));
    i = name_index_find(&p->index, name);
    if (i != NAME_NONE)
        return read_value(p, name, equals + 1, &p->values[i]);
    return fail(ST_USAGE, "--set %s: the pipeline has no param '%s'%s", word, name,
                hint_nearest(p->arena, name, p->names));
}

enum status params_read(struct arena *a, const struct yaml *declared, const struct opt_list *sets,
                        struct params *out)
{
    size_t count = declared == NULL ? 0 : declared->count;

    if (declared != NULL && declared->kind != YAML_MAP)
        return yaml_fail(declared, "params: want a map of names to values, got %s",
                         yaml_describe(a, declared));
    *out = (struct params){ .arena = a, .count = count, .index = { .arena = a } };
    out->names = arena_array(a, count + 1, sizeof *out->names);
    out->values = arena_array(a, count + 1, sizeof *out->values);
    if (declared != NULL)
        TRY(read_declared(out, declared));
    for (size_t i = 0; sets != NULL && i < sets->count; i++)
        TRY(set_one(out, sets->v[i]));
    return ST_OK;
}

/* ---- putting them in ---- */

size_t tree_bytes(const struct yaml *n)
{
    size_t bytes = sizeof *n + (n->kind == YAML_SCALAR ? strlen(n->text) : 0);

    for (size_t i = 0; n->kind != YAML_SCALAR && i < n->count; i++)
        bytes += tree_bytes(n->items[i]) + (n->kind == YAML_MAP ? tree_bytes(n->keys[i]) : 0);
    return bytes;
}

static enum status count_copy(struct params *p, const struct yaml *at, size_t bytes)
{
    p->copied += bytes;
    if (p->copied > COPY_LIMIT)
        return yaml_fail(at, "params put more than %u MiB into this file", COPY_LIMIT >> 20);
    return ST_OK;
}

static enum status unknown_param(const struct params *p, const struct yaml *at, const char *name)
{
    size_t extra = p->scope == NULL ? 0 : p->scope->count;
    const char **names = arena_array(p->arena, p->count + extra + 1, sizeof *names);

    if (p->count + extra == 0)
        return yaml_fail(at, "no param '%s': this file has no `params:`", name);
    if (extra > 0)
        memcpy(names, p->scope->names, extra * sizeof *names);
    if (p->count > 0)
        memcpy(names + extra, p->names, p->count * sizeof *names);
    return yaml_fail(at, "no param '%.80s'%s", name, hint_nearest(p->arena, name, names));
}

static enum status find_param(struct params *p, const struct yaml *at, const char *name,
                              const struct yaml **out)
{
    size_t i;

    *out = NULL;
    for (size_t k = 0; p->scope != NULL && k < p->scope->count; k++)
        if (strcmp(p->scope->names[k], name) == 0)
            *out = p->scope->values[k];
    i = *out != NULL ? NAME_NONE : name_index_find(&p->index, name);
    if (i != NAME_NONE)
        *out = p->values[i];
    return *out == NULL ? unknown_param(p, at, name) : count_copy(p, at, tree_bytes(*out));
}

/* The name between "${" at p and the next '}'; *end lies behind it. */
static enum status read_name(struct params *p, const struct yaml *node, const char *at,
                             const char **name, const char **end)
{
    const char *close = strchr(at, '}');

    if (close == NULL)
        return yaml_fail(node, "'${' without its '}' (write $${ for the text itself)");
    *name = arena_strndup(p->arena, at + 2, (size_t)(close - at) - 2);
    *end = close + 1;
    return ST_OK;
}

static enum status put_whole(struct params *p, struct yaml *node, const char *name)
{
    const struct yaml *value;

    TRY(find_param(p, node, name, &value));
    *node = *tree_copy(p->arena, value, node);
    return ST_OK;
}

static enum status put_text(struct params *p, struct yaml *node, const char *name,
                            struct buf *out)
{
    const struct yaml *value;

    TRY(find_param(p, node, name, &value));
    if (value->kind != YAML_SCALAR)
        return yaml_fail(node,
                         "param '%s' is %s: it can only be a whole value, not a part of a text",
                         name, yaml_describe(p->arena, value));
    if (node->from == NULL)
        node->from = value->from != NULL ? value->from : value;
    buf_adds(out, value->text);
    return ST_OK;
}

/* Appends node's text with its params to out. */
static enum status expand(struct params *p, struct yaml *node, struct buf *out)
{
    for (const char *s = node->text; *s != 0;) {
        const char *name = NULL;
        if (strncmp(s, "$${", 3) == 0) {
            buf_adds(out, "${");
            s += 3;
        } else if (strncmp(s, "${", 2) == 0) {
            TRY(read_name(p, node, s, &name, &s));
            TRY(put_text(p, node, name, out));
        } else {
            buf_addc(out, *s++);
        }
    }
    return ST_OK;
}

static enum status apply_scalar(struct params *p, struct yaml *node)
{
    struct buf text = { 0 };
    const char *name = NULL, *end = NULL;
    enum status st;

    if (strstr(node->text, "${") == NULL)
        return ST_OK;
    if (strncmp(node->text, "${", 2) == 0) {
        TRY(read_name(p, node, node->text, &name, &end));
        if (*end == 0)
            return put_whole(p, node, name);
    }
    TRY(count_copy(p, node, strlen(node->text)));
    st = expand(p, node, &text);
    if (st == ST_OK)
        node->text = arena_strndup(p->arena, text.p, text.n);
    buf_release(&text);
    return st;
}

enum status params_apply(struct params *p, struct yaml *tree)
{
    if (tree->kind == YAML_SCALAR)
        return apply_scalar(p, tree);
    for (size_t i = 0; i < tree->count; i++)
        TRY(params_apply(p, tree->items[i]));
    return ST_OK;
}
