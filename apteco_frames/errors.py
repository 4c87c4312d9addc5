"""Everything the package raises on purpose, as one tree.

::

    AptecoFramesError
     ├── ApiError                  the API answered with an error status
     │    ├── LoginError           the user could not log in
     │    └── SessionExpiredError  the token is no longer accepted, or has expired
     ├── OrbitConnectionError      no answer, or not in time
     │    └── GatewayError         something other than the API answered
     ├── ApiResultsError           an answer that is malformed or contradicts itself
     ├── TablesError               the tables do not form one tree
     ├── VariablesError            the variables do not fit the tables, or each other
     ├── FoldersError              the folders do not form a tree
     ├── CodesError                codes do not fit the variables, or were refused
     ├── NotLoadedError            a catalogue was saved without codes or folders
     ├── UnknownKeyError           (also KeyError) nothing has that name or description
     ├── AmbiguousKeyError         (also KeyError) several variables have it
     ├── UnknownValueError         (also ValueError) a closed set of values does not have it
     ├── RowIndexError             (also IndexError) there are not that many rows
     ├── SqlError                  invalid SQL, or an unknown table or column
     ├── DeserializeError          a serialised session cannot be read
     ├── ConfigurationError        a file of settings is not as it should be
     ├── SnapshotError             catalogue files cannot be read, or must not be overwritten
     ├── ArchiveError              an archive cannot be read
     ├── PasswordPromptError       no way to ask for the password, or no answer
     ├── ForkedProcessError       polars was used before the process was forked
     ├── InvalidUrlError           (also ValueError) not a valid Orbit API base URL
     └── MissingDependencyError    (also ImportError) an optional package is not installed

    AptecoFramesWarning
     ├── CatalogueWarning          an answer is odd but usable
     ├── CacheWarning              a cache cannot be used; nothing is kept
     └── InsecureTransportWarning  others could read or change what is sent

Each message says what happened, where, and what to do next; none contains a password, a
token or a session id. Names that the ``apteco`` package has, too (``ApiResultsError``,
``TablesError``, ``VariablesError``, ``DeserializeError``), mean the same as there.
"""

from __future__ import annotations

import collections.abc
import contextlib
import contextvars
import enum
import os
import pathlib
import sys
import warnings


class Hint(enum.Enum):
    """What to do next, where Python says it in other words than another program would.

    The value is what Python says. The terminal has words of its own for each.
    """

    LOG_IN_AGAIN = "Log in again with login() or session.renew(password)."
    TYPE_PASSWORD = "Log in again where it can be typed, or hand it to login_with_password()."
    REFRESH = "Call session.refresh(), which reads it anew, and take its frames after that."
    REFRESH_IF_NEW = "If they were made since, call session.refresh()."
    LOAD_CODES = (
        "Log in, call session.load_codes(), and take or write session.catalogue after that."
    )
    LOAD_FOLDERS = (
        "Log in, use session.folders once, and take or write session.catalogue after that."
    )
    LOAD_USES = (
        "Log in, call session.load_uses(), and take session.catalogue after that; or write it with "
        "uses=True."
    )
    LOAD_REST = "session.load_codes() reads codes, and session.folders reads folders."
    ASK_FOR_CODES_AGAIN = "session.load_codes() asks for them again."
    SKIP_CODES = (
        'To go on without them: session.load_codes(unavailable="skip"); codes.unavailable then '
        "lists them."
    )
    NAME_CATALOGUE = "Pass a folder written by Catalogue.write_parquet()."
    NAME_FILE_SYSTEM = (
        "Name a folder; a URI that begins file:///, s3://, gs://, abfs:// or hdfs://, as "
        "pyarrow.fs takes it; or give another file system with filesystem=."
    )
    NAME_CACHE = "Name another folder with cache= or APTECO_FRAMES_CACHE_DIR."
    NAME_AUTHORITY = "If its authority is one of your own, name it: verify='ca.pem'."
    # The environment's proxies would otherwise come before those of the session.
    PROXY_LOGIN = (
        "Give its user and password in http=: http = requests.Session(); http.trust_env = False; "
        "http.proxies = {'https': 'http://user:password@proxy:8080'}."
    )
    SMALLER_PAGES = "Ask for less at a time: page_size=100."
    MORE_TIME = "Try again, or give it longer: timeout=(connect, read, total), in seconds."


class _Hinted(Exception):
    """What says what happened, and what to do next.

    Args:
        text: what happened, and where.
        hint: what to do next, in the words of Python.
    """

    hint: Hint | str | None = None

    def __init__(self, *text: object, hint: Hint | str | None = None) -> None:
        super().__init__(*text)
        if hint:
            self.hint = hint

    def __str__(self) -> str:
        return self.worded({})

    def worded(self, words: collections.abc.Mapping[Hint, str]) -> str:
        """The message, with the hint in the words of another program than Python.

        Args:
            words: what that program says for each hint.
        """
        text, hint = Exception.__str__(self), self.hint
        told = words.get(hint, hint.value) if isinstance(hint, Hint) else hint
        return " ".join(filter(None, (text, told)))


class AptecoFramesError(_Hinted):
    """The base of every error that the package raises on purpose.

    Attributes:
        hint: what to do next, with which the message ends; None if that is in the message, or
            nothing can be done.

    >>> issubclass(SessionExpiredError, AptecoFramesError)
    True
    >>> error = SessionExpiredError("The session has ended.", hint=Hint.LOG_IN_AGAIN)
    >>> print(error)
    The session has ended. Log in again with login() or session.renew(password).
    >>> print(error.worded({Hint.LOG_IN_AGAIN: "Run the command again."}))
    The session has ended. Run the command again.
    """


class ApiError(AptecoFramesError):
    """The API answered with an error status.

    Attributes:
        status: HTTP status code of the answer; ``None`` if no request was made.
        url: the requested URL, without any secret.
        code: ``ErrorMessage.code`` of the answer, a number for this kind of error.
        error_id: ``ErrorMessage.id`` of the answer, with which an administrator finds
            the details on the server.
        message: the server's own words: ``ErrorMessage.message``, or whatever the answer
            has instead.
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
        hint: Hint | str | None = None,
    ) -> None:
        super().__init__(text, hint=hint)
        self.status = status
        self.url = url
        self.code = code
        self.error_id = error_id
        self.message = message


class LoginError(ApiError):
    """The API did not accept the user name or password, or the user, or wants a second factor."""


class SessionExpiredError(ApiError):
    """The access token has expired, or the session was ended."""


class OrbitConnectionError(AptecoFramesError):
    """The API could not be reached, or did not answer in time."""


class GatewayError(OrbitConnectionError):
    """Something other than the Orbit API answered: a gateway, a proxy, a login page."""


class ApiResultsError(AptecoFramesError):
    """An answer from the API is malformed, or answers contradict each other."""


class TablesError(AptecoFramesError):
    """The tables do not form a single tree of distinct tables."""


class VariablesError(AptecoFramesError):
    """A variable's table is unknown, or two variables have one name."""


class FoldersError(AptecoFramesError):
    """The folders do not form a tree of distinct paths."""


class CodesError(AptecoFramesError):
    """Codes belong to no variable, or the API refused the codes of a variable."""


class NotLoadedError(AptecoFramesError):
    """A catalogue contains no codes, or no folders; the message says how to get them."""


class SqlError(AptecoFramesError):
    """Invalid SQL, or an unknown table or column; the message lists those that exist."""


class DeserializeError(AptecoFramesError):
    """A string is not a serialised session, or part of it is missing."""


class ConfigurationError(AptecoFramesError):
    """A file of settings, such as ``lint.toml``, cannot be read, or is not as it should be."""


class SnapshotError(AptecoFramesError):
    """Catalogue files are missing, damaged, foreign or newer than this package."""


class ArchiveError(AptecoFramesError):
    """An archive cannot be listed or created, or files in it are damaged or too new."""


class PasswordPromptError(AptecoFramesError):
    """There was no way to ask for the password, or the prompt was cancelled."""


class ForkedProcessError(AptecoFramesError):
    """polars was used before this process was forked, and would wait forever in it.

    Anything that uses polars may raise it: ``.frame``, ``.filter()``, ``.write_csv()``,
    ``.sql()``, and ``builds``, ``scan()`` and ``history()`` of an archive.
    """


class InvalidUrlError(AptecoFramesError, ValueError):
    """Not a valid Orbit API base URL; nothing was sent."""


class MissingDependencyError(AptecoFramesError, ImportError):
    """An optional package is needed and not installed."""


class UnknownKeyError(AptecoFramesError, KeyError):
    """Nothing has the name or description that was looked up.

    >>> print(UnknownKeyError("No table is named 'Pepole'. Nearest: 'People'."))
    No table is named 'Pepole'. Nearest: 'People'.
    """


class AmbiguousKeyError(AptecoFramesError, KeyError):
    """Several variables match the key; the message names them with their tables."""


class UnknownValueError(AptecoFramesError, ValueError):
    """A filter asks for a value that a closed set does not have; the message names the nearest."""


class RowIndexError(AptecoFramesError, IndexError):
    """A frame has no row at that position."""


class AptecoFramesWarning(_Hinted, UserWarning):
    """The base of every warning of the package.

    Attributes:
        hint: as of :class:`AptecoFramesError`.
    """


class InsecureTransportWarning(AptecoFramesWarning):
    """Others on the network could read or change the password and token."""


class CacheWarning(AptecoFramesWarning):
    """The cache folder cannot be used: everything is read from the server, and not kept."""


class CatalogueWarning(AptecoFramesWarning):
    """An answer of the API is odd but usable; the message says how it was understood."""


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
    """How to install a newer version of this package, or an extra of it.

    Args:
        extra: the name of one, such as ``excel``.

    >>> print(how_to_install("excel"))
    from a clone of the repository: python -m pip install --upgrade ".[excel]"
    """
    what = f'".[{extra}]"' if extra else "."
    return f"from a clone of the repository: python -m pip install --upgrade {what}"


def warn(
    message: str,
    category: type[Warning] = CatalogueWarning,
    *,
    hint: Hint | str | None = None,
) -> None:
    """Warn, pointing to the line outside the package that led here.

    Args:
        message: what happened, and where.
        category: the kind of warning.
        hint: what to do next.
    """
    package = str(pathlib.Path(__file__).parent) + os.sep
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(package):
        level, frame = level + 1, frame.f_back
    text = _reworded.get()(message)
    warned = category(text, hint=hint) if issubclass(category, _Hinted) else category(text)
    warnings.warn(warned, stacklevel=level)
