#include "export/model_card.h"

#include <string.h>

#include "store/artifact/artifact.h"

static const json_t *at(const json_t *j, const char *key) { return json_object_get(j, key); }

static void add_front_matter(struct buf *b, const struct model_card *c)
{
    const json_t *bits = at(c->metrics, "bits_per_byte");

    buf_adds(b, "---\nlibrary_name: transformers\npipeline_tag: text-generation\ntags:\n- llama\n"
                "- tundish\n");
    if (bits != NULL) {
        buf_adds(b, "model-index:\n- name: ");
        json_quote(b, c->name, strlen(c->name)); /* a JSON text is a YAML text */
        buf_printf(b,
                   "\n  results:\n  - task: {type: text-generation}\n"
                   "    dataset: {name: held-out documents, type: text}\n"
                   "    metrics:\n    - {type: bits_per_byte, value: %.4f}\n",
                   json_number_value(bits));
    }
    buf_adds(b, "---\n\n");
}

/* On one line, whatever it holds. */
static void add_title(struct buf *b, const char *name)
{
    buf_adds(b, "# ");
    for (; *name; name++)
        buf_addc(b, (unsigned char)*name < 0x20 ? ' ' : *name);
    buf_adds(b, "\n\n");
}

static void add_shape(struct buf *b, const struct model_card *c)
{
    const struct model_config *m = c->config;
    char n[28];

    buf_printf(b,
               "A Llama-family language model with %s parameters: %lld layers, width %lld, %lld "
               "query and %lld key heads of "
               "width %lld, feed-forward width %lld, %lld vocabulary entries, sequences of %lld "
               "tokens. Weights are %s.\n\n",
               str_count((uint64_t)c->parameters, n), (long long)m->layers, (long long)m->width,
               (long long)m->heads, (long long)m->kv_heads, (long long)m->head_width,
               (long long)m->ff, (long long)m->vocab, (long long)m->context, c->stored);
    buf_adds(b, "```python\nfrom transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
                "tokenizer = AutoTokenizer.from_pretrained(\".\")\nmodel = "
                "AutoModelForCausalLM.from_pretrained(\".\")\n```\n\n");
}

/* A table of an object's scalars; nothing for an empty one. */
static void add_table(struct buf *b, const char *title, const json_t *object)
{
    const char *key;
    json_t *value;

    if (json_object_size(object) == 0)
        return;
    buf_printf(b, "## %s\n\n| | |\n|---|---|\n", title);
    json_object_foreach((json_t *)object, key, value)
    {
        char *text;

        if (json_is_null(value))
            continue;
        text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(6));
        buf_printf(b, "| %s | %s |\n", key, text);
        free(text);
    }
    buf_adds(b, "\n");
}

static void add_origin(struct buf *b, const char *what, const json_t *manifest)
{
    if (manifest != NULL)
        buf_printf(b, "| %s | `%s` |\n", what, artifact_digest(manifest));
}

void model_card_print(struct buf *b, const struct model_card *c)
{
    add_front_matter(b, c);
    add_title(b, c->name);
    add_shape(b, c);
    add_table(b, "Evaluation", c->metrics);
    add_table(b, "Training data", at(c->corpus, "counts"));
    add_table(b, "Training", at(c->checkpoint, "counts"));
    add_table(b, "Training options", at(at(c->checkpoint, "made_by"), "options"));
    buf_adds(b, "## Origin\n\nContent digests (SHA-256) of what this model was made from:\n\n| | "
                "|\n|---|---|\n");
    add_origin(b, "checkpoint", c->checkpoint);
    add_origin(b, "corpus", c->corpus);
    add_origin(b, "evaluation", c->report);
    buf_adds(b,
             "\n## Limits\n\nThe model repeats what its training text is like, errors included.");
    buf_adds(b,
             c->metrics == NULL
                 ? " It was not scored.\n"
                 : " It was scored on held-out documents of the same kind only; nothing is known "
                   "about other text.\n");
}
