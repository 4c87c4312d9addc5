"""What a session reads: a build, and on first use the codes and folders of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa

from apteco_frames.catalogue import Catalogue, SystemFrames
from apteco_frames.codes import Codes
from apteco_frames.errors import ApiResultsError, CodesError, warn
from apteco_frames.folders import Folders, arrange, flat
from apteco_frames.orbit.arguments import Progress
from apteco_frames.orbit.client import Build, OrbitClient
from apteco_frames.orbit.codes import Refusal, Wanted, load_codes
from apteco_frames.orbit.folders import Walk, walk
from apteco_frames.orbit.schema import DATE_SUB_TYPES
from apteco_frames.orbit.task import Task
from apteco_frames.orbit.text import clipped
from apteco_frames.system import system_info_of
from apteco_frames.tables import Tables
from apteco_frames.variables import Variables

_MOST_NAMES = 10


def read_catalogue(client: OrbitClient, system: str, task: Task) -> Catalogue:
    """The catalogue of a system as it is now; warns of what is odd in it.

    Raises:
        AptecoFramesError: an error of the tree.
    """
    build: Build = client.load(system, task)
    source = f"system {clipped(system)!r} at {client.base_url}"
    info = system_info_of(build.system)
    catalogue = Catalogue(info, build.tables, build.variables, source=source)
    for warning in build.warnings:
        warn(warning)
    return catalogue


class LiveBuild(SystemFrames):
    """A build of a system that reads codes and folders on first use, each once.

    Its frames keep to it when the session goes on to another build. Its methods may be
    called from many threads.

    Args:
        session: the session that it belongs to.
        client: whom to ask.
        system: name of the FastStats system.
        catalogue: the build, and what holds the codes and folders that were read.
    """

    def __init__(
        self, session: object, client: OrbitClient, system: str, catalogue: Catalogue
    ) -> None:
        self._catalogue = catalogue
        self._session = session
        self._client = client
        self._system = system
        self._lock = threading.Lock()
        self._making = threading.Lock()
        self._folders: Folders | None = None
        self._system_info = catalogue.system_info
        self._tables = Tables(catalogue.tables.arrow, self)
        self._variables = Variables(catalogue.variables.arrow, self)

    @property
    def catalogue(self) -> Catalogue:
        """The build offline, with what was read of its codes and folders."""
        return self._catalogue

    @property
    def folders(self) -> Folders:
        """The folders.

        Raises:
            ApiResultsError: the system was rebuilt since, or the folders have no end.
            AptecoFramesError: another error of the tree.
        """
        if self._folders is None:
            self._read_folders()
            with self._making:  # or two threads could get different objects
                if self._folders is None:
                    self._folders = Folders(self.catalogue.folders.arrow, self)
        return self._folders

    def load_codes(self, variables: Variables, skip: bool, progress: Progress | None) -> Codes:
        """The codes of variables, after those that are not there yet, or were refused before.

        See ``Session.load_codes``.
        """
        self._read_codes(variables.arrow, skip=skip, again=not skip, progress=progress)
        return variables.codes if variables._home is self else self._codes_of(variables)

    def _codes_of(self, variables: Variables) -> Codes:
        self._read_codes(variables.arrow)
        return Codes(self.catalogue._known_codes.of(variables.arrow), self, variables)

    def _read_codes(
        self,
        variables: pa.Table,
        *,
        skip: bool = False,
        again: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """Read the codes of variables that are not there yet.

        Args:
            variables: a table under ``schema.VARIABLES_SCHEMA``.
            skip: whether to leave out variables whose codes the API refuses.
            again: whether to ask again for those that were left out before.
            progress: called with the number of variables done so far, and of all.

        Raises:
            CodesError: the API refuses codes; what it gave is kept all the same.
            ApiResultsError: the system was rebuilt since the catalogue was read, or
                answers are malformed or contradict each other.
            AptecoFramesError: another error of the tree.
        """
        known = self.catalogue._known_codes
        if not known.missing(variables, again):
            return
        with self._alone() as task:
            wanted = _wanted(variables, known.missing(variables, again))
            if not wanted:  # another thread was faster
                return
            self._check_build(task)
            loaded = load_codes(
                self._client,
                self._system,
                wanted,
                task,
                connections=self._client.code_connections,
                progress=progress,
            )
            self._check_build(task)
            known.add(loaded.tables, loaded.refused if skip else ())
        _warn_of_numbers(wanted, loaded.tables, self._place)
        if loaded.refused and not skip:
            raise self._refused(loaded.refused)

    def _read_folders(self) -> None:
        """Read the folders, unless they are there.

        Raises:
            ApiResultsError: as of :meth:`_read_codes`; or the folders have no end.
            AptecoFramesError: another error of the tree.
        """
        if self.catalogue.has_folders:
            return
        with self._alone() as task:
            if self.catalogue.has_folders:
                return
            self._check_build(task)
            found = walk(
                self._client, self._system, task, connections=self._client.code_connections
            )
            self._check_build(task)
            self.catalogue._keep_folders(self._arranged(found))

    @contextmanager
    def _alone(self) -> Iterator[Task]:
        """A task, once no other thread reads for this session."""
        task = self._client.new_task()
        if not task.wait_for(lambda seconds: self._lock.acquire(timeout=seconds)):
            raise task.too_late(self._client.base_url)
        try:
            yield task
        finally:
            self._lock.release()

    def _check_build(self, task: Task) -> None:
        """See that the system is of the build that the catalogue is of.

        Raises:
            ApiResultsError: it is of another.
        """
        now = system_info_of(self._client.system(self._system, task))
        then = self.catalogue.system_info
        if now != then:
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

    def _arranged(self, found: Walk | None) -> pa.Table:
        variables = self.catalogue.variables.arrow
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
        return arrange(nodes, variables["name"], self._place)


def _wanted(variables: pa.Table, names: Sequence[str]) -> list[Wanted]:
    chosen = set(names)
    columns = variables.select(["name", "num_codes", "sub_type"]).to_pylist()
    return [
        Wanted(row["name"], row["num_codes"], row["sub_type"] in DATE_SUB_TYPES)
        for row in columns
        if row["name"] in chosen
    ]


def _warn_of_numbers(wanted: Sequence[Wanted], tables: dict[str, pa.Table], place: str) -> None:
    """Warn where there are not as many codes as the variable says."""
    other = [
        f"{clipped(variable.name)!r} ({len(tables[variable.name]):,}, not {variable.number:,})"
        for variable in wanted
        if variable.name in tables
        and variable.number is not None
        and len(tables[variable.name]) != variable.number
        and not (variable.may_have_none and not len(tables[variable.name]))
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
