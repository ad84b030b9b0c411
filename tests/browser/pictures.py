#!/usr/bin/env python3
"""Every picture, measured in a real browser: no words over others, none outside, contrast in light and dark, and what a slide needs.

    pictures.py PROGRAM DRAW_PICTURES    PROGRAM draws the stored runs, DRAW_PICTURES the stories built by hand

One page holds all pictures, and some that are wrong, in each of which its fault must be found; it is opened twice, for light and for dark, and says what it measured. Exit status 1 for any fault.
"""

import glob
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.dom.minidom

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GOLDEN = os.path.join(ROOT, "tests/golden")
SLIDE = (1280, 720)
SLIDE_TEXT = 14
# Stories that are no slide: addresses of the largest length, twelve calls at once, times of hours.
NO_SLIDE = ("large_numbers", "many_threads", "server_first", "clients", "epoll", "fork", "ipv6")

MEASURE = r"""
const known = {};
function luminance(c) {
  if (c in known) return known[c];
  const v = c.match(/[\d.]+/g).slice(0, 3).map(x => x / 255).map(x => x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
  return known[c] = 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2];
}
function contrast(a, b) {
  const x = luminance(a), y = luminance(b);
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}
const fill = e => getComputedStyle(e).fill, inside = (a, b) => a.left >= b.left - 1 && a.right <= b.right + 1 && a.top >= b.top - 4 && a.bottom <= b.bottom + 4;
const result = {};
for (const svg of document.querySelectorAll("svg")) {
  const faults = [], frame = svg.getBoundingClientRect(), ground = svg.querySelector("rect.w-bg");
  const bands = [...svg.querySelectorAll("rect.w-fc, rect.w-fs")].filter(b => !b.closest("defs")).map(b => [b.getBoundingClientRect(), fill(b)]);
  const texts = [...svg.querySelectorAll("text")].map(t => ({t, box: t.getBoundingClientRect(), words: t.textContent}));
  let smallest = 1000;
  for (const {t, box, words} of texts) {
    if (box.left < frame.left - 0.5 || box.right > frame.right + 0.5 || box.top < frame.top - 0.5 || box.bottom > frame.bottom + 0.5)
      faults.push(`outside: "${words}"`);
    const size = parseFloat(getComputedStyle(t).fontSize), band = bands.find(([b]) => inside(box, b));
    smallest = Math.min(smallest, size);
    for (const e of [t, ...t.querySelectorAll("tspan")]) {
      const ratio = contrast(fill(e), band ? band[1] : fill(ground));
      if (ratio < 4.5) faults.push(`contrast ${ratio.toFixed(2)}: "${e.textContent}"`);
    }
  }
  for (let i = 0; i < texts.length; i++)
    for (let k = i + 1; k < texts.length; k++) {
      const a = texts[i].box, b = texts[k].box, trim = (a.height + b.height) * 0.09;
      if (a.left < b.right - 0.5 && b.left < a.right - 0.5 && a.top + trim < b.bottom - trim && b.top + trim < a.bottom - trim)
        faults.push(`overlap: "${texts[i].words}" and "${texts[k].words}"`);
    }
  for (const e of svg.querySelectorAll("path.w-ln")) {
    const ratio = contrast(getComputedStyle(e).stroke, fill(ground));
    if (!e.matches(".w-ru, .w-lg") && ratio < 3) { faults.push(`contrast of a line ${ratio.toFixed(2)}`); break; }
  }
  for (const part of ["title", "desc"]) if (!(svg.querySelector(part) || {}).textContent) faults.push(`no ${part}`);
  if (svg.getAttribute("role") !== "img") faults.push("no role");
  result[svg.dataset.name] = {faults, smallest, width: frame.width, height: frame.height, texts: texts.length};
}
for (const svg of [...document.querySelectorAll("svg")]) svg.remove(); // measured, and never painted
document.getElementById("result").textContent = JSON.stringify(result);
"""


def browser():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if shutil.which(name):
            return name
    sys.exit("pictures.py: no Chromium here (Debian: chromium)")


def measure(pictures, dark):
    """{name: what the page measured} of {name: svg}, in light or dark."""
    parts = [svg.replace("<svg ", f'<svg data-name="{html.escape(name, quote=True)}" ', 1) for name, svg in pictures.items()]
    page = (
        '<!DOCTYPE html><meta charset="utf-8"><style>svg{display:block}</style>'
        + "\n".join(parts)
        + f'<pre id="result"></pre><script>{MEASURE}</script>'
    )
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "page.html")
        with open(path, "w", encoding="utf-8") as file:
            file.write(page)
        command = [browser(), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile", "--dump-dom"]
        command += [f"--blink-settings=preferredColorScheme={0 if dark else 1}", f"file://{path}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    found = re.search(r'<pre id="result">(.*?)</pre>', done.stdout, re.S)
    if not found or not found.group(1):
        sys.exit(f"pictures.py: the browser measured nothing: {done.stderr[-2000:]}")
    return json.loads(html.unescape(found.group(1)))


def slide_fault(name, seen):
    scale = min(1, SLIDE[0] / seen["width"], SLIDE[1] / seen["height"])
    if seen["smallest"] * scale >= SLIDE_TEXT - 0.05:
        return []
    return [f"on a slide its smallest text has {seen['smallest'] * scale:.1f} px ({seen['width']:.0f} x {seen['height']:.0f})"]


def faults_of(pictures):
    faults, ground = [], {}
    for dark in (False, True):
        for name, seen in measure(pictures, dark).items():
            own = list(seen["faults"])
            if not dark and "-brief" in name and not name.startswith(NO_SLIDE):
                own += slide_fault(name, seen)
            faults += [f"{name}{' (dark)' if dark else ''}: {fault}" for fault in dict.fromkeys(own)]
            ground[name] = seen["texts"]
    faults += [f"{name}: no words" for name, texts in ground.items() if texts < 2]
    return faults


def draw_all(program, draw_pictures, folder):
    subprocess.run([draw_pictures, folder], check=True, timeout=60)
    environment = dict(os.environ, LC_ALL="C.UTF-8", TZ="UTC")
    runs = [(os.path.basename(path)[: -len(".events")], [path]) for path in sorted(glob.glob(f"{GOLDEN}/events/*.events"))]
    captures = [f"{GOLDEN}/captures/{name}" for name in ("syn-lost-client.pcap", "syn-lost-server.pcap")]
    runs.append(("merge", ["--merge", "--conn", "1", *captures]))
    subprocess.run([program, "states", "-q", "--dry", f"{GOLDEN}/events/echo.events", "-o", f"{folder}/states.svg"], check=True, timeout=60)
    for name, arguments in runs:
        for brief in ([], ["--brief"]):
            out = os.path.join(folder, f"{name}{'-brief' if brief else ''}.svg")
            subprocess.run([program, "read", "-q", *brief, "-o", out, *arguments], env=environment, check=True, timeout=60)


# Pictures that are made to be wrong have names that no other has, and their colours on themselves: a style sheet would be all others', too.
MADE = "made to be wrong, "
HEAD = '<svg xmlns="http://www.w3.org/2000/svg" role="img" width="1280" height="720"><title>t</title><desc>d</desc>'
HEAD += '<rect class="w-bg" style="fill:#fff" width="1280" height="720"/>'
TEXT = '<text x="20" y="{}" font-size="14" style="fill:{}">some words</text>'
GOOD = "".join(TEXT.format(y, "#000") for y in (20, 40, 60, 80))
WRONG = {
    "overlap": GOOD + TEXT.format(26, "#000"),
    "contrast 1": GOOD + TEXT.format(120, "#ccc"),
    "outside": GOOD + '<text x="1250" y="200" font-size="14" style="fill:#000">beyond the edge</text>',
    "contrast of a line": GOOD + '<path class="w-ln" style="stroke:#ddd" d="M0 0L9 9"/>',
    "smallest text": GOOD + '<text x="20" y="300" font-size="9" style="fill:#000">small</text>',
    "no words": "",
}


def made():
    return {"good-brief.svg": HEAD + GOOD + "</svg>", **{f"{fault}-brief.svg": HEAD + body + "</svg>" for fault, body in WRONG.items()}}


def missed(found):
    """What is wrong with what was found in the pictures of made(): each fault in its own, and none in the good one."""
    yield from (f"a good picture has faults: {line}" for line in found if line.startswith("good"))
    for fault in WRONG:
        if not any(line.startswith(fault) and fault in line.split(":", 1)[1] for line in found):
            yield f"not found in a picture that has it: {fault}"


def check(program, draw_pictures):
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        draw_all(program, draw_pictures, folder)
        pictures = {}
        for path in sorted(glob.glob(f"{folder}/*.svg")):
            with open(path, encoding="utf-8") as file:
                pictures[os.path.basename(path)] = file.read()
            xml.dom.minidom.parseString(pictures[os.path.basename(path)].encode())
        for path in sorted(glob.glob(f"{GOLDEN}/view/*.svg")):
            done = subprocess.run(["rsvg-convert", "-o", f"{folder}/x.png", path], capture_output=True, text=True, timeout=60, check=False)
            if done.returncode or done.stderr or os.path.getsize(f"{folder}/x.png") < 1000:
                faults.append(f"{os.path.basename(path)}: rsvg-convert: {done.stderr or 'an empty picture'}")
    found = faults_of({**pictures, **{MADE + name: picture for name, picture in made().items()}})
    faults += [line for line in found if not line.startswith(MADE)]
    faults += missed([line[len(MADE) :] for line in found if line.startswith(MADE)])
    for fault in faults:
        print(fault)
    print(f"{len(pictures)} pictures, {len(faults)} faults")
    return 1 if faults or len(pictures) < 60 else 0


if __name__ == "__main__":
    sys.exit(check(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])))
