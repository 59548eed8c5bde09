/* JSON files (`.json`) with many documents, of sources that name the text's members: a list of objects, each a
 * document as a line of JSON lines would be; an object that has the text, one document; and an object of objects, each
 * a document whose id is the member's name (what question answering data often are).
 *
 * A list is read in pieces: memory is one element. An object is read whole, for only its end tells which of the two it
 * is. What stands in the list or the object and is no object is counted once a file. */
#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "curate/source/source_part.h"

#define KEY_MAX 1000

struct json_file {
    struct buf value, key;       /* the element in hand; the string that stood before it, as it is written */
    bool listed;                 /* the elements of a list; else the members of an object */
    bool begun, ended;           /* behind the first bracket, behind the last */
    bool in_string, escaped, in_key, too_long, told;
    uint64_t depth, number;      /* brackets that are open; elements */
};

/* Counts what is no element, once. */
static void tell_odd(struct level *l, struct json_file *f)
{
    if (!f->told)
        source_outcome(l->source, SOURCE_BAD_LINE, l->id);
    f->told = true;
}

/* Bytes of a string up to what may end it. */
static size_t string_run(const char *p, size_t n)
{
    size_t i = 0;

    while (i < n && p[i] != '"' && p[i] != '\\')
        i++;
    return i;
}

static void add_value(struct level *l, struct json_file *f, struct span s)
{
    f->too_long = f->too_long || s.n > l->source->limits.max_document - f->value.n;
    if (f->depth > 1 && !f->too_long)
        buf_add(&f->value, s.p, s.n);
    if (f->in_key && f->key.n + s.n <= KEY_MAX)
        buf_add(&f->key, s.p, s.n);
}

static void begin_string(struct json_file *f)
{
    f->in_string = true;
    f->in_key = f->depth == 1;
    if (f->in_key)
        buf_clear(&f->key);
}

/* One byte that stands in no string; true: an element has ended with it. */
static bool take_mark(struct level *l, struct json_file *f, char c)
{
    if (c == '"')
        begin_string(f);
    if ((c == '{' || c == '[') && f->depth++ == 1) {
        buf_clear(&f->value);
        f->too_long = false;
        if (c == '[')
            tell_odd(l, f);
    }
    if (f->depth > 1)
        add_value(l, f, (struct span){ &c, 1 });
    else if (f->begun && strchr("\" \t\r\n,:{}[]", c) == NULL)
        tell_odd(l, f);
    f->begun = true;
    if ((c == '}' || c == ']') && f->depth > 0 && --f->depth == 1)
        return true;
    f->ended = f->depth == 0;
    return false;
}

/* Takes bytes up to an element's end; returns how many. */
static size_t take(struct level *l, struct json_file *f, struct span s, bool *whole)
{
    size_t i = 0;

    for (*whole = false; i < s.n && !*whole && !f->ended;) {
        size_t n = f->in_string && !f->escaped ? string_run(s.p + i, s.n - i) : 0;

        if (n > 0) {
            add_value(l, f, (struct span){ s.p + i, n });
            i += n;
            continue;
        }
        if (!f->in_string) {
            *whole = take_mark(l, f, s.p[i++]);
            continue;
        }
        if (f->escaped || s.p[i] != '"' || !f->in_key)
            add_value(l, f, (struct span){ s.p + i, 1 });
        if (!f->escaped && s.p[i] == '"')
            f->in_string = f->in_key = false;
        f->escaped = !f->escaped && s.p[i] == '\\';
        i++;
    }
    return i;
}
