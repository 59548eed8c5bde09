/* A dry run's findings, for people. */
#include "curate/run/dry_run.h"

static const json_t *at(const json_t *o, const char *part, const char *key)
{
    return json_object_get(part ? json_object_get(o, part) : o, key);
}

static double real_at(const json_t *o, const char *part, const char *key) { return json_number_value(at(o, part, key)); }

static const char *count_at(const json_t *o, const char *part, const char *key, char *text)
{
    return str_count((uint64_t)json_integer_value(at(o, part, key)), text);
}

static const char *bytes_at(const json_t *o, const char *part, const char *key, char *text)
{
    return str_bytes((uint64_t)json_integer_value(at(o, part, key)), text);
}

/* "45 s", "3 min", "2.5 h" */
static const char *time_text(double seconds, char *text)
{
    if (seconds < 90)
        snprintf(text, 28, "%.3g s", seconds);
    else if (seconds < 5400)
        snprintf(text, 28, "%.0f min", seconds / 60);
    else
        snprintf(text, 28, "%.1f h", seconds / 3600);
    return text;
}

#define ENDINGS 12

static int largest_first(const void *va, const void *vb)
{
    const json_t *const *a = va, *const *b = vb;
    json_int_t x = json_integer_value(at(*a, NULL, "bytes")), y = json_integer_value(at(*b, NULL, "bytes"));

    return x != y ? (x < y ? 1 : -1) : strcmp(json_text(*a, "ending"), json_text(*b, "ending"));
}

static void add_ending(struct buf *out, const char *ending, uint64_t files, uint64_t size)
{
    char n[28], bytes[24];

    buf_printf(out, "  %-14s %12s %10s\n", ending, str_count(files, n), str_bytes(size, bytes));
}

static void add_files(struct buf *out, const json_t *json)
{
    const json_t *list = at(json, NULL, "endings");
    size_t count = json_array_size(list);
    const json_t **rows = mem_array(count + 1, sizeof *rows);
    uint64_t files = 0, size = 0;
    char n[28], bytes[24];

    buf_printf(out, "would read  %s files, %s", count_at(json, NULL, "files", n), bytes_at(json, NULL, "bytes", bytes));
    if (real_at(json, NULL, "programs") > 0)
        buf_printf(out, ", and what %s program%s", count_at(json, NULL, "programs", n),
                   real_at(json, NULL, "programs") == 1 ? " writes" : "s write");
    buf_adds(out, "\n");
    for (size_t i = 0; i < count; i++)
        rows[i] = json_array_get(list, i);
    qsort(rows, count, sizeof *rows, largest_first);
    for (size_t i = 0; i < count; i++) {
        const char *ending = json_text(rows[i], "ending");
        uint64_t f = (uint64_t)json_integer_value(at(rows[i], NULL, "files"));
        uint64_t b = (uint64_t)json_integer_value(at(rows[i], NULL, "bytes"));

        if (i < ENDINGS)
            add_ending(out, *ending ? ending : "(no ending)", f, b);
        files += i < ENDINGS ? 0 : f;
        size += i < ENDINGS ? 0 : b;
    }
    if (files > 0)
        add_ending(out, "(others)", files, size);
    free(rows);
}

static void add_value(struct buf *out, const json_t *value)
{
    if (json_is_real(value))
        buf_printf(out, "%.6g", json_real_value(value));
    else if (json_is_string(value))
        buf_adds(out, json_string_value(value));
    else
        json_canonical(out, value);
}

#define COLUMNS 100

/* "name value; name value", in lines that fit. */
static void add_options(struct buf *out, const json_t *options)
{
    struct buf one = { 0 };
    size_t column = 3;
    const char *name;
    json_t *value;

    buf_adds(out, "   ");
    json_object_foreach((json_t *)options, name, value) {
        if (json_is_null(value))
            continue;
        buf_clear(&one);
        buf_printf(&one, " %s ", name);
        add_value(&one, value);
        buf_addc(&one, ';');
        if (column + one.n > COLUMNS && column > 3) {
            buf_adds(out, "\n   ");
            column = 3;
        }
        buf_add(out, one.p, one.n);
        column += one.n;
    }
    buf_addc(out, '\n');
    buf_release(&one);
}

static void add_steps(struct buf *out, const json_t *json)
{
    const json_t *step;
    size_t i;

    buf_adds(out, "through\n");
    json_array_foreach(at(json, NULL, "steps"), i, step) {
        buf_printf(out, "  %s%s\n", json_text(step, "step"),
                   strcmp(json_text(step, "sees"), "all documents") == 0 ? "  (over all documents)" : "");
        add_options(out, json_object_get(step, "options"));
    }
}

static void add_drops(struct buf *out, const json_t *json)
{
    const json_t *row;
    char n[28];
    size_t i;

    json_array_foreach(at(json, NULL, "not_read"), i, row)
        buf_printf(out, "  not read %12s  %s: %s\n", count_at(row, NULL, "count", n), json_text(row, "outcome"),
                   json_text(row, "meaning"));
    json_array_foreach(at(json, NULL, "drops"), i, row)
        buf_printf(out, "  dropped  %12s %5.1f %%  %s (%s)\n", count_at(row, NULL, "documents", n),
                   100 * real_at(row, NULL, "share"), json_text(row, "reason"), json_text(row, "step"));
}

static void add_costs(struct buf *out, const json_t *json)
{
    double all = real_at(json, "estimate", "cpu_seconds");
    const json_t *row;
    char time[28];
    size_t i;

    json_array_foreach(at(json, NULL, "costs"), i, row)
        buf_printf(out, "  %-28s %5.1f %%  %s\n", json_text(row, "step"),
                   all > 0 ? 100 * real_at(row, NULL, "cpu_seconds") / all : 0,
                   time_text(real_at(row, NULL, "cpu_seconds"), time));
}

static void add_estimates(struct buf *out, const json_t *json)
{
    const json_t *list = at(json, NULL, "not_estimated");
    char n[28], m[28], bytes[24], more[24], time[28];

    buf_printf(out, "read        %s documents of %s files (%s on disk)\n", count_at(json, "sample", "documents_seen", n),
               count_at(json, "sample", "files", m), bytes_at(json, "sample", "bytes_read", bytes));
    buf_printf(out, "sampled     %s of them (%s of text)\n", count_at(json, "sample", "documents", n),
               bytes_at(json, "sample", "document_bytes", more));
    if (json_integer_value(at(json, "sample", "begun")) > 0)
        buf_printf(out, "            %s of the files from the beginning only: where documents further on are of other sizes or kinds, "
                   "the numbers below are off\n", count_at(json, "sample", "begun", n));
    add_drops(out, json);
    buf_printf(out, "keeps       %.1f %% of documents (%.1f to %.1f, 95 %%), %.1f %% of text\n",
               100 * real_at(json, "kept", "documents"), 100 * real_at(json, "kept", "low"),
               100 * real_at(json, "kept", "high"), 100 * real_at(json, "kept", "bytes"));
    buf_printf(out, "makes       about %s documents, %s of text", count_at(json, "estimate", "documents", n),
               bytes_at(json, "estimate", "bytes", bytes));
    buf_printf(out, ", %s compressed\n", bytes_at(json, "estimate", "compressed_bytes", bytes));
    buf_printf(out, "takes       about %s", time_text(real_at(json, "estimate", "seconds"), time));
    buf_printf(out, " with %d threads, of processors %s\n", (int)real_at(json, "estimate", "threads"),
               time_text(real_at(json, "estimate", "cpu_seconds"), time));
    add_costs(out, json);
    if (json_array_size(list) > 0) {
        const json_t *step;
        size_t i;

        buf_adds(out, "not estimated:");
        json_array_foreach(list, i, step)
            buf_printf(out, "%s %s", i ? "," : "", json_string_value(step));
        buf_adds(out, "\n");
    }
}

void dry_run_text(struct buf *out, const json_t *json)
{
    add_files(out, json);
    add_steps(out, json);
    if (at(json, NULL, "sample"))
        add_estimates(out, json);
    buf_adds(out, "nothing was written\n");
}
