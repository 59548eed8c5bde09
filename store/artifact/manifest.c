#include "store/artifact/manifest.h"

bool manifest_is_digest(const char *s)
{
    return s && strlen(s) == SHA256_HEX - 1 && strspn(s, "0123456789abcdef") == SHA256_HEX - 1;
}

void manifest_digest(const json_t *manifest, char digest[SHA256_HEX])
{
    json_t *covered = json_object();
    struct buf text = { 0 };

    json_object_set(covered, "kind", json_object_get(manifest, "kind"));
    json_object_set(covered, "files", json_object_get(manifest, "files"));
    json_canonical(&text, covered);
    sha256_bytes(text.p, text.n, digest);
    buf_release(&text);
    json_decref(covered);
}

/* A relative path without "", "." and ".." in it: it cannot lead out of the folder. */
static bool stays_inside(const char *name)
{
    const char *part = name;

    for (const char *p = name;; p++) {
        size_t n = (size_t)(p - part);

        if (*p != '/' && *p != 0)
            continue;
        if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        if (*p == 0)
            return true;
        part = p + 1;
    }
}

static enum status check_digest(const char *what, const json_t *obj, const char *key)
{
    const char *hex;

    TRY(json_get_str(obj, key, what, &hex));
    if (!manifest_is_digest(hex))
        return fail(ST_FORMAT, "%s: '%s' is '%.80s', want 64 lower-case hex digits", what, key,
                    hex);
    return ST_OK;
}

static enum status check_files(const char *what, const json_t *files)
{
    const char *name;
    json_t *file;

    json_object_foreach((json_t *)files, name, file) {
        int64_t bytes;

        if (!stays_inside(name) || strcmp(name, MANIFEST_NAME) == 0)
            return fail(ST_FORMAT, "%s: '%s' is no name of a file in this folder", what, name);
        TRY(json_get_int(file, "bytes", what, &bytes));
        if (bytes < 0)
            return fail(ST_FORMAT, "%s: '%s' has %lld bytes, want 0 or more", what, name,
                        (long long)bytes);
        TRY(check_digest(what, file, "sha256"));
    }
    return ST_OK;
}

static enum status get_object(const char *what, const json_t *obj, const char *key,
                              const json_t **out)
{
    *out = json_object_get(obj, key);
    if (!json_is_object(*out))
        return fail(ST_FORMAT, "%s: '%s' is %s, want an object", what, key,
                    *out ? "something else" : "missing");
    return ST_OK;
}

static enum status check_made_by(const char *what, const json_t *made_by)
{
    const json_t *options, *numeric = json_object_get(made_by, "numeric_class");
    const char *stage;
    int64_t version;

    TRY(json_get_str(made_by, "stage", what, &stage));
    TRY(json_get_int(made_by, "version", what, &version));
    TRY(get_object(what, made_by, "options", &options));
    if (!json_is_null(numeric) && !json_is_string(numeric))
        return fail(ST_FORMAT, "%s: 'numeric_class' must be a text or null", what);
    return ST_OK;
}

static enum status check_inputs(const char *what, const json_t *inputs)
{
    const char *name;
    json_t *list, *item;
    size_t i;

    json_object_foreach((json_t *)inputs, name, list) {
        if (!json_is_array(list))
            return fail(ST_FORMAT, "%s: the input '%s' must be a list of digests", what, name);
        json_array_foreach(list, i, item)
            if (!manifest_is_digest(json_string_value(item)))
                return fail(ST_FORMAT, "%s: item %zu of the input '%s' is no digest", what, i,
                            name);
    }
    return ST_OK;
}

enum status manifest_check(const char *what, const json_t *manifest)
{
    const json_t *files, *made_by, *inputs, *counts, *aside;
    const char *kind;
    char digest[SHA256_HEX];
    int64_t version;

    TRY(json_get_int(manifest, "tundish", what, &version));
    if (version != MANIFEST_VERSION)
        return fail(ST_UNSUPPORTED, "%s: manifest version %lld, this program reads version %d",
                    what, (long long)version, MANIFEST_VERSION);
    TRY(json_get_str(manifest, "kind", what, &kind));
    TRY(check_digest(what, manifest, "digest"));
    TRY(get_object(what, manifest, "files", &files));
    TRY(get_object(what, manifest, "made_by", &made_by));
    TRY(get_object(what, manifest, "inputs", &inputs));
    TRY(get_object(what, manifest, "counts", &counts));
    TRY(get_object(what, manifest, "aside", &aside));
    TRY(check_files(what, files));
    TRY(check_made_by(what, made_by));
    TRY(check_inputs(what, inputs));
    manifest_digest(manifest, digest);
    if (strcmp(digest, json_string_value(json_object_get(manifest, "digest"))) != 0)
        return fail(ST_INTEGRITY,
                    "%s: its digest is %s, but its kind and files give %s: it was changed", what,
                    json_string_value(json_object_get(manifest, "digest")), digest);
    return ST_OK;
}

enum status manifest_parse(const char *what, const char *text, size_t n, json_t **out)
{
    enum status st;

    TRY(json_parse(text, n, what, out));
    st = manifest_check(what, *out);
    if (st != ST_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return st;
}
