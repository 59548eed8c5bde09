/* Where text_scan_by() finds words: documents are lines of JSON with "text" on stdin, answers are lines of "at bytes at bytes ...", in bytes
 * of UTF-8. The argument is "en" or "any". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "curate/text/text_scan.h"

static enum status print_words(const char *line, struct text_scan *s, enum words_rules rules)
{
    json_t *in = json_loads(line, 0, NULL), *text = json_object_get(in, "text");

    if (!json_is_string(text)) {
        json_decref(in);
        return fail(ST_FORMAT, "a line is no JSON object with a text: %.60s", line);
    }
    text_scan_by(s, (struct span){ json_string_value(text), json_string_length(text) }, rules);
    for (size_t i = 0; i < s->word_count; i++)
        printf("%u %u ", (unsigned)s->words[i].at, (unsigned)s->words[i].bytes);
    putchar('\n');
    json_decref(in);
    return ST_OK;
}

int main(int argc, char **argv)
{
    struct text_scan s = { 0 };
    enum status st = ST_OK;
    char *line = NULL;
    size_t cap = 0;

    if (argc != 2 || (strcmp(argv[1], "en") != 0 && strcmp(argv[1], "any") != 0))
        return 2;
    while (st == ST_OK && getline(&line, &cap, stdin) > 0)
        st = print_words(line, &s, strcmp(argv[1], "en") == 0 ? WORDS_ENGLISH : WORDS_ANY);
    if (st != ST_OK)
        fprintf(stderr, "tool_words: %s\n", fail_message());
    free(line);
    text_scan_release(&s);
    return status_exit_code(st);
}
