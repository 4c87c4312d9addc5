"""Texts without case and accents, to look for parts of words in them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames.support.arrays import strings

_ACCENTS = r"\p{Mn}+"


def having(columns: Sequence[pa.ChunkedArray], words: str) -> pa.ChunkedArray:
    """Which rows have all words of a text in one column or another, case and accents aside.

    Args:
        columns: texts, or nulls, of the same rows.
        words: words, or parts of words, with blanks between them.

    >>> names = pa.chunked_array([["Citroën 2CV", "Opel", None]])
    >>> having([names], "2cv citroen").to_pylist()
    [True, False, False]
    """
    nothing = strings([""])[0]
    texts = [fold(pc.fill_null(column, nothing)) for column in columns]
    has_all = pc.is_valid(texts[0])
    for word in fold(strings(words.encode(errors="ignore").decode().split())).to_pylist():
        has_word = reduce(pc.or_, [pc.match_substring(column, word) for column in texts])
        has_all = pc.and_(has_all, has_word)
    return has_all


def fold(texts: pa.Array | pa.ChunkedArray) -> Any:
    """Texts in lower case, without accents."""
    if pc.all(pc.string_is_ascii(texts), min_count=0).as_py():
        return pc.ascii_lower(texts)
    plain = pc.replace_substring_regex(pc.utf8_normalize(texts, "NFKD"), _ACCENTS, "")
    return pc.utf8_lower(plain)
