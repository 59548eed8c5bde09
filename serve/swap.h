/*
 * Which model answers, and how another takes its place while the server runs.
 *
 * A link ("registry/champion") names the model. A thread of its own looks once a second, or when
 * it is told to, where the link leads. When that is another folder, it opens the model there
 * (served.h) beside the one in use; from then on requests get the new one, and the old one is
 * closed when the last request that got it has been answered. What cannot be opened changes
 * nothing: the reason is logged and counted, and it is tried again when the link changes, or when
 * told to.
 *
 * At most two models are held: while requests of the last one are under way, no third is opened.
 * The link may have moved on by then; what it names at that moment counts. A link that leads back
 * to the last one finds it open: that swap is done at once.
 *
 * A model is lent (swap_lend) and given back; who needs it longer than a handler runs holds it
 * (api_hold, api_release). All may be called from any thread; the swap's own thread closes models,
 * because an engine cannot be ended from its own callback.
 */
#ifndef TUNDISH_SERVE_SWAP_H
#define TUNDISH_SERVE_SWAP_H

#include "serve/served.h"

struct swap;
struct swap_args {
    const char *path; /* of the model's folder, or of a link to it */
    bool follow;      /* look where it leads; else the first model stays */
    double period;    /* seconds between two looks */
    struct served_args served;
};
/* Opens the first model, and starts the thread. The strings are borrowed until swap_free(). */
MUST_USE enum status swap_open(const struct swap_args *args, struct swap **out);
/* Ends the thread, which may have to come to the end of a step of opening first, and the engines:
 * sequences under way are cancelled. Models may still be lent. NULL is fine, here and below. */
void swap_stop(struct swap *sw);
void swap_free(struct swap *sw); /* nothing is lent any more */

/* Look now, and try once more what failed. */
void swap_look(struct swap *sw);
/* A struct api; for struct http_args. */
void *swap_lend(void *sw);
void swap_give_back(void *api);

/* Sums over all models there are and were; pages and sequences: over those there are. */
struct engine_state swap_state(struct swap *sw);

#endif
