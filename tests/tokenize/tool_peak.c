/* Runs a program and prints the most memory that it had, in bytes; its exit status is the program's. And makes text: `tool_peak text
 * MEGABYTES WORDS` prints so much text of so many different words, the same each time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rng.h"

static int make_text(size_t bytes, uint64_t words)
{
    struct rng r = { .seed = 3 };
    char text[1 << 16];

    for (size_t done = 0; done < bytes;) {
        int n = 0;

        while (n < (int)sizeof text - 64) {
            uint64_t a = rng_below(&r, words), word = a * rng_below(&r, words) / words, h = word * 0x9E3779B97F4A7C15u;

            text[n++] = ' ';
            for (int i = 0; i < 3 + (int)(h >> 61); i++)
                text[n++] = "etaoinshrdlcumwf"[h >> (4 * i) & 15];
        }
        text[n++] = '\n';
        if (fwrite(text, 1, (size_t)n, stdout) != (size_t)n)
            return 1;
        done += (size_t)n;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct rusage u;
    int status;
    pid_t child;

    if (argc == 4 && strcmp(argv[1], "text") == 0)
        return make_text((size_t)atoi(argv[2]) * 1000000, (uint64_t)atoi(argv[3]));
    if (argc < 2)
        return 2;
    child = fork();
    if (child == 0) {
        execv(argv[1], argv + 1);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &u) != child)
        return 1;
    printf("%ld\n", u.ru_maxrss * 1024L);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
