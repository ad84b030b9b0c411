#!/usr/bin/env python3
"""What reading large captures costs, side by side, in turns, medians and ratios.

    bench/read.py [BUILD [FOLDER]] [--rounds N] [--size] [--open] [--hard] [--overlap]

BUILD (default: build/, else build-dev/) is a build folder with tcpwhy, bench_make_capture and bench_loop_pcap in it (cmake --build BUILD --target tcpwhy
bench_make_capture bench_loop_pcap; a release build). Captures are made in FOLDER (default: bench-captures in BUILD; some gigabytes)
where they are not there yet. Without an option, first 9 million packets of 900,000 connections, read by a bare libpcap loop,
by tcpdump writing them to /dev/null, and by tcpwhy read as a list, as its totals, and as Zeek's conn.log; each on one core, and the
list and the conn.log on two as well (where the rows are written by a second thread); then the hard mix: 10 million packets of a million
connections, 500,000 of them open at once, each segment that of one chosen at random, and the bytes that an open connection takes. --hard:
that alone. Last, 60,000 overlapping segments of one connection, as a list and as a story, beside the loop and tshark. --overlap: that alone.
--size: from 10^5 to 10^7 packets, on one core and on two. --open: from 10 to 10^6 connections open at once, with the bytes that each
takes.

It needs time(1), taskset(1), tcpdump(8) and tshark(1). Times are the CPU's (user and system) beside the clock's: on a machine that does other things too, the CPU's say more.
"""

import argparse
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import time

import built
import hard as trouble

MAKE = "bench/bench_make_capture"


def cores(count):
    return ",".join(map(str, sorted(os.sched_getaffinity(0))[:count]))


def measure(count, command):
    """On `count` cores: seconds by the clock, seconds of CPU, largest memory in bytes. time(1) stands between, so that its small process is what forks."""
    run = ["/usr/bin/time", "-q", "-f", "%M", "-o", "/dev/fd/2", "taskset", "-c", cores(count), *map(str, command)]
    begin, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.run(run, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    clock, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit status {process.returncode}: {process.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return clock, cpu, int(process.stderr.splitlines()[-1]) * 1024


def compare(commands, rounds):
    """Runs all in turns; `commands` are {name: (cores, command)}, the result {name: (clock, cpu, memory)} as medians."""
    seen = {name: [] for name in commands}
    for _ in range(rounds):
        for name, (count, command) in commands.items():
            seen[name].append(measure(count, command))
    return {name: tuple(statistics.median(run[i] for run in runs) for i in range(3)) for name, runs in seen.items()}


def capture(tools, folder, connections, at_once, *mix):
    path = folder / f"{'-'.join(map(str, (connections, at_once, *mix)))}.pcap"
    if not path.exists():
        partial = path.with_suffix(".partial")
        command = [tools["make"], partial, connections, at_once, *mix]
        subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
        partial.rename(path)
    with open(path, "rb") as file: # into the page cache: the disk is not what is measured
        while file.read(1 << 24):
            pass
    return path


def show(medians, base):
    print(f"{'':24}{'clock s':>9}{'ratio':>7}{'CPU s':>9}{'ratio':>7}{'memory MB':>11}")
    for name, (clock, cpu, memory) in medians.items():
        print(f"{name:24}{clock:9.2f}{clock / medians[base][0]:7.2f}{cpu:9.2f}{cpu / medians[base][1]:7.2f}{memory / 1e6:11.1f}")


def repeated(tools, folder, rounds):
    path = capture(tools, folder, 900000, 1000)
    print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB, 9,000,000 packets, 900,000 connections; medians of {rounds} rounds")
    if not shutil.which("tcpdump"):
        sys.exit("tcpdump(8) is missing")
    show(compare({
        "libpcap loop": (1, [tools["loop"], path]),
        "tcpdump -r -w /dev/null": (1, ["tcpdump", "-r", path, "-w", "/dev/null"]),
        "tcpwhy read": (1, [tools["tcpwhy"], "read", path]),
        "  on two cores": (2, [tools["tcpwhy"], "read", path]),
        "tcpwhy read --summary": (1, [tools["tcpwhy"], "read", "--summary", path]),
        "tcpwhy read, zeek": (1, [tools["tcpwhy"], "read", "--format", "zeek", path]),
        "  zeek on two cores": (2, [tools["tcpwhy"], "read", "--format", "zeek", path]),
    }, rounds), "libpcap loop")


def hard(tools, folder, rounds):
    """500,000 open at once; what one takes tells a capture of no more than those."""
    path = capture(tools, folder, 10**6, 500000, 100000, "shuffled")
    alone = capture(tools, folder, 500000, 500000, 100000, "shuffled")
    few = capture(tools, folder, 1000, 1000, 100000, "shuffled")
    print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB, 10,000,000 packets, 1,000,000 connections; medians of {rounds} rounds")
    show(compare({
        "libpcap loop": (1, [tools["loop"], path]),
        "tcpwhy read": (1, [tools["tcpwhy"], "read", path]),
        "  on two cores": (2, [tools["tcpwhy"], "read", path]),
    }, rounds), "libpcap loop")
    memory = [measure(1, [tools["tcpwhy"], "read", each])[2] for each in (few, alone)]
    print(f"{(memory[1] - memory[0]) / 499000:.0f} bytes an open connection")


def overlap(tools, folder, rounds):
    """What a story costs where each segment lies across others."""
    path = trouble.make(folder, trouble.overlapping, 60000)
    print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB, 60,003 packets of one connection; medians of {rounds} rounds")
    if not shutil.which("tshark"):
        sys.exit("tshark(1) is missing")
    show(compare({
        "libpcap loop": (1, [tools["loop"], path]),
        "tcpwhy read": (1, [tools["tcpwhy"], "read", "-q", path]),
        "tcpwhy read --conn 1": (1, [tools["tcpwhy"], "read", "-q", "--conn", "1", path]),
        "tshark -r": (1, ["tshark", "-r", path]),
    }, rounds), "tshark -r")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build", type=pathlib.Path, nargs="?")
    parser.add_argument("folder", type=pathlib.Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", action="store_true")
    parser.add_argument("--open", action="store_true")
    parser.add_argument("--hard", action="store_true")
    parser.add_argument("--overlap", action="store_true")
    arguments = parser.parse_args()
    build = arguments.build or pathlib.Path(built.find(what=MAKE)).parents[1]
    tools = {"make": built.find(build / MAKE), "loop": built.find(build / "bench/bench_loop_pcap"), "tcpwhy": built.find(build / built.TCPWHY)}
    folder = arguments.folder or build / "bench-captures"
    folder.mkdir(parents=True, exist_ok=True)
    if arguments.size:
        print("packets    loop CPU s  list CPU s  ratio  ns a packet  memory MB  clock s: loop   list   list on two cores")
        for connections in (10**4, 10**5, 10**6):
            path = capture(tools, folder, connections, 1000)
            read = [tools["tcpwhy"], "read", path]
            medians = compare({"loop": (1, [tools["loop"], path]), "list": (1, read), "two": (2, read)}, arguments.rounds)
            (loop_clock, loop, _), (clock, cpu, memory), (two_clock, _, _) = medians["loop"], medians["list"], medians["two"]
            print(
                f"{connections * 10:<11}{loop:10.3f}{cpu:12.3f}{cpu / loop:7.2f}{cpu / connections * 1e8:13.1f}{memory / 1e6:11.1f}"
                f"{loop_clock:15.3f}{clock:7.3f}{two_clock:8.3f}"
            )
    if arguments.open:
        print("at once    CPU s  ns a packet  memory MB  bytes a connection over the first")
        first = None
        for at_once in (10, 10**3, 10**5, 10**6):
            path = capture(tools, folder, 10**6, at_once)
            _, cpu, memory = compare({"list": (1, [tools["tcpwhy"], "read", path])}, arguments.rounds)["list"]
            first = first or memory
            each = (memory - first) / at_once if at_once > 10 else 0
            print(f"{at_once:<11}{cpu:5.2f}{cpu * 100:13.1f}{memory / 1e6:11.1f}{each:12.0f}")
    chosen = arguments.size or arguments.open or arguments.hard or arguments.overlap
    if not chosen:
        repeated(tools, folder, arguments.rounds)
    if arguments.hard or not chosen:
        hard(tools, folder, arguments.rounds)
    if arguments.overlap or not chosen:
        overlap(tools, folder, arguments.rounds)


main()
