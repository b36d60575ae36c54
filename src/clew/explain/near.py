"""Statements that nearly match a request, and what of each does not: the reason behind "nothing allows it".

A statement is near when it is about the action and fails at its resource, its principal or its conditions, or when it
is about the resource and misspells the action. Each part is asked of the engine's own compiled statement.

>>> from clew.engine import Policies, Request
>>> from clew.policy.parse import parse
>>> policy = parse('{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", '
...                '"Resource": "arn:aws:s3:::logs"}}')
>>> request = Request("arn:aws:iam::111122223333:user/ana", "s3:GetObject", "arn:aws:s3:::logs/a")
>>> near, = near_misses(Policies(identity=(policy,)), request, [Gate.IDENTITY])
>>> [(miss.part.value, miss.hint) for miss in near.misses]
[('resource', '`arn:aws:s3:::logs` is the bucket; its objects are `arn:aws:s3:::logs/*`')]
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from clew.aws import catalog, glob
from clew.engine.conditions.compiled import compile_condition
from clew.engine.conditions.operators import read
from clew.engine.gates import Placed, place
from clew.engine.principal import Manner, parse_principal
from clew.engine.request import UNKNOWN
from clew.engine.verdicts import Determining, Gate
from clew.explain.near_resources import NO_HINT, hint, unread_variable
from clew.policy import variables
from clew.policy.model import Effect
from clew.reach.attached import UNKNOWN_DOCUMENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clew.engine import Policies, Request
    from clew.policy.model import Condition, Policy, Statement

_LIKE = 0.85
_MOST = 20


class Part(StrEnum):
    """The part of a statement that keeps it from matching."""

    ACTION = "action"
    RESOURCE = "resource"
    PRINCIPAL = "principal"
    CONDITION = "condition"


@dataclass(frozen=True, slots=True)
class Miss:
    """One part that does not match: what is written, what was asked, and what would be right.

    `certain` is False when it is only not known that the part matches. `key` is the condition key of a condition.
    `meant` is what to write in the place of `slip`, or `beside` it; empty where nobody can say.
    """

    part: Part
    written: tuple[str, ...]
    asked: str
    certain: bool = True
    key: str = ""
    operator: str = ""
    hint: str = ""
    meant: str = ""
    beside: bool = False
    slip: str = ""


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A statement that allows something near to what was asked, with everything that keeps it from allowing it."""

    statement: Determining
    misses: tuple[Miss, ...]

    @property
    def gate(self) -> str:
        """The gate of the statement."""
        return self.statement.gate


def near_misses(policies: Policies, request: Request, gates: Iterable[Gate]) -> tuple[NearMiss, ...]:
    """The allowing statements of these gates that nearly match, fewest misses first; at most 20."""
    found = (
        near
        for gate in gates
        for path, documents in _documents(policies, gate)
        for placed in _placed(documents, gate, path)
        if placed.statement.effect is Effect.ALLOW and not _is_not_at_hand(placed.statement)
        for near in _near(placed, request)
    )
    return tuple(sorted(found, key=_weight)[:_MOST])


def compared(policies: Policies, request: Request, gate: Gate) -> tuple[NearMiss, ...]:
    """Every allowing statement of the gate with all that does not match in it: nothing where it allows the request."""
    return tuple(
        NearMiss(_told(placed), tuple(_all_misses(placed, request)))
        for path, documents in _documents(policies, gate)
        for placed in _placed(documents, gate, path)
        if placed.statement.effect is Effect.ALLOW and not _is_not_at_hand(placed.statement)
    )


def _all_misses(placed: Placed, request: Request) -> Iterator[Miss]:
    if not placed.compiled.matches_action(request.action.lower()):
        written = placed.statement.actions or placed.statement.not_actions or ()
        yield Miss(Part.ACTION, written, request.action)
    yield from _resource(placed, request)
    yield from _principal(placed, request)
    yield from _conditions(placed, request)


def stands_for_another(policies: Policies, told: Determining) -> bool:
    """Whether the statement is of no policy at hand: it stands for one that nobody knows."""
    return any(
        _is_not_at_hand(placed.statement)
        for path, documents in _documents(policies, Gate(told.gate))
        if told.policy.startswith(path)
        for placed in _placed(documents, Gate(told.gate), path)
        if placed.path == told.policy and placed.statement.index == told.statement
    )


def _is_not_at_hand(statement: Statement) -> bool:
    return any(condition.key.startswith(UNKNOWN_DOCUMENT) for condition in statement.conditions)


def _weight(near: NearMiss) -> tuple[int, bool, bool]:
    parts = {miss.part for miss in near.misses}
    return len(near.misses), Part.ACTION in parts, not any(miss.hint for miss in near.misses)


def _documents(policies: Policies, gate: Gate) -> Iterator[tuple[str, tuple[Policy, ...]]]:
    match gate:
        case Gate.IDENTITY:
            yield "identity_policies", policies.identity
        case Gate.BOUNDARY:
            yield "permissions_boundaries", policies.boundaries
        case Gate.SESSION:
            yield "session_policies", policies.session
        case Gate.ENDPOINT:
            yield "vpc_endpoint_policies", policies.endpoint
        case Gate.RESOURCE if policies.resource is not None:
            yield "resource_policy", (policies.resource,)
        case Gate.SCP:
            yield from ((f"scps/{number}", level) for number, level in enumerate(policies.scps))
        case Gate.RCP:
            yield from ((f"rcps/{number}", level) for number, level in enumerate(policies.rcps))


def _placed(documents: tuple[Policy, ...], gate: Gate, path: str) -> Iterator[Placed]:
    if gate is Gate.RESOURCE:
        for document in documents:
            yield from (Placed(statement, document, gate, path) for statement in document.statements)
    else:
        yield from place(documents, gate, path)


def _near(placed: Placed, request: Request) -> Iterator[NearMiss]:
    is_action = placed.compiled.matches_action(request.action.lower())
    spelled = None if is_action else _action(placed.statement, request.action)
    if not is_action and spelled is None:
        return
    resource = tuple(_resource(placed, request))
    if resource and (spelled is not None or any(miss.certain and not miss.hint for miss in resource)):
        # It is about something else altogether.
        return
    misses = (*resource, *_principal(placed, request), *_conditions(placed, request))
    if spelled is not None:
        misses = (spelled, *misses)
    if misses:
        yield NearMiss(_told(placed), misses)


def _told(placed: Placed) -> Determining:
    statement = placed.statement
    return Determining(
        placed.gate.value,
        placed.path,
        statement.index,
        statement.sid,
        statement.effect.value,
        placed.policy.source,
        statement.position,
    )


def _action(statement: Statement, action: str) -> Miss | None:
    """An action of the statement that does not exist, one slip away from the one that was asked for."""
    spelled = _nearest(statement.actions or (), action)
    if spelled is None or "*" in spelled or catalog.current().action(spelled) is not None:
        # What exists is meant as it stands: s3:PutObject is no slip for s3:PutObjectAcl.
        return None
    return Miss(Part.ACTION, (spelled,), action, hint=f"`{spelled}` is no action of AWS; `{action}` is")


def left_out(policies: Policies, request: Request, gate: Gate) -> tuple[Determining, tuple[str, ...]] | None:
    """The statement that allows all but some actions or resources, and those among them that are asked for."""
    for path, documents in _documents(policies, gate):
        for placed in _placed(documents, gate, path):
            statement = placed.statement
            is_open = statement.effect is Effect.ALLOW and (statement.not_actions or statement.not_resources)
            misses = tuple(_all_misses(placed, request)) if is_open else ()
            names = tuple(name for miss in misses for name in _names_left_out(miss, statement))
            if len(misses) == 1 and names:
                return _told(placed), names
    return None


def _names_left_out(miss: Miss, statement: Statement) -> Iterator[str]:
    lowered = miss.asked.lower()
    if miss.part is Part.ACTION:
        yield from (each for each in statement.not_actions or () if glob.matches(each.lower(), lowered))
    elif miss.part is Part.RESOURCE:
        yield from (each for each in statement.not_resources or () if glob.matches(each, miss.asked))


# Half of the time of 10,000 refusals over a few hundred policies otherwise (benchmarks/explain.py).
@lru_cache(maxsize=10_000)
def _nearest(written: tuple[str, ...], action: str) -> str | None:
    near = difflib.get_close_matches(action.lower(), [each.lower() for each in written], 1, _LIKE)
    return next((each for each in written if [each.lower()] == near), None)


def _resource(placed: Placed, request: Request) -> Iterator[Miss]:
    statement = placed.statement
    known = catalog.current()
    bare = Placed(statement._replace(conditions=()), placed.policy, placed.gate, placed.path)
    only_star = known.is_wildcard_only(request.action)
    answer = bare.applies(request.resource, request.context, wildcard_only=only_star)
    if answer is True:
        return
    written = statement.resources if statement.resources is not None else statement.not_resources or ()
    is_named = request.action.lower() in {each.lower() for each in statement.actions or ()}
    found = hint(written, request, is_named=is_named) if statement.resources is not None else NO_HINT
    if not found.words and placed.policy.version != variables.VERSION:
        found = unread_variable(written, request.resource)
    yield Miss(
        Part.RESOURCE,
        written,
        request.resource,
        certain=answer is False,
        hint=found.words,
        meant=found.meant,
        beside=found.beside,
        slip=found.slip,
    )


def _principal(placed: Placed, request: Request) -> Iterator[Miss]:
    if placed.gate not in {Gate.RESOURCE, Gate.ENDPOINT, Gate.RCP}:
        return
    caller = parse_principal(request.principal, web_identity=request.action.lower().endswith("webidentity"))
    if placed.manner(caller, bounded=False, owner="") is not Manner.NONE:
        return
    entries = placed.statement.principals or ()
    written = tuple(entry.value for entry in entries)
    yield Miss(Part.PRINCIPAL, written, request.principal, hint=_principal_hint(written, request.principal))


def _principal_hint(written: tuple[str, ...], asked: str) -> str:
    """A deleted principal's id, another case, another account, or a role where its session asks."""
    for text in written:
        if text.startswith(("AIDA", "AROA")):
            return (
                f"`{text}` is the id of a principal that was deleted: one of that name made anew is another"
            )
        if text.lower() == asked.lower():
            return f"`{text}` differs from `{asked}` in case"
        role = _role_of(asked)
        if (
            role
            and text.split(":", 5)[-1].lower().rpartition("/")[2] == role.lower()
            and text.split(":")[4:5] == asked.split(":")[4:5]
        ):
            return f"`{text}` differs from the role `{role}` in case or path"
    return ""


def _role_of(principal: str) -> str:
    kind, _, rest = principal.split(":", 5)[-1].partition("/")
    return rest.partition("/")[0] if kind == "assumed-role" else ""


def _conditions(placed: Placed, request: Request) -> Iterator[Miss]:
    uses_variables = placed.policy.version == variables.VERSION
    for condition in placed.statement.conditions:
        holds = compile_condition(condition, variables=uses_variables)(request.context)
        if holds is not True:
            yield _condition(condition, request, certain=holds is False)


def _condition(condition: Condition, request: Request, *, certain: bool) -> Miss:
    value = request.context.get(condition.key.lower())
    if value is UNKNOWN:
        asked = "not known"
    elif value is None:
        asked = "absent"
    else:
        asked = value if isinstance(value, str) else ", ".join(value)
    return Miss(
        Part.CONDITION,
        condition.values,
        asked,
        certain=certain,
        key=condition.key,
        operator=condition.operator,
        hint=_condition_hint(condition, asked),
    )


def _condition_hint(condition: Condition, asked: str) -> str:
    key = condition.key.lower()
    if read(condition.operator) is None:
        return f"`{condition.operator}` is no operator: the statement matches nothing"
    if asked == "absent":
        return _ABSENT.get(key, "") or (_tag_hint(condition.key) if "tag/" in key else "")
    if "Date" in condition.operator and asked != "not known":
        return f"the time of the request was {asked}"
    return ""


def _tag_hint(key: str) -> str:
    owner, _, name = key.partition("/")
    whose = (
        "the principal"
        if owner.lower() == "aws:principaltag"
        else "the request"
        if "request" in owner.lower()
        else "the resource"
    )
    return f"{whose} has no tag `{name}`"


_ABSENT = {
    "aws:multifactorauthpresent": "the caller used a long-term key or no MFA: the key is there only for sessions",
    "aws:sourceip": "the request came through a VPC endpoint or another service: there is no `aws:SourceIp`",
    "aws:sourcevpce": "the request did not come through a VPC endpoint",
    "aws:sourcevpc": "the request did not come through a VPC endpoint",
    "sts:externalid": "the caller sent no external id",
}
