#include "tokenize/bench_words.h"

#include <math.h>

#include "base/rng.h"

void bench_words(struct buf *out, size_t bytes, unsigned words)
{
    struct rng r = { .seed = 7 };

    while (out->n < bytes) {
        uint64_t word = (uint64_t)(exp(rng_next_uniform(&r) * log(words)));
        uint64_t letters = 2 + rng_at(1, word, 0) % 9, draw = rng_below(&r, 1000);

        for (uint64_t i = 0; i < letters; i++) {
            char letter = (char)('a' + rng_at(2, word, i) % 26);

            buf_addc(out, i == 0 && draw < 60 ? (char)(letter - 32) : letter);
        }
        if (draw % 83 == 0)
            buf_printf(out, " %u", (unsigned)(draw * 37));
        buf_adds(out, draw < 70    ? ", "
                      : draw < 120 ? ". "
                      : draw < 140 ? ".\n\n"
                      : draw < 150 ? "\xC3\xA9 "
                                   : " ");
    }
}
