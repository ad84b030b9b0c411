#!/usr/bin/env python3
"""Holds event lines to their JSON Schema.

    check_schema.py SCHEMA [FILE…]           every line of the files (or of standard input); exit status 1 and a message with the
                                             line's number for each breach; an input without any line is a breach too
    check_schema.py SCHEMA --self-test FILE  proves that the schema can fail: lines of each kind in FILE are spoilt in several ways,
                                             and each spoilt line must be refused

Needs python3-jsonschema. Besides each line alone it checks the order: "trace" first, "summary" last, and every line of a
connection behind that connection's own.
"""

import collections
import copy
import json
import sys

import jsonschema
from line_schema import LineSchema


def strict(text):
    def refuse(name):
        raise ValueError("not JSON: " + name)

    def once(pairs):
        keys = [key for key, _ in pairs]
        if len(set(keys)) != len(keys):
            raise ValueError("a key stands twice: %s" % keys)
        return dict(pairs)

    return json.loads(text, parse_constant=refuse, object_pairs_hook=once)


def line_schema(schema, line):
    """The definition that a line claims to follow, for a message that helps more than "none of oneOf"."""
    name = line.get("type")
    if name == "connection" and line.get("protocol") == "udp":
        name = "exchange"
    found = schema["definitions"].get("line_%s" % name)
    return jsonschema.Draft7Validator({**found, "definitions": schema["definitions"]}) if found else None


def breaches(check, name, stream):
    connections = set()
    last = None
    for number, text in enumerate(stream, 1):
        try:
            line = strict(text)
        except ValueError as error:
            yield "%s:%d: %s" % (name, number, error)
            continue
        if not check.is_valid(line):
            closer = line_schema(check.schema, line) or check
            error = jsonschema.exceptions.best_match(closer.iter_errors(line))
            where = "/".join(str(part) for part in error.absolute_path) if error else ""
            yield "%s:%d: %s: %s" % (name, number, where or "line", error.message if error else "not valid")
            continue
        if (number == 1) != (line["type"] == "trace"):
            yield "%s:%d: a trace line is the first line, and only it" % (name, number)
        if last == "summary":
            yield "%s:%d: a line behind the summary" % (name, number)
        if line["type"] == "connection":
            connections.add(line["conn"])
        elif line.get("conn") and line["conn"] not in connections:
            yield "%s:%d: conn %s has had no connection line" % (name, number, line["conn"])
        last = line["type"]
    if last != "summary":
        yield "%s: the last line is no summary" % name


def spoilt(line):
    """Ways to break a line, one at a time, with what was done."""
    yield "a field that is not known", {**line, "surprise": 1}
    yield "an unknown type", {**line, "type": "surprise"}
    for key in line:
        missing = dict(line)
        del missing[key]
        yield "without " + key, missing
        yield key + " of a wrong kind", {**line, key: {"surprise": []}}
        if isinstance(line[key], dict):
            deeper = copy.deepcopy(line)
            deeper[key]["surprise"] = 1
            yield "a field that is not known in " + key, deeper
            for inner in ("kind", "evidence", "met", "client"):
                if inner in line[key]:
                    deeper = copy.deepcopy(line)
                    deeper[key][inner] = "surprise"
                    yield "%s/%s that is not known" % (key, inner), deeper
    for key in ("end", "outcome", "severity", "source", "flags", "result"):
        if key in line and line["type"] != "lost":
            yield key + " that is not known", {**line, key: "surprise!"}


LINES_PER_KIND = 8


def self_test(check, path):
    missed = count = 0
    kinds = collections.Counter()
    with open(path, encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            line = strict(text)
            kind = line["type"], line.get("protocol"), line.get("source")
            kinds[kind] += 1
            if kinds[kind] > LINES_PER_KIND:
                continue
            for what, broken in spoilt(line):
                count += 1
                if check.is_valid(broken):
                    missed += 1
                    print("%s:%d: accepted %s: %s" % (path, number, what, json.dumps(broken)))
    if not count:
        print("%s: nothing to spoil" % path)
    print("%d spoilt lines of %d kinds, %d accepted" % (count, len(kinds), missed), file=sys.stderr)
    return 1 if missed or not count else 0


def main(arguments):
    if not arguments:
        sys.exit(__doc__)
    check = LineSchema(arguments[0])
    if arguments[1:2] == ["--self-test"]:
        return self_test(check, arguments[2])
    found = 0
    inputs = arguments[1:] or ["-"]
    for path in inputs:
        stream = sys.stdin if path == "-" else open(path, encoding="utf-8")
        for breach in breaches(check, path, stream):
            print(breach)
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
