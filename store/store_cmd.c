#include "store/store_cmd.h"

#include <errno.h>
#include <stdio.h>

#include "base/file.h"
#include "base/log.h"
#include "base/output.h"
#include "base/progress.h"
#include "base/stop.h"
#include "store/artifact/artifact.h"
#include "store/artifact/manifest.h"
#include "store/documents/documents.h"
#include "store/formats/document_line.h"
#include "store/tokens/token_format.h"
#include "store/tokens/tokens.h"

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
    enum status st = output_json(value);

    json_decref(value);
    return st;
}

/* ---- verify ---- */

struct verification {
    const char *path;
    json_t *manifest;
    json_t *damaged;            /* the messages */
    uint64_t files, bytes;
    char content[SHA256_HEX];   /* token_store_content(); "": no token store, or a damaged one */
};

static enum status verify_files(struct verification *v)
{
    const json_t *files = json_object_get(v->manifest, "files");
    const char *name;
    json_t *file;

    progress_start("verify", "bytes", artifact_bytes(v->manifest));
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

static enum status verify_tokens(struct verification *v)
{
    struct token_store *s;
    enum status st;

    TRY(token_store_open(v->path, &s));
    st = token_store_verify(s);
    if (st == ST_OK)
        st = token_store_content(s, v->content);
    token_store_close(s);
    return st;
}

static enum status verify(struct verification *v, struct arena *a)
{
    TRY(verify_files(v));
    TRY(warn_of_strangers(v, a));
    if (json_array_size(v->damaged) == 0 &&
        strcmp(json_string_value(json_object_get(v->manifest, "kind")), "token-store") == 0)
        return verify_tokens(v);
    return ST_OK;
}

static enum status report(const struct verification *v, bool json)
{
    size_t damaged = json_array_size(v->damaged);
    char bytes[24], count[28];

    if (json)
        TRY(print_json(json_pack("{s:o, s:b, s:I, s:I, s:O, s:s?}", "path", json_text_of(v->path),
                                 "ok", damaged == 0, "files", (json_int_t)v->files, "bytes",
                                 (json_int_t)v->bytes, "damaged", v->damaged, "content",
                                 *v->content ? v->content : NULL)));
    else if (damaged == 0)
        printf("%s: %s files, %s: every byte is as it was made%s%s\n", v->path,
               str_count(v->files, count), str_bytes(v->bytes, bytes),
               *v->content ? "\ncontent: " : "", v->content);
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
        "Of a token store it also tells the content: a hash of its documents, however they are cut "
        "into shards.\n"
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

static enum status cat_tokens(const struct store_options *o)
{
    uint64_t documents, first = (uint64_t)o->document, n;
    struct document_line line = { .part = (enum token_part)o->part };
    struct buf text = { 0 };
    struct token_store *s;
    enum status st = ST_OK;

    TRY(token_store_open(o->path, &s));
    line.store = s;
    documents = token_store_documents(s, (enum token_part)o->part);
    n = first < documents ? documents - first : 0;
    if (o->limit > 0 && n > (uint64_t)o->limit)
        n = (uint64_t)o->limit;
    for (uint64_t i = 0; st == ST_OK && i < n && !stop_requested() && !ferror(stdout); i++) {
        buf_clear(&text);
        st = document_line_add(&line, first + i, &text);
        if (st == ST_OK)
            fwrite(text.p, 1, text.n, stdout);
    }
    document_line_release(&line);
    buf_release(&text);
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
