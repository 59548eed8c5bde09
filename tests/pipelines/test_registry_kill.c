/* kill -9 at random moments of promotions, rollbacks and prunes, and two promoters at once: the alias always
 * leads to a whole version, and the history tells how it came there. */
#include "test.h"

#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/log.h"
#include "base/rng.h"
#include "pipelines/registry/registry_history.h"
#include "promoted.h"

#define MODELS 5
#define REPORTS 2
#define KILLS 100
#define LATEST_US 30000
#define EACH 15              /* promotions of each of two promoters */

static const char *models[MODELS], *reports[REPORTS];

static void nap_us(uint64_t us)
{
    struct timespec t = { 0, (long)us * 1000 };

    nanosleep(&t, NULL);
}

/* Promotes, rolls back and prunes until it is killed. */
static _Noreturn void work(const char *alias, uint64_t stream)
{
    struct rng r = { 11, stream, 0 };
    struct arena a = { 0 };

    log_set_quiet(true);
    for (;;) {
        uint64_t what = rng_below(&r, MODELS + 4);
        struct prune_result pruned;
        struct promotion p;
        enum status st;

        if (what < MODELS)
            st = registry_promote(&a, &(struct promote_args){ models[what], alias, what < REPORTS ? reports[what] : NULL, NULL }, &p);
        else if (what < MODELS + 2)
            st = registry_rollback(&a, &(struct rollback_args){ alias, NULL, NULL }, &p);
        else
            st = registry_prune(&a, &(struct prune_args){ arena_strndup(&a, alias, strlen(alias) - strlen("/champion")), 0, false }, &pruned);
        if (st != ST_OK && st != ST_MISSING) {      /* nothing to go back to, or no registry yet, is fine */
            fprintf(stderr, "%s\n", fail_message());
            _exit(1);
        }
        arena_reset(&a);
    }
}

static bool is_model(const char *digest)
{
    for (int i = 0; i < MODELS; i++)
        if (strcmp(digest, digest_at(models[i])) == 0)
            return true;
    return false;
}

static bool is_report(const char *digest)
{
    for (int i = 0; i < REPORTS; i++)
        if (strcmp(digest, digest_at(reports[i])) == 0)
            return true;
    return false;
}

static void assert_whole(const char *path)
{
    json_t *manifest;

    assert_ok(artifact_open(path, NULL, &manifest));
    assert_ok(artifact_verify(path, manifest));
    json_decref(manifest);
}

/* Whatever has no temporary name is whole. */
static void check_folders(const char *versions)
{
    DIR *d = opendir(versions);

    if (d == NULL)
        return;
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.' && strstr(e->d_name, ".tmp.") == NULL)
            assert_whole(join(versions, e->d_name));
    closedir(d);
}

/* Each event begins where the one before it ended. Returns the last one's version. */
static const char *check_history(const char *registry)
{
    struct registry_history h;
    const char *now = NULL;

    assert_ok(registry_history_read(&scratch_arena, join(registry, "history.jsonl"), &h));
    for (size_t i = 0; i < h.count; i++) {
        assert_true(now == NULL ? h.v[i].before == NULL : h.v[i].before != NULL);
        if (now != NULL)
            assert_string_equal(h.v[i].before, now);
        assert_true(is_model(h.v[i].digest));
        now = h.v[i].version;
    }
    return now;
}

static void check_alias(const char *registry, const char *alias)
{
    struct registry_place place;

    check_folders(join(registry, "versions"));
    check_folders(join(registry, "reports"));
    if (access(alias, F_OK) != 0)
        return;
    assert_ok(registry_resolve(&scratch_arena, alias, &place));
    assert_true(is_model(place.digest));
    if (place.report != NULL)
        assert_true(is_report(digest_at(place.report)));
}

static bool has_litter(const char *path)
{
    DIR *d = opendir(path);
    bool found = false;

    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        found |= strstr(e->d_name, ".tmp.") != NULL;
    closedir(d);
    return found;
}

static void a_kill_leaves_a_whole_version_and_a_history_that_is_true(void **state)
{
    const char *registry = scratch_path("registry"), *alias = join(registry, "champion"), *last;
    struct rng r = { .seed = 5 };
    struct registry_place place;
    struct prune_result pruned;
    struct promotion p;
    json_t *whole;
    int pending = 0, torn = 0, status;

    for (uint64_t kill_number = 0; kill_number < KILLS; kill_number++) {
        pid_t child = fork();

        assert_true(child >= 0);
        if (child == 0)
            work(alias, kill_number);
        nap_us(rng_below(&r, LATEST_US));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        check_alias(registry, alias);
        check_history(registry);
        if (registry_json(&scratch_arena, registry, &whole) == ST_OK) {
            pending += json_array_size(json_object_get(whole, "pending")) > 0;
            json_decref(whole);
        }
        torn += file_exists(join(registry, "versions")) && has_litter(join(registry, "versions"));
        if (kill_number % 4 == 3) {                  /* the next command mends what is left */
            assert_ok(registry_promote(&scratch_arena, &(struct promote_args){ models[kill_number % MODELS], alias, NULL, NULL }, &p));
            last = check_history(registry);
            assert_ok(registry_resolve(&scratch_arena, alias, &place));
            assert_string_equal(place.version, last);
            assert_string_equal(place.version, version_of(models[kill_number % MODELS]));
        }
    }
    print_message("%d kills: %d left an event to carry out, %d a folder half made\n", KILLS, pending, torn);
    assert_true(pending + torn > 0);
    assert_ok(registry_prune(&scratch_arena, &(struct prune_args){ registry, 1, false }, &pruned));
    assert_false(has_litter(registry));
    assert_false(has_litter(join(registry, "versions")));
    assert_false(has_litter(join(registry, "reports")));
    check_alias(registry, alias);
}

/* Makes a report that no event names, as a killed prune or promotion leaves it, and prunes, until it is killed. */
static _Noreturn void prune_reports(const char *registry)
{
    const char *orphan = join(registry, "reports/0123456789abcdef");
    struct prune_result pruned;

    log_set_quiet(true);
    for (;;) {
        promoted_artifact(&promoted_report, orphan, "metrics.json", "{}", "documents.jsonl", "");
        if (registry_prune(&scratch_arena, &(struct prune_args){ registry, 0, false }, &pruned) != ST_OK ||
            file_exists(orphan))
            _exit(1);
    }
}

static void a_killed_prune_leaves_no_half_report(void **state)
{
    const char *registry = scratch_path("registry");
    struct promote_args args = { models[0], join(registry, "champion"), reports[0], NULL };
    struct rng r = { .seed = 6 };
    struct registry_place place;
    struct promotion p;
    int status;

    assert_ok(registry_promote(&scratch_arena, &args, &p));
    for (int i = 0; i < KILLS; i++) {
        pid_t child = fork();

        assert_true(child >= 0);
        if (child == 0)
            prune_reports(registry);
        nap_us(rng_below(&r, LATEST_US));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        check_folders(join(registry, "reports"));
        check_alias(registry, args.to);
        assert_ok(registry_resolve(&scratch_arena, args.to, &place));
        assert_non_null(place.report);
    }
}

/* Two processes promote in turns to one alias; none fails, and no event is lost. */
static void two_promoters_wait_for_each_other(void **state)
{
    const char *registry = scratch_path("registry"), *alias = join(registry, "champion"), *last;
    struct registry_history h;
    struct registry_place place;
    pid_t children[2];
    int status;

    for (int c = 0; c < 2; c++) {
        children[c] = fork();
        assert_true(children[c] >= 0);
        for (int i = 0; children[c] == 0 && i < EACH; i++) {
            struct promotion p;
            const char *model = models[2 * c + (i & 1)];

            if (registry_promote(&scratch_arena, &(struct promote_args){ model, alias, NULL, c ? "b" : "a" }, &p) != ST_OK)
                fprintf(stderr, "%s\n", fail_message()), _exit(1);
            if (!p.changed || strcmp(p.version, version_of(model)) != 0)
                _exit(2);
            nap_us(500);
        }
        if (children[c] == 0)
            _exit(0);
    }
    for (int c = 0; c < 2; c++) {
        assert_int_equal(waitpid(children[c], &status, 0), children[c]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    last = check_history(registry);
    assert_ok(registry_history_read(&scratch_arena, join(registry, "history.jsonl"), &h));
    assert_int_equal(h.count, 2 * EACH);
    assert_ok(registry_resolve(&scratch_arena, alias, &place));
    assert_string_equal(place.version, last);
}

static int begin(void **state)
{
    scratch_begin(state);
    for (int i = 0; i < MODELS; i++)
        models[i] = make_model(arena_printf(&scratch_arena, "model %d", i));
    for (int i = 0; i < REPORTS; i++)
        reports[i] = make_report(arena_printf(&scratch_arena, "{\"n\":%d}", i), "");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kill_leaves_a_whole_version_and_a_history_that_is_true),
        cmocka_unit_test(a_killed_prune_leaves_no_half_report),
        cmocka_unit_test(two_promoters_wait_for_each_other),
    };

    command_set_all(promoted_commands);
    return cmocka_run_group_tests_name("registry kill", tests, begin, scratch_end);
}
