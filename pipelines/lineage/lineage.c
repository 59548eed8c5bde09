#include "pipelines/lineage/lineage.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "pipelines/lineage/lineage_index.h"
#include "base/file.h"
#include "base/stop.h"
#include "store/artifact/artifact.h"
#include "store/artifact/manifest.h"
#include "store/tokens/store_history.h"

#define MANIFEST_MOST (256u << 20)

/* ---- manifests ---- */

enum status lineage_manifest(const char *path, json_t **manifest)
{
    struct buf name = { 0 }, text = { 0 };
    json_t *value = NULL;
    struct stat s;
    enum status st;

    buf_printf(&name, "%s/" MANIFEST_NAME, path);
    if (stat(name.p, &s) != 0 || !S_ISREG(s.st_mode))
        st = fail(ST_MISSING, "'%s' is no artifact: it has no " MANIFEST_NAME, path);
    else
        st = file_read(name.p, MANIFEST_MOST, &text);
    if (st == ST_OK)
        st = json_parse(text.p ? text.p : "", text.n, name.p, &value);
    if (st == ST_OK && json_object_get(value, "tundish") == NULL)
        st = fail(ST_MISSING, "'%s' is another program's manifest", name.p);
    else if (st == ST_OK)
        st = manifest_check(name.p, value);
    buf_release(&name);
    buf_release(&text);
    if (st == ST_OK)
        *manifest = value;
    else
        json_decref(value);
    return st;
}

const char *lineage_kind(const struct lineage_node *n) { return json_text(n->manifest, "kind"); }

const char *lineage_stage(const struct lineage_node *n)
{
    return json_text(json_object_get(n->manifest, "made_by"), "stage");
}

enum status lineage_store(const struct lineage_node *n, struct token_store **out)
{
    return n->changed ? token_store_open_then(n->path, n->digest, out) : token_store_open(n->path, out);
}

const json_t *lineage_option(const struct lineage_node *n, const char *name)
{
    return json_object_get(json_object_get(json_object_get(n->manifest, "made_by"), "options"),
                           name);
}

/* ---- nodes ---- */

static enum status add_node(struct lineage *l, const char *digest, const char *said, size_t *place)
{
    const json_t *known = json_object_get(l->by_digest, digest);

    if (known != NULL) {
        *place = (size_t)json_integer_value(known);
        return ST_OK;
    }
    if (l->count == LINEAGE_NODES_MOST)
        return fail(ST_LIMIT, "the chain of '%s' has more than %u artifacts and sources",
                    l->args.path, LINEAGE_NODES_MOST);
    if (l->count == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 32;
        l->nodes = mem_grow(l->nodes, l->cap, sizeof *l->nodes);
    }
    *place = l->count++;
    l->nodes[*place] = (struct lineage_node){
        .state = LINEAGE_MISSING, .said = said ? arena_strdup(&l->arena, said) : NULL
    };
    memcpy(l->nodes[*place].digest, digest, SHA256_HEX);
    json_object_set_new(l->by_digest, digest, json_integer((json_int_t)*place));
    return ST_OK;
}

/* Takes manifest over. */
static void found(struct lineage *l, size_t place, const char *path, json_t *manifest)
{
    l->nodes[place].state = LINEAGE_FOUND;
    l->nodes[place].path = arena_strdup(&l->arena, path);
    l->nodes[place].manifest = manifest;
    l->fresh = mem_grow(l->fresh, l->fresh_count + 1, sizeof *l->fresh);
    l->fresh[l->fresh_count++] = place;
}

/* ---- finding one input ---- */

/* Where it may lie: as recorded, from each folder above the artifact, in a folder to search, beside
 * the artifact. */
struct places {
    const char **v;
    size_t count, outside;       /* the first `outside` may be files from outside, too */
};

/* A name that stands for a folder itself ("", ".", "..") would be every folder above. */
static bool has_name(const char *said)
{
    const char *name = path_base(said);

    return *name != 0 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static struct places places_of(struct lineage *l, const char *from, const char *said)
{
    char *real = realpath(from, NULL), *folder = arena_strdup(&l->arena, real ? real : from), *cut;
    struct places p = { 0 };
    const struct opt_list *search = l->args.search;
    size_t depth = 4;
    const char *beside = NULL;

    free(real);
    for (const char *s = folder; *s; s++)
        depth += *s == '/';
    depth += 2 * (search ? search->count : 0);
    p.v = arena_array(&l->arena, depth, sizeof *p.v);
    p.v[p.count++] = said;
    while (has_name(said) && (cut = strrchr(folder, '/')) != NULL && *folder) {
        *cut = 0;
        if (beside == NULL)
            beside = path_join(&l->arena, *folder ? folder : "/", path_base(said));
        if (*said != '/')
            p.v[p.count++] = path_join(&l->arena, *folder ? folder : "/", said);
    }
    for (size_t i = 0; has_name(said) && search && i < search->count; i++) {
        if (*said != '/')
            p.v[p.count++] = path_join(&l->arena, search->v[i], said);
        p.v[p.count++] = path_join(&l->arena, search->v[i], path_base(said));
    }
    p.outside = p.count;
    if (beside != NULL)
        p.v[p.count++] = beside;
    return p;
}

static void tell_why(struct lineage *l, size_t place, const char *words)
{
    if (l->nodes[place].why == NULL)
        l->nodes[place].why = arena_strdup(&l->arena, words);
}

/* Where the digest stands among those that a token store had before it was changed; their number if it does not. */
static size_t place_before(const json_t *manifest, const char *digest)
{
    const json_t *before = json_object_get(json_object_get(manifest, "inputs"), STORE_HISTORY_INPUT);
    size_t i = 0;

    if (strcmp(json_text(manifest, "kind"), "token-store") != 0)
        return json_array_size(before);
    while (i < json_array_size(before) && strcmp(json_string_value(json_array_get(before, i)), digest) != 0)
        i++;
    return i;
}

static bool had_digest(const json_t *manifest, const char *digest)
{
    const json_t *before = json_object_get(json_object_get(manifest, "inputs"), STORE_HISTORY_INPUT);

    return place_before(manifest, digest) < json_array_size(before);
}

/* Is it the artifact of that digest that lies there, or a token store that had it? */
static bool try_artifact(struct lineage *l, size_t place, const char *path)
{
    json_t *manifest;
    enum status st;

    if (!file_is_folder(path))
        return false;
    st = lineage_manifest(path, &manifest);
    if (st == ST_MISSING)
        return false;
    if (st != ST_OK) {
        tell_why(l, place, fail_message());
        return false;
    }
    if (strcmp(artifact_digest(manifest), l->nodes[place].digest) == 0) {
        found(l, place, path, manifest);
        return true;
    }
    if (had_digest(manifest, l->nodes[place].digest)) {
        found(l, place, path, manifest);
        l->nodes[place].changed = true;
        return true;
    }
    tell_why(l, place,
             arena_printf(&l->arena, "'%s' is now another %s, %.12s", path, json_text(manifest, "kind"),
                          artifact_digest(manifest)));
    json_decref(manifest);
    return false;
}

static bool is_artifact_folder(const char *path)
{
    json_t *manifest;
    enum status st = file_is_folder(path) ? lineage_manifest(path, &manifest) : ST_MISSING;

    if (st == ST_OK)
        json_decref(manifest);
    return st != ST_MISSING;
}

/* The file or folder from outside that lies there: with the content that was read, or (the first
 * of them is kept) with another one. */
static bool try_outside(struct lineage *l, size_t place, const char *path)
{
    struct lineage_node *n = &l->nodes[place];
    char seen[SHA256_HEX] = "";
    bool same;

    if (!file_exists(path) || is_artifact_folder(path))
        return false;
    if (l->args.compare && artifact_digest_path(path, l->args.cache_file, seen) != ST_OK)
        tell_why(l, place, fail_message());
    same = strcmp(seen, n->digest) == 0;
    if (same || n->state == LINEAGE_MISSING) {
        n->state = LINEAGE_OUTSIDE;
        n->path = arena_strdup(&l->arena, path);
        memcpy(n->seen, seen, SHA256_HEX);
    }
    return same;
}

static enum status index_beside(struct lineage *l, const char *path)
{
    char *real = realpath(path, NULL), *cut = real ? strrchr(real, '/') : NULL;
    enum status st = ST_OK;

    if (cut != NULL) {
        *(cut == real ? cut + 1 : cut) = 0;
        st = lineage_index_add(l->index, real, 1);
    }
    free(real);
    return st;
}

/* All that may be searched: beside each artifact that was found, and the folders given. */
static enum status index_all(struct lineage *l)
{
    const struct opt_list *search = l->args.search;

    for (size_t i = 0; search && !l->searched && i < search->count; i++) {
        json_t *manifest;
        enum status st = lineage_manifest(search->v[i], &manifest);

        if (st == ST_OK) { /* the folder of an artifact stands for itself */
            json_decref(manifest);
            TRY(index_beside(l, search->v[i]));
        } else {
            TRY(lineage_index_add(l->index, search->v[i], LINEAGE_SEARCH_DEPTH));
        }
    }
    l->searched = true;
    while (l->fresh_count > 0)
        TRY(index_beside(l, l->nodes[l->fresh[--l->fresh_count]].path));
    return ST_OK;
}

static bool try_index(struct lineage *l, size_t place)
{
    size_t first, n = lineage_index_find(l->index, l->nodes[place].digest, &first);

    for (size_t i = 0; i < n; i++)
        if (try_artifact(l, place, lineage_index_path(l->index, first + i)))
            return true;
    n = lineage_index_users(l->index, l->nodes[place].digest, &first);
    for (size_t i = 0; i < n; i++) {
        const char *path = lineage_index_path(l->index, lineage_index_user(l->index, first + i));
        json_t *manifest = NULL;
        bool had = lineage_manifest(path, &manifest) == ST_OK && had_digest(manifest, l->nodes[place].digest);

        json_decref(manifest);
        if (had && try_artifact(l, place, path))
            return true;
    }
    return false;
}

static enum status resolve(struct lineage *l, size_t place, const char *from, const char *said)
{
    struct places p = said ? places_of(l, from, said) : (struct places){ 0 };

    for (size_t i = 0; i < p.count; i++)
        if (try_artifact(l, place, p.v[i]))
            return ST_OK;
    for (size_t i = 0; l->args.compare && i < p.outside; i++)
        if (try_outside(l, place, p.v[i]))
            return ST_OK;
    TRY(index_all(l));
    if (try_index(l, place))
        return ST_OK;
    for (size_t i = 0; !l->args.compare && i < p.outside; i++)
        if (l->nodes[place].state == LINEAGE_MISSING)
            (void)try_outside(l, place, p.v[i]);
    return ST_OK;
}

/* ---- walking ---- */

static enum status walk_input(struct lineage *l, size_t from, const char *option,
                              const char *digest, const char *said)
{
    size_t before = l->count, place;
    struct lineage_node *n;

    TRY(add_node(l, digest, said, &place));
    n = &l->nodes[from];
    n->inputs[n->count++] = (struct lineage_input){
        arena_strdup(&l->arena, option), said ? arena_strdup(&l->arena, said) : NULL, place
    };
    if (l->count > before || l->nodes[place].state == LINEAGE_MISSING)
        return resolve(l, place, l->nodes[from].path, said);
    return ST_OK;
}

/* How many inputs of an option a node was made from: of a store as it was, not what it was made from later. */
static size_t inputs_of(const struct lineage_node *n, const char *option, const json_t *list)
{
    const json_t *changes = json_object_get(json_object_get(n->manifest, "aside"), "changes");
    size_t before = place_before(n->manifest, n->digest), count = 0;

    if (!n->changed || (strcmp(option, STORE_HISTORY_INPUT) != 0 && strcmp(option, STORE_APPENDED_INPUT) != 0))
        return json_array_size(list);
    if (strcmp(option, STORE_HISTORY_INPUT) == 0)
        return before;
    for (size_t i = 0; i < before; i++)
        count += strcmp(json_text(json_array_get(changes, i), "change"), "append") == 0;
    return count < json_array_size(list) ? count : json_array_size(list);
}

static enum status walk_node(struct lineage *l, size_t at)
{
    json_t *manifest = l->nodes[at].manifest, *list, *item;
    const json_t *paths = json_object_get(json_object_get(manifest, "aside"), "paths");
    const char *option;
    size_t n = 0, i;

    json_object_foreach(json_object_get(manifest, "inputs"), option, list)
        n += json_array_size(list);
    if (n > LINEAGE_NODES_MOST)
        return fail(ST_LIMIT, "'%s' names %zu inputs, want at most %u", l->nodes[at].path, n,
                    LINEAGE_NODES_MOST);
    l->nodes[at].inputs = arena_array(&l->arena, n + 1, sizeof *l->nodes[at].inputs);
    json_object_foreach(json_object_get(manifest, "inputs"), option, list) {
        for (i = 0; i < inputs_of(&l->nodes[at], option, list); i++) {
            item = json_array_get(list, i);
            TRY(walk_input(l, at, option, json_string_value(item),
                           json_string_value(json_array_get(json_object_get(paths, option), i))));
        }
    }
    return stop_requested() ? fail(ST_INTERRUPTED, "stopped") : ST_OK;
}

static enum status walk(struct lineage *l, size_t from)
{
    for (size_t i = from; i < l->count; i++)
        if (l->nodes[i].state == LINEAGE_FOUND && l->nodes[i].inputs == NULL)
            TRY(walk_node(l, i));
    return ST_OK;
}

static enum status begin(struct lineage *l)
{
    json_t *manifest;
    size_t place;

    if (!file_exists(l->args.path))
        return fail(ST_MISSING, "there is no '%s'", l->args.path);
    TRY(lineage_manifest(l->args.path, &manifest));
    TRY(add_node(l, artifact_digest(manifest), NULL, &place));
    found(l, place, l->args.path, manifest);
    if (!l->args.alone)
        TRY(walk(l, 0));
    l->chain = l->count;
    return ST_OK;
}

enum status lineage_open(const struct lineage_args *args, struct lineage **out)
{
    struct lineage *l = mem_alloc(sizeof *l);
    enum status st;

    l->args = *args;
    l->by_digest = json_object();
    l->index = lineage_index_new(args->pool);
    st = begin(l);
    if (st != ST_OK) {
        lineage_free(l);
        return st;
    }
    *out = l;
    return ST_OK;
}

/* What was made from node i, of all that is indexed; each is followed in its turn. */
static enum status add_users(struct lineage *l, size_t i, size_t **queue, size_t *queued)
{
    size_t first, n = lineage_index_users(l->index, l->nodes[i].digest, &first);

    for (size_t k = 0; k < n; k++) {
        size_t user = lineage_index_user(l->index, first + k), place, before = l->count;
        json_t *manifest;

        TRY(add_node(l, lineage_index_digest(l->index, user), NULL, &place));
        if (l->count == before)
            continue;
        if (lineage_manifest(lineage_index_path(l->index, user), &manifest) == ST_OK)
            found(l, place, lineage_index_path(l->index, user), manifest);
        *queue = mem_grow(*queue, *queued + 1, sizeof **queue);
        (*queue)[(*queued)++] = place;
    }
    return ST_OK;
}

enum status lineage_extend(struct lineage *l)
{
    size_t *queue, queued = l->chain;
    enum status st = index_all(l);

    queue = mem_array(queued + 1, sizeof *queue);
    for (size_t i = 0; i < queued; i++)
        queue[i] = i;
    for (size_t i = 0; st == ST_OK && i < queued; i++)
        st = add_users(l, queue[i], &queue, &queued);
    free(queue);
    TRY(st);
    return walk(l, l->chain);
}

void lineage_free(struct lineage *l)
{
    if (l == NULL)
        return;
    for (size_t i = 0; i < l->count; i++)
        json_decref(l->nodes[i].manifest);
    free(l->nodes);
    free(l->fresh);
    json_decref(l->by_digest);
    lineage_index_free(l->index);
    arena_release(&l->arena);
    free(l);
}
