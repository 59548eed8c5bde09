#include "pipelines/run/cache.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "pipelines/plan/options.h"
#include "store/artifact/artifact.h"
#include "store/artifact/manifest.h"
#include "store/tokens/store_history.h"

/* ---- the record ---- */

/* The map with a value for the output row, which a command wants and the key does not. */
static void add_output(struct arena *a, const struct opt *table, const char *out, struct yaml *map)
{
    const struct opt *row = options_row_of_type(table, OPT_T_OUTPUT);
    struct yaml **keys = arena_array(a, map->count + 1, sizeof *keys);
    struct yaml **items = arena_array(a, map->count + 1, sizeof *items);

    if (map->count > 0) {
        memcpy(keys, map->keys, map->count * sizeof *keys);
        memcpy(items, map->items, map->count * sizeof *items);
    }
    keys[map->count] = yaml_word(a, "output", row->name);
    items[map->count] = yaml_word(a, "output", out);
    map->keys = keys;
    map->items = items;
    map->count++;
}

enum status stage_config(struct arena *a, const struct plan_stage *s, const char *out, void **cfg)
{
    const struct opt *table = s->command->opts;
    struct yaml with = *s->with;

    add_output(a, table, out, &with);
    *cfg = arena_alloc(a, s->command->cfg_size);
    return opt_from_yaml(table, a, &with, *cfg);
}

/* File names are bytes; JSON wants UTF-8. */
static json_t *name_json(const char *name)
{
    struct buf text = { 0 };
    json_t *value;

    utf8_repair(&text, name, strlen(name));
    value = json_string(text.p);
    buf_release(&text);
    return value;
}

static json_t *value_json(const struct input_value *v)
{
    if (v->digest == NULL)
        return json_null();
    if (v->name == NULL)
        return json_string(v->digest);
    return json_pack("{s:s, s:o}", "digest", v->digest, "name", name_json(v->name));
}

static json_t *inputs_json(const struct plan_stage *s, const struct input_value *values)
{
    json_t *inputs = json_object();

    for (size_t i = 0; i < s->input_count; i++) {
        const char *option = s->inputs[i].row->name;
        if (json_object_get(inputs, option) == NULL)
            json_object_set_new(inputs, option, json_array());
        json_array_append_new(json_object_get(inputs, option), value_json(&values[i]));
    }
    return inputs;
}

enum status key_record(struct arena *a, const struct plan_stage *s,
                       const struct input_value *values, json_t **out)
{
    const struct command *c = s->command;
    const char *numeric_class = NULL;
    void *cfg;

    TRY(stage_config(a, s, "output", &cfg));
    if (c->numeric_class != NULL)
        numeric_class = c->numeric_class(cfg);
    *out = json_pack("{s:s, s:i, s:o, s:o, s:s?}", "kind", c->name, "version", c->stage_version,
                     "options", opt_record(c->opts, cfg), "inputs", inputs_json(s, values),
                     "numeric_class", numeric_class);
    BUG_IF(*out == NULL);
    return ST_OK;
}

void key_of_record(const json_t *record, char key[SHA256_HEX])
{
    struct buf text = { 0 };

    buf_adds(&text, "tundish stage key 1\n");
    json_canonical(&text, record);
    sha256_bytes(text.p, text.n, key);
    buf_release(&text);
}

/* ---- key files ---- */

static const char *key_path(struct arena *a, const char *artifact)
{
    return arena_printf(a, "%s.key", artifact);
}

enum status key_store(struct arena *a, const char *artifact, const char *key, json_t *record)
{
    json_t *file = json_pack("{s:i, s:s, s:O}", "tundish", 1, "key", key, "record", record);
    enum status st;

    BUG_IF(file == NULL);
    st = json_write_new_file(key_path(a, artifact), file);
    json_decref(file);
    return st;
}

json_t *key_load(struct arena *a, const char *artifact, char key[SHA256_HEX])
{
    const char *path = key_path(a, artifact);
    json_t *file = NULL, *record;
    const char *digits;

    if (!file_exists(path) || json_read_file(path, &file) != ST_OK)
        return NULL;
    record = json_object_get(file, "record");
    digits = json_string_value(json_object_get(file, "key"));
    if (json_is_object(record) && digits != NULL && strlen(digits) + 1 == SHA256_HEX) {
        json_incref(record);
        if (key != NULL)
            memcpy(key, digits, SHA256_HEX);
    } else {
        record = NULL;
    }
    json_decref(file);
    return record;
}

/* ---- artifacts ---- */

static bool same_digests(const json_t *wanted, const json_t *read)
{
    const json_t *one;
    size_t i;

    if (json_array_size(wanted) != json_array_size(read))
        return false;
    json_array_foreach((json_t *)(uintptr_t)wanted, i, one)
        if (!json_equal(json_is_object(one) ? json_object_get(one, "digest") : one,
                        json_array_get(read, i)))
            return false;
    return true;
}

/* The option whose inputs its maker did not read as the record says, or NULL. */
static const char *other_input(const json_t *manifest, const json_t *record)
{
    const json_t *read = json_object_get(manifest, "inputs");
    const char *option;
    json_t *wanted;

    json_object_foreach(json_object_get(record, "inputs"), option, wanted)
        if (json_array_size(wanted) > 0
            && !same_digests(wanted, json_object_get(read, option)))
            return option;
    return NULL;
}

/* Does the file begin as key_store() writes one of this key? Saves reading a record that nobody
 * asks for; whatever else it begins with, key_load() decides. */
static bool begins_with_key(struct arena *a, const char *artifact, const char *key)
{
    static const char head[] = "{\n  \"key\": \"";
    char text[sizeof head + SHA256_HEX];
    int fd = open(key_path(a, artifact), O_RDONLY | O_CLOEXEC);
    size_t n = sizeof head - 1 + SHA256_HEX;
    bool same = fd >= 0 && read(fd, text, n) == (ssize_t)n;

    if (fd >= 0)
        close(fd);
    return same && memcmp(text, head, sizeof head - 1) == 0
           && memcmp(text + sizeof head - 1, key, SHA256_HEX - 1) == 0 && text[n - 1] == '"';
}

static bool key_fits(struct arena *a, const char *artifact, const char *key)
{
    char found[SHA256_HEX];
    json_t *record;

    if (begins_with_key(a, artifact, key))
        return true;
    record = key_load(a, artifact, found);

    json_decref(record);
    return record != NULL && strcmp(found, key) == 0;
}

/* A token store that was changed keeps the words of the stage that made it, and says what it was
 * before. It is used as it is: to make it anew would bring back what somebody took out. */
static const char *changed_since(struct arena *a, const json_t *manifest)
{
    const json_t *before = json_object_get(json_object_get(manifest, "inputs"), STORE_HISTORY_INPUT),
                 *changes = json_object_get(json_object_get(manifest, "aside"), "changes"),
                 *last = json_array_get(changes, json_array_size(changes) - 1);
    size_t n = json_array_size(before);

    if (n == 0 || strcmp(json_text(manifest, "kind"), "token-store") != 0)
        return NULL;
    return arena_printf(a, "changed in place (%zu time%s, last by store %.20s, %.20s)", n,
                        n == 1 ? "" : "s", json_text(last, "change"), json_text(last, "created"));
}

const char *cache_changed_since(struct arena *a, const char *artifact)
{
    const char *changed;
    json_t *manifest;

    if (!file_exists(path_join(a, artifact, MANIFEST_NAME)) ||
        artifact_open(artifact, "token-store", &manifest) != ST_OK)
        return NULL;
    changed = changed_since(a, manifest);
    json_decref(manifest);
    return changed;
}

struct cache_look cache_look_at(struct arena *a, const struct cache_question *q)
{
    struct cache_look look = { .state = CACHE_ABSENT };
    json_t *manifest = NULL;
    const char *option;

    if (!file_exists(q->artifact))
        return look;
    if (q->key != NULL && !key_fits(a, q->artifact, q->key)) {
        look.state = CACHE_FOREIGN;
        look.why = "it has no key file, or one of another key";
        return look;
    }
    look.state = CACHE_DAMAGED;
    if (artifact_open(q->artifact, q->kind, &manifest) != ST_OK) {
        look.why = arena_strdup(a, fail_message());
        return look;
    }
    option = q->record != NULL ? other_input(manifest, q->record) : NULL;
    if (option != NULL)
        look.why = arena_printf(a, "what its stage reads (%s) changed while it began", option);
    else
        look.state = CACHE_VALID;
    if (look.state == CACHE_VALID && changed_since(a, manifest) != NULL)
        look.changed = arena_printf(a, "its artifact was %s, and is used as it is now", changed_since(a, manifest));
    snprintf(look.digest, sizeof look.digest, "%s", artifact_digest(manifest));
    json_decref(manifest);
    return look;
}
