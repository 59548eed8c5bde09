/* Runs a function in a child process, for tests of what ends a process: its exit code (or 128 + the
 * signal) and the words it left on stderr. */
#ifndef TUNDISH_TESTS_BASE_CHILD_H
#define TUNDISH_TESTS_BASE_CHILD_H

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct child_end {
    int code;
    char words[4096];
};

static inline struct child_end child_run(void (*fn)(void *ctx), void *ctx)
{
    struct child_end end = { .code = -1 };
    struct rlimit no_core = { 0, 0 };
    int fds[2], status;
    size_t used = 0;
    ssize_t n;
    pid_t pid;

    fflush(NULL);
    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &no_core);
        dup2(fds[1], STDERR_FILENO);
        close(fds[0]);
        close(fds[1]);
        fn(ctx);
        _exit(0);
    }
    close(fds[1]);
    while ((n = read(fds[0], end.words + used, sizeof end.words - 1 - used)) > 0)
        used += (size_t)n;
    end.words[used] = 0;
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    end.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return end;
}

#endif
