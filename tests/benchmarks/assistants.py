"""How long an assistant waits: measured by messages to a process, which prints JSON.

``python assistants.py VARIABLES CODES``: the time until the server is there, and until it has
answered the first search; then the median and the slowest of other calls, and which that was.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from differences import nouns

from apteco_frames.catalogue import Catalogue
from apteco_frames.system import FastStatsSystem

REPEATS = 5
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("search", {"text": "customer 4711"}),
    ("search", {"text": "mesurment"}),
    ("list_tables", {}),
    ("list_variables", {"words": "date"}),
    ("describe_variables", {"names": [f"va{number:07}" for number in range(20)]}),
    ("list_codes", {"variable": "va0000100"}),
    ("list_codes", {"words": "meaning 4711"}),
    ("query", {"sql": "select count(*) from codes"}),
)


class Server:
    """A server process, and what is sent to it."""

    def __init__(self, folder: Path) -> None:
        self._started = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "apteco_frames", "mcp", "--catalogue", str(folder), "--sql"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.ask(
            "initialize",
            {
                "protocolVersion": "2025-06-18",
                "capabilities": {},
                "clientInfo": {"name": "benchmark", "version": "1"},
            },
        )

    def ask(self, method: str, params: dict[str, Any]) -> float:
        """Send a request; gives the seconds until it is answered."""
        start = time.perf_counter()
        assert self._process.stdin
        assert self._process.stdout
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert not answer["result"].get("isError"), answer
        return time.perf_counter() - start

    def call(self, tool: str, arguments: dict[str, Any]) -> float:
        """Call a tool; gives the seconds until it has answered."""
        return self.ask("tools/call", {"name": tool, "arguments": arguments})

    def age(self) -> float:
        """For how many seconds it has been there."""
        return time.perf_counter() - self._started

    def end(self) -> None:
        """End it."""
        self._process.communicate()


def main() -> None:
    """Measure a server from its start on."""
    arrows = nouns(*map(int, sys.argv[1:]))
    info = FastStatsSystem("benchmark", "", None, "")
    catalogue = Catalogue(info, arrows["tables"], arrows["variables"], arrows["codes"])
    with tempfile.TemporaryDirectory() as folder:
        catalogue.write_parquet(folder)
        server = Server(Path(folder))
        ready = server.age()
        first = server.call("search", {"text": "measure"})
        others = [(server.call(*call), call) for _ in range(REPEATS) for call in CALLS]
        server.end()
    slowest, (tool, given) = max(others, key=lambda timed: timed[0])
    values = {
        "ready": ready,
        "first": first,
        "seconds": median(seconds for seconds, _ in others),
        "slowest": slowest,
        "slowest_call": f"{tool} {json.dumps(given)}",
    }
    print(json.dumps(values))


if __name__ == "__main__":
    main()
