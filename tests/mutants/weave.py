#!/usr/bin/env python3
"""Weaves mutants (which.py) into a file of C: one build is then all of them, and a variable of the environment picks one (mutant.h).

    tests/mutants/weave.py --self-test   proves that a woven program does with each number what the changed source does

a < b becomes (mutant_is_(7) ? (a <= b) : (a < b)), and what stands in a table or a constant gets a copy of its own, which takes its
place wherever a function names it. Where everything is in the source is asked of clang. What has no such place (a case, an array's
size, a constant that others are made of, the inside of a macro) stays as it is: such a mutant needs a build of its own."""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import which

HEADER = pathlib.Path(__file__).with_name("mutant.h")


def syntax_of(path, flags):
    """clang's syntax tree of the file."""
    clang = next(filter(None, map(shutil.which, ("clang", "clang-14"))))
    told = subprocess.run([clang, "-w", "-Xclang", "-ast-dump=json", "-fsyntax-only", *flags, str(path)], capture_output=True, check=False)
    return json.loads(told.stdout)


class Source:
    """What of the file's syntax is of use: places are in bytes from its beginning, and a range is (first, behind the last)."""

    def __init__(self, path, flags):
        self.path, self.data = str(path), path.read_bytes()
        self.file = None      # the syntax tree names a file only where it changes
        self.comparisons = {} # range: (left's range, right's range)
        self.numbers = set()
        self.names = []       # (range, id of what is named)
        self.fixed = {}       # id: (name, range of its value, kind of declaration)
        self.walk(syntax_of(path, flags), in_function=False)

    def range_of(self, node):
        """None: not in the source as it stands. A macro is there by its name, with its arguments."""
        begin, end = (node.get("range", {}).get(at, {}) for at in ("begin", "end"))
        begin = begin.get("expansionLoc", begin)
        behind, end = "expansionLoc" in end, end.get("expansionLoc", end)
        if "offset" not in begin or "offset" not in end:
            return None
        last = end["offset"] + end["tokLen"]
        return begin["offset"], self.behind_parentheses(last) if behind else last

    def behind_parentheses(self, at):
        if self.data[at:at + 1] != b"(":
            return at
        depth = 0
        for at in range(at, len(self.data)):
            depth += {b"(": 1, b")": -1}.get(self.data[at:at + 1], 0)
            if depth == 0:
                break
        return at + 1

    def pass_places(self, places):
        """The file that the last of these places is in."""
        for key, place in places.items():
            if key == "file":
                self.file = place
            elif key in ("spellingLoc", "expansionLoc", "begin", "end"):
                self.pass_places(place)

    def is_here(self, node):
        self.pass_places(node.get("loc", {}))
        self.pass_places(node.get("range", {}).get("begin", {}))
        here = self.file == self.path
        self.pass_places(node.get("range", {}).get("end", {}))
        return here

    def walk(self, node, in_function):
        here, kind, inner = self.is_here(node), node.get("kind"), node.get("inner", [])
        at = self.range_of(node) if here else None
        if kind == "FunctionDecl":
            in_function = any(part.get("kind") == "CompoundStmt" for part in inner)
        elif kind in ("ConstantExpr", "StaticAssertDecl", "RecordDecl", "EnumDecl"):
            in_function = False
        elif kind == "VarDecl" and node.get("storageClass") == "static":
            in_function = False
        if at and in_function:
            if kind == "BinaryOperator" and node["opcode"] in which.OPERATORS:
                self.comparisons[at] = tuple(map(self.range_of, inner))
            elif kind == "IntegerLiteral":
                self.numbers.add(at)
            elif kind == "DeclRefExpr":
                self.names.append((at, node["referencedDecl"]["id"]))
        if at and kind == "EnumConstantDecl" or kind == "VarDecl" and node.get("storageClass") == "static" and is_constant(node):
            value = next((part for part in inner if "range" in part), None)
            if at and value and self.range_of(value):
                self.fixed[node["id"]] = (node["name"], self.range_of(value), kind)
        for part in inner:
            self.walk(part, in_function)


def is_constant(node):
    """A variable that nobody writes: its type is const itself, not only what it points at."""
    kind = re.sub(r"(\[\d*\])+$", "", node["type"]["qualType"]).rstrip()
    return "const" in kind[kind.rfind("*") + 1:].split()


class Weaver:
    """The file's text with the mutants (number: mutant) in it; `woven` are the numbers that found a place."""

    def __init__(self, path, flags, mutants):
        self.source = Source(path, flags)
        self.data, self.woven, self.items, self.copies = self.source.data, set(), {}, {}
        starts = [0]
        for line in self.data.split(b"\n"):
            starts.append(starts[-1] + len(line) + 1)
        lines = self.data.decode().splitlines()
        self.at = {starts[mutant.line - 1] + len(lines[mutant.line - 1][:mutant.column].encode()): (number, mutant) for number, mutant in mutants.items()}
        self.find()
        self.order = sorted(self.items, key=lambda at: (at[0], -at[1]))
        self.text = f'#include "{HEADER}"\n' + self.between(0, len(self.data))

    def find(self):
        for at, (left, right) in self.source.comparisons.items():
            if left and right and left[1] <= right[0]:
                found = which.OPERATOR.search(which.code_of(self.data[left[1]:right[0]].decode(errors="replace")) + " ")
                where = left[1] + found.start() if found else None
                if where in self.at:
                    self.items[at] = lambda skip, where=where, left=left, right=right: self.comparison(where, left, right, skip)
        for at in self.source.numbers:
            if at[0] in self.at:
                self.items.setdefault(at, lambda skip, at=at: self.number(at))
        for identity, (name, value, kind) in self.source.fixed.items():
            inside = sorted(where for where in self.at if value[0] <= where < value[1])
            uses = [at for at, named in self.source.names if named == identity]
            if not inside or not uses or not self.are_all(name, uses):
                continue
            if kind == "VarDecl":
                behind = self.data.index(b";", value[1]) + 1
                self.copies.setdefault((behind, behind), []).extend((name, value, where) for where in inside)
            for at in uses:
                self.items[at] = lambda skip, name=name, value=value, inside=inside, kind=kind: self.name(name, value, inside, kind)
        for at, copies in self.copies.items():
            self.items[at] = lambda skip, copies=copies: "".join(self.copy(*copy) for copy in copies)

    def are_all(self, name, uses):
        """Whether functions alone name it, all of them in a way that can be woven."""
        code = re.sub(r"/\*.*?\*/", "", self.data.decode(), flags=re.DOTALL)
        there = len(re.findall(rf"\b{name}\b", "\n".join(map(which.code_of, code.splitlines()))))
        return there == 1 + len(uses) and all(self.data[slice(*at)].decode() == name for at in uses)

    def between(self, begin, end, skip=None):
        """The text from begin to end, with all that is to be woven there."""
        out, at = [], begin
        for item in self.order:
            if item[0] >= at and item[1] <= end and item != skip:
                out += [self.data[at:item[0]].decode(), self.items[item](item)]
                at = item[1]
        return "".join(out) + self.data[at:end].decode()

    def comparison(self, where, left, right, skip):
        number, mutant = self.at[where]
        self.woven.add(number)
        left, right = self.between(*left, skip), self.between(*right, skip)
        if mutant.before in ("&&", "||"):
            differs = "!=" if mutant.before == "&&" else "=="
            return f"({{ bool left_ = ({left}); (left_ {differs} mutant_is_({number})) ? (bool)({right}) : left_; }})"
        return f"(mutant_is_({number}) ? ({left} {mutant.after} {right}) : ({left} {mutant.before} {right}))"

    def number(self, at):
        number, mutant = self.at[at[0]]
        self.woven.add(number)
        text = self.data[slice(*at)].decode()
        return f"(mutant_is_({number}) ? {mutant.after}{text[len(mutant.before):]} : {text})"

    def value(self, value, where):
        number, mutant = self.at[where]
        self.woven.add(number)
        return number, self.data[value[0]:where].decode() + mutant.after + self.data[where + len(mutant.before):value[1]].decode()

    def copy(self, name, value, where):
        number, text = self.value(value, where)
        return f" static __typeof__({name}) {name}_{number}_ = {text};"

    def name(self, name, value, inside, kind):
        out = name if kind == "EnumConstantDecl" else f"&{name}"
        for where in inside:
            number, text = self.value(value, where)
            out = f"(mutant_is_({number}) ? {f'({text})' if kind == 'EnumConstantDecl' else f'&{name}_{number}_'} : {out})"
        return out if kind == "EnumConstantDecl" else f"(*{out})"


SAMPLE = r"""
#include <stdio.h>
#include <stdint.h>
#include <stdbool.h>
#define TWICE(x) ((x) * 2)
enum { FEW = 3, MANY = 40 };
enum { SIZED = 5 };
static const int64_t LATE_NS = 1000;
static const struct row { int from, to; } rows[] = {
    {2, 9},
    {20, 29},
};
static int kept[SIZED];
static bool within(int n)
{
    static const int most = 25;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (n >= rows[i].from && n <= rows[i].to) return n != most || n == INT32_MIN;
    return TWICE(n) > MANY;
}
int main(void)
{
    int64_t sum = 0;
    for (int n = -3; n < 45; n++) {
        sum = sum * 3 + within(n);
        if (n % FEW == 2 || (n > 7 && sum > LATE_NS)) sum %= 100003;
        if (n >= 0 && n < SIZED) kept[n] = (int)sum;
        switch (n) {
        case 12: sum += 5;
        }
    }
    printf("%ld %d\n", (long)sum, kept[2]);
}
"""


def self_test():
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="weave-") as folder:
        path, program = pathlib.Path(folder) / "sample.c", str(pathlib.Path(folder) / "sample")
        path.write_text(SAMPLE)
        mutants = dict(enumerate(which.mutants_of(SAMPLE, "sample.c"), 1))
        weaver = Weaver(path, [], mutants)

        def said(text, number):
            if text is not None:
                path.write_text(text)
                subprocess.run(["cc", "-w", "-o", program, str(path)], check=True)
            return subprocess.run([program], env={"TCPWHY_MUTANT": str(number)}, capture_output=True, text=True, timeout=10, check=False).stdout

        expected = {number: said(which.changed(SAMPLE, mutants[number]), 0) for number in weaver.woven}
        as_it_is = said(SAMPLE, 0)
        if said(weaver.text, 0) != as_it_is:
            print("woven, and no mutant: it does something else")
            wrong += 1
        for number, text in sorted(expected.items()):
            if said(None, number) != text:
                print(f"{mutants[number]}: woven it does something else")
                wrong += 1
        alone = {(mutant.line, mutant.before) for number, mutant in mutants.items() if number not in weaver.woven}
        if alone != {(line, before) for line, text in enumerate(SAMPLE.splitlines(), 1) for before in ("5", "12") if f"SIZED = {before}" in text or f"case {before}" in text}:
            print(f"another build is needed for {alone}")
            wrong += 1
        if len(set(expected.values())) < 10:
            print("the sample hardly shows which mutant it is")
            wrong += 1
    print(f"{len(expected)} mutants woven, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(self_test() if sys.argv[1:] == ["--self-test"] else __doc__)
