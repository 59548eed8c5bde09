/* store info: what an artifact is. */
#include <stdio.h>

#include "base/log.h"
#include "base/output.h"
#include "base/pool.h"
#include "store/artifact/artifact.h"
#include "store/change/store_names.h"
#include "store/store_bench.h"
#include "store/store_cmd.h"
#include "store/tokens/store_history.h"
#include "store/tokens/token_format.h"

struct info_options {
    const char *path;
    bool json;
    int64_t top;
};
#define S struct info_options

static const char *const name_kinds[STORE_NAME_KINDS] = { "sources", "languages" };

static json_t *describe_part(const struct token_store *s, enum token_part part)
{
    return json_pack("{s:I, s:I, s:I}", "documents", (json_int_t)token_store_documents(s, part),
                     "tokens", (json_int_t)token_store_tokens(s, part), "text_bytes",
                     (json_int_t)token_store_text_bytes(s, part));
}

static json_t *name_text(struct span name)
{
    struct buf text = { 0 };
    json_t *value;

    utf8_repair(&text, name.n ? name.p : "", name.n);
    value = json_stringn(text.p ? text.p : "", text.n);
    buf_release(&text);
    return value;
}

/* The largest so many of them, and how many there are. */
static json_t *describe_names(const struct store_names *names, int64_t top)
{
    json_t *largest = json_array();

    for (size_t i = 0; i < names->count && i < (uint64_t)top; i++)
        json_array_append_new(largest,
                              json_pack("{s:o, s:I, s:I}", "name", name_text(names->v[i].name),
                                        "documents", (json_int_t)names->v[i].documents, "tokens",
                                        (json_int_t)names->v[i].tokens));
    return json_pack("{s:I, s:o}", "count", (json_int_t)names->count, "largest", largest);
}

static enum status describe_all_names(const struct token_store *s, int64_t top, json_t *out)
{
    struct store_names names[STORE_NAME_KINDS] = { { 0 } };
    struct pool *pool = pool_new(0);
    enum status st = store_names_count(s, pool, names);

    for (int kind = 0; st == ST_OK && kind < STORE_NAME_KINDS; kind++)
        json_object_set_new(out, name_kinds[kind], describe_names(&names[kind], top));
    store_names_release(names);
    pool_free(pool);
    return st;
}

static enum status describe_tokens(const struct info_options *o, json_t *out)
{
    struct token_store *s;
    json_t *tokens;
    enum status st = ST_OK;

    TRY(token_store_open(o->path, &s));
    tokens = json_pack("{s:I, s:I, s:i, s:s}", "shards", (json_int_t)token_store_shards(s), "vocab",
                       (json_int_t)token_store_vocab(s), "token_bytes", token_store_width(s),
                       "tokenizer", token_store_tokenizer(s));
    for (int p = 0; p < TOKENS_PARTS; p++)
        json_object_set_new(tokens, token_part_names[p], describe_part(s, (enum token_part)p));
    if (o->top > 0)
        st = describe_all_names(s, o->top, tokens);
    json_object_set_new(out, "tokens", tokens);
    token_store_close(s);
    return st;
}

/* ---- the changes that it has been through ---- */

static json_t *describe_change(const json_t *change, const json_t *aside)
{
    const json_t *removed = json_object_get(change, "removed"),
                 *appended = json_object_get(change, "appended");
    json_t *when = json_object(), *document, *out;
    json_int_t documents = 0, tokens = 0;
    size_t i;

    json_array_foreach(
        (json_t *)(uintptr_t)aside, i,
        document) if (strcmp(json_text(document, "before"), json_text(change, "before")) == 0)
        json_object_update(when, document);
    json_array_foreach((json_t *)(uintptr_t)removed, i, document)
    {
        documents++;
        tokens += json_integer_value(json_object_get(document, "tokens"));
    }
    for (int p = 0; p < TOKENS_PARTS; p++) {
        const json_t *part = json_object_get(appended, token_part_names[p]);

        documents += json_integer_value(json_object_get(part, "documents"));
        tokens += json_integer_value(json_object_get(part, "tokens"));
    }
    out =
        json_pack("{s:s, s:s, s:I, s:I, s:I, s:o}", "change", json_text(change, "change"), "before",
                  json_text(change, "before"), "documents", documents, "tokens", tokens, "shards",
                  (json_int_t)json_array_size(json_object_get(change, "shards")), "when", when);
    BUG_IF(out == NULL);
    return out;
}

static enum status describe_history(const char *path, const json_t *manifest, json_t *out)
{
    const json_t *aside = json_object_get(json_object_get(manifest, "aside"), "changes");
    json_t *history, *change, *changes = json_array();
    enum status st = store_history_read(path, manifest, &history);
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)store_history_changes(history), i, change)
        json_array_append_new(changes, describe_change(change, aside));
    json_object_set_new(out, "changes", changes);
    json_decref(history);
    return st;
}

/* What `store info` says, as JSON: the manifest without its list of files, and
 * what the kind adds. */
static enum status describe(const struct info_options *o, json_t **out)
{
    const char *path = o->path;
    json_t *manifest, *files;
    enum status st = ST_OK;

    TRY(artifact_open(path, NULL, &manifest));
    files = json_object_get(manifest, "files");
    *out = json_deep_copy(manifest);
    json_object_del(*out, "tundish");
    json_object_set_new(*out, "path", json_text_of(path));
    json_object_set_new(*out, "files",
                        json_pack("{s:I, s:I}", "count", (json_int_t)json_object_size(files),
                                  "bytes", (json_int_t)artifact_bytes(manifest)));
    if (strcmp(json_string_value(json_object_get(manifest, "kind")), "token-store") == 0)
        st = describe_tokens(o, *out);
    if (st == ST_OK && json_object_get(*out, "tokens"))
        st = describe_history(path, manifest, *out);
    json_decref(manifest);
    if (st != ST_OK)
        json_decref(*out);
    return st;
}

/* "documents 12,345; tokens 1,234": the integers of an object, and what is nested in it as JSON. */
static void print_members(const char *label, const json_t *object)
{
    const char *key, *between = "";
    json_t *value;

    printf("%-11s ", label);
    json_object_foreach((json_t *)object, key, value)
    {
        struct buf text = { 0 };
        char digits[28];

        if (json_is_integer(value) && json_integer_value(value) >= 0)
            buf_adds(&text, str_count((uint64_t)json_integer_value(value), digits));
        else
            json_canonical(&text, value);
        printf("%s%s %s", between, key, text.p);
        between = "; ";
        buf_release(&text);
    }
    printf("%s\n", *between ? "" : "none");
}

static void print_names(const json_t *tokens, const char *kind)
{
    const json_t *names = json_object_get(tokens, kind);
    uint64_t all = (uint64_t)json_integer_value(json_object_get(names, "count"));
    char a[28], b[28];
    json_t *name;
    size_t i;

    if (names == NULL ||
        (all == 1 && *json_text(json_array_get(json_object_get(names, "largest"), 0), "name") == 0))
        return;
    json_array_foreach(json_object_get(names, "largest"), i, name)
    {
        struct buf plain = { 0 };

        log_add_plain(&plain, json_text(name, "name"));
        printf("%-11s %s: %s documents, %s tokens\n", i == 0 ? kind : "",
               plain.n ? plain.p : "(not said)",
               str_count((uint64_t)json_integer_value(json_object_get(name, "documents")), a),
               str_count((uint64_t)json_integer_value(json_object_get(name, "tokens")), b));
        buf_release(&plain);
    }
    if (all > i)
        printf("%-11s and %s more\n", "", str_count(all - i, a));
}

static void print_tokens(const json_t *tokens)
{
    printf("%-11s %" JSON_INTEGER_FORMAT "\n", "shards",
           json_integer_value(json_object_get(tokens, "shards")));
    printf("%-11s %" JSON_INTEGER_FORMAT " entries, %" JSON_INTEGER_FORMAT
           " bytes a token, tokenizer %.16s\n",
           "vocabulary", json_integer_value(json_object_get(tokens, "vocab")),
           json_integer_value(json_object_get(tokens, "token_bytes")),
           json_string_value(json_object_get(tokens, "tokenizer")));
    for (int p = 0; p < TOKENS_PARTS; p++)
        print_members(token_part_names[p], json_object_get(tokens, token_part_names[p]));
    for (int kind = 0; kind < STORE_NAME_KINDS; kind++)
        print_names(tokens, name_kinds[kind]);
}

static void print_changes(const json_t *changes)
{
    char documents[28], tokens[28];
    json_t *change;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)changes, i, change)
    {
        const char *created = json_text(json_object_get(change, "when"), "created");
        bool removed = strcmp(json_text(change, "change"), "remove") == 0;

        printf("%-11s %s: %s %s documents, %s tokens; %" JSON_INTEGER_FORMAT
               " shards %s; digest before %.16s\n",
               i == 0 ? "changed" : "", *created ? created : "?", removed ? "removed" : "appended",
               str_count((uint64_t)json_integer_value(json_object_get(change, "documents")),
                         documents),
               str_count((uint64_t)json_integer_value(json_object_get(change, "tokens")), tokens),
               json_integer_value(json_object_get(change, "shards")),
               removed ? "written anew" : "came", json_text(change, "before"));
    }
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "?";
}

static void print_info(const json_t *info)
{
    const json_t *files = json_object_get(info, "files"),
                 *made_by = json_object_get(info, "made_by"),
                 *aside = json_object_get(info, "aside"),
                 *numeric = json_object_get(made_by, "numeric_class"),
                 *tokens = json_object_get(info, "tokens");
    char bytes[24], count[28];

    printf("%-11s %s\n%-11s %s\n", text_of(info, "kind"), text_of(info, "path"), "digest",
           text_of(info, "digest"));
    printf("%-11s %s in %s\n", "files",
           str_count((uint64_t)json_integer_value(json_object_get(files, "count")), count),
           str_bytes((uint64_t)json_integer_value(json_object_get(files, "bytes")), bytes));
    printf("%-11s %s, version %" JSON_INTEGER_FORMAT "%s%s\n", "made by", text_of(made_by, "stage"),
           json_integer_value(json_object_get(made_by, "version")),
           json_is_string(numeric) ? ", " : "",
           json_is_string(numeric) ? json_string_value(numeric) : "");
    print_members("options", json_object_get(made_by, "options"));
    print_members("from", json_object_get(info, "inputs"));
    print_members("counts", json_object_get(info, "counts"));
    if (tokens)
        print_tokens(tokens);
    printf("%-11s %s, on %s, by version %s, in %.1f s\n", "created", text_of(aside, "created"),
           text_of(aside, "host"), text_of(aside, "program"),
           json_number_value(json_object_get(aside, "seconds")));
    print_changes(json_object_get(info, "changes"));
}

static enum status run_info(struct arena *a, void *cfg)
{
    const struct info_options *o = cfg;
    json_t *info;
    enum status st;

    (void)a;
    TRY(describe(o, &info));
    if (o->json) {
        st = output_json(info);
        json_decref(info);
        return st;
    }
    print_info(info);
    json_decref(info);
    return output_flush_stream();
}

static const struct opt options[] = { OPT_INPUT(S, path, "artifact", "folder of the artifact",
                                                .flags = OPT_REQUIRED | OPT_POSITIONAL),
                                      OPT_BOOL(S, json, "json", "false",
                                               "one JSON object instead of lines"),
                                      OPT_INT(S, top, "top", "10", 0, 1e9,
                                              "how many sources and languages of a token store to "
                                              "show; 0: none, and no pass over its documents"),
                                      OPT_END };

const struct command cmd_store_info = {
    .name = "store info",
    .summary = "what an artifact is, what made it, and from what",
    .details = "Reads the manifest of an artifact of any kind; of a token store also its shards, "
               "the largest sources and languages, and the changes since it was made.\n\n"
               "  tundish store info corpus\n"
               "  tundish store info --json tokens",
    .opts = options,
    .cfg_size = sizeof(struct info_options),
    .run = run_info,
    .benches = store_benches,
};
#undef S
