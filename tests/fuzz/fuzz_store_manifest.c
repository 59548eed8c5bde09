/* manifest_parse() and a token shard's meta record on any bytes. A manifest's digest is forgotten first, for no fuzzer finds a
 * SHA-256: the value is put right and checked again, so that what lies behind is reached. */
#include <stdlib.h>

#include "store/artifact/artifact.h"
#include "store/artifact/manifest.h"
#include "store/tokens/token_format.h"

static void check_manifest(const char *text, size_t n)
{
    json_t *manifest;
    char digest[SHA256_HEX];

    if (json_parse(text, n, "m", &manifest) != ST_OK)
        return;
    if (json_is_object(manifest) && json_object_get(manifest, "files") && json_object_get(manifest, "kind")) {
        manifest_digest(manifest, digest);
        json_object_set_new(manifest, "digest", json_string(digest));
        if (manifest_check("m", manifest) == ST_OK && !manifest_is_digest(artifact_digest(manifest)))
            abort();
    }
    json_decref(manifest);
}

static void check_meta(const char *text, size_t n)
{
    struct token_shard_meta m, again;
    struct buf printed = { 0 };

    if (token_meta_parse("meta", (struct span){ text, n }, &m) != ST_OK)
        return;
    token_meta_print(&m, &printed);
    if (token_meta_parse("meta", (struct span){ printed.p, printed.n }, &again) != ST_OK || again.parts[0].tokens != m.parts[0].tokens ||
        again.width != m.width || token_block_count(m.parts[0].tokens, m.width) > m.parts[0].tokens)
        abort();
    buf_release(&printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    json_t *manifest;

    if (manifest_parse("m", (const char *)p, n, &manifest) == ST_OK)
        json_decref(manifest);
    check_manifest((const char *)p, n);
    check_meta((const char *)p, n);
    return 0;
}
