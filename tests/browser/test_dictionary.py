"""The data dictionary in a real browser: searched, filtered, read, printed, and attacked."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pyarrow as pa
import pytest
from browser.chromium import open_drawn
from faults.test_contents import TEXTS, odd_catalogue
from playwright.sync_api import Page, expect
from strategies import CODE_COLUMNS, catalogue_of, table_item, variable_item

from apteco_frames import Catalogue
from apteco_frames.catalogue import contents_of
from apteco_frames.demo import holidays
from apteco_frames.render import dictionary
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
    """The names of the variables that are drawn."""
    return page.locator("#variables td.name").all_inner_texts()


def rows(page: Page, section: str) -> list[list[str]]:
    """The cells of the rows that are drawn."""
    found = page.locator(f"{section} tbody tr").all_inner_texts()
    return [[cell.strip() for cell in row.split("\t")] for row in found]


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
    assert figures == "9 tables · 94 variables · 1,032 codes · built 27 November 2019, 15:57:24"
    assert page.inner_text("#status") == "94 variables"
    tables = page.inner_text("#tables").split("\n")
    assert tables[tables.index("Bookings") + 1] == "14"
    assert asked == {path.as_uri()}


def test_search(page: Page, path: Path) -> None:
    """Variables and codes are found as one types: any case, any order of words, best first."""
    open_drawn(page, path)
    assert search(page, "DATE travel") == "2 variables, 0 codes"
    assert names(page) == ["boTrav", "PoTrave1"]
    assert search(page, "sweden") == "0 variables, 1 code"
    group, row = rows(page, "#codes")
    assert group == ["Destination boDest · Bookings · 1 code"]
    assert row == ["Sweden", "29", "Destination", "25,207"]
    search(page, "destination")
    assert names(page)[0] == "boDest"
    assert search(page, "bodest swe") == "0 variables, 1 code"
    assert search(page, "zzzz").startswith("Nothing found")


@pytest.mark.parametrize("letter", ["e", "7", "0", "-"])
def test_search_of_a_single_letter(page: Page, path: Path, letter: str) -> None:
    """One letter finds what the package finds: what begins with it, or the symbol."""
    matches = holidays().search(letter, limit=10_000)
    open_drawn(page, path)
    said = search(page, letter).replace(",", "")
    found = [sum(match.noun == noun for match in matches) for noun in ("variable", "code")]
    assert [int(number) for number in re.findall(r"\d+", said)] == found


def test_from_a_code_to_its_place(page: Page, path: Path) -> None:
    """A code that was found leads to its variable, in view there among the others."""
    open_drawn(page, path)
    search(page, "south africa")
    page.click("#codes tr:not(.group) a")
    expect(page.locator("#page .wanted")).to_contain_text("South Africa")
    assert page.evaluate(
        "(box => box.top > 0 && box.bottom < innerHeight)"
        "(document.querySelector('.wanted').getBoundingClientRect())"
    )
    page.focus("#page input")
    page.keyboard.type("south")
    expect(page.locator("#page tbody tr")).to_have_count(1)


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
    parts = page.evaluate(
        "[...document.querySelectorAll('#page tbody i')]"
        ".map((bar) => bar.style.getPropertyValue('--part'))"
    )
    assert len(parts) == len(codes)
    assert max(map(float, parts)) == 1
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
    assert page.evaluate("location.hash") == "#cmCommDt?q=date+of"
    page.keyboard.press("Escape")
    expect(page.locator("#list")).to_be_visible()
    assert page.evaluate(FOCUSED) == "Date of Communication"
    open_drawn(page, path)
    page.focus("#variables tbody a")
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


def test_printed(page: Page, path: Path, tmp_path: Path) -> None:
    """Paper has every row of a short list, and says what it leaves out of a long one."""
    open_drawn(page, path, "#boDest")
    facts = page.locator("#page details")
    expect(facts).not_to_have_attribute("open", "")
    assert page.pdf().startswith(b"%PDF")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(facts).to_have_attribute("open", "")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(facts).not_to_have_attribute("open", "")
    open_drawn(page, many(tmp_path, 3_000))
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert len(names(page)) == 2_000
    said = page.inner_text("#variables .paper")
    assert said.startswith("On paper: the first 2,000 of 3,000 rows.")
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert len(names(page)) < 80


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
        "[...document.querySelectorAll('#page dl > div')].map((f) => f.textContent)"
    )
    assert {f"Values per record{word}", f"Values are{word}"} <= set(facts)
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
    assert "codes not loaded" in page.inner_text("#figures")
    assert "were not loaded" in page.inner_text("#folders")
    assert search(page, "destination") == "5 variables"
    open_drawn(page, path, "#boDest")
    assert "The codes of this variable were not loaded" in page.inner_text("#page")
    open_drawn(page, path, "#hoURN")
    assert "Codes" not in page.inner_text("#page")


def many(folder: Path, variables: int) -> Path:
    """The dictionary of a system with so many variables."""
    items = [variable_item(f"va{n:05}", description=f"Number {n}") for n in range(variables)]
    return catalogue_of([table_item()], items).write_html(folder / "many.html")


def test_many_rows(page: Page, tmp_path: Path) -> None:
    """Of many variables only those in view are drawn, wherever one scrolls."""
    open_drawn(page, many(tmp_path, 20_000))
    assert len(names(page)) < 80
    assert "20,000 rows are too many for Ctrl+F" in page.inner_text("#variables .note")
    page.evaluate("scrollTo(0, 400000)")
    page.wait_for_timeout(200)
    shown = names(page)
    assert len(shown) < 80
    assert shown == sorted(shown)
    first = int(shown[0][2:])
    assert 9_000 < first < 11_000
    assert search(page, "va19999") == "1 variable"
    assert names(page) == ["va19999"]


def with_codes(folder: Path, descriptions: list[str], counts: list[int] | None = None) -> Path:
    """The dictionary of a system with one variable that has these codes."""
    variable = variable_item("big", description="Big one")
    columns = {
        "variable_name": ["big"] * len(descriptions),
        "code": [f"{n:06}" for n in range(len(descriptions))],
        "description": descriptions,
        "count": counts or list(range(len(descriptions))),
    }
    bare = catalogue_of([table_item()], [variable, variable_item("other")])
    parts = bare.system_info, bare.tables, bare.variables
    return Catalogue(*parts, pl.DataFrame(columns)).write_html(folder / "codes.html")


def test_short_lists_are_whole(page: Page, tmp_path: Path) -> None:
    """Up to 2,000 rows are a table of which Ctrl+F, a copy and a printer see each row."""
    open_drawn(page, with_codes(tmp_path, [f"Meaning {n}" for n in range(2_000)]), "#big")
    expect(page.locator("#page table tbody tr")).to_have_count(2_000)
    assert page.evaluate("find('Meaning 1999')")
    copied = page.evaluate(
        "getSelection().selectAllChildren(document.querySelector('#page table'));"
        "getSelection().toString().trim()"
    ).split("\n")
    assert copied[0].split("\t")[:3] == ["Description", "Code", "Records"]
    assert copied[1].split("\t")[:3] == ["Meaning 0", "000000", "0"]
    assert copied[-1].split("\t")[:3] == ["Meaning 1999", "001999", "1,999"]
    assert page.locator("#page .note").inner_text() == ""
    open_drawn(page, with_codes(tmp_path, [f"Meaning {n}" for n in range(2_001)]), "#big")
    assert page.locator("#page table tbody tr").count() < 80
    assert "2,001 rows are too many for Ctrl+F" in page.inner_text("#page .note")


def test_all_rows_are_copied_or_saved(page: Page, tmp_path: Path) -> None:
    """A long list is copied as cells, and saved as CSV, without a formula in it."""
    texts = [f"Meaning {n}" for n in range(2_997)] + ["=1+1", 'a "b", c', "x\ty"]
    open_drawn(page, with_codes(tmp_path, texts), "#big")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy all").click()
    expect(page.locator("#page .tools [role=status]")).to_have_text("3,000 rows copied")
    copied = page.evaluate("navigator.clipboard.readText()").split("\r\n")
    assert copied[0] == "Description\tCode\tRecords\tShare"
    assert copied[2].split("\t")[:3] == ["Meaning 1", "000001", "1"]
    assert copied[2_998].startswith("'=1+1\t002997\t2997\t")
    with page.expect_download() as started:
        page.get_by_role("button", name="Save all as CSV").click()
    assert started.value.suggested_filename == "big codes.csv"
    saved = started.value.path().read_bytes().decode("utf-8-sig").split("\r\n")
    assert len(saved) == 3_002
    assert saved[2].startswith("Meaning 1,000001,1,")
    assert saved[2_998].startswith("'=1+1,002997,")
    assert saved[2_999].startswith('"a ""b"", c",')


def test_found_codes_are_saved_with_their_variable(page: Page, path: Path) -> None:
    """A list of codes that were found names the variable of each."""
    open_drawn(page, path)
    search(page, "south africa")
    with page.expect_download() as started:
        page.locator("#codes").get_by_role("button", name="Save as CSV").click()
    saved = started.value.path().read_bytes().decode("utf-8-sig").split("\r\n")
    assert saved[:2] == ["Description,Code,Variable,Name,Records", saved[1]]
    assert saved[1] == "South Africa,28,Destination,boDest,956"


def test_the_address_keeps_what_was_asked(page: Page, path: Path) -> None:
    """Query, filters and variable survive a reload, Back, and being sent to somebody."""
    open_drawn(page, path)
    search(page, "date")
    choose(page, "#tables", "Bookings")
    expect(page.locator("#status")).to_have_text("3 variables, 0 codes")
    sent = page.url
    page.locator("#variables a", has_text="Travel Date").click()
    expect(page.locator(NAME)).to_have_text("boTrav")
    page.reload()
    expect(page.locator(NAME)).to_have_text("boTrav")
    assert page.input_value("#query") == "date"
    for back in (page.go_back, page.locator(".back a").click):
        back()
        expect(page.locator("#status")).to_have_text("3 variables, 0 codes")
        expect(page.locator("#chips")).to_contain_text("Bookings")
        page.locator("#variables a", has_text="Travel Date").click()
        expect(page.locator(NAME)).to_have_text("boTrav")
    open_drawn(page, path, sent.partition("#")[1] + sent.partition("#")[2])
    expect(page.locator("#status")).to_have_text("3 variables, 0 codes")
    assert page.input_value("#query") == "date"
    assert {"boDate", "boTrav"} < set(names(page))


def test_a_link_with_a_filter_that_is_gone(page: Page, path: Path) -> None:
    """A table that the system no longer has leaves the address, as it filters nothing."""
    open_drawn(page, path, "#?q=sweden&table=Nowhere")
    expect(page.locator("#status")).to_have_text("0 variables, 1 code")
    assert page.evaluate("location.hash") == "#?q=sweden"


def test_what_is_typed_is_one_step_back(page: Page, path: Path) -> None:
    """Back goes from what was searched to what was there before, not letter by letter."""
    open_drawn(page, path)
    search(page, "travel")
    expect(page).to_have_url(re.compile("#\\?q=travel$"))
    page.go_back()
    expect(page.locator("#status")).to_have_text("94 variables")
    assert page.input_value("#query") == ""
    page.go_forward()
    expect(page.locator("#status")).to_contain_text("codes")
    assert page.input_value("#query") == "travel"


def test_folders_and_codes_in_the_address(page: Page, path: Path) -> None:
    """What is found in a variable's codes, and a folder, are in the address, too."""
    open_drawn(page, path, "#?folder=Person/Demographics&kind=Selector")
    inside = set(holidays().folders["Person/Demographics"].variable_names)
    expect(page.locator("#chips button")).to_have_count(2)
    assert set(names(page)) < inside
    open_drawn(page, path, "#boDest")
    page.fill("#page input", "land")
    page.locator("#page .sort").click()
    expect(page).to_have_url(re.compile("#boDest\\?find=land&sort=most$"))
    before = rows(page, "#page")
    page.reload()
    expect(page.locator("#page .title")).to_have_text("1 of 20 codes of Destination")
    assert rows(page, "#page") == before


@pytest.mark.parametrize("fragment", ["#bodest", "#BODEST", "#Destination", "#destination"])
def test_variables_as_people_call_them(page: Page, path: Path, fragment: str) -> None:
    """A name in any case, or a description, leads to the variable; its address is its own."""
    open_drawn(page, path, fragment)
    expect(page.locator(NAME)).to_have_text("boDest")
    assert page.evaluate("location.hash") == "#boDest"


def test_several_variables_of_one_description(page: Page, tmp_path: Path) -> None:
    """Where several are described so, the page lists them."""
    items = [variable_item(name, description="Date") for name in ("a", "b")]
    open_drawn(page, catalogue_of([table_item()], items).write_html(tmp_path / "two.html"), "#date")
    assert page.locator("#page li a").all_inner_texts() == ["Date", "Date"]
    page.locator("#page li a").nth(1).click()
    expect(page.locator(NAME)).to_have_text("b")


def test_order_of_a_variable(page: Page, path: Path) -> None:
    """First what it is, then where it stands, then its codes; other facts are folded, after."""
    open_drawn(page, path, "#boDest")
    tops = [
        page.locator(part).bounding_box()
        for part in ("#page h2", ".under", ".where", "#page table", "#page details")
    ]
    places = [box["y"] for box in tops if box]
    assert len(places) == 5
    assert places == sorted(places)
    assert "Code length" not in page.inner_text("#page")
    page.get_by_role("button", name="All facts").click()
    shown = page.inner_text("#page")
    for title in ("Values per record", "Unclassified code", "Virtual", "Selectable", "Browsable"):
        assert title in shown
    open_drawn(page, path, "#boDate")
    assert "27 November 2019" not in page.inner_text("#page")
    assert re.search(r"Earliest\n\d{1,2} [A-Z][a-z]+ \d{4}\n", page.inner_text("#page"))


def test_codes_by_count(page: Page, path: Path) -> None:
    """The title of the counts sorts by them: most first, fewest first, as the system has them."""
    codes = holidays().codes["boDest"]
    counts = [f"{code.count:,}" for code in codes]
    largest_first = [f"{count:,}" for count in sorted((c.count or 0 for c in codes), reverse=True)]
    open_drawn(page, path, "#boDest")
    sorter = page.locator("#page .sort")
    for expected, said in (
        (largest_first, "descending"),
        (largest_first[::-1], "ascending"),
        (counts, "none"),
    ):
        sorter.click()
        expect(page.locator("#page th.number")).to_have_attribute("aria-sort", said)
        assert page.locator("#page td.number").all_inner_texts() == expected


def test_codes_are_grouped(page: Page, path: Path) -> None:
    """Codes that were found stand together by variable, under its name."""
    open_drawn(page, path)
    search(page, "un")
    found = page.locator("#codes tbody tr")
    groups: list[str] = []
    for row in found.all():
        if "group" in (row.get_attribute("class") or ""):
            groups.append(row.locator("a").inner_text())
        else:
            assert row.locator(".of").inner_text() == groups[-1]
    names_of = [group for group in groups if groups.count(group) == 1]
    assert len(groups) > 5
    assert len(names_of) > 5


def test_numbers_beside_filters(page: Page, path: Path) -> None:
    """They count what the search has found, by itself or by a code, under the other filters."""
    open_drawn(page, path)

    def number(section: str, label: str) -> str:
        text = page.locator("bdi", has_text=re.compile(f"^{label}$"))
        return page.locator(f"{section} button", has=text).locator(".number").inner_text()

    assert number("#tables", "Bookings") == "14"
    search(page, "travel date")
    assert number("#tables", "Bookings") == "1"
    assert number("#tables", "Policies") == "1"
    assert number("#tables", "People") == "0"
    search(page, "sweden")
    assert number("#tables", "Bookings") == "1"
    assert number("#kinds", "Selector") == "1"
    search(page, "date")
    choose(page, "#kinds", "Date")
    assert page.inner_text("#status").startswith(
        f"{sum(int(number('#tables', table.name)) for table in holidays().tables)} variables"
    )


def test_a_chosen_filter_closes_the_panel(page: Page, path: Path) -> None:
    """On a phone the list is in view as soon as a filter is chosen."""
    page.set_viewport_size({"width": 360, "height": 740})
    open_drawn(page, path)
    page.click("#filters summary")
    choose(page, "#tables", "Bookings")
    expect(page.locator("#filters")).not_to_have_attribute("open", "")
    expect(page.locator("#chips button")).to_be_in_viewport()
    expect(page.locator("#variables a").first).to_be_in_viewport()


@pytest.mark.parametrize("width", [360, 800, 1000, 1400])
def test_numbers_and_codes_are_never_cut(page: Page, tmp_path: Path, width: int) -> None:
    """Columns are as wide as what is in them, in short lists and in long ones."""
    page.set_viewport_size({"width": width, "height": 900})
    for size in (50, 2_500):
        texts = ["A long description of a code " * 3] * size
        path = with_codes(tmp_path, texts, [123_456_789] * size)
        for fragment in ("#big", "#?q=long"):
            open_drawn(page, path, fragment)
            numbers = page.locator("td.number:visible").first
            expect(numbers).to_have_text("123,456,789")
            for cell in (numbers, page.locator("td.value:visible").last):
                assert cell.evaluate("(cell) => cell.scrollWidth <= cell.clientWidth")


def test_the_title_of_codes_is_whole(page: Page, path: Path) -> None:
    """Where the filters leave little room, the title of a variable's codes stays on one line."""
    page.set_viewport_size({"width": 1000, "height": 900})
    open_drawn(page, path, "#boDest")
    title = page.locator("#page .title")
    expect(title).to_have_text("20 codes of Destination")
    assert title.evaluate("(title) => title.offsetHeight < 1.5 * 1.2 * 17.6")
    width = page.locator("#page input").evaluate("(box) => [box.scrollWidth, box.clientWidth]")
    assert width[0] <= width[1]


def test_an_empty_answer_says_why(page: Page, path: Path, tmp_path: Path) -> None:
    """Nothing in these codes, none of the filters, no codes at all, or the nearest words."""
    open_drawn(page, path, "#boDest")
    page.fill("#page input", "zebra")
    expect(page.locator("#page .nothing")).to_contain_text("None of these 20 codes matches “zebra”")
    page.fill("#page input", "lisbon")
    page.locator("#page .nothing button").click()
    assert page.input_value("#query") == "lisbon"
    open_drawn(page, path)
    search(page, "destnashun")
    expect(page.locator("#why")).to_contain_text("No variable or code matches “destnashun”")
    page.locator("#why button", has_text="Destination").click()
    expect(page.locator("#variables td.name").first).to_have_text("boDest")
    search(page, "qqqqxxxx")
    page.wait_for_timeout(300)
    assert "Did you mean" not in page.inner_text("#why")
    search(page, "sweden")
    choose(page, "#tables", "People")
    expect(page.locator("#why")).to_contain_text("in table People. Elsewhere: 1 code.")
    page.get_by_role("button", name="Search everywhere").click()
    expect(page.locator("#status")).to_have_text("0 variables, 1 code")
    whole = holidays()
    bare = Catalogue(whole.system_info, whole.tables, whole.variables)
    open_drawn(page, bare.write_html(tmp_path / "bare.html"))
    search(page, "sweden")
    expect(page.locator("#why")).to_contain_text("No codes are in this dictionary")


def test_facts_given_from_elsewhere(page: Page, tmp_path: Path) -> None:
    """What Python knows besides is among the facts of a variable."""
    system, nouns, _ = contents_of(holidays())
    texts = ["3 audiences" if name == "boDest" else None for name in holidays().variables.names]
    facts = {"Used by": pa.chunked_array([texts], pa.string())}
    path = tmp_path / "facts.html"
    path.write_text(dictionary.page(system, nouns, facts=facts), encoding="utf-8")
    open_drawn(page, path, "#boDest")
    expect(page.locator("#page details dl > div").first).to_have_text("Used by3 audiences")
    open_drawn(page, path, "#boProd")
    expect(page.locator("#page details")).not_to_contain_text("Used by")


def test_find_among_many_codes(page: Page, tmp_path: Path) -> None:
    """Among 200,000 codes each key shows what it finds, sorted or not."""
    texts = [f"Meaning {n} é" for n in range(200_000)]
    open_drawn(page, with_codes(tmp_path, texts), "#big")
    page.locator("#page .sort").click()
    page.locator("#page input").press_sequentially("meaning 19999")
    expect(page.locator("#page .title")).to_have_text("11 of 200,000 codes of Big one")
    found = [row[0] for row in rows(page, "#page")]
    assert found == [f"Meaning {n} é" for n in (*range(199_999, 199_989, -1), 19_999)]
