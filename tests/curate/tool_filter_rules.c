/* What each rule of a filter says of each document: the step as YAML ("filter: {profile: ...}") is the argument, documents
 * are lines of JSON with "id" and "text" on stdin, answers are lines of JSON with "id", "broken" (reasons) and "values". */
#include <stdio.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/yaml.h"
#include "curate/chain/step.h"

static json_t *answer(const char *id, const struct doc *d, const struct trace *t)
{
    json_t *broken = json_array(), *values = json_object();

    for (size_t i = 0; i < t->count; i++) {
        if (t->values[i].broken)
            json_array_append_new(broken, json_string(t->values[i].rule->key));
        json_object_set_new(values, t->values[i].rule->key, json_real(t->values[i].value));
    }
    if (t->count == 0 && d->dropped)
        json_array_append_new(broken, json_string(d->dropped->key));
    return json_pack("{s:s, s:o, s:o}", "id", id, "broken", broken, "values", values);
}

static enum status judge_line(const struct chain *c, struct step_work *w, const char *line, uint64_t number)
{
    json_t *in = json_loads(line, JSON_ALLOW_NUL, NULL), *out;
    const char *text = json_string_value(json_object_get(in, "text"));
    const char *id = json_string_value(json_object_get(in, "id"));
    struct doc d = { .number = number };
    enum status st;

    if (text == NULL || id == NULL) {
        json_decref(in);
        return fail(ST_FORMAT, "line %llu is no JSON object with an id and a text", (unsigned long long)number + 1);
    }
    buf_add(&d.text, text, json_string_length(json_object_get(in, "text")));
    d.id = mem_strdup(id);
    st = chain_each(c, c->count - 1, &d, w);
    if (st == ST_OK) {
        out = answer(id, &d, &w->trace);
        json_dumpf(out, stdout, JSON_COMPACT | JSON_SORT_KEYS);
        putchar('\n');
        json_decref(out);
    }
    free(d.id);
    buf_release(&d.text);
    json_decref(in);
    return st;
}

static enum status judge_all(struct arena *a, const char *step)
{
    struct buf list = { 0 };
    struct step_work w = { .trace = { .full = true } };
    struct chain c;
    struct yaml *parsed;
    char *line = NULL;
    size_t cap = 0;
    enum status st;

    buf_printf(&list, "[%s]", step);
    st = yaml_parse(a, "step", list.p, list.n, &parsed);
    buf_release(&list);
    TRY(st);
    TRY(chain_parse(a, parsed, &c));
    TRY(chain_load(&c));
    for (uint64_t i = 0; st == ST_OK && getline(&line, &cap, stdin) > 0; i++)
        st = judge_line(&c, &w, line, i);
    free(line);
    step_work_release(&c, &w);
    chain_unload(&c);
    return st;
}

int main(int argc, char **argv)
{
    struct arena a;
    enum status st;

    if (argc != 2)
        return 2;
    arena_init(&a);
    st = judge_all(&a, argv[1]);
    if (st != ST_OK)
        fprintf(stderr, "tool_filter_rules: %s\n", fail_message());
    arena_release(&a);
    return status_exit_code(st);
}
