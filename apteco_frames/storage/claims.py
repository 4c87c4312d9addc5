"""Who is adding what to an archive: one at a time for each system and build date.

Whoever adds first puts a claim beside the data: a small file that says what it is going to
write. The one claim at a time is had without locks and without renaming, from no more than
that a file, once written, is listed. Of two that see each other, the one whose name comes
later withdraws; one that was seen, but has not seen, is waited for.

A claim is dead if its program was killed: on the same machine that is seen at once, where
there is a ``/proc``; elsewhere, ten minutes after it was made, by the clock of the file
system. Who has taken half of that does not finish. Whoever adds next removes what a dead
claim names.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from apteco_frames.errors import ArchiveError

FOLDER = "adding"
"""Where claims and unfinished files are: apart from what other programs read."""

SECONDS = 600.0
"""After how long a claim of a program that cannot be seen is dead."""

_SUFFIX = ".claim"
_SOON = 10.0
_PAUSE = 0.05
_PROCESSES = Path("/proc")


class Claim(NamedTuple):
    """What one program is adding, or was when it was killed.

    Attributes:
        key: of what: hexadecimal digits, the same for the same system and build date.
        machine: where the program runs.
        process: its number there.
        born: when it began, in the machine's own counting.
        ident: the claim's own name; the files that it is about have it, too.
        made: when it was made, in seconds of the file system's clock.
    """

    key: str
    machine: str
    process: str
    born: str
    ident: str
    made: float

    @property
    def path(self) -> str:
        """The path of its file."""
        return f"{FOLDER}/{'.'.join(self[:-1])}{_SUFFIX}"

    def is_dead(self, now: float) -> bool:
        """Whether nobody is going to finish it.

        Args:
            now: seconds of the file system's clock.
        """
        if now - self.made > SECONDS:
            return True
        return self.machine == _machine() and _born(self.process) != self.born


class Held(NamedTuple):
    """A claim that was made, and the time since."""

    claim: Claim
    since: float

    @property
    def elapsed(self) -> float:
        """Seconds since it was made."""
        return time.monotonic() - self.since

    @property
    def now(self) -> float:
        """The file system's clock, in seconds."""
        return self.claim.made + self.elapsed

    def check(self) -> None:
        """See that there is still time to finish.

        Raises:
            ArchiveError: there is not.
        """
        if self.elapsed > SECONDS / 2:
            raise ArchiveError(
                f"Adding took more than {SECONDS / 2:.0f} seconds, after which another program "
                "may take what is not finished for left over. Nothing was added. Try again, "
                "nearer to where the archive is kept."
            )


@contextmanager
def alone(files: Any, what: str, notes: Sequence[str]) -> Iterator[Held]:
    """Hold the one claim to something; wait for others that hold it.

    Args:
        files: a ``pyarrow.fs`` file system, the archive at its root.
        what: names what is claimed.
        notes: what whoever clears needs to know, if this program is killed.

    Raises:
        OSError: the claim cannot be written.
    """
    key = sha256(what.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    while True:
        held = _make(files, key, json.dumps(list(notes)).encode())
        try:
            rivals = {c for c in living(files, held.now) if c.key == key} - {held.claim}
            if all(held.claim.ident < rival.ident for rival in rivals):
                _wait(files, rivals, held)
                if held.elapsed < _SOON:
                    yield held
                    return
        finally:
            remove(files, held.claim.path)
        _wait(files, {rival for rival in rivals if rival.ident < held.claim.ident}, held)


def living(files: Any, now: float) -> list[Claim]:
    """The claims of programs that may still finish."""
    return [claim for claim in _claims(files) if not claim.is_dead(now)]


def dead(files: Any, now: float) -> list[tuple[Claim, list[str]]]:
    """The claims that nobody is going to finish, each with its notes."""
    found = [claim for claim in _claims(files) if claim.is_dead(now)]
    return [(claim, _notes(files, claim)) for claim in found]


def remove(files: Any, path: str) -> None:
    """Remove a file, unless somebody else has."""
    try:
        files.delete_file(path)
    except FileNotFoundError:
        return


def _make(files: Any, key: str, content: bytes) -> Held:
    born = _born(str(os.getpid()))
    claim = Claim(key, _machine(), str(os.getpid()), born, uuid.uuid4().hex, 0.0)
    since = time.monotonic()
    files.create_dir(FOLDER, recursive=True)
    with files.open_output_stream(claim.path) as sink:
        sink.write(content)
    (info,) = files.get_file_info([claim.path])
    return Held(claim._replace(made=info.mtime_ns / 1e9), since)


def _claims(files: Any) -> Iterator[Claim]:
    from pyarrow.fs import FileSelector

    for info in files.get_file_info(FileSelector(FOLDER, allow_not_found=True)):
        parts = info.base_name.removesuffix(_SUFFIX).split(".")
        if info.base_name.endswith(_SUFFIX) and len(parts) == len(Claim._fields) - 1:
            # One that went while they were listed has no time.
            yield Claim(*parts, (info.mtime_ns or 0) / 1e9)  # type: ignore[call-arg]


def _notes(files: Any, claim: Claim) -> list[str]:
    try:
        with files.open_input_stream(claim.path) as source:
            return list(json.loads(source.read()))
    except (FileNotFoundError, ValueError):
        return []  # removed by another; or cut off, and then nothing else was written


def _wait(files: Any, rivals: set[Claim], held: Held) -> None:
    """Wait until claims are removed or dead."""
    while rivals:
        rivals = rivals.intersection(living(files, held.now))
        time.sleep(_PAUSE if rivals else 0)


@cache
def _machine() -> str:
    """Tells one running machine, or one container of processes, from another."""
    try:
        boot = (_PROCESSES / "sys/kernel/random/boot_id").read_text(encoding="ascii")
        return sha256(f"{boot}{(_PROCESSES / 'self/ns/pid').readlink()}".encode()).hexdigest()[:16]
    except OSError:
        return uuid.uuid4().hex[:16]


def _born(process: str) -> str:
    """When a process of this machine began; empty if it is not there, or nobody can say."""
    try:
        stat = (_PROCESSES / process / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    state, *fields = stat.rpartition(")")[2].split()
    return "" if state in "ZX" else fields[18]
