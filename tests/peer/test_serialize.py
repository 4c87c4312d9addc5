"""A serialised session crosses over between ``apteco`` 0.8.2 and ours, both ways."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import apteco
import apteco.exceptions
import apteco_api
import pytest
from examples import ROOT, examples
from hypothesis import HealthCheck, given, settings
from lanes import up_to
from peer.clients import closing_connections, systems, theirs_and_ours
from peer.judge import Judge

from apteco_frames import Session
from apteco_frames.catalogue import Catalogue
from apteco_frames.demo import DemoServer
from apteco_frames.errors import DeserializeError


@contextmanager
def read_by_apteco(text: str) -> Iterator[Any]:
    """An ``apteco.Session`` from a string, whose connections are closed at the end."""
    session = apteco.Session.deserialize(text)
    with closing_connections(session.api_client):
        yield session


def check_crossing(judge: Judge, theirs: Any, ours: Any) -> None:
    """Both are one session on the server, and know the same of its system."""
    judge.equal("Session.session_id", theirs.session_id, ours.session_id)
    judge.equal("Session.access_token", theirs.access_token, ours.access_token)
    judge.sessions(theirs, ours)


def test_ours_reads_theirs(judge: Judge, theirs: Any) -> None:
    """A string that apteco wrote is the same session here, and still logged in."""
    check_crossing(judge, theirs, Session.deserialize(theirs.serialize()))


@pytest.mark.parametrize("include_catalogue", [False, True])
def test_apteco_reads_ours(judge: Judge, ours: Session, include_catalogue: bool) -> None:
    """A string that ours wrote is the same session there, with or without a catalogue."""
    with read_by_apteco(ours.serialize(include_catalogue=include_catalogue)) as theirs:
        check_crossing(judge, theirs, ours)


@settings(max_examples=up_to(10), suppress_health_check=[HealthCheck.too_slow])
@given(systems(max_tables=3, max_variables=6))
def test_sessions_of_generated_systems_cross_over(judge: Judge, catalogue: Catalogue) -> None:
    """Whatever the system and its names hold, either side reads what the other wrote."""
    with DemoServer(catalogue) as server, theirs_and_ours(server) as (theirs, ours):
        check_crossing(judge, theirs, Session.deserialize(theirs.serialize()))
        with read_by_apteco(ours.serialize(include_catalogue=True)) as read:
            check_crossing(judge, read, ours)


def test_a_session_crosses_over_and_back(ours: Session) -> None:
    """What apteco writes of a session that it read from ours is what ours wrote."""
    text = ours.serialize()
    with read_by_apteco(text) as theirs:
        assert json.loads(theirs.serialize()) == json.loads(text)


def test_the_layouts_have_the_same_keys(judge: Judge, theirs: Any, ours: Session) -> None:
    """Both write the same keys in the same order; a catalogue is one key more, at the end."""
    their_values, our_values = json.loads(theirs.serialize()), json.loads(ours.serialize())
    judge.equal("Session.serialize(): keys", list(their_values), list(our_values))
    judge.equal(
        "Session.serialize(): keys of user", list(their_values["user"]), list(our_values["user"])
    )
    for key in their_values:
        judge.equal("Session.serialize(): class", type(their_values[key]), type(our_values[key]))
    longer = json.loads(ours.serialize(include_catalogue=True))
    judge.equal("Session.serialize(): keys", [*their_values, "catalogue"], list(longer))


def test_a_restored_session_of_theirs_goes_on_working(theirs: Any) -> None:
    """Our session from apteco's string asks the server, and can be written again."""
    ours = Session.deserialize(theirs.serialize())
    about = apteco_api.AboutApi(ours.api_client)
    assert about.about_get_data_views().list[0].name == theirs.data_view
    assert json.loads(ours.serialize()) == json.loads(theirs.serialize())


def test_logout_here_ends_the_session_there(server: DemoServer) -> None:
    """The two sides of a crossing are one session: when one ends it, the other can't go on."""
    with theirs_and_ours(server) as (theirs, _):
        text = theirs.serialize()
        Session.deserialize(text).logout()
        with pytest.raises(apteco_api.ApiException, match="401"):
            apteco.Session.deserialize(text)


REMOVALS: dict[str, Callable[[dict[str, Any]], object]] = {
    "base_url": lambda values: values.pop("base_url"),
    "data_view": lambda values: values.pop("data_view"),
    "session_id": lambda values: values.pop("session_id"),
    "access_token": lambda values: values.pop("access_token"),
    "system": lambda values: values.pop("system"),
    "user": lambda values: values.pop("user"),
    "surname": lambda values: values["user"].pop("surname"),
}


@pytest.mark.parametrize("missing", REMOVALS)
def test_both_miss_the_same(missing: str, theirs: Any) -> None:
    """A string without a part that is needed is a DeserializeError that names it, in both."""
    values = json.loads(theirs.serialize())
    REMOVALS[missing](values)
    text = json.dumps(values)
    for error, read in (
        (apteco.exceptions.DeserializeError, apteco.Session.deserialize),
        (DeserializeError, Session.deserialize),
    ):
        with pytest.raises(error, match=missing):
            read(text)


@pytest.mark.parametrize("text", ["", "no JSON", "{", '{"base_url": '])
def test_both_refuse_what_is_no_json(text: str) -> None:
    """What is no JSON at all is a DeserializeError in both."""
    for error, read in (
        (apteco.exceptions.DeserializeError, apteco.Session.deserialize),
        (DeserializeError, Session.deserialize),
    ):
        with pytest.raises(error):
            read(text)


def test_the_page_hands_a_session_over(ours: Session) -> None:
    """What the page for users of apteco says of both packages does what it says."""
    page = ROOT.joinpath("docs", "how-to", "from-apteco.md").read_text(encoding="utf-8")
    (example,) = examples(page, "{code-block} python")
    names: dict[str, Any] = {"session": ours}
    exec(compile(example.text, "from-apteco.md", "exec"), names)
    with closing_connections(names["apteco_session"].api_client):
        assert type(names["expensive"]).__module__.startswith("apteco.")
