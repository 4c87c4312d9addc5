"""Files are put in place whole or not at all; what is no regular file is written straight into.

What stands at a path stays what it is: a symbolic link is followed, a device or a pipe gets
what is written, and a file keeps its mode and, where that is allowed, its owner and group.
A file that can be written but not replaced, as one that a container mounts, is written into.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

# How often a move or a removal is tried, and how long to wait in between: 2 seconds in all.
# On Windows nobody can replace a file that is open, and virus scanners open each new one.
_ATTEMPTS = 100
_PAUSE_SECONDS = 0.02

# An open file of this process: /dev/stdout leads to one, and shells name such for <(…).
_OPEN_FILE = re.compile(r"/(?:dev|proc/(?:self|thread-self|\d+))/fd/(\d+)")
_MOST_LINKS = 40

# What stands where a container mounts it (EBUSY), or is somebody else's in /tmp (EPERM): nobody
# can put another file in its place, but may write it. Windows has neither of an open file.
_IMMOVABLE = (errno.EBUSY, errno.EPERM)
_NO_NEIGHBOURS = (errno.EACCES, errno.EPERM, errno.EROFS)

_BINARY = getattr(os, "O_BINARY", 0)
_OPENED_BY_EXCEL = (".xlsx", ".csv")


def replace(target: Path, write: Callable[[Path], Any], *, mode: int = 0o666) -> None:
    """Write a file beside its place, then move it there in one step.

    A device, a pipe or an open file (``/dev/stdout``, ``/dev/fd/3``) gets the contents once
    they are whole.

    Args:
        target: the file to make or replace.
        write: called with the path of the part file to fill.
        mode: of a file that is not there yet, less what the umask takes away.

    Raises:
        OSError: the file cannot be written; an older one is still as it was.
    """
    with told_of(target):
        found = _found(target)
        number = _open_file(target)
        if number is not None or not (found is None or stat.S_ISREG(found.st_mode)):
            _write_into(target, number, found, write)
        else:
            _write_beside(target, found, write, mode)


@contextmanager
def told_of(target: Path) -> Iterator[None]:
    """Have errors name the file that was asked for, not the one that is written beside it."""
    try:
        yield
    except OSError as error:
        if error.filename == os.fspath(target):
            raise
        if error.errno is None:  # as polars' are
            raise OSError(f"{error}: {os.fspath(target)!r}") from None
        reason = os.strerror(error.errno)
        if isinstance(error, FileNotFoundError):
            has_folder = _followed(target).parent.is_dir()
            # What is missing besides is a folder for temporary files.
            reason = str(error.strerror) if has_folder else "Its folder does not exist"
        # Of the part file nobody has heard.
        raise OSError(error.errno, reason, os.fspath(target)) from None


def move(part: Path, target: Path) -> None:
    """Put a file in place that was written whole, in one step.

    It takes over mode, owner and group of the file that it replaces. Where that is open, the
    move is tried again for 2 seconds. A file that cannot be replaced at all is written into.

    Args:
        part: the file, in the same folder.
        target: where to; a symbolic link is followed.

    Raises:
        OSError: it cannot be put there; an older one is still as it was.
    """
    found, path = _found(target), _followed(target)
    if found is not None:
        _take_over(part, found)
    try:
        _patiently(lambda: part.replace(path))
    except OSError as error:
        if error.errno == errno.EXDEV:  # a link has led to another disk
            replace(path, lambda beside: shutil.copyfile(part, beside))
        elif error.errno in _IMMOVABLE and found is not None:
            shutil.copyfile(part, path)
        elif isinstance(error, PermissionError):
            program = "Excel" if path.suffix.lower() in _OPENED_BY_EXCEL else "another program"
            reason = f"It cannot be replaced: is it open in {program}?"
            raise PermissionError(error.errno, reason, os.fspath(target)) from None
        else:
            raise
        remove(part)


def remove(path: Path) -> None:
    """Remove a file, if it is there; where it is open, try again for 2 seconds.

    Raises:
        OSError: it cannot be removed.
    """
    _patiently(lambda: path.unlink(missing_ok=True))


def sync(path: Path) -> None:
    """Wait until the contents of a file are on the disk."""
    with path.open("r+b") as file:  # Windows syncs nothing that is open for reading alone
        os.fsync(file.fileno())


def _patiently(step: Callable[[], Any]) -> None:
    for _ in range(_ATTEMPTS):
        try:
            step()
            return
        except PermissionError as error:
            if error.errno in _IMMOVABLE:
                raise
        time.sleep(_PAUSE_SECONDS)
    step()


def _found(target: Path) -> os.stat_result | None:
    """What stands at a path, or where links lead to; None if nothing does."""
    try:
        return target.stat()
    except FileNotFoundError:
        return None


def _followed(target: Path) -> Path:
    """Where a symbolic link leads to, be anything there or not."""
    return Path(os.path.realpath(target)) if target.is_symlink() else target


def _open_file(target: Path) -> int | None:
    """The number of the open file of this process that a path stands for, if it does."""
    at = target
    for _ in range(_MOST_LINKS):
        at = Path(os.path.abspath(at))  # noqa: PTH100 - pathlib's leaves ".." in it
        number = _OPEN_FILE.fullmatch(at.as_posix())
        if number:
            return int(number[1])
        try:
            at = at.parent / at.readlink()
        except OSError:  # it is no link
            break
    return None


def _write_into(
    target: Path,
    number: int | None,
    found: os.stat_result | None,
    write: Callable[[Path], Any],
) -> None:
    """Write what is no regular file, or is open already: so that it stays what it is."""
    if found is not None and stat.S_ISDIR(found.st_mode):
        reason = "It is a folder: name a file in it"
        raise IsADirectoryError(errno.EISDIR, reason, os.fspath(target))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        # Whole at first, as some formats are not written from start to end.
        whole = Path(folder, "whole")
        write(whole)
        if number is not None and sys.stdout is not None:
            sys.stdout.flush()  # what was printed before comes before
        flags = os.O_WRONLY | os.O_TRUNC | _BINARY
        sink = os.dup(number) if number is not None else os.open(target, flags)
        with open(sink, "wb") as into, whole.open("rb") as source:
            shutil.copyfileobj(source, into)


def _write_beside(
    target: Path, found: os.stat_result | None, write: Callable[[Path], Any], mode: int
) -> None:
    as_effective = os.access in os.supports_effective_ids
    if found is not None and not os.access(target, os.W_OK, effective_ids=as_effective):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    # Without the name, which may be as long as the file system allows.
    part = _followed(target).with_name(f".{uuid.uuid4().hex}.part")
    # Nobody else reads what is to replace a file that nobody else could read.
    mode = mode if found is None else mode & 0o600
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
    except OSError as error:
        if found is None or error.errno not in _NO_NEIGHBOURS:
            raise
        _write_into(target, None, found, write)
        return
    try:
        write(part)
        sync(part)
        move(part, target)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _take_over(part: Path, found: os.stat_result) -> None:
    """Give a file the mode and, where that is allowed, the owner and group of another."""
    if not hasattr(os, "chown"):
        return
    mine = part.stat()
    mode = stat.S_IMODE(found.st_mode) & 0o777
    if (mine.st_uid, mine.st_gid) != (found.st_uid, found.st_gid):
        try:
            os.chown(part, found.st_uid, found.st_gid)
        except OSError:
            try:
                os.chown(part, -1, found.st_gid)
            except OSError:
                mode = mode & ~0o070 | (mode & 0o007) << 3  # another group may do what all may
    with suppress(OSError):  # some file systems have no modes
        part.chmod(mode)
