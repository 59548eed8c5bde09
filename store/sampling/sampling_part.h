/*
 * The inside of a sampling, for the files that make it up: sampling.c opens it and knows which row
 * is whose, sampling_read.c fills rows.
 *
 * A phase holds a run a source: the source from the place at which the phase found it. Rows of
 * the phase are dealt among the runs in segments: within one the same runs take part, and the next
 * one begins with the row for which a run has nothing left, without that run.
 */
#ifndef TUNDISH_STORE_SAMPLING_PART_H
#define TUNDISH_STORE_SAMPLING_PART_H

#include "store/sampling/sample_blend.h"
#include "store/sampling/sample_order.h"
#include "store/sampling/sample_shuffle.h"
#include "store/sampling/sample_windows.h"
#include "store/sampling/sampling.h"

#define SAMPLING_LENGTH_MOST (((uint64_t)1 << 24) - 1)
#define SAMPLING_ROWS_MOST   ((uint64_t)1 << 24)
#define SAMPLING_EPOCHS_MOST 1e6
#define SAMPLING_TOKENS_MOST ((uint64_t)1 << 60) /* of a run: what a place can count */

struct sample_run {
    size_t source;          /* in sampling.sources */
    uint64_t weight, limit; /* limit: rows that it can give in this phase; UINT64_MAX: any */
    const struct sample_place *start;
    struct sample_windows windows; /* PACK_BEST_FIT */
    struct sample_shuffle shuffle; /* PACK_CONCAT */
    bool ready;                    /* PACK_CONCAT: spot is the document that holds token `next` */
    uint64_t next;
    struct sample_spot spot;
};
struct sample_segment {
    uint64_t first; /* row of the phase */
    size_t count;
    size_t *runs;     /* in the phase; they follow the blend's sources */
    uint64_t *before; /* rows that they had before the segment */
    struct sample_blend blend;
};
struct sample_phase {
    uint64_t step, length, rows;
    uint64_t before; /* tokens of the phases before it, filling counted */
    struct sample_run *runs;
    size_t run_count;
    struct sample_segment *segments;
    size_t segment_count;
    uint64_t end;                /* rows of the phase until no run has any; UINT64_MAX: never */
    struct sample_place *places; /* of each of sampling.sources, at the first row */
};
struct sample_source {
    struct sample_order order;
    const char *name;
};
struct sampling {
    struct arena arena;
    uint64_t seed, window;
    enum packing packing;
    bool apart;
    struct sample_source *sources; /* of all phases, each once */
    size_t source_count;
    struct sample_phase *phases;
    size_t phase_count, phases_made; /* phases behind the last step are made, but not opened */
    uint64_t steps;

    struct sampling_piece *pieces; /* of the row that was asked for last */
    size_t piece_count, piece_capacity;
    bool joined; /* PACK_CONCAT: it lies in what a phase before has left, where a piece need
                    not be followed by what follows it in the sequence */
    struct {     /* what sampling_seen() has made ready */
        uint64_t steps;
        struct sample_place *places; /* of each source; NULL: nothing yet */
        struct {
            uint64_t first, last; /* places of epoch 0 that may be read in part */
            uint64_t opener;      /* document whose first token was read as a target at the end of
                                     the epoch, though it is of the next one; UINT64_MAX: none */
        } *borders;               /* PACK_CONCAT */
    } seen;
};

/* The phase of a step. */
const struct sample_phase *sampling_phase_of(const struct sampling *s, uint64_t step);
/* Whose a row of the phase is (below its end), and as which of its rows. */
struct sample_run *sampling_run_of(const struct sample_phase *p, uint64_t row, uint64_t *number);
/* Where each source stands after the first `rows` rows of the phase: an array like places, which
 * sampling_places_free() takes back. */
struct sample_place *sampling_places(const struct sampling *s, const struct sample_phase *p,
                                     uint64_t rows);
void sampling_places_free(struct sample_place *places, size_t count);

#endif
