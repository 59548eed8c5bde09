/* The profiles whose words white space separates, on any well-formed text: the first byte chooses the profile and the extension. */
#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"
#include "base/yaml.h"
#include "curate/chain/step.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static enum status judge(struct arena *a, unsigned choice, struct doc *d)
{
    static const char *const profiles[] = { "gopher@dolma", "curator-en", "code" };
    struct step_work w = { .trace = { .full = true } };
    struct yaml *list;
    struct chain c;
    const char *text = arena_printf(a, "[{filter: {profile: %s}}]", profiles[choice % 3]);

    TRY(yaml_parse(a, "step", text, strlen(text), &list));
    TRY(chain_parse(a, list, &c));
    TRY(chain_load(&c));
    BUG_IF(chain_each(&c, 1, d, &w) != ST_OK);
    for (size_t i = 0; i < w.trace.count; i++)
        BUG_IF(!(w.trace.values[i].value >= 0));
    step_work_release(&c, &w);
    chain_unload(&c);
    return ST_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const ids[] = { "a.py", "a.c", "a.html", "a" };
    struct arena a;
    struct doc d = { 0 };

    if (n < 2)
        return 0;
    arena_init(&a);
    utf8_repair(&d.text, (const char *)data + 1, n - 1);
    d.id = (char *)ids[data[0] / 3 % 4];
    BUG_IF(judge(&a, data[0], &d) != ST_OK);
    buf_release(&d.text);
    arena_release(&a);
    return 0;
}
