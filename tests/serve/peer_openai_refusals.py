"""What the official client must not get, and what must hold beyond one request: peer_openai_refusals.py URL KEY MODEL of a server
with a context of 128 tokens, room for 2 texts, and a queue of 8."""
import concurrent.futures
import json
import math
import sys

import openai

url, key, model = sys.argv[1:]
base = url + "/v1"
client = openai.OpenAI(base_url=base, api_key=key, max_retries=0, timeout=60)
checked = 0


def check(condition, *what):
    global checked
    checked += 1
    if not condition:
        raise AssertionError(" ".join(str(w) for w in what))


def complete(**more):
    return client.completions.create(**{"model": model, "prompt": "word1 word2", "max_tokens": 8, "seed": 5, **more})


def chat(**more):
    return client.chat.completions.create(**{"model": model, "max_tokens": 8, "seed": 5,
                                             "messages": [{"role": "user", "content": "a"}], **more})


def refused(kind, status, code, param, call):
    try:
        call()
    except openai.APIStatusError as e:
        check(type(e) is kind and e.status_code == status, type(e), e.status_code, "want", kind)
        check(e.code == code and e.param == param, e.code, e.param, "want", code, param, e.message)
        check(isinstance(e.body["message"], str) and isinstance(e.body["type"], str), e.body)
        return e
    raise AssertionError(f"not refused: want {status} {code} {param}")


def seeds():
    fresh = complete(seed=None)
    check(complete(seed=fresh.seed).choices[0].text == fresh.choices[0].text, "the seed told back is not its seed")
    check(complete(seed=6).choices[0].text != complete(seed=5).choices[0].text, "another seed, the same text")


def several():
    r = complete(prompt=["word1", "word2 word3"], n=3)
    check([c.index for c in r.choices] == list(range(6)))
    check(len({c.text for c in r.choices}) > 1)
    check(complete(prompt=["word1", "word2 word3"], n=3).choices == r.choices)
    alone = complete(prompt="word1", n=1)
    check(alone.choices[0].text == r.choices[0].text, "a text is another one among others")


def logprobs():
    greedy = complete(temperature=0, logprobs=3).choices[0].logprobs
    check(all(len(t) == 3 and max(t.values()) == p for t, p in zip(greedy.top_logprobs, greedy.token_logprobs)))
    r = complete(logprobs=2, echo=True, temperature=2, n=2)
    for c in r.choices:
        l = c.logprobs
        check(len(l.tokens) == len(l.token_logprobs) == len(l.top_logprobs) == len(l.text_offset))
        for token, offset in zip(l.tokens, l.text_offset):
            check(token.startswith("bytes:") or c.text[offset:offset + len(token)] == token, c.text, token, offset)
        for token, p, top in zip(l.tokens, l.token_logprobs, l.top_logprobs):
            check(top[token] == p and len(top) in (2, 3) and p <= 0, token, p, top)
    ids = complete(prompt=[5, 6, 7, 8], echo=True, logprobs=1, max_tokens=1, temperature=0).choices[0].logprobs
    check(len(ids.tokens) == 5 and ids.token_logprobs[0] is None and ids.top_logprobs[0] is None, ids)
    check(all(p is not None for p in ids.token_logprobs[1:]))
    scored = complete(prompt=[5, 6, 7, 8], echo=True, logprobs=1, max_tokens=0).choices[0].logprobs
    check(scored.token_logprobs == ids.token_logprobs[:4], "scores of a prompt depend on what follows")
    top = complete(prompt=[5, 6], max_tokens=1, temperature=0, logprobs=20).choices[0].logprobs.top_logprobs[0]
    check(len(top) == 20 and sum(math.exp(p) for p in top.values()) <= 1.000001)


def sampling():
    forced = complete(logit_bias={"40": 100}, max_tokens=4, extra_body={"return_token_ids": True}).choices[0]
    check(forced.token_ids == [40] * 4, forced)
    check(complete(extra_body={"top_k": 1}).choices[0].text == complete(temperature=0).choices[0].text)
    ids = complete(temperature=0, frequency_penalty=2, presence_penalty=2, max_tokens=16,
                   extra_body={"return_token_ids": True, "repetition_penalty": 10}).choices[0].token_ids
    check(len(set(ids)) > len(ids) // 2, ids)
    long = complete(prompt=[5], max_tokens=127, extra_body={"ignore_eos": True})
    check(long.usage.completion_tokens == 127 and long.choices[0].finish_reason == "length")


def refusals():
    bad = openai.BadRequestError
    refused(openai.NotFoundError, 404, "model_not_found", "model", lambda: complete(model="gpt-4"))
    stranger = openai.OpenAI(base_url=base, api_key="not-a-key-of-this-server", max_retries=0)
    refused(openai.AuthenticationError, 401, "invalid_api_key", None, lambda: stranger.models.list())
    refused(bad, 400, "out_of_range", "temperature", lambda: complete(temperature=-5))
    refused(bad, 400, "out_of_range", "max_tokens", lambda: complete(max_tokens=-1))
    refused(bad, 400, "context_length_exceeded", "max_tokens", lambda: complete(max_tokens=1000))
    refused(bad, 400, "context_length_exceeded", "prompt", lambda: complete(prompt="word1 " * 200))
    refused(bad, 400, "context_length_exceeded", "prompt", lambda: complete(prompt="a" * 1000000))
    refused(bad, 400, "context_length_exceeded", "messages",
            lambda: chat(messages=[{"role": "user", "content": "a" * 1000}]))
    refused(bad, 400, "out_of_range", "prompt", lambda: complete(prompt=[5, 300]))
    refused(bad, 400, "empty_prompt", "prompt", lambda: complete(prompt=[]))
    refused(bad, 400, "empty_prompt", "prompt", lambda: complete(prompt=[[]]))
    refused(bad, 400, "wrong_type", "prompt", lambda: complete(prompt=["a", 7]))
    refused(bad, 400, "out_of_range", "stop", lambda: complete(stop=list("abcde")))
    refused(bad, 400, "unsupported", "best_of", lambda: complete(best_of=3))
    refused(bad, 400, "unsupported", "tools", lambda: chat(tools=[{"type": "function", "function": {"name": "f"}}]))
    refused(bad, 400, "unsupported", "response_format", lambda: chat(response_format={"type": "json_object"}))
    refused(bad, 400, "unsupported", "messages", lambda: chat(messages=[{"role": "tool", "content": "a"}]))
    refused(bad, 400, "wrong_type", "messages", lambda: chat(messages=[{"role": "user", "content": 7}]))
    refused(bad, 400, "missing_field", "messages", lambda: chat(messages=[]))
    refused(bad, 400, "unknown_field", "temprature", lambda: complete(extra_body={"temprature": 1}))
    refused(bad, 400, "unsupported", "top_logprobs", lambda: chat(top_logprobs=3))
    refused(openai.BadRequestError, 400, "out_of_range", "n", lambda: complete(n=64))  # more than the queue holds: never

    def one_of_many(_):
        try:
            complete(n=8, max_tokens=100)
        except openai.RateLimitError as e:
            return e

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        full = [e for e in pool.map(one_of_many, range(16)) if e]
    check(0 < len(full) < 16 and full[0].code == "queue_full" and full[0].response.headers["retry-after"].isdigit())
    complete()  # and none of that does harm


def bodies():
    import urllib.error
    import urllib.request

    for body in (b"", b"{", b"[" * 200000, b'{"prompt":"\\ud800"}', b'{"prompt":"\xff"}', b'{"n":1e999}', b'{"n":1,"n":2}'):
        request = urllib.request.Request(base + "/completions", body, {
            "Content-Type": "application/json", "Authorization": "Bearer " + key}, method="POST")
        try:
            urllib.request.urlopen(request)
            raise AssertionError(f"taken: {body[:40]}")
        except urllib.error.HTTPError as e:
            check(e.code == 400, e.code, body[:40])
            check(set(json.load(e)["error"]) == {"message", "type", "param", "code"})


def leaving():
    for p in complete(stream=True, max_tokens=100, extra_body={"ignore_eos": True}):
        p.choices
        break  # the client hangs up; the next ones get their turn
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        texts = list(pool.map(lambda _: complete().choices[0].text, range(8)))
    check(len(set(texts)) == 1, "side by side, other texts")


for part in (seeds, several, logprobs, sampling, refusals, bodies, leaving):
    try:
        part()
    except Exception:
        print(f"in {part.__name__}():", file=sys.stderr)
        raise
print(f"openai {openai.__version__}: {checked} checks")
