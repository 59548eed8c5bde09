/*
 * Statuses and the one message that goes with a failure.
 *
 * A function that can fail returns `enum status`. The line that finds the fault calls
 * fail() once, with words a user can act on: lower case, no full stop, the value seen
 * and the value wanted. TRY() passes the status up; only main() prints the message.
 * The message belongs to the thread; whoever joins a worker moves it over with
 * failure_save() and failure_restore() (base/pool.h does so).
 *
 * To add a failure: one row in STATUS_LIST.
 */
#ifndef TUNDISH_BASE_STATUS_H
#define TUNDISH_BASE_STATUS_H

#include <stdlib.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/*    name         exit code  what the class means to a user */
#define STATUS_LIST(X)                                                   \
    X(OK,          0,   "ok")                                            \
    X(FAILED,      1,   "failed")                                        \
    X(IO,          1,   "cannot read or write")                          \
    X(NOMEM,       1,   "out of memory")                                 \
    X(LIMIT,       1,   "a limit was reached")                           \
    X(USAGE,       2,   "wrong usage")                                   \
    X(CONFIG,      2,   "an option or configuration file is wrong")      \
    X(FORMAT,      2,   "a file is not what it claims to be")            \
    X(MISSING,     2,   "something named does not exist")                \
    X(UNSUPPORTED, 2,   "this program cannot do that")                   \
    X(GATE,        3,   "a gate failed")                                 \
    X(HELD,        4,   "held by another run")                           \
    X(INTEGRITY,   6,   "bytes differ from their digest")                \
    X(AGAIN,       75,  "try later")                                     \
    X(TIMEOUT,     124, "time-out")                                      \
    X(INTERRUPTED, 130, "interrupted")

enum status {
#define X(name, code, text) ST_##name,
    STATUS_LIST(X)
#undef X
    ST_COUNT
};

/* The class's name as in the list, lower case ("integrity"). */
const char *status_name(enum status st);
/* The process exit code of a status. */
int status_exit_code(enum status st);

#undef fail   /* cmocka.h, if it came before, has a macro of this name; fail_msg()
                 does the same there */
/* Records the message of this thread's failure and returns st. st must not be ST_OK.
 * A second fail() before the first was reported replaces it. Longer than 4,000 bytes: cut. */
enum status fail(enum status st, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* As fail(), with ": " and the text of errno behind the message. */
enum status fail_errno(enum status st, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Puts words in front of the recorded message; returns st. The words bring their own separator:
 * fail_within(st, "in '%s': ", path). */
enum status fail_within(enum status st, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* This thread's message; "" if there is none. Valid until the next fail() of this thread. */
const char *fail_message(void);

/* A failure on its way from one thread to another. */
struct failure {
    enum status st;
    char text[4096];
};
void failure_save(struct failure *f, enum status st);     /* this thread's message into f */
enum status failure_restore(const struct failure *f);     /* f becomes this thread's message */

#define TRY(expr)                         \
    do {                                  \
        enum status try_st_ = (expr);     \
        if (try_st_ != ST_OK)             \
            return try_st_;               \
    } while (0)

/* A fault of our own, never of the user's input: prints file and line, aborts. */
#define BUG_IF(cond)                                   \
    do {                                               \
        if (__builtin_expect(!!(cond), 0))             \
            bug_here(__FILE__, __LINE__, #cond);       \
    } while (0)
_Noreturn void bug_here(const char *file, int line, const char *what);

#endif
