"""How the files of an archive are called, and what they hold.

A path below the folder of a noun, and of ``builds``, tells all that a listing must::

    system=NAME/build=2026-11-01T03-00-00-3f9a2c1e/DIGEST-codes-DIGEST-folders-DIGEST.parquet

The digests are those of the contents (:func:`digest`): the first of
the system's description, tables and variables, the second of the codes and of the names
of variables whose codes were refused, the third of the folders. Where codes were refused,
``-partial`` follows theirs; what a build does not have is not in its name. The digits after
the date are the beginning of the SHA-256 of the file's name. So equal contents have one
path, whoever adds them, and the bytes are equal as well where the same pyarrow writes
them.

Layout 1 had another: it is read as well. There files were named by a random number, and
only a second build of one date had digits after it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames import schema
from apteco_frames.schema.column import INT, KIND, STRING, TIMESTAMP, Column
from apteco_frames.storage.snapshot import pack_system
from apteco_frames.support.arrays import array_of, integers, table_of

if TYPE_CHECKING:
    from hashlib import _Hash

LAYOUT_VERSION = 2
"""Version of the layout; it rises only when a column or a folder goes or changes its type."""

NOUNS: dict[str, tuple[Column, ...]] = {
    "tables": schema.TABLES,
    "variables": schema.VARIABLES,
    "codes": schema.CODES,
    "folders": schema.FOLDERS,
}
"""The nouns, with the columns that they have in a catalogue."""

USES = "uses"
"""The folder of what uses the variables of a build, which is there on demand only.

It is no noun of a build: the names of a build's files do not tell of it, it may change while the
build stays the same, and it can be removed.
"""

PARTITIONS = pa.schema([("system", STRING), ("build", STRING)])
"""The columns that the names of folders are."""

BUILDS_FOLDER = "builds"
"""The folder of the builds themselves."""

PARTS = "adding"
"""The folder of files that are not in their place yet."""

ENTRY_SCHEMA = pa.schema(
    [
        *(
            f.with_name({"system": "system_name", "build": "build_name"}.get(f.name, f.name))
            for f in schema.BUILDS_SCHEMA
        ),
        pa.field("file", STRING, False),
        pa.field("content", STRING, False),
        pa.field("version", INT, False),
    ]
)
"""The columns of the files there, of which none is called as a partition is.

``added_at`` is null since layout 2, or equal contents would not have equal bytes.
"""

_SORTED_BY = {
    "tables": "name",
    "variables": "name",
    "codes": "variable_name",
    "folders": "path",
    USES: "variable_name",
}
_COLUMNS = {**NOUNS, USES: schema.USES}
_OWN = (
    pa.field("row_number", INT, False),
    pa.field("system_name", STRING, False),
    pa.field("build_date", TIMESTAMP),
)
_ROWS_PER_GROUP = 20_000
_DIGITS = 16
_PATH = re.compile(
    r"(?P<folder>system=[^/]*)/"
    r"build=(?P<name>(?P<date>unknown|\d{4}-\d\d-\d\d[Tt]\d\d-\d\d-\d\d(?:\.\d{6})?)"
    r"(?:-[0-9a-f]{8,64})?)/"
    r"(?:[0-9a-f]{32}(?:-codes)?(?:-folders)?|"
    r"(?P<core>[0-9a-f]{16})(?:-codes-(?P<codes>[0-9a-f]{16}(?:-partial)?))?"
    r"(?:-folders-(?P<folders>[0-9a-f]{16}))?)\.parquet",
    re.ASCII,
)
_PART = re.compile(r"[0-9a-f]{32}\.(?:part|builds|tables|variables|codes|folders)|[^/]+\.claim")

# Windows takes no other characters, does not tell capitals from small letters, and loses dots
# at the end. No engine that splits paths at "=" or "/" meets one.
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_-.")
_LONGEST = 100  # on Windows, a whole path has 260
_LONGEST_OF_LAYOUT_1 = 200

# Engines take the one for null, and Spark reads nothing where there is the other.
_NO_FOLDERS = ("__HIVE_DEFAULT_PARTITION__", "")

# What follows from other columns counts for nothing: later versions may derive more.
_DIGESTED = {
    "tables": [column.name for column in schema.TABLES if column.api_field],
    "variables": [column.name for column in schema.VARIABLES if column.api_field],
    "codes": schema.CODES_SCHEMA.names,
    "folders": schema.FOLDERS_SCHEMA.names,
}


class ArchivedBuild(NamedTuple):
    """A build, as far as its path tells.

    Attributes:
        system: name of its system; None if only its files tell.
        folder: the folder of its system.
        name: what the archive calls it.
        date: its build date.
        path: of its files, below the folder of a noun.
        core, codes, folders: digests; None for what it does not have, and in layout 1.
        modified: when it was added, in nanoseconds of its storage's clock; 0 if that does
            not say.
        size: of its file in ``builds``, in bytes.
    """

    system: str | None
    folder: str
    name: str
    date: datetime | None
    path: str
    core: str | None
    codes: str | None
    folders: str | None
    modified: int = 0
    size: int = 0

    @property
    def fullness(self) -> tuple[int, bool]:
        """How much of a catalogue it has: codes, some of them refused, none; folders."""
        return self.has("codes") * (1 if "-partial" in self.path else 2), self.has("folders")

    @property
    def added_at(self) -> datetime | None:
        """When it was added, in UTC, by its storage's clock; None if that does not say."""
        at = datetime.fromtimestamp(self.modified // 1000 / 1e6, UTC) if self.modified else None
        return at and at.replace(tzinfo=None)

    @property
    def order(self) -> tuple[Any, ...]:
        """By what the builds of a system are in order: the latest last."""
        date = self.date or datetime.min
        return self.date is not None, date, self.fullness, self.modified, self.path

    def has(self, noun: str) -> bool:
        """Whether it has a noun."""
        return noun in ("tables", "variables") or f"-{noun}" in self.path.rpartition("/")[2]

    def covers(self, other: ArchivedBuild) -> bool:
        """Whether it has all that another one has, and perhaps more."""
        return (
            (self.date, self.core) == (other.date, other.core)
            and other.codes in (None, self.codes)
            and other.folders in (None, self.folders)
        )


def build_at(
    path: str, modified: int = 0, size: int = 0, system: str | None = None
) -> ArchivedBuild | None:
    """The build whose files have such a path; None if no build's have.

    Args:
        path: below the folder of a noun.
        modified: of the file in ``builds``, as :class:`ArchivedBuild` has it.
        size: likewise.
        system: the name of its system, if it is known.

    >>> build_at("system=a/build=2026-11-01T03-00-00-3f9a2c1e/0123456789abcdef.parquet").date
    datetime.datetime(2026, 11, 1, 3, 0)
    >>> build_at("system=a/build=../0123456789abcdef.parquet")
    """
    match = _PATH.fullmatch(path)
    if not match:
        return None
    folder, name, date, core, codes, folders = match.groups()
    name = name.replace("t", "T")  # where a file system makes all letters small
    path = f"{folder}/build={name}{path[match.end('name') :]}"
    try:
        built = None if date == "unknown" else _date(date)
    except ValueError:
        return None
    system = system_in(folder) if system is None else system
    is_foreign = system is not None and folder != (
        folder_of(system) if core else _folder_of_layout_1(system)
    )
    if is_foreign or (system is None and "~" not in folder):
        return None
    return ArchivedBuild(system, folder, name, built, path, core, codes, folders, modified, size)


def build_of(
    system: Mapping[str, Any],
    arrows: Mapping[str, pa.Table],
    unavailable: Sequence[str],
) -> ArchivedBuild:
    """The build that a catalogue makes.

    Args:
        system: the description of the system.
        arrows: the rows of its nouns.
        unavailable: names of the variables whose codes the API refused, sorted.
    """

    def digits(refused: Sequence[str], *nouns: str) -> str:
        rows = {noun: arrows[noun] for noun in nouns if noun in arrows}
        return digest(dict(system), rows, refused)[:_DIGITS]

    file = digits(() if "codes" in arrows else unavailable, "tables", "variables")
    if "codes" in arrows:
        file += f"-codes-{digits(unavailable, 'codes')}" + "-partial" * bool(unavailable)
    if "folders" in arrows:
        file += f"-folders-{digits((), 'folders')}"
    name = f"{named_date(system['build_date'])}-{sha256(file.encode()).hexdigest()[:8]}"
    path = f"{folder_of(system['name'])}/build={name}/{file}.parquet"
    build = build_at(path, system=system["name"])
    assert build
    return build


def digest(
    system: dict[str, Any], arrows: Mapping[str, pa.Table], unavailable: Iterable[str] = ()
) -> str:
    """The SHA-256 of what a catalogue holds; see ``snapshot.write`` for the arguments.

    Columns without a value count for nothing, so that a later version, which has more of
    them, finds the same. How Arrow keeps the values (chunks, slices, dictionaries, what lies
    under nulls) counts for nothing either.

    Returns:
        64 hexadecimal digits.
    """
    told = sha256(json.dumps([pack_system(system), sorted(unavailable)]).encode())
    for kind, names in _DIGESTED.items():
        if kind in arrows:
            arrow = arrows[kind]
            told.update(f"{kind} {len(arrow)}".encode())
            for name in names:
                if arrow[name].null_count < len(arrow):
                    told.update(f"{name} ".encode())
                    _tell(told, arrow[name].combine_chunks())
    return told.hexdigest()


def named_date(date: datetime | None) -> str:
    """A build date as names have it: no engine takes it for anything but a text.

    >>> named_date(datetime(2026, 11, 1, 3))
    '2026-11-01T03-00-00'
    """
    return "unknown" if date is None else date.isoformat().replace(":", "-")


def is_part(path: str) -> bool:
    """Whether a path in :data:`PARTS` is one of ours, of any layout."""
    return bool(_PART.fullmatch(path))


def folder_of(system: str) -> str:
    """The folder of a system, below that of a noun.

    Engines decode it: it is percent-encoded, as far as Windows and other file systems
    which do not tell letters by their case need it. Of a name that is too long, or that no
    folder may have, it has the beginning, a tilde, and digits of its own.

    >>> folder_of("50 %"), folder_of("Holidays"), folder_of("..")
    ('system=50%20%25', 'system=%48olidays', 'system=.%2e')
    """
    raw = system.encode("utf-8", "surrogatepass")
    encoded = _encoded(raw)
    if len(encoded) > _LONGEST or system in _NO_FOLDERS:
        encoded = f"{_encoded(system[:8].encode('utf-8', 'surrogatepass'))}~{_hash(raw)}"
    return f"system={encoded}"


def folders_of(system: str) -> set[str]:
    """The folders of a system in all layouts."""
    return {folder_of(system), _folder_of_layout_1(system)}


def system_in(folder: str) -> str | None:
    """The system whose folder it is; None if only its files tell, or it is none's.

    >>> system_in("system=50%20%25")
    '50 %'
    """
    name = unquote(folder.removeprefix("system="))
    return name if "~" not in folder and folder in folders_of(name) else None


def file_schema(noun: str) -> pa.Schema:
    """The columns of a noun's files: an enum is a text there, and three are added.

    >>> file_schema("codes").names[-4:]
    ['count', 'row_number', 'system_name', 'build_date']
    """
    fields = [
        pa.field(c.name, STRING if c.type == KIND else c.type, c.nullable) for c in _COLUMNS[noun]
    ]
    return pa.schema([*fields, *_OWN])


def file_of(noun: str, rows: pa.Table, system: Mapping[str, Any]) -> pa.Buffer:
    """The file of a noun, sorted by variable.

    Args:
        noun: one of :data:`NOUNS`, or :data:`USES`.
        rows: its rows, as a catalogue has them.
        system: the description of the system.
    """
    size = len(rows)
    own = (
        integers(range(size)),
        pa.repeat(array_of([system["name"]], STRING)[0], size),
        pa.repeat(array_of([system["build_date"]], TIMESTAMP)[0], size),
    )
    for field, values in zip(_OWN, own, strict=True):
        rows = rows.append_column(field, values)
    order = [(_SORTED_BY[noun], "ascending"), ("row_number", "ascending")]
    return _parquet(rows.cast(file_schema(noun)).sort_by(order))


def build_file(
    build: ArchivedBuild,
    system: Mapping[str, Any],
    arrows: Mapping[str, pa.Table],
    unavailable: Sequence[str],
) -> pa.Buffer:
    """The file that makes a build exist; see :func:`build_of` for the arguments."""
    row = {
        **{field.name: None for field in ENTRY_SCHEMA},
        **{noun: len(rows) for noun, rows in arrows.items()},
        "system_name": system["name"],
        "build_name": build.name,
        **{name: system[name] for name in ("build_date", "description", "view_name")},
        "unavailable": unavailable,
        "file": build.path,
        "content": build.path.rpartition("/")[2].removesuffix(".parquet"),
        "version": LAYOUT_VERSION,
    }
    return _parquet(table_of([row], ENTRY_SCHEMA))


def known(arrow: pa.Table, noun: str) -> pa.Table:
    """The columns of a noun: a later version may have more of them, an earlier one had fewer."""
    known = pa.schema(list(file_schema(noun))[: -len(_OWN)])
    for field in known:
        if field.nullable and field.name not in arrow.column_names:
            arrow = arrow.append_column(field, pa.nulls(len(arrow), field.type))
    return arrow.select(known.names).cast(known)


def _tell(told: _Hash, values: pa.Array) -> None:
    """Add an array, each value with its length, to what is hashed."""
    if values.null_count:
        _tell(told, pc.is_valid(values))
        values = values.drop_null()
    kind = values.type
    if not len(values):
        return
    if pa.types.is_dictionary(kind):
        _tell(told, values.dictionary_decode())
    elif pa.types.is_list(kind):
        _tell(told, pc.list_value_length(values))
        _tell(told, pc.list_flatten(values))
    elif pa.types.is_string(kind):
        _tell(told, pc.binary_length(values))
        _, offsets, texts = values.buffers()
        bounds = memoryview(offsets).cast("i")
        if texts is not None:
            start, stop = bounds[values.offset], bounds[values.offset + len(values)]
            told.update(memoryview(texts)[start:stop])
    elif pa.types.is_boolean(kind):
        _tell(told, values.cast(pa.uint8()))
    else:
        width = kind.bit_width // 8
        start = values.offset * width
        told.update(memoryview(values.buffers()[1])[start : start + len(values) * width])


def _folder_of_layout_1(system: str) -> str:
    encoded = quote(system, safe="", errors="surrogatepass")
    if len(encoded) > _LONGEST_OF_LAYOUT_1:
        start = quote(system[:16], safe="", errors="surrogatepass")
        encoded = f"{start}~{_hash(system.encode('utf-8', 'surrogatepass'))}"
    return f"system={encoded}"


def _date(text: str) -> datetime:
    return datetime.fromisoformat(f"{text[:10]}T{text[11:].replace('-', ':')}")


def _encoded(raw: bytes) -> str:
    encoded = "".join(chr(byte) if byte in _PLAIN else f"%{byte:02x}" for byte in raw)
    return f"{encoded[:-1]}%2e" if encoded.endswith(".") else encoded


def _hash(raw: bytes) -> str:
    return sha256(raw).hexdigest()[:_DIGITS]


def _parquet(arrow: pa.Table) -> pa.Buffer:
    from pyarrow import parquet

    sink = pa.BufferOutputStream()
    # How the rows came in chunks shows in the pages otherwise.
    parquet.write_table(
        arrow.combine_chunks(), sink, row_group_size=_ROWS_PER_GROUP, write_page_checksum=True
    )
    return sink.getvalue()
