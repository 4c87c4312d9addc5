"""Processes that do a thing over and over, and are killed at random moments."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterable


class Killer:
    """Kills as many processes while they do the thing for the first time as later.

    How long that takes is learnt from kill to kill: it depends on the machine, and on what
    else runs there.

    Args:
        longest: the most seconds until the first is killed.
    """

    def __init__(self, longest: float = 0.05) -> None:
        self._random = random.Random(20191127)
        self._longest = longest

    def kill_one(self, work: Iterable[object]) -> None:
        """Kill a process that does this work, which yields whenever the thing is done."""
        self.kill_all([work])

    def kill_all(self, works: Iterable[Iterable[object]]) -> None:
        """Kill processes that work at the same time, each at a moment of its own."""
        running = sorted((self._random.uniform(0, self._longest), *_start(w)) for w in works)
        begin = time.monotonic()
        has_done = False
        for moment, child, tells in running:
            time.sleep(max(0, begin + moment - time.monotonic()))
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            assert os.WIFSIGNALED(status), "the process ended by itself"
            with open(tells, "rb") as pipe:
                has_done |= bool(pipe.read())
        self._longest *= 0.8 if has_done else 1.25


def _start(work: Iterable[object]) -> tuple[int, int]:
    """A process that does this work, and where to read what it says when it has done it."""
    tells, done = os.pipe()
    child = os.fork()
    if not child:
        try:
            for _ in work:
                os.write(done, b".")
        finally:
            os._exit(1)
    os.close(done)
    return child, tells
