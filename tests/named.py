#!/usr/bin/env python3
"""What the pages for developers name is there: paths, symbols, tests and links; the floors stand in docs/ARCHITECTURE.md as in tests/floors.py;
and README's map leaves no folder out.

    tests/named.py BUILD         checks README.md, README.zh-CN.md and docs/*.md against the tree and the tests of BUILD; a line for each untruth
    tests/named.py --self-test   proves that each kind of untruth is found

A word in `backticks` or in an indented command counts as a path if it has a slash and no capital placeholder, or one of the tree's endings. The end of a
path is enough (`track/flow.c`), and its ending may be left out. A symbol is a word with an underscore.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

import floors

ROOT = pathlib.Path(__file__).resolve().parent.parent
LABELS = "unit|house|golden|e2e|browser|fuzz|exports|corpus"
PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)+/?|[\w-]+\.(?:c|h|py|md|js|mjs|json|css|cmake|txt|html|svg)")
PLACEHOLDER = re.compile(r"\b(NAME|ROOM|ID|PID|FILE|SCENARIO|EXPR)\b|NAME")
WRITTEN = re.compile(r"^(build|build-\w+)/|^/|^\.\.")
# Names of the kernel, of the C library and of file names that only an example has; they stand nowhere in our source.
ONLY_WITH_CORPUS = {"corpus", "long"}  # labels of tests that not every tree has
ELSEWHERE = {"TCP_SYN_RECV", "x.svg", "x.pcapng"}


def tree_of(root):
    """All paths of the tree, and all words of its source (pages are none)."""
    paths, words = set(), set()
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not re.match(r"build(-|$)|\.git$|node_modules$|__pycache__$", name)]
        here = os.path.relpath(folder, root)
        for name in names + folders:
            paths.add(os.path.normpath(os.path.join(here, name)))
        if re.match(r"docs|po|tests/(inputs|golden|corpus)\b", here):
            continue
        for name in sorted(set(names) - {"named.py"}):
            if re.search(r"\.(c|h|py|mjs|js|cmake|sh|css|inc)$|^CMakeLists.txt$|^CMakePresets.json$|^[a-z-]+$", name):
                words.update(re.findall(r"\w+", pathlib.Path(folder, name).read_text(encoding="utf-8", errors="replace")))
    return paths, words


def alternatives(expression):
    """What a `ctest -R` expression chooses from, one expression for each of its alternatives."""
    parts, depth, start = [], 0, 0
    for at, sign in enumerate(expression + "|"):
        depth += (sign == "(") - (sign == ")")
        if sign == "|" and depth == 0:
            parts.append(expression[start:at])
            start = at + 1
    found = []
    for part in parts:
        group = re.fullmatch(r"([^()]*)\(([^()]*)\)(.*)", part)
        found += [group.group(1) + inner + group.group(3) for inner in group.group(2).split("|")] if group else [part]
    return found


class Tree:
    def __init__(self, paths, words, tests):
        self.words, self.tests = words, tests
        self.tails = {"/".join(path.split("/")[at:]) for path in paths for at in range(path.count("/") + 1)}
        self.tails |= {re.sub(r"\.\w+$", "", tail) for tail in self.tails}

    def lacks_path(self, path):
        return path.rstrip("/") not in self.tails

    def lacks_symbol(self, word):
        if word.startswith("unit_") and "unit/" + word[5:] in self.tests: # a unit test's program
            return False
        return word not in self.words and not (word.endswith("_") and any(known.startswith(word) for known in self.words))

    def lacks_test(self, expression):
        return not any(re.search(expression, test) for test in self.tests)

    def wrong_word(self, word):
        """What is untrue about one word of code, or None."""
        word = word.strip(".,;:()'\"")
        if PLACEHOLDER.search(word) or WRITTEN.match(word):
            return None
        if re.fullmatch(f"({LABELS})/[\\w-]+", word):
            return f"no test is called {word}" if self.lacks_test(f"^{word}([-_]|$)") and self.lacks_path(word) else None
        if PATH.fullmatch(word) and word not in ELSEWHERE:
            return f"there is no {word}" if self.lacks_path(word) else None
        for symbol in re.findall(r"[A-Za-z_]\w*", word):
            if "_" in symbol and not symbol.startswith("__") and symbol not in ELSEWHERE and self.lacks_symbol(symbol):
                return f"no source says {symbol}"
        return None

    def untruths(self, page, text):
        """All that a page names and the tree lacks, as sentences."""
        said = []

        def say(at, wrong):
            if wrong:
                said.append(f"{page}:{text.count(chr(10), 0, at) + 1}: {wrong}")

        for code in re.finditer(r"(?<!`)`([^`\n]+)`(?!`)", text):
            for word in code.group(1).split():
                say(code.start(), self.wrong_word(word))
        for line in re.finditer(r"^ {4}\S.*$", text, re.M):
            command = re.sub(r"  +#.*", "", line.group())
            for word in command.split():
                if re.match(r"(tests|script|bench|docs|src|capture|viz|scenarios)/", word.strip("'\"")):
                    say(line.start(), self.wrong_word(word))
        for chosen in re.finditer(r"\s-R\s+(?:'([^']+)'|\"([^\"]+)\"|([^\s`]+))", text):
            for one in alternatives(chosen.group(1) or chosen.group(2) or chosen.group(3)):
                if self.lacks_test(one):
                    say(chosen.start() + 1, f"ctest -R {one} chooses no test")
        for link in re.finditer(r"\]\(([^)#\s]+)[^)]*\)", text):
            if "://" not in link.group(1):
                path = os.path.normpath(os.path.join(os.path.dirname(page), link.group(1)))
                say(link.start(), f"the link leads to {path}, which is not there" if self.lacks_path(path) else None)
        return said


def wrong_floors(text, table):
    """Where the table of floors in docs/ARCHITECTURE.md is not that of tests/floors.py; its words for several folders count as these."""
    rows = {}
    for row in re.finditer(r"^\| *\d+ *\| *`([\w/.]+?)/?(?:\.c)?` *\|[^|]*\| *([^|]*?) *\|$", text, re.M):
        name = re.sub(r"^src/", "", row.group(1))
        rows[name] = (row.group(2).replace("`", ""), list(rows)[-1] if rows else None)
    said = [f"no row for the floor {name}" for name in table if name not in rows]
    said += [f"tests/floors.py has no floor {name}" for name in rows if name not in table]

    def allowed(name):
        words, before = rows[name]
        found = set()
        for word in words.split(", "):
            if word == "the same":
                found |= allowed(before)
            elif word == "the three above":
                found |= set(list(rows)[list(rows).index(name) - 3 : list(rows).index(name)])
            elif word.startswith("all rooms of "):
                found |= {floor for floor in table if floor.startswith(word[13:] + "/") and floor != name}
            elif word != "nothing":
                found.add(word)
        return found

    for name in rows:
        if name in table:
            more, less = allowed(name) - set(table[name]), set(table[name]) - allowed(name)
            said += [f"{name} may not include {floor}" for floor in sorted(more)] + [f"{name} may include {floor} as well" for floor in sorted(less)]
    return [f"docs/ARCHITECTURE.md: the floors: {one} (tests/floors.py)" for one in said]


def wrong_labels(text, labels):
    """Where the table of tests in docs/ARCHITECTURE.md has other labels than the tests have."""
    rows = set(re.findall(r"^\| *([a-z0-9]+) *\| *`tests/", text, re.M))
    return [f"docs/ARCHITECTURE.md: no test has the label {label}" for label in sorted(rows - labels)] + \
           [f"docs/ARCHITECTURE.md: the table of tests has no row for the label {label}" for label in sorted(labels - rows)]


def left_out(text, folders):
    """Folders that the map in README.md does not link."""
    return [f"README.md: the map of the source leaves out {folder}/" for folder in folders if not re.search(rf"\]\({folder}[)/]", text)]


def self_test():
    tree = Tree({"src", "src/a", "src/a/flow.c", "docs", "docs/P.md", "tests", "tests/x.py"}, {"flow_of", "SYS_read"}, ["unit/flow", "e2e/run-it"])
    good = "`src/a/flow.c` `a/flow` `flow.c` `flow_of()` `SYS_` `unit/flow` `unit_flow` `viz/ROOM/NAME.c` `build/src/x` [a](P.md#b) [c](https://no.where/x)\n\n" \
           "    ctest -R 'unit/(flow|flo)|e2e/run'\n    tests/x.py FILE   # of lost_name\n"
    assert tree.untruths("docs/A.md", good) == [], tree.untruths("docs/A.md", good)
    for text, wrong in (("`src/b/flow.c`", "there is no src/b/flow.c"), ("`b/flow`", "there is no b/flow"), ("`flew.c`", "there is no flew.c"),
                        ("`flow_for()`", "no source says flow_for"), ("`struct lost_name`", "no source says lost_name"), ("`unit_flew`", "no source says unit_flew"), ("`TYS_`", "no source says TYS_"),
                        ("`unit/flew`", "no test is called unit/flew"), ("[a](Q.md)", "leads to docs/Q.md"), ("    tests/y.py", "there is no tests/y.py"),
                        ("    ctest -R 'unit/(flow|flew)|e2e/run'", "-R unit/flew chooses"), ("\n`ctest -R\n  e2e/ran`", "docs/A.md:2: ctest -R e2e/ran")):
        said = tree.untruths("docs/A.md", text)
        assert len(said) == 1 and wrong in said[0], (text, said)
    table = {"base": [], "a": ["base"], "a/b": ["base", "a"], "a/c": ["base", "a", "a/b"], "d": ["a/b", "a/c"], "main": ["d"]}
    rows = ["| 0 | `src/base/` | x | nothing |", "| 1 | `src/a/` | x | base |", "| 2 | `src/a/b/` | x | the same, a |", "| 3 | `src/a/c/` | x | the same, a/b |",
            "| 4 | `d/` | x | all rooms of a |", "| 5 | `src/main.c` | x | d |"]
    assert wrong_floors("\n".join(rows), table) == [], wrong_floors("\n".join(rows), table)
    for at, row, wrong in ((1, "", "no row for the floor a"), (1, "| 1 | `src/a/` | x | base, d |", "a may not include d"), (3, "| 3 | `src/a/c/` | x | base, a |",
                           "a/c may include a/b as well"), (5, rows[5] + "\n| 6 | `src/attic/` | x | base |", "has no floor attic")):
        said = wrong_floors("\n".join(rows[:at] + [row] + rows[at + 1 :]), table)
        assert said and all("floors" in one for one in said) and wrong in " ".join(said), (row, said)
    said = wrong_labels("| unit | `tests/unit/` | x |\n| attic | `tests/attic` | x |", {"unit", "house"})
    assert len(said) == 2 and "label attic" in said[0] and "label house" in said[1], said
    assert left_out("[a](src/a) [b](src/bc)", ["src/a", "src/b"]) == ["README.md: the map of the source leaves out src/b/"]
    print("each kind of untruth is found")


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    listed = json.loads(subprocess.run(["ctest", "--test-dir", sys.argv[1], "--show-only=json-v1"], capture_output=True, text=True, check=True).stdout)
    tree = Tree(*tree_of(ROOT), [test["name"] for test in listed["tests"]])
    pages = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").glob("*.md"))]
    said = []
    for page in pages:
        said += tree.untruths(str(page.relative_to(ROOT)), page.read_text(encoding="utf-8"))
    labels = {label for test in listed["tests"] for one in test.get("properties", []) if one["name"] == "LABELS" for label in one["value"]}
    said += wrong_labels((ROOT / "docs/ARCHITECTURE.md").read_text(encoding="utf-8"), labels - ONLY_WITH_CORPUS)
    said += wrong_floors((ROOT / "docs/ARCHITECTURE.md").read_text(encoding="utf-8"), floors.FLOORS)
    folders = sorted(f"src/{path.name}" for path in (ROOT / "src").iterdir() if path.is_dir()) + ["capture", "viz", "tests", "bench", "scenarios"]
    said += left_out((ROOT / "README.md").read_text(encoding="utf-8").split("## A map of the source")[1], folders)
    print("\n".join(said) or f"{len(pages)} pages, {len(tree.tests)} tests: all that is named is there")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
