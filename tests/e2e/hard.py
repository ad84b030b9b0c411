"""What makes a reader work takes time that grows with the input, not with its square: bench/hard.py's captures, small, and four times as
large. What is held against each other is the program's own CPU time, with more than twice the room that noise may need; who seems too slow is
measured again and again, and only what is slow each time fails."""

import os
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "bench"))
import hard  # noqa: E402

TCPWHY = os.environ["TCPWHY"]
COUNT, TIMES, MOST, TRIES = 3000, 4, 9, 4  # linear: 4; quadratic: 16
LEAST_S = 0.02  # less is start-up


class Linear(unittest.TestCase):
    def grows_with_its_input(self, small, large, *options):
        least = [float("inf")] * 2
        for _ in range(TRIES):
            least = [min(before, hard.seconds(TCPWHY, path, *options)) for before, path in zip(least, (small, large))]
            if least[1] <= MOST * max(least[0], LEAST_S):
                return
        self.fail(f"{COUNT} segments take {least[0]:.3f} s, {COUNT * TIMES} take {least[1]:.3f} s")

    def test_stories_and_lists(self):
        for kind in hard.KINDS:
            with tempfile.TemporaryDirectory() as folder:
                captures = hard.make(folder, kind, COUNT), hard.make(folder, kind, COUNT * TIMES)
                for view, options in (("story", ["--conn", "1"]), ("list", [])):
                    with self.subTest(kind=kind.__name__, view=view):
                        self.grows_with_its_input(*captures, *options)


if __name__ == "__main__":
    unittest.main()
