#!/usr/bin/env python3
"""No #include goes up a floor of the house (docs/ARCHITECTURE.md), or sideways where that is not allowed.

    tests/floors.py [ROOT]         checks the tree at ROOT (default: the one this file is in); exit status 1 and a line
                                   "file:line: …" for every include that breaks the rule
    tests/floors.py --sizes        files and folders of C that are too long; exit status 1 for any
    tests/floors.py --self-test    proves on small made-up trees that each kind of breach is found

Both ways of writing an include count, and a relative path counts as the file it leads to.
"""

import fnmatch
import os
import re
import sys
import tempfile

# Who may include from whom. A folder may always include from itself. "story/track" is a room of the folder "story": a floor of its
# own, that what stands in "story" itself is not. A folder that has rooms has a row for each of its sub-folders.
FLOORS = {
    "base": [],
    "event": ["base"],
    "tcp": ["base", "event"],
    "conn": ["base", "event", "tcp"],
    "pcapng": ["base"],
    "pages": ["base"],
    "rights": ["base"],
    "capture": ["base", "event", "tcp"],
    "capture/bpf": ["base", "event", "capture"],
    "capture/bpf/kernel": ["event", "capture", "capture/bpf"],
    "capture/ptrace": ["base", "event", "capture"],
    "capture/stored": ["base", "pcapng"],
    "story": ["base", "event", "tcp", "conn"],
    "story/track": ["base", "event", "tcp", "conn", "story"],
    "story/reports": ["base", "event", "story", "story/track"],
    "story/steps": ["base", "event", "tcp", "conn", "story", "story/track"],
    "story/causes": ["base", "event", "tcp", "conn", "story", "story/track", "story/steps"],
    "story/findings": ["base", "event", "tcp", "conn", "story", "story/track", "story/steps"],
    "story/differences": ["base", "event", "tcp", "conn", "story", "story/track", "story/steps"],
    "story/times": ["base", "event", "tcp", "conn", "story", "story/track", "story/steps", "story/findings"],
    "story/tell": ["base", "event", "tcp", "conn", "story", "story/track", "story/reports", "story/steps", "story/causes", "story/findings", "story/differences", "story/times"],
    "ledger": ["base", "event", "tcp", "conn"],
    "clocks": ["base", "event", "tcp"],
    "quiz": ["base", "tcp", "conn", "story", "viz"],
    "viz": ["base", "tcp", "conn", "story", "ledger"],
    "saved": ["base", "event", "pcapng", "story", "viz"],
    "echo": ["base"],
    "lab/network": ["base"],
    "lab/wire": ["base", "event", "tcp", "lab/network"],
    "lab/scenario": ["base", "event", "lab/wire"],
    "lab/actor": ["base", "lab/scenario"],
    "out": ["base", "rights", "event", "story", "story/tell", "viz", "saved"],
    "record": ["base", "event", "capture", "capture/bpf", "capture/ptrace"],
    "play/stage": ["base", "rights", "event", "capture", "story", "story/tell", "lab/network", "lab/wire", "lab/scenario", "lab/actor", "out", "record"],
    "play/judge": ["base", "story", "lab/network", "lab/scenario", "play/stage"],
    "play/lesson": ["base", "story", "viz", "play/stage", "play/judge"],
    "play/catalogue": ["base", "rights", "capture", "story", "viz", "lab/scenario", "out", "play/stage", "play/judge", "play/lesson"],
    "play/pair": ["base", "rights", "event", "capture", "lab/network", "out", "record", "play/stage"],
    "run": ["base", "rights", "event", "capture", "story", "viz", "out", "record"],
    "read": ["base", "event", "tcp", "capture", "capture/stored", "story/tell", "ledger", "clocks", "viz", "saved", "out"],
    "watch/flight": ["base", "event", "story", "story/tell", "saved"],
    "watch": ["base", "rights", "event", "capture", "story", "story/tell", "viz", "saved", "out", "record", "watch/flight"],
    "watch/tui": ["base", "story", "story/tell", "viz", "watch", "watch/flight"],
    "cli": ["base", "rights", "story", "quiz", "pages", "capture/stored", "viz", "echo", "lab/scenario", "lab/actor", "out", "record", "play/stage", "play/catalogue", "play/pair", "run", "read", "watch",
            "watch/tui"],
    "main": ["base", "cli"],
}

# Headers of the system that a floor has no business with: they would bring the world in where only values belong.
WORLD = ["pcap.h", "pcap/*", "bpf/*", "sys/ptrace.h", "unistd.h", "fcntl.h"]
NEVER = {
    "event": WORLD,
    "tcp": WORLD + ["stdlib.h", "malloc.h", "sys/*"],
    "conn": WORLD + ["stdlib.h", "malloc.h", "sys/*"],
    "story": WORLD,
    "ledger": WORLD,
    "clocks": WORLD,
    "viz": WORLD,
    "quiz": WORLD,
}

# Headers that the build makes: no file of the tree, and only for their own folder.
GENERATED = {"capture": ["*.skel.h"], "viz": ["viz/report/*.h"]}

# No file of C above 400 lines that is not a table, no folder above 4,000 without rooms. TABLES are rows and little else; of what is not cut
# yet the ceiling stands here, and it only goes down.
FILE_LINES, FOLDER_LINES = 400, 4000
TABLES = ["tests/unit/story/causes/chain_samples.h", "tests/unit/story/causes/chain.c", "tests/unit/story/findings/finding_cases.h", "capture/syscalls_text.c"]
NOT_YET = {"tests/unit/ledger/ledger.c": 430}

ROOTS = ["src", "capture", "viz"]
INCLUDE = re.compile(r"^\s*#\s*include\b(?:_next\b)?\s*(.*)$")


def floor_of(path):
    """The floor that a path relative to the root belongs to; None: outside the house."""
    parts = path.split("/")
    if path == "src/main.c":
        return "main"
    if parts[0] == "src":
        parts = parts[1:]
    elif parts[0] not in ("capture", "viz"):
        return None
    if len(parts) < 2:
        return None
    floor, folders = parts[0], parts[1:-1]
    while folders and any(room.startswith(floor + "/") for room in FLOORS):
        floor += "/" + folders.pop(0)
    return floor


def of_floor(table, floor):
    """The table's row for a floor; a room without one has its folder's."""
    while floor not in table and "/" in floor:
        floor = floor.rsplit("/", 1)[0]
    return table.get(floor, [])


def without_comments(text):
    """The text with comments blanked out, line numbers unchanged, continued lines joined at their first."""
    blank = lambda match: re.sub(r"[^\n]", " ", match.group()) if match.group().startswith("/") else match.group()
    text = re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)
    return re.sub(r"\\\n([^\n]*)", r"\1\n", text)


def resolve(root, file, name, quoted):
    """The path, relative to the root, that an include leads to inside the tree; None: it is none of the tree's."""
    folders = [os.path.dirname(file)] if quoted else []
    for folder in folders + ["src", ""]:
        path = os.path.normpath(os.path.join(folder, name))
        if os.path.isfile(os.path.join(root, path)):
            return path
    return None


def judge(root, file, floor, operand):
    """What is wrong with one include, or None."""
    written = re.match(r'"([^"]+)"|<([^>]+)>', operand)
    if not written:
        return f"an include by macro ({operand.strip()}) hides where it goes"
    quoted = written.group(1) is not None
    name = written.group(1) or written.group(2)
    path = resolve(root, file, name, quoted)
    if path is None:
        if any(fnmatch.fnmatch(name, pattern) for pattern in of_floor(NEVER, floor)):
            return f"{floor} is made of plain values and never includes <{name}>"
        if quoted and not any(fnmatch.fnmatch(name, pattern) for pattern in of_floor(GENERATED, floor)):
            return f'"{name}" is no file of the tree (headers of the system stand in <>)'
        return None
    target = floor_of(path)
    if target is None:
        return f"{floor} includes {path}, which is outside the house"
    if target != floor and target not in FLOORS[floor]:
        allowed = ", ".join(FLOORS[floor]) or "nothing"
        return f"{floor} includes {path} of {target}: it may include from {allowed} and itself"
    return None


def check(root):
    """All breaches of the tree as sentences, and how many includes were looked at."""
    breaches, count = [], 0
    for top in ROOTS:
        for folder, folders, names in os.walk(os.path.join(root, top)):
            folders.sort()
            for name in sorted(names):
                if not name.endswith((".c", ".h", ".inc")):
                    continue
                file = os.path.relpath(os.path.join(folder, name), root)
                floor = floor_of(file)
                if floor not in FLOORS:
                    breaches.append(f"{file}:1: no floor is known for this file: give its folder a row in tests/floors.py")
                    continue
                with open(os.path.join(root, file), encoding="utf-8") as handle:
                    lines = without_comments(handle.read()).split("\n")
                for number, line in enumerate(lines, 1):
                    match = INCLUDE.match(line)
                    if match:
                        count += 1
                        wrong = judge(root, file, floor, match.group(1))
                        if wrong:
                            breaches.append(f"{file}:{number}: {wrong}")
    return breaches, count


def cycles():
    """The table itself must have an order: a row that leads back to its own floor would make "up" meaningless."""
    reached = {}

    def walk(floor, path):
        if floor in path:
            raise SystemExit("tests/floors.py: the table goes round: " + " → ".join(path + [floor]))
        for lower in FLOORS[floor]:
            walk(lower, path + [floor])
        reached[floor] = True

    for floor in FLOORS:
        walk(floor, [])


GOOD = {
    "src/base/err.h": "",
    "src/base/err.c": '#include "base/err.h"\n#include <stdio.h>\n',
    "src/event/event.h": '#include "base/err.h"\n',
    "src/story/story.h": '#include "event/event.h"\n',
    "src/story/track/track.h": '#include "story/story.h"\n',
    "src/story/tell/teller.h": '#include "story/track/track.h"\n',
    "viz/view.h": '#include "story/story.h"\n/*\n#include "event/event.h"\n*/\n',
    "capture/calls.c": '#include "event/event.h"\n#include "calls_bpf.skel.h"\n#include <unistd.h>\n',
    "capture/bpf/kernel/maps.h": '#include "event/event.h"\n',
    "src/main.c": '#include "cli/cli.h"\n',
    "src/cli/cli.h": '#include "viz/view.h"\n',
}

# name of the breach · file · its content · what the complaint must contain
BAD = [
    ("up a floor", "src/base/table.c", '\n#include "event/event.h"\n', "src/base/table.c:2: base includes src/event/event.h"),
    ("up, in angle brackets", "src/base/table.c", "#include <event/event.h>\n", "base includes src/event/event.h"),
    ("up, by a relative path", "src/base/table.c", '#include "../event/event.h"\n', "base includes src/event/event.h"),
    ("up, with blanks", "src/base/table.c", '  #  include   "event/event.h"\n', "base includes src/event/event.h"),
    ("up, behind a comment", "src/base/table.c", '/* a\n*/ #include "event/event.h"\n', "table.c:2: base includes"),
    ("up, on a continued line", "src/base/table.c", '#include \\\n"event/event.h"\n', "table.c:1: base includes"),
    ("up, from room to room", "src/story/track/flow.c", '#include "story/tell/teller.h"\n', "story/track includes src/story/tell/teller.h"),
    ("up, from a folder into its room", "src/story/story.c", '#include "track/track.h"\n', "story includes src/story/track/track.h"),
    ("into a room, where only its folder is open", "viz/text/text.c", '#include "story/track/track.h"\n', "viz includes src/story/track/track.h"),
    ("from a second header", "src/event/log.h", '#include "story/story.h"\n', "event includes src/story/story.h"),
    ("sideways", "src/story/join.c", '#include "capture/calls.c"\n', "story includes capture/calls.c"),
    ("a view that knows events", "viz/text/text.c", '#include "event/event.h"\n', "viz includes src/event/event.h"),
    ("in a sub-folder", "viz/report/page.c", '#include "event/event.h"\n', "viz includes src/event/event.h"),
    ("from the program's top", "src/main.c", '#include "viz/view.h"\n', "main includes viz/view.h"),
    ("by macro", "src/base/table.c", "#include HEADER\n", "by macro"),
    ("of a file that is not there", "src/base/table.c", '#include "nosuch.h"\n', "no file of the tree"),
    ("of what another folder builds", "src/story/join.c", '#include "calls_bpf.skel.h"\n', "no file of the tree"),
    ("of the tests", "src/base/table.c", '#include "../../tests/help.h"\n', "outside the house"),
    ("of the world", "src/tcp/state.c", "#include <sys/socket.h>\n", "tcp is made of plain values"),
    ("of the world, in a room", "src/story/track/flow.c", "#include <unistd.h>\n", "story/track is made of plain values"),
    ("in a folder without a row", "src/attic/box.c", "", "no floor is known"),
    ("in a room without a row", "src/story/attic/box.c", "", "no floor is known"),
    ("up, from a room into its own room", "capture/bpf/load.c", '#include "capture/bpf/kernel/maps.h"\n', "capture/bpf includes capture/bpf/kernel/maps.h"),
    ("outside all folders", "src/stray.c", "", "no floor is known"),
]


def too_long(root):
    """Files and folders of C with more lines than they may have."""
    breaches, folders = [], {}
    for top in ROOTS + ["bench", "tests/unit", "tests/support", "tests/fuzz"]:
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), root)
                if not name.endswith((".c", ".h")) or path in TABLES:
                    continue
                with open(os.path.join(root, path), encoding="utf-8") as file:
                    count = sum(1 for _ in file)
                where = os.path.dirname(path)
                folders[where] = folders.get(where, 0) + count
                if count > NOT_YET.get(path, FILE_LINES):
                    breaches.append(f"{path}: {count} lines; where do its matters part?")
    for path, count in folders.items():
        if count > NOT_YET.get(path, FOLDER_LINES):
            breaches.append(f"{path}/: {count} lines of C, and no rooms")
    return breaches


def self_test():
    failed = 0
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(os.path.join(root, "src/event"))
        for name, lines in (("long.c", FILE_LINES + 1), ("whole.c", FILE_LINES), ("more.h", FILE_LINES), *((f"f{i}.c", FILE_LINES) for i in range(9))):
            with open(os.path.join(root, "src/event", name), "w", encoding="utf-8") as handle:
                handle.write("\n" * lines)
        said = too_long(root)
        if len(said) != 2 or "long.c" not in said[0] or "no rooms" not in said[1]:
            print("FAILED: sizes:", said)
            failed += 1
    cases = [("a good tree", None, None, None)] + BAD
    for name, file, content, expected in cases:
        with tempfile.TemporaryDirectory() as root:
            tree = dict(GOOD, **{"tests/help.h": ""})
            if file:
                tree[file] = content
            for path, text in tree.items():
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as handle:
                    handle.write(text)
            breaches, _ = check(root)
        if expected is None:
            good = breaches == []
        else:
            good = len(breaches) == 1 and expected in breaches[0]
        if not good:
            failed += 1
            print(f"{name}: expected {expected!r}, found {breaches!r}")
    if failed:
        raise SystemExit(f"tests/floors.py --self-test: {failed} of {len(cases)} cases failed")
    print(f"{len(cases)} cases")


def main():
    cycles()
    arguments = sys.argv[1:]
    if arguments == ["--self-test"]:
        self_test()
        return
    if arguments == ["--sizes"]:
        said = too_long(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        print("\n".join(said) or f"no file above {FILE_LINES} lines, no folder above {FOLDER_LINES}, but for tables and what is not cut yet")
        raise SystemExit(bool(said))
    root = arguments[0] if arguments else os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    breaches, count = check(root)
    for breach in breaches:
        print(breach)
    if count == 0:
        raise SystemExit(f"tests/floors.py: {root} holds no include at all: that is not the tree")
    if breaches:
        raise SystemExit(1)
    print(f"{count} includes, none goes up")


if __name__ == "__main__":
    main()
