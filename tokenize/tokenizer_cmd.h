#ifndef TUNDISH_TOKENIZE_TOKENIZER_CMD_H
#define TUNDISH_TOKENIZE_TOKENIZER_CMD_H

#include "base/command.h"

/* each in its tokenizer_NAME_cmd.c */
extern const struct command cmd_tokenizer_train;
extern const struct command cmd_tokenizer_encode;
extern const struct command cmd_tokenizer_decode;
extern const struct command cmd_tokenizer_count;
extern const struct command cmd_tokenizer_info;
extern const struct command cmd_tokenizer_convert;
extern const struct command cmd_tokenizer_compare;
/* The rows that they share; S is the struct of the command's options. */
#define ROW_TOKENIZER \
    OPT_INPUT(S, tokenizer, "tokenizer", "the tokenizer: its folder or tokenizer.json", \
              .flags = OPT_REQUIRED)
#define ROW_IN \
    OPT_INPUTS(S, in, "in", "files to read; none, or '-': the standard input", \
               .flags = OPT_POSITIONAL)
#define ROW_AROUND                                                                              \
    OPT_BOOL(S, around, "around", "false",                                                      \
             "with the tokens that the tokenizer puts around a text, Llama's <|begin_of_text|> " \
             "say (Hugging Face's add_special_tokens)")
#define ROW_READ \
    OPT_CHOICE(S, read, "read", "auto", text_read_choices, \
               "a document is: a file (text), a line (lines), a line's \"text\" " \
               "(jsonl); auto goes by the name")
#define ROW_SPECIAL \
    OPT_BOOL(S, special, "special", "false", \
             "read special tokens' names in the text as these tokens")
struct tokenizer;
/* Says so if --around is given (wanted) and the tokenizer puts nothing around a text. */
void warn_around(const struct tokenizer *t, bool wanted);

#endif
