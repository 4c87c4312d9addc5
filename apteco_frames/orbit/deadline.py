"""The time of a load: how its requests run side by side, and how to end what waits."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import copy_context
from functools import partial
from itertools import islice
from queue import Empty, SimpleQueue
from typing import TypeVar

from apteco_frames.errors import Hint, OrbitConnectionError
from apteco_frames.orbit.options import Timeout

Key = TypeVar("Key")
Result = TypeVar("Result")

_GRACE_SECONDS = 0.2

# polars has waits for a lock go on after Ctrl-C, so none may be long; nor does a thread
# that waits for one learn that its load was given up.
_SLICE_SECONDS = 0.1

# Programs that stop the clock for their tests (freezegun) stop functions by their names.
_now: Callable[[], float] = partial(time.monotonic)


class Deadline:
    """The time and cancellation of one load: its requests end when time is up or it is given up.

    Args:
        timeout: the time-outs; the last of them is for the whole load.
        end: when its time is up, by ``time.monotonic()``, if not that long from now.
    """

    def __init__(self, timeout: Timeout, end: float | None = None) -> None:
        self.timeout = timeout
        self._end = _now() + timeout.total if end is None else end
        self._received = [0]
        self._given_up = threading.Event()
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()

    def part(self) -> Deadline:
        """One with the same end, which is given up by itself."""
        part = Deadline(self.timeout, self._end)
        part._received = self._received
        return part

    def receive(self, size: int) -> int:
        """Take note of bytes that came; how many that makes, those of all its parts included."""
        self._received[0] += size  # a rough figure does: two threads may do so at once
        return self._received[0]

    def give_up(self) -> None:
        """End the requests that wait for an answer.

        Those that still connect, or go through an adapter of the user's own, are waited
        for no longer; they end by themselves, at their time-out at the latest.
        """
        self._given_up.set()
        with self._lock:  # or an answer could come, and another load take the connection
            for connection in self._connections:
                # Not TLS's own shutdown, which turns encryption off first: a request of
                # another load could follow in the clear. (TLS within TLS is no socket.)
                with suppress(OSError, TypeError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)

    @contextmanager
    def waiting_for(self, connection: socket.socket) -> Iterator[None]:
        """Bound a wait for what a connection brings: by the time-outs and :meth:`give_up`.

        Raises:
            TimeoutError: there is no time left.
        """
        with self._lock:
            self._connections.add(connection)
        try:
            left = self.seconds_left()
            if not left:
                raise TimeoutError("the time for the whole load is up")
            connection.settimeout(min(self.timeout.read, left))
            yield
        finally:
            with self._lock:
                self._connections.discard(connection)

    def seconds_left(self) -> float:
        """Seconds until the time is up; zero if it is, or the load was given up."""
        return 0.0 if self._given_up.is_set() else max(0.0, self._end - _now())

    def wait_for(self, attempt: Callable[[float], bool], most: float | None = None) -> bool:
        """Try until it works or no time is left; whether it worked.

        Args:
            attempt: waits for so many seconds at most, and says whether it worked.
            most: seconds to wait at most, where that is less than there are.
        """
        # What was waited is counted, too: there are clocks that stand still.
        most = self.seconds_left() if most is None else most
        while most > 0 and (left := self.seconds_left()):
            slice_ = min(left, most, _SLICE_SECONDS)
            if attempt(slice_):
                return True
            most -= slice_
        return False

    def run_aside(self, function: Callable[[], Result], *, patience: float = 0.0) -> Result | None:
        """What a function returns that waits for a server; None if no time is left for it.

        It has a thread of its own that nobody waits for after that, not even the
        interpreter: looking up a host's name can be neither interrupted nor bounded, and
        an adapter of the user's own knows no deadline. Ctrl-C gives the load up.

        Args:
            function: what to run.
            patience: seconds that Ctrl-C is put off for, so that the function may end.

        Raises:
            Exception: what the function raised.
        """
        if not self.seconds_left():
            return None
        results: list[Result] = []
        errors: list[BaseException] = []
        ended = threading.Lock()
        ended.acquire()

        def has_ended(seconds: float) -> bool:
            return ended.acquire(timeout=seconds)

        def run() -> None:
            try:
                results.append(function())
            except BaseException as error:
                errors.append(error)
            finally:
                ended.release()

        thread = threading.Thread(
            target=copy_context().run, args=[run], name="apteco_frames request", daemon=True
        )
        try:
            try:
                thread.start()
            except RuntimeError:  # in a function for atexit: no thread starts any more
                run()
            if not self.wait_for(has_ended):
                self.give_up()
        except BaseException:
            try:
                self.wait_for(has_ended, patience)
            finally:
                self.give_up()
            raise
        if errors:
            raise errors.pop()
        return results[0] if results else None

    def pause(self, seconds: float) -> bool:
        """Wait, unless that would be too long; whether there is time to go on."""
        if seconds >= self.seconds_left():
            return False
        self.wait_for(self._given_up.wait, seconds)
        return not self._given_up.is_set()

    def too_late(self, url: str, before: str = "") -> OrbitConnectionError:
        """The error for a load whose time is up, with what went wrong before that."""
        reason = f" (before that: {before})" if before else ""
        return OrbitConnectionError(
            f"{url} did not answer in full within {self.timeout.total:g} seconds, the limit for "
            f"the whole load{reason}. Nothing that had arrived was used.",
            hint=Hint.MORE_TIME,
        )


class Turn:
    """Lets one thread in at a time, and waits for that no longer than a load may.

    Wherever Ctrl-C comes, the turn of the thread that it ends is over: the lock knows which thread
    has it, from the same moment on.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()

    @contextmanager
    def taken(self, deadline: Deadline, url: str) -> Iterator[None]:
        """Wait for the turn, and have it for the length of a ``with`` block.

        Raises:
            OrbitConnectionError: the time was up before; it names the URL.
        """
        try:
            if not deadline.wait_for(lambda seconds: self._lock.acquire(timeout=seconds)):
                raise deadline.too_late(url)
            yield
        finally:
            # Before any other step, of which each might be the one that Ctrl-C ends.
            try:  # noqa: SIM105 - a call, too, would be one
                self._lock.release()
            except RuntimeError:  # this thread does not have it
                pass


def run_all(
    calls: Iterable[tuple[Key, Callable[[], Result]]], deadline: Deadline, url: str, size: int
) -> Iterator[tuple[Key, Result]]:
    """The results of functions, each with its key, in the order in which they come.

    The functions wait for servers by ``Transport.request`` with the same deadline, so that
    their threads end as soon as the deadline does. (They are no daemons: Arrow must not be
    under way in a thread that outlives the interpreter.)

    Args:
        calls: the keys and the functions, taken from as threads become free.
        deadline: how long the functions may take; it is given up, so pass a ``part()``.
        url: where they ask, for the error when the time is up.
        size: how many run at a time, at most.

    Raises:
        OrbitConnectionError: the time is up.
        Exception: what a function raised, after the results that came with it.

    >>> calls = {"half of ten": lambda: 10 / 2}
    >>> list(run_all(calls.items(), Deadline(Timeout()), "http://localhost/OrbitAPI", 4))
    [('half of ten', 5.0)]
    """
    todo = iter(calls)
    keys: dict[Future[Result], Key] = {}
    done: SimpleQueue[Future[Result]] = SimpleQueue()
    threads = ThreadPoolExecutor(size, "apteco_frames")
    try:
        while True:
            for key, function in islice(todo, size - len(keys)):
                future = threads.submit(function)
                keys[future] = key
                future.add_done_callback(done.put)
            if not keys:
                return
            finished = _next_of(done, deadline, url)
            for future in sorted(finished, key=lambda future: future.exception() is not None):
                yield keys.pop(future), future.result()
    finally:
        deadline.give_up()  # whatever is still under way
        threads.shutdown(wait=False, cancel_futures=True)


def _next_of(
    done: SimpleQueue[Future[Result]], deadline: Deadline, url: str
) -> list[Future[Result]]:
    """Wait for what ends next, at least one."""
    finished: list[Future[Result]] = []

    def some(seconds: float) -> bool:
        with suppress(Empty):
            finished.append(done.get(timeout=seconds))
            while True:
                finished.append(done.get_nowait())
        return bool(finished)

    # Once the time is up the threads end too, and their errors say more.
    if not (deadline.wait_for(some) or some(_GRACE_SECONDS)):
        raise deadline.too_late(url)
    return finished
