/* Ids as text: decimal numbers between blanks, as `tokenizer encode` prints and `tokenizer decode`
 * reads them. */
#ifndef TUNDISH_TOKENIZE_ID_TEXT_H
#define TUNDISH_TOKENIZE_ID_TEXT_H

#include "tokenize/tokenizer.h"

/* Appends the number. */
void id_text_add_number(struct buf *out, uint64_t n);
/* Appends the ids with the separator between two. */
void id_text_add(struct buf *out, const uint32_t *ids, size_t count, char separator);
/* Reads ids between white space; stops at the first byte that is part of no id below 2^32, and
 * returns how many bytes were read: text.n when all is well. */
size_t id_text_read(struct span text, struct token_list *out);
/* Reads the line {"id":TEXT,"ids":[...]} that `tokenizer encode` prints, with blanks as it likes; id
 * may be missing. False where it is any other JSON, for which there is a real parser. *id is the
 * text between its quotes, without escapes; {0} if there is none. */
bool id_text_read_object(struct span line, struct span *id, struct token_list *out);

#endif
