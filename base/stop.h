/*
 * Ctrl-C. The first SIGINT or SIGTERM asks for a stop: the unit in hand is finished, a resumable
 * state is left, and the command returns fail(ST_INTERRUPTED, "...what to run to go on"). The
 * second ends the process at once (exit 130). Interrupted system calls are restarted where the
 * kernel can (SA_RESTART); poll() and sleeps return EINTR.
 */
#ifndef TUNDISH_BASE_STOP_H
#define TUNDISH_BASE_STOP_H

#include <stdbool.h>

/* main() calls it once. From then on a file that may not grow is an error of the write, no signal. */
void stop_install(void);
bool stop_requested(void);
/* What the second signal does before it ends the process, in the handler; NULL: nothing. */
void stop_at_once_does(void (*act)(void));

#endif
