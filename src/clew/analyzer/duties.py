"""Separation of duties: who holds two things that nobody should hold together, and who holds what he never should.

Rules are data; the engine's policies of each principal – identity, boundary, SCPs – are asked as sets of requests, so
that a duty counts as held where any request of it can be allowed. AWS: IAM user guide, "Security best practices in
IAM"; AWS Well-Architected Framework, security pillar, SEC 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from clew.aws import catalog
from clew.aws.glob import matcher
from clew.engine.principal import PrincipalError
from clew.errors import InputError
from clew.reach.paths_ask import Powers
from clew.symbolic.questions import Verdict, allows_any
from clew.symbolic.stacks import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from clew.engine import Request
    from clew.snapshot.model import Role, Snapshot, User


class Held(StrEnum):
    """How a principal stands to a rule."""

    FAIL = "fail"
    UNKNOWN = "unknown"
    PASS = "pass"  # noqa: S105  # a verdict


@dataclass(frozen=True, slots=True)
class Side:
    """One duty: any of the actions on any of the resources, both patterns; no resources mean every one.

    `context`: keys that such a request carries, each with the values that it may have there, patterns too.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...] = ()
    context: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Who:
    """Which principals a rule is about: every filter that is given must fit; patterns with `*`."""

    tags: Mapping[str, str]
    names: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Duty:
    """One rule: nobody among `who` holds every one of the sides. With a single side nobody holds it at all."""

    name: str
    sides: tuple[Side, ...]
    who: Who


@dataclass(frozen=True, slots=True)
class Evidence:
    """How a side is held: a request that is allowed, and the statements that allow it."""

    request: Request
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """One principal by one rule; `evidence` has one entry a side where it fails, `reason` says what is not known."""

    rule: str
    principal: str
    held: Held
    evidence: tuple[Evidence, ...] = ()
    reason: str = ""


def read_rules(decoded: object, source: str) -> tuple[Duty, ...]:
    """The rules of a decoded YAML file; errors: `InputError`, located by rule.

    >>> read_rules({"duties": [{"name": "x", "both": [["a:B"], ["c:D"]]}]}, "r.yaml")[0].sides[1].actions
    ('c:D',)
    """
    listed = decoded.get("duties") if isinstance(decoded, dict) else None
    if not isinstance(listed, list) or not listed:
        raise InputError(f"{source}: expected `duties` as a list of rules")
    return tuple(_rule(each, f"{source}: rule {number}") for number, each in enumerate(listed, 1))


def _rule(row: object, place_of: str) -> Duty:
    if not isinstance(row, dict) or not isinstance(row.get("name"), str):
        raise InputError(f"{place_of}: expected `name` and `both` or `never`")
    odd = sorted(set(map(str, row)) - {"name", "both", "never", "principals"})
    if odd or ("both" in row) is ("never" in row):
        raise InputError(
            f"{place_of}: expected `both` or `never`, and `principals`; found {', '.join(odd) or 'both'}"
        )
    sides = row["both"] if "both" in row else [row["never"]]
    if not isinstance(sides, list) or ("both" in row and len(sides) < 2):  # noqa: PLR2004  # both are two
        raise InputError(f"{place_of}: expected `both` as a list of two duties")
    return Duty(
        row["name"], tuple(_side(each, place_of) for each in sides), _who(row.get("principals"), place_of)
    )


def _side(given: object, place_of: str) -> Side:
    if not isinstance(given, dict):
        return Side(_texts(given, place_of))
    context = given.get("context", {})
    if not isinstance(context, dict) or set(given) - {"actions", "resources", "context"}:
        raise InputError(f"{place_of}: expected a duty with `actions`, `resources` or `context`")
    return Side(
        _texts(given.get("actions"), place_of),
        _texts(given.get("resources", []), place_of, least=0),
        tuple((str(key), _texts(values, place_of)) for key, values in context.items()),
    )


def _texts(given: object, place_of: str, least: int = 1) -> tuple[str, ...]:
    listed = [given] if isinstance(given, str) else given
    if (
        not isinstance(listed, list)
        or len(listed) < least
        or not all(isinstance(each, str) for each in listed)
    ):
        raise InputError(f"{place_of}: expected a list of texts")
    return tuple(listed)


def _who(given: object, place_of: str) -> Who:
    if given is None:
        return Who({})
    if not isinstance(given, dict) or set(given) - {"tag", "name", "path"}:
        raise InputError(f"{place_of}: expected `principals` with `tag`, `name` or `path`")
    tags = given.get("tag", {})
    if not isinstance(tags, dict):
        raise InputError(f"{place_of}: expected `tag` as keys with values")
    return Who(
        {str(key): str(value) for key, value in tags.items()},
        _texts(given.get("name", []), place_of, least=0),
        _texts(given.get("path", []), place_of, least=0),
    )


def judge(snapshot: Snapshot, duties: Sequence[Duty]) -> Iterator[Judged]:
    """Every user and role judged by every rule that is about it."""
    for account in snapshot.accounts.values():
        holders: list[User | Role] = [*account.users.values(), *account.roles.values()]
        for holder in holders:
            rules = [duty for duty in duties if _is_about(duty.who, holder)]
            if rules:
                powers = Powers(snapshot, holder.arn)
                yield from (_judged(duty, holder.arn, powers) for duty in rules)


def _is_about(who: Who, holder: User | Role) -> bool:
    path = "/" + "/".join(holder.arn.split("/")[1:-1])
    return (
        all(key in holder.tags and matcher(value)(holder.tags[key]) for key, value in who.tags.items())
        and (not who.names or any(matcher(each)(holder.name) for each in who.names))
        and (not who.paths or any(matcher(each)(f"{path.rstrip('/')}/") for each in who.paths))
    )


def _judged(duty: Duty, principal: str, powers: Powers) -> Judged:
    evidence: list[Evidence] = []
    open_because: list[str] = []
    for side in duty.sides:
        found = _held(side, principal, powers)
        if found is None:
            return Judged(duty.name, principal, Held.PASS)
        if isinstance(found, str):
            open_because.append(found)
        else:
            evidence.append(found)
    if open_because:
        return Judged(
            duty.name, principal, Held.UNKNOWN, tuple(evidence), "; ".join(dict.fromkeys(open_because))
        )
    return Judged(duty.name, principal, Held.FAIL, tuple(evidence))


def _held(side: Side, principal: str, powers: Powers) -> Evidence | str | None:
    """How the side is held; None where it is not; in words what keeps the answer open."""
    missing = "; ".join(powers.unknown)
    if powers.known is None:
        return missing or "its policies are not known"
    if not catalog.current().actions_matching(*side.actions).mask & powers.mask and _are_known(side):
        return missing or None
    try:
        stack = Stack(powers.known, principal)
        answer = allows_any(stack, side.actions, side.resources, context=dict(side.context))
    except PrincipalError as error:
        return str(error)
    if answer.verdict is Verdict.UNKNOWN:
        return answer.reason
    if answer.request is None:
        return missing or None
    return Evidence(answer.request, powers.statements(answer.request))


def _are_known(side: Side) -> bool:
    """Whether the catalogue knows an action for each of the patterns: one that it does not know cannot be ruled out."""
    known = catalog.current()
    return all(known.actions_matching(each).mask for each in side.actions)
