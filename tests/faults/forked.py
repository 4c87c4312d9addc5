"""Fork many children of one parent, each for one use of a catalogue; run as a script.

``python forked.py WAY TIMES`` uses polars in the parent in one way, then forks ``TIMES``
children for each use, and prints as JSON how they ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

LIMIT = 60.0
ENDS = {0: "right", 3: "refused"}


def a_catalogue() -> Any:
    """The demo catalogue; the first import of the package, if need be."""
    from apteco_frames.demo import holidays

    return holidays()


def plain_polars() -> None:
    """Use polars as anybody might, its threads included."""
    import polars as pl

    frame = pl.DataFrame({"a": range(1000), "b": range(1000)})
    assert frame.filter(pl.col("a") > 500).with_columns(c=pl.col("a"), d="b").height == 499


def import_polars() -> None:
    """Load polars and leave it at that."""
    import polars as pl

    assert pl.__version__


def plain_polars_of_a_stream() -> None:
    """Give a frame to polars as an Arrow stream."""
    import polars as pl

    assert pl.DataFrame(a_catalogue().variables).filter(pl.col("is_virtual")).height


def filter_the_frame() -> None:
    """Use the frame of our variables."""
    import polars as pl

    assert a_catalogue().variables.frame.filter(pl.col("type") == "Date").height


def in_a_file(write: Callable[[Path], Path]) -> str:
    """What a call writes."""
    with tempfile.TemporaryDirectory() as folder:
        return write(Path(folder) / "x.csv").read_text(encoding="utf-8")


def fork_twice() -> None:
    """Use polars, and go on in a child, which is itself a parent then."""
    plain_polars()
    a_catalogue()
    child = forked()
    if child:
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status))


# What the parent does; whether the package is there before the fork; whether polars worked.
WAYS: dict[str, tuple[Callable[[], Any], bool, bool]] = {
    "nothing": (lambda: None, True, False),
    "import polars": (import_polars, True, False),
    "filter": (lambda: a_catalogue().variables.filter(table_name="People"), True, True),
    "frame.filter": (filter_the_frame, True, True),
    "frame": (lambda: a_catalogue().tables.frame, True, True),
    "write_csv": (lambda: in_a_file(a_catalogue().tables.write_csv), True, True),
    "plain polars": (plain_polars, True, True),
    "polars of a stream": (plain_polars_of_a_stream, True, True),
    "fork twice": (fork_twice, True, True),
    "import polars, ours later": (import_polars, False, False),
    "plain polars, ours later": (plain_polars, False, True),
}

# What a child does with a catalogue, and whether that takes polars.
USES: dict[str, tuple[Callable[[Any], Any], bool]] = {
    "tables.filter": (lambda c: len(c.tables.filter(parent_name="People")), True),
    "variables.filter": (lambda c: [v.name for v in c.variables.filter(type="Date")], True),
    "tables.frame": (lambda c: c.tables.frame["name"].to_list(), True),
    "variables.frame.filter": (lambda c: c.variables.frame.filter(type="Date").rows(), True),
    "tables.write_csv": (lambda c: in_a_file(c.tables.write_csv), True),
    "variables.write_csv": (lambda c: in_a_file(c.variables.write_csv), True),
    "rows": (lambda c: [v.to_dict() for v in c.variables], False),
    "look-ups": (lambda c: [c.variables["Destination"].table.name, len(c.tables[2:])], False),
    "arrow": (lambda c: c.variables.arrow.num_rows, False),
}


def forked() -> int:
    """Fork, of which Python and polars warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return os.fork()


def ends_well(act: Callable[[], object], seconds: float) -> bool:
    """Whether a forked child comes to the end of a function, and in time."""
    child = forked()
    if not child:
        try:
            act()
            os._exit(0)
        finally:
            os._exit(1)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.01)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return False


def child_of(use: str, expected: str) -> int:
    """A child that ends with how the use ended."""
    child = forked()
    if child:
        return child
    status = 1
    try:
        catalogue = a_catalogue()
        from apteco_frames.errors import ForkedProcessError

        try:
            status = 0 if json.dumps(USES[use][0](catalogue), default=str) == expected else 1
        except ForkedProcessError:
            status = 3
    finally:
        os._exit(status)


def main() -> None:
    """Run the script."""
    way, times = WAYS[sys.argv[1]], int(sys.argv[2])
    expected = dict(json.loads(sys.argv[3]))
    act, ours_is_there, _ = way
    if ours_is_there:
        a_catalogue()
    act()
    running = {child_of(use, expected[use]): use for use in USES for _ in range(times)}
    found = {use: Counter[str]() for use in USES}
    until = time.monotonic() + LIMIT
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid:
            end = ENDS.get(os.waitstatus_to_exitcode(status), "wrong")
            found[running.pop(pid)][end] += 1
        elif time.monotonic() > until:
            for child, use in running.items():
                found[use]["hung"] += 1
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, 9)
            break
        else:
            time.sleep(0.01)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
