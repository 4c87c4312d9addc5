"""``uses``: who uses what, and what breaks."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from cli.running import Command

from apteco_frames import Catalogue
from apteco_frames.demo import DemoServer, holidays

LOGIN = ("--profile", "orbit", "--no-cache")


def without(name: str, build_date: datetime) -> Catalogue:
    """A build of Holidays without a variable."""
    whole = holidays()
    return Catalogue(
        whole.system_info._replace(build_date=build_date),
        whole.tables,
        whole.variables.filter(pl.col("name") != name),
        whole.codes.filter(pl.col("variable_name") != name),
    )


def test_of_a_variable(command: Command) -> None:
    """The uses of a variable are printed, by its name or description."""
    rows = command("uses", "Destination", *LOGIN).rows()
    assert rows[0] == ["kind", "title", "owner", "part", "variable_name", "code"]
    assert ["audience", "Swedes", "Administrator", "includeQuery", "boDest", "29"] in rows
    assert {row[4] for row in rows[1:]} == {"boDest"}


def test_of_a_code(command: Command) -> None:
    """The uses of a code are printed, with selection files if they are asked for."""
    rows = command("uses", "boDest", "Sweden", *LOGIN, "--files", "Public").rows()
    assert [row[1] for row in rows[1:]] == [
        *("Swedes", "Scandinavia, without students", "Swedes.xml")
    ]


def test_of_what_is_gone(command: Command) -> None:
    """A variable that the catalogue has no more is found where it is used."""
    done = command("uses", "peMailSt", *LOGIN)
    assert (done.status, len(done.rows())) == (0, 2)
    assert "no variable 'peMailSt'" in done.err
    assert command("uses", "peMailSt", "A", *LOGIN).status == 1  # no code is claimed of it
    assert command("uses", "peNothing", *LOGIN).status == 1


def test_of_a_code_that_is_gone(command: Command, tmp_path: Path) -> None:
    """So is a code that the catalogue has no more."""
    whole = holidays()
    codes = whole.codes.filter(~((pl.col("variable_name") == "boDest") & (pl.col("code") == "29")))
    with DemoServer() as server:
        rows = server.login().uses
    Catalogue(whole.system_info, whole.tables, whole.variables, codes, uses=rows).write_parquet(
        tmp_path / "saved"
    )
    done = command("uses", "Destination", "29", "--catalogue", str(tmp_path / "saved"))
    assert [row[1] for row in done.rows()[1:]] == ["Swedes", "Scandinavia, without students"]
    assert "no code '29' of 'boDest'" in done.err
    assert command("uses", "boDest", "No such", "--catalogue", str(tmp_path / "saved")).status == 1


def test_of_nothing(command: Command) -> None:
    """Where nothing is found, it is said what was not looked at."""
    done = command("uses", "boURN", *LOGIN)
    assert (done.status, len(done.rows())) == (0, 1)
    assert (
        "PeopleStage, collections, and whatever the user may not list were not searched" in done.err
    )


@pytest.mark.parametrize("year", [2018, 2030])
def test_broken(command: Command, year: int) -> None:
    """What breaks from one build to a newer one has the status 1, whichever is given first."""
    without("deGrade", datetime(year, 1, 1)).write_parquet("other")
    done = command("uses", "--broken", "other", *LOGIN)
    assert done.status == 1
    reasons = {(row[4], row[6]) for row in done.rows()[1:]}
    gone = {("deGrade", "variable gone")} if year == 2030 else set()
    assert reasons == {("peMailSt", "variable gone"), *gone}


def test_nothing_broken(command: Command) -> None:
    """Where nothing breaks, the status is 0."""
    done = command("uses", "boDest", "--broken", "holidays", *LOGIN)
    assert (done.status, len(done.rows())) == (0, 1)
    assert "No broken use was found" in done.err


def test_saved(command: Command, place: Path) -> None:
    """Uses are saved if that is asked for, and then read offline, or from an archive."""
    assert not (place / "holidays/uses.parquet").exists()
    assert command("export", "saved", *LOGIN, "--uses").out.endswith("uses.parquet\n")
    assert len(command("uses", "--catalogue", "saved").rows()) > 50
    assert command("uses", "--catalogue", "saved", "--files", "Public").status == 2
    # Uses of the older build, if the newer one has none.
    without("deGrade", datetime(2030, 1, 1)).write_parquet("other")
    done = command("uses", "--catalogue", "other", "--broken", "saved")
    assert done.status == 1
    assert "deGrade" in {row[4] for row in done.rows()}
    assert command("export", "again", "--catalogue", "saved").status == 0
    assert not (place / "again/uses.parquet").exists()
    assert command("archive", "add", "kept", "--catalogue", "saved", "--uses").status == 0
    assert list((place / "kept/uses").rglob("*.parquet"))


def test_dictionary(command: Command) -> None:
    """A page says who uses what if that is asked for; a workbook does not."""
    assert command("dictionary", "d.html", *LOGIN, "--uses") == (0, "d.html\n", "")
    assert command("dictionary", "d.xlsx", *LOGIN, "--uses").status == 2


def test_archive_check(command: Command) -> None:
    """``archive check --uses`` tells who uses what changed, as it was added with a build."""
    assert command("export", "saved", *LOGIN, "--uses").status == 0
    assert command("archive", "add", "kept", "--catalogue", "saved", "--uses").status == 0
    without("deGrade", datetime(2030, 1, 1)).write_parquet("other")
    assert command("archive", "add", "kept", "--catalogue", "other").status == 0
    done = command("archive", "check", "kept", "--uses")
    assert done.status == 1
    assert "deGrade: Grade (used by 1 audience, 1 dashboard)" in done.out
    assert "used by" not in command("archive", "check", "kept").out
    done = command("archive", "check", "my-archive", "--uses")
    assert (done.status, done.out) == (2, "")
    assert "archive add --uses" in done.err
