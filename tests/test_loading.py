"""What a session reads on first use: of one build, whole, once; and what ``refresh`` forgets."""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Iterator
from datetime import datetime

import polars as pl
import pytest
from faults.forked import ends_well
from faults.server import FaultyServer

from apteco_frames import Catalogue, Session
from apteco_frames.demo import holidays
from apteco_frames.errors import ApiResultsError


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    """A server of Holidays that can be rebuilt, and notes what it is asked."""
    with FaultyServer() as server:
        yield server


def next_build() -> Catalogue:
    """Holidays a day later: without Destination and its folder, other codes."""
    whole = holidays()
    info = whole.system_info._replace(build_date=datetime(2019, 11, 28))
    variables = whole.variables.filter(pl.col("name") != "boDest")
    gone = pl.col("variable_name") == "boDest"
    code = pl.col("code").replace("29", "zz")
    folders = whole.folders.frame.with_columns(
        pl.col("variable_names").list.filter(pl.element() != "boDest"),
        pl.col("path", "parent_path").str.replace("^Booking", "Trip"),
        pl.col("name").replace("Booking", "Trip"),
    )
    return Catalogue(
        info, whole.tables, variables, whole.codes.frame.filter(~gone).with_columns(code), folders
    )


def requests_for(server: FaultyServer, *paths: str) -> int:
    """How many requests for codes or folders a server was asked."""
    return sum(part in request.target for request in server.asked for part in paths)


# The same build.


def test_a_refresh_of_what_was_not_rebuilt_forgets_nothing(server: FaultyServer) -> None:
    """While the build is the same, frames, codes and folders stay the same objects."""
    session = server.login()
    codes, folders, variables = session.codes, session.folders, session.variables
    asked = len(server.asked)
    assert session.refresh() is False
    assert len(server.asked) == asked + 1
    assert session.codes is codes
    assert session.folders is folders
    assert session.variables is variables
    assert len(server.asked) == asked + 1


def test_what_was_read_needs_no_server(server: FaultyServer) -> None:
    """Codes and folders stay usable after the session has ended."""
    session = server.login()
    _ = session.codes, session.folders
    session.logout()
    server.close()
    assert session.codes["boDest"]["Sweden"].variable.folder == session.folders["Booking"]
    assert session.catalogue == holidays()


# Another build.


def loaded(server: FaultyServer) -> Session:
    """A session that has read everything."""
    session = server.login()
    _ = session.codes, session.folders
    return session


def test_a_refresh_reads_the_build_anew(server: FaultyServer) -> None:
    """Codes and folders are forgotten with the build, and read again when they are wanted."""
    session = loaded(server)
    old = session.catalogue
    server.rebuild(next_build())
    server.asked.clear()
    assert session.refresh() is True
    assert requests_for(server, "/Codes", "/Folders") == 0
    assert not session.catalogue.has_codes
    assert not session.catalogue.has_folders
    assert "boDest" not in session.variables
    assert session.codes == next_build().codes
    assert session.folders == next_build().folders
    assert session.catalogue == next_build()
    assert old == holidays()
    assert session.refresh() is False


def test_frames_of_the_build_before_go_on(server: FaultyServer) -> None:
    """Frames and rows that were there keep to their own build, in all that they lead to."""
    session = loaded(server)
    variables, codes, folders = session.variables, session.codes, session.folders
    sweden, bookings = codes["boDest"]["Sweden"], folders["Booking"]
    server.rebuild(next_build())
    assert session.refresh()
    assert codes == variables.codes == holidays().codes
    assert folders == holidays().folders
    assert sweden.variable.codes["Sweden"] == sweden
    assert sweden.table.codes == variables.filter(table_name="Bookings").codes
    assert variables["boDest"].folder == bookings
    assert [child.parent for child in bookings.children] == [bookings] * len(bookings.children)
    assert repr(folders.tree()) == repr(holidays().folders.tree())
    assert [row.session for row in (sweden, bookings)] == [session, session]
    assert pickle.loads(pickle.dumps(codes)) == codes
    assert pickle.loads(pickle.dumps(bookings)) == bookings
    assert session.load_codes(variables) == codes


@pytest.mark.parametrize("what", ["codes", "folders"])
def test_what_was_not_read_of_the_build_before(server: FaultyServer, what: str) -> None:
    """Codes and folders of a build that is over cannot be had, and never come of another."""
    session = server.login()
    variables, old = session.variables, session.catalogue
    server.rebuild(next_build())
    for _ in range(2):
        with pytest.raises(ApiResultsError, match=r"has been rebuilt since.*session\.refresh\(\)"):
            _ = variables.codes if what == "codes" else variables["boDest"].folder
        session.refresh()
    assert not old.has_codes
    assert not old.has_folders
    assert requests_for(server, "/Codes", "/Folders") == 0


# Forked processes.


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_child_forked_during_a_load_reads_for_itself(server: FaultyServer) -> None:
    """Nobody in the child waits for a load of the parent, which goes on."""
    session = server.login()
    is_loading, may_go_on = threading.Event(), threading.Event()

    def wait(done: int, of: int) -> None:
        is_loading.set()
        assert may_go_on.wait(120)

    loading = threading.Thread(target=session.load_codes, kwargs={"progress": wait})
    loading.start()
    assert is_loading.wait(60)
    expected, folders = holidays().codes, holidays().folders

    def read() -> None:
        assert session.codes == expected
        assert session.folders == folders

    try:
        assert ends_well(read, 60)
    finally:
        may_go_on.set()
        loading.join(120)
    assert session.codes == expected
