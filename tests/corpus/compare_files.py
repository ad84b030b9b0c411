#!/usr/bin/env python3
"""Holds tcpwhy's reading of capture files to libpcap's: every packet's time, lengths, link type and bytes.

    compare_files.py DUMP FOLDER [--index INDEX.tsv] [--expected DIFFERENCES.tsv] [--partial] [--list]

DUMP is the built savefile_dump; every file in FOLDER but the texts about it is read. A file passes when

  - libpcap reads it to its end, and we give the very same packets and find no damage; or
  - libpcap stops in it, and all that it gave before that comes from us first, and we report damage as well; or
  - libpcap refuses it, and so do we; and
  - the number of packets is the one that tshark counts, where --index has a row that calls the file sound;
  - or DIFFERENCES.tsv has a row for it: path, what is seen, the reason.

And through a pipe, plain and packed with gzip, it has to read just as it does as a file.

A row that is not needed (any more), or is of a file that is not there, is a failure too; with --partial FOLDER holds some of the files only.
No file may take more than a second, or more than 256 MiB of address space. Exit status: 0 all passed.
"""

import argparse
import gzip
import os
import re
import resource
import subprocess
import sys

TEXTS = ("INDEX.tsv", "README.md", "SOURCES.tsv", "DIFFERENCES.tsv", "TESTLIST")
MEMORY_BYTES = 256 << 20
SECONDS = 1


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


class Reading:
    def __init__(self, command, limited=True, piped=b""):
        done = subprocess.run(command, input=piped, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20, check=False,
                              preexec_fn=limit if limited else None)
        lines = done.stdout.decode("utf-8", "replace").splitlines()
        self.packets = [line for line in lines if line.startswith("packet ")]
        self.words = [line for line in lines if line.startswith(("damage ", "refused "))]
        if done.returncode not in (0, 1, 3):
            self.kind = f"crashed ({done.returncode})"
            self.words = [done.stderr.decode("utf-8", "replace")[-600:]]
        else:
            self.kind = {0: "whole", 1: "damaged", 3: "refused"}[done.returncode]

    def __str__(self):
        return "refused" if self.kind == "refused" else f"{len(self.packets)} {self.kind}"



def fields(line):
    return dict(word.split("=") for word in line.split() if "=" in word)


def difference(ours, theirs, counted):
    """What is seen, and whether it is as it should be without a reason."""
    seen = f"ours {ours}, libpcap {theirs}"
    both = list(zip(ours.packets, theirs.packets))
    wrong = sorted({name for one, other in both if one != other for name, value in fields(one).items() if fields(other)[name] != value})
    if wrong:
        seen += ", other " + " ".join(wrong)
    if counted is not None and counted != len(ours.packets):
        return seen + f", tshark {counted}", False
    if theirs.kind == "damaged":
        return seen, ours.kind == "damaged" and not wrong and len(ours.packets) >= len(theirs.packets)
    return seen, ours.kind == theirs.kind and not wrong and len(ours.packets) == len(theirs.packets)


def table(path):
    with open(path, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if line.strip() and not line.startswith("#")]
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dump")
    parser.add_argument("folder")
    parser.add_argument("--index")
    parser.add_argument("--expected")
    parser.add_argument("--list", action="store_true", help="print every difference as a row for DIFFERENCES.tsv")
    parser.add_argument("--partial", action="store_true", help="DIFFERENCES.tsv may speak of files that are not there")
    parser.add_argument("--sanitized", action="store_true", help="savefile_dump is built with a sanitizer: no limits")
    arguments = parser.parse_args()
    expected = {row[0]: row for row in table(arguments.expected)} if arguments.expected else {}
    index = {row[0]: row for row in table(arguments.index)[1:]} if arguments.index else {}
    paths = sorted(os.path.relpath(os.path.join(folder, name), arguments.folder)
                   for folder, _, names in os.walk(arguments.folder) for name in names if name not in TEXTS)
    failures, counted, differing = [], 0, 0
    if not paths:
        sys.exit(f"compare_files.py: there is no file in {arguments.folder}")
    for path in paths:
        full = os.path.join(arguments.folder, path)
        ours, theirs = Reading([arguments.dump, full], not arguments.sanitized), Reading([arguments.dump, "--libpcap", full], False)
        if "crashed" in ours.kind:
            failures.append(f"{path}: {ours.kind}: {ours.words}")
            continue
        with open(full, "rb") as file:
            content = file.read()
        for how, piped in (("a pipe", content), ("a pipe, packed", gzip.compress(content, 1))):
            again = Reading([arguments.dump, "-"], not arguments.sanitized, piped)
            if (again.kind, again.packets) != (ours.kind, ours.packets):
                failures.append(f"{path}: as a file {ours}, through {how} {again}: {again.words}")
        row = index.get(path)
        # Columns of the index: path, type, link type, packets, TCP packets, TCP connections, malformed.
        count = int(row[3]) if row and row[6] != "yes" else None
        counted += count is not None
        seen, fine = difference(ours, theirs, count)
        if fine:
            if path in expected:
                failures.append(f"{path}: DIFFERENCES.tsv expects a difference, and there is none ({seen})")
            continue
        differing += 1
        if arguments.list:
            print(f"{path}\t{seen}\t{theirs.words} {ours.words}")
        elif path not in expected:
            failures.append(f"{path}: {seen}: {theirs.words} {ours.words}")
        elif expected[path][1] != seen:
            failures.append(f"{path}: DIFFERENCES.tsv says '{expected[path][1]}', and this is seen: '{seen}'")
    for path in expected:
        if path not in paths and not arguments.partial:
            failures.append(f"{path}: in DIFFERENCES.tsv, and not in {arguments.folder}")
    for failure in failures:
        print(failure)
    if failures:
        sys.exit(f"compare_files.py: {len(failures)} failures in {len(paths)} files")
    print(f"{len(paths)} files: {len(paths) - differing} as libpcap reads them, {differing} differ for the written reasons; "
          f"{counted} also counted by tshark")


main()
