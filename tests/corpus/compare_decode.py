#!/usr/bin/env python3
"""Holds what tcpwhy decodes of every packet to what tshark decodes of it.

    compare_decode.py [--known FILE] [--truth FILE | --write-truth FILE] [--verbose] DECODE_DUMP CAPTURE|DIRECTORY…

DECODE_DUMP is the program built from tests/support/decode_dump.c. For each packet, addresses, ports, flags (12 bits, with AE),
sequence and acknowledgment numbers, window and payload length of its TCP segment are compared; with tunnels, of the innermost
one. That only one of both sees a TCP segment is a disagreement too.

--known names a file of disagreements that are understood: lines "PATH<tab>PACKET<tab>WHAT" (DISAGREEMENTS.tsv; DISAGREEMENTS.md explains
them). PATH is an ending of the capture's path. --write-truth stores what tshark says, and --truth compares with what was stored, so that no
tshark is needed. Exit status 0: every disagreement is known, and every known one was seen where its file was compared; 1: not so;
2: wrong usage, or nothing to compare; 77: there is no tshark here.
"""

import argparse
import os
import shutil
import subprocess
import sys

# Sequence numbers as on the wire, and every packet by itself: nothing put together from several.
PREFERENCES = [
    "tcp.relative_sequence_numbers:FALSE", "tcp.desegment_tcp_streams:FALSE", "ip.defragment:FALSE", "ipv6.defragment:FALSE",
    "wlan.defragment:FALSE", "tcp.analyze_sequence_numbers:FALSE",
]
FIELDS = [
    "frame.number", "frame.protocols", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport", "tcp.dstport", "tcp.flags",
    "tcp.seq_raw", "tcp.ack_raw", "tcp.window_size_value", "tcp.len",
]
NAMES = ["src", "sport", "dst", "dport", "flags", "seq", "ack", "window", "length"]


def mapped(address):
    """tcpwhy folds v4-mapped addresses to IPv4."""
    return address[7:] if address.startswith("::ffff:") and "." in address else address


def theirs(path):
    """tshark's view: {packet: {name: value} or None where there is no TCP segment}."""
    command = ["tshark", "-n", "-r", path, "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=|", "-E", "separator=/t"]
    for preference in PREFERENCES:
        command += ["-o", preference]
    for field in FIELDS:
        command += ["-e", field]
    # A dissector of some application's data may take long or abort; what it printed before is compared.
    output = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120).stdout.decode(errors="replace")
    packets = {}
    for line in output.splitlines():
        columns = line.split("\t")
        if len(columns) != len(FIELDS) or not columns[0].isdigit():
            continue
        row = dict(zip(FIELDS, columns))
        protocols = row["frame.protocols"].split(":")
        packets[int(row["frame.number"])] = tcp_of(row, protocols)
    return packets


def tcp_of(row, protocols):
    """The segment that the packet itself carries: the first one named in its protocols. (Payload may quote whole packets.)"""
    if "tcp" not in protocols:
        return None
    before = protocols[:protocols.index("tcp")]
    carriers = [protocol for protocol in before if protocol in ("ip", "ipv6")]
    # Not what an ICMP error quotes, nor what a report about packets contains.
    if not carriers or {"icmp", "icmpv6", "sflow", "openflow"} & set(before):
        return None

    def nth(field, index=0):
        values = row[field].split("|")
        return values[index] if index < len(values) and values[index] != "[]" else ""

    version = carriers[-1]
    depth = carriers.count(version) - 1
    flags = nth("tcp.flags")
    return {
        "src": mapped(nth(version + ".src", depth)), "dst": mapped(nth(version + ".dst", depth)), "sport": nth("tcp.srcport"),
        "dport": nth("tcp.dstport"), "flags": str(int(flags, 16)) if flags else "", "seq": nth("tcp.seq_raw"),
        "ack": nth("tcp.ack_raw"), "window": nth("tcp.window_size_value"), "length": nth("tcp.len"),
    }


def ours(program, path):
    """tcpwhy's view: {packet: ({name: value} or None, result word)}."""
    run = subprocess.run([program, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    if run.returncode not in (0, 1, 2):
        raise SystemExit(f"{program} {path} ended with {run.returncode}: {run.stderr.decode(errors='replace')}")
    packets = {}
    for line in run.stdout.decode(errors="replace").splitlines():
        columns = line.split("\t")
        if columns[0] == "error":
            continue
        number, _, result, protocol, src, sport, dst, dport, flags, seq, ack, window, length, *_ = columns
        segment = None
        if result == "read" and protocol == "6":
            segment = {"src": src, "sport": sport, "dst": dst, "dport": dport, "flags": str(int(flags, 16)), "seq": seq, "ack": ack,
                       "window": window, "length": length}
        packets[int(number)] = (segment, result)
    return packets


def compare(we, they):
    """([(packet, what) for each disagreement], how many segments were compared)"""
    found = []
    segments = 0
    for number in sorted(set(we) | set(they)):
        if number not in we or number not in they:
            # Only where both readers got this far can the decoding be compared: reading files is not its business.
            continue
        (mine, result), other = we[number], they[number]
        if mine is None and other is None:
            continue
        segments += 1
        if mine is None:
            found.append((number, f"only tshark sees a segment ({result})"))
        elif other is None:
            found.append((number, "only tcpwhy sees a segment"))
        else:
            # A field that tshark leaves empty (a header that was cut) is not compared.
            differing = [name for name in NAMES if other[name] != "" and other[name] != mine[name]]
            if differing:
                found.append((number, ", ".join(f"{name} {mine[name]} for tshark's {other[name]}" for name in differing)))
    return found, segments


def captures(arguments):
    for argument in arguments:
        if os.path.isfile(argument):
            yield argument
        for folder, _, files in sorted(os.walk(argument)):
            for name in sorted(files):
                if not name.endswith((".md", ".tsv", ".txt")):
                    yield os.path.join(folder, name)


def write_truth(path, truth):
    with open(path, "w", encoding="utf-8") as file:
        file.write("# What tshark says of the packets beside: capture, packet, then " + ", ".join(NAMES) + "; - where it sees no TCP.\n")
        file.write("# Written by compare_decode.py --write-truth.\n")
        for name in sorted(truth):
            for number in sorted(truth[name]):
                segment = truth[name][number]
                file.write("\t".join([name, str(number)] + ([segment[key] for key in NAMES] if segment else ["-"])) + "\n")


def read_truth(path):
    truth = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            if not line.startswith("#"):
                name, number, *values = line.rstrip("\n").split("\t")
                truth.setdefault(name, {})[int(number)] = None if values == ["-"] else dict(zip(NAMES, values))
    return truth


def read_known(path):
    known = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                ending, number, what = line.rstrip("\n").split("\t", 2)
                known.setdefault(ending, {})[int(number)] = what
    return known


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("captures", nargs="+")
    parser.add_argument("--known")
    parser.add_argument("--truth")
    parser.add_argument("--write-truth")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    if not arguments.truth and not shutil.which("tshark"):
        print("compare_decode: there is no tshark here")
        return 77
    known = read_known(arguments.known) if arguments.known else {}
    stored = read_truth(arguments.truth) if arguments.truth else None
    truth = {}
    files = packets = segments = understood = 0
    wrong = []
    for path in captures(arguments.captures):
        name = os.path.basename(path)
        we = ours(arguments.program, path)
        they = theirs(path) if stored is None else stored.get(name, {})
        truth[name] = they
        if stored is not None and set(we) != set(they):
            wrong.append(f"{path}\t0\t{len(we)} packets, the stored truth has {len(they)}: --write-truth is due")
        found, compared = compare(we, they)
        files, packets, segments = files + 1, packets + len(we), segments + compared
        expected = next((rows for ending, rows in known.items() if path.endswith("/" + ending)), {})
        for number, what in found:
            if expected.get(number) == what:
                understood += 1
            else:
                wrong.append(f"{path}\t{number}\t{what}")
        for number in sorted(set(expected) - {number for number, _ in found}):
            wrong.append(f"{path}\t{number}\tknown, but not seen any more: {expected[number]}")
        if arguments.verbose:
            print(f"{path}: {len(we)} packets, {compared} segments, {len(found)} disagreements", file=sys.stderr)
    for line in wrong:
        print(line)
    print(f"{files} captures, {packets} packets, {segments} segments compared: {understood} disagreements understood, "
          f"{len(wrong)} not", file=sys.stderr)
    if files == 0:
        print("compare_decode: there is nothing to compare", file=sys.stderr)
        return 2
    if arguments.write_truth:
        write_truth(arguments.write_truth, truth)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
