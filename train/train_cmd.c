#include "train/train_cmd.h"

#include "model/compute.h"
#include "store/sampling/sampling.h"
#include "train/phases.h"
#include "train/train_bench.h"
#include "train/train_loop.h"

const char *const document_mask_names[] = { "auto", "true", "false", NULL };

static const struct opt options[] = {
#define S struct train_options
    OPT_INPUT(S, store, "store", "token store, or blend of several, to train on",
              .flags = OPT_REQUIRED, .reads = "token-store token-blend"),
    OPT_OUTPUT(S, out, "out", "checkpoint folder to write", .flags = OPT_REQUIRED),
    OPT_INPUT(
        S, init, "init",
        "model or checkpoint to start from, in place of seeded weights; its shape counts, not "
        "model.*",
        .reads = "checkpoint model"),

    OPT_INT(S, width, "model.width", "256", 8, 1048576, "width of the residual stream"),
    OPT_INT(S, layers, "model.layers", "4", 1, 4096, "layers"),
    OPT_INT(S, heads, "model.heads", "4", 1, 16384, "query heads"),
    OPT_INT(S, kv_heads, "model.kv-heads", "0", 0, 16384,
            "key and value heads; 0: as many as heads"),
    OPT_INT(S, head_width, "model.head-width", "0", 0, 65536, "width of a head; 0: width / heads"),
    OPT_INT(S, ff, "model.ff", "0", 0, 16777216,
            "inner width of the feed-forward part; 0: 8/3 of the width"),
    OPT_REAL(S, rope_theta, "model.rope-theta", "10000", 1.001, 1e12,
             "base of the rotary positions"),
    OPT_REAL(S, norm_eps, "model.norm-eps", "1e-5", 1e-12, 1e-2, "epsilon of the norms"),
    OPT_BOOL(S, tied, "model.tied", "true", "the head is the embedding"),

    OPT_INT(S, context, "context", "256", 2, 16777216, "tokens of a sequence"),
    OPT_INT(S, tokens, "tokens", "0", 0, 1e15, "how long: tokens to train on"),
    OPT_INT(S, steps, "steps", "0", 0, 1e12, "how long: optimizer steps"),
    OPT_REAL(S, minutes, "minutes", "0", 0, 1e6,
             "how long: about so many minutes, by one probe that is recorded"),
    OPT_INT(S, batch_tokens, "batch-tokens", "8192", 2, 1e12, "tokens of a step"),
    OPT_INT(S, unit_tokens, "unit-tokens", "1024", 2, 1e9,
            "tokens of a partial gradient: what one thread works on at a time"),
    OPT_CHOICE(S, packing, "packing", "concat", packing_names,
               "how documents become sequences: one after the other, cut; or whole where they fit, "
               "with filling"),
    OPT_INT(S, pack_window, "pack-window", "1024", 1, 65536,
            "best-fit: documents that are packed at a time"),
    OPT_CHOICE(S, document_mask, "document-mask", "auto", document_mask_names,
               "attention stays inside documents, and none foretells the next one's beginning; "
               "auto: with best-fit"),
    OPT_TREE(S, phases, "phases",
             "what is read from a step on: a list of {step, context, batch-tokens, store}, each "
             "but step as before where absent",
             .check = phases_check, .paths = phases_paths, .item = phases_item,
             .reads = "token-store token-blend"),
    OPT_REAL(S, lr, "lr", "1e-3", 1e-9, 10, "highest learning rate"),
    OPT_REAL(S, min_lr, "min-lr", "0.1", 0, 1, "lowest learning rate, as a share of lr"),
    OPT_REAL(S, warmup, "warmup", "0.05", 0, 1, "share of the steps with a rising learning rate"),
    OPT_REAL(S, beta1, "beta1", "0.9", 0, 0.9999999, "AdamW: decay of the first moment"),
    OPT_REAL(S, beta2, "beta2", "0.95", 0, 0.9999999, "AdamW: decay of the second moment"),
    OPT_REAL(S, epsilon, "epsilon", "1e-8", 1e-20, 1, "AdamW: epsilon"),
    OPT_REAL(S, weight_decay, "weight-decay", "0.1", 0, 10, "AdamW: decay of matrices"),
    OPT_REAL(S, clip, "clip", "1", 0, 1e9, "largest norm of the gradient; 0: any"),
    OPT_INT(S, seed, "seed", "1", 0, 9007199254740992,
            "seed of weights and of the order of samples"),
    OPT_CHOICE(S, dtype, "dtype", "auto", compute_names,
               "type of matrix products; auto: bf16 where the hardware has it"),

    OPT_INT(S, eval_every, "eval-every", "100", 0, 1e12,
            "steps between looks at the validation part; 0: only at the end"),
    OPT_INT(S, eval_tokens, "eval-tokens", "32768", 0, 1e12,
            "tokens of such a look, in whole sequences"),
    OPT_INT(S, checkpoint_every, "checkpoint-every", "100", 0, 1e12,
            "steps between checkpoints; 0: only on Ctrl-C", .flags = OPT_NEUTRAL),
    OPT_INT(S, keep, "keep", "2", 1, 1000000, "checkpoints kept while the run goes on",
            .flags = OPT_NEUTRAL),
    OPT_STR(S, device, "device", "auto", "auto, cpu or cuda", .flags = OPT_NEUTRAL),
    OPT_INT(S, threads, "threads", "0", 0, 4096, "threads; 0: all processors",
            .flags = OPT_NEUTRAL),
#undef S
    OPT_END
};

static const char *numeric_class(const void *cfg)
{
    const struct train_options *o = cfg;

    return compute_numeric_class(o->device, o->dtype);
}

static enum status run(struct arena *a, void *cfg) { return train_run(a, cfg); }

const struct command cmd_train = {
    .name = "train",
    .summary = "train a model on a token store or a blend",
    .details =
        "Trains a Llama-family model with AdamW and writes a checkpoint: weights, optimizer state, "
        "config.json and\n"
        "tokenizer.json. While it runs, checkpoints stand in OUT.work; after Ctrl-C or a crash the "
        "same command goes on\n"
        "from the newest one and ends with the same bytes. Results have the same bits for any "
        "number of threads and\n"
        "ranks on one kind of hardware. A run that was stopped takes phases that begin where it "
        "stands or later, and no\n"
        "other change.\n\n"
        "  tundish train --store tokens --out checkpoint --tokens 2000000\n"
        "  tundish train --store blend --out checkpoint --steps 500 --packing best-fit \\\n"
        "      --phases '[{step: 400, context: 1024, store: long}]'\n"
        "  mpirun -np 2 --bind-to none tundish train --store tokens --out checkpoint --steps 500",
    .opts = options,
    .cfg_size = sizeof(struct train_options),
    .stage_version = 2,
    .makes = "checkpoint",
    .numeric_class = numeric_class,
    .run = run,
    .benches = train_benches,
};
