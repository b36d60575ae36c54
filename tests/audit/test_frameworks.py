"""The frameworks: every control of the benchmark stands there, answered by checks or with a reason."""

from __future__ import annotations

import inspect
import re

import pytest

from clew.audit import frameworks
from clew.audit.checks import CHECKS, MODULES, named
from clew.audit.model import Check
from clew.errors import UsageError

_SECTIONS = {
    "cis-1.2": {"1": 22, "2": 9, "3": 14, "4": 4},
    "cis-7.0": {"2": 26, "3": 9, "4": 10, "5": 16, "6": 9},
}


@pytest.mark.parametrize("name", _SECTIONS)
def test_every_control_stands_there(name: str) -> None:
    """The ids are as many as the benchmark has in each section, each once, in its order."""
    ids = [control.id for control in frameworks.load(name).controls]
    counted = {section: sum(i.split(".")[0] == section for i in ids) for section in _SECTIONS[name]}
    assert counted == _SECTIONS[name]
    assert sorted(set(ids), key=lambda i: [int(part) for part in i.split(".")]) == ids


@pytest.mark.parametrize("name", frameworks.NAMES)
def test_every_control_is_checked_or_says_why_not(name: str) -> None:
    """A control names checks that exist, with parameters that they have, or a reason; never both."""
    for control in frameworks.load(name).controls:
        assert bool(control.checks) is not bool(control.manual), control.id
        assert control.title
        assert set(control.parameters) <= set(control.checks)
        for check in control.checks:
            assert set(control.parameters.get(check, {})) <= set(named(check).defaults)


@pytest.mark.parametrize("name", _SECTIONS)
def test_no_control_of_a_benchmark_waits_for_a_check(name: str) -> None:
    """Every control of CIS is answered by checks, or a person has to look for a reason that no machine can settle."""
    assert not [control.id for control in frameworks.load(name).controls if control.planned]


def test_every_check_answers_a_control() -> None:
    """No check is written that no framework asks."""
    asked = {check for name in frameworks.NAMES for c in frameworks.load(name).controls for check in c.checks}
    assert asked == set(CHECKS)


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_every_check_says_what_a_reader_needs(check: Check) -> None:
    """Each check has all five headings, a title, and an id that begins with its service."""
    assert all(check.text.values()), check.text
    assert check.references
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)+", check.id)
    assert inspect.isgeneratorfunction(check.function) or check.function.__doc__


def test_no_two_checks_share_an_id() -> None:
    """Every check that a module defines is there under its own id."""
    written = [value for module in MODULES for value in vars(module).values() if isinstance(value, Check)]
    assert len(written) == len(CHECKS)


def test_unknown_names_are_refused() -> None:
    """A framework, a check or a parameter that does not exist is said in one line."""
    with pytest.raises(UsageError, match="no framework `cis-9`"):
        frameworks.load("cis-9")
    with pytest.raises(UsageError, match="no check `nothing`"):
        named("nothing")
