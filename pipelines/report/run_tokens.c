/* What tokens look like, as text: a tokenizer's longest, and a document as the model reads it; and what
 * a blend is made of. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/page.h"
#include "pipelines/report/run_sections.h"
#include "store/formats/byte_level.h"
#include "store/tokens/tokens.h"

#define LONGEST 24
#define SHOWN 240                               /* tokens of a document */
#define STORE_MOST ((int64_t)4 << 30)           /* opening a store may hash it whole: not larger */

static const json_t *at(const json_t *o, const char *key) { return json_object_get(o, key); }

/* A token's bytes, escaped; where the file is not of the byte-level alphabet, as it writes it. */
static void add_token(struct buf *out, const char *text)
{
    struct buf bytes = { 0 };

    if (byte_level_scan(&bytes, span_of(text)))
        page_text(out, bytes.p ? bytes.p : "", bytes.n);
    else
        page_escape(out, text);
    buf_release(&bytes);
}

/* ---- tokenizer ---- */

/* Puts text among the longest, which stand in falling order of length. */
static void keep_longest(const char *longest[LONGEST], const char *text)
{
    for (int i = 0; i < LONGEST; i++)
        if (longest[i] == NULL || strlen(text) > strlen(longest[i])) {
            memmove(longest + i + 1, longest + i, (size_t)(LONGEST - 1 - i) * sizeof *longest);
            longest[i] = text;
            return;
        }
}

static bool is_special(const json_t *added, const char *text)
{
    const json_t *one;
    size_t i;

    json_array_foreach(added, i, one)
        if (json_is_string(at(one, "content"))
            && strcmp(json_string_value(at(one, "content")), text) == 0)
            return true;
    return false;
}

static void longest_tokens(const struct run_section *s, const json_t *vocab, const json_t *added)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const char *longest[LONGEST] = { NULL }, *text;
    json_t *id;

    json_object_foreach((json_t *)vocab, text, id)
        if (strpbrk(text, letters) != NULL && !is_special(added, text))
            keep_longest(longest, text);
    buf_adds(s->out, "<h3>Longest tokens that have a letter</h3>\n<p class=\"chips\">");
    for (int i = 0; i < LONGEST && longest[i] != NULL; i++) {
        buf_adds(s->out, "<code>");
        add_token(s->out, longest[i]);
        buf_adds(s->out, "</code>\n");
    }
    buf_adds(s->out, "</p>\n");
}

void run_section_tokenizer(const struct run_section *s)
{
    json_t *file = run_section_json(s, "tokenizer.json"), *one;
    const json_t *vocab = at(at(file, "model"), "vocab");
    const json_t *rate = at(at(s->manifest, "counts"), "bytes_per_token");
    char entries[28], merges[28];
    size_t i;

    if (file == NULL)
        return;
    buf_printf(s->out, "<p>%s entries in the vocabulary, from %s merges",
               str_count(json_object_size(vocab), entries),
               str_count(json_array_size(at(at(file, "model"), "merges")), merges));
    if (json_is_number(rate))
        buf_printf(s->out, "; %.2f bytes a token on the text it was learned from",
                   json_number_value(rate));
    buf_adds(s->out, ". Special tokens:");
    json_array_foreach(at(file, "added_tokens"), i, one) {
        buf_addc(s->out, ' ');
        page_code(s->out, json_string_value(at(one, "content")));
    }
    buf_adds(s->out, "</p>\n");
    longest_tokens(s, vocab, at(file, "added_tokens"));
    json_decref(file);
}

/* ---- token store ---- */

static void add_parts(const struct run_section *s)
{
    static const char *const parts[] = { "train", "validation" };

    page_table_begin(s->out, NULL, "The two parts",
                     "part|#documents|#tokens|#text|#bytes a token");
    for (size_t i = 0; i < 2; i++) {
        const json_t *part = at(at(s->manifest, "counts"), parts[i]);
        uint64_t tokens = (uint64_t)json_integer_value(at(part, "tokens"));
        uint64_t bytes = (uint64_t)json_integer_value(at(part, "text_bytes"));

        page_row(s->out, parts[i]);
        page_cell_count(s->out, (uint64_t)json_integer_value(at(part, "documents")));
        page_cell_count(s->out, tokens);
        page_cell_bytes(s->out, bytes);
        buf_printf(s->out, "<td class=\"n\">%.3f</td>",
                   tokens ? (double)bytes / (double)tokens : 0.0);
        buf_adds(s->out, "</tr>\n");
    }
    page_table_end(s->out);
}

/* Each token's text by its number; borrowed from the vocabulary, NULL where it has none. */
static const char **texts_by_id(const json_t *vocab, uint32_t count)
{
    const char **texts = mem_array((size_t)count + 1, sizeof *texts), *text;
    json_t *id;

    json_object_foreach((json_t *)vocab, text, id)
        if (json_is_integer(id) && json_integer_value(id) >= 0 && json_integer_value(id) < count)
            texts[json_integer_value(id)] = text;
    return texts;
}

static void add_coloured(const struct run_section *s, const int32_t *tokens, size_t n,
                         const char *const *texts)
{
    buf_adds(s->out, "<pre class=\"tokens\">\n");
    for (size_t i = 0; i < n; i++) {
        buf_printf(s->out, "<i class=\"t%d\">", (int)(i % 4));
        add_token(s->out, texts[tokens[i]] ? texts[tokens[i]] : "\xEF\xBF\xBD");
        buf_adds(s->out, "</i>");
    }
    buf_adds(s->out, "</pre>\n");
}

/* The first document of the part that the model does not learn from, if there is one. */
static enum status add_document(const struct run_section *s, const struct token_store *store,
                                const json_t *vocab)
{
    enum token_part part = token_store_documents(store, TOKENS_VALIDATION) ? TOKENS_VALIDATION
                                                                           : TOKENS_TRAIN;
    int32_t tokens[SHOWN];
    struct token_range r;
    const char **texts;
    size_t n;

    if (token_store_documents(store, part) == 0)
        return ST_OK;
    TRY(token_store_document(store, part, 0, &r));
    n = r.count < SHOWN ? (size_t)r.count : SHOWN;
    TRY(token_store_read(store, part, r.first, n, tokens));
    buf_adds(s->out, "<h3>A document as the model reads it</h3>\n<p class=\"soft\">Each colour is "
                     "one token; the beginning of <code>");
    page_text(s->out, r.id.p, r.id.n);
    buf_adds(s->out, "</code>.</p>\n");
    texts = texts_by_id(vocab, token_store_vocab(store));
    add_coloured(s, tokens, n, texts);
    free(texts);
    return ST_OK;
}

static int64_t bytes_of(const json_t *manifest)
{
    int64_t sum = 0;
    const char *name;
    json_t *file;

    json_object_foreach(json_object_get(manifest, "files"), name, file)
        sum += json_integer_value(at(file, "bytes"));
    return sum;
}

void run_section_token_store(const struct run_section *s)
{
    struct token_store *store;
    json_t *file;

    add_parts(s);
    if (bytes_of(s->manifest) > STORE_MOST)
        return;
    file = run_section_json(s, "tokenizer.json");
    if (file == NULL)
        return;
    if (token_store_open(s->folder, &store) != ST_OK) {
        run_section_unreadable(s);
    } else {
        if (add_document(s, store, at(at(file, "model"), "vocab")) != ST_OK)
            run_section_unreadable(s);
        token_store_close(store);
    }
    json_decref(file);
}

/* ---- blend ---- */

static double weight_of(const json_t *store) { return json_number_value(at(store, "weight")); }

static void add_share(const struct run_section *s, const json_t *store, const char *path,
                      double whole)
{
    double epochs = json_number_value(at(store, "epochs"));

    page_row(s->out, path != NULL ? path_base(path) : "?");
    buf_printf(s->out, "<td class=\"n\">%.4g %%</td>",
               whole > 0 ? 100 * weight_of(store) / whole : 0.0);
    page_cell_count(s->out, (uint64_t)json_integer_value(at(store, "documents")));
    page_cell_count(s->out, (uint64_t)json_integer_value(at(store, "tokens")));
    if (epochs > 0)
        buf_printf(s->out, "<td class=\"n\">%.4g</td>", epochs);
    else
        buf_adds(s->out, "<td class=\"n\">any</td>");
    buf_adds(s->out, "</tr>\n");
}

void run_section_token_blend(const struct run_section *s)
{
    json_t *file = run_section_json(s, "blend.json"), *one;
    const json_t *stores = at(file, "stores");
    const json_t *paths = at(at(at(s->manifest, "aside"), "paths"), "store");
    double whole = 0;
    size_t i;

    if (file == NULL)
        return;
    json_array_foreach(stores, i, one)
        whole += weight_of(one);
    page_table_begin(s->out, NULL, "Its stores",
                     "store|#share of the rows|#documents|#tokens|#times, at most");
    json_array_foreach(stores, i, one)
        add_share(s, one, json_string_value(json_array_get(paths, i)), whole);
    page_table_end(s->out);
    json_decref(file);
}
