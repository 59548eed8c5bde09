/* The pipeline file: what is read from it, and what is said of a wrong one (golden/). */
#include "test.h"

#include "base/rng.h"
#include "pipelines/plan/options.h"
#include "pipelines/plan/param.h"
#include "pipelines/plan/plan.h"
#include "pipelines/run/show.h"
#include "scene.h"

static enum status parse(struct arena *a, const char *text, const struct opt_list *sets, struct plan **out)
{
    struct plan_args args = { .name = "test.yaml", .commands = fake_commands, .sets = sets };

    return plan_parse(a, &args, text, strlen(text), out);
}

static const char *const good =
    "pipeline: good\n"
    "params:\n"
    "  size: 7\n"
    "  word: \"12\"\n"
    "  docs: [notes, papers]\n"
    "stages:\n"
    "  end: {uses: mill.fine, with: {thing: \"@middle\"}, needs: [side]}\n"
    "  middle:\n"
    "    uses: grow\n"
    "    with:\n"
    "      in: [\"@begin\", plain/file]\n"
    "      sources: [{path: \"@side\"}, other]\n"
    "      size: ${size}\n"
    "      text: \"${word}\"\n"
    "      group: {flag: true}\n"
    "      plan: [{cut: \"${size}\"}, {fold: \"a${size}b $${size} ${word}\"}]\n"
    "    resources: {ranks: 4, threads: 2}\n"
    "  side: {uses: grow, with: {in: \"${docs}\"}}\n"
    "  begin: {uses: grow}\n";

static void a_file_becomes_stages_inputs_and_an_order(void **state)
{
    struct arena a = { 0 };
    struct plan *p;

    assert_ok(parse(&a, good, NULL, &p));
    assert_string_equal(p->name, "good");
    assert_int_equal(p->count, 4);
    assert_string_equal(p->stages[1].name, "middle");
    assert_ptr_equal(p->stages[1].command, &fake_grow);
    assert_ptr_equal(p->stages[0].command, &fake_mill);
    assert_int_equal(p->stages[1].ranks, 4);
    assert_int_equal(p->stages[1].threads, 2);
    assert_int_equal(p->stages[3].ranks, 1);
    assert_int_equal(p->stages[1].input_count, 4);
    assert_int_equal(p->stages[1].inputs[0].from, 3);
    assert_int_equal(p->stages[1].inputs[1].from, PLAN_OUTSIDE);
    assert_string_equal(p->stages[1].inputs[1].node->text, "plain/file");
    assert_int_equal(p->stages[1].inputs[1].index, 1);
    assert_int_equal(p->stages[1].inputs[2].from, 2);
    assert_string_equal(p->stages[1].inputs[2].row->name, "sources");
    assert_int_equal(p->stages[2].input_count, 2);      /* the param is a list */
    assert_int_equal(p->stages[0].after_count, 2);
    /* file order among the ready: side, begin, middle, end */
    assert_int_equal(p->order[0], 2);
    assert_int_equal(p->order[1], 3);
    assert_int_equal(p->order[2], 1);
    assert_int_equal(p->order[3], 0);
    arena_release(&a);
}

/* "word word ..." of a stage's command line, quoted for a shell. */
static const char *words_of(struct arena *a, const struct plan_stage *s)
{
    struct words w = { .arena = a };
    struct buf text = { 0 };
    const char *kept;

    options_words(s->command->opts, s->with, &w);
    for (size_t i = 0; i < w.count; i++) {
        if (i > 0)
            buf_addc(&text, ' ');
        shell_quote(&text, w.v[i]);
    }
    kept = arena_strdup(a, text.n ? text.p : "");
    buf_release(&text);
    return kept;
}

static void params_keep_their_type_as_a_whole_and_are_text_inside_text(void **state)
{
    struct arena a = { 0 };
    struct plan *p;

    assert_ok(parse(&a, good, NULL, &p));
    assert_string_equal(words_of(&a, &p->stages[1]),
                        "--in=@begin --in=plain/file '--sources=[{\"path\": \"@side\"}, \"other\"]' "
                        "--size=7 --text=12 --group.flag=true "
                        "'--plan=[{\"cut\": 7}, {\"fold\": \"a7b ${size} 12\"}]'");
    assert_string_equal(words_of(&a, &p->stages[2]), "--in=notes --in=papers");
    arena_release(&a);
}

static void params_can_be_set_to_numbers_texts_and_lists(void **state)
{
    const char *words[] = { "size=9", "docs=[\"a b\", c]", "word=x=y", NULL };
    const char *one[] = { "docs=just one", NULL };
    struct arena a = { 0 };
    struct plan *p;

    assert_ok(parse(&a, good, &(struct opt_list){ words, 3 }, &p));
    assert_string_equal(words_of(&a, &p->stages[2]), "'--in=a b' --in=c");
    assert_has(words_of(&a, &p->stages[1]), "--size=9 --text=x=y");
    assert_has(words_of(&a, &p->stages[1]), "{\"cut\": 9}");
    assert_ok(parse(&a, good, &(struct opt_list){ one, 1 }, &p));
    assert_string_equal(words_of(&a, &p->stages[2]), "'--in=just one'");
    arena_release(&a);
}

/* A file of 4 MiB may not blow up to gigabytes. */
static void params_cannot_grow_a_file_without_bound(void **state)
{
    struct arena a = { 0 };
    struct buf text = { 0 };
    struct plan *p;

    buf_adds(&text, "pipeline: p\nparams: {x: \"");
    for (int i = 0; i < 20000; i++)
        buf_adds(&text, "0123456789");
    buf_adds(&text, "\"}\nstages:\n  a:\n    uses: grow\n    with:\n      in:\n");
    for (int i = 0; i < 1000; i++)
        buf_adds(&text, "      - \"${x}\"\n");
    assert_int_equal(parse(&a, text.p, NULL, &p), ST_CONFIG);
    assert_has(fail_message(), "params put more than 16 MiB into this file");
    buf_release(&text);
    arena_release(&a);
}

/* ---- flow text ---- */

static const char *const odd_texts[] = {
    "", "a", "true", "~", "null", "3e-4", "0x1F", "-7", ".inf", "a: b", "- x", "#c", "'", "\"", "\\",
    "\n", "a\nb\n", "\t", "tab\there", "\x01", "\x7f", "\xc2\x85", "\xe2\x80\xa8", "\xef\xbb\xbf" "x",
    "{", "]", ", ", "é", "\xf0\x9f\x98\x80", "${x}", "@y", "*z", "&q", "!t", "%d", "--", "<<", " lead", "trail ",
    "a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j k l m n o p q r s t u v w x y z"
    "a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j k l m n o p q r s t u v w x y z",
};

static struct yaml *random_tree(struct arena *a, struct rng *r, int depth)
{
    struct yaml *n = arena_new(a, struct yaml);
    static const char *const plain[] = { "1", "-2", "0.5", "1e9", "true", "false", "null", "~", "word" };

    n->kind = depth == 0 ? YAML_SCALAR : (enum yaml_kind)rng_below(r, 3);
    if (n->kind == YAML_SCALAR) {
        n->plain = rng_below(r, 2) == 0;
        n->text = n->plain ? plain[rng_below(r, 9)]
                           : odd_texts[rng_below(r, sizeof odd_texts / sizeof *odd_texts)];
        return n;
    }
    n->count = rng_below(r, 4);
    n->keys = arena_array(a, 4, sizeof *n->keys);
    n->items = arena_array(a, 4, sizeof *n->items);
    for (size_t i = 0; i < n->count; i++) {
        n->keys[i] = random_tree(a, r, 0);
        n->keys[i]->plain = false;
        n->keys[i]->text = arena_printf(a, "%zu%s", i, n->keys[i]->text);
        n->items[i] = random_tree(a, r, depth - 1);
    }
    return n;
}

static void flow_text_reads_back_as_the_same_tree(void **state)
{
    struct rng r = { .seed = 7 };

    for (int i = 0; i < 3000; i++) {
        struct arena a = { 0 };
        struct yaml *n = random_tree(&a, &r, 4), *back;
        struct buf text = { 0 };
        json_t *before, *after;
        flow_write(&text, n);
        assert_null(strchr(text.p, '\n'));
        assert_ok(yaml_parse(&a, "flow", text.p, text.n, &back));
        before = yaml_to_json(n);
        after = yaml_to_json(back);
        if (!json_equal(before, after))
            fail_msg("not the same: %s", text.p);
        json_decref(before);
        json_decref(after);
        buf_release(&text);
        arena_release(&a);
    }
}

/* ---- selection ---- */

static const char *selected(const struct plan *p, const struct plan_selection *s)
{
    static char names[100];
    bool *run, *force;

    names[0] = 0;
    assert_ok(plan_select(p, s, &run, &force));
    for (size_t i = 0; i < p->count; i++)
        if (run[i]) {
            strcat(names, p->names[i]);
            strcat(names, force[i] ? "! " : " ");
        }
    return names;
}

static void stages_are_selected_by_from_until_only_and_force(void **state)
{
    static const char text[] = "pipeline: p\nstages:\n"
                               "  a: {uses: grow}\n"
                               "  b: {uses: grow, with: {in: \"@a\"}}\n"
                               "  c: {uses: grow, with: {in: \"@a\"}}\n"
                               "  d: {uses: grow, with: {in: [\"@b\", \"@c\"]}}\n"
                               "  e: {uses: grow, needs: c}\n";
    const char *list[] = { "b", "e", NULL };
    struct opt_list b = { list, 1 }, both = { list, 2 };
    struct arena a = { 0 };
    struct plan *p;
    bool *run, *force;

    assert_ok(parse(&a, text, NULL, &p));
    assert_string_equal(selected(p, &(struct plan_selection){ 0 }), "a b c d e ");
    assert_string_equal(selected(p, &(struct plan_selection){ .from = "c" }), "c d e ");
    assert_string_equal(selected(p, &(struct plan_selection){ .until = "d" }), "a b c d ");
    assert_string_equal(selected(p, &(struct plan_selection){ .from = "b", .until = "d" }), "b d ");
    assert_string_equal(selected(p, &(struct plan_selection){ .only = &both }), "b e ");
    assert_string_equal(selected(p, &(struct plan_selection){ .force = &b }), "a b! c d e ");
    assert_int_equal(plan_select(p, &(struct plan_selection){ .from = "x" }, &run, &force), ST_USAGE);
    assert_int_equal(plan_select(p, &(struct plan_selection){ .until = "a", .force = &b }, &run, &force), ST_USAGE);
    assert_has(fail_message(), "leave that stage out");
    assert_int_equal(plan_select(p, &(struct plan_selection){ .from = "d", .until = "a" }, &run, &force), ST_USAGE);
    assert_int_equal(plan_select(p, &(struct plan_selection){ .from = "d", .only = &b }, &run, &force), ST_USAGE);
    arena_release(&a);
}

/* ---- the graph ---- */

static void the_graph_is_drawn_as_a_tree_and_for_graphviz(void **state)
{
    struct arena a = { 0 };
    struct buf text = { 0 };
    struct plan *p;

    assert_ok(parse(&a, good, NULL, &p));
    show_tree(p, &text);
    assert_string_equal(text.p, "end (mill fine)\n"
                                "├─ middle (grow)\n"
                                "│  ├─ begin (grow)\n"
                                "│  └─ side (grow)\n"
                                "└─ side (grow)\n");
    buf_clear(&text);
    show_dot(p, &text);
    assert_has(text.p, "    \"side\" -> \"end\" [style=dashed];\n");
    assert_has(text.p, "    \"begin\" -> \"middle\" [label=\"in\"];\n");
    assert_has(text.p, "    \"side\" -> \"middle\" [label=\"sources\"];\n");
    buf_release(&text);
    arena_release(&a);
}

/* ---- a thousand stages ---- */

static void a_thousand_stages_are_sorted(void **state)
{
    struct arena a = { 0 };
    struct buf text = { 0 };
    struct plan *p;

    buf_adds(&text, "pipeline: p\nstages:\n");
    for (int i = 0; i < 1000; i++)      /* each reads the next: file order is the wrong one */
        buf_printf(&text, i < 999 ? "  s%d: {uses: grow, with: {in: \"@s%d\"}}\n" : "  s%d: {uses: grow}\n",
                   i, i + 1);
    assert_ok(parse(&a, text.p, NULL, &p));
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(p->order[i], 999 - i);
    buf_release(&text);
    arena_release(&a);
}

/* ---- wrong files ---- */

/* The words of the lines "# --set name=value" and "# --site file" at the top. */
static void golden_words(struct arena *a, const char *text, struct opt_list *sets, const char **site)
{
    *sets = (struct opt_list){ arena_array(a, 4, sizeof(char *)), 0 };
    *site = NULL;
    while (strncmp(text, "# --s", 5) == 0) {
        size_t n = strcspn(text, "\n");
        if (strncmp(text, "# --set ", 8) == 0)
            sets->v[sets->count++] = arena_strndup(a, text + 8, n - 8);
        else
            *site = arena_strndup(a, text + 9, n - 9);
        text += n + 1;
    }
}

/* TUNDISH_GOLDEN=write writes the messages instead of comparing them; read them before they are
 * committed. */
static void check_golden(const char *name)
{
    struct arena a = { 0 };
    struct buf text = { 0 }, want = { 0 };
    const char *write = getenv("TUNDISH_GOLDEN"), *err;
    struct plan_args args = { .name = name, .commands = fake_commands };
    struct opt_list sets;
    struct plan *p;
    enum status st;

    scene_read(name, &text);
    golden_words(&a, text.p, &sets, &args.site);
    args.sets = &sets;
    st = plan_read_file(&a, &args, &p);
    if (st == ST_OK)
        fail_msg("%s is not wrong", name);
    if (status_exit_code(st) != 2)
        fail_msg("%s: exit code %d, want 2: %s", name, status_exit_code(st), fail_message());
    err = arena_printf(&a, "%.*s.err", (int)strlen(name) - 5, name);
    if (write != NULL && strcmp(write, "write") == 0)
        scene_write(err, arena_printf(&a, "%s\n", fail_message()));
    scene_read(err, &want);
    if (strcmp(want.p, arena_printf(&a, "%s\n", fail_message())) != 0)
        fail_msg("%s says:\n%s\nwant:\n%s", name, fail_message(), want.p);
    buf_release(&text);
    buf_release(&want);
    arena_release(&a);
}

static void every_wrong_file_gets_its_message(void **state)
{
    const char *source = getenv("TUNDISH_SOURCE");
    struct arena a = { 0 };
    char before[4096];
    struct file_list files;
    size_t seen = 0;

    if (source == NULL) {
        print_message("TUNDISH_SOURCE is not set: golden files not found\n");
        skip();
    }
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(path_join(&a, source, "tests/pipelines/golden")), 0);
    assert_ok(file_list_tree(&a, ".", &files));
    for (size_t i = 0; i < files.count; i++)
        if (str_ends_with(files.names[i], ".yaml")) {
            check_golden(files.names[i]);
            seen++;
        }
    assert_true(seen >= 30);
    assert_int_equal(chdir(before), 0);
    arena_release(&a);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_becomes_stages_inputs_and_an_order),
        cmocka_unit_test(params_keep_their_type_as_a_whole_and_are_text_inside_text),
        cmocka_unit_test(params_can_be_set_to_numbers_texts_and_lists),
        cmocka_unit_test(params_cannot_grow_a_file_without_bound),
        cmocka_unit_test(flow_text_reads_back_as_the_same_tree),
        cmocka_unit_test(stages_are_selected_by_from_until_only_and_force),
        cmocka_unit_test(the_graph_is_drawn_as_a_tree_and_for_graphviz),
        cmocka_unit_test(a_thousand_stages_are_sorted),
        cmocka_unit_test(every_wrong_file_gets_its_message),
    };

    fake_be_program(argc, argv);
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
