"""Which calls a check asks for, answered or not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.audit.cases import cases

from clew.audit.checks import CHECKS
from clew.audit.state import of_snapshot
from clew.snapshot import file
from clew.snapshot.answers import Answer, Answers, Call

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.audit.model import Judgement, State

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "snapshots" / "2026-03-11T060000Z.json.gz"


class Asking(Answers):
    """Answers that write down the name of every call that somebody asks for."""

    __slots__ = ("asked",)

    def __init__(self, answers: Answers) -> None:
        """The same answers."""
        super().__init__(answers)
        self.asked: set[str] = set()

    def of(self, call: Call) -> Answer:
        """As before, and noted."""
        self.asked.add(f"{call.service}:{call.operation}")
        return super().of(call)

    def each(
        self, service: str, operation: str, account: str | None = None, region: str | None = None
    ) -> Iterator[Answer]:
        """As before, and noted."""
        self.asked.add(f"{service}:{operation}")
        return super().each(service, operation, account, region)


def asked(
    check: str, state: State, parameters: Mapping[str, int | str]
) -> tuple[set[str], tuple[Judgement, ...]]:
    """The calls that a check asks for, and what it says."""
    noting = Asking(state.answers)
    said = CHECKS[check].judge(replace(state, answers=noting), **parameters)
    return noting.asked, said


def whole_account() -> State:
    """The sample account, of which everything was collected."""
    [state], _ = of_snapshot(file.read(SAMPLE), "sample")
    return state


def everywhere() -> dict[str, list[str]]:
    """What each check asks for in any of its cases, or of the sample account, sorted."""
    account = whole_account()
    found = {check: asked(check, account, {})[0] for check in CHECKS}
    for case in cases():
        found[case.check] |= asked(case.check, case.state, case.parameters)[0]
    return {check: sorted(found[check]) for check in sorted(found)}
