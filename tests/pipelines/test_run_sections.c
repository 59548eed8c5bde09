/* The sections of a run's page on files that are missing, damaged, hostile or long. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/page.h"
#include "base/str.h"
#include "pipelines/report/run_page.h"
#include "pipelines/report/run_sections.h"

#define HOSTILE "\\\"></pre></td><script>alert(1)</script>"

/* An artifact of one file (or none) and what its section must say. */
static const struct row {
    const char *manifest, *name, *text, *says;
} rows[] = {
    { "{'kind':'corpus'}", NULL, NULL, "Cannot be shown" },
    { "{'kind':'corpus'}", "report.json", "[]", "is not a JSON object" },
    { "{'kind':'corpus'}", "report.json", "{'steps':", "Cannot be shown" },
    { "{'kind':'corpus','counts':{'documents':'x','documents_in':-3}}", "report.json",
      "{'steps':7,'input':[],'output':'x'}", "0 files gave 0 documents" },
    { "{'kind':'corpus'}", "report.json",
      "{'steps':[1,{'step':'" HOSTILE "','documents_in':1,'documents_out':9,'options':{'" HOSTILE
      "':'" HOSTILE "'},'drops':[{'reason':'" HOSTILE "','value_max':'x','samples':[{'id':'" HOSTILE
      "','of':'" HOSTILE "','text':'" HOSTILE "'},null]},2]}],'input':{'not_documents':[{'outcome':'"
      HOSTILE "','samples':['" HOSTILE "',1]}]},'output':{'lengths':[{'documents':3}, []]}}",
      "&lt;script&gt;" },
    { "{'kind':'corpus'}", "report.json",
      "{'steps':[{'step':'s','values':[7,{'rule':'" HOSTILE "','meaning':'" HOSTILE "','side':'at_most','threshold_min':1e999,"
      "'bins':[[0,1,'x',3],7,[-1e308,1e308,5,-9],[1e-300,1e300,1e18,1e18]]}]}],'input':{'kinds':{'" HOSTILE
      "':7},'sources':[3]},'output':{'languages':{'" HOSTILE "':{'documents':-5,'dropped':'x'}},'samples':[5,{'source':'" HOSTILE
      "','samples':[3,{'id':'" HOSTILE "','text':'" HOSTILE "','language':'" HOSTILE "'}]}]}}",
      "Cannot be shown" },
    { "{'kind':'corpus'}", "report.json",
      "{'steps':[{'step':'s','values':[7,{'rule':'" HOSTILE "','meaning':'" HOSTILE "','side':'at_most','threshold_min':5,"
      "'bins':[[0,1,'x',3],7,[-1e308,1e308,5,-9],[1e-300,1e300,1e18,1e18]]}]}],'input':{'kinds':{'" HOSTILE
      "':7},'sources':[3]},'output':{'languages':{'" HOSTILE "':{'documents':-5,'dropped':'x'}},'samples':[5,{'source':'" HOSTILE
      "','samples':[3,{'id':'" HOSTILE "','text':'" HOSTILE "','language':'" HOSTILE "'}]}]}}",
      "&lt;script&gt;" },
    { "{'kind':'tokenizer'}", NULL, NULL, "Cannot be shown" },
    { "{'kind':'tokenizer'}", "tokenizer.json", "{'model':3,'added_tokens':{}}",
      "0 entries in the vocabulary, from 0 merges" },
    { "{'kind':'tokenizer','counts':{'bytes_per_token':3.5}}", "tokenizer.json",
      "{'model':{'vocab':{'" HOSTILE "':0,'\u0120long':'x','b':1},'merges':{}},"
      "'added_tokens':[1,{'content':5},{'content':'" HOSTILE "'}]}",
      "3.50 bytes a token" },
    { "{'kind':'token-store'}", NULL, NULL, "Cannot be shown" },
    { "{'kind':'token-store','files':[],'counts':{'train':3,'validation':{'tokens':'x'}}}",
      "tokenizer.json", "{'model':{'vocab':[]}}", "Cannot be shown" },
    { "{'kind':'token-blend'}", NULL, NULL, "Cannot be shown" },
    { "{'kind':'token-blend','aside':{'paths':{'store':['a/" HOSTILE "',7]}}}", "blend.json",
      "{'stores':[{'weight':1,'epochs':0,'tokens':1234},{'weight':3,'epochs':1.5,'documents':'x'},3,[]]}",
      "<td class=\"n\">75 %</td>" },
    { "{'kind':'token-blend','aside':3}", "blend.json", "{'stores':{'x':1}}", "Its stores" },
    { "{'kind':'checkpoint'}", NULL, NULL, "Cannot be shown" },
    { "{'kind':'checkpoint','counts':{'parameters':12345}}", "metrics.jsonl", "",
      "12,345 parameters" },
    { "{'kind':'checkpoint'}", "metrics.jsonl", "\x01\xff{{{\nnull\n7\n\n",
      "metrics.jsonl: 4 lines are damaged" },
    { "{'kind':'checkpoint'}", "metrics.jsonl",
      "{'step':1,'tokens':'x','loss':'y','lr':null}\n{'tokens':-1e300,'loss':1e300}\n{'loss':1e999}\n",
      "1 lines are damaged" },
    { "{'kind':'report'}", NULL, NULL, "Cannot be shown" },
    { "{'kind':'report'}", "metrics.json", "{'bits_per_byte':'" HOSTILE "','documents':-1}",
      "&lt;script&gt;" },
    { "{'kind':'report','files':{'samples.jsonl':{}}}", "samples.jsonl",
      "{'id':'" HOSTILE "','prompt':7,'written':'" HOSTILE "','truth':'a\\u0000b'}\n\xff\n[]\n",
      "A line of samples.jsonl is damaged" },
    { "{'kind':'report','files':{'samples.jsonl':{}}}", NULL, NULL, "Cannot be shown" },
    { "{'kind':'model','files':{'README.md':{}}}", "config.json",
      "{'model_type':'" HOSTILE "','vocab_size':-5,'hidden_size':[]}", "Cannot be shown" },
    { "{'kind':'model','files':{'README.md':{}}}", "README.md", "# " HOSTILE "\n\xff",
      "alert(1)&lt;/script&gt;" },
    { "{'kind':'" HOSTILE "','counts':{'" HOSTILE "':'" HOSTILE "','list':[1,2]}}", NULL, NULL,
      "<caption>Counts</caption>" },
    { "{'counts':{'things':1234}}", NULL, NULL, "1,234" },
};

/* JSON as these tables write it, with ' for ". */
static char *quoted(const char *text, char *out)
{
    size_t n = 0;

    for (const char *p = text; *p; p++)
        out[n++] = *p == '\'' ? '"' : *p;
    out[n] = 0;
    return out;
}

static void write_text(const char *path, const char *text, size_t n)
{
    assert_ok(file_write_atomic(path, text, n));
}

/* The section as a page of its own, and that the page is sound. */
static void make_page(struct arena *a, const char *folder, const char *manifest, struct buf *out)
{
    json_t *json = json_loads(manifest, 0, NULL);
    struct run_section s = { a, out, folder, json };
    const char *path = path_join(a, folder, "page.html");
    char command[256];

    assert_non_null(json);
    buf_clear(out);
    page_begin(out, "Test", "a section");
    buf_adds(out, "</header>\n<dl class=\"figures\">\n");
    run_section_figures(&s);
    buf_adds(out, "</dl>\n<h2>It</h2>\n");
    run_section_of_kind(&s);
    page_end(out);
    write_text(path, out->p, out->n);
    snprintf(command, sizeof command, "tests/tool_wellformed %s", path);
    if (system(command) != 0)
        fail_msg("not a sound page, of %s:\n%s", manifest, out->p);
    json_decref(json);
}

static void what_is_damaged_is_said_and_what_is_hostile_stays_text(void **state)
{
    struct arena a = { 0 };
    struct buf page = { 0 };
    static char text[4096], manifest[1024];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char folder[] = "/tmp/tundish-sections-XXXXXX";

        assert_non_null(mkdtemp(folder));
        if (rows[i].name != NULL) {
            quoted(rows[i].text, text);
            write_text(path_join(&a, folder, rows[i].name), text, strlen(text));
        }
        make_page(&a, folder, quoted(rows[i].manifest, manifest), &page);
        if (strstr(page.p, rows[i].says) == NULL || strstr(page.p, "<script") != NULL)
            fail_msg("row %zu (%s): want '%s' in\n%s", i, rows[i].manifest, rows[i].says,
                     strstr(page.p, "<main>"));
        assert_ok(file_remove_tree(folder));
    }
    buf_release(&page);
    arena_release(&a);
}

/* However long a training was, its page stays small, and its first and last steps are drawn. */
static void a_long_curve_makes_a_small_page(void **state)
{
    char folder[] = "/tmp/tundish-sections-XXXXXX";
    struct arena a = { 0 };
    struct buf page = { 0 }, lines = { 0 };
    char *p;
    size_t points = 0;

    assert_non_null(mkdtemp(folder));
    for (int i = 1; i <= 50000; i++) {
        buf_printf(&lines, "{\"step\":%d,\"tokens\":%d,\"loss\":%f,\"lr\":1e-3,\"grad_norm\":1}\n", i,
                   i * 100, 4 + 4.0 / i);
        if (i % 50 == 0)
            buf_printf(&lines, "{\"step\":%d,\"tokens\":%d,\"validation_loss\":4.5}\n", i, i * 100);
    }
    write_text(path_join(&a, folder, "metrics.jsonl"), lines.p, lines.n);
    make_page(&a, folder, "{\"kind\":\"checkpoint\"}", &page);
    assert_true(page.n < 300000);
    assert_non_null(strstr(page.p, "Last training loss 4.0001, last validation loss 4.5000"));
    p = strstr(page.p, "<polyline class=\"raw\" points=\"");
    assert_non_null(p);
    for (p = strchr(p, '=') + 1; *p != '/'; p++)
        points += *p == ',';
    assert_in_range(points, 300, 600);
    points = 0;
    for (p = strstr(page.p, "<caption>Validation losses"); (p = strstr(p, "<tr><td")) != NULL; p++)
        points++;
    assert_in_range(points, 20, 24);
    assert_non_null(strstr(page.p, "<td class=\"n\">5,000,000</td>"));      /* the last look */
    assert_ok(file_remove_tree(folder));
    buf_release(&page);
    buf_release(&lines);
    arena_release(&a);
}

static void durations_are_as_people_say_them(void **state)
{
    static const struct {
        double seconds;
        const char *text;
    } cases[] = { { 0, "0.0 s" },          { 59.94, "59.9 s" },      { 59.96, "1 min 00 s" },
                  { 3599.4, "59 min 59 s" }, { 3599.6, "1 h 00 min" }, { 90061, "25 h 01 min" } };
    char text[32];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(run_page_duration(text, cases[i].seconds), cases[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_damaged_is_said_and_what_is_hostile_stays_text),
        cmocka_unit_test(a_long_curve_makes_a_small_page),
        cmocka_unit_test(durations_are_as_people_say_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
