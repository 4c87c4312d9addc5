"""A load that fails on its way, and what is asked for after that; systems without a date."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from faults.server import FaultyServer, edited, status

from apteco_frames import Catalogue, Session
from apteco_frames.demo import holidays
from apteco_frames.demo.api import Answer
from apteco_frames.demo.server import DemoHandler
from apteco_frames.errors import ApiError, ApiResultsError, AptecoFramesError, SessionExpiredError


def asked_for(server: FaultyServer) -> list[str]:
    """The variables whose codes were asked for, one by one."""
    targets = [r.target.partition("?")[0].split("/") for r in server.asked]
    return [parts[-2] for parts in targets if parts[-1] == "Codes"]


def rebuilt(**changes: Any) -> Catalogue:
    """Holidays as served after a build: without a variable, or with these facts of the system."""
    whole = holidays()
    info = whole.system_info._replace(**changes)
    variables = whole.variables if changes else whole.variables.filter(pl.col("name") != "peURN")
    return Catalogue(info, whole.tables, variables, whole.codes)


@pytest.mark.parametrize(
    ("code", "kind"), [(401, SessionExpiredError), (500, ApiError)], ids=["ended", "failed"]
)
def test_codes_are_asked_for_once(code: int, kind: type[AptecoFramesError]) -> None:
    """What came of a load before it failed is not asked for again, once it is known to be good."""
    fault = status(code, b'{"message": "no"}')
    with FaultyServer(fault, "/Codes", skip=20, times=1) as server:
        session = server.login(max_connections=1)
        with pytest.raises(kind):
            session.load_codes()
        first = asked_for(server)
        assert not session.catalogue.has_codes
        server.asked.clear()
        if code == 401:
            session.renew(server.password)
        told: list[tuple[int, int]] = []
        codes = session.load_codes(progress=lambda done, of: told.append((done, of)))
        again = asked_for(server)
    assert codes == holidays().codes
    assert len(set(first) & set(again)) <= 1  # the one that failed
    assert told[-1] == (len(set(first) | set(again)),) * 2


def test_codes_of_several_connections_are_kept() -> None:
    """With several requests under way, too, what came is kept."""
    with FaultyServer(status(401, b"{}"), "/Codes", skip=30, times=1) as server:
        session = server.login()
        with pytest.raises(SessionExpiredError):
            session.load_codes()
        server.asked.clear()
        session.renew(server.password)
        assert session.codes == holidays().codes
        total = holidays().variables.filter(api_type="Selector")
        assert len(set(asked_for(server))) <= len(total) - 20


def test_renewed_by_another_thread() -> None:
    """A request that was under way when another thread renewed the session is sent again."""
    held: list[Session] = []

    def renewed(handler: DemoHandler, answer: Answer) -> None:
        held[0].renew(server.password)
        status(401, b'{"message": "The session has ended."}')(handler, answer)

    with FaultyServer(renewed, "/boDest/Codes", times=1) as server:
        held.append(server.login())
        assert len(held[0].codes) == len(holidays().codes)
        assert server.count("/boDest/Codes") == 2
        held[0].logout()


def test_codes_of_a_build_before() -> None:
    """What came before a build is forgotten, and no error is about what was not asked for."""
    with FaultyServer(status(401, b"{}"), "/Codes", skip=20, times=1) as server:
        session = server.login(max_connections=1)
        with pytest.raises(SessionExpiredError):
            session.load_codes()
        server.rebuild(rebuilt(description="another"))
        with pytest.raises(ApiResultsError, match="has been rebuilt since"):
            _ = session.codes
        assert session.refresh()
        server.asked.clear()
        assert session.codes == holidays().codes
        assert len(asked_for(server)) >= len(session.variables.filter(api_type="Selector"))


# Systems that do not say when they were built


@pytest.fixture
def undated() -> FaultyServer:
    """A server whose system has no build date."""
    fault = edited(lambda system: system.update(fastStatsBuildDate=None))
    return FaultyServer(fault, "/holidays")


def test_refresh_without_a_date(undated: FaultyServer) -> None:
    """Without a date a refresh compares, and what changed is read."""
    with undated as server, server.login() as session:
        assert session.system_info.build_date is None
        variables, codes = session.variables, session.codes
        assert not session.refresh()
        assert session.variables is variables
        server.rebuild(rebuilt())
        assert session.refresh()
        assert len(session.variables) == len(variables) - 1
        assert codes == holidays().codes


READ: dict[str, Callable[[Session], object]] = {
    "codes": lambda session: session.codes,
    "codes of one": lambda session: session.variables["boDest"].codes,
    "folders": lambda session: session.folders,
}


@pytest.mark.parametrize("read", READ.values(), ids=READ)
def test_codes_without_a_date(undated: FaultyServer, read: Callable[[Session], object]) -> None:
    """Without a date nothing of another build joins the variables of the one that was read."""
    with undated as server, server.login() as session:
        server.rebuild(rebuilt())
        with pytest.raises(ApiResultsError, match="the API gives no build date") as caught:
            read(session)
        assert "session.refresh()" in str(caught.value)
        session.refresh()
        read(session)


def test_same_build_without_a_date(undated: FaultyServer) -> None:
    """Without a date all can be read while tables and variables stay as they are."""
    with undated as server, server.login() as session:
        assert session.codes == holidays().codes
        assert session.folders == holidays().folders


def test_repr_without_a_date(undated: FaultyServer) -> None:
    """A session and its catalogue say that the date is not known."""
    with undated, undated.login() as session:
        for text in (repr(session), repr(session.catalogue)):
            assert "build date not known" in text
            assert "None" not in text
