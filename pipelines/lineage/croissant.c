/* A corpus as Croissant 1.1 (http://mlcommons.org/croissant/1.1): JSON-LD on schema.org, with W3C
 * PROV for what it was made from. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "pipelines/lineage/lineage_print.h"

#define SHARDS "shards"      /* @id of the file set */

/* The words of the context that the specification gives, and PROV's. */
static const char context[] =
    "{\"@language\":\"en\",\"@vocab\":\"https://schema.org/\",\"arrayShape\":\"cr:arrayShape\","
    "\"citeAs\":\"cr:citeAs\",\"column\":\"cr:column\",\"conformsTo\":\"dct:conformsTo\","
    "\"containedIn\":\"cr:containedIn\",\"cr\":\"http://mlcommons.org/croissant/\","
    "\"rai\":\"http://mlcommons.org/croissant/RAI/\","
    "\"data\":{\"@id\":\"cr:data\",\"@type\":\"@json\"},"
    "\"dataType\":{\"@id\":\"cr:dataType\",\"@type\":\"@vocab\"},"
    "\"dct\":\"http://purl.org/dc/terms/\",\"description\":{\"@container\":\"@language\"},"
    "\"equivalentProperty\":\"cr:equivalentProperty\","
    "\"examples\":{\"@id\":\"cr:examples\",\"@type\":\"@json\"},\"extract\":\"cr:extract\","
    "\"field\":\"cr:field\",\"fileProperty\":\"cr:fileProperty\",\"fileObject\":\"cr:fileObject\","
    "\"fileSet\":\"cr:fileSet\",\"format\":\"cr:format\",\"includes\":\"cr:includes\","
    "\"isArray\":\"cr:isArray\",\"isLiveDataset\":\"cr:isLiveDataset\","
    "\"jsonPath\":\"cr:jsonPath\",\"key\":\"cr:key\",\"md5\":\"cr:md5\","
    "\"name\":{\"@container\":\"@language\"},\"parentField\":\"cr:parentField\","
    "\"path\":\"cr:path\",\"prov\":\"http://www.w3.org/ns/prov#\",\"recordSet\":\"cr:recordSet\","
    "\"references\":\"cr:references\",\"regex\":\"cr:regex\",\"repeated\":\"cr:repeated\","
    "\"replace\":\"cr:replace\",\"samplingRate\":\"cr:samplingRate\","
    "\"sc\":\"https://schema.org/\",\"separator\":\"cr:separator\",\"source\":\"cr:source\","
    "\"subField\":\"cr:subField\",\"transform\":\"cr:transform\"}";

/*      member      type            what it is */
#define FIELD_LIST(X)                                                     \
    X("id",       "sc:Text", "names the document")                        \
    X("text",     "sc:Text", "the document")                              \
    X("source",   "sc:Text", "what it was taken from; may be absent")     \
    X("created",  "sc:Date", "its date; may be absent")                   \
    X("metadata", "sc:Text", "anything, a JSON object; may be absent")

static json_t *fields(void)
{
    static const struct {
        const char *name, *type, *description;
    } rows[] = {
#define X(name, type, description) { name, type, description },
        FIELD_LIST(X)
#undef X
    };
    json_t *list = json_array();

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char id[64];

        snprintf(id, sizeof id, "documents/%s", rows[i].name);
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:{s:s}, s:{s:s}}}", "@type", "cr:Field",
                            "@id", id, "name", rows[i].name, "description", rows[i].description,
                            "dataType", rows[i].type, "source", "fileSet", "@id", SHARDS, "extract",
                            "column", rows[i].name));
    }
    return list;
}

static json_t *file_object(const char *name, const json_t *file)
{
    bool shard = str_ends_with(name, ".jsonl.zst");
    const char *format = str_ends_with(name, ".json") ? "application/json" : "text/html";
    char size[32];
    json_t *object;

    snprintf(size, sizeof size, "%lld B",
             (long long)json_integer_value(json_object_get(file, "bytes")));
    object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:O}", "@type", "cr:FileObject", "@id", name,
                       "name", name, "contentUrl", name, "contentSize", size, "sha256",
                       json_object_get(file, "sha256"));
    json_object_set_new(object, "encodingFormat",
                        shard ? json_pack("[s, s]", "application/jsonlines", "application/zstd")
                              : json_string(format));
    return object;
}

static json_t *distribution(const struct lineage_node *n)
{
    json_t *list = json_array(), *files = json_object_get(n->manifest, "files"), *file;
    const char *name;

    json_object_foreach(files, name, file)
        json_array_append_new(list, file_object(name, file));
    json_array_append_new(
        list, json_pack("{s:s, s:s, s:s, s:s, s:[s, s], s:s}", "@type", "cr:FileSet", "@id", SHARDS,
                        "name", SHARDS, "description", "the shards, in the order of their names",
                        "encodingFormat", "application/jsonlines", "application/zstd", "includes",
                        "part-*.jsonl.zst"));
    return list;
}

/* ---- what it was made from ---- */

static json_t *entity(const struct lineage_node *n)
{
    char id[SHA256_HEX + 16];

    snprintf(id, sizeof id, "urn:sha256:%s", n->digest);
    return json_pack("{s:s, s:s, s:o}", "@type", "prov:Entity", "@id", id, "prov:label",
                     json_text_of(path_base(n->path ? n->path : n->said ? n->said : n->digest)));
}

static json_t *derived_from(const struct lineage *l)
{
    const struct lineage_node *n = &l->nodes[0];
    json_t *list = json_array();

    for (size_t i = 0; i < n->count; i++)
        json_array_append_new(list, entity(&l->nodes[n->inputs[i].node]));
    return list;
}

static json_t *generated_by(const struct lineage_node *n)
{
    const json_t *made_by = json_object_get(n->manifest, "made_by"),
                 *created = json_object_get(json_object_get(n->manifest, "aside"), "created");
    char *options = lineage_words(json_object_get(made_by, "options"));
    struct buf label = { 0 };
    json_t *activity;

    buf_printf(&label, "tundish %s, version %lld", lineage_stage(n),
               (long long)json_integer_value(json_object_get(made_by, "version")));
    activity = json_pack("{s:s, s:s, s:s, s:s?}", "@type", "prov:Activity", "prov:label", label.p,
                         "description", options, "prov:endedAtTime",
                         json_is_string(created) ? json_string_value(created) : NULL);
    if (!json_is_string(created))
        json_object_del(activity, "prov:endedAtTime");
    free(options);
    buf_release(&label);
    return activity;
}

/* Each step of curation as the text it is. */
static json_t *protocol(const struct lineage_node *n)
{
    json_t *list = json_array(), *step;
    size_t i;

    json_array_foreach(lineage_option(n, "steps"), i, step) {
        char *words = lineage_words(step);

        json_array_append_new(list, json_string(words));
        free(words);
    }
    return list;
}

static json_t *describe(const struct lineage *l)
{
    const struct lineage_node *n = &l->nodes[0];
    const json_t *counts = json_object_get(n->manifest, "counts"),
                 *created = json_object_get(json_object_get(n->manifest, "aside"), "created");
    char *real = realpath(n->path, NULL), words[160];
    json_t *out = json_object(), *words_of_context = json_loads(context, 0, NULL),
           *steps = protocol(n);

    snprintf(
        words, sizeof words,
        "A corpus of %lld documents, %lld bytes of text, made by tundish; content digest %.64s",
        (long long)json_integer_value(json_object_get(counts, "documents")),
        (long long)json_integer_value(json_object_get(counts, "bytes")), n->digest);
    json_object_set_new(out, "@context", words_of_context);
    json_object_set_new(out, "@type", json_string("sc:Dataset"));
    json_object_set_new(out, "name", json_text_of(path_base(real ? real : n->path)));
    json_object_set_new(out, "description", json_string(words));
    json_object_set_new(out, "conformsTo", json_string("http://mlcommons.org/croissant/1.1"));
    json_object_set_new(out, "identifier", json_sprintf("sha256:%s", n->digest));
    if (json_is_string(created))
        json_object_set(out, "dateCreated", (json_t *)created);
    json_object_set_new(out, "distribution", distribution(n));
    json_object_set_new(out, "recordSet",
                        json_pack("[{s:s, s:s, s:s, s:s, s:{s:s}, s:o}]", "@type", "cr:RecordSet",
                                  "@id", "documents", "name", "documents", "description",
                                  "one document a line", "key", "@id", "documents/id", "field",
                                  fields()));
    json_object_set_new(out, "prov:wasDerivedFrom", derived_from(l));
    json_object_set_new(out, "prov:wasGeneratedBy", generated_by(n));
    if (json_array_size(steps) > 0)
        json_object_set(out, "rai:dataPreprocessingProtocol", steps);
    json_decref(steps);
    free(real);
    return out;
}

/* The chain's corpora, for who asked for another kind. */
static enum status wrong_kind(const struct lineage *l)
{
    for (size_t i = 1; i < l->count; i++)
        if (strcmp(lineage_kind(&l->nodes[i]), "corpus") == 0)
            return fail(ST_CONFIG, "'%s' is a %s, want a corpus; it was made from '%s'",
                        l->nodes[0].path, lineage_kind(&l->nodes[0]), l->nodes[i].path);
    return fail(ST_CONFIG, "'%s' is a %s, want a corpus", l->nodes[0].path,
                lineage_kind(&l->nodes[0]));
}

enum status croissant_print(const struct lineage *l, struct buf *out)
{
    json_t *all;
    char *text;

    if (strcmp(lineage_kind(&l->nodes[0]), "corpus") != 0)
        return wrong_kind(l);
    all = describe(l);
    text = json_dumps(all, JSON_INDENT(2) | JSON_SORT_KEYS);
    BUG_IF(text == NULL);
    buf_adds(out, text);
    buf_addc(out, '\n');
    free(text);
    json_decref(all);
    return ST_OK;
}
