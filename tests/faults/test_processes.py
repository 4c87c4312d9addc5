"""Processes that are killed, forked, spawned, watched; threads that share a session."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from faults.exits import CLEAN, OFTEN, endings
from faults.server import KEYS, FaultyServer, TlsHandler, silence
from lanes import PATIENCE
from strategies import as_logged_in

from apteco_frames import Catalogue, Session, login_with_password
from apteco_frames.demo import DemoServer, holidays
from apteco_frames.demo.api import PASSWORD
from apteco_frames.demo.server import DemoHandler
from apteco_frames.errors import AptecoFramesError, SessionExpiredError
from apteco_frames.orbit.client import OrbitClient
from apteco_frames.orbit.load import load_catalogue
from apteco_frames.orbit.options import Options
from apteco_frames.orbit.redact import Secret
from apteco_frames.variables import Variables

HERE = Path(__file__).parent

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@needs_fork
@pytest.mark.parametrize("kills", [10, pytest.param(200, marks=pytest.mark.slow)])
def test_killed_while_writing(tmp_path: Path, kills: int) -> None:
    """A writer that is killed at random moments leaves the old catalogue or the new one."""
    program = [str(HERE / "killed_writes.py"), str(tmp_path), str(kills)]
    command = [sys.executable, "-W", "error", *program]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parent), *sys.path])}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=10 * PATIENCE)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    print(f"{kills} kills: {found}")
    assert found["A"] + found["B"] == kills
    assert found["left over"] == 0
    if kills >= 200:
        assert min(found["A"], found["B"]) > 10
        assert found["part files"] > 20  # most kills do come in the middle of a write
        assert found["half moved"] > 0


@pytest.mark.parametrize("times", [1, pytest.param(20, marks=pytest.mark.slow)])
@pytest.mark.parametrize("thing", OFTEN)
def test_processes_end(tmp_path: Path, thing: str, times: int) -> None:
    """Whatever a process does last, it ends cleanly; ``tox -e soak`` tries more, more often."""
    assert endings(tmp_path, thing, times) == {CLEAN: times}


# Threads


def together(action: Callable[[int], Any], threads: int = 8) -> list[Any]:
    """What an action gives in threads that begin at the same moment."""
    barrier = threading.Barrier(threads)

    def run(number: int) -> Any:
        barrier.wait()
        return action(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


def test_first_use_happens_once() -> None:
    """What is made on first use is the same for all threads, and asks the server nothing."""
    with FaultyServer() as server:
        for _ in range(20):
            session = server.login()
            asked = len(server.asked)
            for name in ("tables", "variables", "api_client"):
                made = together(lambda _, of=session, name=name: getattr(of, name))  # type: ignore[misc]
                assert len({id(thing) for thing in made}) == 1, name
            assert len(server.asked) == asked
            session.logout()


def test_look_ups_from_threads() -> None:
    """Rows, look-ups, filters and relations are the same from every thread."""
    expected = holidays()

    def look(number: int) -> bool:
        tables, variables = session.tables, session.variables
        return (
            [v.name for v in variables] == [v.name for v in expected.variables]
            and all(variables[v.name] == v for v in expected.variables)
            and variables["Destination"].table.name == "Bookings"
            and tables["People"] > tables["Households"]
            and len(variables.filter(table_name="People")) == len(tables["People"].variables)
            and pickle.loads(pickle.dumps(variables)) == expected.variables
        )

    with DemoServer() as server:
        session = server.login()
        assert all(together(look))


def test_requests_from_threads() -> None:
    """Threads that ask through one session keep within its connections, and do not mix."""
    import apteco_api

    with FaultyServer() as server:
        session = server.login(max_connections=2)
        api = apteco_api.FastStatsSystemsApi(session.api_client)
        names = [variable.name for variable in session.variables]

        def ask(number: int) -> list[str]:
            return [
                api.fast_stats_systems_get_fast_stats_variable("Holidays", "holidays", name).name
                for name in names[number::8]
            ]

        assert together(ask) == [names[number::8] for number in range(8)]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_failure_waits_for_nobody(scheme: str) -> None:
    """Once a load has failed, requests that hang are ended: no thread, no exit waits for them."""

    def fail(done: int, total: int) -> None:
        while not hanging.count("/Tables"):
            time.sleep(0.01)
        time.sleep(0.1)  # until the request that was sent waits for its answer
        raise ZeroDivisionError

    hanging = FaultyServer(silence, "/Tables")
    if scheme == "https":
        hanging.handler = type("Handler", (TlsHandler, hanging.handler), {})
    with hanging as server:
        url = server.base_url.replace("http:", f"{scheme}:")
        account = server.data_view, server.system, server.user, server.password
        with pytest.raises(ZeroDivisionError):
            login_with_password(url, *account, verify=str(KEYS), progress=fail)
        failed = time.monotonic()
        while any(thread.name.startswith("apteco_frames") for thread in threading.enumerate()):
            assert time.monotonic() - failed < PATIENCE
            time.sleep(0.01)


def test_logout_while_a_load_runs() -> None:
    """A session that is ended while its catalogue is read ends the reading in a clear error."""
    with FaultyServer(slow, "/Variables") as server:
        client = OrbitClient(server.base_url, server.data_view, Options(page_size=5))
        client.log_in(server.user, Secret(server.password), client.new_deadline())
        with ThreadPoolExecutor(1) as pool:
            loading = pool.submit(load_catalogue, client, server.system, client.new_deadline())
            time.sleep(0.2)
            client.log_out()
            with pytest.raises(SessionExpiredError, match=r"Log in again with login\(\)"):
                loading.result(PATIENCE)


def slow(handler: Any, answer: Any) -> None:
    time.sleep(0.3)
    DemoHandler.send_answer(handler, answer)


# Other processes


def describe(things: tuple[Any, ...]) -> list[Any]:
    """What another process sees of frames and rows."""
    catalogue, tables, variables, table, variable = things
    return [
        [t.name for t in tables],
        [v.description for v in variables],
        variables["boDest"].table.name,
        variables["Destination"].name,
        [t.name for t in table.variables],
        table < tables["Bookings"],
        variable.to_dict(),
        repr(tables),
        catalogue == as_logged_in(holidays()),
        "Cost" in variables,
        variables[-3:][0].name,
        variables.get("boDets"),
        in_polars(variables),
    ]


def in_polars(variables: Variables) -> tuple[int, int] | str:
    """How many variables there are, how many a filter keeps, or how that fails."""
    try:
        return variables.frame.height, len(variables.filter(table_name="People"))
    except AptecoFramesError as error:
        return str(error)


def send_description(things: tuple[Any, ...], connection: Any) -> None:
    """Describe, in a process of its own."""
    connection.send(describe(things))
    connection.close()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_frames_in_another_process(method: str) -> None:
    """Frames and rows do the same in a process that was forked or spawned."""
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system cannot {method}")
    with DemoServer() as server:
        session = server.login()
        tables, variables = session.tables, session.variables
        things = (session.catalogue, tables, variables, tables["People"], variables["boDest"])
        expected = describe(things)  # which starts the thread pools of Arrow and polars
        context: Any = multiprocessing.get_context(method)
        receiving, sending = context.Pipe(duplex=False)
        child = context.Process(target=send_description, args=(things, sending))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child.start()
        sending.close()
        try:
            assert receiving.poll(PATIENCE), "the process hangs"
            *told, kept = receiving.recv()
            assert told == expected[:-1]
            if method == "fork":  # which takes none of polars' threads along
                assert "multiprocessing.get_context('spawn')" in kept
            else:
                assert kept == expected[-1]
            child.join(PATIENCE)
            assert child.exitcode == 0
        finally:
            child.kill()
            child.join()
            receiving.close()


@needs_fork
def test_session_after_a_fork() -> None:
    """A forked process shares no connection with its parent: no answer goes astray."""
    import apteco_api

    with DemoServer() as server:
        session = server.login()
        api = apteco_api.FastStatsSystemsApi(session.api_client)
        names = [variable.name for variable in session.variables]

        def all_right(names: list[str]) -> bool:
            given = (
                api.fast_stats_systems_get_fast_stats_variable("Holidays", "holidays", name).name
                for name in names
            )
            return list(given) == names

        child = fork()
        if not child:
            right = False
            try:
                right = all_right(names)
            finally:
                os._exit(0 if right else 1)
        assert all_right(names[::-1])
        _, status = os.waitpid(child, 0)
        assert status == 0
        session.logout()


def fork() -> int:
    """Fork, of which Python 3.12 and later warn where there are threads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def test_command_line_shows_no_secret(tmp_path: Path) -> None:
    """Neither the list of processes nor the program's output shows the password or a token."""
    command = [sys.executable, "-m", "apteco_frames", "demo", str(tmp_path / "out")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    lines: set[bytes] = set()
    folder = Path(f"/proc/{process.pid}")
    while process.poll() is None:
        for name in ("cmdline", "environ"):
            try:
                lines.add((folder / name).read_bytes())
            except OSError:
                break
        time.sleep(0.005)
    assert process.stdout is not None
    output = process.stdout.read()
    process.stdout.close()
    assert process.returncode == 0
    assert b"94 variables" in output
    if folder.parent.exists():
        assert any(b"apteco_frames" in line for line in lines)
    written = [path.read_bytes() for path in (tmp_path / "out").iterdir()]
    for text in [*lines, output, *written]:
        assert PASSWORD.encode() not in text
    assert Catalogue.read_parquet(tmp_path / "out") == holidays()


def test_session_is_no_child_of_a_pickle() -> None:
    """What is pickled from a session has none."""
    with DemoServer() as server:
        session: Session = server.login()
        for thing in (session.tables[0], session.variables[0], session.tables):
            copy = pickle.loads(pickle.dumps(thing))
            row = copy[0] if hasattr(copy, "arrow") else copy
            assert row.session is None
