"""File systems of fsspec, as pyarrow asks them: with their times, whole files, and plain errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pyarrow as pa
from pyarrow import fs

_TIMES = ("mtime", "LastModified", "last_modified", "updated", "modified", "created")


class FsspecHandler(fs.FSSpecHandler):  # type: ignore[misc]
    """What pyarrow calls; it knows fewer times, and writes a file in several steps.

    Whatever a file system's own library raises is an ``OSError``.
    """

    def get_file_info(self, paths: list[str]) -> list[Any]:
        """What is there."""
        return [self._info(path) for path in paths]

    def _info(self, path: str) -> Any:
        with _plain_errors():
            try:
                return _told(path, self.fs.info(path))
            except FileNotFoundError:
                return fs.FileInfo(path, fs.FileType.NotFound)

    def get_file_info_selector(self, selector: Any) -> list[Any]:
        """The files in a folder, and below it."""
        with _plain_errors():
            self.fs.invalidate_cache()  # s3fs keeps lists for as long as it lives
            try:
                found = self.fs.find(selector.base_dir, detail=True)
            except FileNotFoundError:
                return []
            if any("%3d" in name.lower() for name in found):  # "=", which no other name of ours has
                raise OSError("It lists names percent-encoded, as web servers do")
            # Under the path that was asked for: some file systems give another form of it.
            base = selector.base_dir.rstrip("/")
            below = len(base.strip("/"))
            return [_told(base + "/" + p.strip("/")[below:].lstrip("/"), found[p]) for p in found]

    def open_input_stream(self, path: str) -> Any:
        """The bytes of a file; others may share what ``open()`` gives."""
        with _plain_errors():
            return pa.BufferReader(self.fs.cat_file(path))

    def open_output_stream(self, path: str, metadata: Any) -> Any:
        """Takes the bytes of a file, and writes them when it is closed."""
        return pa.PythonFile(_Sink(self.fs, path), mode="w")

    def create_dir(self, path: str, recursive: bool) -> None:
        """Make a folder."""
        with _plain_errors():
            super().create_dir(path, recursive)

    def delete_file(self, path: str) -> None:
        """Remove a file."""
        with _plain_errors():
            super().delete_file(path)


class _Sink(BytesIO):
    def __init__(self, files: Any, path: str) -> None:
        super().__init__()
        self._files, self._path = files, path

    def close(self) -> None:
        if not self.closed:
            whole = self.getvalue()
            super().close()  # whatever comes of it: it is closed again when it is forgotten
            with _plain_errors():
                self._files.pipe_file(self._path, whole)


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except OSError:
        raise
    except Exception as error:  # of whatever library it is made with
        raise OSError(f"{type(error).__name__}: {error}") from None


def _told(path: str, info: Mapping[str, Any]) -> Any:
    """What a file system says about a file; each calls its time by another name."""
    kinds = {"file": fs.FileType.File, "directory": fs.FileType.Directory}
    kind = kinds.get(str(info.get("type")), fs.FileType.Unknown)
    times = (info.get(name) for name in _TIMES)
    at = next((time for time in times if isinstance(time, int | float | datetime)), None)
    if isinstance(at, datetime):
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    size = info.get("size")
    # A web server's lists have no sizes: what is there is not taken for empty.
    return fs.FileInfo(path, kind, size=1 if size is None else size, mtime=at)
