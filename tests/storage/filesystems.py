"""File systems that lack something, over a folder of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pyarrow import fs


class Handler(fs.FileSystemHandler):  # type: ignore[misc]
    """A file system that can list, read and write, and nothing else; it notes what is asked.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.inner = fs.SubTreeFileSystem(str(root), fs.LocalFileSystem())
        self.asked: list[tuple[str, str]] = []

    def at(self, path: str) -> str:
        """Where a path leads to."""
        return path

    def _ask(self, what: str, path: str) -> str:
        self.asked.append((what, path))
        return self.at(path)

    def get_type_name(self) -> str:
        return "lacking"

    def normalize_path(self, path: str) -> str:
        return path

    def get_file_info(self, paths: list[str]) -> Any:
        return [self._info(path) for path in paths]

    def _info(self, path: str) -> Any:
        (info,) = self.inner.get_file_info([self._ask("look", path)])
        return fs.FileInfo(path, info.type, size=info.size, mtime_ns=info.mtime_ns)

    def get_file_info_selector(self, selector: Any) -> Any:
        folder = self._ask("list", selector.base_dir)
        return self.inner.get_file_info(
            fs.FileSelector(folder, selector.allow_not_found, selector.recursive)
        )

    def create_dir(self, path: str, recursive: bool) -> None:
        self.inner.create_dir(self.at(path), recursive=recursive)

    def open_input_stream(self, path: str) -> Any:
        return self.inner.open_input_stream(self._ask("read", path))

    def open_input_file(self, path: str) -> Any:
        return self.inner.open_input_file(self._ask("read", path))

    def open_output_stream(self, path: str, metadata: Any) -> Any:
        return self.inner.open_output_stream(self._ask("write", path), metadata=metadata)

    def not_there(self, *arguments: Any) -> Any:
        raise NotImplementedError

    move = delete_file = delete_dir = delete_dir_contents = not_there
    delete_root_dir_contents = copy_file = open_append_stream = not_there


class NoCase(Handler):
    """It does not tell small letters from capital ones, as on Windows and macOS."""

    def at(self, path: str) -> str:
        return path.lower()


class Windows(NoCase):
    """Names lose dots and blanks at their ends, and some are devices."""

    def at(self, path: str) -> str:
        names = [name.rstrip(". ") for name in super().at(path).split("/")]
        if any(
            name.split(".")[0] in ("con", "nul", "aux", "prn", "com1", "lpt1") for name in names
        ):
            raise OSError(f"a device: {path}")
        if any(character in path for character in '<>:"\\|?*'):
            raise OSError(f"no name: {path}")
        return "/".join(names)


class Deleting(Handler):
    """It can remove files as well, but not move them."""

    def delete_file(self, path: str) -> None:
        self.inner.delete_file(self._ask("delete", path))


def lacking(handler: Handler) -> Any:
    """The file system of a handler."""
    return fs.PyFileSystem(handler)
