#include "curate/language/cld2_shim.h"

#include <cstdio>          /* CLD2's header wants it before */

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

struct cld2_guess cld2_detect(const char *text, size_t n)
{
    CLD2::CLDHints none = { nullptr, nullptr, CLD2::UNKNOWN_ENCODING, CLD2::UNKNOWN_LANGUAGE };
    CLD2::Language best[3];
    double scores[3];
    int percent[3], letters;
    bool reliable;
    struct cld2_guess guess;

    CLD2::ExtDetectLanguageSummary(text, static_cast<int>(n), true, &none, 0, best, percent, scores, nullptr, &letters,
                                   &reliable);
    guess.code = CLD2::LanguageCode(best[0]);
    guess.share = percent[0] / 100.0;
    guess.reliable = reliable;
    return guess;
}
