"""Catalogues in strings: equal when read back, and whole or refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from lanes import up_to
from storage.arrows import SYSTEM, codes_of, folder_of, saved
from strategies import catalogue_of, variable_item

from apteco_frames.errors import DeserializeError
from apteco_frames.storage import stream

CATALOGUE = catalogue_of(None, [variable_item("peVar")])
ARROWS = {
    "tables": CATALOGUE.tables.arrow,
    "variables": CATALOGUE.variables.arrow,
    "codes": codes_of("peVar", 3),
    "folders": folder_of(["peVar"]),
}


@settings(max_examples=up_to(30))
@given(saved())
def test_any_rows_come_back_equal(what: Any) -> None:
    """Whatever a catalogue holds comes back from JSON to the letter."""
    system, arrows, unavailable = what
    text = json.dumps(stream.to_json(system, arrows, unavailable))
    found = stream.from_json(json.loads(text))
    assert (found.system, found.unavailable) == (system, unavailable)
    assert found.tables.equals(arrows["tables"])
    assert found.variables.equals(arrows["variables"])
    for kind in ("codes", "folders"):
        read = getattr(found, kind)
        assert (kind in arrows) == (read is not None)
        assert read is None or read().equals(arrows[kind])


@pytest.mark.parametrize("kind", [*ARROWS, "version", "files"])
@pytest.mark.parametrize("value", ["", "AAAA", None, 3, ["x"]])
def test_damaged_values(kind: str, value: Any) -> None:
    """A value that is not the one written, or is missing, is refused."""
    values = stream.to_json(SYSTEM, ARROWS, ["peVar"])
    within = values["files"] if kind in ARROWS else values
    within[kind] = value
    with pytest.raises(DeserializeError, match="log in again"):
        stream.from_json(values)
    del within[kind]
    with pytest.raises(DeserializeError, match="damaged"):
        stream.from_json(values)


def test_values_of_another_version() -> None:
    """What another version wrote is refused, with what to do."""
    with pytest.raises(DeserializeError, match=r"an earlier version.*log in again"):
        stream.from_json({"version": 3})
    with pytest.raises(DeserializeError, match=r"a newer version.*Install that version"):
        stream.from_json({"version": 5})
