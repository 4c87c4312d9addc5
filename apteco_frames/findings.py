"""Findings of lint rules: the frame and the row."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from apteco_frames import schema
from apteco_frames.frame.base import CatalogueFrame
from apteco_frames.frame.rows import Row, attribute
from apteco_frames.links import Owner
from apteco_frames.support.text import truncate


class Finding(Row):
    """One problem to fix, or to make an exception for."""

    __slots__ = ()

    rule: str = attribute(schema.FINDINGS, "rule")
    severity: str = attribute(schema.FINDINGS, "severity")
    noun: str = attribute(schema.FINDINGS, "noun")
    name: str = attribute(schema.FINDINGS, "name")
    message: str = attribute(schema.FINDINGS, "message")

    def _describe(self) -> str:
        return f"{self.rule}: {self.noun} {truncate(self.name)!r}, {self.severity}"

    def __repr__(self) -> str:
        return f"<Finding {self._describe()}>"


class Findings(CatalogueFrame[Finding], columns=schema.FINDINGS):
    """What the rules find in a catalogue, the most severe first.

    The columns:

    [columns]

    Args:
        arrow: the findings, under :attr:`schema`.
        catalogue: the catalogue.
        left_out: a sentence for each noun that was not checked.
    """

    _noun = "finding"
    _row_type = Finding
    _preview = ("severity", "rule", "name", "message")
    _when_several = "Use .filter(name=...) to get them all."

    def __init__(self, arrow: pa.Table, catalogue: Owner, left_out: tuple[str, ...] = ()) -> None:
        super().__init__(arrow, catalogue)
        self._left_out = left_out

    @property
    def worst(self) -> str | None:
        """The highest severity: ``breaking``, ``notable``, ``routine`` or None."""
        found = set(self._arrays["severity"].dictionary_decode().to_pylist())
        return next((level for level in reversed(schema.SEVERITIES) if level in found), None)

    @property
    def not_checked(self) -> tuple[str, ...]:
        """The rules that were skipped for lack of codes or of folders, in a sentence each."""
        return self._left_out

    @property
    def _further(self) -> tuple[Any, ...]:
        return (self._left_out,)

    @property
    def _remarks(self) -> tuple[str, ...]:
        return self._left_out
