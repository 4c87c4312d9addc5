"""Servers over an archive: the newest builds, several systems, and what changed between builds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from assistants.asking import ask, talk
from assistants.conftest import newer

from apteco_frames import Archive, Catalogue, errors
from apteco_frames.demo import holidays
from apteco_frames.mcp import server


def test_newest_build(saved: Path) -> None:
    """Answers are about the newest build, and say of which date it is."""
    page = ask(server(Archive(saved / "archive")), "list_tables").json
    assert page["build_date"] == "2019-11-28T15:57:24"
    assert {row["name"]: row["total_records"] for row in page["rows"]}["Bookings"] == 213_008


def test_builds_that_come(tmp_path: Path) -> None:
    """A build that is added while the server runs is told of, and so is what changed with it."""
    archive = Archive(tmp_path)
    whole = holidays()
    archive.add(whole)
    served = server(archive, fresh_seconds=0)
    assert len(ask(served, "list_variables", types="Reference").rows) == 10
    told = ask(served, "what_changed")
    assert told.is_error
    assert "nothing to compare" in told.text
    archive.add(newer(whole))
    assert len(ask(served, "list_variables", types="Reference").rows) == 9
    assert "hoURN" in ask(served, "what_changed").text
    patient = server(archive)
    ask(patient, "list_tables")
    archive.add(newer(whole, 2))
    assert ask(patient, "list_tables").json["build_date"] == "2019-11-28T15:57:24"
    assert ask(served, "list_tables").json["build_date"] == "2019-11-29T15:57:24"


@pytest.mark.parametrize(
    ("since", "until", "changed"),
    [
        ("", "", False),
        ("2019-11-27", "", True),
        ("2019-11-27T15:57:24", "2019-11-28", True),
        ("2019-11-27T15-57-24", "2019-11-29T23:00:00Z", True),
        ("2019-11-28", "2019-11-29", False),
        ("2019-11-28T00:00:00", "", True),
        ("2020-01-01", "", False),
    ],
)
def test_dates(tmp_path: Path, since: str, until: str, changed: bool) -> None:
    """Builds are found by a day, a time or a name: the newest of that date, or before it."""
    archive = Archive(tmp_path)
    whole = holidays()
    for catalogue in (whole, newer(whole), newer(whole, 2)):
        archive.add(catalogue)
    page = ask(server(archive), "what_changed", since=since, until=until).json
    assert (page["total"] > 0) == changed
    first = archive.builds["build"][0]
    assert ask(server(archive), "what_changed", since=first).json["total"] > 0


def test_no_such_build(saved: Path) -> None:
    """Where there is no build of a date or before, the error lists those that there are."""
    served = server(Archive(saved / "archive"))
    for since in ("2019-11-26", "yesterday"):
        told = ask(served, "what_changed", since=since)
        assert told.is_error
        assert "2019-11-28T15-57-24" in told.text


def test_several_systems(tmp_path: Path) -> None:
    """Of several systems a call says which; where it does not, the error lists them."""
    archive = Archive(tmp_path)
    whole = holidays()
    archive.add(whole)
    other = whole.system_info._replace(name="Old & new/系統")
    archive.add(Catalogue(other, whole.tables, whole.variables[:9]))
    served = server(archive, sql=True)
    assert "'holidays'" in (served.instructions or "")
    told = ask(served, "list_tables")
    assert told.is_error
    assert "Old & new/系統" in told.text
    assert ask(served, "list_variables", system=other.name).json["total"] == 9
    page = ask(served, "query", sql="select name from system", system=other.name)
    assert page.rows == [{"name": other.name}]
    assert ask(served, "list_tables", system="holiday").is_error

    async def read(client: Any) -> list[str]:
        listed = (await client.list_resources()).resources
        return [(await client.read_resource(r.uri)).contents[0].text for r in listed]

    cards = talk(served, read)
    assert len(cards) == 4
    assert any(card.startswith("Old & new/系統: ") for card in cards)
    # One that was told at the start need not be named.
    alone = server(archive, system=other.name)
    assert ask(alone, "list_variables").json["total"] == 9


def test_nothing_to_serve(tmp_path: Path) -> None:
    """An archive without builds, or without the system, is told of at once."""
    with pytest.raises(errors.ArchiveError, match="archive add"):
        server(Archive(tmp_path / "nothing"))
    Archive(tmp_path).add(holidays())
    with pytest.raises(errors.UnknownKeyError, match="holidays"):
        server(Archive(tmp_path), system="holiday")
    with pytest.raises(ValueError, match="older"):
        server(Archive(tmp_path), older=holidays())


def test_archive_that_is_gone(tmp_path: Path) -> None:
    """Where an archive can no longer be read, the calls say so, and the server goes on."""
    archive = Archive(tmp_path / "archive")
    archive.add(holidays())
    served = server(archive, fresh_seconds=0)
    (tmp_path / "archive").rename(tmp_path / "moved")
    assert ask(served, "list_tables").is_error
    (tmp_path / "moved").rename(tmp_path / "archive")
    assert ask(served, "list_tables").rows
