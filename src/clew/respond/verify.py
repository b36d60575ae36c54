"""Judging again with the check that found it: its answers are collected anew, for the one resource."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clew.audit import check_calls
from clew.audit.model import State
from clew.collect.asking import Question, ask
from clew.collect.reads import IN_REGION, Scope
from clew.collect.table import named
from clew.snapshot import load
from clew.snapshot.answers import GLOBAL, Answers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.audit.model import Check, Judgement
    from clew.collect.reads import Read
    from clew.respond.model import Change, Place
    from clew.respond.session import Session
    from clew.snapshot.answers import Answer

# It may be four hours old, so it says nothing of a change.
_STALE = "iam:GetCredentialReport"
_TOGETHER = {"s3": ("s3", "s3control"), "s3control": ("s3", "s3control")}


def judged(check: Check, change: Change, session: Session) -> tuple[Judgement, ...]:
    """What the check says now of the resource that was changed, else of its account; empty where of neither."""
    services = {n for a, _ in change.needs for n in _TOGETHER.get(a.read.service, (a.read.service,))}
    place = change.target.place
    needed = check_calls.calls()[check.id] - {_STALE}
    reads = tuple(r for r in named(needed) if r.service in services)
    collected = Answers(answers(reads, place, session))
    state = State(
        account=place.account,
        as_of=session.clock.now(),
        answers=collected,
        snapshot=load.of_answers("AWS", collected),
    )
    found = check.judge(state)
    own = tuple(j for j in found if j.resource == change.target.arn)
    return own or tuple(j for j in found if j.resource == state.account_arn)


def answers(reads: tuple[Read, ...], place: Place, session: Session) -> Iterator[Answer]:
    """The answers for the account or region, and of what is asked about each thing those about the one."""
    found: dict[str, list[Answer]] = {}
    for read in reads:
        for region, parameters in _questions(read, place, found):
            given = {name: _filled(value, place) for name, value in read.given.items()}
            answer = ask(
                Question(read, place.account, region, given | parameters), session.clients, session.clock
            )
            found.setdefault(read.name, []).append(answer)
            yield answer


def _questions(
    read: Read, place: Place, found: dict[str, list[Answer]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    import jmespath  # type: ignore[import-untyped]  # part of boto3, ships no types

    here = GLOBAL if read.scope is Scope.ACCOUNT else place.region
    if not read.each:
        yield here, {}
    for each in read.each:
        for answer in found.get(each.of, ()):
            for item in jmespath.search(each.items, answer.body) or ():
                given = {name: value for name, value in item.items() if value is not None}
                region = str(given.pop(IN_REGION, here))
                if any(_is_about(value, place) for value in given.values()):
                    yield region, given


def _is_about(value: object, place: Place) -> bool:
    """Whether the parameter names the resource, by its ARN or by the end of it."""
    return str(value) == place.name or place.name.endswith((f"/{value}", f":{value}"))


def _filled(value: object, place: Place) -> object:
    return value.replace("{account}", place.account) if isinstance(value, str) else value
