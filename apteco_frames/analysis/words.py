"""Texts as the words that are searched: without case, accents and punctuation.

Letters and digits make a word, and everything else ends one. ``Citroën`` and ``CITROEN``
are one word, ``£10-20k`` are two. A name is searched by its parts, too: ``boDest`` is the
word ``bodest``, and has the parts ``bo`` and ``dest``. Where nothing but symbols is asked for,
such as ``😀`` or ``%``, each of them is a word.
"""

from __future__ import annotations

import re
import unicodedata

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames.support.arrays import strings

# By byte: letters in lower case, and a blank for all else of ASCII; other letters stay.
_PLAIN = bytes(
    byte if byte >= 0x80 else ord(chr(byte).lower() if chr(byte).isalnum() else " ")
    for byte in range(0x100)
)
# Letters that people write without their stroke, but Unicode does not take apart.
_LETTERS = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "\u0131": "i",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
    }
)
# Where the next part of a name begins: boDest, HHIncome.
_PARTS = (r"([a-z0-9])([A-Z])", r"([A-Z])([A-Z][a-z])")
_APART = r"\1 \2"
# What is no symbol: what words consist of, and what is not seen.
_WORD, _UNSEEN = r"[\pL\pN\pM]+", r"[\pZ\p{Cc}\p{Cf}]+"
_ANY_WORD = "a"


def words(text: str) -> list[str]:
    """The words of a text, in their order.

    >>> words("Citroën 2CV, £10-20k")
    ['citroen', '2cv', '10', '20k']
    """
    plain = text if text.isascii() else _unaccented(text)
    return plain.encode().translate(_PLAIN).decode().split()


def symbols(text: str) -> list[str]:
    """The symbols of a text, in their order.

    >>> symbols("100 % 👍🏽!")
    ['%', '👍', '🏽', '!']
    """
    encodable = text.encode(errors="ignore").decode()
    return [s for s in split_symbols(strings([encodable]))[0].as_py() if s not in ("", _ANY_WORD)]


def asked_for(text: str) -> list[str]:
    """The words of a query; its symbols if there are no words.

    >>> asked_for("100 %"), asked_for("%")
    (['100'], ['%'])
    """
    return words(text) or symbols(text)


def parts(name: str) -> list[str]:
    """The parts of a name; empty if they are its words.

    >>> parts("HHIncomeBand"), parts("Content")
    (['hh', 'income', 'band'], [])
    """
    text = name
    for part in _PARTS:
        text = re.sub(part, _APART, text)
    return words(text) if text != name else []


def split(texts: pa.Array) -> pa.Array:
    """The words of many texts: a list for each, of one empty word where there is none.

    Args:
        texts: strings without nulls.
    """
    is_ascii = pc.string_is_ascii(texts)
    if not pc.all(is_ascii, min_count=0).as_py():
        others = texts.filter(pc.invert(is_ascii)).dictionary_encode()
        unaccented = strings(map(_unaccented, others.dictionary.to_pylist()))
        texts = pc.replace_with_mask(texts, pc.invert(is_ascii), unaccented.take(others.indices))
    valid, offsets, data = texts.buffers()
    if data is not None:
        # As long as before, so that the offsets stay.
        plain = pa.py_buffer(data.to_pybytes().translate(_PLAIN))
        buffers = [valid, offsets, plain]
        texts = pa.Array.from_buffers(pa.string(), len(texts), buffers, offset=texts.offset)
    return pc.ascii_split_whitespace(pc.ascii_trim_whitespace(texts))


def split_symbols(texts: pa.Array) -> pa.Array:
    """The symbols of many texts: a list for each, of one empty word where there is nothing.

    A run of letters and digits is one word, whichever: a text has more than its symbols then.

    Args:
        texts: strings without nulls.
    """
    for pattern, written in ((_WORD, _ANY_WORD), (_UNSEEN, " "), (r"(\S)", r" \1 ")):
        texts = pc.replace_substring_regex(texts, pattern, written)
    return pc.split_pattern_regex(pc.ascii_trim_whitespace(texts), r"\s+")


def apart(names: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Names with blanks between their parts, of those that have several.

    Returns:
        the names taken apart, and their positions.
    """
    positions = pc.indices_nonzero(pc.match_substring_regex(names, "|".join(_PARTS)))
    texts = names.take(positions)
    for part in _PARTS:
        texts = pc.replace_substring_regex(texts, part, _APART)
    return texts, positions


def _unaccented(text: str) -> str:
    """A text in lower case without accents, with blanks for what is no letter or digit."""
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = (c for c in letters if not unicodedata.combining(c))
    return "".join(c if c.isalnum() else " " for c in kept).translate(_LETTERS)
