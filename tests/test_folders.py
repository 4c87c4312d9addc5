"""Folders: the tree as it was served, looked up by path and name, and shown."""

from __future__ import annotations

import pickle
import time
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from faults.server import Fault, FaultyServer, edited, status, within
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import PATIENCE, up_to
from strategies import addressable, catalogue_of, catalogues, folders_for, variable_item

from apteco_frames import Catalogue, Session, schema
from apteco_frames.demo import DemoServer, holidays
from apteco_frames.errors import (
    AmbiguousKeyError,
    CatalogueWarning,
    FoldersError,
    NotLoadedError,
    UnknownKeyError,
)
from apteco_frames.folders import Folder, Folders
from apteco_frames.normalize.folders import Node, arrange

VARIABLES = ("a", "b", "c")


def with_folders(*nodes: Node, given_paths: bool = False) -> Catalogue:
    """A catalogue of three variables and of these folders."""
    bare = catalogue_of(None, [variable_item(name, folderName=None) for name in VARIABLES])
    if not given_paths:
        nodes = tuple(node._replace(path=None) for node in nodes)
    folders = arrange(nodes, bare.variables.arrow["name"], "a test")
    return Catalogue(bare.system_info, bare.tables, bare.variables, folders=folders)


def node(name: str, parent: int | None = None, *variables: str, path: str | None = None) -> Node:
    """A folder with its variables; its parent by its place in the list."""
    return Node(name, f"all of {name}", path, parent, list(variables))


TWO_BRANCHES = (
    node("Bookings", None, "a"),
    node("Dates", 0, "b", "a"),
    node("Dates"),
    node("Policies"),
    node("Dates", 3, "c"),
    node("Amounts", 0),
)


def read(catalogue: Catalogue, fault: Fault | None = None) -> Folders:
    """The folders of a catalogue, as a session reads them over HTTP."""
    with FaultyServer(fault, "", catalogue=catalogue) as server, server.login() as session:
        return session.folders


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    """A session with the Holidays system."""
    with DemoServer() as server, server.login() as session:
        yield session


# What there is.


def test_folders_of_holidays(session: Session) -> None:
    """Every folder comes as the server has it, each followed by those within it."""
    assert session.folders == holidays().folders
    assert session.folders.arrow.schema.equals(schema.FOLDERS_SCHEMA)
    assert session.folders is session.folders
    assert session.catalogue.folders == session.folders


def test_threads_that_ask_at_once() -> None:
    """The folders are read once, and are the same for all threads."""
    with FaultyServer() as server, server.login() as session, ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: session.folders, range(6)))
        assert server.count("/Folders") == 1
    assert len({id(folders) for folders in found}) == 1


def test_parents_and_children(session: Session) -> None:
    """A folder knows those around and directly within it, in their order."""
    person = session.folders["Person"]
    assert isinstance(person, Folder)
    names = ["Demographics", "Lifestyle", "Marketing", "Booking Behaviour"]
    assert [child.name for child in person.children] == names
    assert [child.position for child in person.children] == [0, 1, 2, 3]
    assert [child.parent for child in person.children] == [person] * 4
    assert (person.parent, person.depth, person.children[0].depth) == (None, 0, 1)
    assert session.folders["Segments"].children == []
    assert (person.session, session.catalogue.folders[0].session) == (session, None)


def test_variables_of_a_folder(session: Session) -> None:
    """A folder has the session's own variables, in its order; it finds one by its text."""
    booking = session.folders["Booking"]
    assert [variable.name for variable in booking.variables] == booking.variable_names
    assert booking["Booking Date"] == booking["boDate"] == session.variables["boDate"]
    assert "Booking Date" in booking
    assert "Occupation" not in booking
    assert session.variables["boDate"] in booking
    with pytest.raises(UnknownKeyError, match="Nearest: 'Booking Date'"):
        booking["Bookin Date"]
    with pytest.raises(TypeError):
        list(booking)  # type: ignore[call-overload]
    assert booking.variable_count == len(booking.variables)
    assert booking.total_variable_count > booking.variable_count


def test_the_folder_of_a_variable(session: Session) -> None:
    """Each variable that is in a folder knows it, and is in it."""
    for variable in session.variables:
        assert variable.folder is not None
        assert variable in variable.folder
        assert variable.folder.name == variable.folder_name


def test_a_variable_in_two_folders_or_in_none() -> None:
    """It stands in each; its own is the first in the tree; the total counts it once."""
    folders = read(with_folders(*TWO_BRANCHES[:2], node("Other", None, "b")))
    variables = folders[0].session.variables
    assert [variables[name].folder.path for name in "ab"] == ["Bookings", "Bookings/Dates"]
    assert variables["c"].folder is None
    assert folders["Other"].variable_names == ["b"]
    counts = [(f.variable_count, f.total_variable_count) for f in folders]
    assert counts == [(1, 2), (2, 2), (1, 1)]


def test_an_empty_folder() -> None:
    """A folder without anything in it is kept, and has no variables."""
    (folder,) = read(with_folders(node("Empty")))
    assert (folder.children, len(folder.variables), folder.total_variable_count) == ([], 0, 0)


def test_a_system_without_folders() -> None:
    """No folders at all are an empty frame."""
    assert len(read(with_folders())) == 0


# Looking up.


def test_looking_up_by_path_then_by_name() -> None:
    """A path goes before a name, so that each folder can be looked up."""
    folders = read(with_folders(*TWO_BRANCHES))
    paths = ["Bookings", "Bookings/Dates", "Bookings/Amounts", "Dates", "Policies"]
    assert [folder.path for folder in folders] == [*paths, "Policies/Dates"]
    assert [folders[folder.path] for folder in folders] == list(folders)
    for _ in range(3):  # once indexes are there, as before
        assert folders["Dates"].path == "Dates"
        assert folders["Amounts"].path == "Bookings/Amounts"
    below = folders.filter(pl.col("depth") > 0)
    with pytest.raises(AmbiguousKeyError, match=r"'Bookings/Dates'; 'Policies/Dates'.*by its path"):
        below["Dates"]
    with pytest.raises(UnknownKeyError, match="Nearest: 'Policies'"):
        folders["Polices"]
    assert folders.get("Polices") is None
    assert ("Policies/Dates" in folders, "Policies/Amounts" in folders) == (True, False)


def test_a_slash_in_a_name() -> None:
    """A "/" that belongs to a name separates nothing, neither in URLs nor in paths."""
    catalogue = with_folders(
        node("Text/HTML", None, "a"), node("50%/2", 0, "b"), node("Text"), node("HTML", 2, "c")
    )
    folders = read(catalogue)
    assert folders == catalogue.folders
    assert [folder.path for folder in folders] == [
        *("Text%2FHTML", "Text%2FHTML/50%25%2F2", "Text", "Text/HTML"),
    ]
    assert folders["Text/HTML"].variable_names == ["c"]
    assert folders["Text%2FHTML"].variable_names == ["a"]
    assert folders["50%/2"].parent == folders["Text%2FHTML"]


def test_paths_in_the_api_s_own_words() -> None:
    """Where the API gives each folder a path of its own, that is its path."""
    own = with_folders(
        node("Dates", None, "a", path="\\Dates"),
        node("Years", 0, "b", path="\\Dates\\Years"),
        given_paths=True,
    )
    folders = read(own)
    assert folders == own.folders
    assert folders["Years"].parent == folders["\\Dates"]


@pytest.mark.parametrize("given", [None, "the same"], ids=["no path", "one path for all"])
def test_servers_without_paths(given: str | None) -> None:
    """Where the API gives no paths, or none to rely on, they are made of the names."""

    def edit(page: dict[str, Any]) -> None:
        for item in page["list"]:
            if "folder" in item:
                item["folder"].pop("path")
                item["folder"] |= {"path": given} if given else {}

    assert read(holidays(), within("/Folders", edited(edit))) == holidays().folders


# Trees of any shape.


@settings(max_examples=up_to(25))
@given(st.data())
def test_any_tree_is_read_as_it_was_served(data: st.DataObject) -> None:
    """Whatever the folders are, a session reads what the server has."""
    bare = data.draw(catalogues(max_tables=2, max_variables=6).filter(addressable))
    folders = data.draw(folders_for(bare))
    served = Catalogue(bare.system_info, bare.tables, bare.variables, folders=folders)
    with DemoServer(served) as server, server.login() as session:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CatalogueWarning)  # of a name of blanks
            found = session.folders
        unread = {f.path for f in found if not f.name.strip(" ")}
        if not unread:
            assert found == served.folders
            assert session.catalogue == served
        for folder in found:
            assert found[folder.path] == folder
            assert folder in (folder.parent.children if folder.parent else found)
            everything = [folder, *below(folder)]
            assert folder.total_variable_count == len(
                {name for each in everything for name in each.variable_names}
            )
        assert len(repr(found.tree()).splitlines()) >= len(found) + 1


def below(folder: Folder) -> Iterable[Folder]:
    """All folders within one."""
    for child in folder.children:
        yield child
        yield from below(child)


def chain(length: int) -> list[Node]:
    """Folders each within the one before, the last with a variable."""
    nodes = [node(f"level {i}", i - 1 if i else None) for i in range(length)]
    return [*nodes[:-1], nodes[-1]._replace(variable_names=["a"])]


def test_a_chain_100_deep() -> None:
    """Folders within folders within folders are all read, and each counts what is below it."""
    catalogue = with_folders(*chain(100))
    folders = read(catalogue)
    assert folders == catalogue.folders
    deepest = folders[0].session.variables["a"].folder
    assert (deepest.depth, deepest.path.count("/")) == (99, 99)
    assert {folder.total_variable_count for folder in folders} == {1}
    assert repr(folders.tree()).splitlines()[-1].endswith("└── level 99 (1)")


@pytest.mark.slow
def test_two_thousand_folders() -> None:
    """Many folders are read in a short time, and kept in order."""
    nodes = [node(f"folder {i}", i // 8 if i >= 40 else None, "a") for i in range(2_000)]
    catalogue = with_folders(*nodes)
    with DemoServer(catalogue) as server, server.login() as session:
        began = time.monotonic()
        folders = session.folders
        assert time.monotonic() - began < 10 * PATIENCE
    assert folders == catalogue.folders
    assert len(folders) == 2_000
    assert repr(folders.tree()).endswith("… and 1,000 more")


@pytest.mark.parametrize("name", [" ", "..", "."])
def test_a_name_that_no_url_can_hold(name: str) -> None:
    """Such a folder is kept without contents, with a warning; the others are as they are."""
    served = with_folders(node("Odd"), node(name, 0, "a"), node("Other", None, "b"))
    with (
        DemoServer(served) as server,
        server.login() as session,
        pytest.warns(CatalogueWarning, match=r"refused the contents of .*'Odd/") as told,
    ):
        folders = session.folders
    assert [warning.filename for warning in told] == [__file__]
    assert [(f.name, f.variable_names) for f in folders] == [
        *(("Odd", []), (name, []), ("Other", ["b"])),
    ]


def test_two_of_one_name_in_one_folder() -> None:
    """They would have one address, so this is an error that names it."""
    with pytest.raises(FoldersError, match="Two folders have the same path, 'Bookings/Dates'"):
        with_folders(*TWO_BRANCHES[:2], node("Dates", 0))


# Servers that know no folders, or not all.


def test_a_server_without_the_endpoint() -> None:
    """Folders are then those that the variables name, flat, and a warning says so."""
    with FaultyServer(status(404), "/Folders") as server, server.login() as session:
        with pytest.warns(CatalogueWarning, match=r"does not list folders \(status 404\)") as told:
            folders = session.folders
        assert server.base_url in str(told[0].message)
        assert [warning.filename for warning in told] == [__file__]
        assert session.folders is folders
    names = holidays().variables.frame["folder_name"].unique(maintain_order=True).to_list()
    assert [folder.path for folder in folders] == names
    assert set(folders.frame["depth"]) == {0}
    booking = folders["Booking"]
    assert booking["Booking Date"].folder == booking
    assert booking.variable_count == sum(
        variable.folder_name == "Booking" for variable in session.variables
    )


def test_flat_folders_of_odd_names() -> None:
    """Variables without a folder are in none; a "/" in a folder's name separates nothing."""
    given = [("a", "In/Out"), ("b", None), ("c", ""), ("d", "In/Out")]
    bare = catalogue_of(None, [variable_item(name, folderName=folder) for name, folder in given])
    with DemoServer(bare) as server, server.login() as session:
        with pytest.warns(CatalogueWarning, match="without a tree"):
            (folder,) = session.folders
        assert (folder.path, folder.variable_names) == ("In%2FOut", ["a", "d"])
        assert [variable.folder for variable in session.variables] == [folder, None, None, folder]


@pytest.mark.parametrize("code", [400, 403, 404])
def test_a_folder_whose_contents_are_refused(code: int) -> None:
    """It is kept, empty, with a warning that names it; what is around it is as it is."""
    with (
        FaultyServer(status(code, b'{"message": "No"}'), "/Folders/Person") as server,
        server.login() as session,
        pytest.warns(CatalogueWarning, match="contents of the folders 'Person' in") as told,
    ):
        folders = session.folders
    assert len(told) == 1
    whole = pl.col("path").str.starts_with("Person")
    assert folders.filter(~whole) == holidays().folders.filter(~whole)
    assert [(f.path, f.total_variable_count) for f in folders.filter(whole)] == [("Person", 0)]


def test_variables_that_the_list_of_variables_lacks() -> None:
    """What a folder holds and the list of variables does not is left out, with a warning."""
    hidden = edited(lambda page: page["list"][0]["variable"].update(name="hidden"))
    with (
        FaultyServer(hidden, "/Folders/Policy") as server,
        server.login() as session,
        pytest.warns(CatalogueWarning, match=r"contain 'hidden', which .*session\.refresh\(\)"),
    ):
        policy = session.folders["Policy"]
    whole = holidays().folders["Policy"].variable_names
    assert policy.variable_names == whole[1:]


# Offline.


def test_a_catalogue_without_folders(session: Session) -> None:
    """It says how to get them, whatever leads there."""
    bare = Catalogue(session.system_info, session.tables, session.variables)
    assert not bare.has_folders
    for ask in (lambda: bare.folders, lambda: bare.variables["boDest"].folder):
        with pytest.raises(NotLoadedError, match=r"'holidays' has no folders\. Log in"):
            ask()
    with DemoServer() as server, server.login() as fresh:
        assert not fresh.catalogue.has_folders
        _ = fresh.folders
        assert fresh.catalogue.folders == session.folders


def test_folders_are_pickled_with_their_catalogue(session: Session) -> None:
    """Frames and rows of folders come back from a pickle, without the session."""
    for folders in (session.folders, session.folders.filter(depth=1), session.folders[3:5]):
        copy = pickle.loads(pickle.dumps(folders))
        assert copy == folders
        assert copy[0].session is None
        assert copy[0].parent == folders[0].parent
        assert repr(copy.tree()) == repr(folders.tree())
    booking = pickle.loads(pickle.dumps(session.folders["Booking"]))
    assert booking == session.folders["Booking"]
    assert booking["Booking Date"].folder == booking


@pytest.mark.parametrize(
    ("column", "value", "fault"),
    [
        ("parent_path", "Nowhere", "before the folder around it"),
        ("path", "Household", "comes twice"),
        ("variable_names", ["nothing"], "which is not a variable of"),
    ],
)
def test_folders_that_fit_nothing(column: str, value: Any, fault: str) -> None:
    """A catalogue is not made of folders that form no tree or hold what is no variable."""
    whole = holidays()
    rows = whole.folders.arrow.to_pylist()
    rows[5][column] = value
    folders = pa.Table.from_pylist(rows, schema.FOLDERS_SCHEMA)
    with pytest.raises(FoldersError, match=fault):
        Catalogue(whole.system_info, whole.tables, whole.variables, folders=folders)


def test_rows_of_folders_compare_and_hash() -> None:
    """Equal folders are equal; two of one name at different places are not."""
    folders, again = (with_folders(*TWO_BRANCHES).folders for _ in range(2))
    assert len({*folders, *again}) == 6
    assert folders["Bookings/Dates"] != folders["Policies/Dates"]
    assert folders["Dates"] in again
    assert repr(folders["Bookings/Dates"]) == "<Folder 'Bookings/Dates': 2 variables>"
    assert repr(with_folders(node("Dates", None, "a")).folders["Dates"]) == (
        "<Folder 'Dates': 1 variable>"
    )
    assert folders["Dates"].to_dict()["variable_names"] == []


# Shown.


def test_the_tree_of_folders(session: Session) -> None:
    """The tree shows names and all variables below; what a filter leaves hangs together."""
    lines = repr(session.folders.tree()).splitlines()
    assert lines[:3] == [
        "17 folders of system 'holidays' (variables)",
        "├── Household (13)",
        "│   └── Address (9)",
    ]
    assert len(lines) == 18
    some = session.folders.filter(pl.col("name").is_in(["Demographics", "Person", "Content"]))
    assert repr(some.tree()).splitlines()[1:] == [
        "├── Person (22)",
        "│   └── Demographics (8)",
        "└── Content (5)",
    ]
    folded = session.folders.tree()._repr_html_()
    assert folded.count("<details") == sum(bool(f.children) for f in session.folders)
    assert session.folders.tree().mermaid().count("-->") == 17


def test_a_frame_of_folders_is_shown(session: Session) -> None:
    """A frame of folders prints their paths and counts."""
    lines = repr(session.folders).splitlines()
    assert lines[0] == "17 folders of system 'holidays'"
    assert lines[1].split() == ["path", "description", "variable_count", "total_variable_count"]
