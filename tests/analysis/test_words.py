"""Texts as words, and words taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import ODD_TEXTS, texts

from apteco_frames.analysis.words import apart, parts, split, words
from apteco_frames.support.arrays import strings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Travel Date", ["travel", "date"]),
        ("  £10-20k, (net) ", ["10", "20k", "net"]),
        ("Citroën CRÈME brûlée", ["citroen", "creme", "brulee"]),
        ("Citroe\u0308n", ["citroen"]),
        ("Straße Łódź Ærø Øre", ["strasse", "lodz", "aero", "ore"]),
        ("\u0130stanbul \u0131s\u0131", ["istanbul", "isi"]),
        ("Ελλάδα שלום 日本", ["ελλαδα", "שלום", "日本"]),
        ("\ufb01ne \uff12\uff10", ["fine", "20"]),
        ("boDest", ["bodest"]),
        ("fs$PSS a_b", ["fs", "pss", "a", "b"]),
        ("", []),
        (" !", []),
        ("\ud800x", ["x"]),
    ],
)
def test_words_of_a_text(text: str, expected: list[str]) -> None:
    """Letters and digits make words, without case and accents; everything else ends them."""
    assert words(text) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("boDest", ["bo", "dest"]),
        ("HHIncomeBand", ["hh", "income", "band"]),
        ("WebVisits", ["web", "visits"]),
        ("Q1Sales", ["q1", "sales"]),
        ("People", []),
        ("Journey History", []),
        ("", []),
    ],
)
def test_parts_of_a_name(name: str, expected: list[str]) -> None:
    """A name is taken apart where a capital begins the next part, if it has several."""
    assert parts(name) == expected


@given(st.lists(texts() | st.sampled_from(ODD_TEXTS), max_size=6), st.integers(0, 2))
def test_many_texts_have_the_words_of_each(drawn: list[str], start: int) -> None:
    """Split at once, texts have the same words and parts as one by one."""
    several = strings(drawn)[start:]
    each = [words(text) or [""] for text in drawn[start:]]
    assert split(several).to_pylist() == each
    names, positions = apart(several)
    found = zip(positions.to_pylist(), split(names).to_pylist(), strict=True)
    assert dict(found) == {
        at: parts(t) or [""] for at, t in enumerate(drawn[start:]) if _several(t)
    }


def _several(name: str) -> bool:
    names, _ = apart(strings([name]))
    return len(names) == 1
