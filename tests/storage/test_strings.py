"""Catalogues in strings: equal when read back, and whole or refused."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from lanes import up_to
from storage.arrows import SYSTEM, codes_of, folder_of, saved
from strategies import catalogue_of, variable_item

from apteco_frames.errors import DeserializeError
from apteco_frames.storage import strings

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
    text = json.dumps(strings.to_json(system, arrows, unavailable))
    found = strings.from_json(json.loads(text))
    assert (found.system, found.unavailable) == (system, unavailable)
    assert found.tables.equals(arrows["tables"])
    assert found.variables.equals(arrows["variables"])
    for kind in ("codes", "folders"):
        read = getattr(found, kind)
        assert (kind in arrows) == (read is not None)
        assert read is None or read().equals(arrows[kind])


def test_strings_of_version_1() -> None:
    """What the first version wrote is still read."""
    values = strings.to_json(SYSTEM, {kind: ARROWS[kind] for kind in ("tables", "variables")})
    values = {**values, "version": 1}
    del values["unavailable"]
    parts = json.dumps(values["system_info"], sort_keys=True), values["tables"], values["variables"]
    values["checksum"] = zlib.crc32("\n".join(parts).encode())
    found = strings.from_json(values)
    assert found.system == SYSTEM
    assert (found.codes, found.folders, found.unavailable) == (None, None, ())
    assert found.variables.equals(CATALOGUE.variables.arrow)


@pytest.mark.parametrize("key", ["tables", "variables", "codes", "folders", "unavailable"])
@pytest.mark.parametrize("value", ["", "AAAA", None, 3, ["x"]])
def test_damaged_values(key: str, value: Any) -> None:
    """What is not what was written is refused."""
    values = strings.to_json(SYSTEM, ARROWS, ["peVar"])
    with pytest.raises(DeserializeError, match="damaged"):
        strings.from_json({**values, key: value})
    del values[key]
    with pytest.raises(DeserializeError, match="damaged"):
        strings.from_json(values)


def test_values_of_a_newer_version() -> None:
    """A newer version says so."""
    with pytest.raises(DeserializeError, match=r"newer version.*pip install --upgrade"):
        strings.from_json({"version": 3})
