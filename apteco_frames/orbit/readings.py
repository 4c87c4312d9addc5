r"""Texts read through their escapes, so that words are found however they are written.

``%26``, ``\u0026`` and ``&amp;`` all read ``&``, and any character of an escape may be
escaped in turn. Nobody can tell from a text which of its escapes somebody will undo, so
every way to read it is kept: each place has its character, and the characters that
escapes from there on stand for. Words are then looked for along all of these ways.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from html.entities import html5
from typing import NamedTuple

# Escapes within escapes, at most: JSON within a query within a web page.
_DEEPEST = 3
# What may begin an escape, the first byte of UTF-8 read as Latin-1 and the first half of
# a surrogate pair among them.
_FIRST = re.compile("[\\\\%&+\u00c2-\u00f4\ud800-\udbff]")
# What stands where a text was cut, before it the part of an escape.
_CUT = re.compile(r"((?:[\\%&][\\%&#\w]{0,12})?)(?:\.\.\.|…)")

_DIGITS = "0123456789"
_HEX_DIGITS = "0123456789abcdefABCDEF"
_LONGEST_NUMBER = 8
_NAMED = {name.rstrip(";"): text for name, text in html5.items() if len(text) == 1}
_LETTERS = frozenset("".join(_NAMED))
_LONGEST_NAME = max(map(len, _NAMED))
_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"} | {c: c for c in "\"'/\\"}
_LENGTHS = {"x": 2, "u": 4, "U": 8}
_KINDS = "".join([*_SHORT, *_LENGTHS])
_CONTINUATIONS = frozenset(map(chr, range(0x80, 0xC0)))
_SECOND_HALVES = frozenset(map(chr, range(0xDC00, 0xE000)))


class _Reading(NamedTuple):
    """What may be read from a place on; where that ends; escapes within escapes in it."""

    text: str
    end: int
    depth: int


class Readings:
    r"""All ways to read a text.

    Escapes are those of JSON (and Python), of URLs (``+`` for a blank included) and of
    HTML; UTF-8 that was read as Latin-1 is read as what it was.

    >>> list(Readings(r"no a\u0026b, no a%26amp;b, no ab").spans("a&b"))
    [(3, 11), (16, 25)]
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._escaped: dict[int, list[_Reading]] = {}
        # From the end on, so that what an escape is made of has been read before it.
        for match in reversed(list(_FIRST.finditer(text))):
            start = match.start()
            found: dict[tuple[str, int], _Reading] = {}
            pending = [_Reading(match[0], start + 1, 0)]
            for first in pending:
                for reading in self._escapes(first):
                    if reading.depth <= _DEEPEST and reading[:2] not in found:
                        found[reading[:2]] = reading
                        pending.append(reading)
            if found:
                self._escaped[start] = list(found.values())

    def spans(self, word: str, shortest_part: int | None = None) -> Iterator[tuple[int, int]]:
        """The places that read as the word, first to last.

        Args:
            word: what to look for, not empty.
            shortest_part: also give places where the text was cut (``...`` follows) after
                so many characters of the word, or more.

        Returns:
            where each begins and ends; they may overlap.
        """
        starts = {match.start() for match in re.finditer(re.escape(word[0]), self._text)}
        for start, readings in self._escaped.items():
            if any(reading.text == word[0] for reading in readings):
                starts.add(start)
        for start in sorted(starts):
            end = self._end(start, word, shortest_part or len(word))
            if end is not None:
                yield start, end

    def _end(self, start: int, word: str, shortest_part: int) -> int | None:
        reached = {start}
        for read, character in enumerate(word):
            further = {p + 1 for p in reached if self._text[p : p + 1] == character}
            for place in reached & self._escaped.keys():
                further |= {r.end for r in self._escaped[place] if r.text == character}
            if not further:
                cuts = [_CUT.match(self._text, p) for p in reached] if read >= shortest_part else []
                return max((cut.end(1) for cut in cuts if cut), default=None)
            reached = further
        return max(reached)

    def _at(self, place: int) -> list[_Reading]:
        literal = self._text[place : place + 1]
        own = [_Reading(literal, place + 1, 0)] if literal else []
        return own + self._escaped.get(place, [])

    def _words(self, start: _Reading, of: Container[str], longest: int) -> Iterator[_Reading]:
        """What can be read on from a place with these characters, shortest first."""
        reached = [_Reading("", start.end, start.depth)]
        for _ in range(longest):
            further = {}
            for word, place, depth in reached:
                for reading in self._at(place):
                    if reading.text in of:
                        further[word + reading.text, reading.end] = max(depth, reading.depth)
            reached = [_Reading(word, end, depth) for (word, end), depth in further.items()]
            if not reached:
                return
            yield from reached

    def _escapes(self, first: _Reading) -> Iterator[_Reading]:
        """What escapes stand for that begin with this reading."""
        if "\u00c2" <= first.text <= "\u00f4":
            yield from self._from_latin(first)
        elif "\ud800" <= first.text <= "\udbff":
            for second in self._words(first, _SECOND_HALVES, 1):
                pair = (first.text + second.text).encode("utf-16-le", "surrogatepass")
                yield second._replace(text=pair.decode("utf-16-le"))
        elif first.depth == _DEEPEST:
            return
        elif first.text == "+":
            yield _Reading(" ", first.end, first.depth + 1)
        elif first.text == "%":
            yield from self._character(first, 16, 2, 2)
        elif first.text == "&":
            yield from self._entities(first)
        elif first.text == "\\":
            for kind in self._words(first, _KINDS, 1):
                if kind.text in _SHORT:
                    yield _Reading(_SHORT[kind.text], kind.end, kind.depth + 1)
                else:
                    length = _LENGTHS[kind.text]
                    yield from self._character(kind, 16, length, length)

    def _character(
        self, start: _Reading, base: int, shortest: int, longest: int
    ) -> Iterator[_Reading]:
        """The character with a number that stands after the start."""
        for number in self._words(start, _HEX_DIGITS if base == 16 else _DIGITS, longest):
            code = int(number.text, base)
            if len(number.text) >= shortest and code <= 0x10FFFF:
                yield _Reading(chr(code), number.end, number.depth + 1)

    def _entities(self, ampersand: _Reading) -> Iterator[_Reading]:
        found = [
            word._replace(text=_NAMED[word.text], depth=word.depth + 1)
            for word in self._words(ampersand, _LETTERS, _LONGEST_NAME)
            if word.text in _NAMED
        ]
        for number_sign in self._words(ampersand, "#", 1):
            found += self._character(number_sign, 10, 1, _LONGEST_NUMBER)
            for x in self._words(number_sign, "xX", 1):
                found += self._character(x, 16, 1, _LONGEST_NUMBER)
        for reading in found:
            yield reading
            for semicolon in self._words(reading, ";", 1):
                yield semicolon._replace(text=reading.text)

    def _from_latin(self, first: _Reading) -> Iterator[_Reading]:
        """The character whose UTF-8 was read byte by byte."""
        for rest in self._words(first, _CONTINUATIONS, 3):
            try:
                text = (first.text + rest.text).encode("latin-1").decode()
            except UnicodeDecodeError:
                continue
            if len(text) == 1:
                yield rest._replace(text=text)
