#include "tests/curate/one_file.h"

/* One resource of each way to hold text; lines of an export. */
#define NOTE                                                                                                      \
    "{\"resourceType\":\"DocumentReference\",\"id\":\"d1\",\"date\":\"2020-01-02\",\"subject\":{\"reference\":"   \
    "\"Patient/7\"},\"type\":{\"coding\":[{\"display\":\"Letter\"}]},\"context\":{\"encounter\":[{\"reference\":"  \
    "\"Encounter/3\"}]},\"content\":[{\"attachment\":{\"contentType\":\"text/plain; charset=windows-1252\","       \
    "\"data\":\"Y2Fm6Q==\"}},{\"attachment\":{\"contentType\":\"text/html\",\"data\":\"PHA+aGk8L3A+\"}},"          \
    "{\"attachment\":{\"contentType\":\"application/pdf\",\"data\":\"JVBERg==\"}},{\"attachment\":{\"url\":\"u\"}}]}"
#define OBSERVATION                                                                                               \
    "{\"resourceType\":\"Observation\",\"id\":\"o\",\"patient\":{\"reference\":\"Patient/8\"},\"code\":{\"text\":" \
    "\"Smoking\"},\"text\":{\"div\":\"<div xmlns='x'><p>Ten a day &amp; more</p><ul><li>a</li><li>b</li></ul>"     \
    "</div>\"},\"valueString\":\"Ten a day & more\",\"note\":[{\"text\":\"asked twice\"}]}"

#define NOTE_DOCUMENTS                                                                                            \
    " = DocumentReference/d1: caf\xc3\xa9 @2020-01-02 {\"kind\":\"fhir\",\"resourceType\":\"DocumentReference\","  \
    "\"patient\":\"Patient/7\",\"encounter\":\"Encounter/3\",\"type\":\"Letter\",\"contentType\":\"text/plain; "    \
    "charset=windows-1252\"}\n"

static void an_export_gives_notes_and_narratives(void **state)
{
    reads("e.ndjson", "", NOTE "\n" OBSERVATION "\n{\"resourceType\":\"Patient\",\"id\":\"7\"}\n{\"resourceType\":\n",
          "e.ndjson#1" NOTE_DOCUMENTS
          "e.ndjson#1 = DocumentReference/d1/2: <p>hi</p> @2020-01-02 {\"kind\":\"fhir\",\"resourceType\":"
          "\"DocumentReference\",\"patient\":\"Patient/7\",\"encounter\":\"Encounter/3\",\"type\":\"Letter\","
          "\"contentType\":\"text/html\"}\n"
          "e.ndjson#2 = Observation/o: Ten a day & more\\n\\na\\nb\\n\\nasked twice {\"kind\":\"fhir\",\"resourceType\":"
          "\"Observation\",\"patient\":\"Patient/8\",\"type\":\"Smoking\"}\n"
          "! bad_jsonl_line 1 e.ndjson#4\n! attachment_kind 2 e.ndjson#1\n! fhir_without_text 1 e.ndjson#3\n");
}

static void a_bundle_is_its_resources(void **state)
{
    reads("b.json", "", "{\n \"resourceType\": \"Bundle\",\n \"entry\": [{\"resource\": {\"resourceType\": \"Binary\", "
          "\"contentType\": \"text/plain\", \"data\": \"aGVs\\nbG8\"}}, {\"resource\": {\"resourceType\": \"Composition\", \"id\": \"c\", "
          "\"title\": \"H&P\", \"section\": [{\"title\": \"History\", \"text\": {\"div\": \"<div>Well.</div>\"}, \"section\": "
          "[{\"title\": \"Nothing\"}, {\"title\": \"Family\", \"text\": {\"div\": \"<div>None</div>\"}}]}]}}]}",
          "b.json/1: hello {\"kind\":\"fhir\",\"resourceType\":\"Binary\",\"contentType\":\"text/plain\"}\n"
          "b.json/2 = Composition/c: History\\n\\nWell.\\n\\nFamily\\n\\nNone {\"kind\":\"fhir\",\"resourceType\":"
          "\"Composition\",\"title\":\"H&P\"}\n");
}

static void what_is_broken_is_counted(void **state)
{
    reads("b.json", "", "{\"resourceType\": \"Binary\", \"contentType\": \"text/plain\", \"data\": \"a*b\"}",
          "! attachment_kind 1 b.json\n");
    reads("b.json", "", "{\"resourceType\": \"Binary\", \"contentType\": \"text/plain\", \"data\": \"AGE=\"}",
          "! attachment_kind 1 b.json\n");      /* a NUL */
    reads("b.json", "", "{\"resourceType\": \"Binary\", \"contentType\": \"text/plain\", \"data\": \"ICA=\"}",
          "! empty 1 b.json\n");
    reads("b.json", "", "{\"resourceType\": [1]}", "! bad_jsonl_line 1 b.json\n");
    reads("b.json", "", "{\"resourceType\": \"Observation\", \"text\": {\"div\": \"<div>one<b>\"}}",
          "b.json: one {\"kind\":\"fhir\",\"resourceType\":\"Observation\"}\n! bad_xml 1 b.json\n");
}

static void who_names_a_member_reads_plain_lines(void **state)
{
    reads("e.ndjson", "text: [a, b]", "{\"resourceType\":\"X\",\"a\":\"one\",\"b\":\"two\"}\n", "e.ndjson#1: one\\n\\ntwo\n");
    reads("e.jsonl", "text: a, id: key", "{\"a\":\"one\",\"key\":\"k7\"}\n", "e.jsonl#1 = k7: one\n");
    reads("e.json", "", "{\"a\": 1}", "! skipped_kind 1 e.json\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_export_gives_notes_and_narratives),
        cmocka_unit_test(a_bundle_is_its_resources),
        cmocka_unit_test(what_is_broken_is_counted),
        cmocka_unit_test(who_names_a_member_reads_plain_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
