"""Several requests of one load at a time, each taken as soon as it is answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Generic, Self, TypeVar

from apteco_frames.orbit.deadline import Deadline

Key = TypeVar("Key")
Result = TypeVar("Result")

_GRACE_SECONDS = 0.2


class Pool(Generic[Key, Result]):
    """Runs functions in threads; leaving its ``with`` block gives up what is under way.

    The functions wait for servers by ``Transport.request`` with the same deadline, so that
    their threads end as soon as the deadline does. (They are no daemons: Arrow must not be
    under way in a thread that outlives the interpreter.)

    Args:
        deadline: how long the functions may take; it is given up, so take a ``part()``.
        url: where they ask, for the error when the time is up.
        size: how many run at a time, at most.

    >>> from apteco_frames.orbit.deadline import Timeout
    >>> with Pool[str, int](Deadline(Timeout()), "http://localhost/OrbitAPI", 4) as pool:
    ...     pool.submit("half of ten", divmod, 10, 2)
    ...     list(pool.finished())
    [('half of ten', (5, 0))]
    """

    def __init__(self, deadline: Deadline, url: str, size: int) -> None:
        self._task = deadline
        self._url = url
        self._size = size
        self._pending: dict[Future[Result], Key] = {}
        self._done: SimpleQueue[Future[Result]] = SimpleQueue()
        self._threads = ThreadPoolExecutor(size, "apteco_frames")

    @property
    def free(self) -> int:
        """How many more functions can run at once now."""
        return self._size - len(self._pending)

    @property
    def idle(self) -> bool:
        """Whether every result was taken."""
        return not self._pending

    def submit(self, key: Key, function: Callable[..., Result], *arguments: object) -> None:
        """Run a function; its result comes with this key."""
        future = self._threads.submit(function, *arguments)
        self._pending[future] = key
        future.add_done_callback(self._done.put)

    def finished(self) -> list[tuple[Key, Result]]:
        """Wait for the next results: at least one, and each with its key.

        Raises:
            OrbitConnectionError: the time is up.
            Exception: what a function raised.
        """
        done: list[Future[Result]] = []

        def some(seconds: float) -> bool:
            with suppress(Empty):
                done.append(self._done.get(timeout=seconds))
                while True:
                    done.append(self._done.get_nowait())
            return bool(done)

        # Once the time is up the threads end too, and their errors say more.
        if not (self._task.wait_for(some) or some(_GRACE_SECONDS)):
            raise self._task.too_late(self._url)
        good = [future for future in done if not future.exception()]
        for future in done:
            if future not in good:
                if not good:
                    future.result()
                self._done.put(future)  # it raises the next time, so that no result is lost
        return [(self._pending.pop(future), future.result()) for future in good]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._task.give_up()  # whatever is still under way
        self._threads.shutdown(wait=False, cancel_futures=True)


def run_all(
    calls: Iterable[tuple[Key, Callable[[], Result]]], deadline: Deadline, url: str, size: int
) -> Iterator[tuple[Key, Result]]:
    """The results of functions, each with its key, in the order in which they come.

    Args:
        calls: the keys and the functions, taken from as threads become free.
        deadline: as of :class:`Pool`.
        url: likewise.
        size: likewise.

    Raises:
        OrbitConnectionError: the time is up.
        Exception: what a function raised.
    """
    todo = iter(calls)
    with Pool[Key, Result](deadline, url, size) as pool:
        while True:
            for key, function in islice(todo, pool.free):
                pool.submit(key, function)
            if pool.idle:
                return
            yield from pool.finished()
