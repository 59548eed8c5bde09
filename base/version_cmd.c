#include "base/version_cmd.h"

#include <stdio.h>
#include <string.h>

#include "base/platform.h"
#include "base/str.h"

struct version_cfg {
    bool json;
};

static const struct opt options[] = {
    OPT_BOOL(struct version_cfg, json, "json", "false", "one JSON object instead of lines"),
    OPT_END
};

/* What the build found, one "name\ttext\n" a part (cmake/parts.cmake). */
static const char parts_text[] = TUNDISH_PARTS;

/* Steps through parts_text; false at the end. */
static bool next_part(const char **at, struct span *name, struct span *text)
{
    const char *tab = strchr(*at, '\t'), *end = strchr(*at, '\n');

    if (tab == NULL || end == NULL || end < tab)
        return false;
    *name = (struct span){ *at, (size_t)(tab - *at) };
    *text = (struct span){ tab + 1, (size_t)(end - tab - 1) };
    *at = end + 1;
    return true;
}

static const struct feature {
    const char *name;
    size_t offset;
} features[] = {
    { "avx2", offsetof(struct cpu_features, avx2) },
    { "avx512", offsetof(struct cpu_features, avx512) },
    { "avx512_bf16", offsetof(struct cpu_features, avx512_bf16) },
    { "avx512_vnni", offsetof(struct cpu_features, avx512_vnni) },
};
#define FEATURES (sizeof features / sizeof *features)

static bool has_feature(size_t i)
{
    return *(const bool *)((const char *)cpu_features() + features[i].offset);
}

/* clang writes its name into __VERSION__, GCC only digits. */
static const char *compiler_name(void)
{
    return strspn(__VERSION__, "0123456789.") > 0 ? "gcc " __VERSION__ : __VERSION__;
}

static void print_lines(void)
{
    const char *at = parts_text;
    struct span name, text;

    printf("tundish %s\n", TUNDISH_VERSION);
    printf("%-12s%s\n", "compiler", compiler_name());
    printf("%-12s%d usable", "processors", cpu_count());
    for (size_t i = 0; i < FEATURES; i++)
        if (has_feature(i))
            printf(", %s", features[i].name);
    putchar('\n');
    while (next_part(&at, &name, &text))
        printf("%-12.*s%.*s\n", (int)name.n, name.p, (int)text.n, text.p);
}

static json_t *parts_json(void)
{
    json_t *parts = json_object();
    const char *at = parts_text;
    struct span name, text;

    while (next_part(&at, &name, &text))
        json_object_setn_new(parts, name.p, name.n, json_stringn(text.p, text.n));
    return parts;
}

static enum status print_json(void)
{
    json_t *names = json_array(), *all;
    struct buf text = { 0 };

    for (size_t i = 0; i < FEATURES; i++)
        if (has_feature(i))
            json_array_append_new(names, json_string(features[i].name));
    all = json_pack("{ss ss si so so}", "version", TUNDISH_VERSION, "compiler", compiler_name(),
                    "processors", cpu_count(), "cpu", names, "parts", parts_json());
    BUG_IF(all == NULL);
    json_canonical(&text, all);
    printf("%s\n", text.p);
    buf_release(&text);
    json_decref(all);
    return ST_OK;
}

static enum status run(struct arena *a, void *cfg)
{
    const struct version_cfg *c = cfg;

    if (c->json)
        return print_json();
    print_lines();
    return ST_OK;
}

const struct command cmd_version = {
    .name = "version",
    .summary = "version, compiler, processor and the parts that are built in",
    .details = "example:\n  tundish version --json",
    .opts = options,
    .cfg_size = sizeof(struct version_cfg),
    .run = run,
};
