"""Lint rules: what a careful administrator would fix in a catalogue, and their settings."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from functools import cache, cached_property
from typing import Any, NamedTuple

import pyarrow as pa

from apteco_frames import schema
from apteco_frames.analysis.quality import quality
from apteco_frames.errors import ConfigurationError, UnknownKeyError
from apteco_frames.frame.keys import nearest
from apteco_frames.support.arrays import declared, strings
from apteco_frames.support.text import list_names, truncate

ALL = "all"
"""The name that selects every rule."""

_PREFIX = 2
_LEAST_VARIABLES = 10
_PERSONAL = re.compile(
    r"\be[- ]?mail|\baddress|\bbirth ?(date|day)|\bmobile (phone|number|no)"
    r"|\b((tele)?phones?|tel|sur ?name|s ?name|(last|family) ?name|date of birth|dob)(?![a-z])",
    re.IGNORECASE,
)
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])|[_\s]+")

Row = Mapping[str, Any]


class Known:
    """What the rules look at, read on demand.

    Args:
        catalogue: ``tables`` and ``variables``, and ``codes`` and ``folders`` if they are loaded,
            under their declared schemas.
        build_date: when the system was built; None if that is not known.
    """

    def __init__(self, catalogue: Mapping[str, pa.Table], build_date: datetime | None) -> None:
        self.catalogue = catalogue
        self.build_date = build_date
        self.rows = cache(self._rows)

    def _rows(self, of: str) -> list[Row]:
        """The rows that rules look at; of ``quality``, one for each variable with codes."""
        arrow = quality(self.catalogue) if of == "quality" else self.catalogue[of]
        return arrow.to_pylist()  # type: ignore[no-any-return]

    @cached_property
    def first_described(self) -> dict[tuple[str, str], str]:
        """The first variable with a description, by table and description."""
        rows = reversed(self.rows("variables"))
        return {(row["table_name"], _folded(row["description"])): row["name"] for row in rows}

    @cached_property
    def beginnings(self) -> dict[str, tuple[str, int, int]]:
        """The commonest beginning of names on each table, how many have it, and how many not."""
        names: dict[str, list[str]] = {}
        for row in self.rows("variables"):
            names.setdefault(row["table_name"], []).append(row["name"])
        commonest = {t: Counter(n[:_PREFIX] for n in of).most_common(1) for t, of in names.items()}
        return {table: (*commonest[table][0], len(of)) for table, of in names.items()}


Find = Callable[[Row, Known, float], str | None]
"""Looks at one row, with the rule's threshold; returns a message if there is a problem."""


class LintRule(NamedTuple):
    """A rule.

    Attributes:
        name: its name, which never changes.
        severity: one of ``SEVERITIES``.
        of: the rows it looks at: ``tables``, ``variables``, ``folders``, or ``quality``.
        reason: why, in a sentence.
        example: what it finds.
        find: looks at one row.
        threshold: name and default of its threshold; None for most rules.
        is_default: whether it is checked unless others are selected.
    """

    name: str
    severity: str
    of: str
    reason: str
    example: str
    find: Find
    threshold: tuple[str, float] | None = None
    is_default: bool = True

    @property
    def noun(self) -> str:
        """What it is about, one of ``FINDING_NOUNS``."""
        return "variable" if self.of == "quality" else self.of.removesuffix("s")

    @property
    def needs(self) -> str:
        """The noun that may not be loaded, ``codes`` or ``folders``; empty if there is none."""
        return {"quality": "codes", "folders": "folders"}.get(self.of, "")


class Exempted(NamedTuple):
    """A finding that is intended.

    Attributes:
        rule: name of the rule.
        name: the name in the finding.
        reason: why it is intended.
    """

    rule: str
    name: str
    reason: str


class Settings(NamedTuple):
    """The settings of a user.

    Attributes:
        thresholds: values by name.
        exceptions: the findings that are intended.
    """

    thresholds: Mapping[str, float] = {}
    exceptions: tuple[Exempted, ...] = ()


_RULES: list[LintRule] = []


def _rule(
    name: str, severity: str, of: str, reason: str, example: str, **more: Any
) -> Callable[[Find], Find]:
    """Make a rule of a function; see :class:`LintRule`."""

    def register(find: Find) -> Find:
        _RULES.append(LintRule(name, severity, of, reason, example, find, **more))
        return find

    return register


@_rule(
    *("exportable-personal-data", "breaking", "variables"),
    "Data that identifies a person should be exportable only on purpose.",
    "`peSName`, described “Surname”, may be exported",
)
def _personal(row: Row, _: Known, __: float) -> str | None:
    texts = (" ".join(_WORDS.split(row[column])) for column in ("description", "name"))
    match = next(filter(None, map(_PERSONAL.search, texts)), None)
    if not match or not row["is_exportable"]:
        return None
    return f"Exportable, and looks personal: {match[0].strip()!r}."


@_rule(
    *("table-without-records", "breaking", "tables"),
    "A table without records has usually lost its feed.",
    "Responses has no records",
)
def _without_records(row: Row, _: Known, __: float) -> str | None:
    return None if row["total_records"] else "It has no records."


@_rule(
    *("mostly-unclassified", "notable", "quality"),
    "A selector without a value for most records misleads whoever selects by it.",
    "79% of the bookings have no Response Code",
    threshold=("unclassified_share", 0.5),
)
def _unclassified(row: Row, _: Known, most: float) -> str | None:
    share = row["unclassified_share"] or 0
    return f"{_percent(share)} of the records are Unclassified." if share > most else None


@_rule(
    *("incomplete-coverage", "notable", "quality"),
    "Each record has one code of a selector, so the counts should add up to the table's records.",
    "the counts of Grade are 97% of the bookings",
    threshold=("coverage_difference", 0.0),
)
def _uncovered(row: Row, _: Known, most: float) -> str | None:
    coverage = row["coverage"]
    if coverage is None or abs(coverage - 1) <= most:
        return None
    return f"The counts of its codes add up to {_percent(coverage)} of the table's records."


@_rule(
    *("single-used-code", "notable", "quality"),
    "A selector with one value selects all or nothing.",
    "all people have the Title “Mrs”",
)
def _single_code(row: Row, _: Known, __: float) -> str | None:
    if row["type"] != "Selector" or row["used_codes"] != 1:
        return None
    return f"All records have one code: {truncate(row['top_description'])!r}."


@_rule(
    *("no-description", "notable", "variables"),
    "People look for variables by description.",
    "`peOccu` is described “peOccu”",
)
def _undescribed(row: Row, _: Known, __: float) -> str | None:
    description = _folded(row["description"])
    if not description:
        return "It has no description."
    return "Its description is its name." if description == _folded(row["name"]) else None


@_rule(
    *("same-description", "notable", "variables"),
    "Nobody can choose between two variables with one description.",
    "two variables on Bookings are described “Cost”",
)
def _same_description(row: Row, known: Known, _: float) -> str | None:
    description = _folded(row["description"])
    other = known.first_described[row["table_name"], description]
    if not description or other == row["name"]:
        return None
    return f"{truncate(other)!r} on the same table is also described {truncate(description)!r}."


@_rule(
    *("undescribed-codes", "routine", "quality"),
    "A code alone means something only to those who know it already.",
    "code 29 of Destination is described “29”, or not at all",
)
def _undescribed_codes(row: Row, _: Known, __: float) -> str | None:
    number, of = row["undescribed_codes"], row["num_codes"]
    have = "has no description of its" if number == 1 else "have no description of their"
    return f"{number:,} of {of:,} code{'s' * (of != 1)} {have} own." if number else None


@_rule(
    *("repeated-descriptions", "routine", "quality"),
    "Of two codes with one description, people select one and miss the other.",
    "two codes of Destination are described “Sweden”",
)
def _repeated_descriptions(row: Row, _: Known, __: float) -> str | None:
    number = row["repeated_descriptions"]
    what = "1 description belongs" if number == 1 else f"{number:,} descriptions belong"
    return f"{what} to several codes each." if number else None


@_rule(
    *("table-without-variables", "notable", "tables"),
    "A table without variables cannot be queried.",
    "Content has records and no variables",
)
def _without_variables(row: Row, _: Known, __: float) -> str | None:
    return None if row["variable_count"] else "It has no variables."


@_rule(
    *("empty-folder", "routine", "folders"),
    "People expect something in a folder that they open.",
    "Segments has no variables",
)
def _empty_folder(row: Row, _: Known, __: float) -> str | None:
    return None if row["total_variable_count"] else "The folder contains no variables."


@_rule(
    *("crowded-folder", "routine", "folders"),
    "Nobody reads a list of hundreds of variables.",
    "one folder has all 840 variables",
    threshold=("folder_variables", 200),
)
def _crowded_folder(row: Row, _: Known, most: float) -> str | None:
    number = row["variable_count"]
    return f"It contains {number:,} variables." if number > most else None


@_rule(
    *("early-date", "notable", "variables"),
    "Dates before 1900 are usually defaults of another system, or typing errors.",
    "the earliest DOB is 1753-01-01",
    threshold=("first_year", 1900),
)
def _early_date(row: Row, _: Known, first: float) -> str | None:
    date = row["min_date"]
    return f"Its earliest date is {date.date()}." if date and date.year < first else None


@_rule(
    *("late-date", "routine", "variables"),
    "Nothing has happened after the build, apart from planned dates, such as travel.",
    "the latest Booking Date is 2199-12-31",
    is_default=False,
)
def _late_date(row: Row, known: Known, _: float) -> str | None:
    date, built = row["max_date"], known.build_date
    if not date or not built or date <= built:
        return None
    return f"Its latest date is {date.date()}; the system was built on {built.date()}."


@_rule(
    *("unusual-name", "routine", "variables"),
    "Where nine of ten names begin alike, people expect it of the tenth.",
    "`Income` among 21 variables on People that begin with “pe”",
    threshold=("alike_share", 0.9),
)
def _unusual_name(row: Row, known: Known, habit: float) -> str | None:
    beginning, number, of = known.beginnings[row["table_name"]]
    if of < _LEAST_VARIABLES or number < habit * of or row["name"].startswith(beginning):
        return None
    on = truncate(row["table_name"])
    return f"{number:,} of {of:,} variables on {on!r} begin with {truncate(beginning)!r}."


UNUSED_EXCEPTION = "unused-exception"

RULES = (
    *_RULES,
    LintRule(
        *(UNUSED_EXCEPTION, "routine", "exceptions"),
        "An exception without a finding would hide the next finding of its kind.",
        "`boKeyCd` is no longer mostly Unclassified",
        lambda *_: None,  # they are found once all rules were checked
    ),
)
"""The rules; their names never change."""

RULE_NAMES = tuple(rule.name for rule in RULES)
THRESHOLDS = {rule.threshold[0]: rule.threshold[1] for rule in RULES if rule.threshold}


def chosen(select: Collection[str] | None, ignore: Collection[str]) -> tuple[LintRule, ...]:
    """The rules to check.

    Args:
        select: their names, or ``all``; None for those on by default.
        ignore: names of rules to leave out, or ``all``.

    Raises:
        UnknownKeyError: there is no such rule.
    """
    for name in (*(select or ()), *ignore):
        _check_rule(name, (*RULE_NAMES, ALL))
    return tuple(
        rule
        for rule in RULES
        if not {rule.name, ALL} & {*ignore}
        and (rule.is_default if select is None else rule.name in select or ALL in select)
    )


def _check_rule(name: str, names: tuple[str, ...] = RULE_NAMES) -> None:
    """Raise an error if no rule has a name.

    Raises:
        UnknownKeyError: no rule has it; the message names the nearest.
    """
    if name not in names:
        near = nearest(name, [strings(names)])
        hint = f"Nearest: {list_names(near)}." if near else f"There are {', '.join(names)}."
        raise UnknownKeyError(f"There is no rule {truncate(name)!r}. {hint}")


def findings(known: Known, rules: Iterable[LintRule], settings: Settings) -> pa.Table:
    """What the rules find, the most severe first; rules whose noun is not loaded are skipped.

    Args:
        known: what they look at.
        rules: the rules.
        settings: the settings of the user.

    Returns:
        a table under ``schema.FINDINGS_SCHEMA``.
    """
    exempted = {(each.rule, each.name): each for each in settings.exceptions}
    checked = {rule.name: rule for rule in rules if not rule.needs or rule.needs in known.catalogue}
    used: set[tuple[str, str]] = set()
    found: list[tuple[LintRule, str, str]] = []
    for rule in checked.values():
        called, usual = rule.threshold or ("", 0)
        key = "path" if rule.of == "folders" else "name"
        for row in known.rows(rule.of) if rule.name != UNUSED_EXCEPTION else ():
            if message := rule.find(row, known, settings.thresholds.get(called, usual)):
                if (rule.name, row[key]) in exempted:
                    used.add((rule.name, row[key]))
                else:
                    found.append((rule, row[key], message))
    if unused := checked.get(UNUSED_EXCEPTION):
        reason = "It matches nothing any more; remove it. Its reason was: "
        found += [
            (unused, f"{each.rule}: {each.name}", f"{reason}{each.reason}")
            for key_of, each in exempted.items()
            if key_of not in used and each.rule in checked
        ]
    # Stable: rules of one severity keep their order.
    found.sort(key=lambda row: schema.SEVERITIES.index(row[0].severity), reverse=True)
    columns = {
        "rule": strings(rule.name for rule, _, _ in found),
        "severity": strings(rule.severity for rule, _, _ in found),
        "noun": strings(rule.noun for rule, _, _ in found),
        "name": strings(name for _, name, _ in found),
        "message": strings(message for _, _, message in found),
    }
    return declared(schema.FINDINGS, columns)


def settings_of(text: str, path: str) -> Settings:
    r"""The settings in the text of a ``lint.toml``.

    Args:
        text: the file, with ``[thresholds]``, and ``[[exceptions]]`` that have ``rule``, ``name``
            and ``reason``.
        path: its path, for errors.

    Raises:
        ConfigurationError: it is not TOML, or contains something unknown.

    >>> settings_of("[thresholds]\nfolder_variables = 500", "lint.toml").thresholds
    {'folder_variables': 500}
    """
    try:
        found: dict[str, Any] = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path} is not TOML: {error}.") from None
    thresholds, exceptions = found.pop("thresholds", {}), found.pop("exceptions", [])
    if found:
        raise ConfigurationError(
            f"{path} has {list_names(list(found))}. It may have thresholds and exceptions."
        )
    if not isinstance(thresholds, dict) or not isinstance(exceptions, list):
        raise ConfigurationError(
            f"{path} should have a table [thresholds], and [[exceptions]] for each exception."
        )
    for name, value in thresholds.items():
        if name not in THRESHOLDS:
            raise ConfigurationError(
                f"{path} has a threshold {truncate(name)!r}. There are {', '.join(THRESHOLDS)}."
            )
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
            raise ConfigurationError(f"In {path}, threshold {name!r} should be a number from 0.")
    return Settings(thresholds, tuple(_exempted(each, path) for each in exceptions))


def _exempted(values: Any, path: str) -> Exempted:
    fields = Exempted._fields
    if not isinstance(values, dict) or values.keys() != set(fields):
        raise ConfigurationError(
            f"An exception in {path} should have {', '.join(fields)}, and nothing else."
        )
    if not all(isinstance(value, str) and value.strip() for value in values.values()):
        raise ConfigurationError(
            f"An exception in {path} has no reason, or a value that is not text: give "
            f"{', '.join(fields)} as texts."
        )
    try:
        _check_rule(values["rule"])
    except UnknownKeyError as error:
        raise ConfigurationError(f"An exception in {path}: {error}") from None
    return Exempted(**values)


def _folded(text: str) -> str:
    return text.strip().casefold()


def _percent(share: float) -> str:
    """A share in percent; never a whole that it is not."""
    text = f"{share:.0%}"
    return f"{share:.2%}" if text in ("0%", "100%") and share not in (0, 1) else text
