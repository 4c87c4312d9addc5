"""Files are put in place whole or not at all, whatever they are called."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from apteco_frames.demo import holidays
from apteco_frames.support import files

WRITES: dict[str, Callable[[Path], object]] = {
    "html": lambda path: holidays().write_html(path),
    "xlsx": lambda path: holidays().write_excel(path),
    "parquet": lambda path: holidays().tables.write_parquet(path),
    "csv": lambda path: holidays().tables.write_csv(path),
}


@pytest.mark.parametrize("suffix", WRITES)
def test_names_as_long_as_a_file_system_allows(tmp_path: Path, suffix: str) -> None:
    """A name of 255 bytes is taken, and replaced; a longer one leaves nothing behind."""
    room = 255 - len(f".{suffix}")
    target = tmp_path / f"{'é' * (room // 2)}{'x' * (room % 2)}.{suffix}"
    assert len(target.name.encode()) == 255
    for _ in range(2):
        assert WRITES[suffix](target) == target
    assert list(tmp_path.iterdir()) == [target]
    with pytest.raises(OSError, match="name too long"):
        WRITES[suffix](target.with_name(f"x{target.name}"))
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("suffix", [suffix for suffix in WRITES if suffix != "csv"])
def test_an_error_names_the_file_that_was_asked_for(tmp_path: Path, suffix: str) -> None:
    """Where a file cannot be made, the error says which: not the one beside its place."""
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    for name in (f"missing/a.{suffix}", f"file/a.{suffix}", "folder"):
        target = tmp_path / name
        with pytest.raises(OSError, match=re.escape(f"{str(target)!r}")) as error:
            WRITES[suffix](target)
        assert ".part" not in str(error.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    """The older file stays as it was, and nothing is left beside it."""

    def fail(part: Path) -> None:
        part.write_bytes(b"half")
        raise ValueError("stop")

    target = tmp_path / "a.csv"
    target.write_bytes(b"old")
    with pytest.raises(ValueError, match="stop"):
        files.replace(target, fail)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.csv", b"old")]
