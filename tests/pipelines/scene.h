/*
 * A scratch folder to run pipelines in, and the program run in it as a child. The folder is the
 * current one while the scene stands.
 */
#ifndef TUNDISH_TESTS_PIPELINES_SCENE_H
#define TUNDISH_TESTS_PIPELINES_SCENE_H

#include <signal.h>
#include <sys/wait.h>

#include "fake.h"

struct scene {
    char folder[64];
    char before[4096];
    struct buf out, err;         /* of the last scene_run() */
};

static inline void scene_begin(struct scene *s)
{
    memset(s, 0, sizeof *s);
    assert_non_null(getcwd(s->before, sizeof s->before));
    snprintf(s->folder, sizeof s->folder, "/tmp/tundish-pipelines-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    assert_int_equal(chdir(s->folder), 0);
    setenv("FAKE_LOG", "ran", 1);
    setenv("XDG_CACHE_HOME", s->folder, 1);
    unsetenv("FAKE_CLASS");
    unsetenv("FAKE_TRACE");
}

static inline void scene_end(struct scene *s)
{
    assert_int_equal(chdir(s->before), 0);
    assert_ok(file_remove_tree(s->folder));
    buf_release(&s->out);
    buf_release(&s->err);
}

static inline void scene_write(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static inline void scene_read(const char *path, struct buf *out)
{
    buf_clear(out);
    buf_adds(out, "");
    if (file_exists(path))
        assert_ok(file_read(path, 1 << 20, out));
}

/* Starts the program with the words (NULL-terminated), stdout and stderr into files. */
static inline pid_t scene_start(const char *const *words)
{
    const char *argv[32] = { "tundish" };
    pid_t pid;

    for (int i = 0; words[i] != NULL; i++)
        argv[i + 1] = words[i];
    fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int out = open(".stdout", O_WRONLY | O_CREAT | O_TRUNC, 0666);
        int err = open(".stderr", O_WRONLY | O_CREAT | O_TRUNC, 0666);
        dup2(out, 1);
        dup2(err, 2);
        execv("/proc/self/exe", (char *const *)argv);
        _exit(127);
    }
    return pid;
}

static inline int scene_wait(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Runs it to its end; its exit code. */
static inline int scene_run_words(struct scene *s, const char *const *words)
{
    int code = scene_wait(scene_start(words));

    scene_read(".stdout", &s->out);
    scene_read(".stderr", &s->err);
    return code;
}
#define scene_run(s, ...) scene_run_words(s, (const char *const[]){ __VA_ARGS__, NULL })

/* Fails, and shows everything, unless the program ends with that code. */
#define assert_run(s, want, ...)                                                                   \
    do {                                                                                           \
        int code_ = scene_run(s, __VA_ARGS__);                                                     \
        if (code_ != (want))                                                                       \
            fail_msg("exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", code_, want, (s)->out.p,   \
                     (s)->err.p);                                                                  \
    } while (0)

#define assert_has(text, part)                                                                     \
    do {                                                                                           \
        if (strstr((text), (part)) == NULL)                                                        \
            fail_msg("want '%s' in:\n%s", part, text);                                             \
    } while (0)
#define assert_lacks(text, part)                                                                   \
    do {                                                                                           \
        if (strstr((text), (part)) != NULL)                                                        \
            fail_msg("want no '%s' in:\n%s", part, text);                                          \
    } while (0)

/* Which stages ran since the last call, in order, "a b c"; their names without the key. */
static inline const char *scene_ran(struct scene *s)
{
    static char names[4096];
    struct buf text = { 0 };
    char *rest = NULL;

    scene_read("ran", &text);
    (void)unlink("ran");
    names[0] = 0;
    for (char *line = strtok_r(text.p, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        line[strlen(line) > 13 ? strlen(line) - 13 : 0] = 0;
        if (names[0])
            strcat(names, " ");
        assert_true(strlen(names) + strlen(line) + 2 < sizeof names);
        strcat(names, line);
    }
    buf_release(&text);
    return names;
}

#endif
