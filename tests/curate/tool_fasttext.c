/* What our reader makes of a model of fastText: `tool_fasttext MODEL < LINES` prints for each line what `fasttext predict-prob MODEL -`
 * prints (label and probability), or an empty line. */
#include <stdio.h>
#include <stdlib.h>

#include "curate/language/fasttext.h"

int main(int argc, char **argv)
{
    struct fasttext *m = NULL;
    struct fasttext_scratch *s;
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    if (argc != 2 || fasttext_open(argv[1], &m) != ST_OK) {
        fprintf(stderr, "%s\n", argc == 2 ? fail_message() : "usage: tool_fasttext MODEL < LINES");
        return 1;
    }
    s = fasttext_scratch_new(m);
    while ((n = getline(&line, &cap, stdin)) >= 0) {
        struct fasttext_guess g;

        if (fasttext_predict(m, (struct span){ line, (size_t)n }, s, &g) != ST_OK) {
            fprintf(stderr, "%s\n", fail_message());
            return 1;
        }
        if (g.none)
            puts("");
        else
            printf("%s %.6g\n", fasttext_label(m, g.label), g.probability);
    }
    free(line);
    fasttext_scratch_free(s);
    fasttext_close(m);
    return 0;
}
