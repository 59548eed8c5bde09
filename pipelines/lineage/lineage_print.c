#include "pipelines/lineage/lineage_print.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/command.h"
#include "base/log.h"
#include "store/artifact/artifact.h"

#define DIGITS 12            /* of a digest, where people read it */
#define OPTIONS_MOST 10
#define WORDS_MOST 60         /* bytes of an option's value */
#define INDENT_MOST 40       /* levels that are still shown by their indent */

/* ---- walking in an order ---- */

/* A place on the way down, and the next input to follow. */
struct step {
    size_t node, next;
};
struct way {
    struct step *v;
    size_t count, cap;
};

static void push(struct way *w, size_t node)
{
    if (w->count == w->cap) {
        w->cap = w->cap ? w->cap * 2 : 64;
        w->v = mem_grow(w->v, w->cap, sizeof *w->v);
    }
    w->v[w->count++] = (struct step){ node, 0 };
}

size_t *lineage_order(const struct lineage *l)
{
    size_t *order = mem_array(l->count + 1, sizeof *order), n = 0;
    bool *met = mem_array(l->count + 1, sizeof *met);
    struct way way = { 0 };

    for (size_t i = 0; i < l->count; i++) {
        if (met[i])
            continue;
        met[i] = true;
        push(&way, i);
        while (way.count > 0) {
            struct step *top = &way.v[way.count - 1];
            const struct lineage_node *node = &l->nodes[top->node];
            size_t next = top->next < node->count ? node->inputs[top->next].node : 0;

            if (top->next++ == node->count) {
                order[n++] = top->node;
                way.count--;
            } else if (!met[next]) {
                met[next] = true;
                push(&way, next);
            }
        }
    }
    free(way.v);
    free(met);
    return order;
}

uint64_t lineage_bytes(const struct lineage_node *n, size_t *files)
{
    const char *name;
    json_t *file, *list = json_object_get(n->manifest, "files");
    uint64_t sum = 0;

    json_object_foreach(list, name, file)
        sum += (uint64_t)json_integer_value(json_object_get(file, "bytes"));
    if (files)
        *files = json_object_size(list);
    return sum;
}

char *lineage_words(const json_t *value)
{
    return json_is_string(value)
               ? mem_strdup(json_string_value(value))
               : json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY |
                                       JSON_REAL_PRECISION(15));
}

/* ---- text: a node's own lines ---- */

/* Is it what the stage takes when nothing is said? Then it says little. */
static bool is_default(const struct opt *row, const json_t *value)
{
    uint64_t size;

    if (row == NULL)
        return false;
    if (row->fallback == NULL)
        return json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0);
    switch (row->type) {
    case OPT_T_STR:
    case OPT_T_CHOICE:
        return json_is_string(value) && strcmp(json_string_value(value), row->fallback) == 0;
    case OPT_T_BOOL:
        return json_is_boolean(value) && json_is_true(value) == (*row->fallback == 't');
    case OPT_T_SIZE:
        return str_parse_size(row->fallback, &size) && json_is_integer(value) &&
               (uint64_t)json_integer_value(value) == size;
    case OPT_T_INT:
    case OPT_T_REAL:
        return json_is_number(value) && json_number_value(value) == strtod(row->fallback, NULL);
    default: return false;
    }
}

static void add_value(struct buf *out, const json_t *value)
{
    char *words, digits[28];

    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        buf_adds(out, str_count((uint64_t)json_integer_value(value), digits));
        return;
    }
    words = lineage_words(value);
    if (strlen(words) > WORDS_MOST)
        words[WORDS_MOST] = 0; /* a character cut in two is shown as U+FFFD */
    log_add_plain(out, words);
    if (strlen(words) == WORDS_MOST)
        buf_adds(out, "...");
    free(words);
}

static void add_options(struct buf *out, const struct lineage_node *n)
{
    const json_t *options = json_object_get(json_object_get(n->manifest, "made_by"), "options");
    const struct command *c = command_all() ? command_find(command_all(), lineage_stage(n)) : NULL;
    const char *name, *between = ": ";
    size_t shown = 0, left = 0;
    json_t *value;

    json_object_foreach((json_t *)options, name, value) {
        if (json_is_null(value) || is_default(c ? opt_find(c->opts, name) : NULL, value))
            continue;
        if (shown++ >= OPTIONS_MOST) {
            left++;
            continue;
        }
        buf_adds(out, between);
        log_add_plain(out, name);
        buf_addc(out, ' ');
        add_value(out, value);
        between = ", ";
    }
    if (left > 0)
        buf_printf(out, " and %zu more", left);
}

/* Counts may stand in groups ("train": {...}). */
static void add_counts(struct buf *out, const json_t *counts, bool nested)
{
    const char *name, *between = nested ? "" : "; ";
    json_t *value;

    json_object_foreach((json_t *)counts, name, value) {
        buf_adds(out, between);
        log_add_plain(out, name);
        buf_addc(out, ' ');
        if (json_is_object(value) && !nested) {
            buf_addc(out, '(');
            add_counts(out, value, true);
            buf_addc(out, ')');
        } else {
            add_value(out, value);
        }
        between = ", ";
    }
}

static void indent(struct buf *out, size_t level)
{
    for (size_t i = 0; i < level && i < INDENT_MOST; i++)
        buf_adds(out, "    ");
}

static void add_path(struct buf *out, const char *path)
{
    log_add_plain(out, path ? path : "?");
}

static void add_details(struct buf *out, const struct lineage_node *n, size_t level)
{
    const json_t *made_by = json_object_get(n->manifest, "made_by"),
                 *aside = json_object_get(n->manifest, "aside"),
                 *created = json_object_get(aside, "created");

    indent(out, level);
    buf_adds(out, "  ");
    log_add_plain(out, lineage_stage(n));
    buf_printf(out, ", version %lld",
               (long long)json_integer_value(json_object_get(made_by, "version")));
    add_options(out, n);
    buf_addc(out, '\n');
    indent(out, level);
    buf_adds(out, "  created ");
    log_add_plain(out, json_is_string(created) ? json_string_value(created) : "?");
    add_counts(out, json_object_get(n->manifest, "counts"), false);
    buf_addc(out, '\n');
    if (n->changed) {
        indent(out, level);
        buf_printf(out, "  changed since: it is %.*s now, of which these counts are\n", DIGITS,
                   artifact_digest(n->manifest));
    }
}

/* "kind digest  path" and, the first time, what made it. */
static void add_node(struct buf *out, const struct lineage_node *n, size_t level, bool first)
{
    switch (n->state) {
    case LINEAGE_FOUND:
        log_add_plain(out, lineage_kind(n));
        buf_printf(out, " %.*s  ", DIGITS, n->digest);
        add_path(out, n->path);
        buf_adds(out, first ? "\n" : "  (see above)\n");
        if (first)
            add_details(out, n, level);
        break;
    case LINEAGE_OUTSIDE:
        buf_printf(out, "from outside, %.*s  ", DIGITS, n->digest);
        add_path(out, n->path);
        buf_addc(out, '\n');
        break;
    case LINEAGE_MISSING:
        buf_printf(out, "NOT FOUND, %.*s  was said to be '", DIGITS, n->digest);
        add_path(out, n->said);
        buf_adds(out, "'\n");
        break;
    }
}

/* ---- text: the tree and what stands behind it ---- */

static void add_tree(struct buf *out, const struct lineage *l)
{
    bool *met = mem_array(l->count + 1, sizeof *met);
    struct way way = { 0 };

    add_node(out, &l->nodes[0], 0, true);
    met[0] = true;
    push(&way, 0);
    while (way.count > 0) {
        struct step *top = &way.v[way.count - 1];
        const struct lineage_node *node = &l->nodes[top->node];
        const struct lineage_input *input;

        if (top->next == node->count) {
            way.count--;
            continue;
        }
        input = &node->inputs[top->next++];
        indent(out, way.count);
        log_add_plain(out, input->option);
        buf_adds(out, ": ");
        add_node(out, &l->nodes[input->node], way.count, !met[input->node]);
        if (!met[input->node]) {
            met[input->node] = true;
            push(&way, input->node);
        }
    }
    free(way.v);
    free(met);
}

static const char *content_words(const struct lineage_node *n)
{
    if (n->seen[0] == 0)
        return n->why ? "cannot be compared" : "not compared";
    return strcmp(n->seen, n->digest) == 0 ? "the same content today" : "ANOTHER content today";
}

static void add_sources(struct buf *out, const struct lineage *l)
{
    const char *title = "\nsources from outside\n";

    for (size_t i = 0; i < l->count; i++) {
        const struct lineage_node *n = &l->nodes[i];

        if (n->state != LINEAGE_OUTSIDE)
            continue;
        buf_printf(out, "%s  %s  ", title, n->digest);
        add_path(out, n->path);
        buf_printf(out, "\n    %s", content_words(n));
        if (n->seen[0] && strcmp(n->seen, n->digest) != 0)
            buf_printf(out, ", %s", n->seen);
        buf_addc(out, '\n');
        title = "";
    }
}

static void add_missing(struct buf *out, const struct lineage *l)
{
    const char *title = "\nnot found (--search DIR looks elsewhere, too)\n";

    for (size_t i = 0; i < l->count; i++) {
        const struct lineage_node *n = &l->nodes[i];

        if (n->state != LINEAGE_MISSING)
            continue;
        buf_printf(out, "%s  %s  was said to be '", title, n->digest);
        add_path(out, n->said);
        buf_adds(out, "'\n");
        if (n->why) {
            buf_adds(out, "    ");
            log_add_plain(out, n->why);
            buf_addc(out, '\n');
        }
        title = "";
    }
}

void lineage_text(const struct lineage *l, struct buf *out)
{
    add_tree(out, l);
    add_sources(out, l);
    add_missing(out, l);
}

/* ---- JSON ---- */

static const char *const state_names[] = {
    [LINEAGE_FOUND] = "found", [LINEAGE_OUTSIDE] = "outside", [LINEAGE_MISSING] = "missing"
};

static json_t *text_or_null(const char *s) { return s ? json_text_of(s) : json_null(); }

static void add_manifest(json_t *out, const json_t *manifest)
{
    static const char *const members[] = { "kind", "made_by", "counts" };
    static const char *const asides[] = { "created", "host", "program", "seconds" };
    const json_t *aside = json_object_get(manifest, "aside");

    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        json_object_set(out, members[i], json_object_get(manifest, members[i]));
    for (size_t i = 0; i < sizeof asides / sizeof *asides; i++)
        if (json_object_get(aside, asides[i]))
            json_object_set(out, asides[i], json_object_get(aside, asides[i]));
}

static json_t *node_json(const struct lineage *l, const struct lineage_node *n)
{
    json_t *inputs = json_array();
    json_t *out = json_pack("{s:s, s:s, s:o, s:o}", "digest", n->digest, "state",
                            state_names[n->state], "path", text_or_null(n->path), "inputs",
                            inputs);
    size_t files;

    if (n->state == LINEAGE_FOUND) {
        add_manifest(out, n->manifest);
        json_object_set_new(out, "bytes", json_integer((json_int_t)lineage_bytes(n, &files)));
        json_object_set_new(out, "files", json_integer((json_int_t)files));
        if (n->changed)
            json_object_set_new(out, "changed", json_string(artifact_digest(n->manifest)));
    }
    if (n->state == LINEAGE_OUTSIDE) {
        json_object_set_new(out, "seen", n->seen[0] ? json_string(n->seen) : json_null());
        json_object_set_new(out, "unchanged",
                            n->seen[0] ? json_boolean(strcmp(n->seen, n->digest) == 0)
                                       : json_null());
    }
    if (n->state != LINEAGE_FOUND) {
        json_object_set_new(out, "said", text_or_null(n->said));
        json_object_set_new(out, "why", text_or_null(n->why));
    }
    for (size_t i = 0; i < n->count; i++)
        json_array_append_new(inputs,
                              json_pack("{s:s, s:s, s:o}", "option", n->inputs[i].option, "digest",
                                        l->nodes[n->inputs[i].node].digest, "said",
                                        text_or_null(n->inputs[i].said)));
    return out;
}

json_t *lineage_json(const struct lineage *l)
{
    json_t *nodes = json_array();

    for (size_t i = 0; i < l->count; i++)
        json_array_append_new(nodes, node_json(l, &l->nodes[i]));
    return json_pack("{s:i, s:s, s:o}", "lineage", 1, "artifact", l->nodes[0].digest, "nodes",
                     nodes);
}
