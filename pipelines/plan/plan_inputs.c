/* What a stage reads and waits for. */
#include <stdlib.h>
#include <string.h>

#include "pipelines/plan/options.h"
#include "pipelines/plan/plan_part.h"
#include "pipelines/plan/program.h"

#define LINK_LIMIT (1u << 20)      /* that names of several stages may make in one plan */

struct collect {
    struct plan_build *build;
    struct plan *plan;
    struct plan_stage *stage;
    size_t input_cap, edge_cap;
};

/* ---- names ---- */

/* The stages of that name; never the stage itself. */
static enum status find_stages(const struct collect *c, const struct yaml *at, const char *name,
                               struct plan_span *out)
{
    size_t self = (size_t)(c->stage - c->plan->stages);

    if (!plan_span_of(c->plan, name, out))
        return yaml_fail(at, "no stage '%.80s'%s", name, plan_near(c->plan, name));
    if (self >= out->first && self < out->first + out->count)
        return yaml_fail(at, "stage '%s' cannot wait for itself", c->stage->name);
    return ST_OK;
}

static enum status count_links(struct collect *c, const struct yaml *at, size_t count)
{
    c->build->links += count;
    if (c->build->links > LINK_LIMIT)
        return yaml_fail(at, "the stages wait for each other in more than %u ways", LINK_LIMIT);
    return ST_OK;
}

/* ---- a name of several stages in a list of inputs ---- */

/* How many items the value will have. */
static enum status count_items(struct collect *c, struct yaml *value, size_t *count)
{
    struct plan_span span;

    *count = 0;
    for (size_t i = 0; i < plan_item_count(value); i++) {
        const struct yaml *item = plan_item(value, i);
        span.count = 1;
        if (item->kind == YAML_SCALAR && item->text[0] == '@'
            && plan_span_of(c->plan, item->text + 1, &span) && span.count > 1)
            TRY(count_links(c, item, span.count));
        *count += span.count;
    }
    return ST_OK;
}

static void spread_item(const struct collect *c, struct yaml *item, struct yaml *list)
{
    struct plan_span span;

    if (item->kind != YAML_SCALAR || item->text[0] != '@'
        || !plan_span_of(c->plan, item->text + 1, &span) || span.count == 1) {
        list->items[list->count++] = item;
        return;
    }
    for (size_t i = 0; i < span.count; i++) {
        struct yaml *one = arena_new(c->plan->arena, struct yaml);
        *one = *item;
        one->text = arena_printf(c->plan->arena, "@%s", c->plan->names[span.first + i]);
        list->items[list->count++] = one;
    }
}

/* "@train" among inputs becomes "@train[lr=1]", "@train[lr=2]" ... */
static enum status spread(void *ctx, const struct option_use *use)
{
    struct collect *c = ctx;
    struct yaml *value = use->value, list = *value;
    size_t count, before = plan_item_count(value);
    struct yaml *alone;

    if (use->row->type != OPT_T_INPUTS)
        return ST_OK;
    TRY(count_items(c, value, &count));
    if (count == before)
        return ST_OK;
    alone = arena_new(c->plan->arena, struct yaml);
    *alone = *value;
    list.kind = YAML_LIST;
    list.count = 0;
    list.items = arena_array(c->plan->arena, count, sizeof *list.items);
    for (size_t i = 0; i < before; i++)
        spread_item(c, value->kind == YAML_LIST ? value->items[i] : alone, &list);
    *value = list;
    return ST_OK;
}

/* ---- inputs ---- */

static void add_edge(struct collect *c, size_t from, const struct yaml *at)
{
    struct plan_stage *s = c->stage;

    if (s->after_count == c->edge_cap) {
        struct plan_edge *old = s->after;
        c->edge_cap = c->edge_cap ? 2 * c->edge_cap : 4;
        s->after = arena_array(c->plan->arena, c->edge_cap, sizeof *s->after);
        if (old != NULL)
            memcpy(s->after, old, s->after_count * sizeof *old);
    }
    s->after[s->after_count++] = (struct plan_edge){ from, at };
}

/* word is one of those in the text, which blanks divide. */
static bool has_word(const char *text, const char *word)
{
    size_t n = strlen(word);

    for (const char *p = strstr(text, word); p != NULL; p = strstr(p + n, word))
        if ((p == text || p[-1] == ' ') && (p[n] == 0 || p[n] == ' '))
            return true;
    return false;
}

/* "checkpoint or model" */
static const char *kinds_text(struct arena *a, const char *reads)
{
    const char *blank = strchr(reads, ' ');

    return blank == NULL ? reads
                         : arena_printf(a, "%.*s or %s", (int)(blank - reads), reads,
                                        kinds_text(a, blank + 1));
}

/* The files of a foreign program may be anything. */
static enum status check_kind(const struct collect *c, const struct opt *row, const struct yaml *at,
                              const struct command *maker)
{
    if (row->reads == NULL || maker->makes == NULL || maker == &stage_program
        || has_word(row->reads, maker->makes))
        return ST_OK;
    return yaml_fail(at, "'%s' is a %s; '%s' of '%s' wants a %s", at->text, maker->makes, row->name,
                     c->stage->command->name, kinds_text(c->plan->arena, row->reads));
}

static enum status find_maker(struct collect *c, const struct opt *row, const struct yaml *path,
                              size_t *from)
{
    struct plan_span span;

    TRY(find_stages(c, path, path->text + 1, &span));
    if (span.count > 1)
        return yaml_fail(path, "'%s' is %zu stages, and one is wanted here: %s", path->text,
                         span.count, plan_instances(c->plan, span));
    *from = span.first;
    return check_kind(c, row, path, c->plan->stages[span.first].command);
}

static enum status add_input(void *ctx, const struct opt *row, size_t index, struct yaml *path)
{
    struct collect *c = ctx;
    struct plan_stage *s = c->stage;
    struct plan_input in = { row, index, path, PLAN_OUTSIDE };

    if (path->text[0] == '@') {
        TRY(find_maker(c, row, path, &in.from));
        add_edge(c, in.from, path);
    }
    if (s->input_count == c->input_cap) {
        struct plan_input *old = s->inputs;
        c->input_cap = c->input_cap ? 2 * c->input_cap : 4;
        s->inputs = arena_array(c->plan->arena, c->input_cap, sizeof *s->inputs);
        if (old != NULL)
            memcpy(s->inputs, old, s->input_count * sizeof *old);
    }
    s->inputs[s->input_count++] = in;
    return ST_OK;
}

/* ---- strays ---- */

static int by_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)*(const struct yaml *const *)a;
    uintptr_t y = (uintptr_t)*(const struct yaml *const *)b;

    return (x > y) - (x < y);
}

static const struct yaml **sorted_inputs(struct arena *a, const struct plan_stage *s)
{
    const struct yaml **nodes = arena_array(a, s->input_count + 1, sizeof *nodes);

    for (size_t i = 0; i < s->input_count; i++)
        nodes[i] = s->inputs[i].node;
    qsort(nodes, s->input_count, sizeof *nodes, by_address);
    return nodes;
}

/* "@stage" where nothing is read would go to the stage as a text: surely not what was meant. */
static enum status refuse_strays(const struct collect *c, const struct yaml **inputs,
                                 const struct yaml *node)
{
    struct plan_span span;

    if (node->kind != YAML_SCALAR) {
        for (size_t i = 0; i < node->count; i++)
            TRY(refuse_strays(c, inputs, node->items[i]));
        return ST_OK;
    }
    if (node->text[0] == '@' && plan_span_of(c->plan, node->text + 1, &span)
        && bsearch(&node, inputs, c->stage->input_count, sizeof *inputs, by_address) == NULL)
        return yaml_fail(node, "'%s' is the artifact of a stage, and '%s' reads none here",
                         node->text, c->stage->command->name);
    return ST_OK;
}

/* ---- needs ---- */

static enum status add_need(struct collect *c, const struct yaml *need)
{
    struct plan_span span;

    if (need->kind != YAML_SCALAR)
        return yaml_fail(need, "needs: want the names of stages; found %s",
                         yaml_describe(c->plan->arena, need));
    if (need->text[0] == '@')
        return yaml_fail(need, "needs: want the stage's name without the '@'");
    TRY(find_stages(c, need, need->text, &span));
    TRY(count_links(c, need, span.count - 1));
    for (size_t i = 0; i < span.count; i++)
        add_edge(c, span.first + i, need);
    return ST_OK;
}

enum status plan_connect(struct plan_build *b, size_t i)
{
    struct plan_stage *s = &b->plan->stages[i];
    struct collect c = { .build = b, .plan = b->plan, .stage = s };
    struct yaml *needs = yaml_get(b->maps[i], "needs");

    arena_reset(&b->scratch);
    TRY(options_walk(s->command->opts, s->with, spread, &c));
    TRY(options_inputs(s->command->opts, s->with, add_input, &c));
    TRY(refuse_strays(&c, sorted_inputs(&b->scratch, s), s->with));
    for (size_t k = 0; needs != NULL && k < plan_item_count(needs); k++)
        TRY(add_need(&c, plan_item(needs, k)));
    return ST_OK;
}
