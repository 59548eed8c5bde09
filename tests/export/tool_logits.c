/* tool_logits MODEL ids...: the logits of these tokens in f32, raw floats [tokens, V] on stdout.
 * For comparisons with other programs. */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "model/model.h"

static enum status print_logits(const char *folder, const int32_t *ids, int64_t n)
{
    struct device *d;
    struct stream *s;
    struct model *m;
    struct pass *p;
    float *logits;

    TRY(device_open("cpu", &d));
    TRY(stream_open(d, &s));
    TRY(model_load(folder, d, DT_F32, &m));
    TRY(pass_new(&(struct pass_args){ .model = m, .stream = s, .batch = 1, .length = n }, &p));
    logits = mem_array((size_t)(n * model_config_of(m)->vocab), sizeof *logits);
    TRY(pass_logits(p, ids, logits));
    fwrite(logits, sizeof *logits, (size_t)(n * model_config_of(m)->vocab), stdout);
    free(logits);
    pass_free(p);
    model_free(m);
    stream_close(s);
    device_close(d);
    return ST_OK;
}

int main(int argc, char **argv)
{
    int32_t *ids = mem_array((size_t)argc, sizeof *ids);
    enum status st;

    for (int i = 2; i < argc; i++)
        ids[i - 2] = (int32_t)strtol(argv[i], NULL, 10);
    st = argc < 3 ? fail(ST_USAGE, "want a model folder and token ids")
                  : print_logits(argv[1], ids, argc - 2);
    free(ids);
    if (st != ST_OK)
        fprintf(stderr, "tool_logits: %s\n", fail_message());
    return status_exit_code(st);
}
