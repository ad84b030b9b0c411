#!/usr/bin/env python3
"""The quiz's page in Chromium: answered by keyboard alone, without a request, its mark as the paper's key has it.

    quiz.py TCPWHY       one page of a stored run, in light and dark; and that the same page fails where its policy does not name its script
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
EVENTS = ROOT / "tests/golden/events/echo.events"


class Browser:
    """Chromium, spoken to over its debugging pipe (null-terminated JSON on descriptors 3 and 4)."""

    def __init__(self, folder):
        to_read, self.to_write = os.pipe()
        self.from_read, from_write = os.pipe()
        def place():
            os.dup2(to_read, 103), os.dup2(from_write, 104)
            os.dup2(103, 3), os.dup2(104, 4)
        self.process = subprocess.Popen(
            [shutil.which("chromium") or "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
             f"--user-data-dir={folder}/profile", "about:blank"],
            preexec_fn=place, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        os.close(to_read), os.close(from_write)
        self.buffer, self.number, self.events = b"", 0, []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def receive(self):
        while b"\0" not in self.buffer:
            more = os.read(self.from_read, 1 << 16)
            if not more:
                raise SystemExit("tests/browser/quiz.py: chromium ended")
            self.buffer += more
        line, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(line)

    def send(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if getattr(self, "session", None):
            message["sessionId"] = self.session
        os.write(self.to_write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise SystemExit(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, path):
        self.events.clear()
        self.send("Page.navigate", url=f"file://{path}")
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.receive())

    def value(self, expression):
        result = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise SystemExit(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def press(self, key):
        text = {"Enter": "\r", " ": " "}.get(key, key if len(key) == 1 else "")
        codes = {"Tab": 9, "Enter": 13, " ": 32, "ArrowDown": 40}
        code = {"windowsVirtualKeyCode": codes[key]} if key in codes else {}
        self.send("Input.dispatchKeyEvent", type="keyDown", key=key, code="Space" if key == " " else key, text=text, **code)
        self.send("Input.dispatchKeyEvent", type="keyUp", key=key, code="Space" if key == " " else key, **code)

    def close(self):
        try:
            self.send("Browser.close")
        except (SystemExit, OSError):
            pass
        self.process.wait(timeout=60)


def demand(condition, sentence):
    if not condition:
        raise SystemExit(f"tests/browser/quiz.py: {sentence}")


# Text against what lies behind it, by WCAG's formula.
CONTRAST = """(() => {
  const channel = c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const luminance = rgb => { const [r, g, b] = rgb.match(/[\\d.]+/g).map(Number); return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b); };
  const paper = luminance(getComputedStyle(document.body).backgroundColor);
  return Math.min(...[...document.querySelectorAll("legend,label,pre,button,summary,p,output,.said,h1")].map(e => {
    const ink = luminance(getComputedStyle(e).color);
    return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  }));
})()"""


AXE = ROOT / "tests/npm/node_modules/axe-core/axe.min.js"


def ask_axe(browser, scheme):
    """Whether all can use it, as axe-core judges."""
    browser.value(AXE.read_text(encoding="utf-8") + ";0")
    found = browser.send(
        "Runtime.evaluate", expression="axe.run().then(r => JSON.stringify(r.violations.map(v => [v.id, v.nodes.length, v.nodes[0].html])))",
        awaitPromise=True, returnByValue=True,
    )["result"]["value"]
    demand(found == "[]", f"axe finds in {scheme}: {found}")


def walk(browser, papers):
    """Answers by keyboard: every second question rightly."""
    wanted = 0
    for i, question in enumerate(papers):
        good = i % 2 == 0
        wanted += good
        form = f"document.forms[{i}]"
        browser.value(f"{form}.elements.answer.length ? {form}.elements.answer[0].focus() : {form}.elements.answer.focus()")
        if question["choices"]:
            pick = question["right"] if good else (question["right"] + 1) % len(question["choices"])
            browser.press(" ")
            for _ in range(pick):
                browser.press("ArrowDown")
        else:
            for digit in str(question["number"] if good else question["number"] + 7):
                browser.press(digit)
        browser.press("Enter")
        said = browser.value(f"{form}.querySelector('.said').textContent")
        demand(said == ("Right." if good else "Wrong."), f"question {i + 1} says {said!r}")
        demand(browser.value(f"{form}.querySelector('details').open"), f"question {i + 1} does not show its answer")
    mark = browser.value("document.getElementById('mark').textContent")
    demand(mark == f"{wanted} of {len(papers)}", f"the mark is {mark!r}, not {wanted} of {len(papers)}")


def examine(browser, path, papers, scheme):
    browser.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.send("Emulation.setDeviceMetricsOverride", width=400, height=800, deviceScaleFactor=1, mobile=False)
    browser.open(path)
    demand(browser.value("document.documentElement.lang") == "en", "no language")
    demand(browser.value("document.forms.length") == len(papers), "not every question stands there")
    nameless = browser.value("[...document.querySelectorAll('input')].filter(e => !e.labels.length || !e.labels[0].textContent.trim()).length")
    demand(nameless == 0, f"{nameless} inputs have no label")
    demand(browser.value("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than a telephone")
    walk(browser, papers)
    ask_axe(browser, scheme)
    contrast = browser.value(CONTRAST)
    demand(contrast >= 4.5, f"contrast of {contrast:.2f} in {scheme}")
    requests = [e["params"]["request"]["url"] for e in browser.events if e.get("method") == "Network.requestWillBeSent"]
    demand(all(url == f"file://{path}" for url in requests), f"it asks for {requests}")
    complaints = [e["params"] for e in browser.events if e.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded")]
    demand(not complaints, f"the console says {complaints}")


def make(program, folder):
    page = pathlib.Path(folder) / "quiz.html"
    subprocess.run([program, "quiz", EVENTS, "--seed", "3", "-q", "-o", page], check=True, timeout=60)
    lines = subprocess.run([program, "quiz", EVENTS, "--seed", "3", "--export", "jsonl"], check=True, capture_output=True, text=True, timeout=60)
    return page, [json.loads(line) for line in lines.stdout.splitlines()]


def refuse_broken(browser, page, papers):
    """A page whose script may not run is found out: nothing is said to an answer."""
    broken = page.with_name("broken.html")
    text, replaced = re.subn(r"script-src 'sha256-.", "script-src 'sha256-!", page.read_text())
    demand(replaced == 1, "the page names no script in its policy")
    broken.write_text(text)
    try:
        examine(browser, broken, papers, "light")
    except SystemExit as complaint:
        demand(str(complaint).endswith("question 1 says ''"), f"of a page whose script may not run: {complaint}")
        return
    raise SystemExit("tests/browser/quiz.py: a page whose script may not run passed")


def main():
    program = sys.argv[-1]
    with tempfile.TemporaryDirectory() as folder:
        page, papers = make(program, folder)
        browser = Browser(folder)
        try:
            for scheme in ("light", "dark"):
                examine(browser, page, papers, scheme)
            refuse_broken(browser, page, papers)
        finally:
            browser.close()
        print(f"{len(papers)} questions, twice; a page whose script may not run fails")


main()
