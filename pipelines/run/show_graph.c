#include <string.h>

#include "pipelines/run/show.h"

/* ---- Graphviz ---- */

/* The arrow's option if it is an artifact, else NULL: it is one of `needs`. */
static const char *option_of(const struct plan_stage *s, const struct plan_edge *e)
{
    for (size_t k = 0; k < s->input_count; k++)
        if (s->inputs[k].node == e->at)
            return s->inputs[k].row->name;
    return NULL;
}

void show_dot(const struct plan *p, struct buf *out)
{
    buf_printf(out, "digraph \"%s\" {\n    rankdir=LR;\n    node [shape=box];\n", p->name);
    for (size_t i = 0; i < p->count; i++)
        buf_printf(out, "    \"%s\" [label=\"%s\\n%s\"];\n", p->names[i], p->names[i],
                   p->stages[i].command->name);
    for (size_t i = 0; i < p->count; i++)
        for (size_t k = 0; k < p->stages[i].after_count; k++) {
            const struct plan_edge *e = &p->stages[i].after[k];
            const char *option = option_of(&p->stages[i], e);
            buf_printf(out, "    \"%s\" -> \"%s\" ", p->names[e->from], p->names[i]);
            if (option != NULL)
                buf_printf(out, "[label=\"%s\"];\n", option);
            else
                buf_adds(out, "[style=dashed];\n");
        }
    buf_adds(out, "}\n");
}

/* ---- text ---- */

struct tree {
    const struct plan *plan;
    struct buf *out;
    struct buf margin;       /* in front of the next line */
    bool *told;              /* its branches were shown */
};

static bool is_repeat(const struct plan_stage *s, size_t k)
{
    for (size_t j = 0; j < k; j++)
        if (s->after[j].from == s->after[k].from)
            return true;
    return false;
}

static size_t last_branch(const struct plan_stage *s)
{
    size_t last = 0;

    for (size_t k = 0; k < s->after_count; k++)
        if (!is_repeat(s, k))
            last = k;
    return last;
}

/* Depth is that of the graph: at most the number of stages. */
static void tell(struct tree *t, size_t i)
{
    const struct plan_stage *s = &t->plan->stages[i];
    bool told = t->told[i];
    size_t margin = t->margin.n;

    buf_printf(t->out, "%s (%s)%s\n", s->name, s->command->name,
               told && s->after_count > 0 ? " (*)" : "");
    t->told[i] = true;
    for (size_t k = 0; !told && k < s->after_count; k++) {
        bool last = k == last_branch(s);
        if (is_repeat(s, k))
            continue;
        buf_printf(t->out, "%s%s", t->margin.p, last ? "└─ " : "├─ ");
        buf_adds(&t->margin, last ? "   " : "│  ");
        tell(t, s->after[k].from);
        t->margin.n = margin;
        t->margin.p[margin] = 0;
    }
}

void show_tree(const struct plan *p, struct buf *out)
{
    bool *awaited = mem_array(p->count, sizeof *awaited);
    struct tree t = { .plan = p, .out = out, .told = mem_array(p->count, sizeof *t.told) };

    buf_adds(&t.margin, "");
    for (size_t i = 0; i < p->count; i++)
        for (size_t k = 0; k < p->stages[i].after_count; k++)
            awaited[p->stages[i].after[k].from] = true;
    for (size_t i = 0; i < p->count; i++)
        if (!awaited[i])
            tell(&t, i);
    buf_release(&t.margin);
    free(t.told);
    free(awaited);
}
