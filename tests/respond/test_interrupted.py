"""Whatever happens at whichever call, what was done is on record and can be taken back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.respond.test_actions import OWN, TRIALS, Trial, World, words

from clew.respond.session import Session
from clew.snapshot.answers import Status

if TYPE_CHECKING:
    from collections.abc import Callable

# Changes of several calls, and how many.
SEVERAL = {
    "enable-access-logging": 2,
    "enable-flow-logs": 5,
    "record-configuration": 4,
    "close-world-ingress": 2,
}
KINDS = ("denied", "killed before", "killed after")
_make = Session.make


class Killed(BaseException):
    """The process ends here, nothing after it is done."""


@dataclass
class Trouble:
    """Trouble at the call of that number."""

    at: int
    kind: str
    made: int = 0

    def meet(self, session: Session, write: Any, place: Any) -> Any:
        self.made += 1
        if self.made - 1 != self.at:
            return _make(session, write, place)
        if self.kind == "denied":
            answer = _make(session, replace(write, operation="DescribeNothing"), place)
            return replace(answer, status=Status.DENIED, error_code="AccessDenied")
        if self.kind == "killed after":
            _make(session, write, place)
        raise Killed


ALWAYS = {
    ("enable-flow-logs", 4, "denied"),
    ("enable-flow-logs", 1, "killed before"),
    ("close-world-ingress", 0, "killed after"),
}
CASES = [
    pytest.param(
        name, at, kind, marks=() if (name, at, kind) in ALWAYS else pytest.mark.long, id=f"{name}-{at}-{kind}"
    )
    for name, calls in SEVERAL.items()
    for at in range(calls)
    for kind in KINDS
]


@pytest.mark.parametrize(("name", "at", "kind"), CASES)
@pytest.mark.usefixtures("aws")
def test_undo_restores_what_stood_before_any_trouble(
    name: str, at: int, kind: str, fix: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal or a kill at any call of a change leaves a record by which everything is taken back."""
    trial: Trial = next(t for t in TRIALS if t.action == name)
    world = World(OWN, "us-east-1")
    resource = trial.plant(world)
    before = trial.look(world, resource)
    trouble = Trouble(at, kind)

    def make(session: Session, write: Any, place: Any) -> Any:
        return trouble.meet(session, write, place)

    with monkeypatch.context() as patched:
        patched.setattr(Session, "make", make)
        if kind == "denied":
            result = fix(*words(trial, OWN, resource, "--apply"))
            assert (result.exit_code, "denied: AccessDenied" in result.stderr) == (3, True)
            assert "clew fix --undo fix-1" in result.stdout
        else:
            with pytest.raises(Killed):
                fix(*words(trial, OWN, resource, "--apply"))
    assert trouble.made == at + 1
    assert f"  {'partial' if kind == 'denied' else 'interrupted'}  " in fix("list").stdout
    fix("--undo", "fix-1")
    assert trial.look(world, resource) == before
    assert "  undone  " in fix("list").stdout
