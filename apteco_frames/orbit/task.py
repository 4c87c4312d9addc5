"""How long to wait for a connection, an answer, a whole task; and how to end what waits."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from functools import partial
from numbers import Real
from typing import Any, NamedTuple, TypeVar

from apteco_frames.errors import Hint, OrbitConnectionError

Result = TypeVar("Result")

# polars has waits for a lock go on after Ctrl-C, so none may be long; nor does a thread
# that waits for one learn that its task was given up.
_SLICE_SECONDS = 0.1

# Some 11 days; a socket cannot be told to wait for much longer.
_LONGEST_SECONDS = 1_000_000

# Programs that stop the clock for their tests (freezegun) stop functions by their names.
_now: Callable[[], float] = partial(time.monotonic)


class Timeout(NamedTuple):
    """How long to wait, in seconds.

    Attributes:
        connect: for a connection.
        read: for each part of an answer.
        total: for a whole task, such as logging in and reading the catalogue.
    """

    connect: float = 10.0
    read: float = 60.0
    total: float = 600.0

    @classmethod
    def of(cls, value: float | tuple[float, ...] | None) -> Timeout:
        """The time-outs that a ``timeout=`` argument means.

        Raises:
            ValueError: they are not one to three positive numbers, each up to a million.

        >>> Timeout.of(5)
        Timeout(connect=5.0, read=5.0, total=600.0)
        >>> Timeout.of((3, 30, 120))
        Timeout(connect=3.0, read=30.0, total=120.0)
        """
        if value is None:
            return cls()
        parts = tuple(value) if isinstance(value, tuple | list) else (value, value)
        if not 2 <= len(parts) <= 3 or not all(_is_duration(part) for part in parts):
            raise ValueError(
                "timeout= takes a number of seconds, (connect, read) or (connect, read, total), "
                f"each above 0 and up to {_LONGEST_SECONDS:,}; not {value!r}. Nothing was sent."
            )
        return cls(*map(float, parts))


def _is_duration(value: Any) -> bool:
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    return is_number and bool(0 < value <= _LONGEST_SECONDS)


class Task:
    """Requests that belong together: they end when its time is up or it is given up.

    Args:
        timeout: the time-outs; the last of them is the task's own.
        end: when its time is up, by ``time.monotonic()``, if not that long from now.
    """

    def __init__(self, timeout: Timeout, end: float | None = None) -> None:
        self.timeout = timeout
        self._end = _now() + timeout.total if end is None else end
        self._received = [0]
        self._given_up = threading.Event()
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()

    def part(self) -> Task:
        """A task with the same end, which is given up by itself."""
        part = Task(self.timeout, self._end)
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
        with self._lock:  # or an answer could come, and another task take the connection
            for connection in self._connections:
                # Not TLS's own shutdown, which turns encryption off first: a request of
                # another task could follow in the clear. (TLS within TLS is no socket.)
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
                raise TimeoutError("the time for the whole task is up")
            connection.settimeout(min(self.timeout.read, left))
            yield
        finally:
            with self._lock:
                self._connections.discard(connection)

    def seconds_left(self) -> float:
        """Seconds until the time is up; zero if it is, or the task was given up."""
        return 0.0 if self._given_up.is_set() else max(0.0, self._end - _now())

    def wait_for(self, attempt: Callable[[float], bool]) -> bool:
        """Try until it works or no time is left; whether it worked.

        Args:
            attempt: waits for so many seconds at most, and says whether it worked.
        """
        # What was waited is counted, too: there are clocks that stand still.
        most = self.seconds_left()
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
        an adapter of the user's own knows no deadline. Ctrl-C gives the task up.

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
                self._wait_briefly(has_ended, patience)
            finally:
                self.give_up()
            raise
        if errors:
            raise errors.pop()
        return results[0] if results else None

    def _wait_briefly(self, attempt: Callable[[float], bool], seconds: float) -> None:
        while seconds > 0 and not attempt(min(seconds, _SLICE_SECONDS)):
            seconds -= _SLICE_SECONDS

    def pause(self, seconds: float) -> bool:
        """Wait, unless that would be too long; whether there is time to go on."""
        if seconds >= self.seconds_left():
            return False
        while seconds > 0:
            if self._given_up.wait(min(seconds, _SLICE_SECONDS)):
                return False
            seconds -= _SLICE_SECONDS
        return not self._given_up.is_set()

    def too_late(self, url: str, before: str = "") -> OrbitConnectionError:
        """The error for a task whose time is up, with what went wrong before that."""
        reason = f" (before that: {before})" if before else ""
        return OrbitConnectionError(
            f"{url} did not answer in full within {self.timeout.total:g} seconds, the limit for "
            f"the whole task{reason}. Nothing was used of what had come. ",
            hint=Hint.MORE_TIME,
        )


class Turn:
    """Lets one thread in at a time, and waits for that no longer than a task may.

    Wherever Ctrl-C comes, the turn of the thread that it ends is over: the lock knows which thread
    has it, from the same moment on.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()

    @contextmanager
    def taken(self, task: Task, url: str) -> Iterator[None]:
        """Wait for the turn, and have it for the length of a ``with`` block.

        Raises:
            OrbitConnectionError: the task's time was up before; it names the URL.
        """
        try:
            if not task.wait_for(lambda seconds: self._lock.acquire(timeout=seconds)):
                raise task.too_late(url)
            yield
        finally:
            # Before any other step, of which each might be the one that Ctrl-C ends.
            try:  # noqa: SIM105 - a call, too, would be one
                self._lock.release()
            except RuntimeError:  # this thread does not have it
                pass
