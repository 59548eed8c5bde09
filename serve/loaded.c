#include "serve/loaded.h"

#include "model/compute.h"

enum status loaded_open(struct loaded *l, const char *folder, const char *device, int dtype)
{
    const struct model_config *c;

    TRY(device_open(device, &l->device));
    TRY(tokenizer_open(folder, &l->tokenizer));
    TRY(model_load(folder, l->device, compute_type(dtype, l->device), &l->model));
    c = model_config_of(l->model);
    if (tokenizer_vocab(l->tokenizer) > c->vocab)
        return fail(ST_CONFIG, "the tokenizer in '%s' has %u entries, the model only %lld", folder,
                    tokenizer_vocab(l->tokenizer), (long long)c->vocab);
    return ST_OK;
}

enum status loaded_start(struct loaded *l, const struct engine_args *args)
{
    struct engine_args a = *args;

    a.model = l->model;
    return engine_new(&a, &l->engine);
}

void loaded_close(struct loaded *l)
{
    engine_free(l->engine);
    model_free(l->model);
    tokenizer_close(l->tokenizer);
    device_close(l->device);
}
