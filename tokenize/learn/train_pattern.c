#include "tokenize/learn/train_pattern.h"

#include <string.h>

#include "tokenize/pretok/pretok.h"

/* How the named patterns write a run of digits; the longer ones first. */
static const char *const digit_forms[] = { "\\p{N}{1,3}", "\\p{N}+", "\\p{N}" };

static const char *digits_text(enum train_digits digits)
{
    return digits == DIGITS_1 ? "\\p{N}" : digits == DIGITS_3 ? "\\p{N}{1,3}" : "\\p{N}+";
}

/* The alternative that is digits alone, behind '|' and perhaps " ?"; [^..\p{N}] is not one. */
static const char *find_digits(const char *pattern, size_t *n)
{
    for (const char *p = pattern; (p = strstr(p, "\\p{N}")) != NULL; p++) {
        bool begins = p > pattern && (p[-1] == '|' || (p[-1] == '?' && p - pattern > 2 && p[-3] == '|'));

        for (size_t i = 0; begins && i < sizeof digit_forms / sizeof *digit_forms; i++) {
            *n = strlen(digit_forms[i]);
            if (strncmp(p, digit_forms[i], *n) == 0 && (p[*n] == '|' || p[*n] == 0))
                return p;
        }
    }
    return NULL;
}

static enum status change_digits(struct arena *a, const struct train_cuts_args *args,
                                 const char **pattern)
{
    size_t n = 0;
    const char *at = pretok_pattern_text(args->pattern) ? find_digits(*pattern, &n) : NULL;

    if (at == NULL)
        return fail(ST_CONFIG,
                    "digits can be changed in a named pattern only, and the pattern is '%s'; write "
                    "there how digits are cut",
                    args->pattern);
    *pattern = arena_printf(a, "%.*s%s%s", (int)(at - *pattern), *pattern,
                            digits_text(args->digits), at + n);
    return ST_OK;
}

/* Runs of letters of one script, with the marks on them and a space in front. What matches none
 * (digits, punctuation) stays as it is. The long sound mark belongs to both kinds of kana. */
static const char *script_pattern(struct arena *a)
{
    static const char *const scripts[] = {
        "Latin",    "Greek",    "Cyrillic", "Armenian", "Hebrew",  "Arabic",    "Syriac",  "Thaana",
        "Bengali",  "Gurmukhi", "Gujarati", "Oriya",    "Tamil",   "Telugu",    "Kannada", "Malayalam",
        "Sinhala",  "Thai",     "Lao",      "Tibetan",  "Myanmar", "Georgian",  "Hangul",  "Devanagari",
        "Ethiopic", "Khmer",    "Mongolian", "Han",     "Hiragana", "Katakana",
    };
    char *text = "";

    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        bool kana = strcmp(scripts[i], "Hiragana") == 0 || strcmp(scripts[i], "Katakana") == 0;

        text = arena_printf(a, "%s%s ?\\p{%s}[\\p{%s}\\p{M}%s]*", text, i ? "|" : "", scripts[i],
                            scripts[i], kana ? "\xE3\x83\xBC" : "");
    }
    return text;
}

/* A word alone would be a pattern that cuts that very word out of the text: surely a name misspelt. */
static enum status check_name(const char *pattern)
{
    const char *names[32] = { NULL }, *near;
    size_t n = 0, letters = strspn(pattern, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

    if (pattern[letters] != 0)
        return ST_OK;
    for (const struct pretok_pattern *p = pretok_patterns; p->name && n + 1 < 32; p++)
        names[n++] = p->name;
    near = str_nearest(pattern, names);
    return near ? fail(ST_CONFIG,
                       "pattern '%.60s' is neither a name nor a regular expression; did you mean '%s'?",
                       pattern, near)
                : fail(ST_CONFIG,
                       "pattern '%.60s' is neither a name nor a regular expression; names are gpt2, "
                       "cl100k, llama3, qwen2, o200k and the like",
                       pattern);
}

enum status train_cuts(struct arena *a, const struct train_cuts_args *args, struct train_cuts *out)
{
    *out = (struct train_cuts){ .patterns = { pretok_pattern_text(args->pattern) } };
    if (out->patterns[0] == NULL) {
        TRY(check_name(args->pattern));
        out->patterns[0] = args->pattern;
    }
    if (args->digits != DIGITS_PATTERN)
        TRY(change_digits(a, args, &out->patterns[0]));
    if (args->scripts)
        out->patterns[1] = script_pattern(a);
    return ST_OK;
}
