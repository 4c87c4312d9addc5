"""Archives on the command line: what is added, listed, followed and checked."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
from cli.running import PASSWORD, Command, NotingServer

from apteco_frames import Archive, Catalogue
from apteco_frames.demo import holidays


def test_archive_add(command: Command) -> None:
    """A system is added once, with its codes and folders."""
    given = ("archive", "add", "new", "--profile", "orbit", "--no-header")
    assert command(*given) == (0, "holidays\tadded\n", "")
    assert command(*given) == (0, "holidays\tthere already\n", "")
    assert Archive("new").catalogue("holidays") == holidays()


def test_archive_add_offline(command: Command) -> None:
    """A saved catalogue is added, too; all of a DataView need a login."""
    given = ("archive", "add", "new", "--catalogue", "holidays")
    assert command(*given, "--no-header") == (0, "holidays\tadded\n", "")
    assert command(*given, "--all").status == 2
    copying = ("archive", "add", "another", "--archive", "new", "--no-header")
    assert command(*copying) == (0, "holidays\tadded\n", "")


def other(name: str) -> Catalogue:
    """The demo system by another name."""
    whole = holidays()
    return Catalogue(whole.system_info._replace(name=name), whole.tables, whole.variables)


def test_archive_add_all(command: Command) -> None:
    """All systems of the DataView are added."""
    with NotingServer(others=[other("second"), other("third")]) as server:
        login = ("--profile", "orbit", "--base-url", server.base_url)
        options = ("--no-cache", "--no-codes", "--no-header")
        given = ("archive", "add", "new", "--all", *login, *options)
        expected = "holidays\tadded\nsecond\tadded\nthird\tadded\n"
        assert command(*given) == (0, expected, "")


def test_archive_add_some(command: Command) -> None:
    """Systems that fail are said, and are in the answer; the others are added."""
    with NotingServer(others=[other("second")]) as server:
        server.broken = "/second/Tables"
        login = ("--profile", "orbit", "--base-url", server.base_url)
        given = ("archive", "add", "new", "--all", *login, "--no-codes", "--format", "json")
        status, out, err = command(*given)
    assert status == 1
    rows = json.loads(out)
    assert [(row["system"], row["outcome"]) for row in rows] == [
        ("holidays", "added"),
        ("second", "failed"),
    ]
    assert rows[1]["error"]
    assert err.startswith("apteco-frames: warning: System 'second' was not added to the archive: ")
    assert len(err.splitlines()) == 1
    assert Archive("new").builds["system"].to_list() == ["holidays"]


def test_archive_list(command: Command) -> None:
    """All builds are listed."""
    header, *rows = command("archive", "list", "my-archive").rows()
    assert header == ["system", "build", "added_at", "tables", "variables", "codes", "folders"]
    assert [[row[0], row[1][:20], *row[3:5]] for row in rows] == [
        ["holidays", "2019-11-27T15-57-24-", "9", "94"],
        ["holidays", "2019-11-28T15-57-24-", "9", "93"],
    ]


def test_archive_history(command: Command) -> None:
    """A variable is followed from build to build."""
    given = ("archive", "history", "my-archive", "hoURN", "--columns", "build_date,is_there")
    expected = "build_date\tis_there\n2019-11-27T15:57:24\ttrue\n2019-11-28T15:57:24\tfalse\n"
    assert command(*given) == (0, expected, "")
    assert command(*given, "--system", "holidays").out == expected
    status, _, err = command("archive", "history", "my-archive", "hoUNR")
    assert (status, len(err.splitlines())) == (1, 1)
    assert "Nearest: 'hoURN'" in err


def test_archive_check(command: Command) -> None:
    """The newest build of each system is compared with the one before."""
    assert command("archive", "check", "my-archive") == command("diff", "older", "newer")
    assert Archive("my-archive").add(other("second"))
    status, out, err = command("archive", "check", "my-archive", "--fail-on", "breaking")
    assert (status, len([line for line in out.splitlines() if " changes of " in line])) == (1, 1)
    assert err == (
        "apteco-frames: second: no build is older than the newest, 2019-11-27 15:57:24; nothing "
        "to compare\n"
    )
    done = command("archive", "check", "my-archive", "--system", "second", "--format", "json")
    assert (done.status, json.loads(done.out)) == (0, [])
    given = ("archive", "check", "my-archive", "--system", "holidays")
    assert command(*given, "--ignore-column", "total_records", "--only", "table").status == 0


def test_archive_check_of_a_better_build(command: Command) -> None:
    """Once a newer build is well again, the check passes."""
    newer = Catalogue.read_parquet("newer")
    info = newer.system_info._replace(build_date=datetime(2026, 11, 25, 3))
    again = Catalogue(info, newer.tables, newer.variables, newer.codes, newer.folders)
    assert Archive("my-archive").add(again)
    assert command("archive", "check", "my-archive").status == 0


def test_archive_check_looks_at_an_older_date(command: Command) -> None:
    """A broken build that is added again, changed or without codes, is still compared."""
    broken = command("archive", "check", "my-archive", "--fail-on", "breaking").out
    newer = Catalogue.read_parquet("newer")
    info = newer.system_info._replace(description="virtual variables made")
    again = Catalogue(info, newer.tables, newer.variables, newer.codes, newer.folders)
    bare = Catalogue(info._replace(view_name="bare"), newer.tables, newer.variables)
    archive = Archive("my-archive")
    assert archive.add(again)
    assert archive.add(bare)
    done = command("archive", "check", "my-archive", "--fail-on", "breaking")
    assert (done.status, done.out) == (1, broken)


def test_archive_check_without_dates(command: Command) -> None:
    """Builds of which nobody knows which is older are not compared, and that is said."""
    whole = other("undated")
    for view in ("one", "two"):
        info = whole.system_info._replace(build_date=None, view_name=view)
        assert Archive("new").add(Catalogue(info, whole.tables, whole.variables))
    status, out, err = command("archive", "check", "new")
    assert (status, out) == (0, "")
    assert "undated: no build is older than the newest, without a date" in err


def test_archive_clean(command: Command, place: Path) -> None:
    """What belongs to no build is shown, and removed with ``--yes``, once it is old enough."""
    (entry, _) = sorted((place / "my-archive/builds").rglob("*.parquet"))
    entry.unlink()
    assert command("archive", "clean", "my-archive", "--no-header")[:2] == (0, "")
    given = ("archive", "clean", "my-archive", "--older-than", "0")
    status, out, err = command(*given)
    assert (status, len(out.splitlines())) == (0, 1 + 4)
    assert err == "apteco-frames: would remove 4 files; with --yes it is done\n"
    status, removed, err = command(*given, "--yes")
    assert (status, removed) == (0, out)
    assert err == "apteco-frames: removed 4 files\n"
    assert command(*given, "--no-header").out == ""
    for days in ("-1", "nan", "inf"):
        assert command("archive", "clean", "my-archive", "--older-than", days).status == 2


def test_archive_prune(command: Command) -> None:
    """What no option keeps is shown, and removed with ``--yes``."""
    given = ("archive", "prune", "my-archive", "--keep-last", "1", "--no-header")
    status, out, err = command(*given)
    assert (status, out[:29]) == (0, "holidays\t2019-11-27T15-57-24-")
    assert err == "apteco-frames: would remove 1 build; with --yes it is done\n"
    assert Archive("my-archive").builds.height == 2
    assert command(*given, "--yes") == (0, out, "apteco-frames: removed 1 build\n")
    assert Archive("my-archive").builds.height == 1
    assert command("archive", "prune", "my-archive").status == 2
    assert command("archive", "prune", "my-archive", "--keep-last", "0").status == 2


def test_credentials_are_not_printed(command: Command) -> None:
    """Keys in a URI are in nothing that is printed, whichever way they are written."""
    for root in ("foo://KEY:SEC/RET@bucket/a", "foo://b/a?sig=SEC/RET", "foo://KEY:SEC?RET@b"):
        for words in (["list"], ["check"], ["history", "boDest"], ["clean"]):
            status, out, err = command("archive", words[0], root, *words[1:])
            assert (status, out) == (2 if words == ["check"] else 1, "")
            assert "foo://" in err
            assert "RET" not in err


def test_damaged_archives_are_trouble(command: Command, place: Path) -> None:
    """An archive of which a file is damaged or gone is status 2."""
    for path in (place / "my-archive/variables").rglob("*.parquet"):
        path.write_bytes(path.read_bytes()[:-100])
    status, out, err = command("archive", "check", "my-archive")
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    shutil.rmtree(place / "my-archive/variables")
    assert command("archive", "check", "my-archive").status == 2


def test_password_is_kept_for_all(command: Command) -> None:
    """One login serves all systems."""
    with NotingServer(others=[other("second")]) as server:
        login = ("--profile", "orbit", "--base-url", server.base_url)
        assert command("archive", "add", "new", "--all", *login, "--no-cache").status == 0
        assert len(server.tokens) == 2
        assert PASSWORD not in server.tokens


# Checks


def later(days: int, **changes: object) -> Catalogue:
    """The demo system as it was built some days later, with other values of Policies."""
    whole = holidays()
    info = whole.system_info
    assert info.build_date
    tables = whole.tables.frame.with_columns(
        pl.when(pl.col("name") == "Policies").then(pl.lit(value)).otherwise(column).alias(column)
        for column, value in changes.items()
    )
    date = info.build_date + timedelta(days=days)
    parts = (whole.variables, whole.codes, whole.folders)
    return Catalogue(info._replace(build_date=date), tables, *parts)


def archived(*catalogues: Catalogue) -> None:
    """An archive of these alone."""
    shutil.rmtree("my-archive")
    for catalogue in catalogues:
        assert Archive("my-archive").add(catalogue)


CHECK = ("archive", "check", "my-archive")


def test_check_prints_what_counts(command: Command) -> None:
    """What reaches --fail-on is printed, the most severe first, and the rest counted."""
    archived(holidays(), later(1, total_records=100, plural="Covers"))
    status, out, err = command(*CHECK, "--fail-on", "breaking")
    assert (status, err) == (1, "")
    title, change, rest = out.splitlines()
    assert title.endswith(": 1 breaking, 1 notable")
    assert change.startswith("breaking  ~ table Policies, total_records: 213,567 → 100 (")
    assert rest == "… and 1 more: 1 notable"
    lines = command(*CHECK).out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["breaking", "notable"]
    status, out, err = command(*CHECK, "--fail-on", "breaking", "--format", "json")
    assert [row["column"] for row in json.loads(out)] == ["total_records"]
    assert err == "apteco-frames: holidays: … and 1 more: 1 notable\n"


def test_a_failing_system_stops_no_other(command: Command, place: Path) -> None:
    """A system whose build is damaged is told, the others are checked, and it is trouble."""
    for days in (0, 1):
        whole = later(days)
        info = whole.system_info._replace(name="a first")
        codes, folders = whole.codes, whole.folders
        catalogue = Catalogue(info, whole.tables, whole.variables, codes, folders)
        assert Archive("my-archive").add(catalogue)
    for file in (place / "my-archive" / "tables").rglob("*.parquet"):
        if "a%20first" in str(file):
            file.write_bytes(b"PAR1")
    status, out, err = command(*CHECK, "--fail-on", "breaking")
    assert status == 2
    assert "variable hoURN" in out
    assert err.startswith("apteco-frames: a first: ")
    status, _, err = command(*CHECK, "--system", "nothing", "--system", "holidays")
    assert status == 2
    assert err.startswith("apteco-frames: nothing: ")


def test_against_an_older_build(command: Command) -> None:
    """Five per cent a night are seen in a month; a build is also named."""
    nights = [later(n, total_records=round(213_567 * 0.95**n)) for n in (0, 1, 2, 20)]
    archived(*nights)
    check = (*CHECK, "--fail-on", "breaking", "--drop", "20%", "--only", "table")
    archive = Archive("my-archive")
    assert command(*check, "--against", "20d").status == 1
    assert command(*check, "--against", "18d").status == 1
    first = archive.builds["build"][0]
    for told in (first, "2019-11-27", "2019-11-27T15:57:24", "2019-11-27 23:00"):
        assert "(\N{MINUS SIGN}64 %)" in command(*check, "--against", told).out
    archived(*nights[:3])
    assert command(*check).status == 0
    status, _, err = command(*check, "--against", "30d")
    assert status == 0
    assert "no build is 30 days older; compared with the oldest" in err
    status, _, err = command(*check, "--against", "nothing")
    assert status == 2
    assert "has no build 'nothing'" in err
    status, _, err = command(*check, "--against", "2019-11-26")
    assert status == 2
    assert "has no build '2019-11-26'" in err


def test_accepted_changes(command: Command, place: Path) -> None:
    """What was accepted counts no more, unless it goes further; what fits nothing is told."""
    check = (*CHECK, "--fail-on", "breaking")
    assert command(*check).status == 1
    status, out, err = command(*check, "--accept", "The feed was cut.")
    assert status == 0
    assert "2 more" not in out
    file = place / "config" / "accepted.toml"
    assert f"accepted 2 in {file}" in err
    assert file.read_text(encoding="utf-8").count("The feed was cut.") == 2
    status, out, err = command(*check)
    assert (status, err) == (0, "apteco-frames: holidays: 2 accepted\n")
    assert "Policies" not in out
    older, newest = holidays(), later(1, total_records=30_000)
    archived(older, newest)
    status, _, err = command(*check)  # hoURN is back
    assert status == 0
    assert f"an accepted change is no longer found; take it out of {file}: variable hoURN" in err
    assert command(*CHECK, "--fail-on", "notable").status == 1
    archived(older, later(1, total_records=20_000))
    assert command(*check).status == 1
    # Accepted anew, what fits nothing is left out of the file.
    assert command(*check, "--accept", "Again.").status == 0
    assert "hoURN" not in file.read_text(encoding="utf-8")
    assert command(*check, "--accept", " ").status == 2
    file.write_text("[[accepted]]\nname = 1", encoding="utf-8")
    status, _, err = command(*check)
    assert status == 2
    assert f"An accepted change in {file} should have system, noun, " in err


def test_a_file_of_ones_own(command: Command, place: Path) -> None:
    """--accepted names the file, which --accept makes."""
    check = (*CHECK, "--accepted", "mine.toml")
    assert command(*check, "--accept", "Known.").status == 0
    assert (place / "mine.toml").is_file()
    assert command(*check).status == 0
    assert command(*CHECK).status == 1
