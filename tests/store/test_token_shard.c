/* One token shard: what ends the process, or fills the disk, leaves a working file that is gone on with, and the finished file does not
 * tell of it. */
#include "store/making.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "store/tokens/token_reader.h"
#include "store/tokens/token_shard.h"

static const struct making_store few = { .documents = 400, .longest = 9000, .vocab = 1000, .validation = 0.25 };
static const struct making_store bulky = { .documents = 40, .longest = 900000, .vocab = 200000, .validation = 0.1 };
static const struct making_store many = { .documents = 20000, .longest = 40, .vocab = 200000, .validation = 0.4 };

static struct token_shard_meta meta_of(const struct making_store *m)
{
    struct token_shard_meta meta = { .vocab = m->vocab, .tokenizer = MAKING_TOKENIZER, .corpus = MAKING_TOKENIZER };

    return meta;
}

static enum status begin(const struct making_store *m, const char *path, struct token_shard_writer **w)
{
    struct token_shard_meta meta = meta_of(m);

    return token_shard_begin(path, &meta, w);
}

static uint64_t documents_of(const struct token_shard_writer *w)
{
    const struct token_shard_meta *m = token_shard_state(w);

    return m->parts[TOKENS_TRAIN].documents + m->parts[TOKENS_VALIDATION].documents;
}

/* Adds at most n documents from where the shard stands. */
static enum status add(struct token_shard_writer *w, const struct making_store *m, uint64_t n)
{
    struct making_document doc = { .tokens = NULL };
    uint64_t from = documents_of(w);
    enum status st = ST_OK;

    for (uint64_t i = from; st == ST_OK && i < m->documents && i - from < n; i++) {
        making_make(m, i, &doc);
        st = token_shard_add(w, token_part_of(making_hash(i), m->validation), &doc.d);
    }
    free(doc.tokens);
    return st;
}

/* The shard as it is without an interruption. */
static struct span whole(const struct making_store *m)
{
    const char *path = scratch_path("whole.mdb");
    struct token_shard_writer *w;

    assert_ok(begin(m, path, &w));
    assert_ok(add(w, m, UINT64_MAX));
    assert_ok(token_shard_finish(w));
    assert_false(file_exists(arena_printf(&scratch_arena, "%s.part", path)));
    assert_false(file_exists(arena_printf(&scratch_arena, "%s.part.new", path)));
    assert_false(file_exists(arena_printf(&scratch_arena, "%s.new", path)));
    return read_whole(path);
}

static struct span bulky_whole(void)
{
    static struct span made;

    if (made.p == NULL)
        made = whole(&bulky);
    return made;
}

static void assert_same_file(const char *path, struct span want)
{
    struct span seen = read_whole(path);

    assert_int_equal(seen.n, want.n);
    for (size_t i = 0; i < seen.n; i++)
        if (seen.p[i] != want.p[i])
            fail_msg("byte %zu of '%s' differs", i, path);
}

/* ---- going on ---- */

static void interruptions_do_not_show(void **state)
{
    static const struct making_store *const makings[] = { &few, &many };

    for (size_t k = 0; k < 2; k++) {
        const struct making_store *m = makings[k];
        const char *path = scratch_path("interrupted.mdb");
        struct span want = whole(m);
        struct token_shard_writer *w;

        for (uint64_t done = 0, turn = 0; done < m->documents; turn++) {
            bool commit = rng_at(3, 1, turn) % 3 > 0;
            uint64_t n = rng_at(3, 2, turn) % (m->documents / 4);

            assert_ok(begin(m, path, &w));
            assert_int_equal(documents_of(w), done);
            assert_ok(add(w, m, n));
            done = commit ? documents_of(w) : done;
            token_shard_leave(w, commit);
        }
        assert_ok(begin(m, path, &w));
        assert_ok(token_shard_finish(w));
        assert_same_file(path, want);
    }
}

/* A document behind the last commit is not there, and one that is there is whole. */
static void a_transaction_ends_with_a_document(void **state)
{
    const char *path = scratch_path("cut.mdb");
    struct token_shard_writer *w;
    uint64_t kept;

    assert_ok(begin(&bulky, path, &w));
    assert_ok(add(w, &bulky, 25));
    assert_true(token_shard_state(w)->parts[TOKENS_TRAIN].tokens > (34 << 20) / 4);
    token_shard_leave(w, false);
    assert_ok(begin(&bulky, path, &w));
    kept = documents_of(w);
    assert_in_range(kept, 5, 24);
    token_shard_leave(w, false);
    assert_ok(begin(&bulky, path, &w));
    assert_int_equal(documents_of(w), kept);
    token_shard_abort(w);
    assert_ok(begin(&bulky, path, &w));
    assert_int_equal(documents_of(w), 0);
    token_shard_abort(w);
    assert_false(file_exists(arena_printf(&scratch_arena, "%s.part", path)));
}

/* What a process does that is killed sooner or later. */
static void work_until_killed(const struct making_store *m, const char *path, uint64_t at_a_time)
{
    struct token_shard_writer *w;

    for (;;) {
        if (begin(m, path, &w) != ST_OK || add(w, m, at_a_time) != ST_OK)
            _exit(1);
        if (documents_of(w) == m->documents)
            _exit(token_shard_finish(w) != ST_OK);
        token_shard_leave(w, true);
    }
}

static int kill_after(const struct making_store *m, const char *path, uint64_t at_a_time, useconds_t delay)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0)
        work_until_killed(m, path, at_a_time);
    usleep(delay);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* Kills at any moment: while it is made, while it commits, while it is finished. */
static void a_killed_writer_is_gone_on_with(void **state)
{
    const char *path = scratch_path("killed.mdb");
    struct span want = whole(&few);
    int kills = 0;

    for (uint64_t turn = 0; !file_exists(path); turn++) {
        /* ever longer, so that it ends on the slowest machine */
        int status = kill_after(&few, path, 7, (useconds_t)(rng_at(5, 1, turn) % (4000 + 1500 * turn)));

        if (WIFEXITED(status))
            assert_int_equal(WEXITSTATUS(status), 0);
        else
            kills++;
    }
    assert_true(kills >= 3);
    assert_same_file(path, want);
}

/* A process that dies between the renaming and the removal of the working file. */
static void a_finished_shard_wins(void **state)
{
    const char *path = scratch_path("both.mdb");
    struct token_shard_writer *w;

    put_file(path, "x", 1);
    put_file(arena_printf(&scratch_arena, "%s.part", path), "y", 1);
    assert_fails(ST_CONFIG, "is there already", begin(&few, path, &w));
}

static void another_tokenizer_or_corpus_is_refused(void **state)
{
    const char *path = scratch_path("other.mdb");
    struct making_store other = few;
    struct token_shard_meta meta = meta_of(&few);
    struct token_shard_writer *w;

    assert_ok(begin(&few, path, &w));
    assert_ok(add(w, &few, 3));
    token_shard_leave(w, true);
    other.vocab = 999;
    assert_fails(ST_CONFIG, "another tokenizer (1000 entries", begin(&other, path, &w));
    meta.corpus[0] = 'f';
    assert_fails(ST_CONFIG, "another corpus", token_shard_begin(path, &meta, &w));
    assert_ok(begin(&few, path, &w));
    assert_int_equal(documents_of(w), 3);
    token_shard_abort(w);
}

static void a_cut_off_working_file_is_refused(void **state)
{
    const char *path = scratch_path("short.mdb"), *part = arena_printf(&scratch_arena, "%s.part", path);
    struct token_shard_writer *w;
    uint64_t bytes;

    assert_ok(begin(&few, path, &w));
    assert_ok(add(w, &few, 100));
    token_shard_leave(w, true);
    assert_ok(file_size(part, &bytes));
    for (uint64_t n = 8192; n < bytes; n += bytes / 7) {
        assert_int_equal(truncate(part, (off_t)n), 0);
        assert_fails(ST_FORMAT, "was cut off", begin(&few, path, &w));
    }
    put_file(part, "", 0);
    assert_fails(ST_FORMAT, "does not say how far it is", begin(&few, path, &w));
}

/* ---- a full disk ---- */

/* Does the message say what to do, and how much room there is? */
static bool is_told(void)
{
    return strstr(fail_message(), "free space, or") && strstr(fail_message(), "B free") && !strstr(fail_message(), "? free");
}

/* With files that may not grow past `limit`: status of adding all and finishing, as an exit code; 100 + if the
 * message does not tell. */
static int work_with_limit(const struct making_store *m, const char *path, rlim_t limit)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        struct token_shard_writer *w;
        enum status st;

        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &(struct rlimit){ limit, limit }) != 0 || begin(m, path, &w) != ST_OK)
            _exit(99);
        st = add(w, m, UINT64_MAX);
        if (st == ST_OK)
            st = token_shard_finish(w);
        else
            token_shard_leave(w, true);
        _exit((int)st + (st != ST_OK && !is_told() ? 100 : 0));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_full_disk_is_told_and_gone_on_from(void **state)
{
    const char *path = scratch_path("full.mdb");
    struct span want = bulky_whole();
    struct token_shard_writer *w;
    uint64_t kept;

    assert_int_equal(work_with_limit(&bulky, path, 4 << 20), ST_IO);        /* not even the first commit */
    assert_int_equal(work_with_limit(&bulky, path, 50 << 20), ST_IO);       /* the second */
    assert_ok(begin(&bulky, path, &w));
    kept = documents_of(w);
    assert_in_range(kept, 5, 39);
    token_shard_leave(w, false);
    assert_ok(begin(&bulky, path, &w));     /* all is there, but the finished file does not fit */
    assert_ok(add(w, &bulky, UINT64_MAX));
    token_shard_leave(w, true);
    assert_int_equal(work_with_limit(&bulky, path, want.n - 4096), ST_IO);
    assert_false(file_exists(path));
    assert_int_equal(work_with_limit(&bulky, path, RLIM_INFINITY), ST_OK);
    assert_same_file(path, want);
}

/* ---- names, and what is in it ---- */

static void names_are_read_as_they_are_written(void **state)
{
    static const struct token_shard_id ids[] = { { 0, 0 }, { 7, 1 }, { 99999, 12 }, { 12345, 999999999 } };
    static const char *const wrong[] = { "shard-0000.mdb", "shard-000000.mdb", "shard-00001.mdb.part", "shard-00001.0.mdb",
                                         "shard-00001.01.mdb", "shard-00001..mdb", "shard-00001.1000000000.mdb", "shard-.mdb",
                                         "shard-100000.mdb", "shard-00001", "train-00000.mdb", "shard- 0001.mdb", "",
                                         "shard-99999999999999999999.mdb" };
    char name[TOKEN_SHARD_NAME];
    struct token_shard_id id;

    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        token_shard_name(ids[i], name);
        assert_true(token_shard_parse_name(name, &id));
        assert_true(id.number == ids[i].number && id.edition == ids[i].edition);
    }
    token_shard_name(ids[1], name);
    assert_string_equal(name, "shard-00007.1.mdb");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (token_shard_parse_name(wrong[i], &id))
            fail_msg("'%s' is taken", wrong[i]);
}

static enum status add_spans(const struct token_span *spans, size_t count)
{
    uint32_t tokens[10] = { 0 };
    struct token_shard_writer *w;
    enum status st;

    assert_ok(begin(&few, scratch_path("spans.mdb"), &w));
    st = token_shard_add(w, TOKENS_TRAIN, &(struct token_document){ .tokens = tokens, .count = 10, .unlearnt = spans,
                                                                    .unlearnt_count = count });
    token_shard_abort(w);
    return st;
}

static void spans_that_do_not_fit_are_refused(void **state)
{
    assert_ok(add_spans((struct token_span[]){ { 0, 3 }, { 3, 2 }, { 9, 1 } }, 3));
    assert_fails(ST_LIMIT, "behind 3 and up to 10", add_spans((struct token_span[]){ { 0, 3 }, { 2, 2 } }, 2));
    assert_fails(ST_LIMIT, "is 5 from 6 on", add_spans((struct token_span[]){ { 6, 5 } }, 1));
    assert_fails(ST_LIMIT, "from 11 on", add_spans((struct token_span[]){ { 11, 0 } }, 1));
    assert_fails(ST_LIMIT, "is 18446744073709551615 from 6", add_spans((struct token_span[]){ { 6, UINT64_MAX } }, 1));
}

/* Spans that touch are one, empty ones none. */
static void spans_have_one_form(void **state)
{
    static const struct token_span cut[] = { { 1, 0 }, { 2, 1 }, { 3, 2 }, { 5, 0 }, { 7, 1 } }, joined[] = { { 2, 3 }, { 7, 1 } };
    const struct { const struct token_span *spans; size_t count; } forms[] = { { cut, 5 }, { joined, 2 } };
    uint32_t tokens[10] = { 0 };
    const char *paths[2];

    for (size_t i = 0; i < 2; i++) {
        struct token_shard_writer *w;

        paths[i] = scratch_path("form.mdb");
        assert_ok(begin(&few, paths[i], &w));
        assert_ok(token_shard_add(w, TOKENS_TRAIN, &(struct token_document){ .tokens = tokens, .count = 10,
                                                                            .unlearnt = forms[i].spans,
                                                                            .unlearnt_count = forms[i].count }));
        assert_int_equal(token_shard_state(w)->parts[TOKENS_TRAIN].skips, 2);
        assert_ok(token_shard_finish(w));
    }
    assert_same_file(paths[1], read_whole(paths[0]));
}

/* Tables of several blocks each: documents, spans, labels. */
static void a_shard_of_many_documents_is_read_back(void **state)
{
    const char *path = scratch_path("many.mdb");
    struct making_document doc = { .tokens = NULL };
    uint64_t index[TOKENS_PARTS] = { 0 };
    struct token_shard_writer *w;
    struct token_shard s;

    assert_ok(begin(&many, path, &w));
    assert_ok(add(w, &many, UINT64_MAX));
    assert_ok(token_shard_finish(w));
    assert_ok(token_shard_open(&s, path));
    assert_true(s.parts[TOKENS_TRAIN].doc_blocks == 3 && s.parts[TOKENS_TRAIN].skip_blocks > 1);
    assert_true(s.meta.labels > 100);
    for (uint64_t i = 0; i < many.documents; i++) {
        enum token_part part = token_part_of(making_hash(i), many.validation);
        struct token_record r = token_shard_record(&s, part, index[part]);
        struct token_label label;

        making_make(&many, i, &doc);
        assert_ok(token_shard_label(&s, r.label, &label));
        assert_true(span_eq(r.id, doc.id) && span_eq(label.source, doc.source));
        assert_int_equal(label.language.n, doc.d.language.n);
        assert_true(r.count == doc.d.count && r.text_hash == doc.d.text_hash && r.text_bytes == doc.d.text_bytes);
        if (r.count > 0)
            assert_int_equal(token_shard_document_at(&s, part, r.first), index[part]);
        index[part]++;
    }
    assert_ok(token_shard_verify(&s));
    token_shard_close(&s);
    free(doc.tokens);
}

/* The file is its tokens and records, and little else. */
static void the_file_is_hardly_more_than_its_tokens(void **state)
{
    struct span file = bulky_whole();
    uint64_t bytes = 0;

    for (uint64_t i = 0; i < bulky.documents; i++)
        bytes += 4 * making_length(&bulky, i) + 28;
    assert_in_range(file.n, bytes, bytes + bytes / 1000 + 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interruptions_do_not_show),
        cmocka_unit_test(a_transaction_ends_with_a_document),
        cmocka_unit_test(a_killed_writer_is_gone_on_with),
        cmocka_unit_test(a_finished_shard_wins),
        cmocka_unit_test(another_tokenizer_or_corpus_is_refused),
        cmocka_unit_test(a_cut_off_working_file_is_refused),
        cmocka_unit_test(a_full_disk_is_told_and_gone_on_from),
        cmocka_unit_test(names_are_read_as_they_are_written),
        cmocka_unit_test(spans_that_do_not_fit_are_refused),
        cmocka_unit_test(spans_have_one_form),
        cmocka_unit_test(a_shard_of_many_documents_is_read_back),
        cmocka_unit_test(the_file_is_hardly_more_than_its_tokens),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
