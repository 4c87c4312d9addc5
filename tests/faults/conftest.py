"""Meeting a fault: how it ends, how long that takes, and that no secret shows on the way."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faults.sentinels import found, shown_by_error, shown_by_session
from faults.server import FaultyServer
from lanes import PATIENCE

from apteco_frames import Catalogue, Session
from apteco_frames.errors import AptecoFramesError

FULL = "the full catalogue"
# For faults that end by themselves, and for those that only the clock ends.
LONG = (PATIENCE, PATIENCE, 10 * PATIENCE)
SHORT = (0.5, 0.5, 0.6)

Meet = Callable[..., str]


def as_far_as(read: Catalogue, served: Catalogue) -> Catalogue:
    """What is served, without the codes and folders that were not read."""
    return Catalogue(
        served.system_info,
        served.tables,
        served.variables,
        served.codes if read.has_codes else None,
        served.folders if read.has_folders else None,
    )


@pytest.fixture
def meet(
    request: pytest.FixtureRequest,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Meet:
    """Runs a login, or what is given instead, against a server with a fault.

    It ends within its time in the full catalogue or in one of our errors, which names
    the server, and no secret shows. What is returned is the error's text, or ``FULL``.
    """

    def run(
        server: FaultyServer,
        action: Callable[[], Session] | None = None,
        *,
        kind: type[AptecoFramesError] | tuple[type[AptecoFramesError], ...] = (),
        within: float = PATIENCE,
        where: str | None = None,
        **options: Any,
    ) -> str:
        caplog.set_level(logging.DEBUG)
        options = {"timeout": LONG, **options}
        shown: list[tuple[str, str | bytes]] = []
        told: list[tuple[str, str | bytes]] = []
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            started = time.monotonic()
            try:
                session = action() if action else server.login(**options)
                outcome: AptecoFramesError | str = FULL
            except AptecoFramesError as error:
                outcome = error
            seconds = time.monotonic() - started
        if isinstance(outcome, AptecoFramesError):
            told += shown_by_error(outcome)
            public = (k for k in type(outcome).__mro__ if k.__module__ == "apteco_frames.errors")
            name = next(public).__name__
        else:
            assert session.catalogue == as_far_as(session.catalogue, server.served)
            shown += shown_by_session(session, tmp_path / "written")
            name = FULL
        shown += [("logs", caplog.text)]
        shown += [(f"log of {record.name}", repr(record.args)) for record in caplog.records]
        own = (record for record in caplog.records if record.name == "apteco_frames")
        told += [("log", record.getMessage()) for record in own]
        shown += [("a warning", str(warning.message)) for warning in caught]
        shown += list(zip(("stdout", "stderr"), capfd.readouterr(), strict=True))
        test = request.node.originalname.removeprefix("test_").replace("_", " ")
        if hasattr(request.node, "callspec"):
            test += f": {request.node.callspec.id}"
        request.node.user_properties.append(("fault", (test, name, seconds)))
        assert found(server.secrets, shown + told) == []
        assert found(server.session_ids, shown + told) == []
        assert seconds < within
        kinds = kind if isinstance(kind, tuple) else (kind,)
        assert name in ([k.__name__ for k in kinds] or [FULL]), outcome
        if kinds:
            assert (where or server.base_url) in str(outcome)
        return str(outcome)

    return run
