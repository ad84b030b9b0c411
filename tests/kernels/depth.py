#!/usr/bin/env python3
"""Linux before 6.13 gives a BPF program and the functions that it calls, one under another, 512 bytes of stack together, each rounded up
to 32 (kernel/bpf/verifier.c, check_max_stack_depth); later ones may give each its own, and so does the kernel that the tests run under.

    tests/kernels/depth.py OBJECT…       a line for each program that takes more; exit status 1
    tests/kernels/depth.py --self-test OBJECT…   proves that it would find one, if there were less to be had
"""

import pathlib
import struct
import sys

LIMIT = 512
FRAME_POINTER = 10
EXECUTABLE = 4  # SHF_EXECINSTR
RELOCATIONS = 9  # SHT_REL
CALL = 10  # R_BPF_64_32
LOAD_WIDE, MOVE, ADD, CALL_OTHER = 0x18, 0xBF, 0x07, 0x85


class Object:
    def __init__(self, path):
        self.data = pathlib.Path(path).read_bytes()
        at, size, count, names = struct.unpack_from("<Q10xHHH", self.data, 0x28)
        self.sections = [struct.unpack_from("<IIQQQQIIQQ", self.data, at + i * size) for i in range(count)]
        self.names = self.sections[names]
        table = next(s for s in self.sections if s[1] == 2)
        strings = self.sections[table[6]]
        self.symbols = []  # (name, kind, section, value)
        for i in range(table[5] // 24):
            name, info, _other, section, value, _size = struct.unpack_from("<IBBHQQ", self.data, table[4] + i * 24)
            self.symbols.append((self.text(strings, name), info & 15, section, value))
        self.starts = {(section, value): name for name, kind, section, value in self.symbols if kind == 2}
        self.relocated = {}
        for section in self.sections:
            if section[1] != RELOCATIONS:
                continue
            for i in range(section[5] // 16):
                offset, info = struct.unpack_from("<QQ", self.data, section[4] + i * 16)
                if info & 0xFFFFFFFF == CALL:
                    self.relocated[section[7], offset] = self.symbols[info >> 32]
        self.frames, self.calls = {}, {}
        for number, section in enumerate(self.sections):
            if section[2] & EXECUTABLE and section[1] == 1:
                self.read_code(number, section)

    def text(self, strings, at):
        start = strings[4] + at
        return self.data[start : self.data.index(b"\0", start)].decode()

    def read_code(self, number, section):
        function, copies, at = None, set(), 0
        while at < section[5]:
            code, registers, offset, value = struct.unpack_from("<BBhi", self.data, section[4] + at)
            to, source = registers & 15, registers >> 4
            if (number, at) in self.starts:
                function, copies = self.starts[number, at], set()
                self.frames[function], self.calls[function] = 0, set()
            base = {1: source, 2: to, 3: to}.get(code & 7)
            if base == FRAME_POINTER and offset < 0:
                self.frames[function] = max(self.frames[function], -offset)
            if code == ADD and to in copies and value < 0:
                self.frames[function] = max(self.frames[function], -value)
            if code == MOVE and source == FRAME_POINTER:
                copies.add(to)
            elif code & 7 in (0, 1, 4, 7):
                copies.discard(to)
            called = self.target(number, at, value) if code == CALL_OTHER and source == 1 else None
            if called:
                self.calls[function].add(called)
            at += 16 if code == LOAD_WIDE else 8

    def target(self, number, at, value):
        """A function of the same section may be called without a relocation; one by its section, with where it begins. None: the kernel's own."""
        if (number, at) not in self.relocated:
            return self.starts[number, at + (value + 1) * 8]
        name, kind, section, begins = self.relocated[number, at]
        if not section:
            return None
        return name if kind == 2 else self.starts[section, begins + (value + 1) * 8]

    def deepest(self, function):
        """(bytes, [(function, bytes)…]) of the deepest way down."""
        below, way = max((self.deepest(called) for called in self.calls[function]), default=(0, []))
        own = (max(self.frames[function], 1) + 31) // 32 * 32
        return own + below, [(function, own), *way]


def too_deep(path, limit):
    found = Object(path)
    if len(found.frames) < 40:
        sys.exit(f"{path}: only {len(found.frames)} functions found: is it built otherwise now?")
    called = set().union(*found.calls.values())
    ways = [found.deepest(function) for function in found.frames if function not in called]
    return sorted((way for way in ways if way[0] > limit), reverse=True)


def main():
    testing = sys.argv[1:2] == ["--self-test"]
    wrong = 0
    for path in sys.argv[1 + testing :]:
        for size, way in too_deep(path, LIMIT // 2 if testing else LIMIT):
            wrong += 1
            if not testing:
                print(f"{pathlib.Path(path).name}: {size} bytes of stack, {LIMIT} are to be had: {' > '.join(f'{name} {own}' for name, own in way)}")
    return not wrong if testing else bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
