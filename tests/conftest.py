"""Settings that every test shares: derandomised properties, no colours, a home of its own."""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import itertools
import logging
import os
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from typer.main import get_command

from clew.cli import context

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

settings.register_profile(
    "ci",
    derandomize=True,
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("long", max_examples=5_000, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("long" if os.environ.get("CLEW_LONG") else "ci")


_HOMES = itertools.count()

# Nothing that is imported or collected is freed before the end: looking at it again and again takes seconds.
gc.disable()
atexit.register(gc.unfreeze)  # else DuckDB complains


def pytest_collection_finish() -> None:
    """From here on, garbage is collected among what the tests make."""
    gc.freeze()
    gc.enable()


class _Unsynced(sqlite3.Connection):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        with contextlib.suppress(sqlite3.DatabaseError):  # damaged: the reader is to find it
            self.execute("PRAGMA synchronous = OFF")


@pytest.fixture(autouse=True, scope="session")
def _no_waiting_for_disks() -> Iterator[None]:
    """Catalogues of lakes are not forced to disk: tests kill processes, never machines."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3.dbapi2, "connect", functools.partial(sqlite3.connect, factory=_Unsynced))
        yield


@pytest.fixture(autouse=True, scope="session")
def _one_command_line() -> Iterator[None]:
    """The options of all commands are read from their functions once, not in each of hundreds of runs of `clew`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.testing._get_command", functools.cache(get_command), raising=False)
        yield


@pytest.fixture(scope="session")
def _models() -> Iterator[None]:
    """The SDK reads each of its models once, instead of for each session: most of the time of some tests."""
    from botocore.loaders import JSONFileLoader, Loader

    read = functools.cache(functools.partial(JSONFileLoader.load_file, JSONFileLoader()))
    services = functools.cache(functools.partial(Loader.list_available_services, Loader()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", lambda _, path: read(path))
        patch.setattr(Loader, "list_available_services", lambda _, type_name: list(services(type_name)))
        yield


@pytest.fixture(scope="session")
def _server(_models: None) -> Iterator[str]:
    """An emulator of AWS over HTTP: one for all tests of a process."""
    moto_server = pytest.importorskip("moto.server")
    logging.getLogger("werkzeug").setLevel("CRITICAL")
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test has its own Clew home and no options of an earlier command, so that none sees another's workspace."""
    context.configure(context.Globals())
    # Numbered by us: pytest would list all earlier homes to find the next number.
    home = tmp_path_factory.getbasetemp() / f"clew-home-{next(_HOMES)}"
    home.mkdir()
    for name in [name for name in os.environ if name.startswith(("CLEW_", "AWS_")) and name != "CLEW_LONG"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CLEW_HOME", str(home))
    monkeypatch.setenv("NO_COLOR", "1")
    return home
