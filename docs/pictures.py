#!/usr/bin/env python3
"""The README's pictures, by headless Chromium (Debian: chromium chromium-driver python3).

    docs/pictures.py URL REPORT CORPUS

URL: a running `tundish serve` (the quickstart's model); REPORT: the report.html of a run; CORPUS: that of a corpus (pipelines/corpus.yaml).
"-" leaves that out. Writes docs/pictures/*.png, light and dark.
"""
import base64
import json
import os
import subprocess
import sys
import time
import urllib.request

if len(sys.argv) != 4:
    sys.exit(__doc__)
url, report, corpus = sys.argv[1], "file://" + os.path.abspath(sys.argv[2]), "file://" + os.path.abspath(sys.argv[3])
folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pictures")
os.makedirs(folder, exist_ok=True)
driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True)
port = next(int(l.rsplit(" ", 1)[1].strip(" .\n")) for l in driver.stdout if "successfully on port" in l)


def call(method, path, body=None):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode() if body is not None else None,
                                     {"Content-Type": "application/json"}, method=method)
    return json.load(urllib.request.urlopen(request, timeout=60))["value"]


def picture(name, page, dark, height, steps):
    arguments = ["--headless=new", "--no-sandbox", "--hide-scrollbars", f"--window-size=1280,{height}", "--force-device-scale-factor=1"]
    if dark:
        arguments.append("--blink-settings=preferredColorScheme=0")
    session = "/session/" + call("POST", "/session", {"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": arguments}}}})["sessionId"]
    call("POST", session + "/url", {"url": page})
    time.sleep(1)
    for step in steps:
        call("POST", session + "/execute/sync", {"script": step, "args": []})
        time.sleep(1.5)
    with open(os.path.join(folder, f"{name}-{'dark' if dark else 'light'}.png"), "wb") as f:
        f.write(base64.b64decode(call("GET", session + "/screenshot")))
    call("DELETE", session)


write = """for (const [id, v] of [['text', 'The default is to'], ['seed', 1], ['temperature', 0.6], ['max_tokens', 90]]) document.getElementById(id).value = v;
           document.getElementById('go').click();"""
look = "document.querySelectorAll('#tokens .t')[9].focus()"
try:
    for dark in (False, True):
        if sys.argv[1] != "-":
            picture("playground", url, dark, 940, [write, look])
        if sys.argv[2] != "-":
            picture("report", report, dark, 1100, [])
            picture("training", report, dark, 1100, ["document.getElementById('stage-pretrain').scrollIntoView()"])
        if sys.argv[3] != "-":
            picture("corpus", corpus, dark, 1100, [])
            picture("rules", corpus, dark, 1100, ["document.querySelector('.key').scrollIntoView()"])
finally:
    driver.terminate()
