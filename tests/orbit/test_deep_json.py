"""JSON of any depth is read as ``json.loads`` reads it."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apteco_frames.errors import ApiResultsError
from apteco_frames.orbit.deep_json import loads
from apteco_frames.orbit.json_text import load

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
HOOKS: dict[str, Any] = {
    "object_pairs_hook": dict,
    "parse_int": int,
    "parse_float": float,
    "parse_constant": str,
}


def read(text: str) -> Any:
    """The value that a text holds, numbers as they are told apart."""
    deep = loads("[" * 20_000 + text + "]" * 20_000, **HOOKS)
    for _ in range(20_000):
        (deep,) = deep
    return deep


DEPTHS = st.sampled_from([0, 198, 199, 200, 397])
"""How deep to look: from 200 levels on, what is within is read by itself."""


@given(VALUES, st.sampled_from([None, 1]), DEPTHS)
def test_values(value: Any, indent: int | None, depth: int) -> None:
    """Whatever ``json`` writes is read as ``json`` reads it, however deep it is."""
    text = "[" * depth + json.dumps(value, indent=indent) + "]" * depth
    assert repr(read(text)) == repr(json.loads(text, **HOOKS))


def test_depth() -> None:
    """A document of any depth is read, on whatever Python."""
    depth = 20_000
    body = b'{"a":[' * depth + b"null" + b"]}" * depth
    value = load(body, "http://localhost", read=loads)
    for _ in range(depth):
        (value,) = value["a"]
    assert value is None


@pytest.mark.parametrize("end", [b"", b"]" * 2**24], ids=["open", "closed"])
def test_depth_without_end(end: bytes) -> None:
    """A document that seems to have no end is refused at once."""
    started = time.thread_time()
    with pytest.raises(ApiResultsError, match="it nests too deeply"):
        load(b"[" * 2**24 + end, "http://localhost", read=loads)
    assert time.thread_time() - started < 3  # seconds; 0.1 as measured


def test_deep_and_broken() -> None:
    """Of one that is deep and no JSON, the error says so."""
    with pytest.raises(ApiResultsError, match=re.escape("it is not JSON")):
        load(b"[" * 20_000 + b"]" * 19_999, "http://localhost", read=loads)
