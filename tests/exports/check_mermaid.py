#!/usr/bin/env python3
"""Has mermaid itself, in a browser, read what the mermaid view writes.

    check_mermaid.py FILE…         every diagram of every file: mermaid finds in it just what the file says, word for word; the first
                                   diagram of each file is drawn too. In the same browser it is proved that this can fail, on diagrams
                                   that are spoilt

A file is one diagram, or Markdown with a fenced block for each. Needs Chromium (Debian) and @mermaid-js/tiny (npm; tests/npm): the
same sequence diagrams as mermaid's, without what other diagrams need.
"""

import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MERMAID = os.path.join(HERE, "..", "npm", "node_modules", "@mermaid-js", "tiny", "dist", "mermaid.tiny.js")
CHARACTERS_MOST, EDGES_MOST = 50000, 500  # what GitHub takes
ARROW = r"\w-?-(?:>>|x)\w:"
STATEMENT = re.compile(rf"(?:participant \w as|title|Note (?:left of|right of|over) [\w,]+:|{ARROW}|(?:de)?activate) ?(.*)")


def diagrams_of(text):
    return re.findall(r"^```mermaid\n(.*?)^```\n", text, re.S | re.M) or [text]


def statements_of(diagram):
    """What the file says, a text a statement, in the order in which mermaid keeps them: title, ends, the rest."""
    found = []
    for line in diagram.splitlines()[1:]:
        match = STATEMENT.fullmatch(line.strip())
        bare = re.fullmatch(r"participant (\w)", line.strip())
        if match or bare:
            found.append(re.sub(r"#(\d+);", lambda m: chr(int(m[1])), (match or bare)[1]))
        else:
            found.append(f"what is this? {line}")
    return found


def ask(diagrams, drawn):
    """What mermaid says of each."""
    if not os.path.exists(MERMAID):
        sys.exit(f"check_mermaid.py: {os.path.normpath(MERMAID)} is missing: script/bootstrap --test installs it")
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or sys.exit("check_mermaid.py: no Chromium here (Debian: chromium)")
    data = json.dumps([diagrams, drawn]).replace("<", "\\u003c")
    page = f'<!DOCTYPE html><meta charset="utf-8"><body><script src="file://{os.path.normpath(MERMAID)}"></script><script src="file://{HERE}/mermaid_page.js"></script>'
    page += f"<script>readAll(...{data});</script>"
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "page.html")
        with open(path, "w", encoding="utf-8") as file:
            file.write(page)
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile", "--allow-file-access-from-files"]
        command += ["--virtual-time-budget=60000", "--dump-dom", f"file://{path}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    found = re.search(r'<pre id="result">(.*?)</pre>', done.stdout, re.S)
    if not found:
        sys.exit(f"check_mermaid.py: the browser said nothing: {done.stderr[-2000:]}")
    return json.loads(html.unescape(found.group(1)))


def faults_of(diagram, answer):
    if "fault" in answer:
        yield answer["fault"]
        return
    expected = statements_of(diagram)
    for i in range(max(len(expected), len(answer["found"]))):
        pair = [lines[i] if i < len(lines) else None for lines in (expected, answer["found"])]
        if pair[0] != pair[1]:
            yield f"statement {i + 1}: the file says {pair[0]!r}, mermaid reads {pair[1]!r}"
            break
    if "<" in diagram.replace("<br/>", ""):
        yield "a tag"
    if len(diagram) > CHARACTERS_MOST:
        yield f"{len(diagram)} characters"
    edges = len(re.findall(rf"^ *{ARROW}", diagram, re.M))
    if edges > EDGES_MOST:
        yield f"{edges} edges"
    if answer["texts"] is not None:
        drawn = "".join(answer["texts"]).replace(" ", "").replace("\u200b", "")
        for text in expected[1:]:
            for part in text.split("<br/>") if text not in ("c", "s") else []:  # bars have no words
                if part.replace(" ", "") not in drawn:
                    yield f"not drawn: {part!r}"
                    return
        if answer["scripts"]:
            yield "something that is more than a drawing"


def check(files):
    diagrams, drawn, names = [], [], []
    for path in files:
        with open(path, encoding="utf-8") as file:
            for i, diagram in enumerate(diagrams_of(file.read())):
                diagrams.append(diagram)
                drawn.append(i == 0 and len(diagram) < 20000)
                names.append(path)
    spoilt = spoilt_diagrams()
    answers = ask(diagrams + list(spoilt.values()), drawn + [len(diagram) < 1000 for diagram in spoilt.values()])
    faults = 0
    for name, diagram, answer in zip(names, diagrams, answers):
        for fault in faults_of(diagram, answer):
            print(f"FAIL {name}: {fault}")
            faults += 1
    print(f"{len(diagrams)} diagrams of {len(files)} files, {sum(drawn)} drawn, {faults} faults")
    missed = faults_missed(spoilt, answers[len(diagrams) :])
    return 1 if faults or missed or not diagrams else 0


def spoilt_diagrams():
    """One that is sound, and others: what is wrong with each."""
    head = "sequenceDiagram\n    title x\n    participant c as a\n    participant s as b\n"
    sound = head + "    c->>s: one #59; two\n    activate c\n    Note over c,s: three<br/>four\n    deactivate c\n"
    spoilt = {
        "a semicolon": head + "    c->>s: one ; two\n",
        "a number sign": head + "    c->>s: one # two\n",
        "an order to wrap": head + "    Note over c,s: wrap:x\n",
        "an entity that loses its end": head + "    c->>s: style :x#59;\n",
        "a tag": head + "    c->>s: <b>x</b> <script>1</script>\n",
        "no arrow": head + "    c s: x\n",
        "too many edges": head + "    c->>s: x\n" * (EDGES_MOST + 1),
        "too many characters": head + f"    Note over c,s: {'x' * 1000}\n" * 50,
        "no diagram": "# a text\n",
    }
    return {None: sound, **spoilt}


def faults_missed(spoilt, answers):
    missed = 0
    for (what, diagram), answer in zip(spoilt.items(), answers, strict=True):
        if bool(list(faults_of(diagram, answer))) != bool(what):
            print("FAIL: not noticed, or wrongly:", what or "the sound one")
            missed += 1
    print(f"{len(spoilt) - 1} spoilt diagrams, {missed} faults")
    return missed


if __name__ == "__main__":
    sys.exit(check(sys.argv[1:]))
