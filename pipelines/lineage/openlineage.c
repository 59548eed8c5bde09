/* A lineage as OpenLineage run events (https://openlineage.io/spec/2-0-2/OpenLineage.json). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pipelines/lineage/lineage_print.h"

#define SPEC "https://openlineage.io/spec/"
#define RUN_EVENT SPEC "2-0-2/OpenLineage.json#/$defs/RunEvent"

/*      member                 facet                               version */
#define FACET_LIST(X)                                                        \
    X(version,             DatasetVersionDatasetFacet,         "1-0-1")      \
    X(datasetType,         DatasetTypeDatasetFacet,            "1-0-1")      \
    X(outputStatistics,    OutputStatisticsOutputDatasetFacet, "1-0-2")      \
    X(inputStatistics,     InputStatisticsInputDatasetFacet,   "1-0-0")      \
    X(processing_engine,   ProcessingEngineRunFacet,           "1-1-1")      \
    X(executionParameters, ExecutionParametersRunFacet,        "1-0-0")      \
    X(jobType,             JobTypeJobFacet,                    "2-0-4")

enum facet {
#define X(member, type, version) FACET_##member,
    FACET_LIST(X)
#undef X
};
static const struct {
    const char *member, *schema;
} facets[] = {
#define X(member, type, version) \
    [FACET_##member] = { #member, SPEC "facets/" version "/" #type ".json#/$defs/" #type },
    FACET_LIST(X)
#undef X
};

/* Takes facet over. */
static void add_facet(json_t *to, enum facet which, const char *producer, json_t *facet)
{
    json_object_set_new(facet, "_producer", json_string(producer));
    json_object_set_new(facet, "_schemaURL", json_string(facets[which].schema));
    json_object_set_new(to, facets[which].member, facet);
}

/* ---- run ---- */

/* The manifest's time of creation, moved back by so many seconds. */
static json_t *time_of(const struct lineage_node *n, double back)
{
    const json_t *aside = json_object_get(n->manifest, "aside");
    const char *created = json_string_value(json_object_get(aside, "created"));
    struct tm utc = { 0 };
    char text[40], all[48];
    double when;
    time_t whole;

    if (created == NULL || strptime(created, "%Y-%m-%dT%H:%M:%SZ", &utc) == NULL)
        utc = (struct tm){ .tm_mday = 1, .tm_year = 70 };
    when = floor((double)timegm(&utc) * 1000 - back * 1000) / 1000;
    whole = (time_t)floor(when);
    gmtime_r(&whole, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(all, sizeof all, "%s.%03dZ", text, (int)((when - (double)whole) * 1000 + 0.5) % 1000);
    return json_string(all);
}

static double seconds_of(const struct lineage_node *n)
{
    double s = json_number_value(json_object_get(json_object_get(n->manifest, "aside"), "seconds"));

    return s >= 0 && s < 1e9 ? s : 0;
}

/* RFC 9562, version 8: a UUID made of a digest, here of all that the manifest says of the run; so
 * the same run has the same one whenever its events are written. */
static json_t *run_id(const struct lineage_node *n)
{
    const json_t *m = n->manifest;
    json_t *run = json_pack("{s:s, s:O, s:O, s:O}", "digest", n->digest, "made_by",
                            json_object_get(m, "made_by"), "inputs", json_object_get(m, "inputs"),
                            "aside", json_object_get(m, "aside"));
    struct buf text = { 0 };
    char hex[SHA256_HEX], id[37];

    json_canonical(&text, run);
    sha256_bytes(text.p, text.n, hex);
    hex[12] = '8';
    hex[16] = "89ab"[(unsigned char)hex[16] % 4];
    snprintf(id, sizeof id, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
             hex + 20);
    buf_release(&text);
    json_decref(run);
    return json_string(id);
}

static json_t *parameters_of(const struct lineage_node *n)
{
    json_t *list = json_array(), *value;
    const char *name;

    json_object_foreach(json_object_get(json_object_get(n->manifest, "made_by"), "options"), name,
                        value) {
        char *words = lineage_words(value);

        json_array_append_new(list, json_pack("{s:s, s:s}", "key", name, "value", words));
        free(words);
    }
    return list;
}

static json_t *describe_run(const struct lineage_node *n, const char *producer)
{
    const char *program =
        json_string_value(json_object_get(json_object_get(n->manifest, "aside"), "program"));
    json_t *run_facets = json_object();

    add_facet(run_facets, FACET_processing_engine, producer,
              json_pack("{s:s, s:s}", "name", "tundish", "version", program ? program : "?"));
    add_facet(run_facets, FACET_executionParameters, producer,
              json_pack("{s:o}", "parameters", parameters_of(n)));
    return json_pack("{s:o, s:o}", "runId", run_id(n), "facets", run_facets);
}

static json_t *describe_job(const struct lineage_node *n, const char *producer)
{
    json_t *job_facets = json_object();

    add_facet(job_facets, FACET_jobType, producer,
              json_pack("{s:s, s:s, s:s}", "processingType", "BATCH", "integration", "TUNDISH",
                        "jobType", "STAGE"));
    return json_pack("{s:s, s:s, s:o}", "namespace", "tundish", "name", lineage_stage(n), "facets",
                     job_facets);
}

/* ---- data ---- */

static json_t *name_of(const struct lineage_node *n)
{
    char *real = n->path ? realpath(n->path, NULL) : NULL;
    json_t *name = json_text_of(real ? real : n->path ? n->path : n->said ? n->said : n->digest);

    free(real);
    return name;
}

/* Documents, of a token store those of both parts; -1: not counted. */
static json_int_t rows_of(const struct lineage_node *n)
{
    const json_t *counts = json_object_get(n->manifest, "counts"),
                 *all = json_object_get(counts, "documents");
    const json_t *train = json_object_get(json_object_get(counts, "train"), "documents"),
                 *held = json_object_get(json_object_get(counts, "validation"), "documents");

    if (json_is_integer(all))
        return json_integer_value(all);
    return json_is_integer(train) && json_is_integer(held)
               ? json_integer_value(train) + json_integer_value(held)
               : -1;
}

static json_t *statistics_of(const struct lineage_node *n)
{
    size_t files;
    uint64_t bytes = lineage_bytes(n, &files);
    json_t *s = json_pack("{s:I, s:I}", "size", (json_int_t)bytes, "fileCount", (json_int_t)files);

    if (rows_of(n) >= 0)
        json_object_set_new(s, "rowCount", json_integer(rows_of(n)));
    return s;
}

/* The content digest is the dataset's version; its name is where it lies. */
static json_t *describe_data(const struct lineage_node *n, const char *producer, bool output)
{
    const char *type = n->state == LINEAGE_FOUND ? lineage_kind(n) : "source";
    json_t *all = json_object(), *own = json_object();

    add_facet(all, FACET_version, producer, json_pack("{s:s}", "datasetVersion", n->digest));
    add_facet(all, FACET_datasetType, producer,
              json_pack("{s:s, s:s}", "datasetType",
                        strcmp(type, "model") == 0 || strcmp(type, "checkpoint") == 0 ? "MODEL"
                                                                                      : "FILE",
                        "subType", type));
    if (n->state == LINEAGE_FOUND)
        add_facet(own, output ? FACET_outputStatistics : FACET_inputStatistics, producer,
                  statistics_of(n));
    return json_pack("{s:s, s:o, s:o, s:o}", "namespace", "file", "name", name_of(n), "facets", all,
                     output ? "outputFacets" : "inputFacets", own);
}

static json_t *inputs_of(const struct lineage *l, const struct lineage_node *n,
                         const char *producer)
{
    json_t *inputs = json_array();

    for (size_t i = 0; i < n->count; i++)
        json_array_append_new(inputs,
                              describe_data(&l->nodes[n->inputs[i].node], producer, false));
    return inputs;
}

static void add_event(struct buf *out, const struct lineage *l, const struct lineage_node *n,
                      bool complete)
{
    const char *program =
        json_string_value(json_object_get(json_object_get(n->manifest, "aside"), "program"));
    struct buf producer = { 0 };
    json_t *outputs = json_array(), *event;

    /* a URI, so of the program's version only what one may hold */
    buf_adds(&producer, "urn:tundish:");
    for (const char *c = program && *program ? program : "0"; *c; c++)
        buf_addc(&producer, strchr("0123456789.abcdefghijklmnopqrstuvwxyz-", *c) ? *c : '-');
    if (complete)
        json_array_append_new(outputs, describe_data(n, producer.p, true));
    event = json_pack("{s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:o}", "eventType",
                      complete ? "COMPLETE" : "START", "eventTime",
                      time_of(n, complete ? 0 : seconds_of(n)), "producer", producer.p, "schemaURL",
                      RUN_EVENT, "run", describe_run(n, producer.p), "job",
                      describe_job(n, producer.p), "inputs", inputs_of(l, n, producer.p), "outputs",
                      outputs);
    json_canonical(out, event);
    buf_addc(out, '\n');
    json_decref(event);
    buf_release(&producer);
}

void openlineage_print(const struct lineage *l, struct buf *out)
{
    size_t *order = lineage_order(l);

    for (size_t i = 0; i < l->count; i++) {
        const struct lineage_node *n = &l->nodes[order[i]];

        if (n->state != LINEAGE_FOUND)
            continue;
        add_event(out, l, n, false);
        add_event(out, l, n, true);
    }
    free(order);
}
