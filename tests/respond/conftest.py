"""An emulator of AWS over real HTTP, empty before each test, and the commands that speak to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import typer
from moto.moto_api._internal import moto_api_backend
from typer.testing import CliRunner, Result

from clew.cli.commands import fix as fix_command
from clew.errors import ClewError

if TYPE_CHECKING:
    from collections.abc import Callable


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
