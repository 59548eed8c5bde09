# The playground in headless Chromium, by keyboard: drive_playground.py URL MODEL. W3C WebDriver over chromedriver, the standard library
# alone. Any surprise is an exception; exit status 77: no browser starts here.
import http.client
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request

url, model = sys.argv[1:3]
driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
port = None
for line in driver.stdout:
    if "started successfully on port" in line:
        port = int(line.rsplit(" ", 1)[1].strip(" .\n"))
        break


def call(method, path, body=None):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode() if body is not None else None,
                                     {"Content-Type": "application/json"}, method=method)
    return json.load(urllib.request.urlopen(request, timeout=60))["value"]


try:
    session = "/session/" + call("POST", "/session", {"capabilities": {"alwaysMatch": {
        "goog:loggingPrefs": {"browser": "ALL"},
        "goog:chromeOptions": {"args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,900"]}}}})["sessionId"]
except (urllib.error.URLError, OSError, ValueError, http.client.HTTPException) as e:
    print("skipped: Chromium does not start here:", e)
    driver.terminate()
    sys.exit(77)


def js(script, *args):
    return call("POST", session + "/execute/sync", {"script": script, "args": list(args)})


def wait(script, what, seconds=20):
    end = time.time() + seconds
    while time.time() < end:
        if js("return " + script):
            return
        time.sleep(0.05)
    raise AssertionError(f"waited in vain for {what}; error: {js('return document.getElementById(`error`).textContent')}")


KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "Right": "\ue014", "Left": "\ue012", "Down": "\ue015", "Tab": "\ue004", "Control": "\ue009"}


def press(*names):
    """Presses them together, the last one last."""
    keys = [KEYS.get(n, n) for n in names]
    actions = [{"type": "keyDown", "value": k} for k in keys] + [{"type": "keyUp", "value": k} for k in reversed(keys)]
    call("POST", session + "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})


def type_into(id, text):
    js("const e = document.getElementById(arguments[0]); e.focus(); e.value = ''", id)
    for letter in text:
        press(letter)


def focused():
    return js("const e = document.activeElement; return e.id || e.className || e.tagName")


idle = "!document.getElementById('go').disabled"
try:
    call("POST", session + "/url", {"url": url})
    wait(f"document.getElementById('name').textContent === {json.dumps(model)}", "the model's name")

    # a completion by keyboard alone
    js("document.getElementById('seed').value = 5; document.getElementById('max_tokens').value = 12")
    type_into("text", "word1 word2")
    press("Control", "Enter")
    wait("document.getElementById('stats').textContent.includes('12 tokens')", "12 tokens")
    wait(idle, "the end")
    text = js("return document.getElementById('text').value")
    assert text.startswith("word1 word2") and len(text) > len("word1 word2"), text
    want = json.load(urllib.request.urlopen(urllib.request.Request(
        url + "/v1/completions", json.dumps({"model": model, "prompt": "word1 word2", "max_tokens": 12, "seed": 5, "temperature": 0.8, "top_p": 0.95}).encode(),
        {"Content-Type": "application/json"})))["choices"][0]["text"]
    assert text == "word1 word2" + want, (text, want)

    # what the model wrote is marked, on a sheet whose lines break as the text's do
    assert js("return document.querySelector('#sheet mark').textContent") == want
    same = js("const a = document.getElementById('sheet'), b = document.getElementById('text'); return [a.clientWidth, b.clientWidth, getComputedStyle(a).font === getComputedStyle(b).font]")
    assert same[0] == same[1] and same[2], same

    # probabilities: one token a span, alternatives by keyboard, and on from there
    assert js("return document.querySelectorAll('#tokens .t').length") == 12
    label = js("return document.querySelector('#tokens .t').getAttribute('aria-label')")
    assert "%" in label, label
    js("document.querySelector('#tokens .t').focus()")
    press("Right")
    press("Right")
    assert js("return [...document.querySelectorAll('#tokens .t')].indexOf(document.activeElement)") == 2
    press("Enter")
    wait("document.activeElement.closest('#alternatives') !== null", "the focus among the alternatives")
    rows = js("return document.querySelectorAll('#alternatives button').length")
    assert rows >= 8, rows
    shares = js("return [...document.querySelectorAll('#alternatives .fill')].map(e => parseFloat(e.style.width))")
    assert shares == sorted(shares, reverse=True) and sum(shares) <= 100.01, shares
    press("Escape")
    assert js("return document.getElementById('alternatives').hidden") and focused().startswith("t "), focused()
    press("Enter")
    press("Down")
    chosen = js("return document.activeElement.querySelector('code').textContent")
    press("Enter")
    wait("document.getElementById('text').value !== arguments[0]".replace("arguments[0]", json.dumps(text)), "another text")
    wait(idle, "the end of the branch")
    assert js("return document.querySelectorAll('#tokens .t').length") == 12
    js("document.getElementById('undo').click()")
    assert js("return document.getElementById('text').value") == text
    print("branched to", repr(chosen))

    # hostile words stay words
    js("document.getElementById('max_tokens').value = 1; document.getElementById('text').value = '<img src=x onerror=\"document.title=1\">'; document.getElementById('go').click()")
    wait(idle + " && document.querySelectorAll('#tokens .t').length === 1", "a token")
    assert js("return document.querySelectorAll('#tokens img').length") == 0 and js("return document.title") == model

    # stopping
    js("document.getElementById('max_tokens').value = 100; document.getElementById('text').value = 'word3'")
    js("document.getElementById('text').focus(); document.getElementById('go').click(); document.getElementById('stop').click()")
    wait("document.getElementById('stats').textContent.includes('stopped')", "the stop")

    # the request as code; the card; the keys: dialogs that Escape closes
    js("document.getElementById('text').value = \"it's \\\"so\\\"\"; document.getElementById('show-code').focus()")
    press("Enter")
    wait("document.getElementById('code').open", "the code")
    curl = js("return document.getElementById('code-text').textContent")
    out = subprocess.run(["bash", "-c", curl.replace("curl ", "curl -sS -m 20 ", 1)], capture_output=True, text=True)
    assert json.loads(out.stdout)["object"] == "text_completion", out
    js("const l = document.getElementById('language'); l.value = 'python'; l.dispatchEvent(new Event('change'))")
    compile(js("return document.getElementById('code-text').textContent"), "code", "exec")
    js("document.getElementById('copy-code').focus()")
    press("Enter")
    wait("document.getElementById('copy-code').textContent !== 'Copy'", "a word on the copy")
    press("Escape")
    assert not js("return document.getElementById('code').open")

    # a card's marks become elements, its markup stays text
    card = js("const e = document.createElement('div'); renderMarkdown(arguments[0], e); return e.innerHTML",
              "---\na: b\n---\n# A <b>\n1. one\r\n2. two\n\n***\n- x\n\n<img src=x onerror=alert(1)>")
    assert card == "<h3>A &lt;b&gt;</h3><ol><li>one</li><li>two</li></ol><hr><ul><li>x</li></ul><p>&lt;img src=x onerror=alert(1)&gt;</p>", card
    js("document.getElementById('show-card').click()")
    wait("document.getElementById('card').open", "the card")
    assert "context" in js("return document.getElementById('card-text').textContent")
    press("Escape")

    # a screen reader is told the role and the name of what it stands on
    tree = call("POST", session + "/elements", {"using": "css selector", "value": "button, input, select, textarea"})
    for element in (list(e.values())[0] for e in tree):
        if call("GET", f"{session}/element/{element}/displayed"):
            assert call("GET", f"{session}/element/{element}/computedlabel"), call("GET", f"{session}/element/{element}/property/outerHTML")

    # chat
    js("document.getElementById('tab-complete').focus()")
    press("Right")
    assert focused() == "tab-chat" and js("return document.getElementById('complete').hidden")
    js("document.getElementById('max_tokens').value = 9")
    type_into("say", "word4?")
    press("Control", "Enter")
    wait("document.querySelectorAll('#messages li').length === 2 && " + idle, "an answer")
    wait("document.querySelectorAll('#messages li.assistant .t').length === 9", "the answer's tokens")
    js("setMode('complete'); state.before = document.getElementById('text').value = 'a'; state.written = ''; state.tokens = state.chat.at(-1).tokens; setMode('chat')")
    for _ in range(2):   # a completion's tokens stay out of the chat
        js("document.getElementById('probabilities').click()")
        assert js("return document.getElementById('tokens-view').hidden")
    js("document.getElementById('again').click()")
    wait("document.querySelectorAll('#messages li').length === 2 && " + idle, "another answer")

    # what the server refuses is said, and can be mended
    js("document.getElementById('tab-complete').click(); document.getElementById('max_tokens').value = 120; document.getElementById('text').value = 'word '.repeat(60)")
    js("document.getElementById('go').click()")
    wait("!document.getElementById('error').hidden && document.getElementById('error').textContent.includes('context')", "the server's words")
    js("document.getElementById('text').value = 'word1'; document.getElementById('max_tokens').value = 3; document.getElementById('go').click()")
    wait("document.getElementById('error').hidden && " + idle, "no error")

    # everything has a name; text stands out from its ground, in both themes
    nameless = js("""return [...document.querySelectorAll('button, input, select, textarea, meter, [role=button]')].filter(e =>
        !e.closest('[hidden]') && !(e.getAttribute('aria-label') || e.textContent.trim() || (e.labels && [...e.labels].some(l => l.textContent.trim()))))
        .map(e => e.outerHTML)""")
    assert nameless == [], nameless
    for theme in ["light", "dark"]:
        js("const t = document.getElementById('theme'); t.value = arguments[0]; t.dispatchEvent(new Event('change'))", theme)
        worst = js("""
            const light = c => { const v = c.match(/[\\d.]+/g).slice(0, 3).map(x => x / 255).map(x => x <= .04045 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4);
                                 return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
            const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!/, 0\\)$|transparent/.test(c)) return c; } return 'rgb(255,255,255)'; };
            const contrast = (a, b) => (Math.max(light(a), light(b)) + .05) / (Math.min(light(a), light(b)) + .05);
            let worst = [contrast(getComputedStyle(document.getElementById('text')).color, getComputedStyle(document.querySelector('#sheet mark')).backgroundColor), 'what was written'];
            for (const e of document.querySelectorAll('body *')) {
                if (e.closest('[hidden], [aria-hidden], :disabled, dialog:not([open]), .skip') || e.tagName === 'NOSCRIPT' || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
                const ratio = contrast(getComputedStyle(e).color, ground(e));
                if (ratio < worst[0]) worst = [ratio, e.outerHTML.slice(0, 120)];
            }
            return worst;""")
        assert worst[0] >= 4.5, (theme, worst)
        print(f"{theme}: least contrast {worst[0]:.2f}")
    call("POST", session + "/window/rect", {"width": 500, "height": 800})
    assert js("return document.documentElement.scrollWidth <= innerWidth"), "the page is wider than a narrow window"

    noise = [e for e in call("POST", session + "/se/log", {"type": "browser"}) if e["level"] == "SEVERE" and "the server responded with a status of 40" not in e["message"]]
    assert noise == [], noise
    print("the playground: as it should be")
finally:
    try:
        call("DELETE", session)
    finally:
        driver.terminate()
