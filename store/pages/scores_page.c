#include "store/pages/scores_page.h"

#include "base/page.h"

static const struct {
    const char *key, *name;
} rows[] = { { "bits_per_byte", "this model" },
             { "xz9_bits_per_byte", "xz -9 alone" },
             { "xz9_primed_bits_per_byte", "xz -9 after the training text" } };
enum { ROWS = sizeof rows / sizeof *rows };

static uint64_t count_of(const json_t *metrics, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(metrics, key));
}

void scores_page_sections(struct buf *out, const json_t *metrics)
{
    char documents[28], bytes[28], tokens[28];
    double most = 0;

    for (size_t i = 0; i < ROWS; i++) {
        double bits = json_number_value(json_object_get(metrics, rows[i].key));
        most = bits > most ? bits : most;
    }
    buf_printf(out, "<p>On %s held-out documents, %s bytes, %s tokens: ",
               str_count(count_of(metrics, "documents"), documents),
               str_count(count_of(metrics, "bytes"), bytes),
               str_count(count_of(metrics, "tokens"), tokens));
    buf_printf(out, "%.4f nats a token, %.2f bytes a token.</p>\n",
               json_number_value(json_object_get(metrics, "nats_per_token")),
               json_number_value(json_object_get(metrics, "bytes_per_token")));
    page_table_begin(out, NULL, "Bits for each byte; less is better", "who|#bits per byte|");
    for (size_t i = 0; i < ROWS; i++) {
        const json_t *value = json_object_get(metrics, rows[i].key);

        if (!json_is_number(value))
            continue;
        page_row(out, rows[i].name);
        buf_printf(out, "<td class=\"n\">%.4f</td>", json_number_value(value));
        page_cell_bar(out, json_number_value(value), 0, most);
        buf_adds(out, "</tr>\n");
    }
    page_table_end(out);
}
