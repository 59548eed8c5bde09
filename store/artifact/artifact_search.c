#include "store/artifact/artifact_search.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "store/artifact/artifact.h"
#include "store/artifact/manifest.h"

enum status artifact_search_at(struct artifact_search *s, const char *path, bool *found)
{
    json_t *manifest;

    *found = false;
    if (!file_exists(path_join(s->arena, path, MANIFEST_NAME)))
        return ST_OK;
    TRY(artifact_open(path, NULL, &manifest));
    *found = strcmp(artifact_digest(manifest), s->digest) == 0 ||
             (s->also && s->also(manifest, s->digest));
    if (!*found) {
        s->seen = arena_strdup(s->arena, path);
        snprintf(s->seen_digest, sizeof s->seen_digest, "%s", artifact_digest(manifest));
    }
    json_decref(manifest);
    return ST_OK;
}

static bool is_at(struct artifact_search *s, const char *path)
{
    bool found;

    if (artifact_search_at(s, path, &found) == ST_OK)
        return found;
    log_warn("passed over: %s", fail_message());
    return false;
}

enum status artifact_search_in(struct artifact_search *s, const char *folder, const char **path)
{
    struct dirent **names;
    int count;

    *path = is_at(s, folder) ? folder : NULL;
    if (*path)
        return ST_OK;
    count = scandir(folder, &names, NULL, alphasort);
    if (count < 0)
        return fail_errno(ST_IO, "cannot read the folder '%s'", folder);
    for (int i = 0; i < count; i++) {
        const char *below = path_join(s->arena, folder, names[i]->d_name);

        if (*path == NULL && names[i]->d_name[0] != '.' && is_at(s, below))
            *path = below;
        free(names[i]);
    }
    free(names);
    return ST_OK;
}
