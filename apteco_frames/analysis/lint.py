"""What in a catalogue a careful administrator would mend: the rules, in one table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames import schema
from apteco_frames.analysis.quality import quality
from apteco_frames.errors import UnknownKeyError
from apteco_frames.frame.keys import nearest
from apteco_frames.support.arrays import strings
from apteco_frames.support.text import list_names, truncate

ALL = "all"
"""What selects every rule."""

_PREFIX = 2
_LEAST_VARIABLES = 10
_PERSONAL = re.compile(
    r"\be[- ]?mail|\baddress|\bbirth ?(date|day)|\bmobile (phone|number|no)"
    r"|\b((tele)?phones?|tel|sur ?name|s ?name|(last|family) ?name|date of birth|dob)(?![a-z])",
    re.IGNORECASE,
)
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])|[_\s]+")

Row = Mapping[str, Any]


class Found(NamedTuple):
    """What a rule found: the name of what it is about, and a sentence."""

    name: str
    message: str


class Known:
    """What the rules look at, read when it is needed.

    Args:
        catalogue: ``tables`` and ``variables``, and ``codes`` and ``folders`` if they are known,
            under their declared schemas.
        build_date: when the system was built; None if that is not known.
    """

    def __init__(self, catalogue: Mapping[str, pa.Table], build_date: datetime | None) -> None:
        self._catalogue = catalogue
        self.build_date = build_date

    def has(self, noun: str) -> bool:
        """Whether a noun is known, such as ``codes``."""
        return not noun or noun in self._catalogue

    @cached_property
    def tables(self) -> list[Row]:
        """The tables."""
        return self._rows("tables", "name", "total_records", "variable_count")

    @cached_property
    def variables(self) -> list[Row]:
        """The variables."""
        columns = ("name", "description", "table_name", "is_exportable", "min_date", "max_date")
        return self._rows("variables", *columns)

    @cached_property
    def folders(self) -> list[Row]:
        """The folders."""
        return self._rows("folders", "path", "variable_count", "total_variable_count")

    @cached_property
    def quality(self) -> list[Row]:
        """What the codes of each variable are like."""
        rows: list[Row] = quality(self._catalogue).to_pylist()
        return rows

    def _rows(self, noun: str, *columns: str) -> list[Row]:
        rows: list[Row] = self._catalogue[noun].select(columns).to_pylist()
        return rows


class LintRule(NamedTuple):
    """What is looked for.

    Attributes:
        name: what it is called, for good.
        severity: one of ``SEVERITIES``.
        noun: what it is about, one of ``FINDING_NOUNS``.
        reason: why, in a sentence.
        example: what it finds.
        find: looks for it, with the threshold.
        needs: ``codes`` or ``folders``; empty for what every catalogue has.
        threshold: what its threshold is called, and what it is unless set; none for most.
        is_default: whether it is looked for unless others are selected.
    """

    name: str
    severity: str
    noun: str
    reason: str
    example: str
    find: Callable[[Known, float], Iterable[Found]]
    needs: str = ""
    threshold: tuple[str, float] | None = None
    is_default: bool = True


class Exempted(NamedTuple):
    """A finding that is meant to be so.

    Attributes:
        rule: name of the rule.
        name: the name that the finding has.
        reason: why it is meant to be so.
    """

    rule: str
    name: str
    reason: str


class Settings(NamedTuple):
    """What a user set.

    Attributes:
        thresholds: by what they are called.
        exceptions: the findings that are meant to be so.
    """

    thresholds: Mapping[str, float] = {}
    exceptions: tuple[Exempted, ...] = ()


def _unclassified(known: Known, most: float) -> Iterator[Found]:
    for row in known.quality:
        share = row["unclassified_share"]
        if share is not None and share > most:
            yield Found(row["name"], f"{_percent(share)} of the records are Unclassified.")


def _uncovered(known: Known, most: float) -> Iterator[Found]:
    for row in known.quality:
        coverage = row["coverage"]
        if coverage is not None and abs(coverage - 1) > most:
            message = f"The counts of its codes are {_percent(coverage)} of the table's records."
            yield Found(row["name"], message)


def _undescribed(known: Known, _: float) -> Iterator[Found]:
    for row in known.variables:
        description = row["description"].strip()
        if not description:
            yield Found(row["name"], "It has no description.")
        elif description.casefold() == row["name"].strip().casefold():
            yield Found(row["name"], "Its name is its description.")


def _same_description(known: Known, _: float) -> Iterator[Found]:
    first: dict[tuple[str, str], str] = {}
    for row in known.variables:
        key = row["table_name"], row["description"].strip().casefold()
        other = first.setdefault(key, row["name"]) if key[1] else row["name"]
        if other != row["name"]:
            told = f"{truncate(other)!r} on the same table is described {truncate(key[1])!r}, too."
            yield Found(row["name"], told)


def _undescribed_codes(known: Known, _: float) -> Iterator[Found]:
    for row in known.quality:
        if number := row["undescribed_codes"]:
            what = f"{number:,} of {_codes(row['num_codes'])}"
            have = "has no description of its" if number == 1 else "have no description of their"
            yield Found(row["name"], f"{what} {have} own.")


def _repeated_descriptions(known: Known, _: float) -> Iterator[Found]:
    for row in known.quality:
        if number := row["repeated_descriptions"]:
            what = "1 description stands" if number == 1 else f"{number:,} descriptions stand"
            yield Found(row["name"], f"{what} for several codes each.")


def _single_code(known: Known, _: float) -> Iterator[Found]:
    for row in known.quality:
        if row["type"] == "Selector" and row["used_codes"] == 1:
            only = truncate(row["top_description"])
            yield Found(row["name"], f"All records have one code: {only!r}.")


def _empty_folder(known: Known, _: float) -> Iterator[Found]:
    for row in known.folders:
        if not row["total_variable_count"]:
            yield Found(row["path"], "The folder contains no variables.")


def _crowded_folder(known: Known, most: float) -> Iterator[Found]:
    for row in known.folders:
        if row["variable_count"] > most:
            yield Found(row["path"], f"There are {row['variable_count']:,} variables in it.")


def _without_variables(known: Known, _: float) -> Iterator[Found]:
    for row in known.tables:
        if not row["variable_count"]:
            yield Found(row["name"], "It has no variables.")


def _without_records(known: Known, _: float) -> Iterator[Found]:
    for row in known.tables:
        if not row["total_records"]:
            yield Found(row["name"], "It has no records.")


def _personal(known: Known, _: float) -> Iterator[Found]:
    for row in known.variables:
        if not row["is_exportable"]:
            continue
        for text in (row["description"], row["name"]):
            if match := _PERSONAL.search(" ".join(_WORDS.split(text))):
                told = f"Exportable, and looks personal: {match[0].strip()!r}."
                yield Found(row["name"], told)
                break


def _early_date(known: Known, first: float) -> Iterator[Found]:
    for row in known.variables:
        if row["min_date"] and row["min_date"].year < first:
            yield Found(row["name"], f"Its earliest date is {row['min_date'].date()}.")


def _late_date(known: Known, _: float) -> Iterator[Found]:
    built = known.build_date
    for row in known.variables:
        if built and row["max_date"] and row["max_date"] > built:
            told = f"Its latest date is {row['max_date'].date()}; the build is of {built.date()}."
            yield Found(row["name"], told)


def _unusual_name(known: Known, habit: float) -> Iterator[Found]:
    names: dict[str, list[str]] = {}
    for row in known.variables:
        names.setdefault(row["table_name"], []).append(row["name"])
    for table, of in names.items():
        prefix, number = Counter(name[:_PREFIX] for name in of).most_common(1)[0]
        if len(of) < _LEAST_VARIABLES or number < habit * len(of):
            continue
        for name in of:
            if not name.startswith(prefix):
                told = f"{number:,} of {len(of):,} variables on {truncate(table)!r} begin with "
                yield Found(name, f"{told}{truncate(prefix)!r}.")


def _nothing(_known: Known, _: float) -> Iterator[Found]:
    return iter(())


UNUSED_EXCEPTION = "unused-exception"

RULES = (
    LintRule(
        "exportable-personal-data",
        "breaking",
        "variable",
        "What identifies a person should leave the system only where that is meant to be.",
        "`peSName`, described “Surname”, may be exported",
        _personal,
    ),
    LintRule(
        "table-without-records",
        "breaking",
        "table",
        "A table without records has normally lost its feed.",
        "Responses has no records",
        _without_records,
    ),
    LintRule(
        "mostly-unclassified",
        "notable",
        "variable",
        "A selector that says nothing of most records misleads who selects by it.",
        "79% of the bookings have no Response Code",
        _unclassified,
        needs="codes",
        threshold=("unclassified_share", 0.5),
    ),
    LintRule(
        "incomplete-coverage",
        "notable",
        "variable",
        "Each record has one code of a selector, so that counts add up to the table's records.",
        "the counts of Grade are 97% of the bookings",
        _uncovered,
        needs="codes",
        threshold=("coverage_difference", 0.0),
    ),
    LintRule(
        "single-used-code",
        "notable",
        "variable",
        "A selector of one value selects all or nothing.",
        "all people have the Title “Mrs”",
        _single_code,
        needs="codes",
    ),
    LintRule(
        "no-description",
        "notable",
        "variable",
        "People look for variables by what they are described as.",
        "`peOccu` is described “peOccu”",
        _undescribed,
    ),
    LintRule(
        "same-description",
        "notable",
        "variable",
        "Who finds two variables of one description cannot tell which to take.",
        "two variables on Bookings are described “Cost”",
        _same_description,
    ),
    LintRule(
        "undescribed-codes",
        "routine",
        "variable",
        "A code alone tells only those who know it already.",
        "code 29 of Destination is described “29”, or not at all",
        _undescribed_codes,
        needs="codes",
    ),
    LintRule(
        "repeated-descriptions",
        "routine",
        "variable",
        "Of two codes of one description people select one and miss the other.",
        "two codes of Destination are described “Sweden”",
        _repeated_descriptions,
        needs="codes",
    ),
    LintRule(
        "table-without-variables",
        "notable",
        "table",
        "Nothing can be asked of a table without variables.",
        "Content has records and no variables",
        _without_variables,
    ),
    LintRule(
        "empty-folder",
        "routine",
        "folder",
        "People open a folder because they expect something in it.",
        "Segments has no variables",
        _empty_folder,
        needs="folders",
    ),
    LintRule(
        "crowded-folder",
        "routine",
        "folder",
        "Nobody reads a list of hundreds of variables.",
        "one folder has all 840 variables",
        _crowded_folder,
        needs="folders",
        threshold=("folder_variables", 200),
    ),
    LintRule(
        "early-date",
        "notable",
        "variable",
        "Dates before 1900 are normally defaults of another system, or typing errors.",
        "the earliest DOB is 1753-01-01",
        _early_date,
        threshold=("first_year", 1900),
    ),
    LintRule(
        "late-date",
        "routine",
        "variable",
        "Nothing has happened after the build, unless dates are planned ones, as of travel.",
        "the latest Booking Date is 2199-12-31",
        _late_date,
        is_default=False,
    ),
    LintRule(
        "unusual-name",
        "routine",
        "variable",
        "Where nine of ten names begin alike, people expect it of the tenth.",
        "`Income` among 21 variables on People that begin with “pe”",
        _unusual_name,
        threshold=("alike_share", 0.9),
    ),
    LintRule(
        UNUSED_EXCEPTION,
        "routine",
        "exception",
        "An exception that fits nothing any more would hide the next finding of its kind.",
        "`boKeyCd` is no longer mostly Unclassified",
        _nothing,
    ),
)
"""The rules; their names stay."""

RULE_NAMES = tuple(rule.name for rule in RULES)
THRESHOLDS = {rule.threshold[0]: rule.threshold[1] for rule in RULES if rule.threshold}


def chosen(select: Collection[str] | None, ignore: Collection[str]) -> tuple[LintRule, ...]:
    """The rules to look by.

    Args:
        select: their names, or ``all``; None for those that are looked for by default.
        ignore: names of those to leave out, or ``all``.

    Raises:
        UnknownKeyError: there is no such rule.
    """
    for name in (*(select or ()), *ignore):
        check_rule(name, (*RULE_NAMES, ALL))
    return tuple(
        rule
        for rule in RULES
        if not {rule.name, ALL} & {*ignore}
        and (rule.is_default if select is None else rule.name in select or ALL in select)
    )


def check_rule(name: str, names: tuple[str, ...] = RULE_NAMES) -> None:
    """See that there is a rule of a name.

    Raises:
        UnknownKeyError: there is none; the message names the nearest.
    """
    if name not in names:
        near = nearest(name, [strings(names)])
        hint = f"Nearest: {list_names(near)}." if near else f"There are {', '.join(names)}."
        raise UnknownKeyError(f"There is no rule {truncate(name)!r}. {hint}")


def findings(known: Known, rules: Iterable[LintRule], settings: Settings) -> pa.Table:
    """What the rules find, the most severe first; what they need and is not known is passed over.

    Args:
        known: what they look at.
        rules: the rules.
        settings: what the user set.

    Returns:
        a table under ``schema.FINDINGS_SCHEMA``.
    """
    exempted = {(e.rule, e.name): e for e in settings.exceptions}
    used: set[tuple[str, str]] = set()
    rows = []
    looked = [rule for rule in rules if known.has(rule.needs)]
    for rule in looked:
        threshold = 0.0
        if rule.threshold:
            called, usual = rule.threshold
            threshold = settings.thresholds.get(called, usual)
        for name, message in rule.find(known, threshold):
            if (rule.name, name) in exempted:
                used.add((rule.name, name))
            else:
                rows.append((rule, name, message))
    names = {rule.name: rule for rule in looked}
    if unused := names.get(UNUSED_EXCEPTION):
        rows += [
            (
                unused,
                f"{e.rule}: {e.name}",
                f"It fits nothing any more; take it out. Its reason was: {e.reason}",
            )
            for key, e in exempted.items()
            if key not in used and e.rule in names
        ]
    # Stable: of one severity as the rules and the catalogue have them.
    rows.sort(key=lambda row: schema.SEVERITIES.index(row[0].severity), reverse=True)
    columns = {
        "rule": strings(rule.name for rule, _, _ in rows),
        "severity": strings(rule.severity for rule, _, _ in rows),
        "noun": strings(rule.noun for rule, _, _ in rows),
        "name": strings(name for _, name, _ in rows),
        "message": strings(message for _, _, message in rows),
    }
    return _declared(columns)


def _declared(columns: Mapping[str, pa.Array]) -> pa.Table:
    arrays = [
        pa.DictionaryArray.from_arrays(
            pc.index_in(columns[c.name], value_set=strings(c.values)).cast(pa.uint8()),
            strings(c.values),
        )
        if c.values
        else columns[c.name]
        for c in schema.FINDINGS
    ]
    return pa.table(arrays, schema=schema.FINDINGS_SCHEMA)


def _percent(share: float) -> str:
    """A share in percent; never a whole that it is not."""
    text = f"{share:.0%}"
    return f"{share:.2%}" if text in ("0%", "100%") and share not in (0, 1) else text


def _codes(number: int) -> str:
    return "1 code" if number == 1 else f"{number:,} codes"
