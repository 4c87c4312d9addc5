"""Search: what of a catalogue has the words that a person asks for.

The distinct words of a catalogue are compared with each word asked for. What has those words
is found and ranked by numbers alone, so that half a million codes are searched in some
hundredths of a second. That is ``pyarrow.compute``, which works in a forked process, too.

How well a word fits (:mod:`~apteco_frames.analysis.query`) and where it stands go into one small
number, the larger the better: of a row the worst word decides. A text that has nothing else
comes before one that has, and small words decide where all that is equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, reduce
from itertools import accumulate
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz import process
from rapidfuzz.distance import OSA

from apteco_frames import schema
from apteco_frames.analysis import query as asked
from apteco_frames.analysis.pairing import Rows
from apteco_frames.analysis.query import Query
from apteco_frames.analysis.words import (
    SMALL_WORDS,
    apart,
    grouped,
    is_unspaced,
    parts,
    spelled,
    spelled_texts,
    split,
    split_symbols,
    symbols,
    words,
)
from apteco_frames.schema.column import STRING
from apteco_frames.support.arrays import booleans, floats, integers, same, strings
from apteco_frames.support.arrays import scalar as integer

# Where a word stands: in a code, in what is around, in notes, in what names or describes.
_CODE, _AROUND, _NOTES, _OWN = range(4)
_PLACES = 4
_SEARCHED = {
    "table": {"name": _OWN, "plural": _OWN, "singular": _OWN},
    "variable": {
        **{"description": _OWN, "name": _OWN, "notes": _NOTES},
        **{"folder_name": _AROUND, "table_name": _AROUND},
    },
    "folder": {"name": _OWN, "description": _OWN},
    "code": {"description": _CODE, "code": _CODE},
}
# Columns in which a few texts stand again and again.
_REPEATED = frozenset({"folder_name", "table_name", "code"})
# Columns of names, which are searched by their parts, too.
_NAMES = frozenset({"name", "singular", "plural"})
_DESCRIBES = {"table": "plural"}
_TABLE_NAME = {"table": "name", "variable": "table_name", "code": "table_name"}
# What is read of a row that was found.
_SHOWN = {
    noun: {*columns, *filter(None, (_DESCRIBES.get(noun), _TABLE_NAME.get(noun)))}
    for noun, columns in _SEARCHED.items()
}
_NUMBER = pa.uint8()
_NOWHERE = pc.indices_nonzero(booleans([]))
# How many small words are told apart.
_MOST_SMALL = 3
# The score of what is all that was asked for, to the letter, in a name; see ``Index._scored``.
_BEST = (((asked.EXACT * _PLACES + _OWN) * 2 + 1) * (_MOST_SMALL + 1) + _MOST_SMALL) * 2 + 1
_MOST_NEAREST = 3
# How alike a word must be to be worth a suggestion: 'budget' and 'edge' are 0.5.
_LEAST_LIKENESS = 0.59


class Found(NamedTuple):
    """What a search found.

    Attributes:
        rows: the best of it, under ``schema.MATCHES_SCHEMA``.
        total: how many there are.
        had: how many of the words they have: the most that any row has.
        asked: how many words were looked for.
        nearest: for each word that fits nothing, the nearest words that there are.
    """

    rows: pa.Table
    total: int
    had: int
    asked: int
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
        texts = [each for each in self._texts() if len(each.texts)]
        with ThreadPoolExecutor() as pool:  # Arrow works without the interpreter's lock
            lists = list(pool.map(split_symbols if of_symbols else split, _distinct(texts)))
        words_of = pa.chunked_array([each.flatten() for each in lists], STRING).dictionary_encode()
        each_of = [
            text.spread(pa.ListArray.from_arrays(each.offsets, chunk.indices))
            for text, each, chunk in zip(texts, lists, words_of.chunks, strict=True)
        ]
        # Of each text: whose it is, where it stands, and how many words it has, with small ones
        # and without.
        self._row_of = pa.concat_arrays([text.rows for text in texts])
        self._place_of = pa.concat_arrays([same(text.place, len(text.rows)) for text in texts])
        whole_of = pa.concat_arrays(each_of)
        self._length_of = pc.list_value_length(whole_of)
        # The distinct words; and of each word in each text, which it is and where it stands.
        self._words = words_of.chunk(0).dictionary
        self._word_at = whole_of.values
        self._text_at = pc.list_parent_indices(whole_of).cast(pa.int32())
        # The row of the variable that each row is of; null for what is no code.
        self._variable_of = pa.nulls(starts[-1], pa.int32())
        if "code" in nouns:
            names, _, which = _runs(self._rows["code"]["variable_name"])
            variables = pc.index_in(names, self._rows["variable"]["name"]).take(which)
            variables = _plus(variables, self._start["variable"])
            others = self._variable_of[: self._start["code"]]
            self._variable_of = pa.concat_arrays([others, variables])
        self._is_small = self._smallness()
        self._content_of = self._without_small()
        # The distinct words that are no numbers, and their positions; by length: filled in use.
        is_number = pc.utf8_is_decimal(self._words)
        self._positions = pc.indices_nonzero(pc.invert(pc.or_(is_number, self._is_small)))
        self._spelled = self._words.take(self._positions)
        self._letters = pc.utf8_length(self._spelled)
        self._of_lengths: dict[int, tuple[pa.Array, list[str]]] = {}

    def search(
        self, text: str, limit: int, synonyms: Mapping[str, Sequence[str]] | None = None
    ) -> Found:
        """What has all words of a text, or else the most of them, the best first.

        All its symbols if it has no words.

        Args:
            text: the words, in any order.
            limit: how many rows at most.
            synonyms: what means the same as a word or phrase.
        """
        if self._of_symbols:
            query = asked.of_symbols(text)
        elif not words(text) and symbols(text):
            return self._symbols.search(text, limit)
        else:
            query = asked.parse(text, grouped(synonyms or {}))
        fitting = self._fitting(query)
        # What fits nothing narrows nothing down.
        scored = self._scored(query, fitting.of_words_with_any())
        # The best first, and of equal ones that which the API has first.
        keys = pc.subtract(pc.shift_left(scored.scores.cast(pa.int64()), integer(32)), scored.rows)
        order = pc.select_k_unstable(keys, min(limit, len(keys)), [("", "descending")])
        rows, scores = scored.rows.take(order).to_pylist(), scored.scores.take(order).to_pylist()
        number = len(query.words)
        part = scored.had / number if number else 0.0
        matches = [
            self._match(row, part * score / _BEST, query)
            for row, score in zip(rows, scores, strict=True)
        ]
        lacking = [word for at, word in enumerate(query.words) if not fitting.has(at)]
        nearest = {word: self._nearest(word) for word in lacking}
        return Found(_table(matches), len(scored.rows), scored.had, number, nearest)

    @cached_property
    def _symbols(self) -> Index:
        """The same of symbols, made when somebody asks for one."""
        return Index(self._catalogue, of_symbols=True)

    def _texts(self) -> Iterator[_Texts]:
        """All texts that are searched; what is written otherwise is a text of its own, too.

        That is a name by its parts, and letters that some keyboards lack as two others.
        """
        for noun, columns in _SEARCHED.items():
            for column, place in columns.items() if noun in self._rows else ():
                values = self._rows[noun][column]
                positions = pc.indices_nonzero(pc.is_valid(values))
                texts = values.drop_null()
                yield self._of(noun, positions, place, _once(texts, column in _REPEATED))
                if self._of_symbols:
                    continue
                if column in _NAMES:
                    several, positions = apart(values)
                    yield self._of(noun, positions, place, several)
                written, within = spelled_texts(texts)
                if len(written):
                    positions = pc.indices_nonzero(pc.is_valid(values)).take(within)
                    yield self._of(noun, positions, place, written)
        if not self._of_symbols:
            yield from self._table_texts()

    def _table_texts(self) -> Iterator[_Texts]:
        """What a record of a variable's table is called, and several, where it is not its name."""
        tables, names = self._rows["table"], self._rows["variable"]["table_name"]
        at = pc.index_in(names, value_set=tables["name"])
        for column in ("singular", "plural"):
            called = tables[column].take(at)
            positions = pc.indices_nonzero(pc.not_equal(called, names))
            yield self._of("variable", positions, _AROUND, _once(called.take(positions)))

    def _of(self, noun: str, positions: pa.Array, place: int, texts: pa.Array) -> _Texts:
        return _Texts(_plus(positions, self._start[noun]), place, texts)

    def _without_small(self) -> pa.Array:
        """How many words each text has that are not small; of small words alone, all of them."""
        small, _ = self._standing(pc.indices_nonzero(self._is_small))
        texts, number, _ = _runs(small)
        others = pc.subtract(self._length_of, _spread(texts, number, len(self._length_of)))
        is_any = pc.greater(others, integers([0], pa.int32())[0])
        return pc.if_else(is_any, others, self._length_of)

    def _smallness(self) -> pa.Array:
        """Whether each distinct word is a small one."""
        if self._of_symbols:
            return pa.repeat(booleans([False])[0], len(self._words))
        is_small = pc.is_in(self._words, value_set=strings(sorted(SMALL_WORDS)))
        if not pc.all(pc.string_is_ascii(self._words), min_count=0).as_py():
            is_small = pc.or_(is_small, pc.match_substring_regex(self._words, r"^\p{So}"))
        return is_small

    def _standing(self, words: pa.Array) -> tuple[pa.Array, pa.Array]:
        """The texts in which some distinct words stand, in their order, and the number of each."""
        number = pc.inverse_permutation(words.cast(pa.int32()), max_index=len(self._words) - 1)
        is_one = pc.is_valid(number).cast(_NUMBER).take(self._word_at)
        at = pc.indices_nonzero(is_one)
        return self._text_at.take(at), number.take(self._word_at.take(at))

    def _fitting(self, query: Query) -> _Fitting:
        """The distinct words that fit those asked for, and the texts that have several parts."""
        found = []
        for way in query.ways:
            if len(way.parts) == 1:
                positions, fits = self._fitting_word(way.parts[0], is_own=way.is_own)
                found.append((way.covers, positions, _smaller(fits, _small(way.most))))
        together, of_parts = self._together(query)
        arrays = [positions for _, positions, _ in found]
        encoded = pa.concat_arrays([_NOWHERE, *arrays, *of_parts]).dictionary_encode()
        chosen = encoded.dictionary
        each = [same(0, len(chosen)) for _ in query.words]
        starts = _starts(map(len, arrays))
        for start, (covers, positions, fits) in zip(starts, found, strict=False):
            at = encoded.indices[start : start + len(positions)]
            for number in covers if len(positions) else ():
                each[number] = _larger(each[number], _spread(at, fits, len(chosen)))
        return _Fitting(chosen, each, together)

    def _fitting_word(self, word: str, *, is_own: bool) -> tuple[pa.Array, pa.Array]:
        """The distinct words that fit one, as :func:`query.fit` has it, and how each does."""
        starting = pc.indices_nonzero(pc.starts_with(self._words, word))
        found = self._words.take(starting)
        is_it = pc.equal(found, strings([word])[0])
        may_be = pc.or_(is_it, pc.invert(self._is_small.take(starting)))
        positions = [starting.filter(may_be)]
        fits = [pc.if_else(is_it.filter(may_be), _small(asked.EXACT), _small(asked.START))]
        most = asked.most_errors(word) if is_own else 0
        for length in range(len(word) - most, len(word) + most + 1) if most else ():
            others, spellings = self._of_length(length)
            alike = process.extract(
                word, spellings, scorer=OSA.distance, score_cutoff=most, limit=None
            )
            misspelled = [(at, errors) for _, errors, at in alike if errors]
            positions.append(others.take(integers(at for at, _ in misspelled)))
            fits.append(integers((asked.START - errors for _, errors in misspelled), _NUMBER))
        if is_own and asked.may_be_inside(word):
            inside = self._positions.filter(pc.match_substring(self._spelled, word))
            # What fits better comes first, and the best counts.
            positions.append(inside)
            fits.append(same(asked.INSIDE, len(inside)))
        return pa.concat_arrays(positions), pa.concat_arrays(fits)

    def _together(self, query: Query) -> tuple[list[_Together], list[pa.Array]]:
        """The texts that have all parts of a way, and the positions of these parts."""
        ways = [way for way in query.ways if len(way.parts) > 1]
        parts_of = {part for way in ways for part in way.parts}
        plain = strings(sorted(part for part in parts_of if not is_unspaced(part)))
        there = {}
        if len(plain):
            places = pc.indices_nonzero(pc.is_in(self._words, value_set=plain))
            for at in range(len(places)):
                there[self._words[places[at].as_py()].as_py()] = places[at : at + 1]
        for part in parts_of:
            if is_unspaced(part):
                there[part] = self._positions.filter(pc.match_substring(self._spelled, part))
        together, positions = [], []
        for way in ways:
            if all(part in there for part in way.parts):
                several = [self._standing(there[part])[0] for part in way.parts]
                both = reduce(lambda some, x: some.filter(pc.is_in(some, value_set=x)), several)
                if len(both):
                    together.append(_Together(way.covers, both))
                    positions += [there[part] for part in way.parts]
        return together, positions

    def _of_length(self, length: int) -> tuple[pa.Array, list[str]]:
        """The distinct words of a length that are not numbers, and their positions."""
        if length not in self._of_lengths:
            at = pc.indices_nonzero(pc.equal(self._letters, integer(length)))
            self._of_lengths[length] = self._positions.take(at), self._spelled.take(at).to_pylist()
        return self._of_lengths[length]

    def _scored(self, query: Query, fitting: _Fitting, *, anything: bool = False) -> _Scored:
        """The rows that have most of the words, in no order, and how well: ``_BEST`` at best.

        Args:
            query: what was asked for.
            fitting: what fits it.
            anything: whether to look at what has not all words.
        """
        number = len(fitting.fits)
        if not len(fitting.words):
            return _Scored(self._row_of[:0], same(0, 0), 0)
        text, word = self._standing(fitting.words)
        has_each = [pc.not_equal(fits, _small(0)).take(word) for fits in fitting.fits]
        for covers, texts in fitting.together:
            is_there = pc.is_in(text, value_set=texts)
            for at in covers:
                has_each[at] = pc.or_(has_each[at], is_there)
        kept = reduce(pc.or_, has_each)
        if number > 1 and not anything:
            kept = pc.and_(kept, self._may_have_all(text, has_each))
        text, word = text.filter(kept), word.filter(kept)
        texts, _, text = _runs(text)
        by_text = [_spread(text, fits.take(word), len(texts)) for fits in fitting.fits]
        for covers, together in fitting.together:
            is_there = pc.is_in(texts, value_set=together)
            fits = pc.if_else(is_there, _small(asked.OTHERWISE), _small(0))
            for at in covers:
                by_text[at] = _larger(by_text[at], fits)
        place = self._place_of.take(texts)
        row_of = self._row_of.take(texts)
        rows = pc.indices_nonzero(pc.is_valid(self._among(row_of))).cast(pa.int32())
        among = self._among(rows)
        row = among.take(row_of)
        by_word = [_spread(row, _pack(fits, place), len(rows)) for fits in by_text]
        if number > 1:
            # A code that has one of the words has the others where its variable has them, but
            # not as well as to the letter.
            variable = among.take(self._variable_of.take(rows))
            by_word = [
                pc.if_else(pc.equal(own, _small(0)), _as_code(own.take(variable)), own)
                for own in by_word
            ]
        had = _number_of(by_word)
        most = pc.max(had, min_count=0).as_py() or 0
        if most < number and not anything:
            return self._scored(query, fitting, anything=True)
        packed = _pack(_least(by_word, _how_of), _least(by_word, _place_of))
        # What has all words that are asked for and nothing else; here the worst word decides.
        is_small = self._is_small.take(fitting.words)
        if not query.is_small:
            text, word = (x.filter(pc.invert(is_small).take(word)) for x in (text, word))
        fits = reduce(_larger, fitting.fits)
        fits = pc.if_else(pc.equal(fits, _small(0)), _small(asked.OTHERWISE), fits)
        unfit = _spread(text, pc.subtract(_small(asked.EXACT), fits).take(word), len(texts))
        whole = _pack(pc.subtract(_small(asked.EXACT), unfit), place)
        at, number_of, _ = _runs(text)
        counts = _spread(at, number_of, len(texts))
        lengths = self._length_of if query.is_small else self._content_of
        is_whole = pc.and_(
            pc.equal(counts, lengths.take(texts)),
            pc.greater_equal(_number_of(by_text), _small(most)),
        )
        is_all = pc.and_(is_whole, pc.equal(counts, self._length_of.take(texts)))
        whole = _spread(row.filter(is_whole), whole.filter(is_whole), len(rows))
        is_whole = pc.greater_equal(whole, packed).cast(_NUMBER)
        is_all = _spread(row.filter(is_all), same(1, len(texts)).filter(is_all), len(rows))
        best = pc.equal(had, _small(most))
        rows = rows.filter(best)
        small = self._small_words(rows, query.small)
        scores = _places(
            (packed.filter(best), 1),
            (is_whole.filter(best), 2),
            (small, _MOST_SMALL + 1),
            (is_all.filter(best), 2),
        )
        return _Scored(rows, scores, most)

    def _among(self, rows: pa.Array) -> pa.Array:
        """Of each row of the catalogue, where it is among some; null where it is not."""
        return pc.inverse_permutation(rows, max_index=len(self._variable_of) - 1)

    def _may_have_all(self, text: pa.Array, has_each: list[pa.Array]) -> pa.Array:
        """Whether what has a word may have all, as it has the rarest, or is about what has.

        Args:
            text: the texts that have a word.
            has_each: whether it is this word, for each word asked for.
        """
        rarest = min(has_each, key=lambda has: pc.sum(has, min_count=0).as_py())
        row = self._row_of.take(text)
        rare = row.filter(rarest)
        near = self._among(pa.concat_arrays([rare, self._variable_of.take(rare).drop_null()]))
        is_about = self._among(rare).take(self._variable_of.take(row))
        return pc.or_(pc.is_valid(near.take(row)), pc.is_valid(is_about))

    def _small_words(self, rows: pa.Array, small: Iterable[str]) -> pa.Array:
        """How many of the small words rows have: the most, less what they lack."""
        number = same(_MOST_SMALL, len(rows))
        for word in small:
            position = pc.indices_nonzero(pc.equal(self._words, strings([word])[0]))
            having = self._row_of.take(self._standing(position)[0])
            lacks = pc.invert(pc.is_in(rows, value_set=having))
            may_lack = pc.greater(number, _small(0))
            number = pc.subtract(number, pc.and_(lacks, may_lack).cast(_NUMBER))
        return number

    def _match(self, row: int, score: float, query: Query) -> _Match:
        """What was found, and the column that fits best."""
        noun = next(noun for noun in reversed(self._rows) if row >= self._start[noun])
        rows, position = self._rows[noun], row - self._start[noun]
        values = {column: rows[column][position].as_py() for column in _SHOWN[noun]}
        if noun == "variable":
            tables = self._rows["table"]
            called = strings([values["table_name"]])
            at = pc.index_in(called, value_set=tables["name"])[0].as_py()
            values["about_table"] = " ".join(tables[c][at].as_py() for c in ("singular", "plural"))
        column = max(_SEARCHED[noun], key=lambda column: self._column_fits(column, values, query))
        return _Match(
            noun=schema.CHANGED_NOUNS.index(noun),
            name=rows.names(integers([position]), repeated=False)[0].as_py(),
            description=values[_DESCRIBES.get(noun, "description")],
            table_name=values[_TABLE_NAME[noun]] if noun in _TABLE_NAME else None,
            matched_in=schema.MATCHED_COLUMNS.index(column),
            matched_text=values[column],
            score=score,
        )

    def _column_fits(self, column: str, values: Mapping[str, Any], query: Query) -> tuple[int, int]:
        """How many of the words asked for a column has, and how well they fit."""
        text = values[column] or ""
        if self._of_symbols:
            there = symbols(text)
        else:
            there = words(text) + words(spelled(text) or "")
            there += parts(text) if column in _NAMES else []
            there += words(values["about_table"]) if column == "table_name" else []
        fits = query.fits(there)
        return len(fits) - fits.count(0), sum(fits)

    def _nearest(self, word: str) -> list[str]:
        """Words that there are, the most like another first; none that is not much like it."""
        spelled = [w for n in range(len(word) - 3, len(word) + 4) for w in self._of_length(n)[1]]
        found = process.extract(
            word,
            spelled,
            scorer=OSA.normalized_similarity,
            score_cutoff=_LEAST_LIKENESS,
            limit=_MOST_NEAREST,
        )
        return [spelling for spelling, _, _ in found]


class _Texts(NamedTuple):
    """Texts that stand at one kind of place, and whose they are.

    Attributes:
        rows: whose each text is.
        place: where they stand.
        texts: the texts; encoded as a dictionary where few of them are distinct.
    """

    rows: pa.Array
    place: int
    texts: pa.Array

    def spread(self, of_distinct: pa.Array) -> pa.Array:
        """What is known of the distinct texts, for each text."""
        is_encoded = pa.types.is_dictionary(self.texts.type)
        return of_distinct.take(self.texts.indices) if is_encoded else of_distinct


class _Together(NamedTuple):
    """Texts that have all parts of a way, and the numbers of the words that it covers."""

    covers: tuple[int, ...]
    texts: pa.Array


class _Fitting(NamedTuple):
    """What fits the words asked for.

    Attributes:
        words: the positions of distinct words.
        fits: how well these fit, for each word asked for.
        together: texts that have a word by several parts.
    """

    words: pa.Array
    fits: list[pa.Array]
    together: list[_Together]

    def of_words_with_any(self) -> _Fitting:
        """The same of the words alone that anything fits."""
        kept = [number for number in range(len(self.fits)) if self.has(number)]
        together = [
            _Together(tuple(kept.index(number) for number in covers), texts)
            for covers, texts in self.together
        ]
        return _Fitting(self.words, [self.fits[number] for number in kept], together)

    def has(self, number: int) -> bool:
        """Whether anything fits a word asked for."""
        fits = pc.max(self.fits[number], min_count=0).as_py()
        return bool(fits) or any(number in covers for covers, _ in self.together)


class _Scored(NamedTuple):
    """Rows, how well they fit, and how many of the words they have."""

    rows: pa.Array
    scores: pa.Array
    had: int


class _Match(NamedTuple):
    """A row of the answer; enums by the numbers of their values."""

    noun: int
    name: str
    description: str
    table_name: str | None
    matched_in: int
    matched_text: str
    score: float


def _distinct(texts: Iterable[_Texts]) -> Iterator[pa.Array]:
    for _, _, each in texts:
        yield each.dictionary if pa.types.is_dictionary(each.type) else each


def _once(texts: pa.Array, is_repeated: bool = True) -> pa.Array:
    return texts.dictionary_encode() if is_repeated else texts


def _runs(values: pa.Array) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Values of which equal ones stand together: each once, how often, and which each is."""
    runs = pc.run_end_encode(values)
    ends = pa.concat_arrays([integers([0], pa.int32()), runs.run_ends])
    each = pa.ListArray.from_arrays(ends, values)
    return runs.values, pc.list_value_length(each), pc.list_parent_indices(each)


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
        "score": floats(match.score for match in found),
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


def _small(value: int) -> pa.Scalar:
    """A small number for Arrow to calculate with."""
    return integers([value], _NUMBER)[0]


def _pack(how: pa.Array, place: pa.Array) -> pa.Array:
    """How words fit and where they stand as one number each, the larger the better, or 0."""
    packed = pc.add(pc.multiply(how, _small(_PLACES)), place)
    return pc.if_else(pc.equal(how, _small(0)), _small(0), packed)


def _places(*numbers: tuple[pa.Array, int]) -> pa.Array:
    """Numbers as one, each with how many values it may have; the first counts most."""
    whole = numbers[0][0].cast(pa.int32())
    for values, several in numbers[1:]:
        whole = pc.add(pc.multiply(whole, integer(several).cast(pa.int32())), values)
    return whole


def _how_of(packed: pa.Array) -> pa.Array:
    return pc.divide(packed, _small(_PLACES))


def _place_of(packed: pa.Array) -> pa.Array:
    return pc.bit_wise_and(packed, _small(_PLACES - 1))


def _as_code(packed: pa.Array) -> pa.Array:
    """How a variable's words fit a code, as :func:`_pack` has it; 0 for null."""
    how = _smaller(_how_of(packed), _small(asked.OTHERWISE))
    return pc.multiply(how, _small(_PLACES)).fill_null(_small(0))


def _number_of(values: list[pa.Array]) -> pa.Array:
    """How many of several values are not 0, for each row."""
    return reduce(pc.add, (pc.not_equal(each, _small(0)).cast(_NUMBER) for each in values))


def _least(
    values: list[pa.Array], part: Callable[[pa.Array], pa.Array] = lambda packed: packed
) -> pa.Array:
    """The least of several values, or of a part of each, that are not 0, for each row."""
    none = _small(0xFF)
    several = (pc.if_else(pc.equal(each, _small(0)), none, part(each)) for each in values)
    return reduce(_smaller, several)


def _larger(one: pa.Array, other: pa.Array) -> pa.Array:
    return pc.if_else(pc.greater(one, other), one, other)


def _smaller(one: pa.Array, other: pa.Array) -> pa.Array:
    return pc.if_else(pc.less(one, other), one, other)


def _spread(positions: pa.Array, values: pa.Array, size: int) -> pa.Array:
    """An array of zeros, but for the largest of the values at each position.

    Args:
        positions: where each value goes; null for nowhere.
        values: the values.
        size: the length of the array.

    >>> positions, values = integers([1, 1, 2]), integers([4, 3, 2], pa.uint8())
    >>> _spread(positions, values, 4).to_pylist()
    [0, 4, 2, 0]
    """
    order = pc.array_sort_indices(values)
    # Of several at one position, the last counts.
    places = pc.inverse_permutation(positions.take(order), max_index=size - 1)
    return values.take(order).take(places).fill_null(integers([0], values.type)[0])
