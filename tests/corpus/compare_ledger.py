#!/usr/bin/env python3
"""Holds the table of connections to tshark's conversations: numbers, segments, retransmissions, disorder, keep-alives, zero windows,
completeness and the handshake's round trip of every connection of every capture below a folder.

    compare_ledger.py [--list] [--partial] [--ask] TCPWHY FOLDER…
    compare_ledger.py --store FOLDER…

LEDGER.tsv holds every difference, with both values and the kind of reason that DISAGREEMENTS.md explains. A difference that is not
there fails, and so does a row that is not seen where its capture is, or that names a reason nobody wrote. --list prints the rows;
with --partial the rows may speak of captures that are not there.

What tshark says stands in TSHARK.tsv, by a capture's SHA-256, for to begin tshark 366 times takes minutes. --store writes it anew; a capture
that is not in it is asked for. With --ask the file is held to the tshark that is here: every capture where that is another version than the
one that the file names, and every tenth where it is the same, for the same program says the same of the same bytes.
"""

import collections
import concurrent.futures
import csv
import hashlib
import pathlib
import re
import subprocess
import sys

FIELDS = ["tcp.stream", "tcp.completeness", "tcp.analysis.retransmission", "tcp.analysis.out_of_order", "tcp.analysis.keep_alive",
          "tcp.analysis.zero_window", "tcp.analysis.initial_rtt"]
COUNTS = ["segments", "retransmissions", "out_of_order", "keep_alives", "zero_windows"]

HERE = pathlib.Path(__file__).resolve().parent
STORED = HERE / "TSHARK.tsv"
COLUMNS = [*COUNTS, "completeness", "handshake"]


def captures(folder):
    return [path for path in sorted(pathlib.Path(folder).rglob("*")) if path.is_file() and path.suffix not in (".tsv", ".md", ".py", ".txt")]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def store(*folders):
    """Writes what tshark says of every capture below these folders; a row a connection, and one for a capture that has none."""
    paths = [path for folder in folders for path in captures(folder)]
    rows = set()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for path, table in zip(paths, pool.map(tshark_table, paths)):
            for number, row in table.items() or [("-", {})]:
                rows.add((path.name, digest(path), str(number), *(str(row[name]) if name in row else "-" for name in COLUMNS)))
    lines = [f"# What {version()} says: {', '.join(['capture', 'SHA-256', 'conversation', *COLUMNS])}", *("\t".join(row) for row in sorted(rows))]
    STORED.write_text("\n".join(lines) + "\n", encoding="utf-8")


def version():
    return subprocess.run(["tshark", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]


def asked_anew():
    """Of how many captures one is asked for although what tshark says of it is stored."""
    return 10 if STORED.read_text(encoding="utf-8").startswith(f"# What {version()} says") else 1


def stored_tables():
    """{digest: {conversation: row}}"""
    tables = collections.defaultdict(dict)
    for line in STORED.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        _, key, number, *values = line.split("\t")
        table = tables[key]
        if number != "-":
            table[int(number)] = collections.Counter({name: int(value) for name, value in zip(COLUMNS, values) if value != "-"})
    return tables


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
        if not line["conn"].isdigit():  # UDP
            continue
        row = {name: int(line["client_" + name]) + int(line["server_" + name]) for name in COUNTS}
        row["completeness"] = int(line["completeness"])
        row["handshake"] = int(line["handshake_ns"] or -1)
        table[int(line["conn"]) - 1] = row
    return table


def differences(theirs, ours):
    """{(connection or "-", what): (tshark's, tcpwhy's)}"""
    if theirs.keys() != ours.keys():
        return {("-", "connections"): (str(len(theirs)), str(len(ours)))}
    found = {}
    for number, row in theirs.items():
        mine = ours[number]
        compared = list(COUNTS)
        # tshark shows what a conversation's only segment adds to no other segment.
        if row["segments"] > 1:
            compared.append("completeness")
        # A SYN that is refused has a round trip for tshark; here only a handshake has.
        if "handshake" in row and mine["handshake"] >= 0:
            compared.append("handshake")
        for what in compared:
            if row[what] != mine[what]:
                found[(str(number + 1), what)] = (str(row[what]), str(mine[what]))
    return found


def known_differences():
    """{capture: {(connection, what): (tshark's, tcpwhy's)}}; each with a reason that is written down."""
    known, used = collections.defaultdict(dict), set()
    written = set(re.findall(r"^- \*\*`(.+?)`\.\*\* ", (HERE / "DISAGREEMENTS.md").read_text(encoding="utf-8"), re.MULTILINE))
    for line in (HERE / "LEDGER.tsv").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        capture, number, what, theirs, ours, reason = line.split("\t")
        known[capture][(number, what)] = (theirs, ours)
        used.add(reason)
    if used != written:
        sys.exit(f"reasons in only one of LEDGER.tsv and DISAGREEMENTS.md: {', '.join(sorted(used ^ written))}")
    return known


def main(tcpwhy, *folders, listed=False, partial=False, asks=False):
    stored = stored_tables()
    failures, connections, files, understood, known, seen = [], 0, 0, 0, known_differences(), set()
    every = asked_anew() if asks else 0
    for folder in folders:
        for path in captures(folder):
            name, ours, key = path.relative_to(folder).as_posix(), tcpwhy_table(tcpwhy, path), digest(path)
            asked = key not in stored or every and int(key, 16) % every == 0
            theirs = tshark_table(path) if asked else stored[key]
            if key in stored and stored[key] != theirs:
                failures.append(f"{name}: this tshark says something else than TSHARK.tsv (--store)")
            found, expected = differences(theirs, ours), known.get(name, {})
            seen.add(name)
            files += 1
            connections += len(ours)
            for key in sorted(found.keys() | expected.keys()):
                if listed and key in found:
                    print(name, *key, *found[key], sep="\t")
                if found.get(key) == expected.get(key):
                    understood += 1
                else:
                    failures.append(f"{name}: connection {key[0]}: {key[1]}: tshark's and tcpwhy's {found.get(key, 'are the same')}, "
                                    f"LEDGER.tsv has {expected.get(key, 'no such row')}")
    if not partial:
        failures += [f"{name}: in LEDGER.tsv, and no such capture" for name in sorted(known.keys() - seen)]
    for failure in failures:
        print(failure)
    print(f"{files} captures, {connections} connections, {understood} differences understood, {len(failures)} not")
    if not files:
        sys.exit("no captures there")
    return 1 if failures else 0


words = [word for word in sys.argv[1:] if not word.startswith("--")]
if "--store" in sys.argv:
    sys.exit(store(*words))
if len(words) < 2:
    sys.exit(__doc__)
sys.exit(main(*words, listed="--list" in sys.argv, partial="--partial" in sys.argv, asks="--ask" in sys.argv))
