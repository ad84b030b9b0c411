#!/usr/bin/env python3
"""Holds lines of OTLP/JSON to the protocol's definitions, and to what receivers ask besides.

    check_otlp.py FILE…               every line; exit status 1 and a sentence for each breach; a file without any line is a breach
    check_otlp.py --self-test FILE    proves that each check can fail: lines of FILE are spoilt and must be refused

Needs protoc and python3-protobuf (Debian).
"""

import base64
import copy
import json
import re
import sys

import definitions

from google.protobuf import json_format

EVENTS_MOST = 128
ID_BYTES = {"traceId": 16, "spanId": 8, "parentSpanId": 8}
DECIMAL = {"startTimeUnixNano", "endTimeUnixNano", "timeUnixNano", "intValue"}
TracesData = definitions.message("otlp.proto", "otlp.TracesData")


def as_protobuf(value):
    """JSON of OTLP as JSON of protocol buffers, which has bytes as base64: the one difference between the two."""
    if isinstance(value, list):
        return [as_protobuf(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: base64.b64encode(bytes.fromhex(one)).decode() if key in ID_BYTES else as_protobuf(one) for key, one in value.items()}


def walk(value, path=""):
    if isinstance(value, dict):
        for key, one in value.items():
            yield path + "." + key, key, one
            yield from walk(one, path + "." + key)
    elif isinstance(value, list):
        for one in value:
            yield from walk(one, path)


def check_forms(data):
    """What OTLP/JSON asks for and the definitions don't say."""
    for path, key, one in walk(data):
        if key in ID_BYTES and not (isinstance(one, str) and re.fullmatch(f"[0-9a-f]{{{2 * ID_BYTES[key]}}}", one) and one.strip("0")):
            yield f"{path}: {one!r} is no id of {ID_BYTES[key]} bytes"
        if key in DECIMAL and not (isinstance(one, str) and re.fullmatch("-?[0-9]+", one)):
            yield f"{path}: {one!r}: 64 bits are written as a decimal string"
        if key in ("kind", "code") and not isinstance(one, int):
            yield f"{path}: {one!r}: an enum is written as a number"
        if "_" in key:
            yield f"{path}: names are lowerCamelCase"


def check_span(span, ids):
    where = f"{span['name']} {span['spanId']}"
    if (span["traceId"], span["spanId"]) in ids:
        yield f"{where}: a second span of this id"
    ids.add((span["traceId"], span["spanId"]))
    if int(span["startTimeUnixNano"]) > int(span["endTimeUnixNano"]):
        yield f"{where}: it ends before it begins"
    if len(span.get("events", [])) > EVENTS_MOST:
        yield f"{where}: {len(span['events'])} events"
    keys = [attribute["key"] for attribute in span.get("attributes", [])]
    if len(keys) != len(set(keys)):
        yield f"{where}: an attribute twice"
    if (span.get("status", {}).get("code") == 2) != ("error.type" in keys):
        yield f"{where}: an error without its type, or the other way round"


def check_lines(lines):
    """All breaches in a file's lines, as sentences."""
    ids, parents, wrong = set(), [], []
    for number, line in enumerate(lines, 1):
        try:
            data = json.loads(line)
            faults = list(check_forms(data))
            if not faults:
                json_format.ParseDict(as_protobuf(data), TracesData())
            for resource in data["resourceSpans"]:
                names = [a["value"]["stringValue"] for a in resource["resource"]["attributes"] if a["key"] == "service.name"]
                if len(names) != 1 or not names[0]:
                    faults.append("a resource without a service.name")
                for scope in resource["scopeSpans"]:
                    for span in scope["spans"]:
                        faults += check_span(span, ids)
                        if "parentSpanId" in span:
                            parents.append((number, span))
        except (ValueError, KeyError, json_format.ParseError) as error:
            faults = [f"{type(error).__name__}: {error}"]
        wrong += [f"line {number}: {fault}" for fault in faults]
    for number, span in parents:
        # The server's span has the client's as its parent, which another host may tell.
        if (span["traceId"], span["parentSpanId"]) not in ids and span["kind"] != 2:
            wrong.append(f"line {number}: {span['name']} {span['spanId']}: its parent is nowhere")
    return wrong or ([] if lines else ["no line"])


SPOILT = {
    "a number for a time": lambda span: span.update(startTimeUnixNano=int(span["startTimeUnixNano"])),
    "a name for a kind": lambda span: span.update(kind="SPAN_KIND_CLIENT"),
    "a trace id of zeros": lambda span: span.update(traceId="0" * 32),
    "an id that is too short": lambda span: span.update(spanId=span["spanId"][:-2]),
    "a field that is not defined": lambda span: span.update(startTime="1"),
    "a field of the wrong type": lambda span: span.update(droppedEventsCount="many"),
    "an end before its beginning": lambda span: span.update(endTimeUnixNano="1"),
    "an attribute twice": lambda span: span["attributes"].append(span["attributes"][0]),
    "too many events": lambda span: span.update(events=[span["events"][0]] * (EVENTS_MOST + 1)),
    "an error without a type": lambda span: span.update(status={"code": 2}),
    "a parent that is nowhere": lambda span: span.update(parentSpanId="00000000000000ab"),
}


def self_test(path):
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    missed = [] if not check_lines(lines) else ["the lines as they are"]
    for how, spoil in SPOILT.items():
        data = copy.deepcopy(json.loads(lines[0]))
        spoil(data["resourceSpans"][0]["scopeSpans"][0]["spans"][0])
        if not check_lines([json.dumps(data), *lines[1:]]):
            missed.append(how)
    if not check_lines(lines + lines[:1]) or not check_lines([]) or not check_lines(["{"]):
        missed.append("a span twice, no line, or no JSON")
    for how in missed:
        print("FAIL: not noticed, or wrongly:", how)
    print(f"{len(SPOILT) + 1} spoilt files, {len(missed)} faults")
    return 1 if missed else 0


def main():
    if sys.argv[1] == "--self-test":
        return self_test(sys.argv[2])
    failures = 0
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            for fault in check_lines(file.read().splitlines()):
                print(f"{path}: {fault}")
                failures += 1
    print(f"{len(sys.argv) - 1} files, {failures} faults")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
