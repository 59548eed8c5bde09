/* The subcommands, in the order that data flows. To add one: its header and one row here. */
#include "base/bench.h"
#include "base/cli.h"
#include "base/completion_cmd.h"
#include "base/man_cmd.h"
#include "base/version_cmd.h"
#include "curate/curate_cmd.h"
#include "evaluate/evaluate_cmd.h"
#include "export/export_cmd.h"
#include "kernels/kernels_cmd.h"
#include "pipelines/history/history_cmd.h"
#include "pipelines/lineage/lineage_cmd.h"
#include "pipelines/plan/schema_cmd.h"
#include "pipelines/registry/registry_cmd.h"
#include "pipelines/run_cmd.h"
#include "serve/chat_cmd.h"
#include "serve/generate_cmd.h"
#include "serve/serve_cmd.h"
#include "store/blend_cmd.h"
#include "store/store_cmd.h"
#include "tokenize/store_fill_cmd.h"
#include "tokenize/tokenize_cmd.h"
#include "tokenize/tokenizer_cmd.h"
#include "train/train_cmd.h"

#define COMMANDS(...) (const struct command *const[]) { __VA_ARGS__, NULL }

static const struct cli_group groups[] = {
    { "from raw text to tokens",
      COMMANDS(&cmd_curate, &cmd_tokenizer_train, &cmd_tokenizer_encode, &cmd_tokenizer_decode,
               &cmd_tokenizer_count, &cmd_tokenizer_info, &cmd_tokenizer_compare,
               &cmd_tokenizer_convert, &cmd_tokenize, &cmd_store_info, &cmd_store_verify,
               &cmd_store_cat, &cmd_store_blend, &cmd_store_find, &cmd_store_append, &cmd_store_remove, &cmd_store_import, &cmd_store_export) },
    { "from tokens to a model",
      COMMANDS(&cmd_train, &cmd_evaluate, &cmd_export, &cmd_generate, &cmd_chat,
               &cmd_serve) },
    { "all of it, from one pipeline file",
      COMMANDS(&cmd_run, &cmd_status, &cmd_explain, &cmd_graph, &cmd_logs, &cmd_runs,
               &cmd_compare, &cmd_gc, &cmd_promote, &cmd_rollback, &cmd_registry,
               &cmd_lineage, &cmd_verify, &cmd_schema) },
    { "this program and this machine",
      COMMANDS(&cmd_kernels_info, &cmd_bench, &cmd_version, &cmd_man, &cmd_completion) },
    { NULL, NULL }
};

int main(int argc, char **argv) { return cli_main(groups, argc, argv); }
