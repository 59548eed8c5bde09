#include "serve/playground.h"

/* The bytes of a file as `name` to `name_end`. The assembler looks for it in serve/playground
 * (CMakeLists.txt). */
#define EMBED(name, file)                                                                          \
    __asm__(".section .rodata\n" #name ":\n.incbin \"" file "\"\n" #name                           \
            "_end:\n.byte 0\n.previous\n");                                                        \
    extern const char name[], name##_end[]

EMBED(playground_html, "index.html");
EMBED(playground_css, "playground.css");
EMBED(playground_js, "playground.js");

/* Nothing from elsewhere is loaded or asked, whatever a model writes. */
static const char *const headers[] = {
    "Content-Security-Policy",
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy",
    "no-referrer",
    "Cache-Control",
    "no-cache",
    NULL,
};

static void answer(struct exchange *x, const char *type, const char *begin, const char *end)
{
    exchange_reply(x, &(struct reply){ .code = 200,
                                       .type = type,
                                       .body = { begin, (size_t)(end - begin) },
                                       .headers = headers });
}

void playground_page(struct exchange *x, void *ctx)
{
    answer(x, "text/html; charset=utf-8", playground_html, playground_html_end);
}

void playground_style(struct exchange *x, void *ctx)
{
    answer(x, "text/css; charset=utf-8", playground_css, playground_css_end);
}

void playground_script(struct exchange *x, void *ctx)
{
    answer(x, "text/javascript; charset=utf-8", playground_js, playground_js_end);
}
