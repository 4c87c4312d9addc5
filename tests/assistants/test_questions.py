"""Questions of people, and whether the calls of a sensible assistant find what answers them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from assistants.asking import call, talk
from mcp.client import Client
from mcp.server import MCPServer

from apteco_frames import Archive
from apteco_frames.mcp import server


class Question(NamedTuple):
    """What somebody asks.

    Attributes:
        asked: the question.
        calls: the calls that an assistant would make, each a tool and its arguments.
        needed: what the answers must tell, each to the letter.
    """

    asked: str
    calls: list[tuple[str, dict[str, Any]]]
    needed: list[str]


QUESTIONS = [
    Question(
        "Find all date time variables.",
        [("list_variables", {"types": ["Date", "DateTime"]})],
        ["boDate", "peDOB", "wvTime", "cmCommTm", "fEntered", '"total":15'],
    ),
    Question(
        "Which code is Sweden, and how many bookings went there?",
        [("search", {"text": "Sweden"}), ("list_codes", {"variable": "boDest", "words": "Sweden"})],
        ['boDest[\\"29\\"]', '"code":"29"', "2520"],
    ),
    Question(
        "What is this system about?",
        [("list_tables", {})],
        ["Households", "People", "Bookings", "1156553", "Journey History"],
    ),
    Question(
        "How are tables related? What is below People?",
        [("list_tables", {})],
        ['"name":"Bookings","plural":"Bookings","parent_name":"People"'],
    ),
    Question(
        "What do we know about somebody's income?",
        [
            ("search", {"text": "income"}),
            ("describe_variables", {"names": ["peIncome", "Income Group"]}),
        ],
        ["peIncome", "pe1K2VSH", "£10-20k", "Over £40k"],
    ),
    Question(
        "Which variable holds the travel date? I think it is called travle date.",
        [("search", {"text": "travle date"})],
        ["boTrav", "Travel Date", "PoTrave1"],
    ),
    Question(
        "Describe Destinaton.",
        [
            ("describe_variables", {"names": ["Destinaton"]}),
            ("describe_variables", {"names": ["Destination"]}),
        ],
        ["'Destination'", "boDest", "Sweden", "561842"],
    ),
    Question(
        "Which are the five commonest destinations?",
        [("describe_variables", {"names": ["boDest"], "codes": 5})],
        ['"commonest_codes":[{"code":', "561842"],
    ),
    Question(
        "What can I select on about the household's address?",
        [("list_variables", {"folder": "Household/Address"})],
        ["hoRegion", "hoTown", "hoPCode", "ho1T8ZKE", '"total":9'],
    ),
    Question(
        "Everything in the folder Person, with what is below it?",
        [("list_variables", {"folder": "Person"})],
        ["peTitle", "peGender", "peNews", "pe1L6YTO", '"total":22'],
    ),
    Question(
        "All numbers on policies?",
        [("list_variables", {"table": "Policies", "types": ["Numeric"]})],
        ["PoPremiu", "PoExcess", "PoDaysSi", '"total":5'],
    ),
    Question(
        "Which codes mean Scotland or a part of it?",
        [("search", {"text": "scotland"}), ("list_codes", {"words": "Aberdeen"})],
        ["ho1PC4DW", "Aberdeen", "hoTown"],
    ),
    Question(
        "Is there a citroen among the car makes?",
        [("list_codes", {"variable": "HHCarmak", "words": "citroen"})],
        ["Citroën"],
    ),
    Question(
        "List the age bands in their order.",
        [("list_codes", {"variable": "Age Band"})],
        ['"description":"18-24"', '"description":"65', '"total":8'],
    ),
    Question(
        "How many towns are there, and is St Albans one?",
        [("list_codes", {"variable": "hoTown"})],
        ["St Albans", '"total":216'],
    ),
    Question(
        "Which campaigns ran in 2017?",
        [("list_codes", {"variable": "Campaign", "words": "2017"})],
        ["Winter Sun 2017", "Last Minute 2017", "cmCampgn"],
    ),
    Question(
        "May we email them? What is there on permissions?",
        [("search", {"text": "preference"}), ("describe_variables", {"names": "peContac"})],
        ["peContac", "Email Preference Service", "Contact Permission"],
    ),
    Question(
        "Which codes stand for no value in Destination?",
        [("list_codes", {"variable": "boDest", "words": "unclassified"})],
        ['"code":" !"', "Unclassified"],
    ),
    Question(
        "How do we recognise a mobile visitor?",
        [("search", {"text": "mobile"}), ("list_codes", {"variable": "wvDevice"})],
        ["wvDevice", "Mobile", "Tablet"],
    ),
    Question(
        "What is the cost of a booking, from what to what?",
        [("search", {"text": "cost"}), ("describe_variables", {"names": ["boCost"]})],
        ["boCost", "ctCost", "min_value", "max_value"],
    ),
    Question(
        "Which variables were made after the build?",
        [("query", {"sql": "select name from variables where is_virtual order by name"})],
        ["pe1R0UXG", "pe1ZD7MN", "bo1O9ZTR"],
    ),
    Question(
        "How many variables of each type are there?",
        [("query", {"sql": "select type, count(*) n from variables group by 1 order by 1"})],
        ['{"type":"Selector","n":36}', '{"type":"Array","n":2}'],
    ),
    Question(
        "Which selectors have the most codes?",
        [("query", {"sql": "select name, num_codes from variables order by 2 desc nulls last"})],
        ['{"name":"hoTown","num_codes":216}'],
    ),
    Question(
        "Which table has the most variables?",
        [("query", {"sql": "from tables select name, variable_count order by 2 desc limit 1"})],
        ['"People"', "22"],
    ),
    Question(
        "What broke last night?",
        [("what_changed", {"severity": "breaking"})],
        ["hoURN", "removed", "Household URN"],
    ),
    Question(
        "Has the number of bookings changed?",
        [("what_changed", {"noun": "table"})],
        ["Bookings", "total_records", '"old":"2130081","new":"213008"'],
    ),
    Question(
        "Did any variables go since the 27th of November 2019?",
        [("what_changed", {"since": "2019-11-27", "noun": "variable"})],
        ["hoURN", "Household URN", '"total":1'],
    ),
    Question(
        "Which response codes begin with CCHI?",
        [("list_codes", {"variable": "boKeyCd", "words": "cchi"})],
        ["CCHI1001", "CCHI1234"],
    ),
    Question(
        "Tell me about gender, occupation and title.",
        [("describe_variables", {"names": ["Gender", "Occupation", "Title"]})],
        ["peGender", "peOccu", "peTitle", "Female", "Manual Worker", "Mrs"],
    ),
    Question(
        "Can the email address be exported?",
        [("describe_variables", {"names": ["Email Address"]})],
        ["peEmail", '"is_exportable":', '"max_length":'],
    ),
    Question(
        "Who manages the resorts, and which channel brought the responses?",
        [
            ("search", {"text": "resort manager"}),
            ("search", {"text": "response channel"}),
            ("list_codes", {"variable": "raChanel"}),
        ],
        ["deMgr", "raChanel", "Shop"],
    ),
]


@cache
def asked(folder: Path) -> MCPServer[Any]:
    """The server that all questions go to: of two builds; the older is what most are about."""
    return server(Archive(folder / "archive"), sql=True)


def test_there_are_thirty() -> None:
    """Thirty questions, which use each tool."""
    assert len({question.asked for question in QUESTIONS}) >= 30
    tools = {tool for question in QUESTIONS for tool, _ in question.calls}
    assert {"search", "list_tables", "list_variables", "describe_variables"} <= tools
    assert {"list_codes", "what_changed", "query"} <= tools


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.asked)
def test_question(saved: Path, question: Question) -> None:
    """The names that answer a question are in what the assistant gets to read."""

    async def conversation(client: Client) -> str:
        told = [await call(client, tool, **given) for tool, given in question.calls]
        assert sum(len(each.text) for each in told) < 40_000
        return "\n".join(each.text for each in told)

    read = talk(asked(saved), conversation)
    assert [text for text in question.needed if text not in read] == []
