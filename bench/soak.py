#!/usr/bin/env python3
"""Does a run without end stay as it is? Short connections over loopback for minutes: under `tcpwhy run` with the bpf recorder, then under
`tcpwhy watch`.

    bench/soak.py [--minutes N] [--rate N] [--only run|watch] [--program FILE] [--load FILE]

A load (bench/rounds.c: connect, echo, close) makes --rate connections a second (400) for --minutes (10) under each. Printed each minute: the
memory of tcpwhy (VmRSS of its processes), how many connections it has told. At the end: what was lost or dropped, how many were told of those
that the load made, what was summed up beside what the load did, and whether memory was flat from minute 2 on (of a shorter soak: from the middle on): no later sample more than 5 % and
2 MiB above the largest of the 30 seconds around that moment. Exit status 1 where it was not, or a connection was told twice or not at all, or something was
lost that nobody said. Needs root; makes traffic on 127.0.0.1 alone."""

import argparse
import collections
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import built

SAMPLE_S, AROUND_S = 5, 15
SLACK, SLACK_MIB = 1.05, 2


def children(pid):
    try:
        return [int(word) for word in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def memory_mib(pid, program):
    """Of the process and those of its descendants that are the same program."""
    try:
        if not pathlib.Path(f"/proc/{pid}/exe").samefile(program):
            return 0
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    own = [int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("VmRSS")]
    return sum(own) + sum(memory_mib(child, program) for child in children(pid))


class Reader(threading.Thread):
    """Counts what comes, and keeps the last line alone."""

    def __init__(self, stream, mark):
        super().__init__(daemon=True)
        self.outcomes, self.bytes = collections.Counter(), [0, 0]
        self.stream, self.mark, self.told, self.numbers, self.twice, self.last = stream, mark, 0, set(), 0, b""
        self.start()

    def run(self):
        for line in self.stream:
            if line.startswith(self.mark):
                self.told += 1
                head = json.loads(line)
                number = head["conn"]
                self.outcomes[head["outcome"]] += 1
                self.bytes = [sum(pair) for pair in zip(self.bytes, (head["client"]["bytes"], head["server"]["bytes"]))]
                self.twice += number in self.numbers
                self.numbers.add(number)
            self.last = line


def sampled(process, reader, options, until):
    """(seconds, MiB) until the load is over."""
    began, samples = time.monotonic(), []
    next_minute = 60
    while until():
        time.sleep(SAMPLE_S)
        if not until():
            break  # what it does when the load is over is another matter
        passed = time.monotonic() - began
        samples.append((passed, memory_mib(process.pid, options.program)))
        if passed >= next_minute:
            print(f"{passed / 60:7.1f} min  {samples[-1][1]:7.1f} MiB  {reader.told:8} connections told", flush=True)
            next_minute += 60
    return [sample for sample in samples if sample[1]]


def flat(samples, minutes):
    """What is wrong with the samples, or None; and prints how they went."""
    start = min(120, minutes * 30)
    around = [mib for t, mib in samples if abs(t - start) <= AROUND_S]
    later = [mib for t, mib in samples if t > start + AROUND_S]
    if not around or not later:
        return "too short to say whether memory was flat"
    most, bound = max(later), max(max(around) * SLACK, max(around) + SLACK_MIB)
    print(f"memory: {max(around):.1f} MiB around {start:.0f} s, {min(later):.1f} to {most:.1f} MiB after that (at most {bound:.1f} is flat)")
    return None if most <= bound else f"memory grew from {max(around):.1f} to {most:.1f} MiB"


def totals_wrong(count, connections, outcomes, sent):
    """What of the sums is not the load's, or None: each of its connections carries 8 bytes each way and is closed."""
    print(f"sums: {connections} connections, {outcomes}, bytes {sent}; the load made {count}, with {8 * count} bytes each way")
    right = connections == count and outcomes == {"closed": count} and sent == [8 * count] * 2
    return None if right else "the sums are not the load's"


def under_run(options, count):
    """tcpwhy run with the load as its command."""
    command = [options.program, "run", "-q", "--recorder", "bpf", "--format", "jsonl", "--out-fd", "1", "--", options.load, str(count), str(options.rate)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    reader = Reader(process.stdout, b'{"type":"connection"')
    def working():
        try:
            return any(pathlib.Path(f"/proc/{child}/comm").read_text().strip() == options.load.name for child in children(process.pid))
        except OSError:
            return False

    while process.poll() is None and not working():  # it stands at its gate until the recorder looks
        time.sleep(0.05)
    samples = sampled(process, reader, options, lambda: process.poll() is None and working())
    began = time.monotonic()
    error = process.stderr.read().decode()
    process.wait()
    reader.join()
    print(f"told {time.monotonic() - began:.1f} s after the load's end")
    summary = json.loads(reader.last)
    print(f"lost {summary['lost']}, dropped {summary['dropped']}; told {reader.told} of {count}")
    wrong = [flat(samples, options.minutes), totals_wrong(count, summary["connections"], dict(reader.outcomes), reader.bytes)]
    if reader.told != count or reader.twice:
        said = summary["lost"] or summary["dropped"]
        wrong.append(None if said and not reader.twice else f"{reader.told} told of {count}, {reader.twice} twice; and nothing says that something was lost")
    if process.returncode:
        wrong.append(f"status {process.returncode}: {error[-500:]}")
    return wrong


def under_watch(options, count):
    """tcpwhy watch beside the load."""
    command = [options.program, "watch", "--comm", options.load.name, "--format", "jsonl"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    reader = Reader(process.stdout, b'{"type":"ended"')
    time.sleep(2)
    work = subprocess.Popen([options.load, str(count), str(options.rate)], stdout=subprocess.DEVNULL)
    samples = sampled(process, reader, options, lambda: work.poll() is None)
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    error = process.stderr.read().decode()
    process.wait()
    reader.join()
    print(f"{error.strip()}\ntold {reader.told} of {count}")
    totals = json.loads(reader.last)
    wrong = [flat(samples, options.minutes),
             totals_wrong(count, totals["connections"], totals["outcomes"], [totals["client_bytes"], totals["server_bytes"]])]
    if reader.told != count or reader.twice:
        wrong.append(f"{reader.told} told of {count}, {reader.twice} twice" if "nothing" in error or reader.twice else None)
    if work.returncode:
        wrong.append(f"the load failed: {work.returncode}")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=int, default=400)
    parser.add_argument("--only", choices=("run", "watch"))
    parser.add_argument("--program", help="default: the tcpwhy of build/, or of build-dev/")
    parser.add_argument("--load", help="the program that makes the connections; default: bench/rounds of the same")
    options = parser.parse_args()
    built.need_root()
    options.program, options.load = built.find(options.program), built.find(options.load, built.ROUNDS)
    count, status = int(options.minutes * 60 * options.rate), 0
    folder = tempfile.TemporaryDirectory()
    options.load = pathlib.Path(shutil.copy(options.load, pathlib.Path(folder.name) / "soak-load"))  # a name that nobody else has
    for name, under in (("run", under_run), ("watch", under_watch)):
        if options.only not in (None, name):
            continue
        print(f"tcpwhy {name}: {options.rate} connections a second for {options.minutes:g} minutes", flush=True)
        wrong = [what for what in under(options, count) if what]
        print("flat, and nothing lost in silence" if not wrong else "WRONG: " + "; ".join(wrong), flush=True)
        status = status or bool(wrong)
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
