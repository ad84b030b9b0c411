#!/usr/bin/env python3
"""Holds the two views of `tcpwhy read` against each other, over every capture below the folders: the list of connections and the story
of each must agree on connections, roles, states, outcome, bytes, what was missed, retransmissions, who opened and who closed first.

    list_against_story.py TCPWHY FOLDER…
    list_against_story.py --self-test TCPWHY FOLDER…    the story of the first connection is changed: that must be found
"""

import collections
import csv
import json
import pathlib
import subprocess
import sys

NO_CAPTURES = (".tsv", ".md", ".py", ".txt", ".scn", ".nft")


def read(tcpwhy, path, *options):
    return subprocess.run([tcpwhy, "read", str(path), "-q", *options], capture_output=True, text=True, errors="replace", timeout=120).stdout


def of_list(tcpwhy, path):
    table = {}
    for row in csv.DictReader(read(tcpwhy, path, "--format", "csv").splitlines()):
        if row.get("protocol", "tcp") == "tcp":
            table[int(row["conn"])] = row
    return table


def of_story(tcpwhy, path):
    told, repeats = {}, collections.Counter()
    for text in read(tcpwhy, path, "--conn", "1-", "--format", "jsonl").splitlines():
        line = json.loads(text)
        if line["type"] == "connection" and line["protocol"] == "tcp":
            told[line["conn"]] = line
        if line["type"] == "segment":
            repeats[line["conn"], line["end"]] += bool(line["retransmission"])
    return told, repeats


def compared(row, line, repeats):
    """(what, by the list, by the story)"""
    yield "outcome", row["outcome"], line["outcome"]
    yield "closed first by", row["closed_first_by"], line["closed_first_by"] or ""
    yield "opened by", row["opened_by"], line["opened_by"] or ""
    for side in ("client", "server"):
        yield "role", row[side + "_port"], line[side]["addr"].rsplit(":", 1)[-1]
        yield "state", row[side + "_state"], line[side]["state"]
        yield "bytes", row[side + "_bytes"], str(line[side]["bytes"])
        yield "missed bytes", row[side + "_missed_bytes"], str(line[side]["missed_bytes"])
        yield "retransmissions", row[side + "_retransmissions"], str(repeats[line["conn"], side])


def main():
    arguments = sys.argv[1:]
    testing = arguments[:1] == ["--self-test"]
    tcpwhy, *folders = arguments[testing:]
    connections = captures = 0
    counts, examples = collections.Counter(), {}

    def differs(what, where):
        counts[what] += 1
        examples.setdefault(what, where)

    for folder in folders:
        for path in sorted(pathlib.Path(folder).rglob("*")):
            if not path.is_file() or path.suffix in NO_CAPTURES:
                continue
            rows = of_list(tcpwhy, path)
            told, repeats = of_story(tcpwhy, path) if rows else ({}, {})
            captures += 1
            connections += len(rows)
            if testing and told:
                told[min(told)]["outcome"] += ", changed"
                testing = False
            for number in sorted(rows.keys() | told.keys()):
                if number not in rows or number not in told:
                    differs("connections", f"{path}, {number}: only in the {'story' if number in told else 'list'}")
                    continue
                for what, listed, said in compared(rows[number], told[number], repeats):
                    if listed != said:
                        differs(what, f"{path}, {number}: {listed or 'none'} in the list, {said or 'none'} in the story")
    for what, where in examples.items():
        print(f"{what}: {counts[what]}, such as {where}")
    print(f"{captures} captures, {connections} connections, {sum(counts.values())} differences")
    return 1 if counts or not connections else 0


if len(sys.argv) < 3:
    sys.exit(__doc__)
sys.exit(main())
