"""The file of accepted changes, which ``archive check`` reads, and writes with ``--accept``."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from apteco_frames.cli import configuration
from apteco_frames.cli.messages import say
from apteco_frames.support.text import truncate

if TYPE_CHECKING:
    from apteco_frames.analysis.acceptance import Accepted
    from apteco_frames.changes import Changes


class AcceptedFile:
    """Accepted changes, and what became of them in a check.

    Args:
        path: the file; ``accepted.toml`` beside the profiles if None.

    Attributes:
        has_unused: whether one fits nothing any more.
    """

    def __init__(self, path: Path | None) -> None:
        from apteco_frames.analysis.acceptance import read

        self._path = path or configuration.default_folder() / "accepted.toml"
        self._rows: list[Accepted] = []
        self._systems: set[str] = set()
        self._used: set[Accepted] = set()
        self._new: list[Accepted] = []
        self.has_unused = False
        if path is not None or self._path.exists():
            with suppress(FileNotFoundError):  # --accept makes it
                self._rows = read(self._path.read_text(encoding="utf-8-sig"), str(self._path))

    def without_accepted(self, changes: Changes, least: str, reason: str | None) -> Changes:
        """The changes that nobody accepted.

        Args:
            changes: those of a system.
            least: from which severity on they are accepted now.
            reason: why they are; None to accept no others.
        """
        from apteco_frames.analysis.acceptance import accepted
        from apteco_frames.support.fork import import_polars

        pl = import_polars()
        system = changes.newer.name
        self._systems.add(system)
        mine = [row for row in self._rows if row.system == system]
        names = {row.name for row in mine}
        left = [True] * len(changes)
        for place, name in enumerate(changes.arrow["name"].to_pylist() if mine else ()):
            if name in names:
                change = changes[place].to_dict()
                fitting = [row for row in mine if row.fits(change)]
                self._used.update(fitting)
                left[place] = not fitting
        if not all(left):
            say(f"{truncate(system)}: {left.count(False):,} accepted")
            changes = changes.filter(pl.lit(pl.Series(left)))
        if reason is not None:
            now = changes.at_least(least)
            self._new += [accepted(system, change, reason) for change in now.arrow.to_pylist()]
            if len(now):
                say(f"{truncate(system)}: accepted {len(now):,} in {self._path}")
            changes = changes.filter(pl.col("severity") < least)
        return changes

    def finish(self) -> None:
        """Say what fits nothing any more; with new ones, write the file without these."""
        from apteco_frames.analysis.acceptance import write
        from apteco_frames.support.files import replace

        unused = [r for r in self._rows if r.system in self._systems and r not in self._used]
        if self._new:
            rows = [row for row in self._rows if row not in unused] + self._new
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace(self._path, lambda part: part.write_bytes(write(rows).encode()))
        else:
            for row in unused:
                say(
                    f"{truncate(row.system)}: notable: an accepted change is no longer found; take "
                    f"it out of {self._path}: {row.told} ({row.reason})"
                )
            self.has_unused = bool(unused)
