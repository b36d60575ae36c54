"""Applying a change and taking it back, each call on record before it is made.

Before the first call everything is read again: what is not as it was planned with, or as it was left, stops it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from clew.errors import ChangeError, DriftError, IrreversibleError
from clew.respond.aspects import ASPECTS
from clew.respond.model import Place, Step
from clew.snapshot.answers import Status
from clew.store.journal import Phase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.respond.model import Aspect, Change, Value, Write
    from clew.respond.session import Session
    from clew.snapshot.answers import Answer
    from clew.store.journal import Fix, Journal, Recorded

# AWS: "Eventual consistency in the Amazon EC2 API", IAM "Changes that I make are not always immediately visible".
_LOOKS = 5
_LOOK_SECONDS = 2.0
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it. `problems` are sentences; empty when everything is as it was wanted."""

    fix: str
    calls: tuple[tuple[Write, Answer], ...]
    problems: tuple[str, ...]


def apply(change: Change, session: Session, journal: Journal) -> Done:
    """Make the change. Errors: `DriftError` before the first call; what AWS refuses is a problem of the answer."""
    # The first of several steps about one setting begins with what stands; the others with what those before it leave.
    for step in {(step.aspect.name, step.place): step for step in reversed(change.steps)}.values():
        _check_unchanged(step.aspect, step.place, session, (step.before,), "planned with")
    fix = journal.begin(
        session.clock.now(),
        [(step.aspect.name, asdict(step.place), step.before, step.after) for step in change.steps],
        caller=session.caller,
        account=session.account,
        action=change.action.id,
        target=change.target.arn,
        finding=change.finding,
        rule=change.rule,
        fingerprint=change.fingerprint,
    )
    run = _Run(fix, Phase.APPLY, session, journal)
    for position, step in enumerate(change.steps):
        if not run.step(position, step, step.after):
            break
    return run.done()


def undo(fix: Fix, session: Session, journal: Journal, *, force: bool = False) -> Done:
    """Take a fix back, the last step first; a step that nothing can take back is left and said.

    Errors: `DriftError` before the first call where something was changed since, unless `force`.
    """
    touched = [step for step in reversed(fix.steps) if _is_touched(step, fix)]
    if not touched:
        raise ChangeError(f"`{fix.id}` changed nothing that is not taken back already")
    if not force:
        for recorded in _last_of_each(touched):
            aspect = ASPECTS[recorded.aspect]
            # A call without an outcome may or may not have been carried out.
            allowed = (
                (*recorded.after, recorded.before) if recorded.after else (recorded.before, recorded.wanted)
            )
            left = (aspect.nearest(recorded.before),)
            _check_unchanged(aspect, Place(**recorded.place), session, (*allowed, *left), f"left by {fix.id}")
    run = _Run(fix.id, Phase.UNDO, session, journal)
    for recorded in touched:
        aspect, place = ASPECTS[recorded.aspect], Place(**recorded.place)
        now = session.look(aspect, place)
        step = Step(aspect, place, now, recorded.before)
        if not run.step(recorded.position, step, aspect.nearest(recorded.before)):
            break
    return run.done()


def _last_of_each(backwards: Sequence[Recorded]) -> list[Recorded]:
    """The last step about each setting: what it left is what stands."""
    found: dict[str, Recorded] = {}
    for step in backwards:
        found.setdefault(json.dumps([step.aspect, step.place], sort_keys=True), step)
    return list(found.values())


def _is_touched(step: Recorded, fix: Fix) -> bool:
    return not step.restored and any(
        call.position == step.position and call.phase is Phase.APPLY for call in fix.calls
    )


def _check_unchanged(
    aspect: Aspect, place: Place, session: Session, allowed: Sequence[Value], said: str
) -> None:
    now = session.look(aspect, place)
    if not any(aspect.same(now, value) for value in allowed):
        raise DriftError(
            f"{aspect.name} of `{place}` is not as {said}: expected `{_short(allowed[0])}`, found `{_short(now)}`; "
            "nothing was changed"
        )


def _short(value: Value) -> str:
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


class _Run:
    """The calls of one application or one undoing."""

    def __init__(self, fix: str, phase: Phase, session: Session, journal: Journal) -> None:
        self._fix, self._phase, self._session, self._journal = fix, phase, session, journal
        self._calls: list[tuple[Write, Answer]] = []
        self._problems: list[str] = []

    def step(self, position: int, step: Step, wanted: Value) -> bool:
        """Make the step's calls and read what stands then; False where the steps after it must not follow."""
        try:
            went = all(self._call(position, write, step.place) for write in step.writes)
        except IrreversibleError as error:
            self._problems.append(str(error))
            return True
        try:
            found = self._settled(step.aspect, step.place, wanted, patient=went)
        except ChangeError as error:
            self._problems.append(str(error))
            return False
        is_wanted = step.aspect.same(found, wanted)
        if self._phase is Phase.APPLY or is_wanted:
            self._journal.found(self._fix, position, self._phase, found)
        if went and not is_wanted:
            self._problems.append(
                f"{step.aspect.name} of `{step.place}` is not as wanted: `{_short(wanted)}`, found `{_short(found)}`"
            )
        return went

    def _call(self, position: int, write: Write, place: Place) -> bool:
        session, journal = self._session, self._journal
        number = journal.intend(
            self._fix,
            position,
            self._phase,
            session.clock.now(),
            caller=session.caller,
            call=str(write),
            request=dict(write.parameters),
        )
        answer = session.make(write, place)
        outcome = "ok" if answer.status is Status.OK else f"{answer.status}: {answer.error_code}"
        said = answer.body if answer.body is not None else {"message": answer.error_message}
        journal.conclude(number, session.clock.now(), outcome, said)
        self._calls.append((write, answer))
        if answer.status is not Status.OK:
            detail = f": {answer.error_message}" if answer.error_message else ""
            was = "" if answer.status is Status.FAILED else "was "
            self._problems.append(f"{write} {was}{outcome}{detail}")
        return answer.status is Status.OK

    def _settled(self, aspect: Aspect, place: Place, wanted: Value, *, patient: bool) -> Value:
        """What stands there, waited for where AWS takes a moment to show it."""
        found = self._session.look(aspect, place)
        for _ in range(_LOOKS if patient else 0):
            if aspect.same(found, wanted):
                break
            self._session.clock.sleep(_LOOK_SECONDS)
            found = self._session.look(aspect, place)
        return found

    def done(self) -> Done:
        """What came of it."""
        return Done(self._fix, tuple(self._calls), tuple(self._problems))
