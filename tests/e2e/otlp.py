"""--otlp URL: what is sent, when it is sent again, and that nothing is lost without a word."""

import json
import pathlib
import re
import socket
import subprocess
import tempfile
import time

from receiver import Receiver
from support import ROOT, Test, main, run

ECHO = ROOT / "tests" / "golden" / "events" / "echo.events"
CAPTURES = ROOT / "tests" / "golden" / "captures"
CHECK = ROOT / "tests" / "exports" / "check_otlp.py"


def lines_of(*arguments):
    return run("read", *arguments, "--format", "otlp").stdout.splitlines()


def spans_of(lines):
    return [s for line in lines for r in json.loads(line)["resourceSpans"] for scope in r["scopeSpans"] for s in scope["spans"]]


class Sending(Test):
    def send(self, receiver, *more):
        started = time.monotonic()
        result = run("read", ECHO, "--otlp", receiver.url, *more)
        return result, time.monotonic() - started

    def test_a_good_receiver_gets_the_very_spans_of_the_file(self):
        with Receiver() as receiver:
            result, _ = self.send(receiver)
            self.assertEqual((result.returncode, result.stdout), (0, ""), self.explain(result))
            self.assertEqual([(path, kind) for path, kind, _ in receiver.requests], [("/v1/traces", "application/json")])
            expected = spans_of(lines_of(ECHO))
            self.assertEqual(receiver.spans(), expected)
            self.assertIn(f"sent {len(expected)} spans to {receiver.url}/v1/traces", result.stderr)
            checked = subprocess.run(["python3", CHECK, "/dev/stdin"], input=receiver.requests[0][2], capture_output=True, check=False)
            self.assertEqual(checked.returncode, 0, checked.stdout)

    def test_files_and_standard_output_are_written_beside_it(self):
        with Receiver() as receiver, tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "x.otlp.jsonl")
            result = run("read", ECHO, "--otlp", receiver.url + "/v1/traces", "-o", path, "--format", "text", "-q")
            self.assertEqual((result.returncode, result.stderr), (0, ""), self.explain(result))
            self.assertIn("conn 1: closed", result.stdout)
            self.assertEqual(receiver.spans(), spans_of(path.read_text().splitlines()))

    def test_without_the_library_that_sends_it_names_the_package(self):
        hidden = self.without_library("libcurl")
        result = run("read", ECHO, "--otlp", "http://127.0.0.1:9", env=hidden)
        self.assertEqual((result.returncode, result.stdout), (1, ""), result.stderr)
        self.assertRegex(result.stderr, r"^tcpwhy: .*libcurl[-\w]*\.so\.\d+ is needed for this, .* \(Debian: libcurl\S*\d\): .*\n$")
        self.assertEqual(run("read", ECHO, env=hidden).returncode, 0)

    def test_a_receiver_that_is_busy_is_asked_again_when_it_says(self):
        with Receiver((503, {"Retry-After": "2"}, b"")) as receiver:
            result, took = self.send(receiver)
            self.assertEqual(result.returncode, 0, self.explain(result))
            self.assertEqual(len(receiver.requests), 2)
            self.assertEqual(receiver.requests[0], receiver.requests[1])
            self.assertGreaterEqual(took, 2)

    def test_without_such_a_word_it_backs_off(self):
        for status in (429, 502, 503, 504):
            with Receiver((status, {}, b"")) as receiver:
                result, took = self.send(receiver)
                self.assertEqual((result.returncode, len(receiver.requests)), (0, 2), self.explain(result))
                self.assertGreaterEqual(took, 1)

    def test_a_receiver_that_wants_more_patience_than_there_is_ends_it(self):
        with Receiver((503, {"Retry-After": "3600"}, b"")) as receiver:
            result, took = self.send(receiver)
            self.assertEqual((result.returncode, len(receiver.requests)), (1, 1), self.explain(result))
            self.assertRegex(result.stderr, r"--otlp: (\d+) of \1 spans did not get to .*503")
            self.assertLess(took, 10)

    def test_what_it_calls_bad_is_not_sent_again(self):
        for status in (400, 401, 404, 500):
            with Receiver((status, {"Retry-After": "1"}, b"")) as receiver:
                result, _ = self.send(receiver)
                self.assertEqual((result.returncode, len(receiver.requests)), (1, 1), self.explain(result))
                self.assertRegex(result.stderr, rf"--otlp: (\d+) of \1 spans did not get to .*it answered {status}")

    def test_spans_that_it_rejects_are_counted(self):
        with Receiver((200, {}, b'{"partialSuccess":{"rejectedSpans":"3","errorMessage":"no"}}')) as receiver:
            result, _ = self.send(receiver)
            self.assertEqual(result.returncode, 1, self.explain(result))
            self.assertIn(f"3 of {len(receiver.spans())} spans did not get to", result.stderr)

    def test_one_that_refuses_or_never_answers_is_said_and_the_files_are_there(self):
        with socket.socket() as unused, tempfile.TemporaryDirectory() as folder:
            unused.bind(("127.0.0.1", 0))  # bound, not listening: refused
            path = pathlib.Path(folder, "x.txt")
            result = run("read", ECHO, "--otlp", f"http://user:secret@127.0.0.1:{unused.getsockname()[1]}", "-o", path)
            self.assertEqual(result.returncode, 1, self.explain(result))
            self.assertRegex(result.stderr, r"--otlp: (\d+) of \1 spans did not get to http://127.0.0.1:\d+/v1/traces: ")
            self.assertNotIn("secret", result.stderr)
            self.assertIn("conn 1: closed", path.read_text())

    def test_a_slow_one_is_waited_for_and_one_that_is_too_slow_is_not_asked_twice(self):
        with Receiver(delay_s=2) as receiver:
            result, took = self.send(receiver)
            self.assertEqual((result.returncode, len(receiver.requests)), (0, 1), self.explain(result))
            self.assertGreaterEqual(took, 2)
        with Receiver(delay_s=60) as receiver:
            result, took = self.send(receiver)
            self.assertEqual((result.returncode, len(receiver.requests)), (1, 1), self.explain(result))
            self.assertIn("did not get to", result.stderr)
            self.assertLess(took, 20)

    def test_what_is_no_url_is_wrong_usage(self):
        for url in ("", "localhost:4318", "ftp://127.0.0.1/", "http://", "file:///etc/passwd"):
            result = run("read", ECHO, "--otlp", url)
            self.assertEqual((result.returncode, result.stdout), (2, ""), self.explain(result))
            self.assertIn("--otlp", result.stderr)

    def test_many_connections_go_in_few_requests(self):
        with Receiver() as receiver:
            result = run("read", ROOT / "tests" / "golden" / "events" / "clients.events", "--otlp", receiver.url)
            self.assertEqual((result.returncode, len(receiver.requests)), (0, 1), self.explain(result))
            self.assertGreaterEqual(len({span["traceId"] for span in receiver.spans()}), 4)  # three connections and the recording


class Traces(Test):
    def test_both_hosts_of_a_connection_give_one_trace_and_no_span_twice(self):
        client, server = (spans_of(lines_of(CAPTURES / f"data-late-{side}.pcap", "--conn", "1")) for side in ("client", "server"))
        traces = [{s["traceId"] for s in spans if s["name"].startswith("TCP")} for spans in (client, server)]
        self.assertEqual(len(traces[0]), 1)
        self.assertEqual(traces[0], traces[1])
        ids = [s["spanId"] for s in client + server if s["name"].startswith("TCP")]
        self.assertEqual(len(ids), 4)
        self.assertEqual(len(set(ids)), 4)

    @staticmethod
    def of_host(lines, side):
        """What a recording on that host alone would have: of a run whose two hosts are network namespaces."""
        vantage, other = {"client": (1, 2), "server": (2, 1)}[side]
        netns = {int(m[1]): m[2] for line in lines if (m := re.match(r"vantage .* vantage=(\d) netns=(\d+)", line))}
        pids = {re.search(r" pid=(\d+)", line)[1] for line in lines if f" comm={'server' if side == 'client' else 'client'} " in line}
        for line in lines:
            pid = re.search(r" pid=(\d+)", line)
            if f" netns={netns[other]}" in line or f" vantage={other} " in line or (pid and pid[1] in pids):
                continue
            yield line

    def test_two_recordings_with_calls_give_the_two_ends_of_one_trace(self):
        events = (ROOT / "tests" / "golden" / "events" / "scene-syn-lost.events").read_text().splitlines()
        told = []
        for side in ("client", "server"):
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder, "x.events")
                path.write_text("\n".join([*self.of_host(events, side), ""]))
                told.append([s for s in spans_of(lines_of(path)) if s["name"].startswith("TCP")])
        self.assertEqual([[s["name"] for s in spans] for spans in told], [["TCP connection (client)"], ["TCP connection (server)"]])
        self.assertEqual(told[0][0]["traceId"], told[1][0]["traceId"])
        self.assertEqual(told[1][0]["parentSpanId"], told[0][0]["spanId"])
        self.assertNotEqual(told[0][0]["spanId"], told[1][0]["spanId"])


if __name__ == "__main__":
    main()
