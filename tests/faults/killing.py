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
    """

    def __init__(self) -> None:
        self._random = random.Random(20191127)
        self._longest = 0.05

    def kill_one(self, work: Iterable[object]) -> None:
        """Kill a process that does this work, which yields whenever the thing is done."""
        tells, done = os.pipe()
        child = os.fork()
        if not child:
            try:
                for _ in work:
                    os.write(done, b".")
            finally:
                os._exit(1)
        os.close(done)
        time.sleep(self._random.uniform(0, self._longest))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), "the process ended by itself"
        with open(tells, "rb") as pipe:
            self._longest *= 0.8 if pipe.read() else 1.25
