"""A catalogue that reads its codes and folders from the API, on first use."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, suppress
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames.analysis.uses import SELECTOR_TYPES, resolved, rows_of, uncertain
from apteco_frames.catalogue import Catalogue, data_of
from apteco_frames.codes import Codes
from apteco_frames.errors import ApiResultsError, CodesError, Hint, NotLoadedError, warn
from apteco_frames.folders import Folders
from apteco_frames.links import Links, links_of
from apteco_frames.normalize.codes import CodeStore, with_codes
from apteco_frames.normalize.folders import arrange, flat
from apteco_frames.normalize.variables import tell_kinds
from apteco_frames.orbit.client import OrbitClient
from apteco_frames.orbit.deadline import Deadline, Turn
from apteco_frames.orbit.load import (
    CodeRequest,
    LoadedCatalogue,
    Refusal,
    Walk,
    load_catalogue,
    load_codes,
    probe,
    walk,
)
from apteco_frames.orbit.options import Options
from apteco_frames.orbit.uses import load_uses
from apteco_frames.schema import DATE_SUB_TYPES
from apteco_frames.storage.cache import CacheEntry, cache_of
from apteco_frames.support.arrays import strings
from apteco_frames.support.fork import ProcessLock
from apteco_frames.support.progress import Progress, Report, progress_of
from apteco_frames.support.text import list_items, list_names, truncate
from apteco_frames.system import system_info_of
from apteco_frames.tables import Tables
from apteco_frames.uses import Uses
from apteco_frames.variables import Variables

_MOST_NAMES = 10
# Of how many variables codes are read, to learn what blanks they have. Where more are unsure, it
# is their declared lengths that are wrong.
_MOST_ASKED_FOR = 20


class Access(NamedTuple):
    """Which catalogue is read, and from whom.

    Attributes:
        client: whom to ask.
        options: those of the login: whether to keep catalogues on disk, and whether to show how
            far a load is.
        system: name of the FastStats system.
        user: the user, whose rights the catalogue depends on.
    """

    client: OrbitClient
    options: Options
    system: str
    user: str


class LiveCatalogue:
    """A catalogue that reads codes and folders on first use, each once.

    Its frames keep to it when the session goes on to another build; where that is the same,
    but read anew, it goes on with what was read. Its methods may be called from many threads.

    Args:
        session: the session that it belongs to.
        access: whom to ask for it.
        catalogue: what was read so far.
        kept: where its codes and folders are kept on disk; None if they are not.
    """

    def __init__(
        self,
        session: object,
        access: Access,
        catalogue: Catalogue,
        kept: CacheEntry | None = None,
    ) -> None:
        self._client, options, self._system, self._user = access
        self._progress = options.get("progress")
        self._keeps_uses = bool(options.get("uses"))
        self._turn = ProcessLock(Turn)
        self._telling: int | None = None  # which thread is in a callable of the user's
        self._start(catalogue, kept)
        self.links = Links(self, lambda: self._data.codes, self._read_codes, session)
        self.tables = Tables(self._data.tables, self)
        self.variables = Variables(self._data.variables, self)

    def _start(self, catalogue: Catalogue, kept: CacheEntry | None) -> None:
        self._catalogue, self._data, self._kept = catalogue, data_of(catalogue), kept
        self._has_kept_codes = False
        self._unproven: dict[str, pa.Table] = {}
        self._folders: Folders | None = None
        self._uses: Uses | None = None

    @classmethod
    def read(
        cls, session: object, access: Access, deadline: Deadline, *, anew: bool = False
    ) -> LiveCatalogue:
        """The catalogue of a system as it is now; warns of what is odd in it.

        Args:
            session: the session that it is for.
            access: whom to ask for it.
            deadline: how long it may take.
            anew: whether to ask the server for what is kept, too.

        Raises:
            AptecoFramesError: an error of the tree.
        """
        with access.client.secrets.kept_out():
            return cls(session, access, *_read(access, deadline, anew))

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue offline, with what was read of its codes and folders."""
        return self._catalogue

    @property
    def folders(self) -> Folders:
        """The folders.

        Raises:
            ApiResultsError: the system was rebuilt since, or the folders have no end.
            AptecoFramesError: another error of the tree.
        """
        folders = self._folders
        if folders is None:
            with self._alone() as deadline:
                folders = self._folders
                if folders is None:  # no other thread was faster
                    folders = self._folders = Folders(self._read_folders(deadline), self)
        return folders

    @property
    def uses(self) -> Uses:
        """What uses the variables, without selection files.

        Raises:
            ApiResultsError: a resource is malformed.
            AptecoFramesError: another error of the tree.
        """
        uses = self._uses
        if uses is None:
            with self._alone():
                uses = self._uses
                kept = self._kept.read("uses") if self._kept and self._keeps_uses else None
                if uses is None and kept:  # no other thread was faster
                    uses = self._hold_uses(kept[0], 0)
                elif uses is None:
                    uses = self.load_uses((), None)
        return uses

    def load_uses(self, folders: Sequence[str], progress: Progress) -> Uses:
        """What uses the variables, read anew.

        See ``Session.load_uses``.
        """
        variables = self._data.variables
        is_selector = pc.is_in(variables["type"].cast(pa.string()), strings(SELECTOR_TYPES))
        selectors = frozenset(variables["name"].filter(is_selector).to_pylist())
        chosen = self._progress if progress is None else progress
        with self._alone() as deadline, progress_of("uses of variables", chosen) as shown:
            found = load_uses(
                self._client,
                self._system,
                self._user,
                folders,
                selectors,
                deadline,
                connections=self._client.code_connections,
                report=self._reporting(shown),
            )
            for warning in found.warnings:
                warn(warning)
            named = strings({used.variable for each in found.resources for used in each.named})
            unsure = uncertain(found.resources, variables)
            if len(unsure) <= _MOST_ASKED_FOR:
                wanted = variables.filter(pc.is_in(variables["name"], strings(unsure)))
                with suppress(CodesError):  # they stay as they are then
                    self._read_codes(wanted, progress=False)
            known = self._data.codes.of(variables.filter(pc.is_in(variables["name"], named)))
            rows = resolved(rows_of(found.resources), known)
            is_odd = found.refused or found.warnings
            if self._kept and self._keeps_uses and not is_odd:  # which is asked for again
                self._kept.write("uses", rows)
            return self._hold_uses(rows, sum(found.refused.values()))

    def _hold_uses(self, rows: pa.Table, unavailable: int) -> Uses:
        self._data.read_uses, self._data.unavailable_uses = lambda: rows, unavailable
        uses = self._uses = Uses(rows, self, unavailable)
        return uses

    def load_codes(self, variables: Variables, skip: bool, progress: Progress) -> Codes:
        """The codes of variables, after those that are not there yet, or were refused before.

        See ``Session.load_codes``.
        """
        self._read_codes(variables.arrow, skip=skip, again=not skip, progress=progress)
        is_own = links_of(variables).owner is self
        return (variables if is_own else Variables(variables.arrow, self)).codes

    def take_over(self, other: LiveCatalogue) -> bool:
        """Go on as another does that was read anew, if its tables and variables are the same.

        Codes and folders are forgotten; their frames and rows that are there already stay as
        they are.
        """
        mine, others = (
            (live.catalogue.system_info, live.tables, live.variables) for live in (self, other)
        )
        if mine != others:
            return False
        with self._alone():
            self._start(other._catalogue, other._kept)
        return True

    def _read_codes(
        self,
        variables: pa.Table,
        *,
        skip: bool = False,
        again: bool = False,
        progress: Progress = None,
    ) -> CodeStore:
        """Read the codes of variables that are not there yet.

        Args:
            variables: a table under ``schema.VARIABLES_SCHEMA``.
            skip: whether to leave out variables whose codes the API refuses.
            again: whether to ask again for those that were left out before.
            progress: what to report to; as at login unless given.

        Returns:
            what is known now, with the codes of these variables.

        Raises:
            CodesError: the API refuses codes; what it gave is kept all the same.
            ApiResultsError: the system was rebuilt since the catalogue was read, or
                answers are malformed or contradict each other.
            AptecoFramesError: another error of the tree.
        """
        store = self._data.codes
        if not store.missing(variables, again):
            return store
        with self._alone() as deadline:
            store = self._data.codes
            self._take_kept_codes(store)
            requests = _requests(variables, store.missing(variables, again))
            if not requests:  # another thread was faster
                return store
            self._check_details(deadline)
            chosen = self._progress if progress is None else progress
            refused = self._load(requests, deadline, chosen)
            self._check_build(deadline)
            tables, self._unproven = self._unproven, {}
            store.add(tables, refused if skip else ())
            if tables:
                self._keep_codes(store, refused.keys() | store.refused)
        sizes = {name: len(table) for name, table in tables.items()}
        _warn_of_numbers(_requests(self._data.variables, tables), sizes, self._source)
        if refused and not skip:
            raise self._refused(refused)
        return store

    def _load(
        self, requests: Sequence[CodeRequest], deadline: Deadline, progress: Progress
    ) -> dict[str, Refusal]:
        """Read codes, but for those that were read before an earlier load failed.

        They are kept aside until it is known that the system is of the same build still. So
        after an error, such as that of a session that has ended, only the rest is read.

        Returns:
            what was refused, by variable.
        """
        todo = [variable for variable in requests if variable.name not in self._unproven]
        refused: dict[str, Refusal] = {}
        loading = load_codes(self._client, self._system, todo, deadline)
        with progress_of("codes of variables", progress) as shown:
            report = self._reporting(shown)
            for done, (name, found) in enumerate(loading, 1 + len(requests) - len(todo)):
                if isinstance(found, Refusal):
                    refused[name] = found
                else:
                    self._unproven[name] = found
                if report:
                    report(done, len(requests))
        return refused

    def _take_kept_codes(self, store: CodeStore) -> None:
        """Take in the codes that an earlier session kept; those that were refused it asks for."""
        kept = self._kept.read("codes") if self._kept and not self._has_kept_codes else None
        if kept is None:
            return
        self._has_kept_codes = True
        rows, lacking = kept
        variables = self._data.variables
        names = [name for name in with_codes(variables) if name not in lacking]
        sizes = store.add_rows(rows, names)
        _warn_of_numbers(_requests(variables, names), sizes, self._source)

    def _keep_codes(self, store: CodeStore, refused: Set[str]) -> None:
        """Keep the codes on disk, once those of all variables were asked for."""
        if self._kept is None:
            return
        lacking = store.missing(self._data.variables, again=True)
        if refused >= set(lacking):
            rows = store.of(self._data.variables)
            self._kept.write("codes", rows, lacking)
            self._has_kept_codes = True

    def _read_folders(self, deadline: Deadline) -> pa.Table:
        """The folders, read unless they are there.

        Raises:
            ApiResultsError: as of :meth:`_read_codes`; or the folders have no end.
            AptecoFramesError: another error of the tree.
        """
        if self._data.read_folders:
            return self._data.read_folders()
        kept = self._kept.read("folders") if self._kept else None
        if kept:
            return self._hold(kept[0])
        self._check_details(deadline)
        with progress_of("folders", self._progress) as report:
            found = walk(
                self._client,
                self._system,
                deadline,
                report=self._reporting(report),
            )
        self._check_build(deadline)
        arranged, is_odd = self._arranged(found)
        if self._kept and not is_odd:  # what was warned of is asked for again
            self._kept.write("folders", arranged)
        return self._hold(arranged)

    def _hold(self, folders: pa.Table) -> pa.Table:
        self._data.read_folders = lambda: folders
        return folders

    @contextmanager
    def _alone(self) -> Iterator[Deadline]:
        """The deadline of a load, once no other thread reads for this session in this process.

        Raises:
            NotLoadedError: this thread does, and asks for more from within ``progress=``.
            OrbitConnectionError: the other thread took too long.
        """
        if self._telling == threading.get_ident():
            raise NotLoadedError(
                f"A progress= callable asked for codes or folders of the {self._source} while "
                "others were being read. Ask for them before that load, or after it."
            )
        deadline = self._client.new_deadline()
        with (
            self._turn.own.taken(deadline, self._client.base_url),
            self._client.secrets.kept_out(),
        ):
            yield deadline

    def _reporting(self, report: Report | None) -> Report | None:
        """What calls the user's callable, and knows that it does."""
        if report is None:
            return None

        def tell(done: int, total: int) -> None:
            self._telling = threading.get_ident()
            try:
                report(done, total)
            finally:
                self._telling = None

        return tell

    def _check_build(self, deadline: Deadline) -> None:
        """See that the system is of the build that the catalogue is of.

        Without a build date, tables and variables are compared.

        Raises:
            ApiResultsError: it is of another.
        """
        self._check_details(deadline)
        if self._data.system_info.build_date is not None:
            return
        now = load_catalogue(self._client, self._system, deadline)
        then = self._data.tables.select(now.tables.column_names), self._data.variables
        if (now.tables, tell_kinds(now.variables)) != then:
            self._unproven = {}
            raise ApiResultsError(
                f"The tables or variables of {self._source} have changed since this session read "
                "them, and the API gives no build date. Nothing was used.",
                hint=Hint.REFRESH,
            )

    def _check_details(self, deadline: Deadline) -> None:
        """See that the system's details, and so the date of its build, are those of the catalogue.

        Raises:
            ApiResultsError: they are others.
        """
        now = system_info_of(self._client.system(self._system, deadline))
        then = self._data.system_info
        if now != then:
            self._unproven = {}
            raise ApiResultsError(
                f"The {self._source} has been rebuilt since this session read it: built "
                f"{then.build_date}, now {now.build_date}. Nothing was used.",
                hint=Hint.REFRESH,
            )

    @property
    def _source(self) -> str:
        return f"system {truncate(self._system)!r} at {self._client.base_url}"

    def _refused(self, refused: dict[str, Refusal]) -> CodesError:
        first = next(iter(refused.values()))
        return CodesError(
            f"The API refused the codes of {list_names(list(refused))} in {self._source}. About "
            f"the first it says: {first}",
            hint=Hint.SKIP_CODES,
        )

    def _arranged(self, found: Walk | None) -> tuple[pa.Table, bool]:
        """The folders, and whether something was odd about them."""
        variables = self._data.variables
        is_old = found is None
        if found is None:
            warn(
                f"The server of {self._source} does not list folders (status 404), as older "
                "servers do not. The folders are those that the variables name, without a tree."
            )
            found = Walk(flat(variables["folder_name"], variables["name"]), [])
        if found.refused:
            paths = ["/".join(names) for names in found.refused]
            warn(
                f"The API refused the contents of the folders {list_names(paths)} in "
                f"{self._source}. They are shown as empty. Ask your administrator for access."
            )
        known = set(variables["name"].to_pylist())
        strange = [n for node in found.nodes for n in node.variable_names if n not in known]
        if strange:
            warn(
                f"Folders of {self._source} contain {list_names(strange)}, which are not in its "
                "list of variables. They were left out.",
                hint=Hint.REFRESH_IF_NEW,
            )
        nodes = [
            node._replace(variable_names=[n for n in node.variable_names if n in known])
            for node in found.nodes
        ]
        is_odd = is_old or bool(found.refused or strange)
        return arrange(nodes, variables["name"], self._source), is_odd


def _read(access: Access, deadline: Deadline, anew: bool) -> tuple[Catalogue, CacheEntry | None]:
    """A catalogue, and where its codes and folders are kept; see :meth:`LiveCatalogue.read`."""
    client, options, system, user = access
    source = f"system {truncate(system)!r} at {client.base_url}"
    cache = cache_of(options.get("cache"), (client.base_url, client.data_view, system, user))
    if cache and not anew:
        details, count = probe(client, system, deadline)
        info = system_info_of(details)
        found = cache.read(info._asdict(), count)
        if found:
            saved, kept = found
            for warning in saved.notes["warnings"]:
                warn(warning)
            return Catalogue(info, saved.tables, saved.variables, source=source), kept
    with progress_of("variables", options.get("progress")) as report:
        build: LoadedCatalogue = load_catalogue(client, system, deadline, report)
    info = system_info_of(build.system)
    catalogue = Catalogue(info, build.tables, build.variables, source=source)
    for warning in build.warnings:
        warn(warning)
    if cache is None:
        return catalogue, None
    data = data_of(catalogue)
    rows = {"tables": data.tables, "variables": data.variables}
    return catalogue, cache.write(info._asdict(), rows, build.warnings)


def _requests(variables: pa.Table, names: Iterable[str]) -> list[CodeRequest]:
    chosen = set(names)
    columns = variables.select(["name", "num_codes", "sub_type"]).to_pylist()
    return [
        CodeRequest(row["name"], row["num_codes"], row["sub_type"] in DATE_SUB_TYPES)
        for row in columns
        if row["name"] in chosen
    ]


def _warn_of_numbers(
    requests: Sequence[CodeRequest], sizes: Mapping[str, int], source: str
) -> None:
    """Warn where there are not as many codes as the variable says."""
    other = [
        f"{truncate(variable.name)!r} ({sizes[variable.name]:,}, not {variable.number:,})"
        for variable in requests
        if variable.name in sizes
        and variable.number is not None
        and sizes[variable.name] != variable.number
        and not (variable.may_have_none and not sizes[variable.name])
    ]
    if other:
        warn(
            f"Variables of the {source} returned a different number of codes than declared: "
            f"{list_items(other[:_MOST_NAMES], len(other))}. The codes that the API lists were "
            "kept; its list may be older than the build."
        )
