"""What of two stacks can matter when one is held against the other, told from the statements' words alone.

Two stacks with the same gates decide a request alike unless it matches a statement that only one of them has. So only
such requests are asked about, and only the statements that speak of their services are read: see the stacks
of benchmarks/symbolic.py for what that saves.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from clew.aws import catalog
from clew.engine.verdicts import Gate
from clew.policy import variables
from clew.policy.model import Policy, Statement
from clew.symbolic import boxes
from clew.symbolic.contrast import services_of, words
from clew.symbolic.regions import Reach
from clew.symbolic.search import Is, any_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clew.engine import Policies
    from clew.symbolic.contrast import Services
    from clew.symbolic.search import Formula
    from clew.symbolic.space import Space
    from clew.symbolic.stacks import Stack


class Changed(NamedTuple):
    """A statement that only one of two stacks has, the policy that it stands in, and its gate."""

    statement: Statement
    policy: Policy
    gate: Gate


class StackContrast(NamedTuple):
    """Two stacks cut down to what can matter; `changed` is None where any request may be decided differently."""

    left: Stack
    right: Stack
    changed: tuple[Changed, ...] | None
    reach: Reach | None

    def formula(self, space: Space) -> Formula:
        """The requests that match a changed statement, whoever asks."""
        if self.changed is None:
            return True
        alone = space.region is not None and space.region.wildcard_only
        found = (
            boxes.literals(each.statement, each.policy, each.gate, space, wildcard_only=alone, is_named=True)
            for each in self.changed
        )
        return any_of(Is(each) for each in found if each is not None)


def contrasted(left: Stack, right: Stack) -> StackContrast:
    """Both stacks with fewer statements; on the requests in question they allow what they allowed before."""
    if left.principal != right.principal or not _are_alike(left.policies, right.policies):
        return StackContrast(left, right, None, None)
    changed = tuple(_changed(left.policies, right.policies))
    services = _services(changed)
    return StackContrast(_cut(left, services), _cut(right, services), changed, _reach(changed))


def _are_alike(one: Policies, other: Policies) -> bool:
    """Whether the same gates take part, and nothing but statements differs.

    Whether a bucket's policy is public is a question about the policy as a whole, which Block Public Access asks.
    """
    return _frame(one) == _frame(other) and (not one.block_public_access or one.resource == other.resource)


def _frame(policies: Policies) -> Policies:
    """The policies without their statements: which gates there are, and all else."""
    silent = Policy(())
    return replace(
        policies,
        identity=(),
        resource=policies.resource and silent,
        boundaries=policies.boundaries and (silent,),
        session=policies.session and (silent,),
        scps=tuple(() for _ in policies.scps),
        rcps=tuple(() for _ in policies.rcps),
        endpoint=policies.endpoint and (silent,),
    )


def _unions(policies: Policies) -> Iterator[tuple[Gate, tuple[Policy, ...]]]:
    """Policies whose statements are taken together, and their gate."""
    yield Gate.IDENTITY, policies.identity
    yield Gate.RESOURCE, () if policies.resource is None else (policies.resource,)
    yield Gate.BOUNDARY, policies.boundaries
    yield Gate.SESSION, policies.session
    yield from ((Gate.SCP, level) for level in policies.scps)
    yield from ((Gate.RCP, level) for level in policies.rcps)
    yield Gate.ENDPOINT, policies.endpoint


def _changed(one: Policies, other: Policies) -> Iterator[Changed]:
    for (gate, here), (_, there) in zip(_unions(one), _unions(other), strict=True):
        ours, theirs = dict(_worded(here, gate)), dict(_worded(there, gate))
        yield from (each for key, each in ours.items() if key not in theirs)
        yield from (each for key, each in theirs.items() if key not in ours)


def _worded(policies: Iterable[Policy], gate: Gate) -> Iterator[tuple[object, Changed]]:
    for policy in policies:
        for statement in policy.statements:
            key = (words(statement), policy.version == variables.VERSION)
            yield key, Changed(statement, policy, gate)


def _services(changed: Iterable[Changed]) -> Services:
    found: set[str] = set()
    for each in changed:
        services = None if each.statement.actions is None else services_of(each.statement.actions)
        if services is None:
            return None
        found |= services
    return frozenset(found)


def _cut(stack: Stack, services: Services) -> Stack:
    """The stack without the statements that speak of other services only; its gates stay."""
    if services is None:
        return stack

    def cut(policies: Iterable[Policy]) -> tuple[Policy, ...]:
        return tuple(
            policy._replace(statements=tuple(filter(speaks, policy.statements))) for policy in policies
        )

    def speaks(statement: Statement) -> bool:
        named = None if statement.actions is None else services_of(statement.actions)
        return named is None or not named.isdisjoint(services)

    policies = stack.policies
    resource = policies.resource
    return replace(
        stack,
        policies=replace(
            policies,
            identity=cut(policies.identity),
            resource=resource if resource is None or policies.block_public_access else cut((resource,))[0],
            boundaries=cut(policies.boundaries),
            session=cut(policies.session),
            scps=tuple(map(cut, policies.scps)),
            rcps=tuple(map(cut, policies.rcps)),
            endpoint=cut(policies.endpoint),
        ),
    )


def reach_of(patterns: Iterable[str]) -> Reach:
    """The actions that the patterns may match, known ones and others."""
    index = catalog.current().index
    known, open_patterns = 0, []
    for pattern in patterns:
        known |= index.mask(pattern)
        if index.bit(pattern) is None:
            open_patterns.append(pattern)
    return Reach(known, services_of(open_patterns))


def _reach(changed: Iterable[Changed]) -> Reach | None:
    listed = [each.statement.actions for each in changed]
    return None if None in listed else reach_of(action for actions in listed for action in actions or ())
