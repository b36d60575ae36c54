"""What a change of a policy means: what became possible, what became impossible, in few general changes.

Each change is one Allow statement of the policy that has it, cut down to the actions and resources that matter, with a
request that the engine has confirmed. A statement whose part others already tell is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.engine.conditions import compile_condition
from clew.engine.leaf import Leaf
from clew.policy import variables
from clew.policy.model import PolicyKind
from clew.symbolic.contrast import contrasted
from clew.symbolic.questions import Verdict, find, implies
from clew.symbolic.search import AllOf, Is, contrary
from clew.symbolic.sides import Documents
from clew.symbolic.space import ACTION, RESOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.engine.request import Request
    from clew.policy.model import Policy, Statement
    from clew.symbolic.questions import Answer
    from clew.symbolic.search import Formula
    from clew.symbolic.space import Space


@dataclass(frozen=True, slots=True)
class Change:
    """What one statement allows that the other policy does not.

    `actions` and `resources` are those of its patterns that matter; None where the statement says what it leaves out.
    `denied_by` are the other policy's Deny statements that stop the witness; none where nothing there allows it.
    """

    statement: Statement
    policy: Policy
    witness: Request
    actions: tuple[str, ...] | None
    resources: tuple[str, ...] | None
    denied_by: tuple[Statement, ...] = ()

    @property
    def conditions(self) -> tuple[str, ...]:
        """The statement's conditions as clauses."""
        has_variables = self.policy.version == variables.VERSION
        return tuple(
            Leaf.of(each, compile_condition(each, variables=has_variables), variables=has_variables).text
            for each in self.statement.conditions
        )


@dataclass(frozen=True, slots=True)
class Difference:
    """Both directions of a change; `undecided` says what could not be decided, and is empty where all was."""

    possible: tuple[Change, ...]
    impossible: tuple[Change, ...]
    undecided: tuple[str, ...] = ()


def difference(old: Policy, new: Policy, kind: PolicyKind = PolicyKind.IDENTITY) -> Difference:
    """What became possible and impossible when the old policy became the new one.

    >>> from clew.policy.parse import parse
    >>> old = parse('{"Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}')
    >>> new = parse('{"Statement": {"Effect": "Allow", "Action": ["s3:Get*", "s3:Put*"], "Resource": "*"}}')
    >>> found = difference(old, new)
    >>> [change.actions for change in found.possible], found.impossible
    ([('s3:Put*',)], ())
    """
    undecided: list[str] = []
    possible = _least(list(_beyond(new, old, kind, undecided)), kind)
    impossible = _least(list(_beyond(old, new, kind, undecided)), kind)
    return Difference(possible, impossible, tuple(dict.fromkeys(undecided)))


def _beyond(policy: Policy, other: Policy, kind: PolicyKind, undecided: list[str]) -> Iterator[Change]:
    """What the policy allows beyond the other, the most general statements first."""
    reference = Documents((other,), kind)
    told: list[Statement] = []
    for statement in sorted((each for each in policy.statements if each.allows), key=_narrowness):
        alone = Documents((_alone(policy, statement),), kind)
        answer = _ask(alone, reference, (), told, policy)
        if answer.verdict is Verdict.UNKNOWN:
            undecided.append(answer.reason)
        elif answer.request is not None:
            told.append(statement)
            yield _change(statement, policy, alone, reference, answer.request)


def _least(changes: list[Change], kind: PolicyKind) -> tuple[Change, ...]:
    """The changes without those that the others together tell already."""
    kept = list(changes)
    for change in changes:
        others = [each.statement for each in kept if each is not change]
        one = Documents((_alone(change.policy, change.statement),), kind)
        rest = Documents((_alone(change.policy, *others),), kind)
        if others and implies(one, rest).is_none:
            kept.remove(change)
    return tuple(sorted(kept, key=lambda each: each.statement.index))


def _narrowness(statement: Statement) -> tuple[bool, int, int]:
    patterns = (*(statement.actions or ("*",)), *(statement.resources or ("*",)))
    return (bool(statement.conditions), -sum("*" in each for each in patterns), statement.index)


def _alone(policy: Policy, *statements: Statement) -> Policy:
    denials = tuple(each for each in policy.statements if not each.allows)
    return policy._replace(statements=(*statements, *denials))


def _ask(
    alone: Documents,
    reference: Documents,
    limits: Sequence[tuple[str, str]],
    told: Sequence[Statement] = (),
    policy: Policy | None = None,
) -> Answer:
    """A request of the statement that the reference does not allow and no statement told already holds."""
    others = Documents((_alone(policy, *told),), alone.kind) if told and policy is not None else None
    one, two = contrasted(alone, reference)

    def formula(space: Space) -> Formula:
        parts = [one.formula(space), contrary(two.formula(space))]
        parts += [Is((space.literal(dimension, space.globs((pattern,))),)) for dimension, pattern in limits]
        if others is not None:
            parts.append(contrary(others.formula(space)))
        return AllOf(tuple(parts))

    def confirms(request: Request) -> bool:
        return alone.allows(request) is True and reference.allows(request) is False

    written = (*alone.policies, *reference.policies, *(others.policies if others is not None else ()))
    sides = [side for side in (one, two, others) if side is not None]
    return find(sides, formula, confirms, written=written)


def _change(
    statement: Statement, policy: Policy, alone: Documents, reference: Documents, witness: Request
) -> Change:
    def mattering(where: str, patterns: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if patterns is None or len(patterns) == 1:
            return patterns
        spelled = [each.lower() if where == ACTION else each for each in patterns]
        answers = [_ask(alone, reference, [(where, each)]) for each in spelled]
        return tuple(each for each, answer in zip(patterns, answers, strict=True) if not answer.is_none)

    has_variables = any("${" in each for each in statement.resources or ())
    return Change(
        statement,
        policy,
        witness,
        mattering(ACTION, statement.actions),
        statement.resources if has_variables else mattering(RESOURCE, statement.resources),
        tuple(denial for denial in reference.denying(witness)),
    )
