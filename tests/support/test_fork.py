"""Polars in processes that were forked: the right answer or a clear error, and no waiting."""

from __future__ import annotations

import ast
import json
import multiprocessing
import os
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest
from faults import forked
from lanes import PATIENCE

import apteco_frames
from apteco_frames.demo import holidays
from apteco_frames.errors import ForkedProcessError
from apteco_frames.support.fork import ProcessLock

# How many children for each use: fewer where each waits for polars, or imports the package.
TIMES = {"filter": 20, "frame.filter": 20, "write_csv": 20}
TIMES |= {"import polars, ours later": 1, "plain polars, ours later": 1}

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


@needs_fork
@pytest.mark.parametrize(
    "way",
    [way if way == "frame" else pytest.param(way, marks=pytest.mark.slow) for way in forked.WAYS],
)
def test_forked_children_answer_or_refuse(way: str) -> None:
    """However the parent used polars, a child has the right answer or an error, and soon."""
    expected = {
        use: json.dumps(act(holidays()), default=str) for use, (act, _) in forked.USES.items()
    }
    times = TIMES.get(way, 3)
    done = subprocess.run(
        [sys.executable, forked.__file__, way, str(times), json.dumps(expected)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=10 * PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    *_, worked = forked.WAYS[way]
    assert json.loads(done.stdout) == {
        use: {"refused" if worked and takes_polars else "right": times}
        for use, (_, takes_polars) in forked.USES.items()
    }


@needs_fork
@pytest.mark.parametrize("kind", [threading.Lock, threading.RLock])
def test_a_lock_is_free_in_a_child(kind: Any) -> None:
    """Whoever holds a lock when a process is forked keeps nobody waiting in the child."""
    lock = ProcessLock(kind)
    held, may_go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with lock.own:
            held.set()
            assert may_go_on.wait(60)

    holding = threading.Thread(target=hold)
    holding.start()
    assert held.wait(60)
    try:
        assert forked.ends_well(lambda: lock.own.__enter__(), 30)
    finally:
        may_go_on.set()
        holding.join(60)
    with lock.own:  # also where the thread that forks holds it, which goes on in the child
        assert forked.ends_well(lambda: lock.own.__enter__(), 30)


def number_of_dates(variables: Any) -> int:
    """A worker's task."""
    return len(variables.filter(type="Date"))


def names_of(variables: Any) -> list[str]:
    """A worker's task that takes no polars."""
    return [variable.name for variable in variables[:3]]


@pytest.mark.parametrize(
    "method",
    ["fork", *(pytest.param(m, marks=pytest.mark.slow) for m in ("forkserver", "spawn"))],
)
def test_frames_sent_to_workers(method: str) -> None:
    """Frames can be sent to workers of a pool, which answer, or refuse if they were forked."""
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system cannot {method}")
    variables = holidays().variables
    selectors = variables.filter(type="Selector")
    assert variables.frame.filter(type="Date").height == len(variables.filter(type="Date"))
    parts = [variables, selectors, variables[5:50], variables]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pool = multiprocessing.get_context(method).Pool(2)
    with pool:
        told = pool.map_async(names_of, parts).get(60)
        assert told == [names_of(part) for part in parts]
        counts = pool.map_async(number_of_dates, parts)
        if method == "fork":
            with pytest.raises(ForkedProcessError, match=r"get_context\('spawn'\)"):
                counts.get(60)
        else:
            assert counts.get(60) == [number_of_dates(part) for part in parts]


def test_there_is_one_way_to_polars() -> None:
    """No module imports polars but the one that looks for forks; types may name it."""
    (root,) = map(Path, apteco_frames.__path__)
    users = set()
    for path in root.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for_types = [
            inner
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            for inner in ast.walk(node)
        ]
        for node in ast.walk(tree):
            is_import = isinstance(node, ast.Import | ast.ImportFrom)
            if is_import and node not in for_types and "polars" in ast.unparse(node).split():
                users.add(path.relative_to(root).as_posix())
    assert users == {"support/fork.py"}
