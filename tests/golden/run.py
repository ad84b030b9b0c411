#!/usr/bin/env python3
"""Golden tests: stored events in, the very bytes of a view out.

    run.py PROGRAM               runs every row of TESTLIST; exit status 1 and a difference for each that is not as expected
    run.py --regenerate PROGRAM  writes the expected outputs anew
"""
import difflib
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def rows():
    with open(os.path.join(HERE, "TESTLIST"), encoding="utf-8") as file:
        for line in file:
            words = line.split()
            if words and not words[0].startswith("#"):
                yield words[0], words[1], words[2:]


def run(program, events, options):
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    columns = [o for o in options if o.startswith("--columns=")]
    environment["COLUMNS"] = columns[0].split("=")[1] if columns else "80"
    files = [os.path.join(HERE, "captures" if name.endswith(".pcap") else "events", name) for name in events.split("+")]
    command = [program, "read", *[o for o in options if o not in columns], *files]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=30, check=False)
    if done.returncode != 0:
        return None, f"exit status {done.returncode}: {done.stderr.decode(errors='replace')}"
    return done.stdout, ""


def main():
    arguments = sys.argv[1:]
    regenerate = arguments[:1] == ["--regenerate"]
    program = os.path.abspath(arguments[-1])
    failures = count = 0
    for name, events, options in rows():
        count += 1
        path = os.path.join(HERE, "expected", name + ".out")
        got, trouble = run(program, events, options)
        if got is None:
            print(f"FAIL {name}: {trouble}")
            failures += 1
            continue
        if regenerate:
            with open(path, "wb") as file:
                file.write(got)
            continue
        try:
            with open(path, "rb") as file:
                expected = file.read()
        except FileNotFoundError:
            expected = b""
        if got != expected:
            failures += 1
            print(f"FAIL {name}: not the stored output")
            lines = [text.decode(errors="replace").splitlines() for text in (expected, got)]
            print("\n".join(list(difflib.unified_diff(*lines, "expected", "got", lineterm=""))[:40]))
    if not count:
        print("FAIL: TESTLIST is empty")
        return 1
    print(f"{count} golden outputs{' written anew' if regenerate else ''}, {failures} {'failed' if regenerate else 'not as expected'}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
