#include "pipelines/registry/registry_cmd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/log.h"
#include "base/output.h"
#include "pipelines/registry/registry.h"
#include "store/artifact/artifact.h"

struct registry_cfg {
    const char *model, *report, *to, *note, *out;      /* of promote */
    const char *alias, *version;                       /* of rollback */
    const char *registry;
    bool json, prune, dry_run;
    int64_t keep;
};
#define S struct registry_cfg

/* ---- promote ---- */

static void tell_promotion(const struct registry_cfg *c, const struct promotion *p)
{
    if (!p->changed)
        log_info("%s is version %s already", c->to, p->version);
    else if (p->untold && strcmp(p->before, p->version) == 0)
        log_info("%s stays version %s, of which the history did not tell until now", c->to,
                 p->version);
    else if (strcmp(p->before, p->version) == 0)
        log_info("%s stays version %s, with another report", c->to, p->version);
    else if (p->before[0])
        log_info("%s is version %s now; before it was %s", c->to, p->version, p->before);
    else
        log_info("%s is version %s now, the first one", c->to, p->version);
}

/* Says what was promoted, not whether it had been: the same inputs give the same bytes. */
static enum status write_promotion(const struct registry_cfg *c, const struct promotion *p,
                                   const char *folder, struct arena *a)
{
    json_t *value = json_pack("{s:s, s:s, s:s}", "alias", c->to, "version", p->version, "digest",
                              p->digest);
    enum status st = json_write_file(path_join(a, folder, "promotion.json"), value);

    json_decref(value);
    return st;
}

static enum status run_promote(struct arena *a, void *cfg)
{
    const struct registry_cfg *c = cfg;
    struct artifact *artifact = NULL;
    struct promotion p;
    enum status st;

    if (c->out != NULL)      /* before the work: what cannot be written is known at once */
        TRY(artifact_begin(&cmd_promote, c, c->out, &artifact));
    st = registry_promote(a, &(struct promote_args){ c->model, c->to, c->report, c->note }, &p);
    if (st == ST_OK)
        tell_promotion(c, &p);
    if (st == ST_OK && artifact != NULL)
        st = write_promotion(c, &p, artifact_folder(artifact), a);
    if (st == ST_OK && artifact != NULL)
        return artifact_commit(artifact, NULL);
    artifact_abort(artifact);
    return st;
}

static const struct opt promote_options[] = {
    OPT_INPUT(S, model, "model", "folder of the model, as export writes it",
              .flags = OPT_REQUIRED | OPT_POSITIONAL),
    OPT_STR(S, to, "to", NULL, "where to: a registry's folder and a name in it",
            .flags = OPT_REQUIRED, .value = "REGISTRY/ALIAS"),
    OPT_INPUT(S, report, "report", "its report, as evaluate writes it; later gates compare with it"),
    OPT_STR(S, note, "note", NULL, "a word for the history", .flags = OPT_NEUTRAL),
    OPT_OUTPUT(S, out, "out", "folder for promotion.json: what was promoted; none: not written"),
    OPT_END
};

const struct command cmd_promote = {
    .name = "promote",
    .summary = "put a model under a name that others follow",
    .details =
        "Checks every byte of the model against its manifest, puts it into the registry's folder "
        "(by hard\n"
        "links where it can), and lets the alias lead to it, in one step: who reads "
        "registry/champion finds\n"
        "the old model or the new one. What was there before stays for `tundish rollback`. "
        "Promoting what is\n"
        "under the alias already changes nothing; with another --report it takes that one;\n"
        "without, it keeps the one it had under that alias.\n"
        "\n"
        "  tundish promote model --to registry/champion --report score\n"
        "  tundish serve --model registry/champion\n"
        "\n"
        "As a stage, `uses: promote`, it runs as every stage does: only when its model, report or "
        "`to` is\n"
        "another than in the last run. So a model that was rolled back is not promoted again by a "
        "run in\n"
        "which nothing changed; `tundish run FILE --force STAGE` does that.",
    .opts = promote_options,
    .cfg_size = sizeof(struct registry_cfg),
    .stage_version = 1,
    .makes = "promotion",
    .run = run_promote,
};

/* ---- rollback ---- */

static enum status run_rollback(struct arena *a, void *cfg)
{
    const struct registry_cfg *c = cfg;
    struct promotion p;

    TRY(registry_rollback(a, &(struct rollback_args){ c->alias, c->version, c->note }, &p));
    if (p.untold && strcmp(p.before, p.version) == 0)
        log_info("%s stays version %s, of which the history did not tell until now", c->alias,
                 p.version);
    else if (p.changed)
        log_info("%s is version %s again; before it was %s", c->alias, p.version, p.before);
    else
        log_info("%s is version %s already", c->alias, p.version);
    return ST_OK;
}

static const struct opt rollback_options[] = {
    OPT_STR(S, alias, "alias", NULL, "the name to roll back", .value = "REGISTRY/ALIAS",
            .flags = OPT_REQUIRED | OPT_POSITIONAL),
    OPT_STR(S, version, "to", NULL, "a version that it had; none: the one before",
            .value = "VERSION"),
    OPT_STR(S, note, "note", NULL, "a word for the history"),
    OPT_END
};

const struct command cmd_rollback = {
    .name = "rollback",
    .summary = "let a registry's name lead to the model that it led to before",
    .details =
        "Goes one step back in the alias's history, as undo does: a second rollback goes one "
        "further. A\n"
        "model that was rolled back and one promoted after it: a rollback then leads to the one "
        "before both.\n"
        "With --to it may be any version the alias ever had, a later one too.\n"
        "\n"
        "  tundish rollback registry/champion --note \"refuses to answer\"\n"
        "  tundish rollback registry/champion --to 3f2a9c0d11e8b746",
    .opts = rollback_options,
    .cfg_size = sizeof(struct registry_cfg),
    .run = run_rollback,
};

/* ---- registry ---- */

static const char *text_of(const json_t *object, const char *key, const char *without)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : without;
}

/* "2026-01-31 08:00:00" in local time. */
static const char *when(const json_t *t, char text[32])
{
    time_t seconds = (time_t)json_number_value(t);
    struct tm local;

    if (!json_is_number(t) || localtime_r(&seconds, &local) == NULL ||
        strftime(text, 32, "%Y-%m-%d %H:%M:%S", &local) == 0)
        return "?";
    return text;
}

static void print_aliases(const json_t *aliases)
{
    const json_t *alias;
    char text[32];
    size_t i;

    printf("%-16s  %-16s  %-19s  %-6s  %s\n", "alias", "version", "since", "report", "by");
    json_array_foreach((json_t *)aliases, i, alias)
        printf("%-16s  %-16s  %-19s  %-6s  %s\n", text_of(alias, "alias", "?"),
               text_of(alias, "version", "?"), when(json_object_get(alias, "since"), text),
               json_is_true(json_object_get(alias, "report")) ? "yes" : "none",
               text_of(alias, "by", "?"));
}

static void print_versions(const json_t *versions)
{
    const json_t *version, *alias;
    char bytes[24];
    size_t i, k;

    printf("\n%-16s  %10s  %-6s  %s\n", "version", "size", "report", "under");
    json_array_foreach((json_t *)versions, i, version) {
        printf("%-16s  %10s  %-6s  ", text_of(version, "version", "?"),
               str_bytes((uint64_t)json_integer_value(json_object_get(version, "bytes")), bytes),
               json_is_true(json_object_get(version, "report")) ? "yes" : "none");
        if (json_is_null(json_object_get(version, "digest")))
            printf("damaged ");
        json_array_foreach(json_object_get(version, "aliases"), k, alias)
            printf("%s%s", k ? ", " : "", json_string_value(alias));
        printf("\n");
    }
}

/* Notes are anyone's words: as JSON they cannot steer the terminal. */
static void print_history(const json_t *history)
{
    const json_t *event;
    char text[32];
    size_t i;

    printf("\n%-19s  %-8s  %-16s  %-16s  %-16s  %s\n", "when", "what", "alias", "version", "before",
           "by, note");
    json_array_foreach((json_t *)history, i, event) {
        const char *note = text_of(event, "note", ""), *by = text_of(event, "by", "");
        struct buf quoted = { 0 };

        json_quote(&quoted, by, strlen(by));
        if (*note) {
            buf_addc(&quoted, ' ');
            json_quote(&quoted, note, strlen(note));
        }
        printf("%-19s  %-8s  %-16s  %-16s  %-16s  %s\n", when(json_object_get(event, "t"), text),
               text_of(event, "event", "?"), text_of(event, "alias", "?"),
               text_of(event, "version", "?"), text_of(event, "before", "none"), quoted.p);
        buf_release(&quoted);
    }
}

static enum status print_registry(struct arena *a, const struct registry_cfg *c)
{
    json_t *whole, *alias;
    enum status st;
    size_t i;

    TRY(registry_json(a, c->registry, &whole));
    if (c->json) {
        st = output_json(whole);
    } else {
        print_aliases(json_object_get(whole, "aliases"));
        print_versions(json_object_get(whole, "versions"));
        print_history(json_object_get(whole, "history"));
        st = output_flush();
    }
    json_array_foreach(json_object_get(whole, "apart"), i, alias)
        log_warn("%s/%s leads elsewhere than its history says; promote or rollback it to make them "
                 "agree", c->registry, json_string_value(alias));
    json_array_foreach(json_object_get(whole, "pending"), i, alias)
        log_warn("%s/%s: its last event is not carried out; the next promote, rollback or prune "
                 "does it", c->registry, json_string_value(alias));
    json_decref(whole);
    return st;
}

static enum status print_pruned(const struct registry_cfg *c, const struct prune_result *p)
{
    char freed[24], shared[24];

    if (c->json) {
        json_t *value = json_pack("{s:I, s:I, s:I, s:I, s:b}", "removed", (json_int_t)p->removed,
                                  "in_use", (json_int_t)p->in_use, "freed_bytes",
                                  (json_int_t)p->freed, "shared_bytes", (json_int_t)p->shared,
                                  "dry_run", c->dry_run);
        enum status st = output_json(value);

        json_decref(value);
        return st;
    }
    printf("%s: %lld versions %s, %s freed (%s go on elsewhere as hard links)%s\n", c->registry,
           p->removed, c->dry_run ? "would be removed" : "removed", str_bytes(p->freed, freed),
           str_bytes(p->shared, shared), p->in_use ? "; some are in use" : "");
    return output_flush();
}

static enum status run_registry(struct arena *a, void *cfg)
{
    const struct registry_cfg *c = cfg;
    struct prune_result pruned;

    if (!c->prune) {
        if (c->dry_run)
            return fail(ST_USAGE, "--dry-run is a word of --prune");
        return print_registry(a, c);
    }
    TRY(registry_prune(a, &(struct prune_args){ c->registry, c->keep, c->dry_run }, &pruned));
    return print_pruned(c, &pruned);
}

static const struct opt registry_options[] = {
    OPT_STR(S, registry, "registry", NULL, "the registry's folder", .value = "REGISTRY",
            .flags = OPT_REQUIRED | OPT_POSITIONAL),
    OPT_BOOL(S, json, "json", "false", "one JSON object instead of tables"),
    OPT_BOOL(S, prune, "prune", "false", "remove the versions that nothing refers to"),
    OPT_INT(S, keep, "keep", "5", 0, 1e6,
            "entries of each alias's history whose versions --prune leaves"),
    OPT_BOOL(S, dry_run, "dry-run", "false", "only say what --prune would remove"),
    OPT_END
};

const struct command cmd_registry = {
    .name = "registry",
    .summary = "what is promoted, since when and by whom; remove what is not needed any more",
    .details =
        "Lists the aliases, the versions and the history. Changes nothing, but with --prune: that "
        "removes the\n"
        "versions that no alias leads to, none of the last --keep entries of an alias's history "
        "names, and\n"
        "no next rollback would need. One that a server has open stays.\n"
        "\n"
        "  tundish registry registry\n"
        "  tundish registry registry --prune --keep 2 --dry-run",
    .opts = registry_options,
    .cfg_size = sizeof(struct registry_cfg),
    .run = run_registry,
};
#undef S
