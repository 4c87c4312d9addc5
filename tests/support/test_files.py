"""Files are put in place whole or not at all, whatever they are called and stand in place of."""

from __future__ import annotations

import errno
import gc
import os
import re
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from string import ascii_letters
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from strategies import catalogue_of, table_item, variable_item

from apteco_frames import Archive, Catalogue, errors
from apteco_frames.demo import holidays
from apteco_frames.support import files

WRITES: dict[str, Callable[[Path], object]] = {
    "html": lambda path: holidays().write_html(path),
    "xlsx": lambda path: holidays().write_excel(path),
    "parquet": lambda path: holidays().tables.write_parquet(path),
    "csv": lambda path: holidays().tables.write_csv(path),
}
MAGIC = {"html": b"<!doctype html>", "xlsx": b"PK", "parquet": b"PAR1", "csv": b'"name"'}


def changed() -> Catalogue:
    """The Holidays catalogue with another description and without folders."""
    whole = holidays()
    info = whole.system_info._replace(description="changed")
    return Catalogue(info, whole.tables, whole.variables, whole.codes)


posix = pytest.mark.skipif(sys.platform == "win32", reason="has no such files")


@posix
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


@pytest.mark.parametrize("suffix", WRITES)
def test_an_error_names_the_file_that_was_asked_for(tmp_path: Path, suffix: str) -> None:
    """Where a file cannot be made, the error says which, and why: not the one beside its place."""
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    reasons = {
        f"missing/a.{suffix}": "Its folder does not exist",
        f"file/a.{suffix}": "",
        "folder": "It is a folder",
    }
    for name, reason in reasons.items():
        target = tmp_path / name
        with pytest.raises(OSError, match=re.escape(f"{str(target)!r}")) as error:
            WRITES[suffix](target)
        assert reason in str(error.value)
        assert ".part" not in str(error.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@posix
@pytest.mark.parametrize("suffix", WRITES)
def test_no_name_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    """An empty text is no path, and the current folder is no file."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"write_\w+\(\) takes a path, not an empty text"):
        WRITES[suffix]("")  # type: ignore[arg-type]
    for text in ("a\0b", "a\ud800b"):
        with pytest.raises(ValueError, match=r"write_\w+\(\) takes a path, and 'a.*no path has"):
            WRITES[suffix](text)  # type: ignore[arg-type]
    with pytest.raises(IsADirectoryError, match=r"name a file in it: '\.'"):
        WRITES[suffix](Path())
    assert list(tmp_path.iterdir()) == []


def test_a_catalogue_needs_a_folder(tmp_path: Path) -> None:
    """A file where a catalogue's folder should be is named, and stays."""
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(NotADirectoryError, match=r"It is no folder: .*file'"):
        holidays().write_parquet(tmp_path / "file")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"
    with pytest.raises(ValueError, match="takes a path, not an empty text"):
        holidays().write_parquet("")


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


# What stands there stays what it is


@posix
@pytest.mark.parametrize("suffix", WRITES)
@pytest.mark.parametrize("there", [True, False], ids=["a file", "nothing"])
def test_links_are_followed(tmp_path: Path, suffix: str, there: bool) -> None:
    """A chain of links stays one, and leads to what was written, was anything there or not."""
    (tmp_path / "links").mkdir()
    (tmp_path / "files").mkdir()
    target = tmp_path / "files" / f"a.{suffix}"
    if there:
        target.write_bytes(b"old")
    first, second = tmp_path / "links" / "first", tmp_path / "links" / "second"
    second.symlink_to("../files/" + target.name)
    first.symlink_to(second)
    assert WRITES[suffix](first) == first
    assert (first.readlink(), second.readlink()) == (second, Path("../files", target.name))
    assert target.read_bytes().startswith(MAGIC[suffix])
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    assert len(list(first.parent.iterdir())) == 2


@posix
def test_links_that_lead_nowhere(tmp_path: Path) -> None:
    """A circle of links, and a link into a folder that is not there, are errors and stay."""
    circle, lost = tmp_path / "circle", tmp_path / "lost"
    circle.symlink_to(circle)
    lost.symlink_to("missing/a.csv")
    with pytest.raises(OSError, match=re.escape(f"{str(circle)!r}")):
        WRITES["csv"](circle)
    with pytest.raises(FileNotFoundError, match=r"Its folder does not exist: .*lost"):
        WRITES["csv"](lost)
    assert sorted(tmp_path.iterdir()) == [circle, lost]


@posix
@pytest.mark.parametrize("suffix", WRITES)
@pytest.mark.parametrize("mode", [0o600, 0o664, 0o640, 0o755], ids=oct)
def test_modes_are_kept(tmp_path: Path, suffix: str, mode: int) -> None:
    """A file that is replaced keeps its mode; a new one has that of any new file."""
    target = tmp_path / f"a.{suffix}"
    WRITES[suffix](target)
    (tmp_path / "new").touch()
    assert target.stat().st_mode == (tmp_path / "new").stat().st_mode
    target.chmod(mode)
    WRITES[suffix](target)
    assert stat.S_IMODE(target.stat().st_mode) == mode


@posix
def test_nobody_reads_a_private_file_meanwhile(tmp_path: Path) -> None:
    """What is to replace a file of mode 600 is never open to others, while it is written either."""
    modes = []

    def write(part: Path) -> None:
        part.write_bytes(b"new")
        modes.append(stat.S_IMODE(part.stat().st_mode))

    target = tmp_path / "a"
    target.touch(0o600)
    files.replace(target, write)
    assert modes == [0o600]


@posix
@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="needs root")
def test_owner_and_group_are_kept(tmp_path: Path) -> None:
    """Root may keep another's file theirs, and does."""
    target = tmp_path / "a.csv"
    target.touch(0o640)
    os.chown(target, 4711, 4712)
    WRITES["csv"](target)
    found = target.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (4711, 4712, 0o640)


@posix
def test_another_group_gets_no_more_than_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the group cannot be kept, the file's own group gets what everybody has."""

    def refuse(*_given: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    target = tmp_path / "a.csv"
    target.touch()
    if os.getuid() == 0:
        os.chown(target, -1, 4712)
        target.chmod(0o664)
        monkeypatch.setattr(os, "chown", refuse)
        WRITES["csv"](target)
        assert stat.S_IMODE(target.stat().st_mode) == 0o644
    else:
        pytest.skip("needs root, to have a file of another group")


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """A folder of somebody who is not root, who is at work."""
    with TemporaryDirectory() as folder:
        if os.getuid() != 0:
            yield Path(folder)
            return
        for write in WRITES.values():
            write(Path(os.devnull))  # imports what somebody else may not be able to read
        os.chown(folder, 4711, 4711)
        os.seteuid(4711)
        try:
            yield Path(folder)
        finally:
            os.seteuid(0)


@posix
def test_a_file_that_may_not_be_written_stays(as_nobody: Path) -> None:
    """A file that its owner protects is not replaced."""
    target = as_nobody / "a.csv"
    target.write_bytes(b"mine")
    target.chmod(0o444)
    with pytest.raises(PermissionError, match=r"Permission denied: .*a\.csv"):
        WRITES["csv"](target)
    assert [(path, path.read_bytes()) for path in as_nobody.iterdir()] == [(target, b"mine")]


@posix
# A page is made of files of the package, which somebody else may not be able to read.
@pytest.mark.parametrize("suffix", sorted(WRITES.keys() - {"html"}))
def test_a_file_in_a_folder_that_is_not_ours(as_nobody: Path, suffix: str) -> None:
    """Where no file can be put beside it, a file that may be written is written into."""
    target = as_nobody / f"a.{suffix}"
    target.write_bytes(b"old" * 1_000_000)
    inode = target.stat().st_ino
    as_nobody.chmod(0o555)
    try:
        WRITES[suffix](target)
        with pytest.raises(PermissionError, match=r"Permission denied: .*another"):
            WRITES[suffix](target.with_name(f"another.{suffix}"))
    finally:
        as_nobody.chmod(0o755)
    assert target.read_bytes().startswith(MAGIC[suffix])
    assert target.stat().st_ino == inode
    assert target.stat().st_size < 1_000_000
    assert list(as_nobody.iterdir()) == [target]


@posix
@pytest.mark.parametrize("code", [errno.EBUSY, errno.EPERM], ids=errno.errorcode.get)
def test_what_cannot_be_replaced_is_written_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """As a file that a container mounts, or somebody else's in /tmp; nobody waits for it."""

    def refuse(source: Any, target: Any, **_given: Any) -> None:
        raise OSError(code, os.strerror(code), source, None, target)

    monkeypatch.setattr(os, "replace", refuse)
    monkeypatch.setattr(os, "rename", refuse)
    monkeypatch.setattr("time.sleep", lambda _seconds: pytest.fail("waits"))
    for suffix, write in WRITES.items():
        target = tmp_path / f"a.{suffix}"
        target.write_bytes(b"old")
        inode = target.stat().st_ino
        write(target)
        assert target.read_bytes().startswith(MAGIC[suffix])
        assert target.stat().st_ino == inode
    assert {path.name for path in tmp_path.iterdir()} == {f"a.{suffix}" for suffix in WRITES}


@posix
@pytest.mark.parametrize("suffix", WRITES)
def test_a_pipe_gets_what_is_written(tmp_path: Path, suffix: str) -> None:
    """A FIFO stays one, and its reader gets the whole, by a link, too."""
    fifo, link = tmp_path / "fifo", tmp_path / "link"
    os.mkfifo(fifo)
    link.symlink_to(fifo)
    for path in (fifo, link):
        read: list[bytes] = []
        reader = threading.Thread(target=lambda read=read: read.append(fifo.read_bytes()))
        reader.start()
        assert WRITES[suffix](path) == path
        reader.join(60)
        assert read[0].startswith(MAGIC[suffix])
        assert len(read[0]) > 500
    assert stat.S_ISFIFO(fifo.stat().st_mode)
    assert sorted(tmp_path.iterdir()) == [fifo, link]


@posix
@pytest.mark.parametrize("suffix", WRITES)
def test_devices_stay_devices(tmp_path: Path, suffix: str) -> None:
    """What is written to a device is gone, or refused by it; the device is there as before."""
    null = tmp_path / "null"
    null.symlink_to(os.devnull)
    before = os.lstat(os.devnull)
    for path in (Path(os.devnull), null):
        assert WRITES[suffix](path) == path
    after = os.lstat(os.devnull)
    assert (after.st_ino, after.st_mode, after.st_rdev) == (
        before.st_ino,
        before.st_mode,
        before.st_rdev,
    )
    full = Path("/dev/full")
    if full.exists():
        with pytest.raises(OSError, match="/dev/full") as error:
            WRITES[suffix](full)
        assert error.value.errno == errno.ENOSPC
        assert stat.S_ISCHR(full.stat().st_mode)


@posix
@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="open files have no paths")
@pytest.mark.parametrize("suffix", WRITES)
def test_open_files_get_what_is_written(tmp_path: Path, suffix: str) -> None:
    """``/dev/fd/N`` is the open file, which goes on from where it is, be it a pipe or a file."""
    path = tmp_path / "log"
    with path.open("ab") as log:
        log.write(b"before")
        log.flush()
        WRITES[suffix](Path(f"/dev/fd/{log.fileno()}"))
        log.write(b"after")
    whole = path.read_bytes()
    assert whole.startswith(b"before" + MAGIC[suffix])
    assert whole.endswith(b"after")
    assert list(tmp_path.iterdir()) == [path]


@posix
@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="standard output has no path")
def test_standard_output_is_not_replaced(capfd: pytest.CaptureFixture[str]) -> None:
    """``/dev/stdout`` gets the rows after what was printed before, by a link to it, too."""
    print("before")
    WRITES["csv"](Path("/dev/stdout"))
    print("after")
    out, _ = capfd.readouterr()
    assert out.startswith('before\n"name"')
    assert out.endswith("after\n")


@posix
def test_a_saved_catalogue_keeps_links_and_modes(tmp_path: Path) -> None:
    """The files of a catalogue may be links, and keep their modes as others do."""
    holidays().write_parquet(tmp_path / "saved")
    tables, codes = tmp_path / "saved/tables.parquet", tmp_path / "saved/codes.parquet"
    tables.rename(tmp_path / "elsewhere.parquet")
    tables.symlink_to("../elsewhere.parquet")
    codes.chmod(0o600)
    changed().write_parquet(tmp_path / "saved")
    assert tables.readlink() == Path("../elsewhere.parquet")
    assert stat.S_IMODE(codes.stat().st_mode) == 0o600
    assert Catalogue.read_parquet(tmp_path / "saved").system_info.description == "changed"


@posix
def test_a_pipe_in_a_catalogue_is_no_catalogue(tmp_path: Path) -> None:
    """A FIFO among the files of a catalogue is an error, and nobody waits for it."""
    os.mkfifo(tmp_path / "tables.parquet")
    with pytest.raises(errors.SnapshotError, match=r"tables\.parquet"):
        Catalogue.read_parquet(tmp_path)
    with pytest.raises(errors.SnapshotError, match="it was not changed"):
        holidays().write_parquet(tmp_path)
    assert stat.S_ISFIFO((tmp_path / "tables.parquet").stat().st_mode)


# A disk that is full


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file can be larger than that: what comes after is refused as by a full disk."""
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def incompressible() -> Catalogue:
    """A catalogue whose workbook is larger than each of the sheets that it is made of."""
    random = Random(1)
    one, two, three = ("".join(random.choices(ascii_letters, k=30_000)) for _ in range(3))
    table = table_item(singularDisplayName=one)
    return catalogue_of([table], [variable_item(description=two)], description=three)


@posix
@pytest.mark.parametrize("size", [500, 20_000])
@pytest.mark.parametrize("suffix", WRITES)
def test_a_full_disk(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], suffix: str, size: int
) -> None:
    """It is an error that names the file; nothing is left behind, and nothing else is said."""
    catalogue = incompressible()
    writes: dict[str, Callable[[Path], object]] = {
        "html": catalogue.write_html,
        "xlsx": catalogue.write_excel,
        "parquet": catalogue.variables.write_parquet,
        "csv": catalogue.variables.write_csv,
    }
    target = tmp_path / f"a.{suffix}"
    target.write_bytes(b"old")
    with room_for(size), pytest.raises(OSError, match=f"too large.*{re.escape(repr(str(target)))}"):
        writes[suffix](target)
    gc.collect()
    assert [(path, path.read_bytes()) for path in tmp_path.iterdir()] == [(target, b"old")]
    assert capfd.readouterr() == ("", "")


@posix
def test_a_full_disk_for_a_catalogue_and_an_archive(tmp_path: Path) -> None:
    """The error names a file that somebody has heard of, and no part of one is left."""
    saved, root = tmp_path / "saved", tmp_path / "archive"
    with room_for(500), pytest.raises(OSError, match=r"too large: '.*/saved/\w+\.parquet'"):
        incompressible().write_parquet(saved)
    with room_for(500), pytest.raises(OSError, match=r"too large: '.*/archive/tables/"):
        Archive(root).add(incompressible())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@posix
def test_a_full_disk_at_the_end_of_a_workbook(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Where the sheets fit, but not the workbook, XlsxWriter's archive complains of nothing."""
    with room_for(45_000), pytest.raises(OSError, match="too large"):
        incompressible().write_excel(tmp_path / "a.xlsx")
    gc.collect()
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


# As on Windows


@pytest.fixture
def syncs_what_is_writable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is synced that is open for reading alone."""
    import fcntl

    sync = os.fsync

    def fsync(number: Any) -> None:
        if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        sync(number)

    monkeypatch.setattr(os, "fsync", fsync)


@posix
@pytest.mark.usefixtures("syncs_what_is_writable")
def test_what_is_synced_can_be_written(tmp_path: Path) -> None:
    """Everything can be written where a file that is open for reading cannot be synced."""
    for suffix, write in WRITES.items():
        write(tmp_path / f"a.{suffix}")
    holidays().write_parquet(tmp_path / "saved")
    assert Catalogue.read_parquet(tmp_path / "saved") == holidays()


class Held:
    """Refuses to replace files for some time, as Windows does while others have them open."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, refusals: int) -> None:
        self.left = refusals
        self.waited = 0.0
        self._replace = os.replace
        monkeypatch.setattr(os, "replace", self.replace)
        monkeypatch.setattr(os, "rename", self.replace)
        monkeypatch.setattr("time.sleep", self.sleep)

    def replace(self, source: Any, target: Any, **given: Any) -> None:
        if self.left:
            self.left -= 1
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), source, None, target)
        self._replace(source, target, **given)

    def sleep(self, seconds: float) -> None:
        self.waited += seconds


def test_a_move_waits_for_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What somebody else holds open for a moment is replaced after that, whoever writes it."""
    saved = tmp_path / "saved"
    writes: list[Callable[[], object]] = [
        *(lambda s=s: WRITES[s](tmp_path / f"a.{s}") for s in WRITES),
        lambda: holidays().write_parquet(saved),
        lambda: holidays().write_parquet(saved),
    ]
    for write in writes:
        with monkeypatch.context() as patched:
            held = Held(patched, 10)
            write()
            assert held.left == 0
            assert 0 < held.waited < 2
    assert Catalogue.read_parquet(saved) == holidays()


@pytest.mark.parametrize("suffix", WRITES)
def test_what_is_never_let_go_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    """After 2 seconds it is an error that says what to do, and the older file is as it was."""
    target = tmp_path / f"a.{suffix}"
    target.write_bytes(b"old")
    held = Held(monkeypatch, 1_000_000)
    program = "Excel" if suffix in ("xlsx", "csv") else "another program"
    with pytest.raises(PermissionError, match=rf"is it open in {program}\?: ") as error:
        WRITES[suffix](target)
    assert error.value.filename == str(target)
    assert held.waited == pytest.approx(2)
    assert [(path, path.read_bytes()) for path in tmp_path.iterdir()] == [(target, b"old")]


@posix
def test_links_to_another_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of a catalogue that is a link to another disk is written there."""
    saved, elsewhere = tmp_path / "saved", tmp_path / "elsewhere"
    elsewhere.mkdir()
    holidays().write_parquet(saved)
    (saved / "codes.parquet").rename(elsewhere / "codes.parquet")
    (saved / "codes.parquet").symlink_to(elsewhere / "codes.parquet")
    replace = os.replace

    def within_a_disk(source: Any, target: Any, **given: Any) -> None:
        if (Path(source).parent == saved) != (Path(target).parent == saved):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        replace(source, target, **given)

    monkeypatch.setattr(os, "replace", within_a_disk)
    monkeypatch.setattr(os, "rename", within_a_disk)
    changed().write_parquet(saved)
    assert (saved / "codes.parquet").is_symlink()
    assert Catalogue.read_parquet(saved) == changed()
    assert list(elsewhere.iterdir()) == [elsewhere / "codes.parquet"]
    assert not list(saved.glob(".*"))
