#!/usr/bin/env python3
"""Holds the table of connections to tshark's conversations: numbers, segments, retransmissions, disorder, keep-alives, zero windows,
completeness and the handshake's round trip of every connection of every capture below a folder.

    compare_ledger.py TCPWHY FOLDER…

A difference that is not in DISAGREEMENTS.md's table (LEDGER_DIFFERS here) fails, and so does one that is not seen any more.
"""

import collections
import csv
import pathlib
import subprocess
import sys

FIELDS = ["tcp.stream", "tcp.completeness", "tcp.analysis.retransmission", "tcp.analysis.out_of_order", "tcp.analysis.keep_alive",
          "tcp.analysis.zero_window", "tcp.analysis.initial_rtt"]
COUNTS = ["segments", "retransmissions", "out_of_order", "keep_alives", "zero_windows"]

# Captures in which they differ, by their names' beginnings, and in what.
LEDGER_DIFFERS = {
    "AH-IPcomp-IPv4.pcap": {"segments", "completeness", "handshake"},
    "AH-IPcomp-IPv6.pcap": {"segments", "completeness", "handshake"},
    "sflow_expanded.pcap": {"connections"},
    "tcp-malformed.pcap": {"connections"},
    "tcp-reassembly.pcap": {"connections"},
    "crash-exception-cast-constructed-record": {"connections"},
    "crash-81dba690a3f67ee41a41390a625db732fa1413a1": {"connections"},
    "igmplayer": {"connections"},
    "timestamp_invalid_nano.pcap": {"handshake"},
    "timestamp_invalid_micro.pcap": {"handshake"},
}


def tshark_table(path):
    command = ["tshark", "-2", "-n", "-r", path, "-Y", "tcp", "-T", "fields"]
    for field in FIELDS:
        command += ["-e", field]
    table = {}
    for line in subprocess.run(command, capture_output=True, text=True, errors="replace").stdout.splitlines():
        stream, completeness, *marks, rtt = (value.split(",")[-1] for value in line.split("\t"))
        if not stream:
            continue
        row = table.setdefault(int(stream), collections.Counter())
        row["segments"] += 1
        row["completeness"] = int(completeness or 0)
        for name, mark in zip(COUNTS[1:], marks):
            row[name] += bool(mark)
        if rtt:
            row["handshake"] = round(float(rtt) * 1e9)
    return table


def tcpwhy_table(tcpwhy, path):
    result = subprocess.run([tcpwhy, "read", "-q", "--format", "csv", path], capture_output=True, text=True, errors="replace")
    if result.returncode not in (0, 1):
        sys.exit(f"{path}: exit status {result.returncode}: {result.stderr}")
    table = {}
    for line in csv.DictReader(result.stdout.splitlines()):
        row = {name: int(line["client_" + name]) + int(line["server_" + name]) for name in COUNTS}
        row["completeness"] = int(line["completeness"])
        row["handshake"] = int(line["handshake_ns"] or -1)
        table[int(line["conn"]) - 1] = row
    return table


def differences(theirs, ours):
    if theirs.keys() != ours.keys():
        return {"connections"}
    found = set()
    for number, row in theirs.items():
        mine = ours[number]
        found |= {name for name in COUNTS if row[name] != mine[name]}
        # tshark shows what a conversation's only segment adds to no other segment.
        if row["segments"] > 1 and row["completeness"] != mine["completeness"]:
            found.add("completeness")
        # A SYN that is refused has a round trip for tshark; here only a handshake has.
        if "handshake" in row and mine["handshake"] >= 0 and row["handshake"] != mine["handshake"]:
            found.add("handshake")
    return found


def main(tcpwhy, *folders):
    failed = connections = files = 0
    for folder in folders:
        for path in sorted(pathlib.Path(folder).rglob("*")):
            if not path.is_file() or path.suffix in (".tsv", ".md", ".py", ".txt"):
                continue
            theirs, ours = tshark_table(path), tcpwhy_table(tcpwhy, path)
            files += 1
            connections += len(ours)
            found, known = differences(theirs, ours), LEDGER_DIFFERS.get(path.name, set())
            if found != known:
                failed += 1
                print(f"{path}: differs in {sorted(found) or 'nothing'}, and should in {sorted(known) or 'nothing'}")
    print(f"{files} captures, {connections} connections, {failed} captures not as expected")
    if not files:
        sys.exit("no captures there")
    return 1 if failed else 0


if len(sys.argv) < 3:
    sys.exit(__doc__)
sys.exit(main(*sys.argv[1:]))
