/* What datatrove decides about the texts of golden/gopher_peer.jsonl (made by gopher_peer.py beside it), and what we decide. The
 * rules are the same; the words are not quite (curate/text/text_scan.h), so elsewhere a text at a threshold may differ. In the file
 * "created" holds the peer's reason and "source" its number of words. */
#include "test.h"

#include <math.h>
#include <stdio.h>

#include "base/arena.h"
#include "curate/filter/gopher.h"

static const char *decide(struct arena *a, struct span text, struct step_work *work, size_t *words)
{
    struct gopher_cfg cfg = { 0 };
    struct yaml *none;
    struct doc d = { 0 };

    assert_ok(yaml_parse(a, "options", "{}", 2, &none));
    assert_ok(opt_from_yaml(gopher_opts, a, none, &cfg));
    buf_add(&d.text, text.p, text.n);
    assert_ok(gopher_load(&cfg));
    assert_ok(gopher_each(&cfg, &d, work));
    gopher_unload(&cfg);
    buf_release(&d.text);
    *words = work->gopher->scan.word_count;
    return d.dropped ? d.dropped->key : "keep";
}

static void decisions_are_datatroves(void **state)
{
    struct arena a;
    struct step_work work = { 0 };
    struct document_reader *reader;
    struct document d;
    size_t texts = 0, other_reason = 0, other_fate = 0;
    double words = 0, peer_words = 0;
    bool got;
    char path[1000];

    arena_init(&a);
    snprintf(path, sizeof path, "%.*s/golden/gopher_peer.jsonl", (int)(strrchr(__FILE__, '/') - __FILE__), __FILE__);
    assert_ok(document_reader_open(path, &reader));
    for (;;) {
        size_t ours;
        const char *reason;

        assert_ok(document_reader_next(reader, &d, &got));
        if (!got)
            break;
        reason = decide(&a, d.text, &work, &ours);
        texts++;
        words += (double)ours;
        peer_words += strtod(arena_strndup(&a, d.source.p, d.source.n), NULL);
        if (span_eq(d.created, reason))
            continue;
        print_message("text %.*s: %s, datatrove says %.*s\n", (int)d.id.n, d.id.p, reason, (int)d.created.n, d.created.p);
        other_reason++;
        other_fate += span_eq(d.created, "keep") != (strcmp(reason, "keep") == 0);
    }
    document_reader_close(reader);
    step_work_release(NULL, &work);
    arena_release(&a);
    assert_true(texts > 50);
    assert_int_equal(other_reason, 0);
    assert_int_equal(other_fate, 0);
    assert_true(fabs(words / peer_words - 1) < 0.01);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(decisions_are_datatroves) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
