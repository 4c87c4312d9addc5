"""The examples of the ``apteco`` documentation, with ``apteco`` replaced by ``apteco_frames``.

They follow its pages on sessions, tables and variables as far as metadata goes, against the
demo server, whose system is the one that those pages show.
"""

from __future__ import annotations

import inspect
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import apteco_api
import jwt
import pytest

import apteco_frames
from apteco_frames import Session, login, login_with_password
from apteco_frames.demo import DemoServer
from apteco_frames.tables import Table
from apteco_frames.variables import NumericVariable, SelectorVariable, Variable

TIMEOUT = 60.0

TABLES_LOOP = """\
  742,565 Households
1,156,553 People
2,130,081 Bookings
  213,567 Policies
  279,538 WebVisits
   70,705 Communications
   55,653 Journeys
  153,041 Content
    1,549 Responses
"""
VARIABLES_LOOP = """\
  boDate: Booking Date
  boTrav: Travel Date
bo1O9ZTR: Busy dates
PoPolic1: Policy Date
PoTrave1: Policy Travel Date
PoBooki1: Policy Booking Date
cmCommDt: Date of Communication
raRspDat: Response Date
ReCommun: Communication Date
"""


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    """A server of the system that the documentation shows."""
    with DemoServer() as server:
        yield server


@pytest.fixture(scope="module")
def my_session(demo: DemoServer) -> Iterator[Session]:
    """A session as the documentation makes one."""
    with login_with_password(
        demo.base_url, demo.data_view, demo.system, demo.user, demo.password
    ) as session:
        yield session


@pytest.fixture(scope="module")
def bookings(my_session: Session) -> Table:
    """The table that most examples use."""
    return my_session.tables["Bookings"]


# The page on sessions: basic use

LOGIN = """
from apteco_frames import login
my_session = login({base_url!r}, {data_view!r}, {system!r}, {user!r})
print(my_session.user.username, len(my_session.tables), len(my_session.variables))
my_session.logout()
"""


def in_terminal(code: str, prompt: str, keys: str) -> str:
    """Run code in a terminal of its own; type the keys at the prompt; all that was shown."""
    ours, theirs = pytest.importorskip("pty").openpty()
    place = str(Path(apteco_frames.__file__).parents[1])
    child = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": place, "TERM": "dumb"},
    )
    os.close(theirs)
    shown = ""
    typed = False
    deadline = time.monotonic() + TIMEOUT
    try:
        while time.monotonic() < deadline:
            if not typed and prompt in shown:
                os.write(ours, keys.encode())
                typed = True
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    piece = os.read(ours, 4096)
                except OSError:  # how Linux says that the other side has closed the terminal
                    break
                if not piece:
                    break
                shown += piece.decode()
        else:
            pytest.fail(f"still waiting, after showing {shown!r}")
        assert child.wait(TIMEOUT) == 0, shown
    finally:
        child.kill()
        child.wait()
        os.close(ours)
    return shown


def test_login_asks_for_the_password_in_the_terminal(demo: DemoServer) -> None:
    """``login`` asks in the terminal, shows nothing of what is typed, and gives a session."""
    code = LOGIN.format(
        base_url=demo.base_url, data_view=demo.data_view, system=demo.system, user=demo.user
    )
    shown = in_terminal(code, "Enter your password:", f"{demo.password}\n")
    assert demo.password not in shown
    assert shown.split() == ["Enter", "your", "password:", demo.user, "9", "94"]


def test_login_with_password(demo: DemoServer) -> None:
    """The password may be given in the call, and the arguments by position or by name."""
    by_position = login_with_password(
        demo.base_url,
        demo.data_view,
        demo.system,
        demo.user,
        demo.password,
    )
    by_name = login_with_password(
        base_url=demo.base_url,
        data_view=demo.data_view,
        system=demo.system,
        user=demo.user,
        password=demo.password,
    )
    with by_position, by_name:
        assert isinstance(by_position, Session)
        assert by_position.tables == by_name.tables
        assert by_position.session_id != by_name.session_id


def test_accessing_tables_and_variables(my_session: Session) -> None:
    """A table by name, a variable by description."""
    people = my_session.tables["People"]
    cost = my_session.variables["Cost"]
    assert isinstance(people, Table)
    assert people.name == "People"
    assert isinstance(cost, Variable)
    assert cost.description == "Cost"
    assert people.session is cost.session is my_session


def test_serializing_and_deserializing(my_session: Session) -> None:
    """A session comes back from its string as it was, and works."""
    s = my_session.serialize()
    assert isinstance(s, str)
    my_restored_session = Session.deserialize(s)
    assert isinstance(my_restored_session, Session)
    for name in ("base_url", "data_view", "system", "access_token", "session_id", "user"):
        assert getattr(my_restored_session, name) == getattr(my_session, name)
    assert my_restored_session.system_info == my_session.system_info
    assert my_restored_session.tables == my_session.tables
    assert my_restored_session.variables == my_session.variables
    assert my_restored_session.tables["People"] == my_session.tables["People"]
    assert my_restored_session.variables["Cost"] == my_session.variables["Cost"]


def test_ending_a_session(demo: DemoServer) -> None:
    """``logout`` ends the session on the server; what was read stays."""
    session = demo.login()
    session.logout()
    assert session.variables["Cost"].name == "boCost"
    with pytest.raises(apteco_frames.errors.SessionExpiredError):
        Session.deserialize(session.serialize())


def test_a_session_is_not_made_by_calling_the_class(demo: DemoServer) -> None:
    """Calling ``Session`` directly points to ``login``."""
    with pytest.raises(TypeError, match="login"):
        Session(demo.base_url, demo.system)


def test_the_login_functions_have_the_documented_parameters() -> None:
    """The documented parameters come first, in the documented order; the rest are by keyword."""
    documented = ["base_url", "data_view", "system", "user"]
    for function, names in ((login, documented), (login_with_password, [*documented, "password"])):
        parameters = inspect.signature(function).parameters.values()
        positional = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        rest = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
        assert positional == names
        assert len(rest) == len(parameters) - len(names) > 0
        assert all(p.default is None for p in rest)


# The page on sessions: reference


def test_session_properties(demo: DemoServer, my_session: Session) -> None:
    """What identifies the API and the session: texts, and a client for all other requests."""
    assert my_session.base_url == demo.base_url
    assert my_session.data_view == demo.data_view
    assert my_session.system == demo.system
    claims = jwt.decode(my_session.access_token, options={"verify_signature": False})
    assert claims["sub"] == demo.user
    assert isinstance(my_session.session_id, str)
    assert my_session.session_id
    assert isinstance(my_session.api_client, apteco_api.ApiClient)
    assert my_session.api_client is my_session.api_client


def test_system_metadata(demo: DemoServer, my_session: Session) -> None:
    """``system_info`` and ``user`` are namedtuples with the documented fields."""
    info, user = my_session.system_info, my_session.user
    assert info._fields == ("name", "description", "build_date", "view_name")
    assert (info.name, info.view_name) == (demo.system, demo.data_view)
    assert isinstance(info.build_date, datetime)
    assert info.build_date.tzinfo is None
    assert user._fields == ("username", "first_name", "surname", "email_address")
    assert user.username == demo.user
    assert all(isinstance(value, str) for value in user)


def test_tables_are_looked_up_counted_and_looped_over(
    my_session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    """The documented loop prints the documented lines."""
    assert isinstance(my_session.tables["Communications"], Table)
    assert len(my_session.tables) == 9
    for table in my_session.tables:
        print(f"{table.total_records:>9,} {table.plural}")
    assert capsys.readouterr().out == TABLES_LOOP


def test_tables_may_be_kept_in_variables(my_session: Session) -> None:
    """Tables looked up once go on working."""
    households = my_session.tables["Households"]
    people = my_session.tables["People"]
    bookings = my_session.tables["Bookings"]
    assert [households, people] == bookings.ancestors[::-1]


def test_the_master_table(my_session: Session) -> None:
    """The root of the tables is at hand."""
    master = my_session.master_table
    assert isinstance(master, Table)
    assert master.name == "Households"
    assert master == my_session.tables["Households"]
    assert (master.parent, master.parent_name, master.ancestors) == (None, "", [])


def test_variables_are_looked_up_counted_and_looped_over(
    my_session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    """Look-ups by name and description, ``len``, and the nine lines of the documented loop."""
    assert isinstance(my_session.variables["peOccu"], SelectorVariable)
    assert my_session.variables["Destination"].name == "boDest"
    assert len(my_session.variables) == 94
    for var in my_session.variables:
        if "date" in var.description.lower():
            print(f"{var.name:>8}: {var.description}")
    assert capsys.readouterr().out == VARIABLES_LOOP


# The page on tables


def test_table_metadata(my_session: Session) -> None:
    """The attributes of a table serve in a sentence."""
    bookings = my_session.tables["Bookings"]
    sentence = (
        f"There are {bookings.total_records:,} {bookings.plural.lower()}" + " in this system."
    )
    assert sentence == "There are 2,130,081 bookings in this system."


def test_variables_of_a_table(bookings: Table) -> None:
    """Indexing a table is short for indexing its variables; both take names and descriptions."""
    assert len(bookings.variables) == 14
    assert bookings["Cost"] == bookings.variables["Cost"]
    assert bookings["boDest"] == bookings.variables["boDest"] == bookings["Destination"]
    assert bookings["Cost"].name == "boCost"


def test_table_relationships(my_session: Session, bookings: Table) -> None:
    """Methods and operators tell ancestors from descendants."""
    households = my_session.tables["Households"]
    people, policies = my_session.tables["People"], my_session.tables["Policies"]
    assert households.is_ancestor(bookings)
    assert households < bookings
    assert bookings > people
    assert bookings.is_descendant(households)
    assert people <= people
    assert people.is_ancestor(people, allow_same=True)
    assert not people.is_ancestor(people)
    assert bookings.is_related(households)
    assert not bookings.is_related(policies)
    assert people.is_same(bookings.parent or households)
    assert bookings in people.children
    below = [table for table in my_session.tables if table > households]
    assert set(households.descendants) == set(below)
    assert len(households.descendants) == len(below) == 8


def test_variables_by_name_or_by_description_alone(bookings: Table) -> None:
    """``names`` and ``descs`` each take one of them; anything else is a KeyError."""
    travel_date = bookings.variables.names["boTrav"]
    profit = bookings.variables.descs["Profit"]
    assert (travel_date.description, profit.name) == ("Travel Date", "boProfit")
    with pytest.raises(KeyError):
        bookings.variables["Surname"]
    with pytest.raises(KeyError):
        bookings.variables.names["Profit"]
    with pytest.raises(KeyError):
        bookings.variables.descs["boTrav"]


def test_looping_over_variables_of_a_table(
    bookings: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    """The kinds of variables compare with texts."""
    for var in bookings.variables:
        if var.type == "Numeric":
            print(var.description)
    assert capsys.readouterr().out == "Cost\nProfit\n"


def test_looping_over_names_and_descriptions(bookings: Table) -> None:
    """Names and descriptions come as strings, in the system's order."""
    names = [n for n in bookings.variables.names if not n.startswith("bo")]
    assert names == ["deType", "deGrade", "deMgr", "deFacil"]
    descs = [d for d in bookings.variables.descs if "date" in d.lower()]
    assert descs == ["Booking Date", "Travel Date", "Busy dates"]


def test_columns_may_be_collected_from_several_tables(my_session: Session) -> None:
    """The documentation lists a data grid's columns by names, descriptions and tables."""
    people, bookings = my_session.tables["People"], my_session.tables["Bookings"]
    for person in (("peInit", "peSName"), ("Initial", "Surname")):
        cols = [people[var] for var in person]
        cols += [bookings[var] for var in ("boDate", "boCost", "boDest")]
        assert [col.description for col in cols] == [
            *("Initial", "Surname"),
            *("Booking Date", "Cost", "Destination"),
        ]
    assert my_session.tables["Households"]["Region"].type == "Selector"
    assert people["Occupation"] == my_session.variables["peOccu"]


# The page on variables


def test_variable_metadata(my_session: Session) -> None:
    """The attributes of a variable serve in a sentence."""
    cost = my_session.variables["Cost"]
    sentence = (
        f"'{cost.description}' is a"
        f"{' virtual' if cost.is_virtual else ''}"
        f" {cost.type} variable on the '{cost.table_name}' table."
    )
    assert sentence == "'Cost' is a Numeric variable on the 'Bookings' table."
    assert isinstance(cost, NumericVariable)
    assert cost.table.name == cost.table_name


def test_variables_are_retrieved_in_three_ways(my_session: Session) -> None:
    """From the session, from a table's variables, and from the table itself."""
    people, bookings = my_session.tables["People"], my_session.tables["Bookings"]
    surnames = [
        my_session.variables["peSName"],
        people.variables["peSName"],
        people["peSName"],
        people["Surname"],
    ]
    costs = [my_session.variables["Cost"], bookings.variables["Cost"], bookings["Cost"]]
    for same in (surnames, costs):
        assert len(set(same)) == 1
        assert all(variable == same[0] for variable in same)
    assert people["Gender"].table == people


@pytest.mark.parametrize(
    ("table", "key", "kind"),
    [
        ("Bookings", "Destination", "Selector"),
        ("People", "Income", "Selector"),
        ("People", "Occupation", "Selector"),
        ("Households", "Region", "Selector"),
        ("Policies", "Days Since Booking", "Numeric"),
        ("Bookings", "Profit", "Numeric"),
        ("Journey History", "Days Waiting", "Numeric"),
        ("Policies", "Premium", "Numeric"),
        ("WebVisits", "Duration", "Numeric"),
        ("Policies", "Days Until Travel", "Numeric"),
        ("People", "Surname", "Text"),
        ("People", "Initial", "Text"),
        ("Households", "Car Make Code", "Array"),
        ("People", "Newspapers", "FlagArray"),
        ("People", "Contact Permission", "FlagArray"),
        ("Bookings", "Facilities", "FlagArray"),
        ("Bookings", "Booking Date", "Date"),
        ("Bookings", "Travel Date", "Date"),
        ("People", "DOB", "Date"),
        ("Communications", "cmCommDt", "DateTime"),
        ("WebVisits", "wvTime", "DateTime"),
    ],
)
def test_variables_of_the_examples(my_session: Session, table: str, key: str, kind: str) -> None:
    """Each variable that the documentation's examples use is on its table, of its kind."""
    variable = my_session.tables[table][key]
    assert variable.type == kind
    assert variable.table_name == table
    assert type(variable).__name__ == f"{kind}Variable"
