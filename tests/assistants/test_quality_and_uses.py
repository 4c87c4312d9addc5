"""What assistants are told of the quality of codes, and of what uses variables."""

from __future__ import annotations

from assistants.asking import ask, talk
from assistants.test_tools import tools_of

from apteco_frames import Catalogue
from apteco_frames.demo import DemoServer, holidays
from apteco_frames.mcp import server


def test_quality() -> None:
    """Of each variable with codes there is a row, by table, words, and the worst first."""
    served = server(holidays())
    page = ask(served, "quality").json
    catalogue = holidays()
    assert page["total"] == len(catalogue.quality())
    assert {"name", "used_codes", "top_description", "coverage"} <= page["rows"][0].keys()
    shares = [
        row.get("unclassified_share", 0)
        for row in ask(served, "quality", table="Bookings", sort_by="unclassified_share").rows
    ]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.5
    (row,) = ask(served, "quality", words="destin").rows
    assert row["name"] == "boDest"
    assert "num_codes" in ask(served, "quality", sort_by="worst").text


def of_demo() -> Catalogue:
    """A catalogue with what uses its variables."""
    with DemoServer() as demo, demo.login() as session:
        session.load_codes()
        session.load_uses()
        return session.catalogue


def test_where_used() -> None:
    """What uses a variable or a code is told, where the catalogue was saved with that."""
    assert "where_used" not in {tool["name"] for tool in talk(server(holidays()), tools_of)}
    catalogue = of_demo()
    served = server(catalogue)
    rows = ask(served, "where_used", variable="Destination").rows
    assert {row["variable_name"] for row in rows} == {"boDest"}
    assert len(rows) == len(catalogue.variables["boDest"].uses)
    swedes = ask(served, "where_used", variable="boDest", code="29").rows
    assert {row["code"] for row in swedes} == {"29"}
    assert ask(served, "where_used", words="swedes").rows[0]["title"] == "Swedes"
    assert ask(served, "where_used").json["total"] == len(catalogue.uses)
    assert "Nearest" in ask(served, "where_used", variable="Destinaton").text
