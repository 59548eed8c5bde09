/* usage: tool_filter [--rules] STEPS
 *
 * What a list of steps (YAML) decides about each document: documents are lines of JSON with "id" and "text" on stdin, answers are lines
 * of JSON with "id", "reason" (null: kept) and, where a step changed it, "text". With --rules every rule of the last step is looked at,
 * and the answer has "broken" (reasons) and "values" of its rules, too. */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/yaml.h"
#include "curate/chain/step.h"

static void add_rules(json_t *out, const struct doc *d, const struct trace *t)
{
    json_t *broken = json_array(), *values = json_object();

    for (size_t i = 0; i < t->count; i++) {
        if (t->values[i].broken)
            json_array_append_new(broken, json_string(t->values[i].rule->key));
        json_object_set_new(values, t->values[i].rule->key, json_real(t->values[i].value));
    }
    if (t->count == 0 && d->dropped)
        json_array_append_new(broken, json_string(d->dropped->key));
    json_object_set_new(out, "broken", broken);
    json_object_set_new(out, "values", values);
}

static void answer(const char *id, const struct doc *d, const struct trace *t)
{
    json_t *out = json_pack("{s:s, s:s?}", "id", id, "reason", d->dropped ? d->dropped->key : NULL);

    if (t->full)
        add_rules(out, d, t);
    if (d->edits > 0)
        json_object_set_new(out, "text", json_stringn(d->text.p, d->text.n));
    json_dumpf(out, stdout, JSON_COMPACT | JSON_SORT_KEYS);
    putchar('\n');
    json_decref(out);
}

static enum status decide(const struct chain *c, struct step_work *w, const char *line, uint64_t number)
{
    json_t *in = json_loads(line, JSON_ALLOW_NUL, NULL);
    const char *text = json_string_value(json_object_get(in, "text"));
    const char *id = json_string_value(json_object_get(in, "id"));
    struct doc d = { .number = number };
    enum status st = ST_OK;

    if (text == NULL || id == NULL)
        st = fail(ST_FORMAT, "line %llu is no JSON object with an id and a text", (unsigned long long)number + 1);
    else
        buf_add(&d.text, text, json_string_length(json_object_get(in, "text")));
    if (id)
        d.id = mem_strdup(id);
    /* all but `extract`, which stands first */
    for (size_t i = 1; st == ST_OK && i < c->count && d.dropped == NULL; i++)
        st = chain_each(c, i, &d, w);
    if (st == ST_OK)
        answer(id, &d, &w->trace);
    free(d.id);
    buf_release(&d.text);
    json_decref(in);
    return st;
}

static enum status decide_all(struct arena *a, const char *steps, bool rules)
{
    struct step_work w = { .trace = { .full = rules } };
    struct chain c;
    struct yaml *parsed;
    char *line = NULL;
    size_t cap = 0;
    enum status st = ST_OK;

    TRY(yaml_parse(a, "steps", steps, strlen(steps), &parsed));
    TRY(chain_parse(a, parsed, &c));
    TRY(chain_load(&c));
    for (uint64_t i = 0; st == ST_OK && getline(&line, &cap, stdin) > 0; i++)
        st = decide(&c, &w, line, i);
    free(line);
    step_work_release(&c, &w);
    chain_unload(&c);
    return st;
}

int main(int argc, char **argv)
{
    bool rules = argc == 3 && strcmp(argv[1], "--rules") == 0;
    struct arena a;
    enum status st;

    if (argc != 2 + rules)
        return 2;
    arena_init(&a);
    st = decide_all(&a, argv[argc - 1], rules);
    if (st != ST_OK)
        fprintf(stderr, "tool_filter: %s\n", fail_message());
    arena_release(&a);
    return status_exit_code(st);
}
