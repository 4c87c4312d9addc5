"""Audiences and the like: the vendor's client reads those of the demo, and we find its queries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

import apteco_api as aa
import pytest
from apteco.query import CombinedCategoriesClause, TimeRangeClause
from peer.clients import plain_api_client
from peer.judge import Judge

from apteco_frames import Session
from apteco_frames.analysis.uses import SELECTOR_TYPES, named_in
from apteco_frames.demo import DemoServer

Found = list[tuple[str, str, str | None]]


@pytest.fixture(scope="module")
def client(server: DemoServer) -> Iterator[Any]:
    """The vendor's client, logged in to the Holidays system."""
    with plain_api_client(server) as client:
        yield client


def selectors(session: Session) -> set[str]:
    """The names of the variables whose lists hold codes."""
    return {v.name for v in session.variables if v.type in SELECTOR_TYPES}


def in_order(found: Iterable[Any]) -> list[Any]:
    """The same in the order of its text: the vendor's models do not keep that of their fields."""
    return sorted(found, key=repr)


def found_in(document: Any, session: Session) -> Found:
    """What a model of the vendor's, written as JSON again, names."""
    written = aa.ApiClient().sanitize_for_serialization(document)
    return [(n.part, n.variable, n.code) for n in named_in(written, selectors(session))]


def found_by_us(session: Session, kind: str, key: Any) -> Found:
    """What our session says of a resource, without what only a lookup has."""
    rows = session.uses.filter(kind=kind, id=str(key), source="definition")
    return [(use.part, use.variable_name, use.code) for use in rows]


def resources(client: Any, session: Session) -> Iterator[tuple[str, Any, Any]]:
    """Each kind, the list of it, and each whole resource, as the vendor's client reads them."""
    place, many = session.data_view, {"count": 100}
    audiences = aa.AudiencesApi(client)
    for item in audiences.audiences_get_audiences(place, **many).list:
        yield "audience", item, audiences.audiences_get_audience(place, item.id)
    users, name = aa.UsersApi(client), session.user.username
    assert users.users_get_user_audiences(place, name, **many).list
    for item in users.users_get_user_dashboards(place, name, **many).list:
        yield "dashboard", item, users.users_get_user_dashboard(place, name, item.id)
    compositions = aa.AudienceCompositionsApi(client)
    system = session.system
    for item in compositions.audience_compositions_get_audience_compositions_for_system(
        place, system, **many
    ).list:
        detail = compositions.audience_compositions_get_audience_composition(place, system, item.id)
        yield "composition", item, detail


def test_the_vendor_reads_what_we_read(judge: Judge, client: Any, ours: Session) -> None:
    """Each answer passes the vendor's validation, and says to us the same once it went through."""
    count = 0
    ours.load_codes()
    ours.load_uses()
    for kind, item, detail in resources(client, ours):
        if detail.id == 26:  # of which a code lacks its blank
            continue
        theirs = [use for use in found_in(detail, ours) if "Lookup" not in use[0]]
        judge.equal(f"{kind}: uses", in_order(theirs), in_order(found_by_us(ours, kind, detail.id)))
        judge.equal(f"{kind}.id", item.id, detail.id)
        judge.equal(f"{kind}.owner", item.owner.username, detail.owner.username)
        count += 1
    assert count > 25


def test_the_vendor_walks_the_directories(judge: Judge, client: Any, ours: Session) -> None:
    """The vendor's client finds the same selection files, and reads their queries."""
    uses = ours.load_uses(files="Public")
    directories, queries = aa.DirectoriesApi(client), aa.QueriesApi(client)
    place = ours.data_view, ours.system
    todo, paths = ["Public"], []
    while todo:
        listed = directories.directories_get_file_entries(*place, todo.pop(), count=100).list
        todo += [entry.path for entry in listed if entry.type == "Directory"]
        paths += [entry.path for entry in listed if entry.type == "Selection"]
    ours_found = set(uses.filter(kind="file").frame["id"])
    judge.equal("file: paths", sorted(paths), sorted(ours_found))
    for path in paths:
        query = queries.queries_perform_get_query_file_definition_synchronously(
            *place, query_file=aa.QueryFile(path=path)
        )
        theirs = found_in({"query": query.query}, ours)
        judge.equal("file: uses", in_order(theirs), in_order(found_by_us(ours, "file", path)))


def clauses(session: Any) -> dict[str, tuple[Any, Any]]:
    """What scripts with ``apteco`` select, and the variables and codes in it."""
    people, bookings = session.tables["People"], session.tables["Bookings"]
    dest, cost, surname = bookings["boDest"], bookings["boCost"], people["peSName"]
    income, gender = people["peIncome"], people["peGender"]
    dated, region = bookings["boDate"], session.tables["Households"]["hoRegion"]
    sweden = dest == "29"
    in_sweden = [("boDest", "29")]
    high = income == ("05", "06")
    two = [("peIncome", "05"), ("peIncome", "06")]
    return {
        "selector": (sweden, in_sweden),
        "selectors": (high, two),
        "not": (~(gender == "M"), [("peGender", "M")]),
        "unequal": (gender != ("M", "F"), [("peGender", "M"), ("peGender", "F")]),
        "blanks": (dest == " !", [("boDest", " !")]),
        "numeric": (cost > 1000, [("boCost", None)]),
        "numbers": (cost == [100, 200], [("boCost", None)]),
        "text": (surname.contains(["SON", "SEN"]), [("peSName", None)]),
        "text is": (surname == "SMITH", [("peSName", None)]),
        "no number": (cost.missing(), [("boCost", None)]),
        "text begins": (surname.startswith("SM"), [("peSName", None)]),
        "text ends": (~surname.endswith(["SON", "SEN"]), [("peSName", None)]),
        "text like": (surname.matches("SM?TH*"), [("peSName", None)]),
        "text after": (surname > "M", [("peSName", None)]),
        "text between": (surname.between("A", "C"), [("peSName", None)]),
        "date": (dated == date(2019, 1, 1), [("boDate", None)]),
        "date range": (dated >= date(2019, 1, 1), [("boDate", None)]),
        "date until": (dated <= date(2019, 1, 1), [("boDate", None)]),
        "dates": (dated == [date(2019, 1, 1), date(2019, 1, 2)], [("boDate", None)]),
        "date and time": (session.variables["wvTime"] >= datetime(2019, 1, 1), [("wvTime", None)]),
        "time": (TimeRangeClause(dated, "09:00:00", "17:00:00"), [("boDate", None)]),
        "array": (
            session.tables["Households"]["HHCarmak"] == ["AUD", "BMW"],
            [("HHCarmak", "AUD"), ("HHCarmak", "BMW")],
        ),
        "flag array": (people["peContac"] == "TPS", [("peContac", "TPS")]),
        "combined": (
            CombinedCategoriesClause(
                people["pe1K2VSH"], {"peIncome": ["05", "06"], "pe1K2VSH": ["3"]}
            ),
            [*two, ("pe1K2VSH", "3")],
        ),
        "boolean": (high & (gender == "F"), [*two, ("peGender", "F")]),
        "other table": (sweden * people | high, [*in_sweden, *two]),
        "nested": (
            (sweden | (dest == "05")) & ~(cost < 100) & (region == "03"),
            [*in_sweden, ("boDest", "05"), ("boCost", None), ("hoRegion", "03")],
        ),
        "topN": (high.sample(frac=0.05), two),
        "topN by": (
            sweden.limit(50, by=cost),
            [*in_sweden, ("boCost", None)],
        ),
        "topN percent": (
            sweden.limit(frac=0.1, by=cost, ascending=True),
            [*in_sweden, ("boCost", None)],
        ),
        "topN within": (
            sweden.limit(50, by=cost) & (region == "03"),
            [*in_sweden, ("boCost", None), ("hoRegion", "03")],
        ),
        "nPer alone": (sweden.limit(1, per=people), in_sweden),
        "nPer within": (
            (sweden.limit(1, per=people, by=dated) | (dest == " !")) * people & high,
            [*in_sweden, ("boDest", " !"), ("boDate", None), *two],
        ),
        "nPer table": (
            sweden.limit(1, per=people, by=dated),
            [*in_sweden, ("boDate", None)],
        ),
        "nPer variable": (
            sweden.limit(2, per=bookings["deMgr"], by=cost),
            [("deMgr", None), *in_sweden, ("boCost", None)],
        ),
    }


def test_queries_of_apteco(judge: Judge, theirs: Any, ours: Session) -> None:
    """Queries that the vendor's ``apteco`` builds are found to the variable and the code."""
    for name, (clause, expected) in clauses(theirs).items():
        query = aa.Query(selection=clause._to_model_selection())
        found = [(variable, code) for _, variable, code in found_in({"includeQuery": query}, ours)]
        judge.equal(f"query: {name}", in_order(found), in_order(expected))


def test_queries_of_the_models(judge: Judge, ours: Session) -> None:
    """RFV, sequences, expressions and the like, which only the vendor's models have, are found."""
    recency = aa.RFVRecency(variable_name="deGrade", sequence="2\t1\t!", direction="First", value=1)
    value = aa.RFVValue(variable_name="boCost", action="Sum", values=">100")
    modifiers = aa.SelectionModifiers(
        rfv=aa.RFV(recency=recency, value=value, grouping_table="People"),
        top_n=aa.TopN(variable_name="peIncome", sequence="05\t06", direction="Top", value=10),
    )
    found = found_in({"selectionModifiers": modifiers}, ours)
    expected = [
        *(("selectionModifiers.topN", "peIncome", code) for code in ("05", "06")),
        *(("selectionModifiers.rfv", "deGrade", code) for code in "21!"),
        ("selectionModifiers.rfv", "boCost", None),
    ]
    judge.equal("modifiers", in_order(found), in_order(expected))
    banded = aa.ListRule(banding_type="Years", list="2018\t2019", variable_name="boDest")
    plain = aa.ListRule(banding_type="None", list="29", variable_name="boDest")
    for rule, code in ((banded, None), (plain, "29")):
        criteria = aa.Criteria(
            variable_name="boDest",
            value_rules=[aa.ValueRule(list_rule=rule)],
            table_name="Bookings",
        )
        judge.equal("rule", found_in({"x": criteria}, ours), [("x", "boDest", code)])
    inner = aa.Query(selection=aa.Selection(rule=aa.Rule(aa.Clause(criteria)), table_name="x"))
    expression = aa.Expression(
        table_name="Bookings", server_text="[boCost] / 2", output_type="Double", queries=[inner]
    )
    found = found_in({"x": aa.Criteria(expression_rule=expression, table_name="x")}, ours)
    judge.equal("expression", found, [("x", "boDest", "29")])
    records = aa.RecordSet(type="URN", key_variable_name="peURN", values="1\t2")
    judge.equal("record set", found_in({"x": records}, ours), [("x", "peURN", None)])
