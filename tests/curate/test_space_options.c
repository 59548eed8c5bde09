/* Options of gopher@dolma, curator-en and code: stop words, and values of their own for languages and for files' extensions. */
#include "test.h"

#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "one_chain.h"

#define FILE_OF_OPTIONS "test_space_options.yaml"

/* The reason of the drop, or "stays". `id` matters to code, `language` to the others. */
static const char *verdict(const char *step, const char *id, const char *language, const char *text)
{
    struct one_chain c;
    struct doc d = { .id = (char *)(uintptr_t)id, .language = (char *)(uintptr_t)language };

    one_chain_begin(&c, step);
    buf_add(&d.text, text, strlen(text));
    assert_ok(chain_each(&c.chain, 1, &d, &c.work));
    buf_release(&d.text);
    one_chain_end(&c);
    return d.dropped ? d.dropped->key : "stays";
}

static void write_options(const char *text)
{
    assert_ok(file_write_atomic(FILE_OF_OPTIONS, text, strlen(text)));
}

static const char english[] = "The committee will be happy to have the report and that of the year with it.\n";
static const char german[] = "Der Ausschuss hat den Bericht und die Zahlen des Jahres gern zur Kenntnis genommen.\n";

static void stop_words_are_counted(void **state)
{
    static const char *const steps[] = {
        "[{filter: {profile: gopher@dolma, min-words: 5%s}}]", "dolma_required_word_count",
        "[{filter: {profile: curator-en, max-top-2-gram: 0, max-top-3-gram: 0, max-top-4-gram: 0, min-words: 5%s}}]", "curator_common_english_words",
    };

    for (int i = 0; i < 4; i += 2) {
        char plain[300], own[300], three[300];

        snprintf(plain, sizeof plain, steps[i], "");
        snprintf(own, sizeof own, steps[i], ", stop-words: [der, Der, und, die]");
        snprintf(three, sizeof three, steps[i], i == 0 ? ", stop-words: [der, Der, und, die], min-required-words: 4" :
                                                         ", stop-words: [der, Der, und, die], min-common-words: 4");
        assert_string_equal(verdict(plain, "a", NULL, english), "stays");
        assert_string_equal(verdict(plain, "a", NULL, german), steps[i + 1]);
        assert_string_equal(verdict(own, "a", NULL, german), "stays");
        assert_string_equal(verdict(own, "a", NULL, english), steps[i + 1]);
        assert_string_equal(verdict(three, "a", NULL, german), steps[i + 1]);      /* three of them stand there */
    }
}

static void languages_have_values_of_their_own(void **state)
{
    static const char *const steps[] = {
        "[{filter: {profile: gopher@dolma, min-words: 5, languages: " FILE_OF_OPTIONS "}}]", "dolma_required_word_count", "dolma_word_count_max",
        "[{filter: {profile: curator-en, max-top-2-gram: 0, max-top-3-gram: 0, max-top-4-gram: 0, min-words: 5, languages: " FILE_OF_OPTIONS "}}]", "curator_common_english_words", "curator_word_count_max",
    };

    write_options("de: {stop-words: [und, die]}\nzh: {max-words: 10}\n");
    for (int i = 0; i < 6; i += 3) {
        assert_string_equal(verdict(steps[i], "a", "de", german), "stays");
        assert_string_equal(verdict(steps[i], "a", "en", german), steps[i + 1]);
        assert_string_equal(verdict(steps[i], "a", NULL, german), steps[i + 1]);
        assert_string_equal(verdict(steps[i], "a", "de", english), steps[i + 1]);
        assert_string_equal(verdict(steps[i], "a", "en", english), "stays");
        assert_string_equal(verdict(steps[i], "a", "zh-Hant", english), steps[i + 2]);
    }
    unlink(FILE_OF_OPTIONS);
}

static void extensions_have_values_of_their_own(void **state)
{
    static const char step[] = "[{filter: {profile: code, min-comments: 0, extensions: " FILE_OF_OPTIONS "}}]";
    static const char lines[] = "int number_of_lines;\nint number_of_words;\nint number_of_signs;\n";

    write_options("h: {min-lines: 2}\npy:\n  min-lines: 3\n  max-line-length: 10\n");
    assert_string_equal(verdict(step, "folder/words.h", NULL, lines), "stays");
    assert_string_equal(verdict(step, "folder/words.c", NULL, lines), "code_num_lines_min");
    assert_string_equal(verdict(step, "words.h/README", NULL, lines), "code_num_lines_min");
    assert_string_equal(verdict(step, "words.py", NULL, lines), "code_max_line_length");
    unlink(FILE_OF_OPTIONS);
}

static void faults_have_a_place(void **state)
{
    static const char *const files[] = {
        "gopher@dolma, languages", "de: {min-wrds: 2}", "did you mean 'min-words'?",
        "gopher@dolma, languages", "de: {languages: x}", "cannot differ by language",
        "curator-en, languages", "de:\n  stop-words: [a, '']", ":2:",
        "curator-en, languages", "- de", "want a map of languages",
        "code, extensions", "py: {max-lines: few}", ":1:",
        "code, extensions", "py: {extensions: x}", "cannot differ",
        NULL
    };

    for (int i = 0; files[i]; i += 3) {
        struct one_chain c;
        char step[200];

        write_options(files[i + 1]);
        snprintf(step, sizeof step, "[{filter: {profile: %s: " FILE_OF_OPTIONS "}}]", files[i]);
        assert_ok(one_chain_parse(&c, step));
        assert_int_equal(chain_load(&c.chain), ST_CONFIG);
        if (strstr(fail_message(), files[i + 2]) == NULL || strstr(fail_message(), FILE_OF_OPTIONS) == NULL)
            fail_msg("'%s' gave: %s", files[i + 1], fail_message());
        one_chain_end(&c);
    }
    unlink(FILE_OF_OPTIONS);
}

/* Words with a letter, of `all`: the rest is numbers. */
static const char *share_of_letters(struct buf *text, int letters, int all)
{
    static const char step[] = "[{filter: {profile: gopher@dolma, min-required-words: 0, min-median-word-length: 0, max-dup-5-gram: 0, "
                               "max-dup-6-gram: 0, max-dup-7-gram: 0, max-dup-8-gram: 0, max-dup-9-gram: 0, max-dup-10-gram: 0}}]";

    text->n = 0;
    for (int i = 0; i < all; i++)
        buf_add(text, i < letters ? "a " : "1 ", 2);
    buf_add(text, "", 1);
    return verdict(step, "a", NULL, text->p);
}

/* Scores are judged with five digits, as Dolma writes them. */
static void dolma_scores_have_five_digits(void **state)
{
    struct buf text = { 0 };

    assert_string_equal(share_of_letters(&text, 80, 100), "stays");
    assert_string_equal(share_of_letters(&text, 16003, 20004), "dolma_words_with_alpha_character");      /* 0.79999000 */
    assert_string_equal(share_of_letters(&text, 80003, 100004), "dolma_word_count_max");
    assert_string_equal(share_of_letters(&text, 71999, 89999), "stays");                                 /* 0.79999777 */
    assert_string_equal(share_of_letters(&text, 71998, 89999), "dolma_words_with_alpha_character");      /* 0.79998666 */
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stop_words_are_counted),
        cmocka_unit_test(languages_have_values_of_their_own),
        cmocka_unit_test(extensions_have_values_of_their_own),
        cmocka_unit_test(faults_have_a_place),
        cmocka_unit_test(dolma_scores_have_five_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
