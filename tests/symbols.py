#!/usr/bin/env python3
"""No two libraries of ours define a function or an object of one name: the linker would take either, without a word.

    tests/symbols.py BUILD         looks at all static libraries below BUILD; exit status 1 and a line for each name that is there twice
    tests/symbols.py --self-test   proves that it can find one
"""

import collections
import pathlib
import re
import subprocess
import sys


def doubled(listing):
    """Names that are defined in more than one archive of this `nm -A` listing, with the archives."""
    where = collections.defaultdict(set)
    for line in listing.splitlines():
        match = re.match(r"(?:.*/)?(lib[^/:]+\.a):[^:]*:[0-9a-f]+ [TDBRC] (\S+)$", line)
        if match:
            where[match.group(2)].add(match.group(1))
    return {name: sorted(archives) for name, archives in where.items() if len(archives) > 1}


def self_test():
    listing = "x/liba.a:a.c.o:0000000000000000 T both\nlibb.a:b.c.o:0000000000000010 T both\nlibb.a:b.c.o:0000000000000020 T one\n" \
              "liba.a:a.c.o:0000000000000000 t hidden\nlibb.a:b.c.o:0000000000000000 t hidden\nliba.a:a.c.o:                 U one\n"
    assert doubled(listing) == {"both": ["liba.a", "libb.a"]}, doubled(listing)


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    archives = sorted(path for path in pathlib.Path(sys.argv[1]).rglob("libtcpwhy_*.a"))
    if len(archives) < 10:
        print(f"only {len(archives)} libraries below {sys.argv[1]}: was it built?")
        return 1
    listing = subprocess.run(["nm", "-A", "-g", "--defined-only", *archives], capture_output=True, text=True, check=True).stdout
    found = doubled(listing)
    for name, places in sorted(found.items()):
        print(f"{name} is defined in {' and in '.join(places)}")
    print(f"{len(archives)} libraries, {len(found)} names twice")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
