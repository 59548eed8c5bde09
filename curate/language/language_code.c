#include "curate/language/language_code.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

struct code_pair {
    char three[4], two[4];
};

/* ISO 639-3 to ISO 639-1, sorted. */
static const struct code_pair iso_codes[] = {
    { "aar", "aa" }, { "abk", "ab" }, { "afr", "af" }, { "aka", "ak" }, { "amh", "am" }, { "ara", "ar" },
    { "arg", "an" }, { "asm", "as" }, { "ava", "av" }, { "ave", "ae" }, { "aym", "ay" }, { "aze", "az" },
    { "bak", "ba" }, { "bam", "bm" }, { "bel", "be" }, { "ben", "bn" }, { "bis", "bi" }, { "bod", "bo" },
    { "bos", "bs" }, { "bre", "br" }, { "bul", "bg" }, { "cat", "ca" }, { "ces", "cs" }, { "cha", "ch" },
    { "che", "ce" }, { "chu", "cu" }, { "chv", "cv" }, { "cor", "kw" }, { "cos", "co" }, { "cre", "cr" },
    { "cym", "cy" }, { "dan", "da" }, { "deu", "de" }, { "div", "dv" }, { "dzo", "dz" }, { "ell", "el" },
    { "eng", "en" }, { "epo", "eo" }, { "est", "et" }, { "eus", "eu" }, { "ewe", "ee" }, { "fao", "fo" },
    { "fas", "fa" }, { "fij", "fj" }, { "fin", "fi" }, { "fra", "fr" }, { "fry", "fy" }, { "ful", "ff" },
    { "gla", "gd" }, { "gle", "ga" }, { "glg", "gl" }, { "glv", "gv" }, { "grn", "gn" }, { "guj", "gu" },
    { "hat", "ht" }, { "hau", "ha" }, { "heb", "he" }, { "her", "hz" }, { "hin", "hi" }, { "hmo", "ho" },
    { "hrv", "hr" }, { "hun", "hu" }, { "hye", "hy" }, { "ibo", "ig" }, { "ido", "io" }, { "iii", "ii" },
    { "iku", "iu" }, { "ile", "ie" }, { "ina", "ia" }, { "ind", "id" }, { "ipk", "ik" }, { "isl", "is" },
    { "ita", "it" }, { "jav", "jv" }, { "jpn", "ja" }, { "kal", "kl" }, { "kan", "kn" }, { "kas", "ks" },
    { "kat", "ka" }, { "kau", "kr" }, { "kaz", "kk" }, { "khm", "km" }, { "kik", "ki" }, { "kin", "rw" },
    { "kir", "ky" }, { "kom", "kv" }, { "kon", "kg" }, { "kor", "ko" }, { "kua", "kj" }, { "kur", "ku" },
    { "lao", "lo" }, { "lat", "la" }, { "lav", "lv" }, { "lim", "li" }, { "lin", "ln" }, { "lit", "lt" },
    { "ltz", "lb" }, { "lub", "lu" }, { "lug", "lg" }, { "mah", "mh" }, { "mal", "ml" }, { "mar", "mr" },
    { "mkd", "mk" }, { "mlg", "mg" }, { "mlt", "mt" }, { "mon", "mn" }, { "mri", "mi" }, { "msa", "ms" },
    { "mya", "my" }, { "nau", "na" }, { "nav", "nv" }, { "nbl", "nr" }, { "nde", "nd" }, { "ndo", "ng" },
    { "nep", "ne" }, { "nld", "nl" }, { "nno", "nn" }, { "nob", "nb" }, { "nor", "no" }, { "nya", "ny" },
    { "oci", "oc" }, { "oji", "oj" }, { "ori", "or" }, { "orm", "om" }, { "oss", "os" }, { "pan", "pa" },
    { "pli", "pi" }, { "pol", "pl" }, { "por", "pt" }, { "pus", "ps" }, { "que", "qu" }, { "roh", "rm" },
    { "ron", "ro" }, { "run", "rn" }, { "rus", "ru" }, { "sag", "sg" }, { "san", "sa" }, { "sin", "si" },
    { "slk", "sk" }, { "slv", "sl" }, { "sme", "se" }, { "smo", "sm" }, { "sna", "sn" }, { "snd", "sd" },
    { "som", "so" }, { "sot", "st" }, { "spa", "es" }, { "sqi", "sq" }, { "srd", "sc" }, { "srp", "sr" },
    { "ssw", "ss" }, { "sun", "su" }, { "swa", "sw" }, { "swe", "sv" }, { "tah", "ty" }, { "tam", "ta" },
    { "tat", "tt" }, { "tel", "te" }, { "tgk", "tg" }, { "tgl", "tl" }, { "tha", "th" }, { "tir", "ti" },
    { "ton", "to" }, { "tsn", "tn" }, { "tso", "ts" }, { "tuk", "tk" }, { "tur", "tr" }, { "twi", "tw" },
    { "uig", "ug" }, { "ukr", "uk" }, { "urd", "ur" }, { "uzb", "uz" }, { "ven", "ve" }, { "vie", "vi" },
    { "vol", "vo" }, { "wln", "wa" }, { "wol", "wo" }, { "xho", "xh" }, { "yid", "yi" }, { "yor", "yo" },
    { "zha", "za" }, { "zho", "zh" }, { "zul", "zu" },
};

/* Members of a macrolanguage that models with a script in their labels have for the whole; sorted. Not without the
 * script: Wikipedia's `als`, which is in fastText's own model, is Alemannic, ISO's is Tosk Albanian. */
static const struct code_pair members[] = {
    { "als", "sq" }, { "arb", "ar" }, { "ayr", "ay" }, { "azj", "az" }, { "cmn", "zh" }, { "ekk", "et" },
    { "fuv", "ff" }, { "gaz", "om" }, { "gug", "gn" }, { "khk", "mn" }, { "kmr", "ku" }, { "knc", "kr" },
    { "lvs", "lv" }, { "npi", "ne" }, { "ory", "or" }, { "pbt", "ps" }, { "pes", "fa" }, { "plt", "mg" },
    { "quy", "qu" }, { "swh", "sw" }, { "uzn", "uz" }, { "ydd", "yi" }, { "zsm", "ms" },
};

/* Codes that were ISO's once, or are Wikipedia's; sorted. */
static const struct code_pair old_codes[] = {
    { "als", "gsw" }, { "bh", "bho" }, { "in", "id" }, { "iw", "he" }, { "ji", "yi" }, { "jw", "jv" }, { "mo", "ro" },
};

/* Not languages: undetermined, none, several, and what CLD2 plays with. */
static const char *const nothing[] = {
    "mis", "mul", "un", "und", "unk", "xx", "xxx", "zxx", "zzb", "zze", "zzh", "zzp",
};

#define COUNT_OF(table) (sizeof(table) / sizeof *(table))

static int compare_pair(const void *key, const void *row)
{
    return strcmp(key, ((const struct code_pair *)row)->three);
}

static const char *look_up(const struct code_pair *table, size_t count, const char *code)
{
    const struct code_pair *row = bsearch(code, table, count, sizeof *table, compare_pair);

    return row ? row->two : NULL;
}

static bool is_nothing(const char *code)
{
    for (size_t i = 0; i < COUNT_OF(nothing); i++)
        if (strcmp(nothing[i], code) == 0)
            return true;
    return false;
}

/* The letters before '_' or '-', in lower case: 2 or 3 of them. */
static size_t main_part(struct span label, char out[4])
{
    size_t n = 0;

    while (n < label.n && isalpha((unsigned char)label.p[n])) {
        if (n == 3)
            return 0;
        out[n] = (char)tolower((unsigned char)label.p[n]);
        n++;
    }
    out[n] = 0;
    return n >= 2 && (n == label.n || label.p[n] == '_' || label.p[n] == '-') ? n : 0;
}

bool language_code(struct span label, char out[LANGUAGE_CODE])
{
    static const char prefix[] = "__label__";
    char code[4];
    const char *found;
    size_t n;
    bool with_script;

    out[0] = 0;
    if (label.n >= strlen(prefix) && memcmp(label.p, prefix, strlen(prefix)) == 0)
        label = (struct span){ label.p + strlen(prefix), label.n - strlen(prefix) };
    n = main_part(label, code);
    if (n == 0 || is_nothing(code))
        return false;
    with_script = label.n == n + 5 && label.p[n] == '_';
    found = with_script ? look_up(members, COUNT_OF(members), code) : look_up(old_codes, COUNT_OF(old_codes), code);
    if (found == NULL)
        found = look_up(iso_codes, COUNT_OF(iso_codes), code);
    strcpy(out, found ? found : code);
    if (strcmp(out, "zh") == 0 && label.n == n + 5 && strncasecmp(label.p + n + 1, "hant", 4) == 0)
        strcat(out, "-Hant");
    return true;
}

bool language_code_exists(const char *code)
{
    bool exists = strcspn(code, "-") == 3 || strcmp(code, "sh") == 0;

    for (size_t i = 0; !exists && i < COUNT_OF(iso_codes); i++)
        exists = language_covers(iso_codes[i].two, code);
    return exists;
}

bool language_covers(const char *wanted, const char *code)
{
    size_t n = strlen(wanted);

    return strncmp(wanted, code, n) == 0 && (code[n] == 0 || code[n] == '-');
}
