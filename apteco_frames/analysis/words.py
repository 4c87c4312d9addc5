"""Texts as the words that are searched: without case, accents and punctuation.

Letters, digits and the marks that belong to them make a word; everything else ends one.
``Citroën`` and ``CITROEN`` are one word, ``£10-20k`` is two. A name is searched by its parts,
too: ``boDest`` is the word ``bodest`` and has the parts ``bo`` and ``dest``. An emoji is a word
of its own, and where nothing but symbols is asked for, such as ``%``, so is each of them.

The page of the data dictionary has the same rules in ``render/dictionary-search.js``; what both
can share as data is in :data:`SMALL_WORDS`, :data:`LETTERS` and :data:`DROPPED`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames.support.arrays import strings

SMALL_WORDS = frozenset(
    # English, German, French and Dutch; "s", "l" and "d" are what an apostrophe leaves.
    [
        "a",
        "an",
        "the",
        "of",
        "in",
        "on",
        "at",
        "to",
        "for",
        "by",
        "from",
        "with",
        "and",
        "or",
        "is",
        "are",
        "was",
        "were",
        "be",
        "as",
        "its",
        "their",
        "my",
        "our",
        "your",
        "his",
        "her",
        "this",
        "that",
        "what",
        "which",
        "where",
        "who",
        "when",
        "how",
        "do",
        "does",
        "s",
        "der",
        "die",
        "das",
        "des",
        "dem",
        "den",
        "ein",
        "eine",
        "einer",
        "eines",
        "einem",
        "einen",
        "und",
        "oder",
        "von",
        "vom",
        "zu",
        "zum",
        "zur",
        "im",
        "am",
        "auf",
        "aus",
        "bei",
        "mit",
        "nach",
        "fur",
        "ist",
        "sind",
        "le",
        "la",
        "les",
        "l",
        "un",
        "une",
        "du",
        "de",
        "d",
        "et",
        "ou",
        "en",
        "au",
        "aux",
        "par",
        "pour",
        "sur",
        "dans",
        "avec",
        "est",
        "het",
        "een",
        "van",
        "op",
        "aan",
        "voor",
        "bij",
        "te",
        "uit",
        "naar",
        "zijn",
    ]
)
"""Words that count only where all else is equal, as :func:`words` gives them."""

LETTERS = {
    **{"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "\u0131": "i"},
    **{"æ": "ae", "œ": "oe", "þ": "th", "ß": "ss", "ς": "\u03c3"},
}
"""What Unicode does not take apart, as people write it."""

DROPPED = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f"
)
"""Ranges of accents and points that people leave out; other marks are part of a word."""

UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff"
"""Ranges of the letters that are written without blanks between words."""

SPELLED = {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"}
"""Letters that people without them spell with two."""

Phrase = tuple[str, ...]
Synonyms = tuple[tuple[Phrase, ...], ...]
"""Groups of phrases that mean the same, each as the words that :func:`words` gives."""

# By byte: letters in lower case, and a blank for all else of ASCII; other letters stay.
_PLAIN = bytes(
    byte if byte >= 0x80 else ord(chr(byte).lower() if chr(byte).isalnum() else " ")
    for byte in range(0x100)
)
# Where the next part of a name begins: boDest, HHIncome.
_PARTS = (r"([a-z0-9])([A-Z])", r"([A-Z])([A-Z][a-z])")
_APART = r"\1 \2"
# What is no symbol: what words consist of, and what is not seen.
_WORD, _UNSEEN = r"[\pL\pN\pM]+", r"[\pZ\p{Cc}\p{Cf}]+"
_ANY_WORD = "a"
_IS_DROPPED = re.compile(f"[{DROPPED}]")
_HAS_SPELLED = f"(?i)[{''.join(SPELLED)}]|[aou]\u0308|a\u030a"
_IS_UNSPACED = re.compile(f"[{UNSPACED}]")
_TO_SPELL = str.maketrans(SPELLED)


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


def spelled(text: str) -> str | None:
    """A text with two letters for each that some keyboards lack; None if it has none of them.

    >>> spelled("Zürich"), spelled("Bern")
    ('zuerich', None)
    """
    if text.isascii():
        return None
    lower = unicodedata.normalize("NFC", text).lower()
    written = lower.translate(_TO_SPELL)
    return None if written == lower else written


def grouped(synonyms: Mapping[str, Sequence[str]]) -> Synonyms:
    """Synonyms as a search takes them: each key and its values mean the same.

    >>> grouped({"income": ["Salary", "take-home pay"]})
    ((('income',), ('salary',), ('take', 'home', 'pay')),)
    """
    groups = ((key, *values) for key, values in synonyms.items())
    return tuple(tuple(p for text in group if (p := tuple(words(text)))) for group in groups)


def is_unspaced(word: str) -> bool:
    """Whether a word has letters of a script without blanks between words.

    >>> is_unspaced("旅行日期"), is_unspaced("date")
    (True, False)
    """
    return not word.isascii() and _IS_UNSPACED.search(word) is not None


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


def spelled_texts(texts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Texts as :func:`spelled` writes them, of those that it writes otherwise.

    Returns:
        the texts so written, and their positions.
    """
    if pc.all(pc.string_is_ascii(texts), min_count=0).as_py():
        return texts[:0], pc.indices_nonzero(pa.nulls(0, pa.bool_()))
    positions = pc.indices_nonzero(pc.match_substring_regex(texts, _HAS_SPELLED))
    several = texts.take(positions).dictionary_encode()
    written = strings(spelled(text) or "" for text in several.dictionary.to_pylist())
    return written.take(several.indices), positions


class _Letters(dict[int, str]):
    """What to write for each character of a text that is in lower case and decomposed."""

    def __missing__(self, number: int) -> str:
        character = chr(number)
        category = unicodedata.category(character)
        if _IS_DROPPED.match(character) or category == "Cf":
            written = ""
        elif category == "Nd":
            written = str(unicodedata.decimal(character))
        elif category == "So":
            written = f" {character} "
        else:
            written = character if category[0] in "LMN" else " "
        self[number] = written
        return written


_CHARACTERS = _Letters({ord(letter): written for letter, written in LETTERS.items()})


def _unaccented(text: str) -> str:
    """A text in lower case without accents, with blanks for what is no letter or digit."""
    return unicodedata.normalize("NFKD", text).lower().translate(_CHARACTERS)
