#include "store/store_cmd.h"

#include <errno.h>
#include <stdio.h>

#include "base/file.h"
#include "base/log.h"
#include "base/output.h"
#include "base/progress.h"
#include "base/stop.h"
#include "store/artifact.h"
#include "store/documents.h"
#include "store/manifest.h"
#include "store/store_bench.h"
#include "store/token_format.h"
#include "store/tokens.h"

struct store_options {
    const char *path;
    bool json;
    int part;
    int64_t document, limit;
};
#define S struct store_options
#define ROW_PATH \
    OPT_INPUT(S, path, "artifact", "folder of the artifact", \
              .flags = OPT_REQUIRED | OPT_POSITIONAL)

/* Takes the value over. */
static enum status print_json(json_t *value)
{
    struct buf text = { 0 };

    json_canonical(&text, value);
    json_decref(value);
    buf_addc(&text, '\n');
    fwrite(text.p, 1, text.n, stdout);
    buf_release(&text);
    return output_flush_stream();
}

/* ---- info ---- */

static json_t *describe_part(const struct token_store *s, enum token_part part)
{
    return json_pack("{s:I, s:I, s:I}", "documents", (json_int_t)token_store_documents(s, part),
                     "tokens", (json_int_t)token_store_tokens(s, part), "text_bytes",
                     (json_int_t)token_store_text_bytes(s, part));
}

static enum status describe_tokens(const char *path, json_t *out)
{
    struct token_store *s;
    json_t *tokens;

    TRY(token_store_open(path, &s));
    tokens = json_pack("{s:I, s:i, s:i, s:s}", "shards", (json_int_t)token_store_shards(s), "vocab", (int)token_store_vocab(s), "token_bytes",
                       token_store_width(s), "tokenizer", token_store_tokenizer(s));
    for (int p = 0; p < TOKENS_PARTS; p++)
        json_object_set_new(tokens, token_part_names[p], describe_part(s, (enum token_part)p));
    json_object_set_new(out, "tokens", tokens);
    token_store_close(s);
    return ST_OK;
}

static uint64_t files_bytes(const json_t *files)
{
    const char *name;
    json_t *file;
    uint64_t sum = 0;

    json_object_foreach((json_t *)files, name, file)
        sum += (uint64_t)json_integer_value(json_object_get(file, "bytes"));
    return sum;
}

/* What `store info` says, as JSON: the manifest without its list of files, and
 * what the kind adds. */
static enum status describe(const char *path, json_t **out)
{
    json_t *manifest, *files;
    enum status st = ST_OK;

    TRY(artifact_open(path, NULL, &manifest));
    files = json_object_get(manifest, "files");
    *out = json_deep_copy(manifest);
    json_object_del(*out, "tundish");
    json_object_set_new(*out, "path", json_text_of(path));
    json_object_set_new(*out, "files",
                        json_pack("{s:I, s:I}", "count", (json_int_t)json_object_size(files),
                                  "bytes", (json_int_t)files_bytes(files)));
    if (strcmp(json_string_value(json_object_get(manifest, "kind")), "token-store") == 0)
        st = describe_tokens(path, *out);
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
    json_object_foreach((json_t *)object, key, value) {
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
}

static enum status run_info(struct arena *a, void *cfg)
{
    const struct store_options *o = cfg;
    json_t *info;

    TRY(describe(o->path, &info));
    if (o->json)
        return print_json(info);
    print_info(info);
    json_decref(info);
    return output_flush_stream();
}

static const struct opt info_options[] = {
    ROW_PATH,
    OPT_BOOL(S, json, "json", "false", "one JSON object instead of lines"),
    OPT_END
};

const struct command cmd_store_info = {
    .name = "store info",
    .summary = "what an artifact is, what made it, and from what",
    .details =
        "Reads the manifest of an artifact of any kind; of a token store also its shards.\n\n"
        "  tundish store info corpus\n"
        "  tundish store info --json tokens",
    .opts = info_options,
    .cfg_size = sizeof(struct store_options),
    .run = run_info,
    .benches = store_benches,
};

/* ---- verify ---- */

struct verification {
    const char *path;
    json_t *manifest;
    json_t *damaged;            /* the messages */
    uint64_t files, bytes;
};

static enum status verify_files(struct verification *v)
{
    const json_t *files = json_object_get(v->manifest, "files");
    const char *name;
    json_t *file;

    progress_start("verify", "bytes", files_bytes(files));
    json_object_foreach((json_t *)files, name, file) {
        uint64_t bytes = (uint64_t)json_integer_value(json_object_get(file, "bytes"));
        enum status st = artifact_verify_file(v->path, v->manifest, name);

        if (st == ST_OK || st == ST_INTEGRITY) {
            v->files++;
            v->bytes += bytes;
            progress_add(bytes);
        }
        if (st == ST_INTEGRITY) {
            log_error("%s", fail_message());
            json_array_append_new(v->damaged, json_text_of(fail_message()));
        } else if (st != ST_OK) {
            progress_end();
            return st;
        }
        if (stop_requested()) {
            progress_end();
            return fail(ST_INTERRUPTED, "stopped after %llu files", (unsigned long long)v->files);
        }
    }
    progress_end();
    return ST_OK;
}

/* The manifest does not vouch for them, and no reader of ours looks at them. */
static enum status warn_of_strangers(const struct verification *v, struct arena *a)
{
    const json_t *files = json_object_get(v->manifest, "files");
    struct file_list list;

    TRY(file_list_tree(a, v->path, &list));
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(list.names[i], MANIFEST_NAME) != 0 &&
            json_object_get(files, list.names[i]) == NULL)
            log_warn("'%s/%s' is not in the manifest", v->path, list.names[i]);
    return ST_OK;
}

static enum status verify_tokens(const char *path)
{
    struct token_store *s;
    enum status st;

    TRY(token_store_open(path, &s));
    st = token_store_verify(s);
    token_store_close(s);
    return st;
}

static enum status verify(struct verification *v, struct arena *a)
{
    TRY(verify_files(v));
    TRY(warn_of_strangers(v, a));
    if (json_array_size(v->damaged) == 0 &&
        strcmp(json_string_value(json_object_get(v->manifest, "kind")), "token-store") == 0)
        return verify_tokens(v->path);
    return ST_OK;
}

static enum status report(const struct verification *v, bool json)
{
    size_t damaged = json_array_size(v->damaged);
    char bytes[24], count[28];

    if (json)
        TRY(print_json(json_pack("{s:o, s:b, s:I, s:I, s:O}", "path", json_text_of(v->path), "ok",
                                 damaged == 0, "files", (json_int_t)v->files, "bytes",
                                 (json_int_t)v->bytes, "damaged", v->damaged)));
    else if (damaged == 0)
        printf("%s: %s files, %s: every byte is as it was made\n", v->path,
               str_count(v->files, count), str_bytes(v->bytes, bytes));
    TRY(output_flush_stream());
    if (damaged > 0)
        return fail(ST_INTEGRITY,
                    "%zu of the %llu files of '%s' are damaged; make it again, or restore them",
                    damaged, (unsigned long long)v->files, v->path);
    return ST_OK;
}

static enum status run_verify(struct arena *a, void *cfg)
{
    const struct store_options *o = cfg;
    struct verification v = { .path = o->path };
    enum status st;

    TRY(artifact_open(o->path, NULL, &v.manifest));
    v.damaged = json_array();
    st = verify(&v, a);
    if (st == ST_OK)
        st = report(&v, o->json);
    json_decref(v.damaged);
    json_decref(v.manifest);
    return st;
}

static const struct opt verify_options[] = {
    ROW_PATH,
    OPT_BOOL(S, json, "json", "false", "one JSON object instead of a line"),
    OPT_END
};

const struct command cmd_store_verify = {
    .name = "store verify",
    .summary = "re-hash every file of an artifact",
    .details =
        "Compares every file's SHA-256 with the manifest, "
        "and in a token store every block with its checksum.\n"
        "Ends with status 6 where a byte differs.\n\n"
        "  tundish store verify tokens",
    .opts = verify_options,
    .cfg_size = sizeof(struct store_options),
    .run = run_verify,
};

/* ---- cat ---- */

static enum status cat_documents(const struct store_options *o, struct document_reader *r)
{
    struct buf line = { 0 };
    enum status st = ST_OK;

    for (int64_t i = 0; o->limit == 0 || i - o->document < o->limit; i++) {
        struct document d;
        bool got;

        st = document_reader_next(r, &d, &got);
        if (st != ST_OK || !got || stop_requested())
            break;
        if (i < o->document)
            continue;
        buf_clear(&line);
        document_print(&line, &d);
        if (fwrite(line.p, 1, line.n, stdout) != line.n)
            break;
    }
    buf_release(&line);
    return st;
}

static void print_range(struct buf *line, uint64_t index, const struct token_range *r,
                        const int32_t *tokens)
{
    buf_printf(line, "{\"document\":%llu,\"id\":", (unsigned long long)index);
    json_quote(line, r->id.p, r->id.n);
    buf_adds(line, ",\"source\":");
    json_quote(line, r->source.p, r->source.n);
    buf_printf(line, ",\"first\":%llu,\"tokens\":[", (unsigned long long)r->first);
    for (uint64_t i = 0; i < r->count; i++)
        buf_printf(line, "%s%d", i ? "," : "", tokens[i]);
    buf_adds(line, "]}\n");
}

static enum status cat_range(const struct store_options *o, const struct token_store *s,
                             uint64_t index, struct buf *line)
{
    struct token_range r;
    int32_t *tokens;
    enum status st;

    TRY(token_store_document(s, (enum token_part)o->part, index, &r));
    tokens = mem_array(r.count + 1, sizeof *tokens);
    st = token_store_read(s, (enum token_part)o->part, r.first, r.count, tokens);
    if (st == ST_OK) {
        buf_clear(line);
        print_range(line, index, &r, tokens);
        fwrite(line->p, 1, line->n, stdout);
    }
    free(tokens);
    return st;
}

static enum status cat_tokens(const struct store_options *o)
{
    uint64_t documents, first = (uint64_t)o->document, n;
    struct buf line = { 0 };
    struct token_store *s;
    enum status st = ST_OK;

    TRY(token_store_open(o->path, &s));
    documents = token_store_documents(s, (enum token_part)o->part);
    n = first < documents ? documents - first : 0;
    if (o->limit > 0 && n > (uint64_t)o->limit)
        n = (uint64_t)o->limit;
    for (uint64_t i = 0; st == ST_OK && i < n && !stop_requested() && !ferror(stdout); i++)
        st = cat_range(o, s, first + i, &line);
    buf_release(&line);
    token_store_close(s);
    return st;
}

/* The kind of a finished artifact into kind[64]; "" for a folder or file without a manifest. */
static enum status find_kind(const char *path, struct arena *a, char kind[64])
{
    json_t *manifest;

    kind[0] = 0;
    if (!file_exists(path_join(a, path, MANIFEST_NAME)))
        return ST_OK;
    TRY(artifact_open(path, NULL, &manifest));
    snprintf(kind, 64, "%s", json_string_value(json_object_get(manifest, "kind")));
    json_decref(manifest);
    return ST_OK;
}

static enum status run_cat(struct arena *a, void *cfg)
{
    const struct store_options *o = cfg;
    struct document_reader *r;
    char kind[64];
    enum status st;

    TRY(find_kind(o->path, a, kind));
    if (strcmp(kind, "token-store") == 0) {
        st = cat_tokens(o);
    } else if (*kind && strcmp(kind, "corpus") != 0) {
        return fail(ST_CONFIG, "'%s' is a %s, want a corpus or a token-store", o->path, kind);
    } else {
        TRY(document_reader_open(o->path, &r));
        st = cat_documents(o, r);
        document_reader_close(r);
    }
    TRY(st);
    return stop_requested() ? fail(ST_INTERRUPTED, "stopped in the middle of '%s'", o->path)
                            : output_flush_stream();
}

static const char *const part_words[] = { "train", "validation", NULL };
static const struct opt cat_options[] = {
    OPT_INPUT(S, path, "artifact", "corpus, token store, or one .jsonl[.zst] file",
              .flags = OPT_REQUIRED | OPT_POSITIONAL),
    OPT_CHOICE(S, part, "part", "train", part_words, "which part of a token store"),
    OPT_INT(S, document, "document", "0", 0, 9e15, "number of the first document to print"),
    OPT_INT(S, limit, "limit", "0", 0, 9e15, "how many documents to print; 0: all"),
    OPT_END
};

const struct command cmd_store_cat = {
    .name = "store cat",
    .summary = "print the documents of a corpus or a token store",
    .details =
        "Prints one JSON object a line: of a corpus its documents, "
        "of a token store the token ids of each document.\n\n"
        "  tundish store cat corpus --limit 3\n"
        "  tundish store cat tokens --part validation --document 17 --limit 1",
    .opts = cat_options,
    .cfg_size = sizeof(struct store_options),
    .run = run_cat,
};
#undef S
