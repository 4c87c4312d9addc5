"""What a search asks for: words, each in every way in which a text may have it.

``e-mail`` is also ``email``, ``postcode`` also ``post`` and ``code`` in one text, ``10000`` also
``10,000``, ``zürich`` also ``zuerich``, and a word is each of its synonyms. The numbers say how
well a word of a text fits one that was asked for, the larger the better; 0 is not at all.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rapidfuzz.distance import OSA

from apteco_frames.analysis.words import (
    SMALL_WORDS,
    Phrase,
    Synonyms,
    is_unspaced,
    spelled,
    symbols,
    words,
)

INSIDE, TWO_ERRORS, ONE_ERROR, START, OTHERWISE, EXACT = range(1, 7)
"""How a word fits: it holds what was asked for, has typing errors, starts with it, is it in
another way (joined, split or a synonym), or is it."""

MOST_WORDS = 12
"""How many words of a query are looked for; more than the first of them are no search."""

# The longest words with no typing error, and with one; longer ones have two at most.
_LONGEST_EXACT, _LONGEST_WITH_ONE = 4, 8
_SHORTEST_INSIDE = 3
# No two words are that long; and each letter more is another way to split it.
_LONGEST_SPLIT = 64
_MOST_JOINED = 3
_GROUPED = re.compile("(?<=[0-9])[,.'\u2019\u00a0\u202f](?=[0-9]{3}(?![0-9]))")


class Way(NamedTuple):
    """One way in which a text may have one or more of the words asked for.

    Attributes:
        covers: the numbers of these words.
        parts: what a text must have; several must be in one text, each to the letter.
        most: how well it fits at most.
        is_own: whether it is the word itself, which may have typing errors, or stand inside.
    """

    covers: tuple[int, ...]
    parts: Phrase
    most: int = OTHERWISE
    is_own: bool = False

    def fit(self, there: Iterable[str]) -> int:
        """How well the words of a text fit."""
        if len(self.parts) == 1:
            fits = (fit(self.parts[0], word, is_own=self.is_own) for word in there)
            return min(self.most, max(fits, default=0))
        has_all = all(any(has_part(word, part) for word in there) for part in self.parts)
        return self.most if has_all else 0


class Query(NamedTuple):
    """What was asked for.

    Attributes:
        words: the words that are looked for, each once.
        small: small words, which count only where all else is equal.
        ways: all ways to have the words.
        is_small: whether the words are but small ones.
    """

    words: Phrase
    small: Phrase
    ways: tuple[Way, ...]
    is_small: bool

    def fits(self, there: Sequence[str]) -> list[int]:
        """How well the words of a text fit each of those asked for."""
        best = [0] * len(self.words)
        for way in self.ways:
            how = way.fit(there)
            for number in way.covers:
                best[number] = max(best[number], how)
        return best


def parse(text: str, synonyms: Synonyms = ()) -> Query:
    """What a text asks for.

    >>> query = parse("the date of e-mail")
    >>> query.words, query.small
    (('date', 'e', 'mail'), ('the', 'of'))
    """
    # 10,000 is one number, however it is grouped.
    sequence = words(_GROUPED.sub("", text))
    distinct = tuple(dict.fromkeys(sequence))
    content = tuple(word for word in distinct if not is_small(word)) or distinct
    content = content[:MOST_WORDS]
    small = tuple(word for word in distinct if is_small(word) and word not in content)
    numbers = {word: number for number, word in enumerate(content)}
    own = (Way((number,), (word,), EXACT, is_own=True) for word, number in numbers.items())
    ways = [*own, *_joined(sequence, numbers), *_split(numbers)]
    ways += [*_spelled(text, sequence, numbers), *_meant(sequence, numbers, synonyms)]
    is_all_small = all(map(is_small, content))
    return Query(content, small, tuple(dict.fromkeys(ways)), is_all_small)


def of_symbols(text: str) -> Query:
    """What a text asks for that has symbols but no words."""
    content = tuple(dict.fromkeys(symbols(text)))[:MOST_WORDS]
    own = tuple(Way((at,), (symbol,), EXACT, is_own=True) for at, symbol in enumerate(content))
    return Query(content, (), own, is_small=False)


def is_small(word: str) -> bool:
    """Whether a word counts only where all else is equal: a small one, or an emoji."""
    return word in SMALL_WORDS or unicodedata.category(word[0]) == "So"


def fit(asked: str, word: str, *, is_own: bool = True) -> int:
    """How a word fits one that was asked for.

    >>> [fit("dest", word) for word in ("dest", "destination", "desk", "bodest")]
    [6, 4, 0, 1]
    >>> fit("destination", "destniation")
    3
    """
    if word == asked:
        return EXACT
    if is_small(word):
        return 0
    if word.startswith(asked):
        return START
    if word.isdecimal() or not is_own:
        return 0
    most = most_errors(asked)
    if most and abs(len(asked) - len(word)) <= most:
        errors = OSA.distance(asked, word, score_cutoff=most)
        if errors <= most:
            return START - errors
    return INSIDE if may_be_inside(asked) and asked in word else 0


def most_errors(word: str) -> int:
    """How many typing errors a word may have; one with a digit has none.

    >>> most_errors("boat"), most_errors("income"), most_errors("destination")
    (0, 1, 2)
    >>> most_errors("va0012345")
    0
    """
    if len(word) <= _LONGEST_EXACT or any(map(str.isdecimal, word)):
        return 0
    return 1 if len(word) <= _LONGEST_WITH_ONE else 2


def may_be_inside(asked: str) -> bool:
    """Whether what was asked for may stand inside of a word: not one or two letters alone."""
    return len(asked) >= _SHORTEST_INSIDE or is_unspaced(asked)


def has_part(word: str, part: str) -> bool:
    """Whether a word is a part, or holds it where nobody writes blanks between words."""
    return word == part or (is_unspaced(part) and part in word)


def _joined(sequence: Sequence[str], numbers: Mapping[str, int]) -> Iterator[Way]:
    """Neighbours as one word: e-mail, post code."""
    for several in range(2, _MOST_JOINED + 1):
        for start in range(len(sequence) - several + 1):
            span = sequence[start : start + several]
            covers = _covered(span, numbers)
            if covers:
                yield Way(covers, ("".join(span),))


def _split(numbers: Mapping[str, int]) -> Iterator[Way]:
    """A word as two, and a number as its thousands."""
    for word, number in numbers.items():
        if word.isdecimal():
            thousands = re.findall(r"\d{1,3}(?=(?:\d{3})*$)", word)
            if len(thousands) > 1:
                yield Way((number,), tuple(thousands))
            continue
        for at in range(1, len(word)) if len(word) <= _LONGEST_SPLIT else ():
            yield Way((number,), (word[:at], word[at:]))


def _spelled(text: str, sequence: Sequence[str], numbers: Mapping[str, int]) -> Iterator[Way]:
    """Words with two letters for each that some keyboards lack."""
    written = spelled(text)
    others = words(written) if written else []
    if len(others) == len(sequence):
        for word, other in zip(sequence, others, strict=True):
            if word != other and word in numbers:
                yield Way((numbers[word],), (other,))


def _meant(
    sequence: Sequence[str], numbers: Mapping[str, int], synonyms: Synonyms
) -> Iterator[Way]:
    """What means the same as some of the words."""
    for group in synonyms:
        for phrase in group:
            for start in range(len(sequence) - len(phrase) + 1):
                span = sequence[start : start + len(phrase)]
                covers = _covered(span, numbers)
                if tuple(span) == phrase and covers:
                    yield from (Way(covers, other) for other in group if other != phrase)


def _covered(span: Iterable[str], numbers: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(sorted({numbers[word] for word in span if word in numbers}))
