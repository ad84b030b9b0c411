"""Two captures out of one stored run of two hosts: what each host's capture would have been, with a clock of its own.

    split_capture.py RUN.events A.pcap B.pcap [SECONDS [PPM]]

B's clock is ahead by SECONDS at the run's first packet, and runs faster by PPM. Times are in nanoseconds."""

import pathlib
import re
import struct
import sys


def packets(events):
    """(time, vantage, link type, length on the wire, bytes) of every packet."""
    for line in pathlib.Path(events).read_text(encoding="utf-8").splitlines():
        if line.startswith("packet "):
            fields = dict(word.split("=", 1) for word in re.findall(r"\S+=\S+", line))
            yield (int(fields["t"]), int(fields["vantage"]), int(fields["link"]), int(fields["wire"]), bytes.fromhex(fields["bytes"]))


def split(events, keep=lambda vantage, index: True, offset_ns=0, drift=0.0):
    """{1: pcap, 2: pcap}, as bytes. `keep` says which packet of which capture is in it."""
    found = list(packets(events))
    start = min(t for t, *_ in found)
    files = {1: b"", 2: b""}
    count = {1: 0, 2: 0}
    for vantage in files:
        files[vantage] = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, found[0][2])
    for t, vantage, _, wire, content in found:
        count[vantage] += 1
        if not keep(vantage, count[vantage]):
            continue
        if vantage == 2:
            t += offset_ns + round((t - start) * drift)
        files[vantage] += struct.pack("<IIII", t // 10**9, t % 10**9, len(content), wire) + content
    return files


def main():
    events, a, b, *rest = sys.argv[1:]
    offset = float(rest[0]) if rest else 0.0
    drift = float(rest[1]) if rest[1:] else 0.0
    files = split(events, offset_ns=round(offset * 10**9), drift=drift * 1e-6)
    pathlib.Path(a).write_bytes(files[1])
    pathlib.Path(b).write_bytes(files[2])


if __name__ == "__main__":
    main()
