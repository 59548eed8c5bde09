/* What the work folder says when the power has gone, and the journal in any state. */
#include "test.h"

#include "base/rng.h"
#include "pipelines/run/journal.h"
#include "scene.h"

#define SEED 9100

static void begin(struct scene *s, const char *stages)
{
    struct buf text = { 0 };

    scene_begin(s);
    buf_printf(&text, "pipeline: p\nstages:\n%s", stages);
    scene_write("p.yaml", text.p);
    buf_release(&text);
}

static const char *text_of(const json_t *event, const char *member)
{
    const char *text = json_string_value(json_object_get(event, member));

    return text != NULL ? text : "";
}

/* ---- power loss ---- */

/* What a power loss behind the stage's end leaves: an artifact, perhaps with bytes lost, a "start" of another
 * boot, and no "done". */
static void forget_done(const char *stage)
{
    char *rest = NULL, want[64];
    struct buf text = { 0 }, kept = { 0 };

    snprintf(want, sizeof want, "\"stage\":\"%s\"", stage);
    scene_read("work/p/journal.jsonl", &text);
    for (char *line = strtok_r(text.p, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        char *boot = strstr(line, "\"boot\":\"");
        if (strstr(line, want) != NULL && strstr(line, "\"event\":\"done\"") != NULL)
            continue;
        if (boot != NULL)
            boot[8] = boot[8] == '0' ? '1' : '0';
        buf_printf(&kept, "%s\n", line);
    }
    scene_write("work/p/journal.jsonl", kept.p);
    buf_release(&text);
    buf_release(&kept);
}

/* The same number of other bytes. */
static void flip(const char *path)
{
    int fd = open(path, O_RDWR);
    char c;

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &c, 1, 3), 1);
    c ^= 1;
    assert_int_equal(pwrite(fd, &c, 1, 3), 1);
    close(fd);
}

static const char *const three = "  a: {uses: grow}\n"
                                 "  b: {uses: grow, with: {in: \"@a\"}}\n"
                                 "  c: {uses: grow, with: {in: \"@b\"}}\n";

static void power_loss_costs_what_it_took_and_no_more(void **state)
{
    struct scene s;

    begin(&s, three);
    assert_run(&s, 0, "run", "p.yaml");
    assert_string_equal(scene_ran(&s), "a b c");
    forget_done("b");
    assert_run(&s, 0, "run", "p.yaml");      /* whole: found finished */
    assert_string_equal(scene_ran(&s), "");
    forget_done("b");
    flip("work/p/current/b/data");
    assert_run(&s, 0, "run", "p.yaml");
    assert_string_equal(scene_ran(&s), "b");
    scene_end(&s);
}

/* An older "done" of the same key says nothing of an artifact that was being made again. */
static void an_older_success_does_not_vouch_for_a_later_attempt(void **state)
{
    const char *key, *artifact;
    struct journal *j;
    struct scene s;

    begin(&s, three);
    assert_run(&s, 0, "run", "p.yaml");
    scene_ran(&s);
    assert_ok(journal_open("work/p/journal.jsonl", &j));
    key = text_of(journal_of(j, "b").start, "key");
    artifact = text_of(journal_of(j, "b").start, "artifact");
    assert_true(journal_has_done(j, "b", key));
    assert_ok(journal_append(j, json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:s}", "event", "start", "stage", "b",
                                          "key", key, "artifact", artifact, "attempt", 2, "log", "b-2.log", "boot",
                                          "another", "mark", "none-0-0-0")));
    assert_false(journal_has_done(j, "b", key));
    journal_close(j);
    flip("work/p/current/b/data");
    assert_run(&s, 0, "run", "p.yaml");
    assert_string_equal(scene_ran(&s), "b");
    scene_end(&s);
}

/* ---- the journal ---- */

/* Cut anywhere in its last two lines: what is whole is read, and the next event stands in a line of its own. */
static void a_journal_may_end_at_any_byte(void **state)
{
    struct buf text = { 0 }, now_text = { 0 };
    size_t from, lines;
    struct journal *j;
    struct scene s;

    begin(&s, three);
    assert_run(&s, 0, "run", "p.yaml");
    assert_ok(file_read("work/p/journal.jsonl", 1 << 20, &text));
    from = text.n - 1;
    for (int n = 0; n < 2 && from > 0; from--)
        n += text.p[from - 1] == '\n';
    for (size_t cut = from; cut <= text.n; cut++) {
        FILE *f = fopen("cut", "w");
        assert_int_equal(fwrite(text.p, 1, cut, f), cut);
        fclose(f);
        lines = 0;
        for (size_t i = 0; i < cut; i++)
            lines += text.p[i] == '\n';
        assert_ok(journal_open("cut", &j));
        assert_ok(journal_append(j, json_pack("{s:s, s:s, s:s}", "event", "failed", "stage", "a", "key", "new")));
        journal_close(j);
        assert_ok(journal_open("cut", &j));
        assert_string_equal(text_of(journal_of(j, "a").end, "key"), "new");
        journal_close(j);
        assert_ok(file_read("cut", 1 << 20, &now_text));
        for (size_t i = 0; i < now_text.n; i++)
            lines -= now_text.p[i] == '\n';
        assert_int_equal(lines, -1);
    }
    assert_int_equal(truncate("work/p/journal.jsonl", (off_t)text.n - 20), 0);
    assert_run(&s, 0, "run", "p.yaml");
    scene_ran(&s);
    buf_release(&text);
    buf_release(&now_text);
    scene_end(&s);
}

#define STAGE_COUNT 12
#define KEY_COUNT 9

static json_t *random_event(struct rng *r)
{
    static const char *const events[] = { "start", "process", "done", "failed", "interrupted", "gate" };
    const char *what = events[rng_below(r, 6)];
    char stage[24], key[80], room[64];
    json_t *e;

    snprintf(stage, sizeof stage, "stage%d", (int)rng_below(r, STAGE_COUNT));
    snprintf(key, sizeof key, "%064d", (int)rng_below(r, KEY_COUNT));
    snprintf(room, sizeof room, "%llx", (unsigned long long)rng_next(r));
    e = json_pack("{s:s, s:s}", "event", what, "stage", stage);
    if (strcmp(what, "process") == 0)
        json_object_update_new(e, json_pack("{s:I, s:I}", "pid", (json_int_t)rng_below(r, 30000),
                                            "ticks", (json_int_t)7));
    else if (strcmp(what, "gate") == 0)
        json_object_update_new(e, json_pack("{s:s, s:s, s:s}", "digest", key, "gate", "{\"max\":2}", "outcome", room));
    else
        json_object_update_new(e, json_pack("{s:s, s:s, s:s}", "key", key, "artifact", room, "log", room));
    return e;
}

static void add_json(struct buf *out, const json_t *value)
{
    if (value != NULL)
        json_canonical(out, value);
    buf_adds(out, "\n");
}

/* Every answer that the journal gives. */
static void ask_all(const struct journal *j, struct buf *out)
{
    char stage[24], key[80];

    buf_clear(out);
    for (int i = 0; i < STAGE_COUNT; i++) {
        struct journal_view v;
        snprintf(stage, sizeof stage, "stage%d", i);
        v = journal_of(j, stage);
        add_json(out, v.start);
        add_json(out, v.end);
        add_json(out, v.done);
        buf_printf(out, "%lld %d\n", v.attempts, journal_is_open(j, stage));
        for (int k = 0; k < KEY_COUNT; k++) {
            snprintf(key, sizeof key, "%064d", k);
            buf_printf(out, "%d %d ", journal_has_done(j, stage, key), journal_ends_with(j, stage, key));
            add_json(out, journal_done(j, stage, key));
            add_json(out, journal_verdict(j, stage, key, "{\"max\":2}"));
        }
    }
}

/* Written by hand, since appending four megabytes takes long. */
static void write_long_journal(struct rng *r)
{
    FILE *f = fopen("long", "w");
    long long attempts[STAGE_COUNT] = { 0 };
    struct buf line = { 0 };

    assert_non_null(f);
    for (double t = 1; ftell(f) < (long)JOURNAL_COMPACT_BYTES + 1000; t += 0.001) {
        json_t *e = random_event(r);
        const char *stage = text_of(e, "stage");
        int i = atoi(stage + 5);
        if (strcmp(text_of(e, "event"), "start") == 0)
            json_object_set_new(e, "attempt", json_integer(++attempts[i]));
        json_object_set_new(e, "t", json_real(t));
        buf_clear(&line);
        json_canonical(&line, e);
        fprintf(f, "%s\n", line.p);
        json_decref(e);
    }
    assert_int_equal(fclose(f), 0);
    buf_release(&line);
}

static void write_anew_and_compare(uint64_t seed)
{
    struct rng r = { .seed = seed };
    struct buf before = { 0 }, after = { 0 };
    uint64_t bytes = 0;
    struct journal *j;
    struct scene s;

    scene_begin(&s);
    write_long_journal(&r);
    assert_ok(journal_open("long", &j));
    ask_all(j, &before);
    assert_ok(journal_compact(j));
    ask_all(j, &after);
    assert_string_equal(before.p, after.p);
    journal_close(j);
    assert_ok(file_size("long", &bytes));
    assert_true(bytes < 200000);
    assert_ok(journal_open("long", &j));
    ask_all(j, &after);
    assert_string_equal(before.p, after.p);
    journal_close(j);
    buf_release(&before);
    buf_release(&after);
    scene_end(&s);
}

static void a_journal_that_is_written_anew_gives_the_same_answers(void **state)
{
    const char *rounds = getenv("TUNDISH_PROPERTY_ROUNDS");
    int n = rounds != NULL && atoi(rounds) > 0 ? atoi(rounds) : 1;

    for (int i = 0; i < 2 * n; i++)
        write_anew_and_compare(SEED + (uint64_t)i);
    print_message("seeds from %d\n", SEED);
}

/* The longest name that a matrix can make is one that the journal can keep. */
static void the_longest_stage_name_is_kept(void **state)
{
    struct buf text = { 0 };
    struct scene s;

    buf_printf(&text, "  %064d: {matrix: {", 0);
    for (int i = 0; i < 8; i++)
        buf_printf(&text, "%s%064d: [%040d]", i ? ", " : "", i, i);
    buf_adds(&text, "}, run: [\"true\"]}\n");
    begin(&s, text.p);
    assert_run(&s, 0, "run", "p.yaml");
    assert_run(&s, 0, "run", "p.yaml");
    assert_has(s.err.p, "1 stage: 1 cached");
    buf_release(&text);
    scene_end(&s);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_loss_costs_what_it_took_and_no_more),
        cmocka_unit_test(an_older_success_does_not_vouch_for_a_later_attempt),
        cmocka_unit_test(a_journal_may_end_at_any_byte),
        cmocka_unit_test(a_journal_that_is_written_anew_gives_the_same_answers),
        cmocka_unit_test(the_longest_stage_name_is_kept),
    };

    fake_be_program(argc, argv);
    return cmocka_run_group_tests_name("run_journal", tests, NULL, NULL);
}
