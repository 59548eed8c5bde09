#include "curate/filter/space_rules.h"

#include "base/yaml.h"

bool space_judge(struct doc *d, struct trace *t, const struct space_rule *r, double value, double threshold)
{
    bool over = r->side == TRACE_AT_MOST ? value > threshold : value < threshold;
    struct trace_value v = { &r->reason, value, threshold, threshold == 0 ? TRACE_TELLS : r->side,
                             threshold != 0 && r->side != TRACE_TELLS && over };

    return doc_judge(d, t, &v);
}

struct space_scan *space_scan_of_doc(const struct doc *d, struct step_work *w)
{
    return space_scan_of(&w->space, (struct space_key){ d->number, d->edits, { d->text.p, d->text.n } });
}

enum status space_check_words(const struct opt_list *words, const struct yaml *at)
{
    if (words->count > SPACE_STOP_WORDS_MAX)
        return yaml_fail(at, "%zu stop words; want at most %d", words->count, SPACE_STOP_WORDS_MAX);
    for (size_t i = 0; i < words->count; i++)
        if (*words->v[i] == 0)
            return yaml_fail(at, "stop word %zu is empty; want a word", i + 1);
    return ST_OK;
}

uint64_t space_count_words(struct space_scan *s, const struct opt_list *words)
{
    uint64_t hashes[SPACE_STOP_WORDS_MAX], seen = 0, count = 0;
    const struct space_words *list = space_words(s);

    if (words->count == 0)
        return list->common;
    for (size_t i = 0; i < words->count; i++) {
        hashes[i] = space_word_hash(words->v[i], strlen(words->v[i]));
        seen |= UINT64_C(1) << hashes[i] % 64;
    }
    for (size_t i = 0; i < s->word_count; i++)
        for (size_t k = 0; (seen >> list->words[i].hash % 64 & 1) && k < words->count; k++)
            if (hashes[k] == list->words[i].hash) {
                count++;
                break;
            }
    return count;
}
