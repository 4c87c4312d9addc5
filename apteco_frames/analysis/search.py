"""Search: what of a catalogue has the words that a person asks for.

The distinct words of a catalogue are compared with each word asked for, by ``rapidfuzz``
where there may be typing errors. What has those words is found and ranked by numbers
alone, so that half a million codes are searched in some hundredths of a second. That is
``pyarrow.compute``, which works in a forked process, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, reduce
from itertools import accumulate
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz import process
from rapidfuzz.distance import OSA

from apteco_frames import schema
from apteco_frames.analysis import ranks
from apteco_frames.analysis.pairing import Rows, integer, same
from apteco_frames.analysis.ranks import pack, small, spread
from apteco_frames.analysis.words import (
    apart,
    asked_for,
    parts,
    split,
    split_symbols,
    symbols,
    words,
)
from apteco_frames.schema.column import DOUBLE, STRING
from apteco_frames.support.arrays import booleans, integers, strings

_SEARCHED = {
    "table": {"name": ranks.OWN, "plural": ranks.OWN, "singular": ranks.OWN},
    "variable": {
        **{"description": ranks.OWN, "name": ranks.OWN, "notes": ranks.NOTES},
        **{"folder_name": ranks.AROUND, "table_name": ranks.AROUND},
    },
    "folder": {"name": ranks.OWN, "description": ranks.OWN},
    "code": {"description": ranks.CODE, "code": ranks.CODE},
}
# Columns of names, which are searched by their parts, too.
_NAMES = frozenset({"name", "singular", "plural"})
_DESCRIBES = {"table": "plural"}
_TABLE_NAME = {"table": "name", "variable": "table_name", "code": "table_name"}
# What is read of a row that was found.
_SHOWN = {
    noun: {*columns, *filter(None, (_DESCRIBES.get(noun), _TABLE_NAME.get(noun)))}
    for noun, columns in _SEARCHED.items()
}
# The score of what is all that was asked for, to the letter, in a name; see ``Index._scored``.
_BEST = (ranks.EXACT * ranks.PLACES + ranks.OWN) * 2 + 1
_MOST_NEAREST = 3


class Found(NamedTuple):
    """What a search found.

    Attributes:
        rows: the best of it, under ``schema.MATCHES_SCHEMA``.
        total: how many there are.
        nearest: where there is nothing, the nearest words that there are, by the word
            asked for, for each that nothing fits.
    """

    rows: pa.Table
    total: int
    nearest: dict[str, list[str]]


class Index:
    """The words of a catalogue, and where they stand; for use from many threads.

    Args:
        catalogue: ``tables`` and ``variables``, and ``folders`` and ``codes`` if they are
            to be searched, by these names under their declared schemas.
        of_symbols: whether symbols are to be found, in place of words.
    """

    def __init__(self, catalogue: Mapping[str, pa.Table], *, of_symbols: bool = False) -> None:
        self._catalogue = catalogue
        self._of_symbols = of_symbols
        whole = {name: arrow.combine_chunks() for name, arrow in catalogue.items()}
        nouns = [noun for noun in schema.CHANGED_NOUNS if f"{noun}s" in whole]
        self._rows = {noun: Rows(noun, whole) for noun in nouns}
        starts = _starts(map(len, self._rows.values()))
        self._start = dict(zip(nouns, starts, strict=False))
        texts = list(self._texts())
        lists = [(split_symbols if of_symbols else split)(text.texts) for text in texts]
        # Of each text: whose it is, where it stands, and how many words it has.
        self._row_of = pa.concat_arrays([text.rows for text in texts])
        self._place_of = pa.concat_arrays([same(text.place, len(text.rows)) for text in texts])
        self._length_of = pa.concat_arrays([pc.list_value_length(each) for each in lists])
        # The distinct words, and the texts that each stands in.
        encoded = pa.concat_arrays([each.flatten() for each in lists]).dictionary_encode()
        self._words = encoded.dictionary
        order = pc.array_sort_indices(encoded.indices)
        ends = pc.run_end_encode(encoded.indices.take(order)).run_ends
        above = zip(lists, _starts(map(len, lists)), strict=False)
        text = pa.concat_arrays([_plus(pc.list_parent_indices(x), n) for x, n in above])
        self._texts_of = pa.ListArray.from_arrays(_from_zero(ends), text.take(order))
        # The row of the variable that each row is of; null for what is no code.
        self._variable_of = pa.nulls(starts[-1], pa.int32())
        if "code" in nouns:
            columns = (self._rows["code"]["variable_name"], self._rows["variable"]["name"])
            variables = _plus(pc.index_in(*columns), self._start["variable"])
            others = self._variable_of[: self._start["code"]]
            self._variable_of = pa.concat_arrays([others, variables])
        # The distinct words by length, but for numbers, and their positions: filled in use.
        is_number = pc.utf8_is_decimal(self._words)
        self._letters = pc.if_else(is_number, integer(0), pc.utf8_length(self._words))
        self._spelled: dict[int, tuple[pa.Array, list[str]]] = {}

    def search(self, text: str, limit: int) -> Found:
        """What has all words of a text, the best first; all its symbols if it has no words.

        Args:
            text: the words, in any order.
            limit: how many rows at most.
        """
        if not self._of_symbols and not words(text) and symbols(text):
            return self._symbols.search(text, limit)
        asked = list(dict.fromkeys(asked_for(text)))
        fitting = [self._fitting(word) for word in asked]
        rows, scores = self._scored(fitting)
        # The best first, and of equal ones that which the API has first.
        keys = pc.subtract(pc.shift_left(scores.cast(pa.int64()), integer(32)), rows)
        order = pc.array_sort_indices(keys, order="descending")[:limit]
        best = zip(rows.take(order).to_pylist(), scores.take(order).to_pylist(), strict=True)
        found = [self._match(row, score, asked) for row, score in best]
        nearest = {}
        if not found:
            pairs = zip(asked, fitting, strict=True)
            nearest = {word: self._nearest(word) for word, fits in pairs if not len(fits.words)}
        return Found(_table(found), len(rows), nearest)

    @cached_property
    def _symbols(self) -> Index:
        """The same of symbols, made when somebody asks for one."""
        return Index(self._catalogue, of_symbols=True)

    def _texts(self) -> Iterator[_Texts]:
        """All texts that are searched; the parts of a name are a text of their own."""
        for noun, columns in _SEARCHED.items():
            for column, place in columns.items() if noun in self._rows else ():
                values = self._rows[noun][column]
                positions = pc.indices_nonzero(pc.is_valid(values))
                yield self._of(noun, positions, place, values.drop_null())
                if column in _NAMES and not self._of_symbols:
                    several, positions = apart(values)
                    yield self._of(noun, positions, place, several)

    def _of(self, noun: str, positions: pa.Array, place: int, texts: pa.Array) -> _Texts:
        return _Texts(_plus(positions, self._start[noun]), place, texts)

    def _fitting(self, word: str) -> _Fitting:
        """The distinct words that fit one that was asked for."""
        starting = pc.indices_nonzero(pc.starts_with(self._words, word))
        is_it = pc.equal(self._words.take(starting), strings([word])[0])
        fits = [pc.if_else(is_it, small(ranks.EXACT), small(ranks.START))]
        places = [starting]
        most = ranks.most_errors(word)
        for length in range(len(word) - most, len(word) + most + 1) if most else ():
            positions, spelled = self._of_length(length)
            alike = process.extract(
                word, spelled, scorer=OSA.distance, score_cutoff=most, limit=None
            )
            misspelled = [(at, errors) for _, errors, at in alike if errors]
            places.append(positions.take(integers(at for at, _ in misspelled)))
            fits.append(integers((ranks.START - errors for _, errors in misspelled), ranks.NUMBER))
        return _Fitting(pa.concat_arrays(places), pa.concat_arrays(fits))

    def _of_length(self, length: int) -> tuple[pa.Array, list[str]]:
        """The distinct words of a length that are not numbers, and their positions."""
        if length not in self._spelled:
            positions = pc.indices_nonzero(pc.equal(self._letters, integer(length)))
            self._spelled[length] = positions, self._words.take(positions).to_pylist()
        return self._spelled[length]

    def _scored(self, fitting: list[_Fitting]) -> tuple[pa.Array, pa.Array]:
        """The rows that have all words, in no order, and how well: ``_BEST`` at best.

        Args:
            fitting: for each word asked for, the distinct words that fit it.
        """
        if not fitting:
            return self._row_of[:0], self._place_of[:0]
        chosen = pa.concat_arrays([fits.words for fits in fitting]).dictionary_encode()
        number = len(chosen.dictionary)
        starts = _starts(len(fits.words) for fits in fitting)
        each = [
            spread(chosen.indices[start : start + len(fits.words)], fits.fits, number)
            for start, fits in zip(starts, fitting, strict=False)
        ]
        lists = self._texts_of.take(chosen.dictionary)
        text, word = lists.flatten(), pc.list_parent_indices(lists)
        if len(each) > 1:
            may_have_all = self._may_have_all(lists, each)
            text, word = text.filter(may_have_all), word.filter(may_have_all)
        place = self._place_of.take(text)
        encoded = self._row_of.take(text).dictionary_encode()
        rows, row = encoded.dictionary, encoded.indices
        by_word = [spread(row, pack(fits.take(word), place), len(rows)) for fits in each]
        if len(by_word) > 1:
            # A code that has one of the words has the others where its variable has them.
            variable = pc.index_in(self._variable_of.take(rows), value_set=rows)
            by_word = [
                pc.if_else(pc.equal(own, small(0)), ranks.as_code(own.take(variable)), own)
                for own in by_word
            ]
        how = reduce(ranks.smaller, map(ranks.how_of, by_word))
        packed = pack(how, reduce(ranks.smaller, map(ranks.place_of, by_word)))
        whole = self._whole(text, reduce(ranks.larger, each).take(word), len(fitting))
        at = pc.index_in(whole.rows, value_set=rows)
        is_whole = pc.greater_equal(spread(at, whole.packed, len(rows)), packed)
        scores = pc.add(pc.multiply(packed, small(2)), is_whole.cast(ranks.NUMBER))
        has_all = pc.not_equal(how, small(0))
        return rows.filter(has_all), scores.filter(has_all)

    def _may_have_all(self, lists: pa.Array, each: list[pa.Array]) -> pa.Array:
        """Whether what has a word may have all, as it has the rarest, or is about what has.

        Args:
            lists: of each word, the texts that it stands in.
            each: how each of these words fits, for each word asked for.
        """
        lengths = pc.list_value_length(lists)
        fit = [pc.not_equal(fits, small(0)) for fits in each]
        rarest = min(fit, key=lambda chosen: pc.sum(lengths.filter(chosen), min_count=0).as_py())
        rare = self._row_of.take(lists.filter(rarest).flatten())
        near = pa.concat_arrays([rare, self._variable_of.take(rare).drop_null()])
        row = self._row_of.take(lists.flatten())
        is_about = pc.is_in(self._variable_of.take(row), value_set=rare)
        return pc.or_(pc.is_in(row, value_set=near), is_about)

    def _whole(self, text: pa.Array, fits: pa.Array, asked: int) -> _Whole:
        """The texts that have no words but those asked for.

        Args:
            text: the text of each word that fits.
            fits: how it fits.
            asked: how many words were asked for.
        """
        encoded, counts = text.dictionary_encode(), pc.value_counts(text).field("counts")
        texts = encoded.dictionary
        is_whole = pc.equal(counts, self._length_of.take(texts))
        is_whole = pc.and_(is_whole, pc.greater_equal(counts, integer(asked)))
        # The worst of its words decides.
        unfit = pc.subtract(small(ranks.EXACT), fits)
        fits = pc.subtract(small(ranks.EXACT), spread(encoded.indices, unfit, len(texts)))
        texts, fits = texts.filter(is_whole), fits.filter(is_whole)
        return _Whole(self._row_of.take(texts), pack(fits, self._place_of.take(texts)))

    def _match(self, row: int, score: int, asked: list[str]) -> _Match:
        """What was found, and the column that fits best."""
        noun = next(noun for noun in reversed(self._rows) if row >= self._start[noun])
        rows, position = self._rows[noun], row - self._start[noun]
        values = {column: rows[column][position].as_py() for column in _SHOWN[noun]}
        column = max(_SEARCHED[noun], key=lambda column: self._column_fits(column, values, asked))
        return _Match(
            noun=schema.CHANGED_NOUNS.index(noun),
            name=rows.names(integers([position]), repeated=False)[0].as_py(),
            description=values[_DESCRIBES.get(noun, "description")],
            table_name=values[_TABLE_NAME[noun]] if noun in _TABLE_NAME else None,
            matched_in=schema.MATCHED_COLUMNS.index(column),
            matched_text=values[column],
            score=score,
        )

    def _column_fits(
        self, column: str, values: Mapping[str, Any], asked: list[str]
    ) -> tuple[int, int]:
        """How many of the words asked for a column has, and how well they fit."""
        text = values[column] or ""
        if self._of_symbols:
            there = symbols(text)
        else:
            there = words(text) + (parts(text) if column in _NAMES else [])
        fits = [max((ranks.fit(word, other) for other in there), default=0) for word in asked]
        return len(fits) - fits.count(0), sum(fits)

    def _nearest(self, word: str) -> list[str]:
        """Words that there are, the most like another first."""
        spelled = [w for n in range(len(word) - 3, len(word) + 4) for w in self._of_length(n)[1]]
        found = process.extract(
            word,
            spelled,
            scorer=OSA.normalized_similarity,
            score_cutoff=0.01,  # some letter in common
            limit=_MOST_NEAREST,
        )
        return [spelling for spelling, _, _ in found]


class _Texts(NamedTuple):
    """Texts that stand at one kind of place, and whose they are."""

    rows: pa.Array
    place: int
    texts: pa.Array


class _Fitting(NamedTuple):
    """Words that fit one that was asked for: their numbers, and how each fits."""

    words: pa.Array
    fits: pa.Array


class _Whole(NamedTuple):
    """Texts that have no words but those asked for: whose they are, how they fit, where."""

    rows: pa.Array
    packed: pa.Array


class _Match(NamedTuple):
    """A row of the answer; enums by the numbers of their values."""

    noun: int
    name: str
    description: str
    table_name: str | None
    matched_in: int
    matched_text: str
    score: int


def _from_zero(ends: pa.Array) -> pa.Array:
    return pa.concat_arrays([integers([0], pa.int32()), ends])


def _starts(lengths: Iterable[int]) -> list[int]:
    return list(accumulate(lengths, initial=0))


def _plus(numbers: pa.Array, start: int) -> pa.Array:
    return pc.add(numbers.cast(pa.int64()), integer(start)).cast(pa.int32())


def _table(found: list[_Match]) -> pa.Table:
    """Matches under the schema."""
    # Not pa.array(), which would import pandas.
    has_table = booleans(match.table_name is not None for match in found)
    table_names = strings(match.table_name or "" for match in found)
    columns = {
        "noun": integers((match.noun for match in found), pa.uint8()),
        "name": strings(match.name for match in found),
        "description": strings(match.description for match in found),
        "table_name": pc.if_else(has_table, table_names, pa.nulls(len(found), STRING)),
        "matched_in": integers((match.matched_in for match in found), pa.uint8()),
        "matched_text": strings(match.matched_text for match in found),
        "score": pc.divide(
            integers(match.score for match in found).cast(DOUBLE),
            integer(_BEST).cast(DOUBLE),
        ),
    }
    return pa.table(
        [
            pa.DictionaryArray.from_arrays(columns[c.name], strings(c.values))
            if c.values
            else columns[c.name]
            for c in schema.MATCHES
        ],
        schema=schema.MATCHES_SCHEMA,
    )
