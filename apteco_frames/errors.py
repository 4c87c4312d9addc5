"""Everything the package raises on purpose, as one tree.

::

    AptecoFramesError
     ├── ApiError                  the API answered with an error status
     │    ├── LoginError           the user could not log in
     │    └── SessionExpiredError  the token is no longer accepted, or has expired
     ├── OrbitConnectionError      no answer, or none in time
     │    └── GatewayError         something answered, but it was not the API
     ├── ApiResultsError           an answer that is malformed or contradicts itself
     ├── TablesError               the tables do not form one tree
     ├── VariablesError            the variables do not fit the tables, or each other
     ├── FoldersError              the folders do not form a tree
     ├── CodesError                codes do not fit the variables, or were refused
     ├── NotLoadedError            a catalogue was saved without codes or folders
     ├── UnknownKeyError           (also KeyError) nothing has that name or description
     ├── AmbiguousKeyError         (also KeyError) several variables have it
     ├── RowIndexError             (also IndexError) there are not that many rows
     ├── SqlError                  a query in SQL names what is not there, or is none
     ├── SynonymsError             (also ValueError) a file of synonyms cannot be read
     ├── DeserializeError          a serialised session cannot be read
     ├── SnapshotError             catalogue files cannot be read, or must not be overwritten
     ├── ArchiveError              an archive cannot be read
     ├── PasswordPromptError       nobody could be asked for the password, or nobody answered
     ├── ForkedProcessError       polars was used before the process was forked
     ├── InvalidUrlError           (also ValueError) no base URL of an Orbit API
     └── MissingDependencyError    (also ImportError) an optional package is not installed

    AptecoFramesWarning
     ├── CatalogueWarning          what an API said is odd but usable
     ├── CacheWarning              a cache cannot be used, so nothing is kept
     └── InsecureTransportWarning  the connection can be read or changed on its way

Each message says what happened, where, and what to do next; none holds a password, a
token or a session id. The names that the ``apteco`` package has (``ApiResultsError``,
``TablesError``, ``VariablesError``, ``DeserializeError``) mean the same as there.
"""

from __future__ import annotations

import collections.abc
import contextlib
import contextvars
import os
import pathlib
import sys
import warnings


class AptecoFramesError(Exception):
    """The base of every error that the package raises on purpose.

    >>> issubclass(SessionExpiredError, AptecoFramesError)
    True
    """


class ApiError(AptecoFramesError):
    """The API answered with an error status.

    Attributes:
        status: HTTP status code of the answer; ``None`` if no request was made.
        url: the URL asked, without any secret.
        code: ``ErrorMessage.code`` of the answer, a number for this kind of error.
        error_id: ``ErrorMessage.id`` of the answer, by which an administrator finds
            the details on the server.
        message: what the answer says, in its own words: ``ErrorMessage.message``, or what
            stands in its place.
    """

    def __init__(
        self,
        text: str,
        *,
        status: int | None = None,
        url: str | None = None,
        code: int | None = None,
        error_id: int | None = None,
        message: str | None = None,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.url = url
        self.code = code
        self.error_id = error_id
        self.message = message


class LoginError(ApiError):
    """The API did not accept user name or password, or let the user in, or wants more than both."""


class SessionExpiredError(ApiError):
    """The access token has expired, or the session was ended."""


class OrbitConnectionError(AptecoFramesError):
    """The API could not be reached, or did not answer in time."""


class GatewayError(OrbitConnectionError):
    """Something answered, but not the Orbit API: a gateway, a proxy, a login page."""


class ApiResultsError(AptecoFramesError):
    """An answer of the API is malformed, or answers contradict each other."""


class TablesError(AptecoFramesError):
    """The tables do not form a single tree of distinct tables."""


class VariablesError(AptecoFramesError):
    """A variable's table is unknown, or two variables have one name."""


class FoldersError(AptecoFramesError):
    """The folders do not form a tree of distinct addresses."""


class CodesError(AptecoFramesError):
    """Codes are of no variable, or the API refused those of a variable."""


class NotLoadedError(AptecoFramesError):
    """A catalogue holds no codes, or no folders; the message says how to get them."""


class SqlError(AptecoFramesError):
    """A query in SQL names what is not there, or is no query; the message names what is."""


class SynonymsError(AptecoFramesError, ValueError):
    """A file of synonyms cannot be read."""


class DeserializeError(AptecoFramesError):
    """A string is no serialised session, or something is missing from it."""


class SnapshotError(AptecoFramesError):
    """Catalogue files are missing, damaged, foreign or newer than this package."""


class ArchiveError(AptecoFramesError):
    """An archive cannot be listed, files of it are damaged or too new, or none can be there."""


class PasswordPromptError(AptecoFramesError):
    """Nobody could be asked for the password, or the question was cancelled."""


class ForkedProcessError(AptecoFramesError):
    """polars was used before this process was forked, and would never answer in it.

    Whatever works with polars may raise it: ``.frame``, ``.filter()``, ``.write_csv()``,
    ``.sql()``, and ``builds``, ``scan()`` and ``history()`` of an archive.
    """


class InvalidUrlError(AptecoFramesError, ValueError):
    """The text is no base URL of an Orbit API; nothing was sent."""


class MissingDependencyError(AptecoFramesError, ImportError):
    """An optional package is needed that is not installed."""


class _KeyLookupError(AptecoFramesError, KeyError):
    """A ``KeyError`` that prints as the sentence it was given."""

    # KeyError shows repr(argument), which would put quotes and escapes round the text.
    __str__ = Exception.__str__


class UnknownKeyError(_KeyLookupError):
    """Nothing has the name or description that was looked up.

    >>> print(UnknownKeyError("No table is named 'Pepole'. Nearest: 'People'."))
    No table is named 'Pepole'. Nearest: 'People'.
    """


class AmbiguousKeyError(_KeyLookupError):
    """Several variables fit the key; the message names them with their tables."""


class RowIndexError(AptecoFramesError, IndexError):
    """A frame has no row at that position."""


class AptecoFramesWarning(UserWarning):
    """The base of every warning of the package."""


class InsecureTransportWarning(AptecoFramesWarning):
    """Password and token cross the network where others could read or change them."""


class CacheWarning(AptecoFramesWarning):
    """The folder of a cache cannot be used: all is read from the server, and not kept."""


class CatalogueWarning(AptecoFramesWarning):
    """What an API said is odd but usable; the message says what was made of it."""


_Rewording = collections.abc.Callable[[str], str]
_reworded = contextvars.ContextVar[_Rewording]("reworded", default=str)


@contextlib.contextmanager
def rewording(reworded: _Rewording) -> collections.abc.Iterator[None]:
    """Give the warnings of a block in other words.

    Args:
        reworded: gives the words for those of a warning.
    """
    token = _reworded.set(reworded)
    try:
        yield
    finally:
        _reworded.reset(token)


def how_to_install(extra: str = "") -> str:
    """How to install this package, which is on no index, in a newer version, or with an extra.

    Args:
        extra: the name of one, such as ``excel``.

    >>> print(how_to_install("excel"))
    from a clone of the repository: python -m pip install --upgrade ".[excel]"
    """
    what = f'".[{extra}]"' if extra else "."
    return f"from a clone of the repository: python -m pip install --upgrade {what}"


def warn(message: str, category: type[Warning] = CatalogueWarning) -> None:
    """Warn, naming the line outside of the package that led here.

    Args:
        message: what happened, where, and what to do next.
        category: the kind of warning.
    """
    package = str(pathlib.Path(__file__).parent) + os.sep
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(package):
        level, frame = level + 1, frame.f_back
    warnings.warn(_reworded.get()(message), category, stacklevel=level)
