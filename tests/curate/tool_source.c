/* tool_source [-t THREADS] PATH...: what is read from the paths, a line a document: its kind, id, charset, bytes and their CRC-32;
 * then the outcomes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/arena.h"
#include "curate/source/source.h"

static int print_all(struct source *s)
{
    const struct source_stats *stats = source_stats_of(s);
    struct raw_document *d;
    enum status st;

    while ((st = source_next(s, &d)) == ST_OK && d != NULL) {
        printf("%d %s %s %zu %08lx %s\n", (int)d->kind, d->line_id != NULL ? d->line_id : d->id,
               d->charset != NULL ? d->charset : "-", d->n, crc32(0, (const Bytef *)d->bytes, (uInt)d->n),
               d->metadata != NULL ? d->metadata : "-");
        raw_document_free(d);
    }
    for (int o = 0; o < SOURCE_OUTCOME_COUNT; o++)
        if (stats->outcomes[o] > 0)
            printf("! %s %" PRIu64 "\n", source_outcome_key((enum source_outcome)o), stats->outcomes[o]);
    if (st != ST_OK)
        fprintf(stderr, "tool_source: %s\n", fail_message());
    return st != ST_OK;
}

int main(int argc, char **argv)
{
    struct source_limits limits = { 16 << 20, UINT64_C(1) << 36, 200, 4, 1000000, 0 };
    struct buf list = { 0 };
    struct yaml *sources;
    struct source *s;
    struct arena a;
    int first = 1, rc = 2;

    if (argc > 3 && strcmp(argv[1], "-t") == 0) {
        limits.unpack_threads = atoi(argv[2]);
        first = 3;
    }
    arena_init(&a);
    for (int i = first; i < argc; i++)
        buf_printf(&list, "%s'%s'", i == first ? "[" : ", ", argv[i]);
    buf_addc(&list, ']');
    if (yaml_parse(&a, "words", list.p, list.n, &sources) == ST_OK && source_open(sources, &limits, &s) == ST_OK) {
        rc = print_all(s);
        source_close(s);
    }
    buf_release(&list);
    arena_release(&a);
    return rc;
}
