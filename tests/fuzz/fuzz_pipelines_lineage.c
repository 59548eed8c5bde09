/* Any manifest that passes the checks is printed in each form; its digest is put right first, for no fuzzer finds a SHA-256. */
#include <stdlib.h>
#include <string.h>

#include "pipelines/lineage/lineage_print.h"
#include "store/artifact/manifest.h"

static void print(json_t *manifest)
{
    struct lineage_node nodes[2] = { { .state = LINEAGE_FOUND, .path = "m", .manifest = manifest },
                                     { .state = LINEAGE_MISSING, .digest = "00", .said = "\x1b\xff" } };
    struct lineage_input input = { "in", NULL, 1 };
    struct lineage l = { .nodes = nodes, .count = 2, .args = { .path = "m" } };
    struct buf out = { 0 };
    json_t *value, *again;

    nodes[0].inputs = &input;
    nodes[0].count = 1;
    memcpy(nodes[0].digest, json_string_value(json_object_get(manifest, "digest")), SHA256_HEX);
    lineage_text(&l, &out);
    if (memchr(out.p, 0x1b, out.n))
        abort();
    openlineage_print(&l, &out);
    (void)(croissant_print(&l, &out) == ST_OK);
    buf_clear(&out);
    value = lineage_json(&l);
    json_canonical(&out, value);
    if (json_parse(out.p, out.n, "own words", &again) != ST_OK)
        abort();
    json_decref(again);
    json_decref(value);
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    json_t *manifest;
    char digest[SHA256_HEX];

    if (json_parse((const char *)p, n, "m", &manifest) != ST_OK)
        return 0;
    if (json_is_object(manifest) && json_object_get(manifest, "files") && json_object_get(manifest, "kind")) {
        manifest_digest(manifest, digest);
        json_object_set_new(manifest, "digest", json_string(digest));
        if (manifest_check("m", manifest) == ST_OK)
            print(manifest);
    }
    json_decref(manifest);
    return 0;
}
