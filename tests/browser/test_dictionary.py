"""The data dictionary in a real browser: searched, filtered, read, printed, and attacked."""

from __future__ import annotations

import re
import unicodedata
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pytest
from browser.chromium import open_drawn
from faults.test_contents import TEXTS, odd_catalogue
from playwright.sync_api import Page, expect
from strategies import CODE_COLUMNS, catalogue_of, table_item, variable_item

from apteco_frames import Catalogue
from apteco_frames.demo import holidays
from apteco_frames.schema import CODES_SCHEMA

pytestmark = pytest.mark.slow  # a browser starts

FOCUSED = "document.activeElement.innerText"
NAME = "#page .under code"
AXE = files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data dictionary of Holidays."""
    return holidays().write_html(tmp_path_factory.mktemp("page") / "holidays.html")


def search(page: Page, text: str) -> str:
    """Type into the search, and give what the page says then."""
    page.evaluate(
        "(query => { query.value = ''; query.focus() })(document.getElementById('query'))"
    )
    page.evaluate("document.getElementById('status').textContent = ''")
    page.keyboard.type(text)
    # The last letter's answer is the one that stays.
    expect(page.locator("#status")).not_to_be_empty()
    page.wait_for_timeout(200)
    return page.inner_text("#status")


def names(page: Page) -> list[str]:
    """The names of the variables in view."""
    return page.locator("#variables .row .name").all_inner_texts()


def rows(page: Page, section: str) -> list[list[str]]:
    """The cells of the rows in view."""
    return [row.split("\n") for row in page.locator(f"{section} .row").all_inner_texts()]


def choose(page: Page, section: str, label: str) -> None:
    """Press what filters by something."""
    text = page.locator("bdi", has_text=re.compile(f"^{re.escape(label)}$"))
    page.locator(f"{section} button", has=text).click()
    page.wait_for_timeout(100)


def test_opens_alone(page: Page, asked: set[str], path: Path) -> None:
    """The page opens from disk, asks for nothing but itself, and nothing complains."""
    open_drawn(page, path)
    assert page.inner_text("h1") == "holidays"
    figures = page.inner_text("#figures")
    assert figures == "9 tables · 94 variables · 1,032 codes · built 2019-11-27 15:57:24"
    assert page.inner_text("#status") == "94 variables"
    tables = page.inner_text("#tables").split("\n")
    assert tables[tables.index("Bookings") + 1] == "2,130,081"
    assert asked == {path.as_uri()}


def test_search(page: Page, path: Path) -> None:
    """Variables and codes are found as one types: any case, any order of words, best first."""
    open_drawn(page, path)
    assert search(page, "DATE travel") == "2 variables, 0 codes"
    assert names(page) == ["boTrav", "PoTrave1"]
    assert search(page, "sweden") == "0 variables, 1 code"
    (row,) = rows(page, "#codes")
    assert row == ["Sweden", "29", "Destination", "Bookings", "25,207"]
    search(page, "destination")
    assert names(page)[0] == "boDest"
    assert search(page, "bodest swe") == "0 variables, 1 code"
    assert search(page, "zzzz").startswith("Nothing found")


@pytest.mark.parametrize("letter", ["e", "7", "0", "-"])
def test_search_of_a_single_letter(page: Page, path: Path, letter: str) -> None:
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
    open_drawn(page, path)
    said = search(page, letter).replace(",", "")
    assert [int(number) for number in re.findall(r"\d+", said)] == found


def plain(text: str) -> str:
    """A text without case and accents."""
    letters = unicodedata.normalize("NFKD", text.lower())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def test_from_a_code_to_its_place(page: Page, path: Path) -> None:
    """A code that was found leads to its variable, in view there among the others."""
    open_drawn(page, path)
    search(page, "south africa")
    page.click("#codes .row a")
    expect(page.locator("#page .wanted")).to_contain_text("South Africa")
    assert page.evaluate(
        "(box => box.top > 0 && box.bottom < innerHeight)"
        "(document.querySelector('.wanted').getBoundingClientRect())"
    )
    page.focus("#page input")
    page.keyboard.type("south")
    expect(page.locator("#page .row")).to_have_count(1)


def test_filters(page: Page, path: Path) -> None:
    """Tables, kinds and folders narrow the list down, together; each can be taken away."""
    whole = holidays()
    open_drawn(page, path)
    choose(page, "#tables", "Bookings")
    assert page.inner_text("#status") == f"{len(whole.tables['Bookings'].variables)} variables"
    assert "2,130,081 records" in page.inner_text("#table")
    choose(page, "#kinds", "Date")
    assert set(names(page)) == {"boDate", "boTrav"}
    page.click("#chips button")
    assert page.inner_text("#status") == "10 variables"
    page.click("#chips button")
    choose(page, "#folders", "Person")
    assert page.inner_text("#status") == f"{whole.folders['Person'].total_variable_count} variables"
    choose(page, "#folders", "Demographics")
    assert names(page) == whole.folders["Person/Demographics"].variable_names


def test_page_of_each_variable(page: Page, path: Path) -> None:
    """An address with a name shows that variable, with what is known of it and its codes."""
    open_drawn(page, path)
    for variable in holidays().variables:
        page.evaluate("name => { location.hash = name }", variable.name)
        expect(page.locator(NAME)).to_have_js_property("textContent", variable.name)
        shown = page.inner_text("#page")
        for text in (variable.name, variable.table_name, *filter(None, [variable.notes])):
            assert text in shown
    open_drawn(page, path, "#boDest")
    above = page.evaluate("[...document.querySelectorAll('dd:first-of-type')][0].innerText")
    assert re.findall(r"\w+", above) == ["Households", "People", "Bookings"]
    listed = rows(page, "#page")
    codes = holidays().codes["boDest"]
    assert [row[0] for row in listed] == [code.description for code in codes][: len(listed)]
    assert listed[1][:3] == ["Australia", "04", "282,719"]
    widths = page.evaluate(
        "[...document.querySelectorAll('#page .row i')].map((i) => i.style.width)"
    )
    assert "100%" in widths
    open_drawn(page, path, "#nothing")
    assert "No variable is called nothing." in page.inner_text("#page")


def test_keyboard(page: Page, path: Path) -> None:
    """The page can be used without a mouse: search, rows, a variable, and back to its row."""
    open_drawn(page, path)
    page.keyboard.press("/")
    page.keyboard.type("date of")
    expect(page.locator("#status")).to_contain_text("code")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(FOCUSED) == "Date of Communication"
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.id") == "query"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(":focus")).to_have_text("Date of Communication")
    assert page.evaluate("location.hash") == "#cmCommDt"
    page.keyboard.press("Escape")
    expect(page.locator("#list")).to_be_visible()
    assert page.evaluate(FOCUSED) == "Date of Communication"
    open_drawn(page, path)
    page.focus("#variables .row a")
    last = holidays().variables[-1].description
    for _ in range(300):  # 93, if each row is drawn before the next key comes
        page.keyboard.press("ArrowDown")
        if page.evaluate(FOCUSED) == last:
            break
    assert page.evaluate(FOCUSED) == last


def test_escape_before_the_variable_is_drawn(page: Page, path: Path) -> None:
    """Escape takes a reader back who presses it before the page of the variable is there."""
    open_drawn(page, path)
    page.evaluate(
        "new Promise((done) => {"
        "  addEventListener('hashchange', () => setTimeout(done), { once: true });"
        "  location.hash = 'boDest';"
        "  dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }));"
        "})"
    )
    assert page.evaluate("[location.hash, document.getElementById('list').hidden]") == ["", False]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1400])
def test_looks(
    page: Page, path: Path, pictures: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    """In both themes, wide and narrow: nothing sticks out, and axe finds nothing serious."""
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    for view, fragment, text in (
        ("list", "", ""),
        ("search", "", "date c"),
        ("variable", "#boDest", ""),
        ("unknown", "#nothing", ""),
    ):
        open_drawn(page, path, fragment)
        if text:
            search(page, text)
        page.screenshot(path=pictures / f"{view}.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate(f"{AXE};0")
        found: list[dict[str, Any]] = page.evaluate(
            "axe.run().then((r) => r.violations.map(({ id, impact }) => ({ id, impact })))"
        )
        assert [v for v in found if v["impact"] in ("serious", "critical")] == [], view


def test_printed(page: Page, path: Path) -> None:
    """On paper every row is there, not only what was in view."""
    open_drawn(page, path)
    assert len(names(page)) < 94
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert len(names(page)) == 94
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert len(names(page)) < 94
    assert page.pdf().startswith(b"%PDF")


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


def test_hostile_texts(page: Page, asked: set[str], tmp_path: Path) -> None:
    """Texts are shown, never obeyed: no dialog, no request, no element, on any page."""
    path = hostile().write_html(tmp_path / "odd.html")
    open_drawn(page, path)
    elements = "[...new Set([...document.querySelectorAll('body *')].map((e) => e.localName))]"
    tags = set(page.evaluate(elements))
    for text in (*TEXTS[:9], "alert", "<img", "=HYPER"):
        page.fill("#query", text)
        page.wait_for_timeout(50)
        tags |= set(page.evaluate(elements))
    for number in range(2 * len(TEXTS)):
        name = TEXTS[number // 2] if number % 2 == 0 else f"date {number // 2}"
        page.evaluate("name => { location.hash = encodeURIComponent(name) }", name)
        expect(page.locator(NAME)).to_have_js_property("textContent", name)
        tags |= set(page.evaluate(elements))
    assert not tags & {"img", "iframe", "object", "svg", "form", "base", "link", "style", "math"}
    assert page.evaluate("document.scripts.length") == 1
    assert asked == {path.as_uri()}


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
def test_links_with_odd_names(page: Page, tmp_path: Path, name: str, fragment: str | None) -> None:
    """The link of a variable leads to it, as does its bare name behind a ``#``."""
    catalogue = catalogue_of([table_item()], [variable_item("first"), variable_item(name)])
    path = catalogue.write_html(tmp_path / "odd.html")
    open_drawn(page, path)
    if fragment is None:
        fragment = page.evaluate(
            "document.querySelector('[data-row=\"1\"] a').getAttribute('href')"
        )
    assert fragment
    open_drawn(page, path, fragment)
    expect(page.locator(NAME)).to_have_js_property("textContent", name)


@pytest.mark.parametrize("word", ["constructor", "__proto__", "toString", "hasOwnProperty"])
def test_names_that_every_object_has(page: Page, tmp_path: Path, word: str) -> None:
    """Whatever is called like a part of each object in JavaScript is a text like others."""
    table = table_item(word, pluralDisplayName=word, singularDisplayName=word)
    odd = variable_item(word, word, description=word, folderName=word, notes=word, path=word)
    odd["selectorInfo"] |= {"selectorType": word, "subType": word, "varCodeOrder": word}
    first = variable_item("first", word, description="The first")
    row = dict.fromkeys(CODES_SCHEMA.names, word) | {"position": 0, "count": 5}
    codes = pa.Table.from_pylist([row], CODES_SCHEMA)
    plain = catalogue_of([table], [first, odd])
    catalogue = Catalogue(plain.system_info, plain.tables, plain.variables, codes)
    path = catalogue.write_html(tmp_path / "odd.html")
    open_drawn(page, path, "#first")
    page.evaluate("(word) => { location.hash = word; }", word)
    expect(page.locator(NAME)).to_have_js_property("textContent", word)
    facts = page.evaluate(
        "[...document.querySelectorAll('#page dl > div')].map((f) => f.innerText)"
    )
    assert {f"Values of a record\n{word}", f"Values are\n{word}"} <= set(facts)
    assert "The first" not in page.inner_text("#page")
    page.evaluate("location.hash = ''")
    assert search(page, word) == "2 variables, 1 code"


def test_what_was_not_read(page: Page, tmp_path: Path) -> None:
    """Where codes and folders were not loaded, the page says so."""
    whole = holidays()
    path = Catalogue(whole.system_info, whole.tables, whole.variables).write_html(
        tmp_path / "bare.html"
    )
    open_drawn(page, path)
    assert "codes were not read" in page.inner_text("#figures")
    assert "were not read" in page.inner_text("#folders")
    assert search(page, "destination") == "5 variables"
    open_drawn(page, path, "#boDest")
    assert "The codes of this variable were not read" in page.inner_text("#page")
    open_drawn(page, path, "#hoURN")
    assert "Codes" not in page.inner_text("#page")


def test_many_rows(page: Page, tmp_path: Path) -> None:
    """Of many variables only those in view are drawn, wherever one scrolls."""
    items = [variable_item(f"va{n:05}", description=f"Number {n}") for n in range(20_000)]
    path = catalogue_of([table_item()], items).write_html(tmp_path / "many.html")
    open_drawn(page, path)
    assert len(names(page)) < 80
    page.evaluate("scrollTo(0, 400000)")
    page.wait_for_timeout(200)
    shown = names(page)
    assert len(shown) < 80
    assert shown == sorted(shown)
    first = int(shown[0][2:])
    assert 9_000 < first < 11_000
    assert search(page, "va19999") == "1 variable"
    assert names(page) == ["va19999"]
