"""The data dictionary in a real browser: searched, filtered, read, printed, and attacked."""

from __future__ import annotations

import re
import unicodedata
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from browser.chromium import Browser
from faults.test_contents import TEXTS, odd_catalogue
from strategies import CODE_COLUMNS, catalogue_of, table_item, variable_item

from apteco_frames import Catalogue
from apteco_frames.demo import holidays
from apteco_frames.schema import CODES_SCHEMA

pytestmark = pytest.mark.slow  # a browser starts

ROWS = "[...document.querySelectorAll($0 + ' .row')].map((row) => row.innerText.split('\\n'))"
STATUS = "document.getElementById('status').textContent"
SHOWN = "document.getElementById('page').innerText"
FOCUSED = "document.activeElement.innerText"
NAME = "document.querySelector('#page .under code')?.textContent"
AXE = files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data dictionary of Holidays."""
    return holidays().write_html(tmp_path_factory.mktemp("page") / "holidays.html")


def search(browser: Browser, text: str) -> str:
    """Type into the search, and give what the page says then."""
    browser.run("(query => { query.value = ''; query.focus() })(document.getElementById('query'))")
    browser.run("document.getElementById('status').textContent = ''")
    browser.type(text)
    # The last letter's answer is the one that stays.
    browser.wait_for(STATUS)
    browser.run("new Promise((done) => setTimeout(done, 200))")
    said: str = browser.run(STATUS)
    return said


def names(browser: Browser) -> list[str]:
    """The names of the variables in view."""
    found: list[str] = browser.run(
        "[...document.querySelectorAll('#variables .row .name')].map((cell) => cell.innerText)"
    )
    return found


def choose(browser: Browser, section: str, label: str) -> None:
    """Press what filters by something."""
    browser.run(
        "[...document.querySelectorAll($0 + ' button')]"
        ".find((button) => button.querySelector('bdi').innerText === $1).click()",
        section,
        label,
    )
    browser.run("new Promise((done) => setTimeout(done, 100))")


def test_opens_alone(browser: Browser, path: Path) -> None:
    """The page opens from disk, asks for nothing but itself, and nothing complains."""
    browser.open(path)
    assert browser.run("document.querySelector('h1').innerText") == "holidays"
    figures = browser.run("document.getElementById('figures').innerText")
    assert figures == "9 tables · 94 variables · 1,032 codes · built 2019-11-27 15:57:24"
    assert browser.run(STATUS) == "94 variables"
    tables = browser.run("document.getElementById('tables').innerText").split("\n")
    assert tables[tables.index("Bookings") + 1] == "2,130,081"
    assert {url for url in browser.asked if url != "about:blank"} == {path.as_uri()}
    assert browser.complaints == []


def test_search(browser: Browser, path: Path) -> None:
    """Variables and codes are found as one types: any case, any order of words, best first."""
    browser.open(path)
    assert search(browser, "DATE travel") == "2 variables, 0 codes"
    assert names(browser) == ["boTrav", "PoTrave1"]
    assert search(browser, "sweden") == "0 variables, 1 code"
    (row,) = browser.run(ROWS, "#codes")
    assert row == ["Sweden", "29", "Destination", "Bookings", "25,207"]
    search(browser, "destination")
    assert names(browser)[0] == "boDest"
    assert search(browser, "bodest swe") == "0 variables, 1 code"
    assert search(browser, "zzzz").startswith("Nothing found")


@pytest.mark.parametrize("letter", ["e", "7", "0", "-"])
def test_search_of_a_single_letter(browser: Browser, path: Path, letter: str) -> None:
    """One letter finds what holds it: no less, and nothing for what is null."""
    catalogue = holidays()
    inside: dict[str, list[str]] = {}
    for folder in catalogue.folders:
        for variable in folder.variables:
            inside.setdefault(variable.name, []).append(folder.name)
    variables = [
        f"{v.name} {v.description} {v.notes or ''} {v.type} {inside[v.name]} "
        f"{v.table.name} {v.table.singular} {v.table.plural}"
        for v in catalogue.variables
    ]
    codes = [f"{code.code} {code.description}" for code in catalogue.codes]
    found = [sum(letter in plain(text) for text in texts) for texts in (variables, codes)]
    browser.open(path)
    said = search(browser, letter).replace(",", "")
    assert [int(number) for number in re.findall(r"\d+", said)] == found


def plain(text: str) -> str:
    """A text without case and accents."""
    letters = unicodedata.normalize("NFKD", text.lower())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def test_from_a_code_to_its_place(browser: Browser, path: Path) -> None:
    """A code that was found leads to its variable, in view there among the others."""
    browser.open(path)
    search(browser, "south africa")
    browser.click("#codes .row a")
    browser.wait_for("document.querySelector('#page .wanted')?.innerText.includes('South Africa')")
    assert browser.run(
        "(box => box.top > 0 && box.bottom < innerHeight)"
        "(document.querySelector('.wanted').getBoundingClientRect())"
    )
    browser.run("document.querySelector('#page input').focus()")
    browser.type("south")
    browser.wait_for("document.querySelectorAll('#page .row').length === 1")


def test_filters(browser: Browser, path: Path) -> None:
    """Tables, kinds and folders narrow the list down, together; each can be taken away."""
    whole = holidays()
    browser.open(path)
    choose(browser, "#tables", "Bookings")
    assert browser.run(STATUS) == f"{len(whole.tables['Bookings'].variables)} variables"
    assert "2,130,081 records" in browser.run("document.getElementById('table').innerText")
    choose(browser, "#kinds", "Date")
    assert set(names(browser)) == {"boDate", "boTrav"}
    browser.click("#chips button")
    assert browser.run(STATUS) == "10 variables"
    browser.click("#chips button")
    choose(browser, "#folders", "Person")
    assert browser.run(STATUS) == f"{whole.folders['Person'].total_variable_count} variables"
    choose(browser, "#folders", "Demographics")
    assert names(browser) == whole.folders["Person/Demographics"].variable_names


def test_page_of_each_variable(browser: Browser, path: Path) -> None:
    """An address with a name shows that variable, with what is known of it and its codes."""
    browser.open(path)
    for variable in holidays().variables:
        browser.run("location.hash = $0", variable.name)
        browser.wait_for(f"{NAME} === $0", variable.name)
        shown = browser.run(SHOWN)
        for text in (variable.name, variable.table_name, *filter(None, [variable.notes])):
            assert text in shown
    browser.open(path, "#boDest")
    above = browser.run("[...document.querySelectorAll('dd:first-of-type')][0].innerText")
    assert re.findall(r"\w+", above) == ["Households", "People", "Bookings"]
    rows = browser.run(ROWS, "#page")
    codes = holidays().codes["boDest"]
    assert [row[0] for row in rows] == [code.description for code in codes][: len(rows)]
    assert rows[1][:3] == ["Australia", "04", "282,719"]
    widths = browser.run("[...document.querySelectorAll('#page .row i')].map((i) => i.style.width)")
    assert "100%" in widths
    browser.open(path, "#nothing")
    assert "No variable is called nothing." in browser.run(SHOWN)
    assert browser.complaints == []


def test_keyboard(browser: Browser, path: Path) -> None:
    """The page can be used without a mouse: search, rows, a variable, and back to its row."""
    browser.open(path)
    browser.press("/")
    browser.type("date of")
    browser.wait_for(f"{STATUS}.includes('code')")
    browser.press("ArrowDown")
    assert browser.run(FOCUSED) == "Date of Communication"
    browser.press("ArrowUp")
    assert browser.run("document.activeElement.id") == "query"
    browser.press("ArrowDown")
    browser.press("Enter")
    assert (
        browser.wait_for(f"{FOCUSED} === 'Date of Communication' && location.hash") == "#cmCommDt"
    )
    browser.press("Escape")
    browser.wait_for("!document.getElementById('list').hidden")
    assert browser.run(FOCUSED) == "Date of Communication"
    browser.open(path)
    browser.run("document.querySelector('#variables .row a').focus()")
    last = holidays().variables[-1].description
    for _ in range(300):  # 93, if each row is drawn before the next key comes
        browser.press("ArrowDown")
        if browser.run(FOCUSED) == last:
            break
    assert browser.run(FOCUSED) == last


def test_escape_before_the_variable_is_drawn(browser: Browser, path: Path) -> None:
    """Escape takes a reader back who presses it before the page of the variable is there."""
    browser.open(path)
    browser.run(
        "new Promise((done) => {"
        "  addEventListener('hashchange', () => setTimeout(done), { once: true });"
        "  location.hash = 'boDest';"
        "  dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }));"
        "})"
    )
    assert browser.run("[location.hash, document.getElementById('list').hidden]") == ["", False]
    assert browser.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1400])
def test_looks(browser: Browser, path: Path, pictures: Path, width: int, scheme: str) -> None:
    """In both themes, wide and narrow: nothing sticks out, and axe finds nothing serious."""
    browser.look(width, scheme=scheme)
    for view, fragment, text in (
        ("list", "", ""),
        ("search", "", "date c"),
        ("variable", "#boDest", ""),
        ("unknown", "#nothing", ""),
    ):
        browser.open(path, fragment)
        if text:
            search(browser, text)
        browser.picture(pictures / f"{view}.png")
        assert browser.run("document.documentElement.scrollWidth") <= width
        browser.run(f"{AXE};0")
        found: list[dict[str, Any]] = browser.run(
            "axe.run().then((r) => r.violations.map(({ id, impact }) => ({ id, impact })))"
        )
        assert [v for v in found if v["impact"] in ("serious", "critical")] == [], view


def test_printed(browser: Browser, path: Path) -> None:
    """On paper every row is there, not only what was in view."""
    browser.open(path)
    assert len(names(browser)) < 94
    browser.run("dispatchEvent(new Event('beforeprint'))")
    assert len(names(browser)) == 94
    browser.run("dispatchEvent(new Event('afterprint'))")
    assert len(names(browser)) < 94
    assert browser.pdf().startswith(b"%PDF")


def hostile() -> Catalogue:
    """A catalogue full of odd texts, in its codes too."""
    odd = odd_catalogue()
    names = odd.variables.arrow["name"].to_pylist()
    selectors = [name for name in names if name.startswith("date ")]
    texts = [*TEXTS, "</script><script>alert(2)</script>", "javascript:alert(3)"]
    codes = [
        {"variable_name": name, "code": text, "description": text, "count": number}
        for name in selectors[:3]
        for number, text in enumerate(texts)
    ]
    arrow = pa.Table.from_pylist(codes, pa.schema([CODES_SCHEMA.field(n) for n in CODE_COLUMNS]))
    return Catalogue(odd.system_info, odd.tables, odd.variables, arrow)


def test_hostile_texts(browser: Browser, tmp_path: Path) -> None:
    """Texts are shown, never obeyed: no dialog, no request, no element, on any page."""
    path = hostile().write_html(tmp_path / "odd.html")
    browser.open(path)
    elements = "[...new Set([...document.querySelectorAll('body *')].map((e) => e.localName))]"
    tags = set(browser.run(elements))
    for text in (*TEXTS[:9], "alert", "<img", "=HYPER"):
        browser.run(
            "(query => { query.value = $0; query.dispatchEvent(new Event('input')) })"
            "(document.getElementById('query'))",
            text,
        )
        browser.run("new Promise((done) => setTimeout(done, 50))")
        tags |= set(browser.run(elements))
    for number in range(2 * len(TEXTS)):
        name = TEXTS[number // 2] if number % 2 == 0 else f"date {number // 2}"
        browser.run("location.hash = encodeURIComponent($0)", name)
        browser.wait_for(f"{NAME} === $0", name)
        tags |= set(browser.run(elements))
    assert not tags & {"img", "iframe", "object", "svg", "form", "base", "link", "style", "math"}
    assert browser.run("document.scripts.length") == 1
    assert browser.alerts == []
    assert browser.complaints == []
    assert {url.partition("#")[0] for url in browser.asked if url != "about:blank"} == {
        path.as_uri()
    }


@pytest.mark.parametrize(
    ("name", "fragment"),
    [
        *((text, None) for text in ("100%", "a%20b", "search", "query", "a#b?c&d=e", "é", "x y")),
        ("a b", "#a b"),
        ("a%20b", "#a%20b"),
        ("100%", "#100%"),
        ("Größe", "#Größe"),
    ],
)
def test_links_with_odd_names(
    browser: Browser, tmp_path: Path, name: str, fragment: str | None
) -> None:
    """The link of a variable leads to it, as does its bare name behind a ``#``."""
    catalogue = catalogue_of([table_item()], [variable_item("first"), variable_item(name)])
    path = catalogue.write_html(tmp_path / "odd.html")
    browser.open(path)
    if fragment is None:
        fragment = browser.run("document.querySelector('[data-row=\"1\"] a').getAttribute('href')")
    assert fragment
    browser.open(path, fragment)
    assert browser.run(NAME) == name


def test_what_was_not_read(browser: Browser, tmp_path: Path) -> None:
    """Where codes and folders were not loaded, the page says so."""
    whole = holidays()
    path = Catalogue(whole.system_info, whole.tables, whole.variables).write_html(
        tmp_path / "bare.html"
    )
    browser.open(path)
    assert "codes were not read" in browser.run("document.getElementById('figures').innerText")
    assert "were not read" in browser.run("document.getElementById('folders').innerText")
    assert search(browser, "destination") == "5 variables"
    browser.open(path, "#boDest")
    assert "The codes of this variable were not read" in browser.run(SHOWN)
    browser.open(path, "#hoURN")
    assert "Codes" not in browser.run(SHOWN)


def test_many_rows(browser: Browser, tmp_path: Path) -> None:
    """Of many variables only those in view are drawn, wherever one scrolls."""
    items = [variable_item(f"va{n:05}", description=f"Number {n}") for n in range(20_000)]
    path = catalogue_of([table_item()], items).write_html(tmp_path / "many.html")
    browser.open(path)
    assert len(names(browser)) < 80
    browser.run("scrollTo(0, 400000)")
    browser.wait_for("scrollY > 300000 && !!document.querySelector('#variables .row .name')")
    browser.run("new Promise((done) => setTimeout(done, 200))")
    shown = names(browser)
    assert len(shown) < 80
    assert shown == sorted(shown)
    first = int(shown[0][2:])
    assert 9_000 < first < 11_000
    assert search(browser, "va19999") == "1 variable"
    assert names(browser) == ["va19999"]
