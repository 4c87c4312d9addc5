"""The codes of variables: one request per variable and page.

``GET …/Variables/{name}/Codes``, over several connections, the variables with most codes
first. ``…/All`` would bring them in fewer requests, but repeats the whole variable on each
code: measured for 1,009 variables with 562,740 codes, some 0.4 GB in place of 38 MB. (POST
on the same path makes the server read its codes anew, and is never used.)

Codes are taken to the letter: blanks in them matter, descriptions may be empty or repeat,
a count that is not there stays null.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import pyarrow as pa

from apteco_frames.errors import ApiError, InvalidUrlError
from apteco_frames.orbit.arguments import require_name
from apteco_frames.orbit.client import OrbitClient
from apteco_frames.orbit.deadline import Deadline
from apteco_frames.orbit.paging import read_list
from apteco_frames.orbit.pool import run_all
from apteco_frames.orbit.status import REFUSED
from apteco_frames.schema import CODES
from apteco_frames.schema.column import api_schema

Refusal = ApiError | InvalidUrlError

# To ask for where a variable does not say how many codes it has, and where it says nonsense.
_PAGE_SIZE = 1_000
_LARGEST_PAGE = 1_000_000


class CodeRequest(NamedTuple):
    """A variable whose codes are wanted.

    Attributes:
        name: its name.
        number: how many it says it has; None if it does not say.
        may_have_none: whether it is a date, of which a server need not list codes.
    """

    name: str
    number: int | None
    may_have_none: bool


def load_codes(
    client: OrbitClient,
    system: str,
    wanted: Sequence[CodeRequest],
    deadline: Deadline,
    *,
    connections: int,
) -> Iterator[tuple[str, pa.Table | Refusal]]:
    """The codes of variables, each complete: as they come, so that an error loses none of them.

    Args:
        client: whom to ask.
        system: name of the FastStats system.
        wanted: the variables.
        deadline: how long it may take.
        connections: requests under way at the same time, at most.

    Yields:
        the name of a variable, and the columns ``code``, ``description`` and ``count`` in
        the API's order; or why they are not to be had (status 400, 403 or 404, or a name
        that no URL can hold).

    Raises:
        ListChangedError: the codes of a variable changed while they were read, twice.
        AptecoFramesError: another error of the tree.
    """
    part = deadline.part()
    # The longest first, so that no connection is left with one at the end.
    order = sorted(wanted, key=lambda variable: -(variable.number or 0))
    calls = ((variable.name, partial(_codes, client, system, variable, part)) for variable in order)
    return run_all(calls, part, client.base_url, connections)


def _codes(
    client: OrbitClient, system: str, variable: CodeRequest, deadline: Deadline
) -> pa.Table | Refusal:
    """The codes of a variable, or why they are not to be had."""
    try:
        name = require_name(variable.name, "variable")
        url = client.system_url(system, "Variables", name, "Codes")
        said = variable.number if variable.number and variable.number > 0 else _PAGE_SIZE
        count = min(said, client.page_size or _LARGEST_PAGE)
        page = partial(client.page, url, CODES, deadline, may_be_refused=REFUSED)
        return read_list(page, count, url)
    except InvalidUrlError as error:  # a name that no URL can hold
        return error
    except ApiError as error:
        if error.status not in REFUSED:
            raise
        if variable.may_have_none and error.status != 403:
            return pa.Table.from_batches([], api_schema(CODES))
        return error
