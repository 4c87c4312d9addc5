"""What is in the codes, and what somebody should mend, on the command line."""

from __future__ import annotations

import json
from pathlib import Path

from cli.running import Command

from apteco_frames.demo import holidays


def test_quality(command: Command) -> None:
    """A row for each variable with codes, of a saved catalogue and of a system."""
    status, out, err = command("quality", "--catalogue", "holidays")
    assert (status, err) == (0, "")
    assert len(out.splitlines()) == 46
    out = command("quality", "--catalogue", "holidays", "--columns", "name,num_codes").out
    assert "boDest\t20\n" in out
    assert command("quality", "--profile", "orbit").out.splitlines()[1:]
    assert command("quality", "--catalogue", "without-codes").status == 1


def test_lint(command: Command, place: Path) -> None:
    """Findings are a line each; the level and the rules decide what counts."""
    given = ("lint", "--catalogue", "holidays")
    status, out, err = command(*given)
    assert (status, err) == (1, "")
    assert len(out.splitlines()) == len(holidays().lint()) + 1
    assert command(*given, "--select", "empty-folder", "--fail-on", "notable").status == 0
    assert command(*given, "--select", "empty-folder").status == 1
    assert command(*given, "--select", "empty-folder", "--ignore", "empty-folder").status == 0
    status, out, err = command("lint", "--catalogue", "without-codes")
    assert err.count("Not checked, as the catalogue has no ") == 2
    config = place / "config" / "lint.toml"
    rule = 'rule = "empty-folder"\nname = "Segments"\nreason = "Users fill it."'
    config.write_text(f"[[exceptions]]\n{rule}\n", encoding="utf-8")
    assert command(*given, "--select", "empty-folder").status == 0
    config.rename(place / "other.toml")
    assert command(*given, "--select", "empty-folder", "--config", "other.toml").status == 0
    assert command(*given, "--config", "none.toml").status == 2


def test_unknown_rules(command: Command) -> None:
    """A rule that is not there is a usage error that names those that are."""
    for option in ("--select", "--ignore"):
        status, _, err = command("lint", "--catalogue", "holidays", option, "empty")
        assert status == 2
        assert f"option {option}: no rule 'empty'; there are exportable-personal-data" in err


def test_quality_as_json(command: Command) -> None:
    """Programs get all columns, nulls as null."""
    out = command("quality", "--catalogue", "holidays", "--format", "json").out
    rows = {row["name"]: row for row in json.loads(out)}
    assert rows["peNews"]["unclassified_share"] is None
    assert rows["boDest"]["coverage"] == 1
