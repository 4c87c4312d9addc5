"""Matches of a search: the frame and the row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

import pyarrow as pa

from apteco_frames import schema
from apteco_frames.analysis.words import asked_for
from apteco_frames.frame.base import CatalogueFrame
from apteco_frames.frame.rows import Row, attribute
from apteco_frames.links import Owner
from apteco_frames.support import display
from apteco_frames.support.text import truncate


class _Noun(StrEnum):
    """The nouns that a search finds; notebooks show each in its own colour."""

    TABLE = "table"
    VARIABLE = "variable"
    FOLDER = "folder"
    CODE = "code"


class Match(Row):
    """One match: a table, variable, folder or code."""

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


class Matches(CatalogueFrame[Match], columns=schema.MATCHES):
    """What a search found, the best first.

    The columns:

    [columns]

    Args:
        arrow: the matches, under :attr:`schema`.
        catalogue: the catalogue that was searched.
        query: the text searched for.
        total: the number of matches, of which the frame holds the best.
        nearest: see :attr:`nearest`.
        left_out: what was not searched, each a sentence without its full stop, with how to load
            it, if that is possible.
        words: how many words of the query the matches have, and how many it has.
    """

    _noun = "match"
    _row_type = Match
    _preview = ("noun", "name", "description", "table_name", "matched_in", "matched_text")
    _when_several = "Use .filter(name=...) to get them all."

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
        """The text searched for."""
        return self._query

    @property
    def total(self) -> int:
        """The number of matches; the frame holds the best, up to the limit of the search."""
        return self._total

    @property
    def has_all_words(self) -> bool:
        """Whether the matches have all words; if not, nothing has, and these have the most."""
        had, asked = self._words
        return had == asked

    @property
    def nearest(self) -> dict[str, tuple[str, ...]]:
        """For each word of the query without a match, the most similar words, if any."""
        return dict(self._nearest)

    @property
    def not_searched(self) -> tuple[str, ...]:
        """What was not searched because it is not loaded or was refused, in a sentence each."""
        return self._sentences()

    @property
    def remarks(self) -> tuple[str, ...]:
        """Advice on the query, and what was not searched, in a sentence each."""
        return (*self._advice(), *self.not_searched)

    def remarks_with(self, hint: str) -> tuple[str, ...]:
        """The same with another hint on how to load the rest; with an empty one, without hints."""
        return (*self._advice(), *self._sentences(hint))

    _remarks = remarks

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
        """What was not searched, with how to load it, or with another hint instead."""
        hints = {
            what: how and (how if hint is None else hint) for what, how in self._left_out.items()
        }
        return tuple(f"{what}; {how}." if how else f"{what}." for what, how in hints.items())

    def _advice(self) -> Iterator[str]:
        """The words without a match, and what to search for instead."""
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
