"""Questions about sets of requests: `implies`, `equivalent`, `disjoint`, `allows_any`; `checks` has AWS's own.

Every answer is one of three: none, a witness that the engine has decided on both sides before anybody sees it, or
unknown with the reason. A failure to decide is never a pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

from clew.aws import catalog
from clew.policy.model import Condition, Effect, Policy, PolicyKind, Statement
from clew.policy.pattern import any_of as any_of_patterns
from clew.symbolic import callers, filled, kinds, solver, stack_contrast, ties, witness
from clew.symbolic.budget import Budget, OpenError, UndecidedError
from clew.symbolic.contrast import contrasted
from clew.symbolic.grounding import ground
from clew.symbolic.operators import arn_pattern
from clew.symbolic.regions import ANY_ACCOUNT, EVERYTHING, MISLEADING, OWNED, Asked, regions, same_principal
from clew.symbolic.search import AllOf, Is, Search, all_of, contrary
from clew.symbolic.sides import Documents
from clew.symbolic.space import ACTION, RESOURCE, Space
from clew.symbolic.stacks import Stack
from clew.symbolic.texts import KnownActions, Texts, glob, globs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from clew.engine.request import Request
    from clew.symbolic.callers import CallerKind
    from clew.symbolic.keys import KeyKind
    from clew.symbolic.regions import Reach
    from clew.symbolic.search import Assumed, Formula


class Verdict(StrEnum):
    """What a search for a request came to."""

    NONE = "none"
    WITNESS = "witness"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """No request, one that the engine has confirmed, or unknown with the reason."""

    verdict: Verdict
    request: Request | None = None
    reason: str = ""

    @property
    def is_none(self) -> bool:
        """Whether it is certain that there is no such request."""
        return self.verdict is Verdict.NONE


NONE = Answer(Verdict.NONE)


class Side(Protocol):
    """One side of a question: what it allows, as a formula and as the engine decides it."""

    @property
    def all_policies(self) -> tuple[Policy, ...]:
        """Every policy that takes part."""

    def formula(self, space: Space) -> Formula:
        """The requests that are allowed."""

    def allows(self, request: Request) -> bool | None:
        """Whether the engine allows the request."""


@dataclass(frozen=True, slots=True)
class Access:
    """Actions and resources, as patterns; none listed means any. ARNs are compared field by field."""

    actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()

    def literals(self, space: Space) -> tuple[int, ...]:
        """What a request of this access is like: nothing but action and resource matter."""
        found = []
        if self.actions:
            found.append(space.literal(ACTION, globs([action.lower() for action in self.actions])))
        if self.resources:
            found.append(space.literal(RESOURCE, resources_of(self.resources)))
        return tuple(found)

    def holds(self, request: Request) -> bool:
        """Whether the request is of this access."""
        actions = [each.lower() for each in self.actions]
        if actions and not any_of_patterns(actions)(request.action.lower()):
            return False
        return not self.resources or resources_of(self.resources).match(request.resource)


def resources_of(patterns: Sequence[str]) -> Texts:
    """The resources that patterns name which are no policy's: a wildcard stays within its field of an ARN.

    >>> resources_of(["arn:aws:*:*:111122223333:*"]).match("arn:aws:ec2::444455556666:x/:111122223333:y")
    False
    """
    atoms = (arn_pattern(each) if each.startswith("arn:") else None for each in patterns)
    return Texts(atom or glob(each) for each, atom in zip(patterns, atoms, strict=True))


def implies(
    left: Policy | Side,
    right: Policy | Side,
    kind: PolicyKind = PolicyKind.IDENTITY,
    *,
    besides: Sequence[Access] = (),
    about: Sequence[str] = (),
) -> Answer:
    """Whether the right side allows all that the left one does: none, or a request that only the left allows.

    `besides` is access that is not asked about, `about` limits the question to resources (patterns). Two `Stack`s of
    one principal answer what a change means once every policy has its say: `implies(after, before, besides=wanted)` is
    none where nothing but the wanted access becomes possible; the other way round tells what is lost.

    >>> from clew.policy.parse import parse
    >>> one = parse('{"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"}}')
    >>> two = parse('{"Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}')
    >>> implies(one, two).verdict.value, implies(two, one).verdict.value
    ('none', 'witness')
    >>> implies(two, one, besides=[Access(("s3:Get*",))]).verdict.value
    'none'
    >>> from clew.engine import Policies
    >>> before, after = (Stack(Policies((each,)), "arn:aws:iam::111122223333:role/app") for each in (one, two))
    >>> implies(before, after).verdict.value, implies(after, before, about=["arn:aws:s3:::a/*"]).request.action
    ('none', 's3:GetObjectAcl')
    """
    if any("${" in text for access in besides for text in access.resources):
        return Answer(Verdict.UNKNOWN, reason="the access that is not asked about holds a policy variable")
    a, b = _side(left, kind), _side(right, kind)
    one, two, changed, reach = _contrasted(a, b)

    def formula(space: Space) -> Formula:
        inside = [Is((space.literal(RESOURCE, resources_of(about)),))] if about else []
        outside = [contrary(Is(access.literals(space))) for access in besides]
        beyond = contrary(two.formula(space))
        return all_of([changed(space), one.formula(space), beyond, *inside, *outside])

    def confirms(request: Request) -> bool:
        is_beyond = a.allows(request) is True and b.allows(request) is False
        return is_beyond and not any(access.holds(request) for access in besides)

    return find((one, two), formula, confirms, written=(*a.all_policies, *b.all_policies), reach=reach)


def _contrasted(a: Side, b: Side) -> tuple[Side, Side, Callable[[Space], Formula], Reach]:
    """Both sides as far as they can matter, the requests that can be decided differently, and their actions."""
    if isinstance(a, Documents) and isinstance(b, Documents):
        return (*contrasted(a, b), lambda _: True, EVERYTHING)
    if isinstance(a, Stack) and isinstance(b, Stack):
        found = stack_contrast.contrasted(a, b)
        return found.left, found.right, found.formula, found.reach or EVERYTHING
    return a, b, lambda _: True, EVERYTHING


def equivalent(left: Policy | Side, right: Policy | Side, kind: PolicyKind = PolicyKind.IDENTITY) -> Answer:
    """Whether both sides allow the same: none, or a request that one allows and the other does not."""
    there = implies(left, right, kind)
    if there.verdict is Verdict.WITNESS:
        return there
    back = implies(right, left, kind)
    return there if back.is_none else back


def disjoint(left: Policy | Side, right: Policy | Side, kind: PolicyKind = PolicyKind.IDENTITY) -> Answer:
    """Whether no request is allowed by both sides: none, or one that is."""
    a, b = _side(left, kind), _side(right, kind)
    return find(
        (a, b),
        lambda space: AllOf((a.formula(space), b.formula(space))),
        lambda request: a.allows(request) is True and b.allows(request) is True,
    )


def allows_any(
    side: Policy | Side,
    actions: Sequence[str] = (),
    resources: Sequence[str] = (),
    kind: PolicyKind = PolicyKind.IDENTITY,
    *,
    context: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Answer:
    """Whether the side allows any of the actions on any of the resources, all of them patterns; none listed means any.

    `context`: keys that such a request carries, each with the values that it may have, patterns too. An action without
    resource types is about none of the resources, and no request for it carries the tag of one.

    >>> from clew.policy.parse import parse
    >>> one = parse('{"Statement": {"Effect": "Allow", "Action": "iam:*", "Resource": "*"}}')
    >>> allows_any(one, ["iam:PassRole"]).request.action, allows_any(one, ["s3:*"]).verdict.value
    ('iam:PassRole', 'none')
    >>> allows_any(one, context={"aws:ResourceTag/team": ["red"]}).request.context.get("aws:resourcetag/team")
    'red'
    """
    asked = _side(side, kind)
    conditions = tuple(Condition("StringLike", key, tuple(values)) for key, values in context.items())
    words = Statement(Effect.ALLOW, actions=("*",), resources=("*",), conditions=conditions)
    carrying, access = Documents((Policy((words,)),)), Access(tuple(actions), tuple(resources))
    has_tag = any(key.lower().startswith(_RESOURCE_TAG) for key in context)
    is_about_some = has_tag or bool(resources and not any_of_patterns(resources)("*"))

    def formula(space: Space) -> Formula:
        inside = [Is(access.literals(space))]
        if is_about_some:
            known = catalog.current()
            inside.append(Is((-space.literal(ACTION, KnownActions(known.index, known.wildcard_only)),)))
        return all_of([asked.formula(space), carrying.formula(space), *inside])

    def confirms(request: Request) -> bool:
        return asked.allows(request) is True and carrying.allows(request) is True

    sides = (asked, carrying) if conditions else (asked,)
    reach = stack_contrast.reach_of(actions) if actions else EVERYTHING
    return find(sides, formula, confirms, reach=reach)


_RESOURCE_TAG: Final = "aws:resourcetag/"


def _side(side: Policy | Side, kind: PolicyKind) -> Side:
    return Documents((side,), kind) if isinstance(side, Policy) else side


def oracle(
    left: Policy,
    right: Policy,
    kind: PolicyKind = PolicyKind.IDENTITY,
    solve: Callable[[Space, Formula], Request | None] = solver.solve,
) -> Answer:
    """As `implies`, asked of a solver alone: for tests and benchmarks; `ModuleNotFoundError` where cvc5 is missing."""
    a, b = Documents((left,), kind), Documents((right,), kind)
    open_question: UndecidedError | None = None
    for space in _spaces((a, b), Budget()):
        try:
            request = solve(space, all_of([a.formula(space), contrary(b.formula(space))]))
        except UndecidedError as error:
            open_question = error
        else:
            if request is not None:
                return Answer(Verdict.WITNESS, request)
    return NONE if open_question is None else Answer(Verdict.UNKNOWN, reason=str(open_question))


def find(
    sides: Sequence[Side],
    formula: Callable[[Space], Formula],
    confirms: Callable[[Request], bool],
    budget: Budget | None = None,
    *,
    written: Sequence[Policy] = (),
    reach: Reach = EVERYTHING,
) -> Answer:
    """A request in the formula, over the callers and keys of the sides; `confirms` asks the engine about it.

    `written`: all policies in question, where the sides were cut down; what keys can hold is read from them. `reach`:
    the actions outside of which the formula has no request, as far as stacks need to know.
    """
    open_question: UndecidedError | None = None
    try:
        for space in _spaces(sides, budget or Budget(), written, reach):
            try:
                found = _ask(space, formula, confirms)
            except UndecidedError as error:
                open_question = error
            else:
                if found is not None and not space.doubt:
                    return Answer(Verdict.WITNESS, found)
                if found is not None:
                    open_question = UndecidedError(space.doubt)
    except UndecidedError as error:
        open_question = error
    return NONE if open_question is None else Answer(Verdict.UNKNOWN, reason=str(open_question))


def _spaces(
    sides: Sequence[Side], budget: Budget, written: Sequence[Policy] = (), reach: Reach = EVERYTHING
) -> Iterator[Space]:
    """One space for each kind of caller; of stacks, the same one for each region of requests."""
    policies = tuple(policy for side in sides for policy in side.all_policies)
    usual = kinds.of_policies(policies, written or policies)
    made = [side for side in sides if isinstance(side, Stack)]
    if not made:
        for scenario in ties.scenarios(usual):
            for caller in _callers(sides, policies, usual):
                space = _space(caller, {**usual, **scenario.kinds}, policies, budget)
                space.ties, space.doubt, space.is_owned = scenario.ties, scenario.doubt, scenario.owned
                yield space
        return
    principal = same_principal([stack.principal for stack in made])
    space = _space(made[0].callers()[0], usual, policies, budget)
    for region in regions(Asked(principal, tuple(stack.policies for stack in made), reach)):
        space.region = region
        yield space


def _ask(
    space: Space, formula: Callable[[Space], Formula], confirms: Callable[[Request], bool]
) -> Request | None:
    def made(assumed: Assumed) -> Request | None:
        return ground(space, assumed) if _is_open(space, assumed) else witness.request(space, assumed)

    def settle(assumed: Assumed) -> Request | None:
        return filled.settled(space, assumed, confirms, made)

    limits: list[Formula] = []
    if space.caller.action is not None:
        limits.append(Is((space.literal(ACTION, globs((space.caller.action,))),)))
    if space.is_owned is not None:
        plain = -space.literal(RESOURCE, MISLEADING)
        owned = space.literal(RESOURCE, ANY_ACCOUNT) if space.is_owned else -space.literal(RESOURCE, OWNED)
        limits.append(Is((owned, plain)))
    if space.region is not None:
        limits.append(space.region.formula(space))
    whole = all_of([*limits, formula(space)])
    try:
        return Search(space, settle).run(whole)
    except OpenError:
        raise
    except UndecidedError:
        if space.ties or space.region is not None or not solver.is_installed():
            raise
        request = solver.solve(space, whole)
        if request is not None and not filled.replays(space, request, confirms):
            raise
        return request


def _is_open(space: Space, assumed: Assumed) -> bool:
    return any(space.is_open(literal) for literals in assumed.values() for literal in literals)


def _space(
    caller: CallerKind, usual: dict[str, KeyKind], policies: Sequence[Policy], budget: Budget
) -> Space:
    own = {
        key: callers.kind_of_key(key, caller, kind) if callers.is_derived(key) else kind
        for key, kind in usual.items()
    }
    return Space(caller, own, budget, kinds.spellings(policies))


def _callers(
    sides: Sequence[Side], policies: Sequence[Policy], usual: dict[str, KeyKind]
) -> tuple[CallerKind, ...]:
    named = [each for side in sides if isinstance(side, Documents) for each in side.named()]
    partitions = kinds.partitions(policies)
    if named or any(isinstance(side, Documents) and side.kind is PolicyKind.RESOURCE for side in sides):
        return callers.of_resource(named, partitions)
    persons = callers.of_identity(partitions)
    return persons if callers.TOLD_APART & usual.keys() else persons[:1]
