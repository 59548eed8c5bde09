/* What promote, rollback and prune leave on disk, and what they refuse. */
#include "test.h"

#include <fcntl.h>
#include <sys/file.h>

#include "pipelines/registry/registry_history.h"
#include "promoted.h"

static const char *new_alias(void) { return join(scratch_path("registry"), "champion"); }

static const char *folder_of(const char *alias)
{
    return arena_strndup(&scratch_arena, alias, strlen(alias) - strlen("/champion"));
}

static struct promotion promote(const char *model, const char *alias, const char *report)
{
    struct promotion p;

    assert_ok(registry_promote(&scratch_arena, &(struct promote_args){ model, alias, report, "a note" }, &p));
    return p;
}

static struct promotion rollback(const char *alias, const char *to)
{
    struct promotion p;

    assert_ok(registry_rollback(&scratch_arena, &(struct rollback_args){ alias, to, NULL }, &p));
    return p;
}

static struct registry_place resolve(const char *alias)
{
    struct registry_place place;

    assert_ok(registry_resolve(&scratch_arena, alias, &place));
    return place;
}

static struct registry_history history(const char *alias)
{
    struct registry_history h;

    assert_ok(registry_history_read(&scratch_arena, join(folder_of(alias), "history.jsonl"), &h));
    return h;
}

static void assert_whole(const char *path)
{
    json_t *manifest;

    assert_ok(artifact_open(path, NULL, &manifest));
    assert_ok(artifact_verify(path, manifest));
    json_decref(manifest);
}

/* ---- promote ---- */

static void a_promoted_model_is_whole_linked_and_in_the_history(void **state)
{
    const char *model = make_model("one"), *report = make_report("{}", ""), *alias = new_alias();
    struct promotion p = promote(model, alias, report);
    struct registry_place place = resolve(alias);
    struct registry_history h = history(alias);
    struct stat mine, theirs;
    char target[100] = "";

    assert_true(p.changed);
    assert_string_equal(p.version, version_of(model));
    assert_string_equal(p.before, "");
    assert_string_equal(place.version, p.version);
    assert_string_equal(place.digest, digest_at(model));
    assert_string_equal(digest_at(place.report), digest_at(report));
    assert_whole(place.model);
    assert_whole(place.report);
    assert_true(readlink(alias, target, sizeof target - 1) > 0);
    assert_string_equal(target, arena_printf(&scratch_arena, "versions/%s", p.version));
    assert_int_equal(stat(join(model, "model.safetensors"), &mine), 0);
    assert_int_equal(stat(join(alias, "model.safetensors"), &theirs), 0);
    assert_int_equal(mine.st_ino, theirs.st_ino);
    assert_int_equal(stat(join(model, "manifest.json"), &mine), 0);
    assert_int_equal(stat(join(alias, "manifest.json"), &theirs), 0);
    assert_int_not_equal(mine.st_ino, theirs.st_ino);
    assert_int_equal(h.count, 1);
    assert_int_equal(h.v[0].kind, EVENT_PROMOTE);
    assert_string_equal(h.v[0].alias, "champion");
    assert_string_equal(h.v[0].report, digest_at(report));
    assert_string_equal(h.v[0].note, "a note");
    assert_non_null(strchr(h.v[0].by, '@'));
    assert_null(h.v[0].before);
    assert_true(h.v[0].t > 1.7e9);
}

static void what_is_there_already_is_no_event_and_another_report_is_no_step(void **state)
{
    const char *model = make_model("same"), *alias = new_alias();
    const char *first = make_report("{\"x\":1}", ""), *second = make_report("{\"x\":2}", "");

    promote(make_model("earlier"), alias, NULL);
    promote(model, alias, first);
    assert_false(promote(model, alias, first).changed);
    assert_false(promote(model, alias, NULL).changed);
    assert_false(promote(alias, alias, NULL).changed);      /* the alias is a model, too */
    assert_int_equal(history(alias).count, 2);
    assert_true(promote(model, alias, second).changed);
    assert_int_equal(history(alias).count, 3);
    assert_string_equal(digest_at(resolve(alias).report), digest_at(second));
    assert_string_equal(rollback(alias, NULL).version, version_of(make_model("earlier")));
}

static void a_model_on_another_file_system_is_copied(void **state)
{
    char far[] = "/dev/shm/tundish-test-XXXXXX";
    const char *alias = new_alias(), *model;
    struct stat here, there;

    if (mkdtemp(far) == NULL || stat(far, &there) != 0 || stat("/tmp", &here) != 0 ||
        here.st_dev == there.st_dev) {
        (void)rmdir(far);
        skip();
    }
    model = join(far, "model");
    promoted_artifact(&promoted_model, model, "model.safetensors", "far away", NULL, NULL);
    promote(model, alias, NULL);
    assert_ok(file_remove_tree(far));
    assert_whole(resolve(alias).model);
    assert_string_equal(read_whole(join(alias, "model.safetensors")).p, "far away");
}

static void a_damaged_model_another_kind_and_bad_names_are_refused(void **state)
{
    const char *model = make_model("to be damaged"), *alias = new_alias();
    const char *checkpoint = scratch_path("checkpoint");
    struct promotion p;
    struct promote_args args = { model, alias, NULL, NULL };
    static const char *const bad[] = { "champion", "reg/", "reg/a b", "reg/versions", "reg/reports", "reg/lock",
                                       "reg/.hidden", "reg/a.tmp.1", "" };

    flip_bit(join(model, "model.safetensors"), 3, 1);
    assert_fails(ST_INTEGRITY, "is damaged", registry_promote(&scratch_arena, &args, &p));
    promoted_artifact(&promoted_checkpoint, checkpoint, "x", "y", NULL, NULL);
    args.model = checkpoint;
    assert_fails(ST_CONFIG, "is a checkpoint, want a model (`tundish export` makes one)",
                 registry_promote(&scratch_arena, &args, &p));
    args.model = make_model("good");
    args.report = args.model;
    assert_fails(ST_CONFIG, "is a model, want a report", registry_promote(&scratch_arena, &args, &p));
    args.report = NULL;
    args.note = "\xff";
    assert_fails(ST_USAGE, "not UTF-8", registry_promote(&scratch_arena, &args, &p));
    args.note = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        args.to = bad[i];
        assert_fails(ST_USAGE, "alias", registry_promote(&scratch_arena, &args, &p));
    }
    assert_false(file_exists(folder_of(alias)));      /* nothing was made on the way */
}

static void a_file_of_the_user_under_the_name_stays(void **state)
{
    const char *alias = new_alias();
    struct promotion p;

    assert_ok(file_make_folders(alias));
    put_file(join(alias, "precious"), "x", 1);
    assert_fails(ST_USAGE, "is no alias of a registry",
                 registry_promote(&scratch_arena, &(struct promote_args){ make_model("m"), alias, NULL, NULL }, &p));
    assert_true(file_exists(join(alias, "precious")));
}

/* ---- rollback ---- */

static void rollback_is_undo(void **state)
{
    const char *alias = new_alias(), *a = make_model("a"), *b = make_model("b"), *c = make_model("c");
    struct promotion p;

    promote(a, alias, NULL);
    promote(b, alias, NULL);
    assert_string_equal(rollback(alias, NULL).version, version_of(a));
    promote(c, alias, NULL);
    assert_string_equal(rollback(alias, NULL).version, version_of(a));      /* b was found wanting */
    assert_fails(ST_MISSING, "there is no version", registry_rollback(&scratch_arena, &(struct rollback_args){ alias, NULL, NULL }, &p));
    p = rollback(alias, version_of(b));                                     /* redo, by name */
    assert_string_equal(p.version, version_of(b));
    assert_string_equal(p.before, version_of(a));
    assert_string_equal(rollback(alias, NULL).version, version_of(a));
    assert_false(rollback(alias, version_of(a)).changed);
    assert_string_equal(resolve(alias).version, version_of(a));
    assert_int_equal(history(alias).v[history(alias).count - 1].kind, EVENT_ROLLBACK);
}

static void two_rollbacks_go_two_steps(void **state)
{
    const char *alias = new_alias(), *a = make_model("1"), *b = make_model("2"), *c = make_model("3");

    promote(a, alias, NULL);
    promote(b, alias, NULL);
    promote(c, alias, NULL);
    promote(b, alias, NULL);
    assert_string_equal(rollback(alias, NULL).version, version_of(c));
    assert_string_equal(rollback(alias, NULL).version, version_of(b));
    assert_string_equal(rollback(alias, NULL).version, version_of(a));
}

static void rollback_says_what_is_missing(void **state)
{
    const char *alias = new_alias(), *a = make_model("first"), *b = make_model("second");
    struct rollback_args args = { alias, NULL, NULL };
    struct promotion p;
    char *near;

    assert_fails(ST_MISSING, "there is no registry", registry_rollback(&scratch_arena, &args, &p));
    promote(a, alias, NULL);
    promote(b, alias, NULL);
    args.alias = join(folder_of(alias), "champoin");
    assert_fails(ST_MISSING, "did you mean", registry_rollback(&scratch_arena, &args, &p));
    args.alias = alias;
    near = arena_strdup(&scratch_arena, version_of(a));
    near[3] = near[3] == '0' ? '1' : '0';
    args.to = near;
    assert_fails(ST_MISSING, version_of(a), registry_rollback(&scratch_arena, &args, &p));
    assert_ok(file_remove_tree(join(folder_of(alias), arena_printf(&scratch_arena, "versions/%s", version_of(a)))));
    args.to = NULL;
    assert_fails(ST_MISSING, "are gone", registry_rollback(&scratch_arena, &args, &p));
    assert_string_equal(resolve(alias).version, version_of(b));
}

/* ---- finding ---- */

static void resolve_names_the_nearest_alias_and_sees_damage(void **state)
{
    const char *alias = new_alias(), *nearest;
    struct registry_place place;
    bool has;

    assert_fails(ST_MISSING, "there is no registry", registry_resolve(&scratch_arena, alias, &place));
    assert_ok(registry_has(&scratch_arena, alias, &has, &nearest));
    assert_false(has);
    promote(make_model("m"), alias, NULL);
    assert_null(resolve(alias).report);
    assert_fails(ST_MISSING, "did you mean '", registry_resolve(&scratch_arena, join(folder_of(alias), "champio"), &place));
    assert_ok(registry_has(&scratch_arena, join(folder_of(alias), "champio"), &has, &nearest));
    assert_string_equal(nearest, alias);
    assert_int_equal(truncate(join(alias, "config.json"), 1), 0);
    assert_fails(ST_INTEGRITY, "has 1 bytes", registry_resolve(&scratch_arena, alias, &place));
    assert_false(promote(make_model("m"), alias, NULL).changed);      /* but what is damaged is mended */
    assert_whole(resolve(alias).model);
}

/* ---- what a kill leaves ---- */

/* The history is ahead: the next command makes the alias follow. */
static void an_event_that_was_not_carried_out_is(void **state)
{
    const char *alias = new_alias(), *a = make_model("old"), *b = make_model("new");
    json_t *whole;

    promote(a, alias, NULL);
    promote(b, alias, NULL);
    assert_int_equal(unlink(alias), 0);
    assert_int_equal(symlink(arena_printf(&scratch_arena, "versions/%s", version_of(a)), alias), 0);
    assert_ok(registry_json(&scratch_arena, folder_of(alias), &whole));
    assert_int_equal(json_array_size(json_object_get(whole, "pending")), 1);
    json_decref(whole);
    assert_string_equal(resolve(alias).version, version_of(a));      /* a reader changes nothing */
    assert_false(promote(b, alias, NULL).changed);                   /* it was said already */
    assert_string_equal(resolve(alias).version, version_of(b));
    assert_int_equal(history(alias).count, 2);
}

static void a_torn_line_is_cut_and_a_wrong_one_named(void **state)
{
    const char *alias = new_alias(), *a = make_model("x"), *path;
    struct span text;
    struct promotion p;

    promote(a, alias, NULL);
    path = join(folder_of(alias), "history.jsonl");
    text = read_whole(path);
    put_file(path, arena_printf(&scratch_arena, "%s{\"t\": 1, \"even", text.p), text.n + 14);
    promote(make_model("y"), alias, NULL);
    assert_int_equal(history(alias).count, 2);
    put_file(path, arena_printf(&scratch_arena, "oops\n%s", text.p), text.n + 5);
    assert_fails(ST_FORMAT, "line 1: not a JSON object",
                 registry_promote(&scratch_arena, &(struct promote_args){ a, alias, NULL, NULL }, &p));
}

static void wrong_events_are_refused_with_their_line(void **state)
{
    static const char *const head = "{\"t\":1,\"event\":\"promote\",\"alias\":\"a\",\"version\":\"0123456789abcdef\","
        "\"digest\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"";
    static const struct { const char *from, *to, *words; } cases[] = {
        { "\"t\":1", "\"t\":\"1\"", "'t'" },
        { "\"t\":1", "\"t\":-1", "'t' is -1" },
        { "promote", "demote", "'event' is 'demote', want promote or rollback" },
        { "\"alias\":\"a\"", "\"alias\":\"../a\"", "no alias's name" },
        { "\"version\":\"0", "\"version\":\"x", "'version'" },
        { "\"digest\":\"0", "\"digest\":\"1", "'digest'" },
        { "\"alias\":\"a\"", "\"alias\":\"a\",\"before\":\"x\"", "'before'" },
        { "\"alias\":\"a\"", "\"alias\":\"a\",\"report\":7", "'report'" },
        { "\"alias\":\"a\"", "\"alais\":\"a\"", "'alias'" },
    };
    struct registry_history h;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *at = strstr(head, cases[i].from);
        const char *text = arena_printf(&scratch_arena, "%s}\n%.*s%s%s}\n%s}\n", head, (int)(at - head), head,
                                        cases[i].to, at + strlen(cases[i].from), head);

        assert_fails(ST_FORMAT, cases[i].words, registry_history_parse(&scratch_arena, "h", text, strlen(text), &h));
        assert_non_null(strstr(fail_message(), "line 2"));
    }
}

/* ---- prune ---- */

static void prune_leaves_what_is_referred_to_and_what_is_used(void **state)
{
    const char *alias = new_alias(), *registry = folder_of(alias);
    const char *model[8], *in_use, *report = make_report("{}", "");
    struct prune_args args = { registry, 2, true };
    struct prune_result r;
    int fd;

    for (int i = 0; i < 8; i++) {
        model[i] = make_model(arena_printf(&scratch_arena, "model %d", i));
        promote(model[i], alias, i == 1 ? report : NULL);
        assert_ok(file_remove_tree(model[i] = arena_strdup(&scratch_arena, model[i])));
    }
    assert_int_equal(mkdir(join(registry, "versions/0000000000000000.tmp.1"), 0777), 0);
    assert_int_equal(mkdir(join(registry, "versions/notes"), 0777), 0);
    in_use = join(registry, arena_printf(&scratch_arena, "versions/%s", history(alias).v[0].version));
    fd = open(join(in_use, "manifest.json"), O_RDONLY);
    assert_int_equal(flock(fd, LOCK_SH), 0);
    assert_ok(registry_prune(&scratch_arena, &args, &r));
    assert_int_equal(r.removed, 4);            /* 1 to 4; of 5, 6, 7 the last two events tell; 0 is in use */
    assert_int_equal(r.in_use, 1);
    assert_true(file_exists(join(registry, "versions/0000000000000000.tmp.1")));
    args.dry = false;
    assert_ok(registry_prune(&scratch_arena, &args, &r));
    assert_int_equal(r.removed, 4);
    assert_true(r.freed > 0);
    for (int i = 0; i < 8; i++) {
        const char *version = history(alias).v[i].version;

        assert_int_equal(file_exists(join(registry, arena_printf(&scratch_arena, "versions/%s", version))), i == 0 || i > 4);
    }
    assert_false(file_exists(join(registry, arena_printf(&scratch_arena, "reports/%s", version_of(report)))));
    assert_false(file_exists(join(registry, "versions/0000000000000000.tmp.1")));
    assert_true(file_exists(join(registry, "versions/notes")));
    close(fd);
    assert_ok(registry_prune(&scratch_arena, &args, &r));
    assert_int_equal(r.removed, 1);
    rollback(alias, NULL);
    rollback(alias, NULL);
    assert_whole(resolve(alias).model);
}

/* keep 0 still leaves where the alias is and where its next rollback leads. */
static void prune_to_nothing_leaves_a_way_back(void **state)
{
    const char *alias = new_alias();
    struct prune_args args = { folder_of(alias), 0, false };
    struct prune_result r;

    for (int i = 0; i < 4; i++)
        promote(make_model(arena_printf(&scratch_arena, "way %d", i)), alias, NULL);
    assert_ok(registry_prune(&scratch_arena, &args, &r));
    assert_int_equal(r.removed, 2);
    assert_true(r.shared > 0);                 /* the artifacts are still there */
    rollback(alias, NULL);
}

/* ---- reports ---- */

/* One version under two names: each keeps the report that it was given. */
static void each_alias_has_its_own_report(void **state)
{
    const char *champion = new_alias(), *canary = join(folder_of(champion), "canary");
    const char *model = make_model("shared"), *other = make_model("another");
    const char *first = make_report("{\"x\":1}", ""), *second = make_report("{\"x\":2}", "");

    promote(model, champion, first);
    promote(model, canary, second);
    assert_string_equal(digest_at(resolve(champion).report), digest_at(first));
    assert_string_equal(digest_at(resolve(canary).report), digest_at(second));
    assert_string_equal(path_base(resolve(canary).report), version_of(second));
    promote(model, join(folder_of(champion), "bare"), NULL);
    assert_null(resolve(join(folder_of(champion), "bare")).report);
    promote(other, champion, second);
    rollback(champion, NULL);                           /* the report comes back with the model */
    assert_string_equal(digest_at(resolve(champion).report), digest_at(first));
    promote(other, champion, NULL);
    assert_string_equal(digest_at(resolve(champion).report), digest_at(second));
    assert_string_equal(digest_at(resolve(canary).report), digest_at(second));
}

static void prune_leaves_the_reports_of_what_stays(void **state)
{
    const char *alias = new_alias(), *canary = join(folder_of(alias), "canary"), *report[4];
    struct prune_args args = { folder_of(alias), 0, true };
    struct prune_result r;

    for (int i = 0; i < 4; i++)
        report[i] = make_report(arena_printf(&scratch_arena, "{\"n\":%d}", i), "");
    promote(make_model("old"), alias, report[0]);
    promote(make_model("old"), canary, report[1]);
    promote(make_model("new"), alias, report[2]);
    promote(make_model("new"), alias, report[3]);       /* nothing leads to 2 any more */
    promote(make_model("newer"), alias, NULL);          /* and "old", with 0, is out of reach of both */
    promote(make_model("newer"), canary, report[1]);
    promote(make_model("newest"), canary, NULL);
    assert_ok(registry_prune(&scratch_arena, &args, &r));
    for (int i = 0; i < 4; i++)
        assert_true(file_exists(join(folder_of(alias), arena_printf(&scratch_arena, "reports/%s", version_of(report[i])))));
    args.dry = false;
    assert_ok(registry_prune(&scratch_arena, &args, &r));
    assert_int_equal(r.removed, 1);
    for (int i = 0; i < 4; i++)
        assert_int_equal(file_exists(join(folder_of(alias), arena_printf(&scratch_arena, "reports/%s", version_of(report[i])))), i == 1 || i == 3);
    rollback(canary, NULL);
    assert_string_equal(digest_at(resolve(canary).report), digest_at(report[1]));
    rollback(alias, NULL);
    assert_string_equal(digest_at(resolve(alias).report), digest_at(report[3]));
}

/* ---- what people do by hand ---- */

static void point(const char *alias, const char *target)
{
    (void)unlink(alias);
    assert_int_equal(symlink(target, alias), 0);
}

/* Only the history's last event can have been cut off; what else differs was meant. */
static void an_alias_that_was_moved_by_hand_is_left(void **state)
{
    const char *alias = new_alias(), *canary = join(folder_of(alias), "canary");
    const char *a = make_model("hand a"), *b = make_model("hand b"), *c = make_model("hand c");
    struct prune_result pruned;
    struct registry_history h;
    struct promotion p;
    json_t *whole;

    promote(c, alias, NULL);
    promote(a, alias, NULL);
    promote(b, alias, NULL);
    promote(a, canary, NULL);
    point(alias, arena_printf(&scratch_arena, "versions/%s", version_of(a)));       /* as if b was cut off; but a later event was not */
    promote(c, canary, NULL);
    assert_string_equal(resolve(alias).version, version_of(a));
    promote(a, canary, NULL);
    point(alias, arena_printf(&scratch_arena, "versions/%s", version_of(c)));
    promote(b, canary, NULL);
    assert_string_equal(resolve(alias).version, version_of(c));
    assert_ok(registry_json(&scratch_arena, folder_of(alias), &whole));
    assert_int_equal(json_array_size(json_object_get(whole, "pending")), 0);
    assert_string_equal(json_string_value(json_array_get(json_object_get(whole, "apart"), 0)), "champion");
    json_decref(whole);
    point(canary, arena_printf(&scratch_arena, "versions/%s", version_of(c)));      /* the last event's, but not back */
    assert_ok(registry_prune(&scratch_arena, &(struct prune_args){ folder_of(alias), 0, false }, &pruned));
    assert_string_equal(resolve(canary).version, version_of(c));
    p = rollback(alias, NULL);                          /* back to what the history says */
    assert_string_equal(p.version, version_of(b));
    assert_string_equal(p.before, version_of(c));
    p = promote(c, canary, NULL);                       /* or on to where it leads */
    assert_true(p.changed && p.untold);
    h = history(alias);
    assert_string_equal(h.v[h.count - 1].before, version_of(c));
    assert_string_equal(resolve(canary).version, version_of(c));
}

/* A link that is not ours stops who asks for it, nobody else; and prune sees where it leads. */
static void a_foreign_link_blocks_itself_alone(void **state)
{
    const char *alias = new_alias(), *other = join(folder_of(alias), "other");
    const char *a = make_model("foreign a"), *b = make_model("foreign b");
    struct registry_place place;
    struct prune_result pruned;
    char *inside;

    promote(a, alias, NULL);
    promote(b, other, NULL);
    point(other, a);
    promote(b, alias, NULL);
    assert_string_equal(rollback(alias, NULL).version, version_of(a));
    assert_fails(ST_USAGE, "is no alias of a registry", registry_resolve(&scratch_arena, other, &place));
    promote(b, alias, NULL);
    promote(make_model("foreign c"), alias, NULL);
    assert_int_equal(unlink(other), 0);
    inside = realpath(join(folder_of(alias), arena_printf(&scratch_arena, "versions/%s", version_of(a))), NULL);
    assert_non_null(inside);
    point(other, inside);
    assert_ok(registry_prune(&scratch_arena, &(struct prune_args){ folder_of(alias), 0, false }, &pruned));
    assert_true(file_exists(inside));
    assert_int_equal(unlink(other), 0);
    assert_ok(registry_prune(&scratch_arena, &(struct prune_args){ folder_of(alias), 0, false }, &pruned));
    assert_false(file_exists(inside));
    free(inside);
}

static void an_artifact_is_no_registry(void **state)
{
    const char *alias = new_alias(), *model = make_model("in it"), *link = scratch_path("lk");
    struct promotion p;

    promote(model, alias, NULL);
    assert_int_equal(symlink(alias, link), 0);
    assert_fails(ST_USAGE, "is an artifact",
                 registry_promote(&scratch_arena, &(struct promote_args){ model, join(alias, "new"), NULL, NULL }, &p));
    assert_fails(ST_USAGE, "is an artifact",
                 registry_promote(&scratch_arena, &(struct promote_args){ model, join(link, "new"), NULL, NULL }, &p));
    assert_false(file_exists(join(alias, "versions")));
}

static void a_lost_history_is_said_to_be_lost(void **state)
{
    const char *alias = new_alias(), *model = make_model("known");
    struct promotion p;

    assert_false(promote(model, alias, NULL).untold);
    assert_int_equal(unlink(join(folder_of(alias), "history.jsonl")), 0);
    assert_fails(ST_MISSING, "knows nothing of that alias",
                 registry_rollback(&scratch_arena, &(struct rollback_args){ alias, NULL, NULL }, &p));
    assert_fails(ST_MISSING, "knows nothing of that alias",
                 registry_rollback(&scratch_arena, &(struct rollback_args){ alias, "0123456789abcdef", NULL }, &p));
    p = promote(model, alias, NULL);
    assert_true(p.changed && p.untold);
    assert_string_equal(p.before, version_of(model));
    assert_false(promote(model, alias, NULL).changed);
    p = promote(model, alias, make_report("{\"x\":3}", ""));
    assert_true(p.changed && !p.untold);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_promoted_model_is_whole_linked_and_in_the_history),
        cmocka_unit_test(what_is_there_already_is_no_event_and_another_report_is_no_step),
        cmocka_unit_test(a_model_on_another_file_system_is_copied),
        cmocka_unit_test(a_damaged_model_another_kind_and_bad_names_are_refused),
        cmocka_unit_test(a_file_of_the_user_under_the_name_stays),
        cmocka_unit_test(rollback_is_undo),
        cmocka_unit_test(two_rollbacks_go_two_steps),
        cmocka_unit_test(rollback_says_what_is_missing),
        cmocka_unit_test(resolve_names_the_nearest_alias_and_sees_damage),
        cmocka_unit_test(an_event_that_was_not_carried_out_is),
        cmocka_unit_test(a_torn_line_is_cut_and_a_wrong_one_named),
        cmocka_unit_test(wrong_events_are_refused_with_their_line),
        cmocka_unit_test(prune_leaves_what_is_referred_to_and_what_is_used),
        cmocka_unit_test(prune_to_nothing_leaves_a_way_back),
        cmocka_unit_test(each_alias_has_its_own_report),
        cmocka_unit_test(prune_leaves_the_reports_of_what_stays),
        cmocka_unit_test(an_alias_that_was_moved_by_hand_is_left),
        cmocka_unit_test(a_foreign_link_blocks_itself_alone),
        cmocka_unit_test(an_artifact_is_no_registry),
        cmocka_unit_test(a_lost_history_is_said_to_be_lost),
    };

    command_set_all(promoted_commands);
    return cmocka_run_group_tests_name("registry", tests, scratch_begin, scratch_end);
}
