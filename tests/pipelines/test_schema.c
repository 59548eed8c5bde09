/* Schemas: every row of an option table is there as it is, and nothing points nowhere. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/command.h"
#include "pipelines/plan/schema.h"

struct cfg {
    const char *in, *out, *text;
    int64_t whole;
    double real;
    uint64_t size;
    int choice;
    bool flag;
    struct opt_list list;
    struct yaml *tree;
};
static const char *const words[] = { "one", "2", NULL };
static const struct opt step_opts[] = {
    OPT_CHOICE(struct cfg, choice, "method", "one", words, "which"), OPT_END
};

static bool item(size_t i, struct opt_item *out)
{
    static const struct opt_item items[] = {
        { "plain", NULL, NULL, "a plain step", step_opts, "method" },
        { "two", "method", "one", "the first of two", step_opts, "method" },
        { "two", "method", "2", "the second of two", step_opts, "method" },
    };

    if (i < 3)
        *out = items[i];
    return i < 3;
}

static const struct opt opts[] = {
#define S struct cfg
    OPT_INPUT(S, in, "in", "what is read", .flags = OPT_REQUIRED),
    OPT_OUTPUT(S, out, "out", "the result", .flags = OPT_REQUIRED),
    OPT_STR(S, text, "some-text", NULL, "a text", .flags = OPT_REQUIRED),
    OPT_INT(S, whole, "group.whole", "7", 1, 9, "a whole number"),
    OPT_REAL(S, real, "group.real", "0.5", 0, 1e300, "a number"),
    OPT_SIZE(S, size, "size", "1K", 1, 4096, "a size"),
    OPT_CHOICE(S, choice, "choice", "one", words, "one of them"),
    OPT_BOOL(S, flag, "flag", "true", "a flag"),
    OPT_LIST(S, list, "list", "texts"),
    OPT_TREE(S, tree, "steps", "steps", .item = item),
#undef S
    OPT_END
};
static const struct command make = { .name = "make it", .summary = "makes", .opts = opts, .stage_version = 1, .makes = "it",
                                     .cfg_size = sizeof(struct cfg) };
static const struct command look = { .name = "look", .summary = "makes nothing", .opts = opts, .cfg_size = sizeof(struct cfg) };
static const struct command *const commands[] = { &make, &look, NULL };

/* The member that "a/b/c" leads to; NULL: none. A number is a place in a list. */
static json_t *at(json_t *value, const char *path)
{
    char *copy = strdup(path), *rest = NULL;

    for (char *part = strtok_r(copy, "/", &rest); part && value; part = strtok_r(NULL, "/", &rest))
        value = json_is_array(value) ? json_array_get(value, (size_t)atoi(part)) : json_object_get(value, part);
    free(copy);
    return value;
}

static const char *text_at(json_t *value, const char *path) { return json_string_value(at(value, path)); }

/* Every "$ref" below leads to something in the root. Returns how many there were. */
static size_t check_references(json_t *root, json_t *value)
{
    size_t n = 0, i;
    const char *key;
    json_t *child;

    json_object_foreach(value, key, child) {
        if (strcmp(key, "$ref") == 0) {
            n++;
            if (strncmp(json_string_value(child), "#/", 2) != 0 || at(root, json_string_value(child) + 2) == NULL)
                fail_msg("'%s' leads nowhere", json_string_value(child));
        }
        n += check_references(root, child);
    }
    json_array_foreach(value, i, child)
        n += check_references(root, child);
    return n;
}

static void every_row_is_there_as_it_is(void **state)
{
    json_t *schema = schema_of_pipeline(commands), *map = at(schema, "$defs/with.make.it");

    assert_non_null(map);
    assert_true(json_is_false(at(map, "additionalProperties")));
    assert_string_equal(text_at(map, "properties/in/description"), "what is read");
    assert_null(at(map, "properties/out"));
    assert_string_equal(text_at(map, "patternProperties/^some[-_]text$/$ref"),
                        "#/$defs/with.make.it/properties/some-text");
    assert_int_equal(json_integer_value(at(map, "properties/group/properties/whole/anyOf/0/minimum")), 1);
    assert_int_equal(json_integer_value(at(map, "properties/group/properties/whole/anyOf/0/maximum")), 9);
    assert_int_equal(json_integer_value(at(map, "properties/group.whole/default")), 7);
    assert_string_equal(text_at(map, "properties/group/properties/real/anyOf/0/type"), "number");
    assert_null(at(map, "properties/group/properties/real/anyOf/0/maximum"));
    assert_int_equal(json_array_size(at(map, "properties/choice/anyOf/0/enum")), 3);    /* one, "2", 2 */
    assert_true(json_is_true(at(map, "properties/flag/default")));
    assert_string_equal(text_at(map, "properties/size/default"), "1K");
    assert_int_equal(json_integer_value(at(map, "properties/size/anyOf/0/maximum")), 4096);
    assert_string_equal(text_at(map, "properties/list/anyOf/1/type"), "array");
    assert_int_equal(json_array_size(at(map, "allOf")), 2);      /* required: in, some-text; not out */
    json_decref(schema);
}

static void items_of_a_tree_are_told_apart(void **state)
{
    json_t *schema = schema_of_pipeline(commands);
    json_t *forms = at(schema, "$defs/with.make.it/properties/steps/anyOf/0/items/anyOf");

    assert_int_equal(json_array_size(forms), 4);      /* plain, two, the words, a param */
    assert_int_equal(json_array_size(at(forms, "0/properties/plain/anyOf")), 3);       /* options, a value, nothing */
    assert_string_equal(text_at(forms, "1/properties/two/anyOf/1/description"), "the second of two");
    assert_string_equal(text_at(forms, "1/properties/two/anyOf/1/required/0"), "method");
    assert_string_equal(text_at(forms, "1/properties/two/anyOf/2/enum/1"), "2");
    assert_string_equal(text_at(forms, "0/properties/plain/anyOf/1/$ref"),
                        "#/$defs/with.make.it.steps.plain/properties/method");
    assert_int_equal(json_array_size(at(forms, "2/enum")), 1);
    assert_string_equal(text_at(forms, "2/enum/0"), "plain");
    assert_non_null(at(schema, "$defs/with.make.it.steps.two.one"));
    json_decref(schema);
}

static void only_what_makes_something_is_a_stage(void **state)
{
    json_t *schema = schema_of_pipeline(commands), *site = schema_of_site(commands);

    assert_int_equal(json_array_size(at(schema, "$defs/uses/enum")), 2);
    assert_string_equal(text_at(schema, "$defs/uses/enum/0"), "make.it");
    assert_string_equal(text_at(schema, "$defs/uses/enum/1"), "make it");
    assert_int_equal(json_array_size(at(schema, "$defs/stage/allOf")), 1);
    assert_string_equal(text_at(schema, "$defs/stage/allOf/0/then/required/0"), "with");
    assert_true(check_references(schema, schema) > 50);
    assert_true(check_references(site, site) > 10);
    json_decref(schema);
    json_decref(site);
}

/* What the program itself prints, with all of its commands. */
static json_t *printed(const char *option)
{
    char line[4096];
    json_t *schema;
    FILE *pipe;

    snprintf(line, sizeof line, "'%s' schema %s", getenv("TUNDISH"), option);
    pipe = popen(line, "r");
    assert_non_null(pipe);
    schema = json_loadf(pipe, JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(pclose(pipe), 0);
    assert_non_null(schema);
    return schema;
}

static void the_program_prints_all_of_its_stages(void **state)
{
    static const char *const kinds[] = { "curate", "tokenizer.train", "tokenize", "train", "evaluate", "export" };
    json_t *schema = printed(""), *site = printed("--site");

    assert_true(check_references(schema, schema) > 100);
    assert_true(check_references(site, site) > 10);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char path[64];

        snprintf(path, sizeof path, "$defs/with.%s/properties", kinds[i]);
        assert_non_null(at(schema, path));
        assert_true(json_object_size(at(schema, path)) >= 2);
    }
    assert_non_null(at(schema, "$defs/with.curate.steps.dedup.minhash/properties/threshold"));
    assert_non_null(at(schema, "$defs/with.curate.sources/properties/include"));
    json_decref(schema);
    json_decref(site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_there_as_it_is),
        cmocka_unit_test(items_of_a_tree_are_told_apart),
        cmocka_unit_test(only_what_makes_something_is_a_stage),
        cmocka_unit_test(the_program_prints_all_of_its_stages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
