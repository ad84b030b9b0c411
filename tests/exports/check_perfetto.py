#!/usr/bin/env python3
"""Decodes what the perfetto view writes, and holds it to what Perfetto asks of a trace.

    check_perfetto.py PROGRAM                 reads each run of CASES, checks its trace, compares it, told as a tree, with the stored one
    check_perfetto.py --regenerate PROGRAM    writes the stored trees anew
    check_perfetto.py --self-test PROGRAM     proves that each check can fail: traces are spoilt and must be refused
    check_perfetto.py --print FILE            a trace as an indented tree

Needs protoc and python3-protobuf (Debian).
"""

import collections
import difflib
import os
import subprocess
import sys

import definitions

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, "..", "golden")
CASES = ["echo", "echo-ptrace", "hostile", "clients", "udp-closed", "refused", "epoll", "scene-syn-lost", "two-hosts-syn-lost",
         "scene-simultaneous-close", "calls-accept-empty", "wire-corked", "fork"]
BEGIN, END, INSTANT, COUNTER = 1, 2, 3, 4
Trace = definitions.message("perfetto.proto", "perfetto.Trace")


class Track:
    def __init__(self, descriptor):
        self.descriptor, self.events, self.children = descriptor, [], []


def name_of(track):
    d = track.descriptor
    if d.HasField("thread"):
        return f"thread {d.thread.tid} {d.thread.thread_name}"
    if d.HasField("process"):
        return f"process {d.process.pid} {d.process.process_name}"
    return ("counter " if d.HasField("counter") else "") + d.name


def check(trace):
    """Everything that is wrong with a trace, and its tracks by their ids."""
    wrong, tracks = [f"a field that is in no definition: {path}" for path in definitions.unknown_fields(trace)], {}
    for i, packet in enumerate(trace.packet):
        if packet.trusted_packet_sequence_id != 1:
            wrong.append(f"packet {i}: another sequence")
        if packet.HasField("track_descriptor"):
            d = packet.track_descriptor
            if d.parent_uuid and d.parent_uuid not in tracks:
                wrong.append(f"packet {i}: track {d.uuid} stands before its parent")
            if d.uuid not in tracks:
                tracks[d.uuid] = Track(d)
        elif packet.HasField("track_event"):
            event = packet.track_event
            if event.track_uuid not in tracks:
                wrong.append(f"packet {i}: an event on track {event.track_uuid}, which nobody announced")
                continue
            if packet.timestamp_clock_id != 1:
                wrong.append(f"packet {i}: of another clock")
            tracks[event.track_uuid].events.append((packet.timestamp, event))
    snapshots = [p.clock_snapshot for p in trace.packet if p.HasField("clock_snapshot")]
    if len(snapshots) != 1 or snapshots[0].primary_trace_clock != 1 or not trace.packet[0].HasField("clock_snapshot"):
        wrong.append("not one clock snapshot, first of all, of CLOCK_REALTIME")
    for track in tracks.values():
        if track.descriptor.parent_uuid:
            tracks[track.descriptor.parent_uuid].children.append(track)
        track.events.sort(key=lambda at: at[0])  # as Perfetto does: stable, by time
        wrong += check_nesting(track)
    return wrong + check_flows(tracks), tracks


def check_nesting(track):
    """Each end ends something, and what is inside a call ends before it does: a call's sleep, and what woke it."""
    wrong, open_slices = [], []
    for t, event in track.events:
        where = f"{name_of(track)}, {event.name!r} at {t}"
        if event.type == BEGIN:
            if "sleep" in event.categories and not (open_slices and "call" in open_slices[-1].categories):
                wrong.append(f"{where}: a sleep that is in no call")
            if "call" in event.categories and open_slices:
                wrong.append(f"{where}: a call inside of {open_slices[-1].name!r}")
            if "state" in event.categories and open_slices:
                wrong.append(f"{where}: a state inside of {open_slices[-1].name!r}")
            open_slices.append(event)
        elif event.type == END:
            if not open_slices:
                wrong.append(f"{where}: an end of nothing")
            else:
                open_slices.pop()
        elif event.type == INSTANT and "wake" in event.categories:
            if not (open_slices and "call" in open_slices[-1].categories):
                wrong.append(f"{where}: a wake-up outside of a call")
        elif event.type == COUNTER and not track.descriptor.HasField("counter"):
            wrong.append(f"{where}: a value on a track that is no counter")
    if len(open_slices) > 1 or any("sleep" in e.categories for e in open_slices):
        wrong.append(f"{name_of(track)}: {len(open_slices)} slices without an end")
    return wrong


def check_flows(tracks):
    """Each flow has one beginning and one end, and the beginning is not later."""
    starts, ends, wrong = collections.defaultdict(list), collections.defaultdict(list), []
    for track in tracks.values():
        for t, event in track.events:
            for flow in event.flow_ids:
                starts[flow].append(t)
            for flow in event.terminating_flow_ids:
                ends[flow].append(t)
    for flow in {*starts, *ends}:
        if len(starts[flow]) != 1 or len(ends[flow]) != 1:
            wrong.append(f"flow {flow}: {len(starts[flow])} beginnings, {len(ends[flow])} ends")
        elif starts[flow][0] > ends[flow][0]:
            wrong.append(f"flow {flow}: the effect stands before its cause")
    return wrong


def annotations(event):
    words = []
    for note in event.debug_annotations:
        value = note.string_value if note.HasField("string_value") else note.int_value if note.HasField("int_value") else "yes"
        words.append(f"{note.name}={value}")
    return words


def tell(tracks, zero):
    """The trace as an indented tree: tracks, and on each its slices with what is inside them."""
    lines = []

    def flows(event):
        return "".join([f" ▸{flow}" for flow in event.flow_ids] + [f" ◂{flow}" for flow in event.terminating_flow_ids])

    def tell_track(track, depth):
        lines.append("  " * depth + name_of(track))
        inner = depth + 1
        for t, event in track.events:
            at = f"{(t - zero) / 1e6:.3f}"
            if event.type == END:
                inner -= 1
                lines.append("  " * inner + f"└ {at}")
                continue
            what = f"= {event.counter_value}" if event.type == COUNTER else event.name
            sign = {BEGIN: "┌", INSTANT: "•", COUNTER: "•"}[event.type]
            lines.append("  " * inner + f"{sign} {at} {what}{flows(event)}")
            lines.extend("  " * inner + "    " + word for word in annotations(event))
            if event.callstack.frames:
                lines.append("  " * inner + "    " + " > ".join(frame.function_name for frame in event.callstack.frames))
            inner += event.type == BEGIN
        for child in sorted(track.children, key=lambda c: c.descriptor.sibling_order_rank):
            tell_track(child, depth + 1)

    for track in tracks.values():
        if not track.descriptor.parent_uuid:
            tell_track(track, 0)
    return "\n".join(lines) + "\n"


def read(program, case):
    path = os.path.join(GOLDEN, "events", case + ".events")
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    done = subprocess.run([program, "read", path, "--format", "perfetto"], env=environment, capture_output=True, timeout=30, check=True)
    return done.stdout


def told(data):
    trace = Trace.FromString(data)
    wrong, tracks = check(trace)
    return wrong, tell(tracks, trace.packet[0].clock_snapshot.clocks[0].timestamp)


def spoil(trace, how):
    events = [p for p in trace.packet if p.HasField("track_event")]
    if how == "an end too many":
        trace.packet.append(next(p for p in events if p.track_event.type == END))
    elif how == "a sleep outside of its call":
        next(p for p in events if "sleep" in p.track_event.categories).timestamp = 1
    elif how == "a flow without an end":
        del next(p for p in events if p.track_event.terminating_flow_ids).track_event.terminating_flow_ids[:]
    elif how == "a flow backwards":
        next(p for p in events if p.track_event.flow_ids and p.track_event.type == INSTANT).timestamp += 10**15
    elif how == "no such track":
        events[0].track_event.track_uuid = 77
    elif how == "another clock":
        trace.packet[0].clock_snapshot.primary_trace_clock = 6


def self_test(program):
    data, missed = read(program, "echo"), []
    ways = ["an end too many", "a sleep outside of its call", "a flow without an end", "a flow backwards", "no such track", "another clock"]
    for how in ways:
        trace = Trace.FromString(data)
        spoil(trace, how)
        if not check(trace)[0]:
            missed.append(how)
    if not check(Trace.FromString(data + b"\x0a\x04\x9a\x05\x01\x00"))[0]:
        missed.append("a field that nobody defined")
    for how in missed:
        print("FAIL: not noticed:", how)
    print(f"{len(ways) + 1} spoilt traces, {len(missed)} not noticed")
    return 1 if missed else 0


def main():
    program = os.path.abspath(sys.argv[-1])
    if sys.argv[1] == "--print":
        with open(sys.argv[2], "rb") as file:
            wrong, text = told(file.read())
        print(text, *wrong, sep="\n")
        return 1 if wrong else 0
    if sys.argv[1] == "--self-test":
        return self_test(program)
    failures = 0
    for case in CASES:
        wrong, text = told(read(program, case))
        path = os.path.join(GOLDEN, "perfetto", case + ".txt")
        for fault in wrong:
            print(f"FAIL {case}: {fault}")
        failures += bool(wrong)
        if sys.argv[1] == "--regenerate":
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            continue
        with open(path, encoding="utf-8") as file:
            expected = file.read()
        if text != expected:
            failures += 1
            print(f"FAIL {case}: not the stored tree")
            print("\n".join(list(difflib.unified_diff(expected.splitlines(), text.splitlines(), "expected", "got", lineterm=""))[:40]))
    print(f"{len(CASES)} traces, {failures} faults")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
