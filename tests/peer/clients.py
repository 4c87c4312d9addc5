"""The vendor's clients, logged in to a demo server and closed again; and systems for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import apteco
import apteco_api
from hypothesis import strategies as st
from strategies import catalogues, with_codes_and_folders

from apteco_frames import Session
from apteco_frames.catalogue import Catalogue
from apteco_frames.demo import DemoServer


@contextmanager
def apteco_session(server: DemoServer) -> Iterator[Any]:
    """An ``apteco.Session``, whose connections are closed at the end."""
    session = apteco.login_with_password(
        server.base_url, server.data_view, server.system, server.user, server.password
    )
    with closing_connections(session.api_client):
        yield session


@contextmanager
def theirs_and_ours(server: DemoServer) -> Iterator[tuple[Any, Session]]:
    """An ``apteco.Session`` and one of ours, each logged in by itself."""
    with apteco_session(server) as theirs, server.login() as ours:
        yield theirs, ours


@contextmanager
def plain_api_client(server: DemoServer) -> Iterator[Any]:
    """An ``apteco_api.ApiClient`` as its documentation makes one, logged in."""
    config = apteco_api.Configuration(host=server.base_url)
    with closing_connections(apteco_api.ApiClient(config)) as client:
        sessions = apteco_api.SessionsApi(client)
        details = sessions.sessions_create_session_simple(
            server.data_view, server.user, server.password
        )
        config.api_key = {"Authorization": details.access_token}
        config.api_key_prefix = {"Authorization": "Bearer"}
        yield client


@contextmanager
def closing_connections(client: Any) -> Iterator[Any]:
    """An ``apteco_api.ApiClient``, whose own ``close`` would leave its connections open."""
    with client:
        try:
            yield client
        finally:
            client.rest_client.pool_manager.clear()


def systems(max_tables: int, max_variables: int) -> st.SearchStrategy[Catalogue]:
    """Systems that the vendor's clients can load, with names that ours asks for, too."""
    return catalogues(max_tables, max_variables, for_apteco=True).filter(
        lambda catalogue: all(
            name.strip() for name in (catalogue.system_info.name, catalogue.system_info.view_name)
        )
    )


def whole_systems(max_tables: int, max_variables: int) -> st.SearchStrategy[Catalogue]:
    """The same with codes and folders, whose names a URL can hold."""
    return (
        systems(max_tables, max_variables)
        .filter(lambda catalogue: all(v.name.strip(" .") for v in catalogue.variables))
        .flatmap(with_codes_and_folders)
    )
