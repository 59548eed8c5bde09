#include "curate/report/report.h"

#include <inttypes.h>

#include "base/log.h"

static void summary_step(const struct report_step *s, int width)
{
    char documents[28], bytes[24], rate[32] = "";

    if (s->seconds > 0)
        snprintf(rate, sizeof rate, "%.0f MB/s", (double)s->bytes_in / 1e6 / s->seconds);
    log_info("%-*s %12s docs %10s %9.2f s %12s", width, s->step->label,
             str_count(s->documents_out, documents), str_bytes(s->bytes_out, bytes), s->seconds,
             rate);
    for (size_t i = 0; i < s->reason_count; i++)
        if (s->reasons[i].documents > 0)
            log_info("%-*s %12s dropped %s", width, "",
                     str_count(s->reasons[i].documents, documents), s->reasons[i].reason->key);
}

void report_summary(const struct report *r, const struct source_stats *stats, double seconds)
{
    char a[28], b[24], c[28];
    int width = 8;

    for (size_t i = 0; i < r->count; i++)
        if ((int)strlen(r->steps[i].step->label) > width)
            width = (int)strlen(r->steps[i].step->label);
    log_info("%-*s %12s docs %10s in %s files", width, "sources", str_count(stats->documents, a),
             str_bytes(stats->document_bytes, b), str_count(stats->files, c));
    for (int i = 0; i < SOURCE_OUTCOME_COUNT; i++)
        if (stats->outcomes[i] > 0)
            log_info("%-*s %12s not read %s: %s", width, "", str_count(stats->outcomes[i], a),
                     source_outcome_key((enum source_outcome)i), source_outcome_text((enum source_outcome)i));
    for (size_t i = 0; i < r->count; i++)
        summary_step(&r->steps[i], width);
    log_info("%-*s %12s docs %10s %9.2f s %7.0f MB/s", width, "corpus",
             str_count(r->out.documents, a), str_bytes(r->out.bytes, b), seconds,
             (double)stats->document_bytes / 1e6 / (seconds > 0 ? seconds : 1));
}

enum status report_nothing_left(const struct report *r, const struct source_stats *stats)
{
    struct buf why = { 0 };

    for (int i = 0; i < SOURCE_OUTCOME_COUNT; i++)
        if (stats->outcomes[i] > 0)
            buf_printf(&why, "%s%" PRIu64 " not read (%s: %s)", why.n ? ", " : "", stats->outcomes[i],
                       source_outcome_key((enum source_outcome)i), source_outcome_text((enum source_outcome)i));
    for (size_t i = 0; i < r->count; i++)
        for (size_t j = 0; j < r->steps[i].reason_count; j++) {
            const struct report_reason *reason = &r->steps[i].reasons[j];
            if (reason->documents > 0)
                buf_printf(&why, "%s%" PRIu64 " dropped by '%s' (%s)", why.n ? ", " : "",
                           reason->documents, r->steps[i].step->label, reason->reason->key);
        }
    if (stats->documents == 0 && why.n == 0)
        buf_adds(&why, "none of them was read; want sources whose `include` and `exclude` leave some");
    fail(ST_FAILED,
         "no document is left of %" PRIu64 " in %" PRIu64 " files%s%s; nothing was written",
         stats->documents, stats->files, why.n ? ": " : "", why.n ? why.p : "");
    buf_release(&why);
    return ST_FAILED;
}
