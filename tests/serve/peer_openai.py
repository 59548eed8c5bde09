# The official client against a running server: peer_openai.py URL MODEL. Any surprise is an exception.
import sys

import openai

url, model = sys.argv[1:3]
client = openai.OpenAI(base_url=url + "/v1", api_key="a-key-of-no-matter", max_retries=0)


def refused(kind, words, **request):
    try:
        client.completions.create(**{"model": model, "prompt": "word1", **request})
    except kind as e:
        assert words in str(e), (words, str(e))
        assert e.body["type"] and e.body["message"], e.body
        return e
    raise AssertionError(f"{request} was taken")


# models
assert [m.id for m in client.models.list()] == [model]
assert client.models.retrieve(model).id == model
try:
    client.models.retrieve("other")
    raise AssertionError("a model that is not there")
except openai.NotFoundError as e:
    assert e.code == "model_not_found"

# completions: the same seed gives the same text, alone and beside others
once = client.completions.create(model=model, prompt="word1 word2", max_tokens=20, seed=5, n=3, temperature=1.2)
again = client.completions.create(model=model, prompt="word1 word2", max_tokens=20, seed=5, n=3, temperature=1.2)
assert [c.text for c in once.choices] == [c.text for c in again.choices]
assert [c.index for c in once.choices] == [0, 1, 2]
assert len({c.text for c in once.choices}) > 1
assert once.id.startswith("cmpl-") and once.object == "text_completion"
assert once.usage.completion_tokens <= 60 and once.usage.total_tokens == once.usage.prompt_tokens + once.usage.completion_tokens
assert client.completions.create(model=model, prompt="word1", max_tokens=0).choices[0].text == ""
several = client.completions.create(model=model, prompt=["word1", "word2", [1, 2, 3]], max_tokens=4, temperature=0, n=2)
assert [c.index for c in several.choices] == list(range(6))
assert several.choices[0].text == several.choices[1].text

# echo, logprobs
ids = [68, 17, 259, 70]
scored = client.completions.create(model=model, prompt=ids, max_tokens=1, logprobs=1, echo=True, temperature=0)
lp = scored.choices[0].logprobs
assert len(lp.tokens) == len(lp.token_logprobs) == len(lp.top_logprobs) == len(lp.text_offset) == len(ids) + 1
assert lp.token_logprobs[0] is None and lp.top_logprobs[0] is None
assert lp.token_logprobs[-1] == max(lp.top_logprobs[-1].values())
assert all(p <= 0 for p in lp.token_logprobs[1:])
plain = client.completions.create(model=model, prompt=ids, max_tokens=1, echo=True, temperature=0)
assert plain.choices[0].text == scored.choices[0].text
text = client.completions.create(model=model, prompt="word1 word2", max_tokens=6, echo=True, temperature=0, logprobs=0)
assert text.choices[0].text.startswith("word1 word2")
assert all(t.startswith("bytes:") or text.choices[0].text[o:].startswith(t)
           for t, o in zip(text.choices[0].logprobs.tokens, text.choices[0].logprobs.text_offset))

# stop texts: never shown, the text ends in front of them
free = client.completions.create(model=model, prompt="word1", max_tokens=40, temperature=0).choices[0].text
stop = free[7:10]
held = client.completions.create(model=model, prompt="word1", max_tokens=40, temperature=0, stop=[stop, "never"])
assert held.choices[0].text == free[: free.index(stop)] and held.choices[0].finish_reason == "stop"

# logit bias: a token that must come
forced = client.completions.create(model=model, prompt="word1", max_tokens=3, temperature=0, logit_bias={"17": 100},
                                   extra_body={"return_token_ids": True})
assert forced.choices[0].token_ids == [17, 17, 17]

# streams
whole = client.completions.create(model=model, prompt="word3", max_tokens=30, seed=9)
chunks = list(client.completions.create(model=model, prompt="word3", max_tokens=30, seed=9, stream=True,
                                        stream_options={"include_usage": True}))
assert "".join(c.choices[0].text for c in chunks if c.choices) == whole.choices[0].text
assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
assert all(c.usage is None for c in chunks[:-1]) and len({c.id for c in chunks}) == 1
assert [c.choices[0].finish_reason for c in chunks[:-1]].count(None) == len(chunks) - 2
parts = {0: "", 1: ""}
for c in client.completions.create(model=model, prompt="word3", max_tokens=30, seed=9, n=2, stream=True):
    parts[c.choices[0].index] += c.choices[0].text
assert parts[0] == whole.choices[0].text

# chat
messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": [{"type": "text", "text": "word4"}]}]
chat = client.chat.completions.create(model=model, messages=messages, max_completion_tokens=12, seed=2, logprobs=True, top_logprobs=3)
assert chat.object == "chat.completion" and chat.choices[0].message.role == "assistant"
for t in chat.choices[0].logprobs.content:
    assert bytes(t.bytes).decode("utf-8", "replace") == t.token and len(t.top_logprobs) == 3
deltas = list(client.chat.completions.create(model=model, messages=messages, max_completion_tokens=12, seed=2, stream=True))
assert deltas[0].choices[0].delta.role == "assistant" and deltas[1].choices[0].delta.role is None
assert "".join(d.choices[0].delta.content for d in deltas) == chat.choices[0].message.content

# what is wrong is said, and is the client's fault
e = refused(openai.NotFoundError, "no model", model="gpt-9")
assert e.code == "model_not_found" and e.param == "model"
e = refused(openai.BadRequestError, "want 0 to 2", temperature=-5)
assert e.param == "temperature"
refused(openai.BadRequestError, "want 0 to 1", top_p=7)
refused(openai.BadRequestError, "did you mean", extra_body={"temprature": 1})
refused(openai.BadRequestError, "not supported", suffix="x")
refused(openai.BadRequestError, "context is", prompt="word " * 500)
refused(openai.BadRequestError, "to write", max_tokens=100000)
refused(openai.BadRequestError, "token id", prompt=[99999])
refused(openai.BadRequestError, "no token", prompt=[])
refused(openai.BadRequestError, "want at most 4", stop=["a", "b", "c", "d", "e"])
print("the official client is content")
