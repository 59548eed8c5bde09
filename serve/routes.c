/* The one list of routes. works: the model is put to work, so it is refused while draining. */
#include "serve/api.h"
#include "serve/playground.h"

#define R(method, path, right, works, handle, help)                                                \
    {                                                                                              \
        method, path, right, works, handle, help                                                   \
    }
const struct route api_routes[] = {
    R("POST", "/v1/completions", RIGHT_KEY, true, api_completions, "a text goes on"),
    R("POST", "/v1/chat/completions", RIGHT_KEY, true, api_chat, "a conversation goes on"),
    R("GET", "/v1/models", RIGHT_KEY, false, api_models, "the model, in a list of one"),
    R("GET", "/v1/models/", RIGHT_KEY, false, api_model, "the model of that name"),
    R("POST", "/tokenize", RIGHT_KEY, false, api_tokenize, "the token ids of a text"),
    R("POST", "/detokenize", RIGHT_KEY, false, api_detokenize, "the text of token ids"),
    R("GET", "/tokenizer_info", RIGHT_KEY, false, api_tokenizer_info, "special tokens, sizes"),
    R("GET", "/model_card", RIGHT_KEY, false, api_model_card, "the model's README.md"),
    R("GET", "/", RIGHT_ANYONE, false, playground_page, "a page to try the model"),
    R("GET", "/playground.css", RIGHT_ANYONE, false, playground_style, "how it looks"),
    R("GET", "/playground.js", RIGHT_ANYONE, false, playground_script, "what it does"),
    R("GET", "/metrics", RIGHT_KEY, false, api_metrics, "counters, for Prometheus"),
    R("GET", "/health", RIGHT_ANYONE, false, api_health, "200 while the process lives"),
    R("GET", "/ready", RIGHT_ANYONE, false, api_ready, "200, or 503 while it finishes its work"),
    { 0 },
};
