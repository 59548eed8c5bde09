/*
 * The playground: a page for trying the model, inside the program. Its files lie in playground/; it
 * speaks with this server alone.
 *
 * To change it: edit the files there; the build takes them in (playground.c).
 */
#ifndef TUNDISH_SERVE_PLAYGROUND_H
#define TUNDISH_SERVE_PLAYGROUND_H

#include "serve/http.h"

void playground_page(struct exchange *x, void *ctx);
void playground_style(struct exchange *x, void *ctx);
void playground_script(struct exchange *x, void *ctx);

#endif
