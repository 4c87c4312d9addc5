"""Uses: which audiences, dashboards, compositions and files use what, the frame and the row."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames import schema
from apteco_frames.analysis.uses import broken
from apteco_frames.errors import Hint, warn
from apteco_frames.frame.base import CatalogueFrame
from apteco_frames.frame.rows import Row, attribute
from apteco_frames.links import Owner, links_of
from apteco_frames.support.arguments import not_a
from apteco_frames.support.text import list_names, truncate

if TYPE_CHECKING:
    from apteco_frames.nouns import Variable


class Use(Row):
    """One use: a resource that uses a variable, or a code of it, in one of its parts."""

    __slots__ = ()

    kind: str = attribute(schema.USES, "kind")
    id: str = attribute(schema.USES, "id")
    title: str = attribute(schema.USES, "title")
    owner: str | None = attribute(schema.USES, "owner")
    part: str = attribute(schema.USES, "part")
    variable_name: str = attribute(schema.USES, "variable_name")
    code: str | None = attribute(schema.USES, "code")
    source: str = attribute(schema.USES, "source")
    updated: datetime | None = attribute(schema.USES, "updated")
    hits: int | None = attribute(schema.USES, "hits")

    @property
    def variable(self) -> Variable:
        """The variable that is used.

        Raises:
            UnknownKeyError: the catalogue no longer has it.
        """
        return links_of(self).variable(self.variable_name)

    def _describe(self) -> str:
        code = "" if self.code is None else f"[{truncate(self.code)!r}]"
        what = f"{self.kind} {truncate(self.id)} {truncate(self.title)!r}"
        return f"{what} uses {truncate(self.variable_name)}{code}"


class BrokenUse(Use):
    """A use that no longer works, and why."""

    __slots__ = ()

    why: str = attribute(schema.BROKEN_USES, "why")

    def _describe(self) -> str:
        return f"{super()._describe()}: {self.why}"


class Uses(CatalogueFrame[Use], columns=schema.USES):
    """Which audiences, dashboards, compositions and selection files use which variables.

    One row for each resource, part of it, variable and code. ``uses["Swedes"]`` looks a use up
    by the title of its resource; ``variable.uses``, ``code.uses`` and ``table.uses`` are the
    uses of one. The columns:

    [columns]

    A code is claimed only where it is certain: where a selector is compared with a list of codes,
    without banding. A code that fits only without the blanks around it is that code. Everywhere
    else, as in expressions, in dimensions of cubes and in lists of bands, dates, numbers or parts
    of texts, and for variables that the catalogue does not have, the variable is used without a
    code. So ``code.uses`` may miss a use, but ``variable.uses`` does not.

    What this does not see: PeopleStage, collections, what the user may not list, and variables
    that only the text of an expression names on a server that does not look them up.

    Args:
        arrow: the uses, under :attr:`schema`.
        catalogue: the catalogue that they were read with.
        unavailable: see :attr:`unavailable`.
    """

    _noun = "use"
    _row_type = Use
    _keys = ("title",)
    _preview: ClassVar[tuple[str, ...]] = (
        *("kind", "title", "owner", "part", "variable_name", "code"),
    )
    _when_several = "Have them all with .filter(title=...)."

    def __init__(self, arrow: pa.Table, catalogue: Owner, unavailable: int = 0) -> None:
        super().__init__(arrow, catalogue)
        self._unavailable = unavailable

    @property
    def unavailable(self) -> int:
        """How many resources the API listed, but refused to show: what they use is not known."""
        return self._unavailable

    def broken(self, catalogue: Any, *, older: Any = None) -> BrokenUses:
        """The uses that no longer work in another catalogue: a newer build, or another system.

        Nothing is read from a server. Codes are looked for where the catalogue has the codes
        of the variable; a ``CatalogueWarning`` says where it has not.

        Args:
            catalogue: the catalogue, or a session with it.
            older: the catalogue that says of which type a variable was before; unless given, the
                one that the uses were read with.

        Returns:
            these uses, each with :attr:`BrokenUse.why`.

        Raises:
            TypeError: ``catalogue`` or ``older`` is neither a catalogue nor a session.

        >>> import polars as pl
        >>> from apteco_frames import Catalogue
        >>> from apteco_frames.demo import DemoServer
        >>> with DemoServer() as demo, demo.login() as session:
        ...     uses = session.uses
        >>> whole = session.catalogue
        >>> fewer = Catalogue(
        ...     whole.system_info, whole.tables, whole.variables.filter(pl.col("name") != "boDest")
        ... )
        >>> {(use.title, use.why) for use in uses.broken(fewer) if use.kind == "dashboard"}
        {('Bookings by destination', 'variable gone')}
        """
        newer = _offline(catalogue, "broken() takes a catalogue, or a session with it")
        before = links_of(self).catalogue
        if older is not None:
            before = _offline(older, "older= takes a catalogue, or a session with it")
        known, variables = newer.links.codes(), newer.variables.arrow
        codes = known.of(variables)
        lacking = {*known.missing(variables, again=True), *known.refused}
        names = set(variables["name"].to_pylist())
        with_code = self.arrow.filter(pc.is_valid(self.arrow["code"]))["variable_name"]
        unsure = set(with_code.to_pylist()) & names & lacking
        if unsure:
            warn(
                f"The catalogue of system {truncate(newer.system_info.name)!r} does not have the "
                f"codes of {list_names(sorted(unsure))}, so codes that are gone were not looked "
                "for there.",
                hint=Hint.ASK_FOR_CODES_AGAIN,
            )
        older_variables = before.variables.arrow
        rows = broken(self.arrow, older_variables, variables, codes, names - lacking)
        return BrokenUses(rows, links_of(self).owner, self._unavailable)

    def __contains__(self, key: object) -> bool:
        """Whether a resource with that title uses anything, or the use is here."""
        return (
            any(use == key for use in self) if isinstance(key, Row) else super().__contains__(key)
        )

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is not here, in a sentence each."""
        number = self._unavailable
        what = "resource is missing: the API refused to show what it uses"
        if number > 1:
            what = "resources are missing: the API refused to show what they use"
        return (f"{number:,} {what}.",) if number else ()

    _remarks = remarks

    @property
    def _further(self) -> tuple[Any, ...]:
        return (self._unavailable,)


class BrokenUses(Uses, columns=schema.BROKEN_USES):
    """Uses that no longer work, as :meth:`Uses.broken` finds them.

    The columns:

    [columns]
    """

    _noun = "broken use"
    _row_type = BrokenUse
    _preview = ("kind", "title", "owner", "part", "variable_name", "code", "why")


def _offline(catalogue: Any, wanted: str) -> Any:
    found = getattr(catalogue, "catalogue", None)
    if not hasattr(found, "system_info"):
        raise not_a(wanted, catalogue)
    return found
