"""Programs under tcpwhy run: how they are watched, and what is asked of their connections."""

import os
import pathlib
import socket
import tempfile

from support import Story, Test, environment, run, traced

PATIENCE_S = 60


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


class Watched(Test):
    recorder = "bpf"

    def watch(self, *command, options=(), status=0, **more):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "run.jsonl")
            more.setdefault("timeout", PATIENCE_S)
            result = run("run", "--recorder", self.recorder, "-o", path, *options, "--", *command, env=traced(environment()), **more)
            self.assertEqual(result.returncode, status, self.explain(result))
            story = Story(pathlib.Path(path).read_text())
        story.result = result
        self.assertEqual(story.trace["recorder"], self.recorder)
        self.assert_nothing_lost(story)
        return story

    def check_client(self, connection, comm, outcome="closed"):
        head = connection.head
        self.assertEqual((head["outcome"], head["client"]["comm"]), (outcome, comm), head)
        syn = connection.with_flags("S", "client")[0]
        self.assertEqual(connection.cause(syn), ("call", "connect", "client"))
