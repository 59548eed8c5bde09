/* metrics.json and documents.jsonl on any bytes. Documents that are read are paired with themselves: as many pairs as
 * documents, a gain of exactly nothing. */
#include <math.h>
#include <stdlib.h>

#include "pipelines/registry/gate.h"
#include "pipelines/registry/gate_bootstrap.h"
#include "pipelines/registry/gate_report.h"

static void check_documents(struct arena *a, const struct gate_metric *m, const char *text, size_t n)
{
    struct gate_documents d;
    struct gate_pairs pairs;
    struct bootstrap_result r;

    if (gate_documents_parse(a, m, "d", text, n, &d) != ST_OK)
        return;
    gate_pair(a, &d, &d, m->higher_is_better, &pairs);
    if (pairs.count != d.count || pairs.other_text != 0)
        abort();
    if (bootstrap_gain(&(struct bootstrap_args){ pairs.difference, pairs.weight, pairs.count, 10, 1, 0.9 }, &r) == ST_OK &&
        (r.gain != 0 || r.low != 0 || r.high != 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena a = { 0 };
    struct gate_numbers numbers;
    double value;

    if (gate_numbers_parse(&a, "m", (const char *)p, n, &numbers) == ST_OK) {
        for (size_t i = 0; i < numbers.count; i++)
            if (!isfinite(numbers.v[i].value) || gate_numbers_find(&numbers, "m", numbers.v[i].name, &value) != ST_OK)
                abort();
        if (gate_numbers_find(&numbers, "m", "\n", &value) == ST_OK && numbers.count == 0)
            abort();
    }
    for (const struct gate_metric *m = gate_metrics; m->name != NULL; m++)
        if (m->file != NULL)
            check_documents(&a, m, (const char *)p, n);
    arena_release(&a);
    return 0;
}
