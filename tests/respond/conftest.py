"""An emulator of AWS over real HTTP, empty before each test, and the commands that speak to it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import typer
from botocore.loaders import JSONFileLoader, Loader
from moto.moto_api._internal import moto_api_backend
from tests.collect.conftest import _server
from typer.testing import CliRunner, Result

from clew.cli.commands import fix as fix_command
from clew.errors import ClewError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["_server"]

_load_file = JSONFileLoader.load_file


@cache
def model_file(path: str) -> Any:
    """A file of the SDK's models, read once: most of the time of these tests otherwise."""
    return _load_file(JSONFileLoader(), path)


_list_services = Loader.list_available_services


@cache
def service_names(type_name: str) -> list[str]:
    """The services of the SDK, looked for on disk once instead of for each session."""
    return list(_list_services(Loader(), type_name))


def point_to(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the SDK speak to that endpoint, with throw-away credentials."""
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
        "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(JSONFileLoader, "load_file", lambda _, path: model_file(path))
    monkeypatch.setattr(Loader, "list_available_services", lambda _, type_name: service_names(type_name))


@pytest.fixture
def aws(_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An emulator of AWS without anything in it, behind AWS_ENDPOINT_URL."""
    point_to(_server, monkeypatch)
    moto_api_backend.reset()
    return _server


@pytest.fixture
def fix(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run `clew fix`; nothing waits, and errors of ours are raised."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    # The command alone: building all of them takes longer than what it does.
    app = typer.Typer()
    fix_command.register(app)

    def run(*words: str) -> Result:
        result = CliRunner().invoke(app, words)
        if isinstance(result.exception, ClewError):
            raise result.exception
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run
