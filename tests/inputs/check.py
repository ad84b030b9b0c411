#!/usr/bin/env python3
"""Holds both views of `tcpwhy read` on the captures of this folder to EXPECT.tsv, whose values are right by RFC 9293.

    check.py TCPWHY              exit status 1, and a line for each value that is not as expected, or that a connection told alone has not
    check.py --self-test TCPWHY  the same with each expected value changed in turn: every change must be found
"""

import csv
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
# Of a connection, where its line in the story says what a column of the list says.
IN_STORY = {
    "client_port": lambda line: line["client"]["addr"].rsplit(":", 1)[-1],
    "server_port": lambda line: line["server"]["addr"].rsplit(":", 1)[-1],
    "client_state": lambda line: line["client"]["state"],
    "server_state": lambda line: line["server"]["state"],
    "outcome": lambda line: line["outcome"],
    "closed_first_by": lambda line: line["closed_first_by"] or "-",
    "time_wait": lambda line: line["time_wait"] or "-",
    "client_bytes": lambda line: str(line["client"]["bytes"]),
    "server_bytes": lambda line: str(line["server"]["bytes"]),
    "client_missed_bytes": lambda line: str(line["client"]["missed_bytes"]),
    "server_missed_bytes": lambda line: str(line["server"]["missed_bytes"]),
}


def run(tcpwhy, capture, *options):
    done = subprocess.run([tcpwhy, "read", str(HERE / (capture + ".pcap")), "-q", *options], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        sys.exit(f"{capture}: exit status {done.returncode}: {done.stderr}")
    return done.stdout


def time_wait_of(row):
    held = [side for side in ("client", "server") if row[side + "_state"] == "TIME_WAIT"]
    return "both" if len(held) == 2 else held[0] if held else "-"


def views(tcpwhy, capture):
    """For each connection: what the list says, what the story says, by column."""
    listed, told = {}, {}
    for row in csv.DictReader(run(tcpwhy, capture, "--format", "csv").splitlines()):
        listed[row["conn"]] = {name: value or "-" for name, value in row.items()}
        listed[row["conn"]]["time_wait"] = time_wait_of(row)
    for text in run(tcpwhy, capture, "--conn", "1-", "--format", "jsonl").splitlines():
        line = json.loads(text)
        if line["type"] == "connection":
            told[str(line["conn"])] = {name: of(line) for name, of in IN_STORY.items()} | {
                "classes": [], "client_retransmissions": 0, "server_retransmissions": 0}
        if line["type"] == "segment":
            conn = told[str(line["conn"])]
            conn["classes"].append(f"{line['end'][0]}:{line['class']}")
            conn[line["end"] + "_retransmissions"] += bool(line["retransmission"])
    return listed, told


def impossible(capture, listed):
    """A round trip that took longer than all that was seen of the connection."""
    return [f"{capture}, connection {conn}: a handshake of {row['handshake_ns']} ns" for conn, row in listed.items()
            if row["handshake_ns"] != "-" and int(row["handshake_ns"]) > (float(row["end"]) - float(row["start"])) * 1e9 + 1000]


def is_as(expected, got):
    if expected == "*":
        return True
    if isinstance(got, list):
        words = expected.split()
        return len(words) == len(got) and all(word in ("*", one) for word, one in zip(words, got))
    return expected == str(got)


def differences(rows, seen):
    found = []
    for capture in {row["capture"]: None for row in rows}:
        mine = [row for row in rows if row["capture"] == capture]
        for view, connections in zip(("list", "story"), seen[capture]):
            if {row["conn"] for row in mine} != set(connections):
                found.append(f"{capture}, {view}: connections {', '.join(connections) or 'none'}")
                continue
            for row in mine:
                got = connections[row["conn"]]
                found += [f"{capture}, connection {row['conn']}, {view}: {name} is {got[name]}, not {expected}"
                          for name, expected in row.items() if name in got and not is_as(expected, got[name])]
    return found


# What rests on a connection that was over before the chosen one began: alone it is not told.
OF_BEFORE = {"stray", "time-wait-reuse", "linux-time-wait-reuse"}


def alone(tcpwhy, capture, conns):
    """Differences between the story of a connection that is told alone, and the same among all."""
    whole = [json.loads(text) for text in run(tcpwhy, capture, "--conn", "1-", "--format", "jsonl").splitlines()]
    found = []
    for conn in conns:
        mine = [line for line in whole if str(line.get("conn")) == conn]
        told = [json.loads(text) for text in run(tcpwhy, capture, "--conn", conn, "--format", "jsonl").splitlines()]
        told = [line for line in told if "conn" in line]
        lacks = [line for line in mine if line not in told and line.get("id") not in OF_BEFORE]
        found += [f"{capture}, connection {conn} alone lacks {line}" for line in lacks]
        found += [f"{capture}, connection {conn} alone says {line}" for line in told if line not in mine]
    return found


def self_test(rows, seen):
    changes = missed = 0
    for row in rows:
        beside = [other for other in rows if other["capture"] == row["capture"]]
        for name in row:
            if name == "capture" or row[name] == "*":
                continue
            changed = dict(row, **{name: row[name] + "9"})
            changes += 1
            if not differences([changed if other is row else other for other in beside], seen):
                missed += 1
                print(f"{row['capture']}: a wrong {name} is not found")
    print(f"{changes} wrong values, {missed} not found")
    return 1 if missed or not changes else 0


def main():
    arguments = sys.argv[1:]
    testing = arguments[:1] == ["--self-test"]
    tcpwhy = arguments[-1]
    with open(HERE / "EXPECT.tsv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    seen = {row["capture"]: None for row in rows}
    for capture in seen:
        seen[capture] = views(tcpwhy, capture)
    if testing:
        return self_test(rows, seen)
    found = differences(rows, seen)
    for capture, views_of in seen.items():
        found += impossible(capture, views_of[0])
        if len(views_of[0]) > 1:
            found += alone(tcpwhy, capture, views_of[0])
    for line in found:
        print(line)
    print(f"{len(rows)} connections in {len(seen)} captures, {len(found)} differences")
    return 1 if found or not rows else 0


if len(sys.argv) < 2:
    sys.exit(__doc__)
sys.exit(main())
