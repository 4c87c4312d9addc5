"""Catalogues in strings: equal when read back, and whole or refused."""

from __future__ import annotations

import base64
import json
from typing import Any

import pyarrow as pa
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


def as_stream(arrow: pa.Table) -> str:
    """A table as the second version wrote it."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, arrow.schema) as writer:
        writer.write_table(arrow)
    return base64.b64encode(sink.getvalue()).decode()


@pytest.mark.parametrize("version", [1, 2])
def test_strings_of_earlier_versions(version: int) -> None:
    """What the versions before wrote, a stream for each noun, is still read."""
    kinds = list(ARROWS)[: 2 * version]
    values: dict[str, Any] = {kind: as_stream(ARROWS[kind]) for kind in kinds}
    values |= {} if version == 1 else {"unavailable": ["peVar"]}
    system = {**SYSTEM, "build_date": SYSTEM["build_date"].isoformat()}
    found = stream.from_json({"version": version, "system_info": system, **values, "checksum": 0})
    assert found.system == SYSTEM
    assert found.variables.equals(CATALOGUE.variables.arrow)
    assert (found.codes is None, found.folders is None) == (version == 1, version == 1)
    assert found.codes is None or found.codes().equals(ARROWS["codes"])
    assert found.unavailable == (() if version == 1 else ("peVar",))


@pytest.mark.parametrize("key", ["rows", "system_info", "unavailable", "checksum"])
@pytest.mark.parametrize("value", ["", "AAAA", None, 3, ["x"]])
def test_damaged_values(key: str, value: Any) -> None:
    """What is not what was written is refused."""
    values = stream.to_json(SYSTEM, ARROWS, ["peVar"])
    with pytest.raises(DeserializeError, match="damaged"):
        stream.from_json({**values, key: value})
    del values[key]
    with pytest.raises(DeserializeError, match="damaged"):
        stream.from_json(values)


def test_values_of_a_newer_version() -> None:
    """A newer version says so."""
    with pytest.raises(DeserializeError, match=r"newer version.*pip install --upgrade"):
        stream.from_json({"version": 4})
