#include "curate/text/markdown.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/arena.h"

struct place {
    size_t at, n;      /* of a run of marks in the paragraph */
};
/* Runs that may open something, the last on top. */
struct places {
    struct place *v;
    size_t count, cap;
};

struct markdown {
    struct buf *out;
    struct buf paragraph;                   /* lines of text that belong together */
    struct buf drop;                        /* of each of its bytes: is it markup? */
    struct places stars, lines, waves, brackets;
    char fence;                             /* '`' or '~': inside of a block of code */
    size_t fence_length;
    bool comment;                           /* inside of <!-- */
};

static bool is_blank(char c) { return c == ' ' || c == '\t'; }
static bool is_space(char c) { return is_blank(c) || c == '\n' || c == '\r'; }
static bool is_alpha(char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_punctuation(char c) { return c > ' ' && c < 127 && !is_alpha(c) && !is_digit(c); }

static struct span trimmed(struct span s)
{
    while (s.n > 0 && is_space(s.p[s.n - 1]))
        s.n--;
    while (s.n > 0 && is_space(*s.p))
        s.p++, s.n--;
    return s;
}

static size_t run_of(struct span s, size_t at, char c)
{
    size_t n = 0;

    while (at + n < s.n && s.p[at + n] == c)
        n++;
    return n;
}

/* ---- inside of a paragraph: which bytes are markup ---- */

static void push(struct places *s, size_t at, size_t n)
{
    if (s->count == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 16;
        s->v = mem_grow(s->v, s->cap, sizeof *s->v);
    }
    s->v[s->count++] = (struct place){ at, n };
}

static void drop(struct markdown *m, size_t at, size_t n) { memset(m->drop.p + at, 1, n); }

/* A run of emphasis: closes what is open, opens what is left. */
static void emphasis(struct markdown *m, struct span s, size_t at, size_t n)
{
    char c = s.p[at], before = at > 0 ? s.p[at - 1] : ' ', after = at + n < s.n ? s.p[at + n] : ' ';
    struct places *open = c == '*' ? &m->stars : c == '_' ? &m->lines : &m->waves;
    bool opens = !is_space(after) && (!is_punctuation(after) || is_space(before) || is_punctuation(before));
    bool closes = !is_space(before) && (!is_punctuation(before) || is_space(after) || is_punctuation(after));
    bool inside = !is_space(before) && !is_punctuation(before) && !is_space(after) && !is_punctuation(after);

    if (inside && c == '_')      /* snake_case */
        return;
    while (closes && n > 0 && open->count > 0) {
        struct place *o = &open->v[open->count - 1];
        size_t both = o->n < n ? o->n : n;

        drop(m, o->at + o->n - both, both);
        drop(m, at, both);
        o->n -= both;
        at += both;
        n -= both;
        open->count -= o->n == 0;
    }
    if (opens && n > 0)
        push(open, at, n);
}

/* Code between equal runs of back-ticks: only they go. Returns where to go on. */
static size_t code_span(struct markdown *m, struct span s, size_t at)
{
    size_t n = run_of(s, at, '`'), end = at + n, last = s.n < at + 16 * MARKDOWN_TARGET ? s.n : at + 16 * MARKDOWN_TARGET;

    while (end < last) {
        const char *tick = memchr(s.p + end, '`', last - end);
        size_t k;

        if (tick == NULL)
            break;
        end = (size_t)(tick - s.p);
        k = run_of(s, end, '`');
        if (k == n) {
            drop(m, at, n);
            drop(m, end, n);
            return end + n;
        }
        end += k;
    }
    return at + n;
}

/* The end of a link's target behind ']': "(...)" or "[...]"; 0: there is none. */
static size_t target_end(struct span s, size_t at)
{
    char open = at < s.n ? s.p[at] : 0, close = open == '(' ? ')' : ']';
    int depth = 0;

    if (open != '(' && open != '[')
        return 0;
    for (size_t i = at; i < s.n && i - at < MARKDOWN_TARGET; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == open)
            depth++;
        else if (s.p[i] == close && --depth == 0)
            return i + 1;
    }
    return 0;
}

static size_t close_bracket(struct markdown *m, struct span s, size_t at)
{
    size_t end = target_end(s, at + 1);
    struct place open;

    if (m->brackets.count == 0)
        return at + 1;
    open = m->brackets.v[--m->brackets.count];
    if (end == 0 && at > open.at + open.n && s.p[open.at + open.n] == '^')      /* a note's mark */
        end = at + 1, drop(m, open.at, end - open.at);
    else if (end > 0) {
        drop(m, open.at, open.n);
        drop(m, at, end - at);
    }
    return end > 0 ? end : at + 1;
}

/* A tag goes; the address in <https://x> stays without its brackets. */
static size_t angle(struct markdown *m, struct span s, size_t at)
{
    size_t end = at + 1, last = s.n < at + MARKDOWN_TARGET ? s.n : at + MARKDOWN_TARGET;
    bool address = false;

    if (end < s.n && !is_alpha(s.p[end]) && s.p[end] != '/')
        return at + 1;
    for (; end < last && s.p[end] != '>' && s.p[end] != '<'; end++)
        address = address || (s.p[end] == ':' && end > at + 2 && !is_space(s.p[end - 1]) && s.p[end - 1] != '"') || s.p[end] == '@';
    if (end == last || s.p[end] != '>')
        return at + 1;
    if (address && memchr(s.p + at, ' ', end - at) == NULL) {
        drop(m, at, 1);
        drop(m, end, 1);
    } else {
        drop(m, at, end + 1 - at);
    }
    return end + 1;
}

static void mark_inline(struct markdown *m, struct span s)
{
    m->stars.count = m->lines.count = m->waves.count = m->brackets.count = 0;
    for (size_t i = 0; i < s.n;) {
        char c = s.p[i];
        size_t n = 1;

        if (c == '\\' && i + 1 < s.n && is_punctuation(s.p[i + 1])) {
            drop(m, i, 1);
            n = 2;
        } else if (c == '`') {
            n = code_span(m, s, i) - i;
        } else if (c == '*' || c == '_' || (c == '~' && i + 1 < s.n && s.p[i + 1] == '~')) {
            n = run_of(s, i, c);
            emphasis(m, s, i, n);
        } else if (c == '!' && i + 1 < s.n && s.p[i + 1] == '[') {
            push(&m->brackets, i, 2);
            n = 2;
        } else if (c == '[') {
            push(&m->brackets, i, 1);
        } else if (c == ']') {
            n = close_bracket(m, s, i) - i;
        } else if (c == '<') {
            n = angle(m, s, i) - i;
        }
        i += n;
    }
}

static void end_paragraph(struct markdown *m)
{
    struct span s = { m->paragraph.p, m->paragraph.n };

    if (s.n == 0)
        return;
    buf_clear(&m->drop);
    buf_reserve(&m->drop, s.n + 1);
    memset(m->drop.p, 0, s.n);
    mark_inline(m, s);
    for (size_t i = 0; i < s.n;) {
        size_t end = i;

        while (end < s.n && m->drop.p[end] == m->drop.p[i])
            end++;
        if (m->drop.p[i] == 0)
            buf_add(m->out, s.p + i, end - i);
        i = end;
    }
    buf_clear(&m->paragraph);
}

/* ---- lines ---- */

/* Three or more of one of - * _ =, with blanks between: a rule, or the line below a heading. */
static bool is_rule(struct span line)
{
    size_t marks = 0;

    for (size_t i = 0; i < line.n; i++) {
        if (is_blank(line.p[i]))
            continue;
        if (line.p[i] != *line.p || strchr("-*_=", line.p[i]) == NULL)
            return false;
        marks++;
    }
    return marks >= 3;
}

/* |---|:--:| */
static bool is_table_rule(struct span line)
{
    bool dash = false, bar = false;

    for (size_t i = 0; i < line.n; i++) {
        if (strchr("-|: \t", line.p[i]) == NULL)
            return false;
        dash = dash || line.p[i] == '-';
        bar = bar || line.p[i] == '|';
    }
    return dash && bar;
}

static bool is_definition(struct span line)
{
    size_t i = 1;

    if (line.n < 4 || *line.p != '[' || line.p[1] == '^')
        return false;
    while (i < line.n && line.p[i] != ']')
        i++;
    return i + 1 < line.n && line.p[i + 1] == ':';
}

static void add_cells(struct markdown *m, struct span line)
{
    bool first = true;

    line.p++;
    line.n -= 1 + (line.n > 1 && line.p[line.n - 2] == '|');
    while (line.n > 0) {
        size_t n = 0;
        struct span cell;

        while (n < line.n && (line.p[n] != '|' || (n > 0 && line.p[n - 1] == '\\')))
            n++;
        cell = trimmed((struct span){ line.p, n });
        if (!first)
            buf_addc(&m->paragraph, '\t');
        first = false;
        buf_add(&m->paragraph, cell.p, cell.n);
        n += n < line.n;
        line.p += n;
        line.n -= n;
    }
    buf_addc(&m->paragraph, '\n');
}

/* Where a comment begins that does not stand in code; NULL: none. */
static const char *begin_of_comment(struct span line)
{
    const char *start = memmem(line.p, line.n, "<!--", 4);
    size_t ticks = 0;

    for (const char *p = line.p; start != NULL && p < start; p++)
        ticks += *p == '`';
    return ticks % 2 == 0 ? start : NULL;
}

/* Comments go, over lines as well; returns what of the line is left in front, the rest into *behind. */
static struct span without_comment(struct markdown *m, struct span line, struct span *behind)
{
    const char *start = m->comment ? line.p : begin_of_comment(line), *end;

    *behind = (struct span){ NULL, 0 };
    if (start == NULL)
        return line;
    end = memmem(start, line.n - (size_t)(start - line.p), "-->", 3);
    m->comment = end == NULL;
    if (end != NULL)
        *behind = (struct span){ end + 3, line.n - (size_t)(end + 3 - line.p) };
    return (struct span){ line.p, (size_t)(start - line.p) };
}

static struct span without_quotes(struct span line)
{
    for (;;) {
        size_t i = 0;

        while (i < line.n && i < 3 && line.p[i] == ' ')
            i++;
        if (i == line.n || line.p[i] != '>')
            return line;
        i += 1 + (i + 1 < line.n && line.p[i + 1] == ' ');
        line.p += i;
        line.n -= i;
    }
}

/* One line of text, without its end. */
static void add_line(struct markdown *m, struct span line)
{
    struct span inner = trimmed(line);
    size_t marks = run_of(inner, 0, '#');

    if (inner.n == 0) {
        end_paragraph(m);
        buf_addc(m->out, '\n');
        return;
    }
    if (is_rule(inner) || is_table_rule(inner) || is_definition(inner))
        return;
    if (marks > 0 && marks < 7 && (marks == inner.n || is_blank(inner.p[marks]))) {
        end_paragraph(m);
        inner = trimmed((struct span){ inner.p + marks, inner.n - marks });
        while (inner.n > 0 && inner.p[inner.n - 1] == '#')
            inner.n--;
        inner = trimmed(inner);
        buf_add(&m->paragraph, inner.p, inner.n);
        buf_addc(&m->paragraph, '\n');
        end_paragraph(m);
        return;
    }
    if (*inner.p == '|') {
        add_cells(m, inner);
        return;
    }
    while (line.n > 0 && is_space(line.p[line.n - 1]))
        line.n--;
    buf_add(&m->paragraph, line.p, line.n);
    buf_addc(&m->paragraph, '\n');
}

/* Is the line a fence? Begins a block of code, or ends the one that is open. */
static bool take_fence(struct markdown *m, struct span line)
{
    struct span inner = trimmed(line);
    char c = inner.n > 2 ? *inner.p : 0;
    size_t n = c == '`' || c == '~' ? run_of(inner, 0, c) : 0;

    if (m->fence != 0) {
        if (c != m->fence || n < m->fence_length || n < inner.n)
            return false;
        m->fence = 0;
        return true;
    }
    if (n < 3 || (c == '`' && memchr(inner.p + n, '`', inner.n - n) != NULL))
        return false;
    end_paragraph(m);
    m->fence = c;
    m->fence_length = n;
    return true;
}

static void take_line(struct markdown *m, struct span line)
{
    struct span behind;

    if (!m->comment && take_fence(m, without_quotes(line)))
        return;
    if (m->fence != 0) {
        buf_add(m->out, line.p, line.n);
        buf_addc(m->out, '\n');
        return;
    }
    do {
        bool cut = m->comment || begin_of_comment(line) != NULL;
        struct span front = without_comment(m, line, &behind);

        if (!cut || trimmed(front).n > 0)
            add_line(m, without_quotes(front));
        line = behind;
    } while (trimmed(behind).n > 0);
}

/* The bytes of front matter: from a first line --- (YAML) or +++ (TOML) to the next such line; 0: there is none. */
static size_t front_matter(struct span text)
{
    const char *mark = text.p, *p = text.p, *end = p + text.n;

    if (text.n < 4 || (memcmp(p, "---", 3) != 0 && memcmp(p, "+++", 3) != 0) || !is_space(p[3]))
        return 0;
    while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
        p++;
        if (end - p >= 3 && (memcmp(p, mark, 3) == 0 || (*mark == '-' && memcmp(p, "...", 3) == 0)) &&
            (end - p == 3 || is_space(p[3]))) {
            const char *next = memchr(p, '\n', (size_t)(end - p));

            return next ? (size_t)(next + 1 - text.p) : text.n;
        }
    }
    return 0;
}

void markdown_text(struct span text, struct buf *out)
{
    struct markdown m = { .out = out };
    size_t at = front_matter(text);

    while (at < text.n) {
        const char *end = memchr(text.p + at, '\n', text.n - at);
        size_t n = end ? (size_t)(end - text.p) - at : text.n - at;

        take_line(&m, (struct span){ text.p + at, n > 0 && text.p[at + n - 1] == '\r' ? n - 1 : n });
        at += n + 1;
    }
    end_paragraph(&m);
    buf_release(&m.paragraph);
    buf_release(&m.drop);
    free(m.stars.v);
    free(m.lines.v);
    free(m.waves.v);
    free(m.brackets.v);
}
