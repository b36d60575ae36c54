"""Settings that every test shares: derandomised properties, no colours, a home of its own."""

from __future__ import annotations

import functools
import itertools
import os
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings
from typer.main import get_command

from clew.cli import context

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Coverage tells what the written cases reach; tracing random inputs as well would take a fifth of the time."""
    for item in items:
        if is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker(pytest.mark.no_cover)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Trace nothing in a test that is marked so, in a worker too.

    There pytest-cov has started two collectors, and wakes the first by stopping the second.
    """
    if item.get_closest_marker("no_cover") is None:
        return (yield)
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)


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
