"""A catalogue that reads its codes and folders from the API, on first use."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, suppress
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames.analysis.uses import SELECTOR_TYPES, rows_of, uncertain
from apteco_frames.catalogue import Catalogue, data_of
from apteco_frames.codes import Codes
from apteco_frames.errors import ApiResultsError, CodesError, NotLoadedError, warn
from apteco_frames.folders import Folders
from apteco_frames.links import Links, links_of
from apteco_frames.normalize.codes import CodeStore, with_codes
from apteco_frames.normalize.folders import arrange, flat
from apteco_frames.normalize.variables import tell_kinds
from apteco_frames.orbit.arguments import Options
from apteco_frames.orbit.build import Build, glance, load_build
from apteco_frames.orbit.client import OrbitClient
from apteco_frames.orbit.codes import Refusal, Wanted, load_codes
from apteco_frames.orbit.folders import Walk, walk
from apteco_frames.orbit.task import Task, Turn
from apteco_frames.orbit.uses import load_uses
from apteco_frames.schema import DATE_SUB_TYPES
from apteco_frames.storage.cache import CacheEntry, cache_of
from apteco_frames.support.arrays import strings
from apteco_frames.support.fork import ProcessLock
from apteco_frames.support.progress import Progress, Report, progress_of
from apteco_frames.support.text import clipped
from apteco_frames.system import system_info_of
from apteco_frames.tables import Tables
from apteco_frames.uses import Uses
from apteco_frames.variables import Variables

_MOST_NAMES = 10


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
        cls, session: object, access: Access, task: Task, *, anew: bool = False
    ) -> LiveCatalogue:
        """The catalogue of a system as it is now; warns of what is odd in it.

        Args:
            session: the session that it is for.
            access: whom to ask for it.
            task: whose time it takes.
            anew: whether to ask the server for what is kept, too.

        Raises:
            AptecoFramesError: an error of the tree.
        """
        with access.client.secrets.kept_out():
            return cls(session, access, *_read(access, task, anew))

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
            with self._alone() as task:
                folders = self._folders
                if folders is None:  # no other thread was faster
                    folders = self._folders = Folders(self._read_folders(task), self)
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
                if uses is None:  # no other thread was faster
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
        with self._alone() as task, progress_of("uses of variables", chosen) as shown:
            found = load_uses(
                self._client,
                self._system,
                self._user,
                folders,
                selectors,
                task,
                connections=self._client.code_connections,
                report=self._reporting(shown),
            )
            for warning in found.warnings:
                warn(warning)
            named = strings({used.variable for each in found.resources for used in each.named})
            wanted = strings(uncertain(found.resources, variables))
            with suppress(CodesError):  # what cannot be told then has no code
                self._read_codes(
                    variables.filter(pc.is_in(variables["name"], wanted)), progress=False
                )
            known = self._data.codes.of(variables.filter(pc.is_in(variables["name"], named)))
            rows = rows_of(found.resources, known)
            self._data.read_uses = lambda: rows
            self._data.unavailable_uses = sum(found.refused.values())
            uses = self._uses = Uses(rows, self, self._data.unavailable_uses)
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
        known = self._data.codes
        if not known.missing(variables, again):
            return known
        with self._alone() as task:
            known = self._data.codes
            self._take_kept_codes(known)
            wanted = _wanted(variables, known.missing(variables, again))
            if not wanted:  # another thread was faster
                return known
            self._check_details(task)
            chosen = self._progress if progress is None else progress
            refused = self._load(wanted, task, chosen)
            self._check_build(task)
            tables, self._unproven = self._unproven, {}
            known.add(tables, refused if skip else ())
            if tables:
                self._keep_codes(known, refused.keys() | known.refused)
        sizes = {name: len(table) for name, table in tables.items()}
        _warn_of_numbers(_wanted(self._data.variables, tables), sizes, self._place)
        if refused and not skip:
            raise self._refused(refused)
        return known

    def _load(self, wanted: Sequence[Wanted], task: Task, progress: Progress) -> dict[str, Refusal]:
        """Read codes, but for those that were read before an earlier load failed.

        They are kept aside until it is known that the system is of the same build still. So
        after an error, such as that of a session that has ended, only the rest is read.

        Returns:
            what was refused, by variable.
        """
        todo = [variable for variable in wanted if variable.name not in self._unproven]
        refused: dict[str, Refusal] = {}
        connections = self._client.code_connections
        loading = load_codes(self._client, self._system, todo, task, connections=connections)
        with progress_of("codes of variables", progress) as shown:
            report = self._reporting(shown)
            for done, (name, found) in enumerate(loading, 1 + len(wanted) - len(todo)):
                if isinstance(found, Refusal):
                    refused[name] = found
                else:
                    self._unproven[name] = found
                if report:
                    report(done, len(wanted))
        return refused

    def _take_kept_codes(self, known: CodeStore) -> None:
        """Take in the codes that an earlier session kept; those that were refused it asks for."""
        kept = self._kept.read("codes") if self._kept and not self._has_kept_codes else None
        if kept is None:
            return
        self._has_kept_codes = True
        rows, lacking = kept
        variables = self._data.variables
        names = [name for name in with_codes(variables) if name not in lacking]
        sizes = known.add_rows(rows, names)
        _warn_of_numbers(_wanted(variables, names), sizes, self._place)

    def _keep_codes(self, known: CodeStore, refused: Set[str]) -> None:
        """Keep the codes on disk, once those of all variables were asked for."""
        if self._kept is None:
            return
        lacking = known.missing(self._data.variables, again=True)
        if refused >= set(lacking):
            rows = known.of(self._data.variables)
            self._kept.write("codes", rows, lacking)
            self._has_kept_codes = True

    def _read_folders(self, task: Task) -> pa.Table:
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
        self._check_details(task)
        with progress_of("folders", self._progress) as report:
            found = walk(
                self._client,
                self._system,
                task,
                connections=self._client.code_connections,
                report=self._reporting(report),
            )
        self._check_build(task)
        arranged, is_odd = self._arranged(found)
        if self._kept and not is_odd:  # what was warned of is asked for again
            self._kept.write("folders", arranged)
        return self._hold(arranged)

    def _hold(self, folders: pa.Table) -> pa.Table:
        self._data.read_folders = lambda: folders
        return folders

    @contextmanager
    def _alone(self) -> Iterator[Task]:
        """A task, once no other thread reads for this session in this process.

        Raises:
            NotLoadedError: this thread does, and asks for more from within ``progress=``.
            OrbitConnectionError: the other thread took too long.
        """
        if self._telling == threading.get_ident():
            raise NotLoadedError(
                f"A progress= callable asked for codes or folders of the {self._place} while "
                "others are being read. Take them before that load, or once it is over."
            )
        task = self._client.new_task()
        with (
            self._turn.own.taken(task, self._client.base_url),
            self._client.secrets.kept_out(),
        ):
            yield task

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

    def _check_build(self, task: Task) -> None:
        """See that the system is of the build that the catalogue is of.

        Without a build date, tables and variables are compared.

        Raises:
            ApiResultsError: it is of another.
        """
        self._check_details(task)
        if self._data.system_info.build_date is not None:
            return
        now = load_build(self._client, self._system, task)
        then = self._data.tables.select(now.tables.column_names), self._data.variables
        if (now.tables, tell_kinds(now.variables)) != then:
            self._unproven = {}
            raise ApiResultsError(
                f"The tables or variables of {self._place} are others than when this session read "
                "them, and it does not say when it was built. Nothing was used. Call "
                "session.refresh(), which reads it anew, and take its frames after that."
            )

    def _check_details(self, task: Task) -> None:
        """See that the system's details, and so the date of its build, are those of the catalogue.

        Raises:
            ApiResultsError: they are others.
        """
        now = system_info_of(self._client.system(self._system, task))
        then = self._data.system_info
        if now != then:
            self._unproven = {}
            raise ApiResultsError(
                f"The {self._place} was rebuilt since this session read it: built "
                f"{then.build_date}, now {now.build_date}. Nothing was used. Call "
                "session.refresh(), which reads it anew, and take its frames after that."
            )

    @property
    def _place(self) -> str:
        return f"system {clipped(self._system)!r} at {self._client.base_url}"

    def _refused(self, refused: dict[str, Refusal]) -> CodesError:
        first = next(iter(refused.values()))
        return CodesError(
            f"The API refuses the codes of {_named(list(refused))} in {self._place}. Of the first "
            f"it says: {first} To go on without them: "
            'session.load_codes(unavailable="skip"); codes.unavailable then lists them.'
        )

    def _arranged(self, found: Walk | None) -> tuple[pa.Table, bool]:
        """The folders, and whether something was odd about them."""
        variables = self._data.variables
        is_old = found is None
        if found is None:
            warn(
                f"The server of {self._place} lists no folders (status 404), as older ones do. "
                "The folders are those that the variables name, without a tree."
            )
            found = Walk(flat(variables["folder_name"], variables["name"]), [])
        if found.refused:
            paths = ["/".join(names) for names in found.refused]
            warn(
                f"The API does not give the contents of the folders {_named(paths)} in "
                f"{self._place}. They are kept as if they were empty. Ask your administrator for "
                "the right to them."
            )
        known = set(variables["name"].to_pylist())
        strange = [n for node in found.nodes for n in node.variable_names if n not in known]
        if strange:
            warn(
                f"Folders of {self._place} hold {_named(strange)}, which the list of variables "
                "does not have. They are left out. If they were made since, call session.refresh()."
            )
        nodes = [
            node._replace(variable_names=[n for n in node.variable_names if n in known])
            for node in found.nodes
        ]
        is_odd = is_old or bool(found.refused or strange)
        return arrange(nodes, variables["name"], self._place), is_odd


def _read(access: Access, task: Task, anew: bool) -> tuple[Catalogue, CacheEntry | None]:
    """A catalogue, and where its codes and folders are kept; see :meth:`LiveCatalogue.read`."""
    client, options, system, user = access
    source = f"system {clipped(system)!r} at {client.base_url}"
    cache = cache_of(options.get("cache"), (client.base_url, client.data_view, system, user))
    if cache and not anew:
        details, count = glance(client, system, task)
        info = system_info_of(details)
        found = cache.read(info._asdict(), count)
        if found:
            saved, kept = found
            for warning in saved.notes["warnings"]:
                warn(warning)
            return Catalogue(info, saved.tables, saved.variables, source=source), kept
    with progress_of("variables", options.get("progress")) as report:
        build: Build = load_build(client, system, task, report)
    info = system_info_of(build.system)
    catalogue = Catalogue(info, build.tables, build.variables, source=source)
    for warning in build.warnings:
        warn(warning)
    if cache is None:
        return catalogue, None
    data = data_of(catalogue)
    rows = {"tables": data.tables, "variables": data.variables}
    return catalogue, cache.write(info._asdict(), rows, build.warnings, anew=anew)


def _wanted(variables: pa.Table, names: Iterable[str]) -> list[Wanted]:
    chosen = set(names)
    columns = variables.select(["name", "num_codes", "sub_type"]).to_pylist()
    return [
        Wanted(row["name"], row["num_codes"], row["sub_type"] in DATE_SUB_TYPES)
        for row in columns
        if row["name"] in chosen
    ]


def _warn_of_numbers(wanted: Sequence[Wanted], sizes: Mapping[str, int], place: str) -> None:
    """Warn where there are not as many codes as the variable says."""
    other = [
        f"{clipped(variable.name)!r} ({sizes[variable.name]:,}, not {variable.number:,})"
        for variable in wanted
        if variable.name in sizes
        and variable.number is not None
        and sizes[variable.name] != variable.number
        and not (variable.may_have_none and not sizes[variable.name])
    ]
    if other:
        rest = len(other) - _MOST_NAMES
        more = f" and {rest:,} more" if rest > 0 else ""
        warn(
            f"Variables of the {place} have another number of codes than they say: "
            f"{', '.join(other[:_MOST_NAMES])}{more}. What the API lists was kept; its list of "
            "codes may be older than the build."
        )


def _named(names: Sequence[str]) -> str:
    listed = ", ".join(repr(clipped(name)) for name in names[:_MOST_NAMES])
    rest = len(names) - _MOST_NAMES
    return f"{listed} and {rest:,} more" if rest > 0 else listed
