"""The systems of a DataView, and sessions on another of them."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from datetime import datetime

import polars as pl
import pytest
from servers import RecordingServer
from strategies import catalogue_of, table_item, variable_item

from apteco_frames import Catalogue, Session
from apteco_frames.demo import holidays
from apteco_frames.errors import (
    ApiError,
    InvalidUrlError,
    SessionExpiredError,
    UnknownKeyError,
)
from apteco_frames.systems import System, Systems


def named(name: str, build_date: datetime | None = datetime(2026, 11, 1, 3)) -> Catalogue:
    """A small catalogue of a system of that name."""
    return catalogue_of(
        [table_item()],
        [variable_item(f"{name}0")],
        name=name,
        description=f"The {name}",
        build_date=build_date,
    )


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    """A running server of three systems."""
    with RecordingServer(others=[named("retail"), named("007", None)]) as running:
        yield running


@pytest.fixture
def session(server: RecordingServer) -> Session:
    """A session on the first of them."""
    return server.login()


def test_systems(session: Session) -> None:
    """The systems are those that the DataView lists, in its order."""
    systems = session.systems
    assert isinstance(systems, Systems)
    assert [system.name for system in systems] == ["holidays", "retail", "007"]
    assert tuple(systems["holidays"].to_dict().values()) == session.system_info
    assert isinstance(systems["retail"], System)
    assert systems["retail"].build_date == datetime(2026, 11, 1, 3)
    assert systems["007"].build_date is None
    assert systems["retail"].session is session
    assert "retail" in systems
    assert "Retail" not in systems


def test_systems_are_asked_for_once(server: RecordingServer, session: Session) -> None:
    """The list is read on first use, and kept."""
    assert not any("FastStatsSystems?" in asked for asked in server.request_lines)
    assert session.systems is session.systems
    assert sum("FastStatsSystems?" in asked for asked in server.request_lines) == 1


def test_systems_come_in_pages(server: RecordingServer) -> None:
    """A list that does not fit on a page is read page by page."""
    session = server.login(page_size=2)
    assert len(session.systems) == 3
    assert sum("FastStatsSystems?" in asked for asked in server.request_lines) == 2


def test_systems_are_a_frame(session: Session) -> None:
    """They filter, slice and go into polars as other frames do."""
    built = session.systems.filter(pl.col("build_date") > datetime(2020, 1, 1))
    assert isinstance(built, Systems)
    assert built.frame["name"].to_list() == ["retail"]
    assert session.systems[1:].frame.equals(session.systems.frame[1:])


def test_systems_show_their_data_view(session: Session) -> None:
    """Title and errors name the DataView."""
    assert repr(session.systems).startswith("3 systems of DataView 'Holidays'\nname")
    with pytest.raises(UnknownKeyError, match=r"No system of DataView 'Holidays' .*'retail'"):
        session.systems["retial"]


def test_pickled_systems_hold_no_session(session: Session) -> None:
    """A pickled frame of systems is equal, and offline."""
    restored = pickle.loads(pickle.dumps(session.systems))
    assert restored == session.systems
    assert repr(restored) == repr(session.systems)
    assert restored[0].session is None


def test_open(server: RecordingServer, session: Session) -> None:
    """Another system opens without another login, by the same token."""
    retail = session.open("retail")
    assert (retail.system, retail.system_info.description) == ("retail", "The retail")
    assert [variable.name for variable in retail.variables] == ["retail0"]
    assert len(session.variables) == len(holidays().variables)
    assert (retail.user, retail.data_view) == (session.user, session.data_view)
    assert retail.access_token == session.access_token
    assert retail.session_id == session.session_id
    assert sum("SimpleLogin" in asked for asked in server.request_lines) == 1
    assert len(retail.systems) == 3


def test_open_restored(session: Session) -> None:
    """An opened session is restored from its string, on its own system."""
    restored = Session.deserialize(session.open("retail").serialize())
    assert restored.system_info.name == "retail"
    assert restored.open("holidays").catalogue == session.catalogue


def test_open_unknown(session: Session) -> None:
    """A name that no system has is an error that names those there are."""
    with pytest.raises(ApiError, match=r"no system 'retial'.*'holidays', 'retail', '007'"):
        session.open("retial")
    with pytest.raises(InvalidUrlError):
        session.open("..")
    with pytest.raises(TypeError):
        session.open(None)  # type: ignore[arg-type]
    assert session.refresh() is False


@pytest.mark.parametrize("first", [True, False], ids=["the first", "the opened"])
def test_logout_ends_both(server: RecordingServer, session: Session, first: bool) -> None:
    """The login of both ends with that of one; what was read stays."""
    retail = session.open("retail")
    one, other = (session, retail) if first else (retail, session)
    one.logout()
    with pytest.raises(SessionExpiredError):
        other.refresh()
    other.logout()
    assert sum(asked.startswith("DELETE") for asked in server.request_lines) == 1
    assert len(retail.variables) == 1


def test_end_of_with_block_of_an_opened_session(server: RecordingServer, session: Session) -> None:
    """The end of the block of an opened session leaves the first one logged in."""
    with session.open("retail") as retail:
        assert len(retail.variables) == 1
    assert session.refresh() is False
    with session:
        pass
    with pytest.raises(SessionExpiredError):
        retail.refresh()


@pytest.mark.parametrize("first", [True, False], ids=["the first", "the opened"])
def test_renew_renews_both(server: RecordingServer, session: Session, first: bool) -> None:
    """A renewed login is that of both sessions, and ends as one."""
    retail = session.open("retail")
    one, other = (session, retail) if first else (retail, session)
    one.renew(server.password)
    assert other.session_id == one.session_id
    assert other.access_token == one.access_token
    assert other.refresh() is False
    other.logout()
    with pytest.raises(SessionExpiredError):
        one.refresh()
