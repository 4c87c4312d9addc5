"""What people ask a search, and the catalogues that they ask: for both engines."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pyarrow as pa
from strategies import Item, catalogue_of, table_item, variable_item

from apteco_frames import schema
from apteco_frames.catalogue import Catalogue
from apteco_frames.demo import holidays

SYNONYMS = {
    "income": ["salary", "earnings"],
    "postcode": ["zip", "zip code", "postal code"],
    "telephone": ["mobile number", "cell"],
}
_LANGUAGES = {
    **{"zhTrav": "旅行日期", "zhCity": "目的地城市", "zhSex": "性别", "zhName": "客户姓名"},
    **{"jaBook": "予約日", "jaName": "お客様の名前", "thDate": "วันที่เดินทาง", "thName": "ชื่อลูกค้า"},
    **{"koTrav": "여행 날짜", "hiTrav": "यात्रा की तारीख", "hiName": "ग्राहक का नाम"},
    **{"arInc": "الدخل السنوي", "arYear": "سنة ٢٠٢٤", "ruDate": "Дата поездки"},
    **{"ruCity": "Город", "elDate": "Ημερομηνία ταξιδιού", "elCity": "Πόλη"},
    **{"deUms": "Umsatz je Kunde", "deGeb": "Geburtsdatum", "deStr": "Straße"},
    **{"deGr": "Größe des Haushalts", "deKue": "Küche und Bad", "frDate": "Date de l\u2019achat"},
    **{"frRev": "Revenu du ménage", "nlAan": "Datum van aankoop", "daSoe": "Søndag"},
    **{"daBor": "Børn i husstanden", "shVer": "Ver\u00adsicherung", "rate": "Rate (%)"},
    **{"co2": "CO₂ per trip", "wifi": "Wi-Fi at home", "cpp": "Knows C++"},
    **{"town": "Stadt", "band": "Salary", "mood": "Mood", "country": "Country"},
}
_CODES = {
    "town": {"ZH": "Zürich", "K": "Köln", "GE": "Genève", "M": "Mueller am See", "B": "Bern"},
    "band": {"1": "£10,000 - 19,999", "2": "£20,000 - 999,999", "3": "£1,000,000 and more"},
    "mood": {"1": "Happy 😀", "2": "Beach 🏖", "3": "Beach ⛱", "4": "Sad"},
    "country": {"NO": "Norway", "DE": "Germany", "IN": "India", "IT": "Italy", "FR": "France"},
}


def cases() -> Iterator[tuple[str, str, str, str]]:
    """Each catalogue, kind, query and the name that should come first."""
    whole = tomllib.loads(Path(__file__).with_name("search_cases.toml").read_text("utf-8"))
    for one in whole["sets"]:
        for query, name in one["first"].items():
            yield one["catalogue"], one["kind"], query, name


@cache
def catalogue(name: str) -> Catalogue:
    """A catalogue that the cases name."""
    makers = {"bank": bank, "languages": languages}
    return makers.get(name, holidays)()


def languages() -> Catalogue:
    """A system of one table, described in many languages."""
    items = [
        variable_item(name, description=text, folderName=None, notes=None)
        for name, text in _LANGUAGES.items()
    ]
    codes = [
        {"variable_name": name, "code": code, "description": text, "count": 1}
        for name, described in _CODES.items()
        for code, text in described.items()
    ]
    return with_others(catalogue_of(None, items), codes, [])


def bank() -> Catalogue:
    """A generated system: five products, each with three periods of six measures."""
    products = {
        **{"cu": "Current Account", "sa": "Savings", "cc": "Credit Card"},
        **{"mo": "Mortgage", "lo": "Loan"},
    }
    measures = {
        **{"Bal": "Balance", "Int": "Interest", "Fee": "Fees", "Pay": "Payments"},
        **{"Trn": "Transactions", "Cmp": "Complaints"},
    }
    periods = {"Lm": "Last Month", "Ly": "Last Year", "Lt": "Lifetime"}
    items = [
        variable_item(
            f"{product}{measure}{period}",
            "Accounts",
            "Numeric",
            description=f"{products[product]} {measures[measure]} {periods[period]}",
            folderName=products[product],
            notes=None,
        )
        for product, measure, period in itertools.product(products, measures, periods)
    ]
    others = {
        f"{product}{name}": f"{text} {description}"
        for product, text in products.items()
        for name, description in {"Branch": "Branch", "Opened": "Opened"}.items()
    }
    others["cuOdLim"] = "Limit of Overdraft"
    items += [
        variable_item(name, "Accounts", description=text, folderName=None, notes=None)
        for name, text in others.items()
    ]
    towns = ("Unclassified", "Basel", "Zürich", "Genève", "Neuchâtel")
    codes = [
        {"variable_name": "cuBranch", "code": f"{n:02}", "description": town, "count": 1}
        for n, town in enumerate(towns)
    ]
    folder: Item = {"parent_path": None, "variable_names": []}
    folders = [
        {"path": "Accounts", "name": "Accounts", "description": "", **folder},
        {
            **folder,
            "path": "Accounts/Lending",
            "name": "Lending",
            "description": "Kredite, loans and mortgages",
            "parent_path": "Accounts",
        },
    ]
    tables = [
        table_item(name, parent, not parent, singularDisplayName=name[:-1], pluralDisplayName=name)
        for name, parent in {"Customers": "", "Accounts": "Customers"}.items()
    ]
    return with_others(catalogue_of(tables, items), codes, folders)


def with_others(catalogue: Catalogue, codes: list[Item], folders: list[Item]) -> Catalogue:
    """A catalogue with codes and folders."""
    nouns = ((codes, schema.CODES_SCHEMA), (folders, schema.FOLDERS_SCHEMA))
    arrows = [
        pa.Table.from_pylist(rows, pa.schema([f for f in fields if f.name in rows[0]]))
        if rows
        else None
        for rows, fields in nouns
    ]
    return Catalogue(catalogue.system_info, catalogue.tables, catalogue.variables, *arrows)
