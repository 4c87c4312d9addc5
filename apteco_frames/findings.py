"""Findings: what in a catalogue somebody should mend, the frame and the row."""

from __future__ import annotations

from html import escape
from typing import Any, ClassVar

import pyarrow as pa

from apteco_frames import schema
from apteco_frames.frame.base import CatalogueFrame
from apteco_frames.frame.rows import Row, attribute
from apteco_frames.links import Owner
from apteco_frames.schema.column import describe, enums
from apteco_frames.support import display
from apteco_frames.support.text import truncate


class Finding(Row):
    """One thing that somebody should mend, or make an exception of."""

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


class Findings(CatalogueFrame[Finding]):  # noqa: D101 - it has one, with the columns
    __doc__ = f"""What the rules find in a catalogue, the most severe first. The columns:

    {describe(schema.FINDINGS).replace(chr(10), chr(10) + " " * 4)}

    Args:
        arrow: the findings, under :attr:`schema`.
        catalogue: the catalogue.
        left_out: what was not checked, in a sentence each.
    """

    _enums: ClassVar = enums(schema.FINDINGS)
    schema: ClassVar[pa.Schema] = schema.FINDINGS_SCHEMA
    _noun = "finding"
    _row_type = Finding
    _preview = ("severity", "rule", "name", "message")
    _when_several = "Have them all with .filter(name=...)."

    def __init__(self, arrow: pa.Table, catalogue: Owner, left_out: tuple[str, ...] = ()) -> None:
        super().__init__(arrow, catalogue)
        self._left_out = left_out

    @property
    def worst(self) -> str | None:
        """The highest severity among them: ``breaking``, ``notable``, ``routine`` or None."""
        found = set(self._arrays["severity"].dictionary_decode().to_pylist())
        return next((level for level in reversed(schema.SEVERITIES) if level in found), None)

    @property
    def not_checked(self) -> tuple[str, ...]:
        """Which rules were passed over since codes or folders are not known, in a sentence each."""
        return self._left_out

    @property
    def _further(self) -> tuple[Any, ...]:
        return (self._left_out,)

    def __repr__(self) -> str:
        shown = super().__repr__() if len(self) else self._title
        return "\n".join([shown, *self._left_out])

    def _repr_html_(self) -> str:
        shown = super()._repr_html_() if len(self) else f"<p>{escape(self._title)}</p>"
        remarks = (f"<p>{escape(sentence)}</p>" for sentence in self._left_out)
        return f"<div {display.NO_MATHS}>{shown}{''.join(remarks)}</div>"
