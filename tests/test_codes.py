"""Codes: loaded once and to the letter, looked up by variable, then by code or description."""

from __future__ import annotations

import pickle
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import polars as pl
import pyarrow as pa
import pytest
from faults.server import FaultyServer, status
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import up_to
from strategies import addressable, catalogue_of, catalogues, codes_for, variable_item

from apteco_frames import Archive, Catalogue, Session, schema
from apteco_frames.codes import Code, Codes
from apteco_frames.demo import DemoServer, holidays
from apteco_frames.errors import (
    AmbiguousKeyError,
    CatalogueWarning,
    CodesError,
    NotLoadedError,
    RowIndexError,
    UnknownKeyError,
)
from apteco_frames.variables import SelectorVariable


def codes_of(*rows: tuple[str, str], count: int | None = 7) -> Codes:
    """The codes of a variable ``v`` that has these codes and descriptions."""
    table = pa.table(
        {
            "variable_name": ["v"] * len(rows),
            "code": [code for code, _ in rows],
            "description": [description for _, description in rows],
            "count": pa.array([count] * len(rows), pa.int64()),
        }
    )
    bare = catalogue_of(None, [variable_item("v", description="The variable")])
    return Catalogue(bare.system_info, bare.tables, bare.variables, table).codes


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    """A server of Holidays that notes what it is asked."""
    with FaultyServer() as server:
        yield server


@pytest.fixture
def session(server: FaultyServer) -> Session:
    """A session of that server."""
    return server.login()


def asked_for(server: FaultyServer) -> list[str]:
    """The variables whose codes a server was asked for, once each time."""
    paths = [request.target.partition("?")[0] for request in server.asked]
    return [unquote(path.split("/")[-2]) for path in paths if path.endswith("/Codes")]


# What there is.


def test_all_codes_of_holidays(session: Session) -> None:
    """Every code comes as the server has it, variable after variable, in its order."""
    assert session.codes == holidays().codes
    assert session.codes.arrow.schema.equals(schema.CODES_SCHEMA)
    assert [code.position for code in session.codes["boDest"]] == list(range(20))
    names = session.codes.frame["variable_name"].unique(maintain_order=True).to_list()
    assert names == [v.name for v in session.variables if v.name in set(names)]


def test_who_has_a_code_for_sweden(session: Session) -> None:
    """One filter finds a code in all variables, with the number of records."""
    (sweden,) = session.codes.filter(pl.col("description") == "Sweden")
    assert isinstance(sweden, Code)
    assert (sweden.variable.description, sweden.table.plural) == ("Destination", "Bookings")
    assert sweden.count == session.codes["boDest"]["29"].count
    assert sweden == session.variables["Destination"].codes["Sweden"]


def test_blanks_and_nulls_are_kept() -> None:
    """Codes are taken to the letter; an empty description and a missing count stay so."""
    codes = codes_of((" !", ""), ("ABERDEEN", "ABERDEEN"), count=None)["v"]
    assert [code.to_dict() for code in codes] == [
        {
            "variable_name": "v",
            "variable_description": "The variable",
            "table_name": "People",
            "position": position,
            "code": code,
            "description": description,
            "count": None,
        }
        for position, (code, description) in enumerate([(" !", ""), ("ABERDEEN", "ABERDEEN")])
    ]


@settings(max_examples=up_to(20))
@given(st.data())
def test_any_codes_come_as_they_were_served(data: st.DataObject) -> None:
    """Whatever a system's codes are, a session reads what the server has."""
    bare = data.draw(catalogues(max_tables=3, max_variables=8).filter(addressable))
    codes = data.draw(codes_for(bare))
    served = Catalogue(bare.system_info, bare.tables, bare.variables, codes)
    with DemoServer(served) as server, server.login() as session, warnings.catch_warnings():
        warnings.simplefilter("ignore", CatalogueWarning)  # num_codes is anything here
        loaded = session.load_codes(unavailable="skip")
        # Which no URL can hold.
        assert {name.strip(" ") for name in loaded.unavailable} <= {"", ".", ".."}
        wanted = ~pl.col("variable_name").is_in(loaded.unavailable)
        assert loaded == served.codes.filter(wanted)
        assert session.catalogue.has_codes
        assert [len(v.codes) for v in session.variables] == [
            len(loaded.filter(variable_name=v.name)) for v in session.variables
        ]


# Looking up.


def test_looking_up_a_variable(session: Session) -> None:
    """The codes of a variable are found by its name or description."""
    destinations = session.codes["boDest"]
    assert isinstance(destinations, Codes)
    assert destinations == session.codes["Destination"] == session.variables["boDest"].codes
    assert session.codes["Destination"]["29"].description == "Sweden"
    assert repr(destinations).startswith("20 codes of variable 'boDest' of system 'holidays'\n")


def test_a_variable_without_codes_has_none(session: Session) -> None:
    """The codes of a number are an empty frame, and nothing is asked for."""
    assert len(session.variables["boCost"].codes) == 0
    assert len(session.codes["Cost"]) == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing is unknown here
        assert "boCost" not in session.codes
        assert "Cost" not in session.codes
    assert "Destination" in session.codes


@pytest.fixture(params=["saved", "archived", "pickled", "made"])
def partial(request: pytest.FixtureRequest, tmp_path: Path) -> Catalogue:
    """Holidays without the codes of boDest, which the API refused, however it came here."""
    whole = holidays()
    rest = whole.codes.filter(pl.col("variable_name") != "boDest")
    rows = whole.tables, whole.variables, rest, whole.folders
    made = Catalogue(whole.system_info, *rows, unavailable=["boDest"])
    if request.param == "saved":
        made.write_parquet(tmp_path)
        return Catalogue.read_parquet(tmp_path)
    if request.param == "archived":
        archive = Archive(tmp_path)
        assert archive.add(made)
        return archive.catalogue("holidays")
    return pickle.loads(pickle.dumps(made)) if request.param == "pickled" else made


def test_refused_codes_are_not_none(partial: Catalogue) -> None:
    """Whoever asks for codes that the API refused is told so, and not that there are none."""
    said = "The API refused the codes of 'boDest' of system 'holidays'"
    for key in ("boDest", "Destination"):
        with pytest.raises(UnknownKeyError, match=said):
            partial.codes[key]
        with pytest.warns(CatalogueWarning, match=said):
            assert key not in partial.codes
        with pytest.warns(CatalogueWarning, match=said):
            assert partial.codes.get(key) is None
        with pytest.warns(CatalogueWarning, match=said):
            assert len(partial.variables[key].codes) == 0
    assert partial.codes.unavailable == partial.tables["Bookings"].codes.unavailable == ["boDest"]
    remark = "The API refused the codes of 'boDest'."
    assert repr(partial.codes).endswith(f"\n{remark}")
    assert remark.replace("'", "&#x27;") in partial.codes._repr_html_()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "boProd" in partial.codes
        assert len(partial.variables["boProd"].codes) > 0
        assert partial.codes["boProd"].unavailable == []
        assert "refused" not in repr(partial.codes["boProd"])


def test_refused_codes_are_not_searched(partial: Catalogue) -> None:
    """A search says whose codes it could not look at."""
    found = partial.search("sweden")
    said = "Codes of 'boDest' were not searched: the API refused them."
    assert found.not_searched == (said,)
    assert "No match for 'sweden' in what was searched." in repr(found)
    assert said in repr(found)


def test_refused_codes_are_not_asked_in_sql(partial: Catalogue) -> None:
    """A query that names codes warns of those that are not among them; another one does not."""
    query = "select count(*) as n from codes where description = 'Sweden'"
    with pytest.warns(CatalogueWarning, match="lacks those of 'boDest': the API refused them"):
        assert partial.sql(query)["n"].to_list() == [0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(partial.sql("select name from variables")) == 94


def test_a_search_after_codes_were_refused() -> None:
    """A session that searched before its codes were refused, or granted, says what holds now."""
    with FaultyServer(status(403, b"{}"), "/boDest/Codes", times=1) as server:
        session = server.login()
        session.load_codes(session.variables.filter(name="boDest"), unavailable="skip")
        assert "API refused" in session.search("sweden").not_searched[-1]
        session.load_codes(session.variables.filter(name="boDest"))
        assert "API refused" not in session.search("sweden").not_searched[-1]
        assert session.search("sweden").total == 1


def test_looking_up_a_code_by_code_then_by_description() -> None:
    """A code is found by its code; a description that is another's code stands behind it."""
    codes = codes_of(("1", "one"), ("2", "1"), (" !", "none"), ("", "nothing"))["v"]
    assert [codes[key].position for key in ("1", "one", " !", "none", "")] == [0, 0, 2, 2, 3]
    assert codes[0] == codes["one"]
    assert codes[-1].description == "nothing"
    assert [code.code for code in codes[1:3]] == ["2", " !"]


def test_blanks_may_be_left_out_if_nothing_else_fits() -> None:
    """A code is found without the blanks round it, unless that is another's code or text."""
    codes = codes_of((" !", "none"), ("! ", "other"), (" 1", "one"), ("2", "1"), (" 3", "x"))["v"]
    assert codes["3"].code == codes[" 3 "].code == " 3"
    assert codes["1"].code == "2"  # a description to the letter
    assert codes[" 1"].code == " 1"
    with pytest.raises(AmbiguousKeyError, match=r"' !' .*; '! ' "):
        codes["!"]


def test_what_is_not_there() -> None:
    """An unknown key names the nearest; of variables, of codes, of positions."""
    codes = codes_of(("01", "Sweden"), ("02", "Norway"))
    with pytest.raises(UnknownKeyError, match="variable"):
        codes["Destination"]
    of_one = "of variable 'v' of system 'testing'"
    with pytest.raises(UnknownKeyError, match=f"No code {of_one} .*Nearest: 'Sweden'"):
        codes["v"]["Swedn"]
    with pytest.raises(RowIndexError, match=f"of 2 codes {of_one}"):
        codes["v"][2]
    with pytest.raises(RowIndexError, match="of 2 codes of system 'testing'"):
        codes[2]
    assert "Swedn" not in codes["v"]
    assert codes["v"].get("Swedn") is None
    assert codes.get("Destination", 5) == 5
    assert "v" in codes
    assert "w" not in codes
    assert codes["v"]["01"] in codes["v"]
    assert codes["v"]["01"] in codes
    assert 5 not in codes["v"]


def test_a_description_that_several_variables_have() -> None:
    """Whatever looks a variable up by it, the error says how to have the one that is meant."""
    items = [variable_item(name, description="Status") for name in ("one", "two")]
    made = catalogue_of(None, items)
    codes = pl.DataFrame(
        {"variable_name": ["one", "two"], "code": ["1", "2"], "description": "x", "count": 1}
    )
    catalogue = Catalogue(made.system_info, made.tables, made.variables, codes)
    frames: list[Any] = [catalogue.codes, catalogue.tables["People"], catalogue.variables]
    for frame in frames:
        with pytest.raises(AmbiguousKeyError, match=r"'two' .* alone: variables\.names\[\.\.\.\]"):
            frame["Status"]
    variables = catalogue.variables
    assert variables.names["two"].codes["2"] == catalogue.codes["two"]["2"]


def test_a_code_or_description_that_comes_twice() -> None:
    """Codes that share what is looked up are named with their places; one is never picked."""
    codes = codes_of(("01", "Other"), ("01", "Sweden"), ("03", "Other"))["v"]
    with pytest.raises(AmbiguousKeyError, match=r"'01' \('Other' at position 0 .*position 1"):
        codes["01"]
    with pytest.raises(AmbiguousKeyError, match=r"'03' \('Other' at position 2"):
        codes["Other"]
    assert codes["03"].position == 2


@given(st.lists(st.tuples(st.text(" !1a", max_size=3), st.text(" !1a", max_size=3)), max_size=8))
def test_look_up_is_what_a_search_gives(pairs: list[tuple[str, str]]) -> None:
    """For any codes, a key finds what a search through codes, descriptions, blanks finds."""
    codes = codes_of(*pairs)["v"]
    for key in {text for pair in pairs for text in pair} | {"!", "1", "x"}:
        fits = (
            [i for i, (code, _) in enumerate(pairs) if code == key]
            or [i for i, (_, text) in enumerate(pairs) if text == key]
            or [i for i, (code, _) in enumerate(pairs) if code.strip(" ") == key.strip(" ")]
        )
        assert (key in codes) == bool(fits)
        if len(fits) == 1:
            assert codes[key].position == fits[0]
        else:
            with pytest.raises(AmbiguousKeyError if fits else UnknownKeyError):
                codes[key]


def test_a_filtered_frame_still_knows_its_variables(session: Session) -> None:
    """What a filter leaves is looked up as before; a variable may have no code left."""
    large = session.codes.filter(pl.col("count") > 10**6)
    assert len(large["boDest"]) == len(session.codes["boDest"].filter(pl.col("count") > 10**6))
    assert len(large["hoRegion"]) == 0
    assert large["boDest"].frame.equals(
        session.codes.frame.filter(variable_name="boDest").filter(pl.col("count") > 10**6)
    )


# Loading once.


def test_only_what_is_wanted_is_asked_for(server: FaultyServer, session: Session) -> None:
    """A part of the variables loads its own codes; a larger part only what is missing."""
    bookings = session.variables.filter(table_name="Bookings")
    selectors = [v.name for v in bookings if v.api_type == "Selector"]
    assert bookings.codes == holidays().codes.filter(table_name="Bookings")
    assert sorted(asked_for(server)) == sorted(selectors)
    assert session.tables["Bookings"].codes == bookings.codes
    assert session.variables["boDest"].codes == bookings.codes["boDest"]
    assert sorted(asked_for(server)) == sorted(selectors)
    assert session.codes == holidays().codes
    everything = [v.name for v in session.variables if v.api_type == "Selector"]
    assert sorted(asked_for(server)) == sorted(everything)
    assert session.codes is session.codes


def test_codes_are_asked_for_by_their_number(server: FaultyServer, session: Session) -> None:
    """One page per variable, as long as the variable says; never by POST."""
    assert len(session.variables["boDest"].codes) == 20
    (request,) = (r for r in server.asked if "/Codes" in r.target)
    assert request.method == "GET"
    assert request.target.endswith("/Variables/boDest/Codes?offset=0&count=20")


def test_pages_are_no_larger_than_the_user_wants(server: FaultyServer) -> None:
    """``page_size=`` holds for codes and folders, too; what is asked for is complete."""
    session = server.login(page_size=7)
    assert session.codes == holidays().codes
    assert session.folders == holidays().folders
    counts = {
        int(parse_qs(request.target.partition("?")[2])["count"][0])
        for request in server.asked
        if "/Codes" in request.target or "/Folders" in request.target
    }
    assert max(counts) == 7


def test_a_variable_that_does_not_say_how_many_codes_it_has() -> None:
    """Where the number of codes is not known, all are read, and there is nothing to warn of."""
    whole = holidays()
    silent = whole.variables.frame.with_columns(num_codes=pl.lit(None, pl.Int64))
    served = Catalogue(whole.system_info, whole.tables, silent, whole.codes)
    with DemoServer(served) as other, other.login() as session, warnings.catch_warnings():
        warnings.simplefilter("error")
        assert session.codes == whole.codes


def test_threads_that_ask_at_once(server: FaultyServer, session: Session) -> None:
    """Each variable is asked for once, however many threads want it."""
    found: list[Codes] = []
    threads = [threading.Thread(target=lambda: found.append(session.codes)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert all(codes == holidays().codes for codes in found)
    assert len(asked_for(server)) == len(set(asked_for(server)))


def test_loading_on_purpose(session: Session) -> None:
    """``load_codes`` gives the codes of a frame of variables and tells how far it is."""
    told: list[tuple[int, int]] = []
    bookings = session.variables.filter(table_name="Bookings")
    codes = session.load_codes(bookings, progress=lambda *numbers: told.append(numbers))
    assert codes == bookings.codes
    selectors = len(bookings.filter(api_type="Selector"))
    assert told[-1] == (selectors, selectors)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    with pytest.raises(ValueError, match="'error' or 'skip', not 'ignore'"):
        session.load_codes(unavailable="ignore")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda session: session.variables["boDest"],
        lambda session: session.tables["Bookings"],
        lambda session: [session.variables["boDest"]],
        lambda session: session.variables.frame,
        lambda session: "boDest",
    ],
)
def test_what_is_no_frame_of_variables(session: Session, wrong: Any) -> None:
    """What is no frame of variables is refused in words that say what is."""
    with pytest.raises(TypeError, match=r"^load_codes\(\) takes a frame of variables.*\.codes\.$"):
        session.load_codes(wrong(session))


def test_codes_of_the_catalogue_s_variables(session: Session) -> None:
    """Variables of ``session.catalogue`` can be loaded through the session, too."""
    offline = session.catalogue.variables.filter(table_name="Bookings")
    with pytest.raises(NotLoadedError, match=r"session\.load_codes"):
        _ = offline.codes
    loaded = session.load_codes(offline)
    assert loaded == offline.codes
    assert [row.session for row in (loaded[0], offline.codes[0])] == [session, None]


# Offline.


def test_a_catalogue_without_codes_says_how_to_get_them(session: Session) -> None:
    """Before the session loads them, its catalogue has none, in whole or in part."""
    catalogue = session.catalogue
    assert not catalogue.has_codes
    with pytest.raises(NotLoadedError, match=r"'holidays' has no codes\. Log in"):
        _ = catalogue.codes
    _ = session.variables["boDest"].codes
    assert len(catalogue.variables["boDest"].codes) == 20
    with pytest.raises(NotLoadedError, match=r"no codes of 'ho.* and \d+ more\."):
        _ = catalogue.codes
    _ = session.codes
    assert catalogue.has_codes
    assert catalogue.codes == session.codes
    assert catalogue.codes[0].session is None


def test_codes_of_what_is_no_variable() -> None:
    """A catalogue cannot hold codes of variables that it does not have."""
    whole = holidays()
    few = whole.variables.filter(table_name="People")
    with pytest.raises(CodesError, match="which is not a variable of"):
        Catalogue(whole.system_info, whole.tables, few, whole.codes)


def test_codes_in_any_order_are_put_in_the_variables_order() -> None:
    """Rows of a variable keep their order; variables stand as the catalogue has them."""
    whole = holidays()
    mixed = whole.codes.frame.sort("position", maintain_order=True)
    again = Catalogue(whole.system_info, whole.tables, whole.variables, mixed)
    assert again.codes == whole.codes


def test_codes_are_pickled_with_their_catalogue(session: Session) -> None:
    """Frames and rows of codes come back from a pickle, without the session."""
    for codes in (session.codes, session.codes["boDest"], session.codes.filter(code="29")):
        copy = pickle.loads(pickle.dumps(codes))
        assert copy == codes
        assert copy[0] == codes[0]
        assert copy[0].session is None
    destinations = pickle.loads(pickle.dumps(session.codes["boDest"]))
    assert destinations["Sweden"] == pickle.loads(pickle.dumps(session.codes["boDest"]["Sweden"]))


def test_rows_of_codes_compare_and_hash() -> None:
    """Equal codes are equal; two of one code and text at other places are not."""
    codes = codes_of(("1", "a"), ("1", "a"))["v"]
    assert codes[0] == codes_of(("1", "a"), ("1", "a"))[0]
    assert codes[0] != codes[1]
    assert len({*codes, *codes_of(("1", "a"), ("1", "a"))}) == 2
    assert repr(codes[0]) == "<Code '1': 'a'>"


def test_the_classes_know_their_variable_kind(session: Session) -> None:
    """The variable of a code is the session's own."""
    assert isinstance(session.codes["boDest"][0].variable, SelectorVariable)
