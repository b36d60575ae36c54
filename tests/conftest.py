"""Settings that every test shares: derandomised properties, no colours, a home of its own."""

from __future__ import annotations

import functools
import itertools
import os
from typing import TYPE_CHECKING

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


@pytest.fixture(autouse=True, scope="session")
def _one_command_line() -> Iterator[None]:
    """The options of all commands are read from their functions once, not in each of hundreds of runs of `clew`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.testing._get_command", functools.cache(get_command), raising=False)
        yield


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test has an empty Clew home and no options of an earlier command, so that none sees another's workspace."""
    context.configure(context.Globals())
    # Numbered by us: pytest would list all earlier homes to find the next number.
    home = tmp_path_factory.mktemp(f"clew-home-{next(_HOMES)}", numbered=False)
    for name in [name for name in os.environ if name.startswith(("CLEW_", "AWS_")) and name != "CLEW_LONG"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CLEW_HOME", str(home))
    monkeypatch.setenv("NO_COLOR", "1")
    return home
