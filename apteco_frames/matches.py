"""Matches: what a search found, the frame and the row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from html import escape
from typing import Any, ClassVar

import pyarrow as pa

from apteco_frames import schema
from apteco_frames.analysis.words import asked_for
from apteco_frames.frame.base import CatalogueFrame
from apteco_frames.frame.rows import Row, attribute
from apteco_frames.links import Owner
from apteco_frames.schema.column import describe, enums
from apteco_frames.support import display
from apteco_frames.support.text import truncate


class _Noun(StrEnum):
    """What may be found, each in a colour of its own where matches are shown."""

    TABLE = "table"
    VARIABLE = "variable"
    FOLDER = "folder"
    CODE = "code"


class Match(Row):
    """One match: a table, variable, folder or code that fits what was searched for."""

    __slots__ = ()

    noun: str = attribute(schema.MATCHES, "noun")
    name: str = attribute(schema.MATCHES, "name")
    description: str = attribute(schema.MATCHES, "description")
    table_name: str | None = attribute(schema.MATCHES, "table_name")
    matched_in: str = attribute(schema.MATCHES, "matched_in")
    matched_text: str = attribute(schema.MATCHES, "matched_text")
    score: float = attribute(schema.MATCHES, "score")

    def _describe(self) -> str:
        return f"{self.noun} {truncate(self.name)!r}: {truncate(self.description)!r}"

    def __repr__(self) -> str:
        return f"<Match {self._describe()}>"


class Matches(CatalogueFrame[Match]):  # noqa: D101 - it has one, with the columns
    __doc__ = f"""What a search found, the best first. The columns:

    {describe(schema.MATCHES).replace(chr(10), chr(10) + " " * 4)}

    Args:
        arrow: the matches, under :attr:`schema`.
        catalogue: the catalogue that was searched.
        query: what was searched for.
        total: how many there are; the frame holds the best of them.
        nearest: see :attr:`nearest`.
        left_out: what was left out, in a sentence without its full stop, and how it is read, if
            it can be.
        words: how many of the words the matches have, and how many were looked for.
    """

    _enums: ClassVar = enums(schema.MATCHES)
    schema: ClassVar[pa.Schema] = schema.MATCHES_SCHEMA
    _noun = "match"
    _row_type = Match
    _preview = ("noun", "name", "description", "table_name", "matched_in", "matched_text")
    _when_several = "Have them all with .filter(name=...)."

    def __init__(
        self,
        arrow: pa.Table,
        catalogue: Owner,
        query: str = "",
        total: int | None = None,
        nearest: Mapping[str, Sequence[str]] | None = None,
        left_out: Mapping[str, str] | None = None,
        words: tuple[int, int] = (0, 0),
    ) -> None:
        super().__init__(arrow, catalogue)
        self._query = query
        self._total = len(arrow) if total is None else total
        self._nearest = {word: tuple(others) for word, others in (nearest or {}).items()}
        self._left_out = dict(left_out or {})
        self._words = words

    @property
    def query(self) -> str:
        """What was searched for."""
        return self._query

    @property
    def total(self) -> int:
        """How many matches there were; the search gave the best, up to its limit."""
        return self._total

    @property
    def has_all_words(self) -> bool:
        """Whether the matches have all words; else no result has, and these have the most."""
        had, asked = self._words
        return had == asked

    @property
    def nearest(self) -> dict[str, tuple[str, ...]]:
        """For each word of the query that fits nothing, the words most like it, if any."""
        return dict(self._nearest)

    @property
    def not_searched(self) -> tuple[str, ...]:
        """What was left out, as it is not loaded or was refused, in a sentence each."""
        return self._sentences()

    @property
    def remarks(self) -> tuple[str, ...]:
        """Where to look instead of nothing, and what was left out, in a sentence each."""
        return (*self._advice(), *self.not_searched)

    def remarks_with(self, hint: str) -> tuple[str, ...]:
        """The same with another hint how to read what was left out, or an empty one for none."""
        return (*self._advice(), *self._sentences(hint))

    def __repr__(self) -> str:
        shown = super().__repr__() if len(self) else self._title
        return "\n".join([shown, *self.remarks])

    def _repr_html_(self) -> str:
        shown = super()._repr_html_() if len(self) else f"<p>{escape(self._title)}</p>"
        remarks = (f"<p>{escape(remark)}</p>" for remark in self.remarks)
        return f"<div {display.NO_MATHS}>{shown}{''.join(remarks)}</div>"

    @property
    def _further(self) -> tuple[Any, ...]:
        return self._query, self._total, self._nearest, self._left_out, self._words

    @property
    def _nouns(self) -> str:
        return "matches"

    @property
    def _counted(self) -> str:
        is_part = self._total > len(self)
        return f"{len(self):,} of {self._total:,} matches" if is_part else super()._counted

    @property
    def _title(self) -> str:
        had, asked = self._words
        words = "" if had == asked or not had else f" with {had} of the {asked} words"
        return f"{self._counted}{words} in {self._system} for {truncate(self._query)!r}"

    def _preview_rows(self, most: int = display.PREVIEW_ROWS) -> Iterator[tuple[Any, ...]]:
        for noun, *others in super()._preview_rows(most):
            yield _Noun(noun), *others

    def _sentences(self, hint: str | None = None) -> tuple[str, ...]:
        """What was left out, with how it is read, or with another hint in place of that."""
        hints = {
            what: how and (how if hint is None else hint) for what, how in self._left_out.items()
        }
        return tuple(f"{what}; {how}." if how else f"{what}." for what, how in hints.items())

    def _advice(self) -> Iterator[str]:
        """What the matches lack, and what to search for instead."""
        if not asked_for(self._query):
            yield "The query has no words."
        there = " in what was searched" if self._left_out else ""
        for word, others in self._nearest.items():
            near = ", ".join(repr(truncate(other)) for other in others)
            hint = f" Did you mean: {near}" if near else ""
            yield f"No match for {truncate(word)!r}{there}.{hint}"
        had, asked = self._words
        if self._total and had < asked:
            yield (
                f"No result contains all of these words. Try fewer: these contain {had} of {asked}."
            )
