"""Where an archive is: a file system, a path in it, and its name without credentials."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa

from apteco_frames.errors import ArchiveError, Hint
from apteco_frames.support.arguments import not_a

# A scheme, of which Windows' drives have one letter only. A slash may have been forgotten, or
# lost in a pathlib.Path: that is no folder of this machine.
_SCHEME = re.compile(r"([a-z][\w+.-]+:)(?=[/\\]|.*@)[/\\]*", re.IGNORECASE | re.DOTALL)

# The types of pyarrow's and fsspec's file systems whose topmost folders are buckets.
_OF_BUCKETS = re.compile(r"\b(s3|gs|gcs|abfs)\b")


def is_uri(root: str) -> bool:
    """Whether a text is a URI, perhaps a mistyped one, and no folder of this machine.

    >>> is_uri("s3://bucket/path"), is_uri("s3:/bucket/path"), is_uri("C:/path")
    (True, True, False)
    """
    return bool(_SCHEME.match(root))


def without_credentials(root: str) -> str:
    """A URI without its user, password and query, any of which may be secret.

    A secret need not be encoded as it should be, so all up to the last ``@`` goes.

    >>> without_credentials("s3://KEY:SEC/RET@bucket/path?session_token=TOKEN")
    's3://bucket/path'
    """
    scheme = _SCHEME.match(root)
    if not scheme:
        return re.sub(r"(?<=\w\w:).*@", "...@", root)  # of one that is mistyped otherwise
    path, _, query = root[scheme.end() :].partition("?")
    if "@" in query:  # perhaps a secret with a question mark: nobody can tell where it ends
        return f"{scheme[0]}..."
    user, _, host = path.rpartition("@")
    is_user = ":" in user or "/" not in user
    return f"{scheme[0]}{host if is_user else path}"


def redact(text: str) -> str:
    """A text without the credentials of the URIs in it.

    >>> redact("GET https://account.example/a?sig=SECRET: no rights")
    'GET https://account.example/a no rights'
    """
    return re.sub(r"\w+:/+\S+", lambda found: without_credentials(found[0]), text)


def require_filesystem(filesystem: Any) -> Any:
    """A file system of pyarrow or fsspec, as pyarrow's.

    Raises:
        TypeError: it is neither.
    """
    from pyarrow import fs

    handler = getattr(filesystem, "handler", None)
    if isinstance(handler, fs.FSSpecHandler):
        filesystem = handler.fs
    if isinstance(filesystem, fs.FileSystem):
        return filesystem
    fsspec = sys.modules.get("fsspec")  # who has one of its file systems has imported it
    if fsspec is None or not isinstance(filesystem, fsspec.AbstractFileSystem):
        raise not_a("filesystem= takes a file system of pyarrow.fs or fsspec", filesystem)
    if type(filesystem).__name__ == "LocalFileSystem":  # whose writes are not whole
        return fs.LocalFileSystem()
    from apteco_frames.storage.fsspec_handler import FsspecHandler

    return fs.PyFileSystem(FsspecHandler(filesystem))


def open_folder(root: str, filesystem: Any) -> Any:
    """The file system with the archive at its root.

    Args:
        root: a path in the file system, or a URI where there is none.
        filesystem: a ``pyarrow.fs.FileSystem``; None for the one that ``root`` names.

    Raises:
        ArchiveError: no file system is known by that name, or no bucket is named.
    """
    from pyarrow import fs

    given = root
    if filesystem is None:
        filesystem, root = _of_uri(root) if is_uri(root) else (fs.LocalFileSystem(), root)
    while isinstance(filesystem, fs.SubTreeFileSystem):
        root = f"{filesystem.base_path.rstrip('/')}/{root}"
        filesystem = filesystem.base_fs
    handler = getattr(filesystem, "handler", None)
    if isinstance(handler, fs.FSSpecHandler):  # as it calls what it lists
        root = handler.fs._strip_protocol(root)
    if not root.strip("/") and _OF_BUCKETS.search(filesystem.type_name):
        raise ArchiveError(
            f"No archive can be at {without_credentials(given)}, which names no bucket (or "
            "container). Name it, and a folder in it if you like: s3://bucket/path"
        )
    return fs.SubTreeFileSystem(root, filesystem)


def _of_uri(uri: str) -> tuple[Any, str]:
    """The file system that a URI names, and the path in it."""
    from pyarrow import fs

    given = uri
    if uri.startswith("s3://") and "allow_delayed_open" not in uri:
        # A file is one request then, and nothing is left over of an upload that was cut off.
        given += f"{'&' if '?' in uri else '?'}allow_delayed_open=true"
    try:
        return fs.FileSystem.from_uri(given)  # type: ignore[no-any-return]
    except (pa.ArrowException, OSError, ValueError, ImportError) as error:
        # No more of it, as it may repeat the URI with the credentials in it.
        reason = str(error).partition(":")[0]
        raise ArchiveError(
            f"No archive can be at {without_credentials(uri)} ({reason}).",
            hint=Hint.NAME_FILE_SYSTEM,
        ) from None


def local_folder(files: Any) -> Path | None:
    """The folder of this machine that a file system has at its root, if it is one."""
    return Path(files.base_path) if files.base_fs.type_name == "local" else None
