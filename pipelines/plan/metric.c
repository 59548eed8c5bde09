#include "pipelines/plan/metric.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/*    name              file               numerator  weight    scale   higher is better */
const struct gate_metric gate_metrics[] = {
    { "bits_per_byte",  "documents.jsonl", "bits",    "bytes",  1,      false },
    { "nats_per_token", "documents.jsonl", "bits",    "tokens", M_LN2,  false },
    { .name = "loss" },
    { .name = "perplexity" },
    { .name = "accuracy", .higher_is_better = true },
    { .name = "exact_match", .higher_is_better = true },
    { .name = "f1", .higher_is_better = true },
    { .name = "pass_rate", .higher_is_better = true },
    { .name = NULL }
};

const struct gate_metric *gate_metric_find(const char *name)
{
    const char *dot = strrchr(name, '.'), *last = dot != NULL ? dot + 1 : name;

    for (const struct gate_metric *m = gate_metrics; m->name != NULL; m++)
        if (strcmp(m->name, last) == 0 && (m->file == NULL || last == name))
            return m;
    return NULL;
}
