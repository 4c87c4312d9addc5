"""Codes and folders from servers that err: all of a variable's codes, or an error that says why."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import polars as pl
import pyarrow as pa
import pytest
from faults.conftest import FULL, LONG, Meet
from faults.server import Fault, FaultyServer, changed, edited, silence, status, within
from faults.test_interrupts import await_requests
from faults.test_pages import Json, keep, paged, total
from lanes import PATIENCE
from strategies import EMPTY_SELECTOR, catalogue_of, variable_item

from apteco_frames import Catalogue, Session
from apteco_frames.demo import holidays
from apteco_frames.demo.api import Answer
from apteco_frames.demo.server import DemoHandler
from apteco_frames.errors import (
    ApiError,
    ApiResultsError,
    AptecoFramesError,
    CatalogueWarning,
    CodesError,
    GatewayError,
    OrbitConnectionError,
    SessionExpiredError,
    UnknownKeyError,
)

MESSAGE = b'{"code": 5, "id": 17, "message": "It is Sunday", "parameters": null}'
ONE = "/boDest/Codes"

Act = Callable[[], Session]


def codes(server: FaultyServer, **options: Any) -> Act:
    """Logging in, and reading all codes."""

    def act() -> Session:
        session = server.login(**{"timeout": LONG, **options})
        session.load_codes()
        return session

    return act


def folders(server: FaultyServer, **options: Any) -> Act:
    """Logging in, and reading the folders."""

    def act() -> Session:
        session = server.login(**{"timeout": LONG, **options})
        _ = session.folders
        return session

    return act


# Malformed pages


MALFORMED_CODES: dict[str, tuple[Fault, str]] = {
    "cut off": (changed(lambda body: body[:-20]), ""),
    "twice": (changed(lambda body: body + body), ""),
    "no UTF-8": (changed(lambda body: body.replace(b"Sweden", b"\xff\xfe", 1)), ""),
    "null": (changed(lambda body: b"null"), ""),
    "a list": (changed(lambda body: json.dumps(json.loads(body)["list"]).encode()), ""),
    "no list": (edited(lambda page: page.pop("list")), "$.list"),
    "no total": (edited(lambda page: page.pop("totalCount")), "$.totalCount"),
    "an item is null": (edited(lambda page: page["list"].__setitem__(3, None)), "$.list[3]"),
    "no code": (edited(lambda page: page["list"][3].pop("code")), "$.list[3].code"),
    "a code is null": (edited(lambda page: page["list"][3].update(code=None)), "$.list[3].code"),
    "a code is a number": (edited(lambda page: page["list"][3].update(code=29)), "$.list[3].code"),
    "no description": (
        edited(lambda page: page["list"][3].pop("description")),
        "$.list[3].description",
    ),
    "a count is text": (edited(lambda p: p["list"][3].update(count="7")), "$.list[3].count"),
    "a count is a fraction": (edited(lambda p: p["list"][3].update(count=7.5)), "$.list[3].count"),
    "a count beyond int64": (edited(lambda p: p["list"][3].update(count=2**63)), "$.list[3].count"),
}


@pytest.mark.parametrize(("fault", "place"), MALFORMED_CODES.values(), ids=MALFORMED_CODES)
def test_malformed_codes(meet: Meet, fault: Fault, place: str) -> None:
    """A malformed page of codes is an error that names the place."""
    with FaultyServer(fault, ONE) as server:
        text = meet(server, codes(server), kind=ApiResultsError)
    assert "/Variables/boDest/Codes is not what the Orbit API describes" in text
    assert place in text


MALFORMED_FOLDERS: dict[str, tuple[Fault, str]] = {
    "cut off": (changed(lambda body: body[:-20]), ""),
    "no list": (edited(lambda page: page.pop("list")), "$.list"),
    "an item is a string": (edited(lambda p: p["list"].__setitem__(3, "x")), "$.list[3]"),
    "a folder is a list": (edited(lambda p: p["list"][3].update(folder=[])), "$.list[3].folder"),
    "a name is a number": (
        edited(lambda page: page["list"][3]["folder"].update(name=5)),
        "$.list[3].folder.name",
    ),
    "a folder without a name": (edited(lambda p: p["list"][3]["folder"].pop("name")), "Item 3 of"),
    "nothing": (edited(lambda page: page["list"].__setitem__(3, {})), "Item 3 of"),
    "folder and variable": (
        edited(lambda page: page["list"][3].update(variable={"name": "boDest"})),
        "Item 3 of",
    ),
    "a variable without a name": (
        edited(lambda page: page["list"].__setitem__(3, {"variable": {"description": "x"}})),
        "Item 3 of",
    ),
}


@pytest.mark.parametrize(("fault", "place"), MALFORMED_FOLDERS.values(), ids=MALFORMED_FOLDERS)
def test_malformed_folders(meet: Meet, fault: Fault, place: str) -> None:
    """A malformed page of folders is an error that names the place."""
    with FaultyServer(fault, "/Folders") as server:
        text = meet(server, folders(server), kind=ApiResultsError)
    assert place in text
    assert f"{server.base_url}/Holidays/FastStatsSystems/holidays/Folders" in text


# Pages of a list


FEWER: dict[str, Fault] = {
    "one item a page": paged(keep(1)),
    "short pages": paged(keep(3)),
    "short pages after the first": paged(keep(2), 1),
}


@pytest.mark.parametrize("fault", FEWER.values(), ids=FEWER)
@pytest.mark.parametrize("path", [ONE, "/Folders"])
def test_short_pages_of(meet: Meet, fault: Fault, path: str) -> None:
    """Where a server gives less than it was asked for, the rest is asked for."""
    with FaultyServer(fault, path) as server:
        act = codes if path == ONE else folders
        assert meet(server, act(server, page_size=4)) == FULL


def shifting(times: int) -> Fault:
    """A list whose items move up by one between its first page and the next, so many times."""
    left = [times]

    def edit(page: Json, offset: int, count: int) -> None:
        if offset and left[0]:
            left[0] -= 1
            page["list"] = [*page["list"][1:], page["list"][0]]

    return paged(edit)


def the_first_again() -> Fault:
    """Whatever page is asked for, the items of the first."""
    first: list[Json] = []

    def edit(page: Json, offset: int, count: int) -> None:
        if offset:
            page["list"] = first[: len(page["list"])]
        else:
            first[:] = page["list"]

    return paged(edit)


def sorted_anew(times: int) -> Fault:
    """A list whose first and last items change places after its first page, so many times."""
    first: list[Json] = []
    left = [times]

    def edit(page: Json, offset: int, count: int) -> None:
        if not offset:
            first[:] = page["list"]
        elif left[0] and offset + len(page["list"]) == page["totalCount"]:
            left[0] -= 1
            page["list"] = [*page["list"][:-1], first[0]]

    return paged(edit)


@pytest.mark.parametrize("path", [ONE, "/Folders"])
def test_a_list_that_is_sorted_anew(meet: Meet, path: str) -> None:
    """An item on two pages has moved between them, and the list is asked for again."""
    act = codes if path == ONE else folders
    with FaultyServer(sorted_anew(1), path) as server:
        assert meet(server, act(server, page_size=6)) == FULL


def test_a_code_that_stands_twice() -> None:
    """What the server itself has twice, it has each time, and that is kept."""
    with FaultyServer(sorted_anew(99), ONE) as server:
        session = server.login(page_size=6)
        listed = [code.code for code in session.variables["boDest"].codes]
    assert len(listed) == 20
    assert listed[0] == listed[-1]


@pytest.mark.parametrize("path", [ONE, "/Folders"])
def test_a_list_that_shifts_once(meet: Meet, path: str) -> None:
    """Items that move between two pages are noticed, and the list is asked for again."""
    with FaultyServer(shifting(1), path) as server:
        act = codes if path == ONE else folders
        assert meet(server, act(server, page_size=6)) == FULL


WRONG: dict[str, tuple[Fault, str]] = {
    "shifts again and again": (shifting(99), "is a different one now"),
    "pages that repeat": (the_first_again(), "is a different one now"),
    "the total changes": (paged(lambda p, o, c: p.update(totalCount=20 + o), 1), " now. Nothing"),
    "the total is one too many": (paged(total(lambda n: n + 1)), "it gave no"),
    "the total is negative": (paged(total(lambda n: -n)), "it gave"),
    "the total is 0": (paged(total(lambda n: 0)), "it gave"),
    "empty pages": (paged(keep(0)), "it gave none"),
    "the last page is missing": (paged(keep(0), 2), "it gave none"),
    "another offset": (paged(lambda p, o, c: p.update(offset=o + 1)), "from offset"),
    "more than asked for": (paged(lambda p, o, c: p["list"].append(p["list"][0])), "it gave 7"),
}


@pytest.mark.parametrize(("fault", "says"), WRONG.values(), ids=WRONG)
def test_wrong_pages_of_codes(meet: Meet, fault: Fault, says: str) -> None:
    """Pages that contradict each other are an error, never some of a variable's codes."""
    with FaultyServer(fault, ONE) as server:
        text = meet(server, codes(server, page_size=6), kind=ApiResultsError)
        assert server.count(ONE) < 12
    assert "/Variables/boDest/Codes" in text
    assert says in text
    assert "Nothing" in text


def test_nothing_is_kept_of_a_load_that_fails() -> None:
    """After an error nothing is held; once the server is well, everything is read."""
    with FaultyServer(changed(lambda body: b"{"), "/boProd/Codes", times=1) as server:
        session = server.login()
        with pytest.raises(ApiResultsError):
            session.load_codes()
        assert not session.catalogue.has_codes
        assert not session.catalogue.variables[:1].filter(api_type="Selector").codes
        assert session.codes == holidays().codes


# Another build


@pytest.mark.parametrize("act", [codes, folders])
@pytest.mark.parametrize("skip", [2, 3], ids=["before", "meanwhile"])
def test_rebuilt(meet: Meet, act: Callable[..., Act], skip: int) -> None:
    """A build that is over gives neither codes nor folders; ``refresh()`` is what to do."""

    def edit(system: Json) -> None:
        system["fastStatsBuildDate"] = "2020-01-01T00:00:00"

    with FaultyServer(edited(edit), "/holidays", skip=skip) as server:
        text = meet(server, act(server), kind=ApiResultsError)
        asked = server.count("/Codes") + server.count("/Folders")
        assert (asked == 0) == (skip == 2)
    assert "has been rebuilt since this session read it: built 2019-11-27" in text
    assert "now 2020-01-01" in text
    assert "session.refresh()" in text


def test_rebuilt_while_codes_are_read() -> None:
    """Nothing of a load that a build came into is kept; after ``refresh()`` all is well."""
    whole = holidays()
    info = whole.system_info._replace(build_date=datetime(2020, 1, 1))
    after = Catalogue(info, whole.tables, whole.variables, whole.codes, whole.folders)
    with FaultyServer() as server:
        session = server.login()
        with pytest.raises(ApiResultsError, match=r"session\.refresh\(\)"):
            session.load_codes(progress=lambda done, of: server.rebuild(after))
        assert not session.catalogue.has_codes
        assert session.refresh()
        assert session.codes == whole.codes


# Refusals


@pytest.mark.parametrize("code", [400, 403, 404])
def test_codes_that_are_refused(meet: Meet, code: int) -> None:
    """The error names the variable and gives the API's words."""
    with FaultyServer(status(code, MESSAGE), ONE) as server:
        text = meet(server, codes(server), kind=CodesError)
    assert "refused the codes of 'boDest' in system 'holidays'" in text
    assert "It is Sunday" in text
    assert f"status {code}" in text
    assert "load_codes(unavailable=" in text


def test_many_codes_that_are_refused(meet: Meet) -> None:
    """Ten are named and the rest are counted."""
    with FaultyServer(status(403, MESSAGE), "/Codes") as server:
        text = meet(server, codes(server), kind=CodesError)
        number = len({request.target for request in server.asked if "/Codes" in request.target})
    named = text.partition(" in system")[0]
    assert named.count("'") == 20
    assert named.endswith(f" and {number - 10:,} more")


def test_what_was_not_refused_is_kept() -> None:
    """After such an error the others are there; what was refused is asked for again."""
    with FaultyServer(status(403, MESSAGE), ONE, times=2) as server:
        session = server.login()
        for _ in range(2):
            with pytest.raises(CodesError):
                _ = session.codes
            assert len(session.variables["boProd"].codes) > 0
        assert server.count("/boProd/Codes") == 1
        assert session.codes == holidays().codes  # it was granted meanwhile
        assert server.count(ONE) == 3


def test_going_on_without(tmp_path: Path) -> None:
    """Who skips what is refused has the rest, and a list; it is saved, and may be asked again."""
    with FaultyServer(status(403, MESSAGE), ONE, times=2) as server:
        session = server.login()
        rest = holidays().codes.filter(pl.col("variable_name") != "boDest")
        some = session.variables.filter(table_name="People")
        loaded = session.load_codes(unavailable="skip")
        assert loaded == rest
        assert (loaded.unavailable, some.codes.unavailable) == (["boDest"], [])
        assert session.codes.unavailable == ["boDest"]
        with pytest.raises(UnknownKeyError, match="API refused the codes of 'boDest'"):
            session.codes["boDest"]
        assert server.count(ONE) == 1  # not by ``codes``, nor by a second skip
        assert session.load_codes(unavailable="skip") == rest
        assert server.count(ONE) == 1
        session.catalogue.write_parquet(tmp_path)
        assert Catalogue.read_parquet(tmp_path).codes.unavailable == ["boDest"]
        with pytest.raises(CodesError, match="'boDest'"):
            session.load_codes()
        assert session.codes == rest
        assert session.load_codes() == session.codes == holidays().codes
        assert session.codes.unavailable == []


@pytest.mark.parametrize("code", [400, 404])
def test_dates_whose_codes_are_not_listed(meet: Meet, code: int) -> None:
    """A server need not list the codes of dates: they have none then, and nobody is told."""
    listed = set(holidays().codes.frame["variable_name"])
    kinds = ("Date", "DateTime")
    dates = [v.name for v in holidays().variables if v.type in kinds and v.name not in listed]
    assert len(dates) > 5

    def refuse(handler: DemoHandler, answer: Answer) -> None:
        name = handler.path.split("/")[-2]
        fault = status(code, MESSAGE) if name in dates else DemoHandler.send_answer
        fault(handler, answer)

    with FaultyServer(refuse, "/Codes") as server, warnings.catch_warnings():
        warnings.simplefilter("error")
        assert meet(server, codes(server)) == FULL
        session = server.login()
        assert session.codes.unavailable == []
        assert [len(session.variables[name].codes) for name in dates] == [0] * len(dates)


def test_dates_that_may_not_be_seen(meet: Meet) -> None:
    """Where the right to a date's codes is missing, that is an error as elsewhere."""
    with FaultyServer(status(403, MESSAGE), "/boDate/Codes") as server:
        assert "'boDate'" in meet(server, codes(server), kind=CodesError)


@pytest.mark.parametrize("act", [codes, folders])
@pytest.mark.parametrize(
    ("code", "body", "kind"),
    [
        (401, MESSAGE, SessionExpiredError),
        (500, MESSAGE, ApiError),
        (200, b"<html>Sign in</html>", GatewayError),
        (200, b"", GatewayError),
        (403, b"<html>Sign in</html>", GatewayError),
    ],
)
def test_other_answers(
    meet: Meet, act: Callable[..., Act], code: int, body: bytes, kind: type[AptecoFramesError]
) -> None:
    """What says nothing of the codes or folders themselves is never a refusal of them."""
    path = ONE if act is codes else "/Folders/Person"
    with FaultyServer(status(code, body), path) as server:
        meet(server, act(server), kind=kind)


@pytest.mark.parametrize("code", [400, 403, 404])
def test_codes_that_are_refused_without_a_word(code: int) -> None:
    """A status alone is the API's refusal here, since it answered right before."""
    with FaultyServer(status(code, b""), ONE) as server:
        codes = server.login().load_codes(unavailable="skip")
        assert len(codes.unavailable) == 1


@pytest.mark.parametrize("code", [400, 403])
def test_folders_that_are_refused(meet: Meet, code: int) -> None:
    """A server that refuses its folders altogether is an error, with its words."""
    with FaultyServer(status(code, MESSAGE), "/Folders") as server:
        assert "It is Sunday" in meet(server, folders(server), kind=ApiError)


# Numbers of codes


def test_another_number_of_codes() -> None:
    """What the API lists is kept; one warning names ten variables and counts the rest."""

    def edit(page: Json) -> None:
        page["list"].append({"code": "extra", "description": "of late", "count": None})
        page["totalCount"] += 1

    with FaultyServer(edited(edit), "/Codes") as server:
        session = server.login()
        with pytest.warns(CatalogueWarning) as caught:
            loaded = session.codes
    (warning,) = caught
    text = str(warning.message)
    selectors = session.variables.filter(api_type="Selector")
    assert len(loaded.filter(code="extra")) == len(selectors)
    assert len(loaded["boDest"]) == 21
    assert text.count(", not ") == 10
    assert f"and {len(selectors) - 10} more. The codes that the API lists were kept" in text
    assert server.base_url in text
    assert warning.filename == __file__


def test_one_code_too_few() -> None:
    """The warning says how many there are, and how many there should be."""
    fault = edited(lambda page: page.update(list=page["list"][:-1], totalCount=19))
    with FaultyServer(fault, ONE) as server:
        session = server.login()
        with pytest.warns(CatalogueWarning, match=r"'boDest' \(19, not 20\)\. The codes") as caught:
            _ = session.codes
        assert len(caught) == 1
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert len(session.codes["boDest"]) == 19


# Servers that give little at a time


def large_system() -> Catalogue:
    """A system with a variable of 3,500 codes."""
    info = {**EMPTY_SELECTOR, "numberOfCodes": 3_500}
    bare = catalogue_of(None, [variable_item("many", selectorInfo=info)])
    numbers = [f"{i:05}" for i in range(3_500)]
    table = pa.table(
        {
            "variable_name": ["many"] * 3_500,
            "code": numbers,
            "description": [f"number {number}" for number in numbers],
            "count": pa.array(range(3_500), pa.int64()),
        }
    )
    return Catalogue(bare.system_info, bare.tables, bare.variables, table)


def at_most(number: int, code: int) -> Fault:
    """Pages of more than so many items are refused."""

    def fault(handler: DemoHandler, answer: Answer) -> None:
        asked = int(parse_qs(handler.path.partition("?")[2])["count"][0])
        refuse = status(code, MESSAGE) if asked > number else DemoHandler.send_answer
        refuse(handler, answer)

    return fault


@pytest.mark.parametrize("code", [400, 413, 500])
def test_a_server_that_gives_a_thousand_at_most(code: int) -> None:
    """One that refuses a page of all codes is asked for 1,000 at a time."""
    with FaultyServer(at_most(1_000, code), "/Codes", catalogue=large_system()) as server:
        session = server.login()
        assert session.codes == server.served.codes
        counts = [r.target.rpartition("=")[2] for r in server.asked if "/Codes" in r.target]
    assert counts[:2] == ["3500", "1000"]
    assert max(map(int, counts[1:])) == 1_000


def test_pages_of_the_user_s_size(meet: Meet) -> None:
    """Where that is refused too, it is an error, and ``page_size=`` helps."""
    with FaultyServer(at_most(50, 413), "/Codes", catalogue=large_system()) as server:
        text = meet(server, codes(server), kind=ApiError)
        assert server.login(page_size=50).codes == server.served.codes
    assert "status 413" in text


# Trees that go on for ever


def again(name: str, number: int, of: int) -> Fault:
    """So many folders in every folder, of which the first are given, however often asked."""

    def fault(handler: DemoHandler, answer: Answer) -> None:
        query = parse_qs(handler.path.partition("?")[2])
        offset, count = int(query["offset"][0]), int(query["count"][0])
        some = range(offset, min(offset + count, offset + number))
        items = [{"folder": {"name": f"{name}{i}", "description": ""}} for i in some]
        page = {"offset": offset, "count": len(items), "totalCount": of, "list": items}
        DemoHandler.send_answer(handler, Answer(200, json.dumps(page).encode()))

    return within("/Folders", fault)


ENDLESS: dict[str, Fault] = {
    "deep": again("d", 1, 1),
    "wide": again("w", 1_000, 25_000),
    "a list without an end": again("e", 1_000, 2**62),
    "both": again("b", 60, 60),
}


SLOW = {"both": pytest.mark.slow}


@pytest.mark.parametrize(
    "fault",
    [pytest.param(fault, id=name, marks=SLOW.get(name, ())) for name, fault in ENDLESS.items()],
)
def test_folders_without_an_end(meet: Meet, fault: Fault) -> None:
    """A tree that goes on for ever is an error after so many levels, folders or items."""
    with FaultyServer(fault, "") as server:
        text = meet(
            server, folders(server, timeout=LONG), kind=ApiResultsError, within=10 * PATIENCE
        )
        assert len(server.asked) < 6_000
    assert "seem to have no end" in text
    assert "Nothing was used" in text


# Time

TIME = (20, 20, 6)


@pytest.mark.slow
@pytest.mark.parametrize("act", [codes, folders])
def test_silence_in_the_middle(meet: Meet, act: Callable[..., Act]) -> None:
    """A server that falls silent is waited for as long as told; nothing is kept half."""
    path = ONE if act is codes else "/Folders/Person"
    with FaultyServer(silence, path) as server:
        text = meet(server, act(server, timeout=TIME), kind=OrbitConnectionError)
        assert "within 6 seconds" in text
        session = server.login(timeout=TIME)
        with pytest.raises(OrbitConnectionError):
            _ = session.codes if act is codes else session.folders
        assert not session.catalogue.has_codes
        assert not session.catalogue.has_folders
        assert len(session.tables["People"].codes) > 0 or act is folders


SCRIPT = Path(__file__).with_name("interrupted_codes.py")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to a child")
@pytest.mark.parametrize("what", ["codes", "folders"])
def test_interrupted(what: str) -> None:
    """Ctrl-C ends a load at once; the session goes on, and the process ends when it wants to."""
    path = ONE if what == "codes" else "/Folders/Person"
    with FaultyServer(silence, path, times=1) as server:
        account = server.base_url, server.data_view, server.system, server.user, server.password
        with subprocess.Popen(
            [sys.executable, str(SCRIPT), what, *account],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                while not server.count(path):
                    await_requests(server, len(server.asked))
                    assert process.poll() is None
                time.sleep(0.3)  # until the others are answered
                process.send_signal(2)
                said, error = process.communicate(timeout=PATIENCE)
            finally:
                process.kill()
    assert error == ""
    assert process.returncode == 0
    seconds, number, ended = said.split()
    assert int(number) == len(getattr(holidays(), what))
    assert float(ended) - float(seconds) < 5
    assert float(seconds) < 15  # it would have been silent for 60


def test_token_that_expires_in_the_middle() -> None:
    """A session that is ended during a load is an error; after renewing, all can be read."""
    with FaultyServer() as server:
        session = server.login()
        with pytest.raises(SessionExpiredError, match=r"session\.renew\(password\)"):
            session.load_codes(progress=lambda done, of: server.api.end_sessions())
        assert not session.catalogue.has_codes
        session.renew(server.password)
        assert session.codes == holidays().codes
        server.api.end_sessions()
        with pytest.raises(SessionExpiredError):
            _ = session.folders
        session.renew(server.password)
        assert session.folders == holidays().folders


# Secrets


def telling(code: int, body: Callable[[str], Json | str]) -> Fault:
    """An answer that repeats the token it was asked with."""

    def fault(handler: DemoHandler, answer: Answer) -> None:
        token = handler.headers["Authorization"].partition(" ")[2]
        status(code, json.dumps(body(token)).encode())(handler, answer)

    return fault


TELLING: dict[str, Fault] = {
    "a message": telling(403, lambda token: {"message": f"not for {token}", "id": 3}),
    "a failure": telling(500, lambda token: {"message": f"{token}: {token}"}),
    "a page": telling(
        200, lambda token: {"offset": 0, "count": 1, "totalCount": 1, "list": [token]}
    ),
    "a field": telling(
        200,
        lambda token: {"offset": 0, "count": 1, "totalCount": token, "list": []},
    ),
    "a text": telling(200, lambda token: token),
}


@pytest.mark.parametrize("fault", TELLING.values(), ids=TELLING)
@pytest.mark.parametrize("act", [codes, folders])
def test_answers_that_repeat_the_token(meet: Meet, fault: Fault, act: Callable[..., Act]) -> None:
    """No error about codes or folders shows a secret that an answer repeats."""
    path = "/Codes" if act is codes else "/Folders"
    with FaultyServer(fault, path) as server:
        meet(server, act(server), kind=(CodesError, ApiError, ApiResultsError))


def test_everything_is_read(meet: Meet) -> None:
    """Without a fault, all codes and folders come, and nothing shows a secret."""

    def act() -> Session:
        session = server.login()
        _ = session.codes, session.folders
        return session

    with FaultyServer() as server:
        assert meet(server, act) == FULL
