#include "pipelines/plan/schema_cmd.h"

#include <stdio.h>

#include "base/output.h"
#include "pipelines/plan/schema.h"

struct schema_cfg {
    bool site;
};

static const struct opt options[] = { OPT_BOOL(struct schema_cfg, site, "site", "false",
                                               "the schema of site profiles instead"),
                                      OPT_END };

static enum status run(struct arena *a, void *cfg)
{
    const struct schema_cfg *c = cfg;
    json_t *schema = c->site ? schema_of_site(command_all()) : schema_of_pipeline(command_all());

    (void)a;
    (void)json_dumpf(schema, stdout, JSON_INDENT(1));      /* stdio remembers a failure */
    (void)putchar('\n');
    json_decref(schema);
    return output_flush();
}

const struct command cmd_schema = {
    .name = "schema",
    .summary = "print the JSON Schema of pipeline files, for editors",
    .details =
        "With it an editor proposes keys and options, shows their help, and marks what is wrong.\n"
        "It is made from this program's own options, so make it anew with a new version.\n"
        "\n"
        "  tundish schema >tundish.schema.json\n"
        "\n"
        "and, as the first line of a pipeline file, for yaml-language-server:\n"
        "\n"
        "  # yaml-language-server: $schema=tundish.schema.json",
    .opts = options,
    .cfg_size = sizeof(struct schema_cfg),
    .run = run,
};
