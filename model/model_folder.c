#include "model/model_folder.h"

#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "model/internal.h"
#include "store/artifact/artifact.h"
#include "store/formats/tensors.h"

/* ---- checks ---- */

static enum status check_digests(const char *folder)
{
    json_t *manifest;
    enum status st;

    TRY(artifact_open(folder, NULL, &manifest));
    st = artifact_verify(folder, manifest);
    json_decref(manifest);
    return st;
}

enum status model_folder_check(const char *folder)
{
    struct arena a = { 0 };
    const char *path = path_join(&a, folder, "manifest.json");
    json_t *manifest = NULL;
    enum status st = ST_OK;
    bool ours = false;

    if (!file_is_folder(folder))
        st = fail(ST_MISSING, "there is no model folder '%s'", folder);
    else if (!file_exists(path_join(&a, folder, "config.json")))
        st = fail(ST_MISSING, "'%s' holds no model: it has no config.json", folder);
    else if (file_exists(path)) /* other programs write a manifest.json, too */
        st = json_read_file(path, &manifest);
    ours = json_object_get(manifest, "tundish") != NULL;
    json_decref(manifest);
    arena_release(&a);
    return st == ST_OK && ours ? check_digests(folder) : st;
}

enum status model_folder_check_tokenizer(const char *folder, const char *store)
{
    struct arena a = { 0 };
    char of_model[SHA256_HEX], of_store[SHA256_HEX];
    enum status st = sha256_file(path_join(&a, folder, "tokenizer.json"), of_model, NULL);

    if (st == ST_OK)
        st = sha256_file(path_join(&a, store, "tokenizer.json"), of_store, NULL);
    if (st == ST_OK && strcmp(of_model, of_store) != 0)
        st = fail(ST_CONFIG,
                  "the model '%s' has another tokenizer than the token store '%s' "
                  "(SHA-256 of tokenizer.json: %.12s and %.12s): tokenize with the model's",
                  folder, store, of_model, of_store);
    arena_release(&a);
    return st;
}

/* ---- weights ---- */

struct reader {
    struct arena arena;
    const char *folder;
    const struct params *params;
    bool tied;
    bool *seen; /* [params.count] */
    float *weights;
};

/* Known names that carry no parameter of this model. */
static bool is_harmless(const struct reader *r, const char *name)
{
    return str_ends_with(name, ".rotary_emb.inv_freq") ||
           (r->tied && strcmp(name, "lm_head.weight") == 0);
}

static enum status take_tensor(struct reader *r, const char *path, const struct tensor_entry *e)
{
    const struct param *p = params_find(r->params, e->name);
    bool *seen = p == NULL ? NULL : &r->seen[p - r->params->list];

    if (p == NULL && is_harmless(r, e->name))
        return ST_OK;
    if (p == NULL)
        return fail(ST_FORMAT, "%s: tensor '%s' has no place in this model", path, e->name);
    if (*seen)
        return fail(ST_FORMAT, "%s: tensor '%s' also stands in an earlier file", path, e->name);
    *seen = true;
    return weights_take(e, path, p, r->weights);
}

static enum status read_file(struct reader *r, const char *name)
{
    const char *path = path_join(&r->arena, r->folder, name);
    struct tensor_file *f;
    enum status st = ST_OK;

    TRY(tensors_open(path, &f));
    for (size_t i = 0; i < tensors_count(f) && st == ST_OK; i++)
        st = take_tensor(r, path, tensors_at(f, i));
    tensors_close(f);
    return st;
}

static bool is_listed(const struct file_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->names[i], name) == 0)
            return true;
    return false;
}

/* The files that an index's "weight_map" names, each once. */
static enum status index_files(struct reader *r, const char *path, const json_t *map,
                               struct file_list *out)
{
    const char *tensor;
    json_t *file;

    if (!json_is_object(map))
        return fail(ST_FORMAT, "%s: want an object 'weight_map'", path);
    out->names = arena_array(&r->arena, json_object_size(map) + 1, sizeof *out->names);
    json_object_foreach((json_t *)map, tensor, file)
    {
        const char *name = json_string_value(file);

        if (name == NULL || strchr(name, '/') != NULL || !str_ends_with(name, ".safetensors"))
            return fail(ST_FORMAT, "%s: the file of tensor '%s' is '%s', want a *.safetensors here",
                        path, tensor, name == NULL ? "(no text)" : name);
        if (!is_listed(out, name))
            out->names[out->count++] = arena_strdup(&r->arena, name);
    }
    return ST_OK;
}

static enum status read_index(struct reader *r, const char *path)
{
    struct file_list files = { 0 };
    json_t *index;
    enum status st;

    TRY(json_read_file(path, &index));
    st = index_files(r, path, json_object_get(index, "weight_map"), &files);
    json_decref(index);
    for (size_t i = 0; i < files.count && st == ST_OK; i++)
        st = read_file(r, files.names[i]);
    return st;
}

static enum status read_weights(struct reader *r)
{
    const char *index = path_join(&r->arena, r->folder, "model.safetensors.index.json");

    if (file_exists(path_join(&r->arena, r->folder, "model.safetensors")))
        TRY(read_file(r, "model.safetensors"));
    else if (file_exists(index))
        TRY(read_index(r, index));
    else
        return fail(ST_MISSING,
                    "'%s' holds no weights: it has neither model.safetensors nor "
                    "model.safetensors.index.json",
                    r->folder);
    for (int i = 0; i < r->params->count; i++)
        if (!r->seen[i])
            return fail(ST_FORMAT, "'%s': tensor '%s' is missing", r->folder,
                        r->params->list[i].name);
    return ST_OK;
}

static enum status read_folder(const char *folder, const struct model *m, float *weights)
{
    struct reader r = {
        .folder = folder, .params = &m->params, .tied = m->config.tied, .weights = weights
    };
    enum status st;

    r.seen = arena_array(&r.arena, (size_t)m->params.count, sizeof *r.seen);
    st = read_weights(&r);
    arena_release(&r.arena);
    return st;
}

/* ---- the model ---- */

enum status model_config_load(const char *folder, struct model_config *c)
{
    struct arena a = { 0 };
    const char *path = path_join(&a, folder, "config.json");
    json_t *j = NULL;
    enum status st;

    if (!file_exists(path))
        st = fail(ST_MISSING, "'%s' holds no model: it has no config.json", folder);
    else
        st = json_read_file(path, &j);
    if (st == ST_OK)
        st = model_config_from_json(j, path, c);
    json_decref(j);
    arena_release(&a);
    return st;
}

static enum status upload(struct model *m, const float *host)
{
    struct stream *s;
    enum status st;

    TRY(stream_open(m->device, &s));
    st = stream_upload(s, m->weights, host, (size_t)m->params.elements * sizeof *host);
    if (st == ST_OK)
        st = model_round(m, s, 0, m->params.elements);
    if (st == ST_OK)
        st = stream_wait(s);
    stream_close(s);
    return st;
}

enum status model_load(const char *folder, struct device *d, enum dtype compute, struct model **out)
{
    struct model_config c;
    struct model *m;
    float *host;
    enum status st;

    TRY(model_config_load(folder, &c));
    TRY(model_new(&c, d, compute, &m));
    host = mem_array((size_t)m->params.elements, sizeof *host);
    st = read_folder(folder, m, host);
    if (st == ST_OK)
        st = upload(m, host);
    free(host);
    if (st != ST_OK) {
        model_free(m);
        return st;
    }
    *out = m;
    return ST_OK;
}
