"""Statements as boxes: what one statement says of action, resource, caller and each condition key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.engine.conditions import Quantifier
from clew.engine.conditions import read as read_operator
from clew.engine.gates import INCOMPLETE, WITH_PRINCIPAL, usable
from clew.engine.principal import Manner, Named
from clew.engine.resources import Incomplete, as_read, with_variables
from clew.engine.verdicts import Gate
from clew.policy import variables as policy_variables
from clew.policy.short_api import is_short, of_any_api
from clew.symbolic import callers
from clew.symbolic.automata import wild
from clew.symbolic.keys import KeyTest
from clew.symbolic.operators import of_runs, set_of
from clew.symbolic.space import ACTION, CALLER, RESOURCE, key_dimension
from clew.symbolic.texts import Texts, glob
from clew.symbolic.values import of_texts
from clew.symbolic.variables import of_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.policy.model import Condition, Policy, Statement
    from clew.symbolic.space import Space
    from clew.symbolic.variables import Symbols

Literals = tuple[int, ...]
"""The literals of a box; none means that every request is in it."""

_EVERYTHING: Final = "*"


def literals(
    statement: Statement,
    policy: Policy,
    gate: Gate,
    space: Space,
    *,
    least: Manner = Manner.ACCOUNT,
    bounded: bool = False,
    wildcards: bool = False,
    wildcard_only: bool = False,
    is_named: bool = False,
) -> Literals | None:
    """The box of requests that the statement matches; None when it matches none.

    least: the weakest manner of naming the caller that counts. bounded: whether the caller has a permissions boundary.
    wildcards: whether principals may hold wildcards, as in reference policies. wildcard_only: whether the actions in
    question have no resource type. is_named: whether it is known already that the statement is about the caller.
    """
    if usable(statement, gate):
        return None
    symbols = space.symbols if policy.version == policy_variables.VERSION else None
    found: list[int] = []
    for part in (
        _action(statement, space),
        _wildcard(statement, gate) if wildcard_only else _resource(statement, gate, space, symbols),
        True
        if is_named
        else _caller(statement, gate, space, least=least, bounded=bounded, wildcards=wildcards),
        *(_condition(each, space, symbols) for each in statement.conditions),
    ):
        if part is False:
            return None
        if part is not True:
            found.append(part)
    return tuple(dict.fromkeys(found))


def _signed(space: Space, dimension: str, what: Texts | bool, *, negated: bool) -> int | bool:
    if isinstance(what, bool):
        return what is not negated
    literal = space.literal(dimension, what)
    return -literal if negated else literal


def _action(statement: Statement, space: Space) -> int | bool:
    listed, excluded = statement.actions, statement.not_actions
    if (listed is None) == (excluded is None):
        return False
    patterns = [each.lower() for each in (listed if listed is not None else excluded or ())]
    kept = [each for each in patterns if ":" in each or each == _EVERYTHING]
    negated = listed is None
    if _EVERYTHING in kept or not kept:
        return bool(kept) is not negated
    return _signed(space, ACTION, space.globs(kept), negated=negated)


def _resource(statement: Statement, gate: Gate, space: Space, symbols: Symbols | None) -> int | bool:
    listed, excluded = statement.resources, statement.not_resources
    if listed is None and excluded is None:
        return gate in {Gate.RESOURCE, Gate.BLOCK_PUBLIC_ACCESS}
    if listed is not None and excluded is not None:
        return False
    negated = listed is None
    patterns = listed if listed is not None else excluded or ()
    if gate is Gate.RESOURCE and any(map(is_short, patterns)):
        patterns = tuple(map(of_any_api, patterns))
    if _EVERYTHING in patterns or not patterns:
        return bool(patterns) is not negated
    return _signed(space, RESOURCE, _resources(patterns, gate, space, symbols), negated=negated)


def _wildcard(statement: Statement, gate: Gate) -> bool:
    """Whether the statement is about an action that has no resource type."""
    listed, excluded = statement.resources, statement.not_resources
    if listed is None and excluded is None:
        return gate in {Gate.RESOURCE, Gate.BLOCK_PUBLIC_ACCESS}
    if listed is not None and excluded is not None:
        return False
    return _EVERYTHING in listed if listed is not None else _EVERYTHING not in (excluded or ())


def _resources(patterns: Sequence[str], gate: Gate, space: Space, symbols: Symbols | None) -> Texts:
    incomplete = INCOMPLETE.get(gate, Incomplete.AS_WRITTEN)
    if symbols is None or not any(map(policy_variables.has_variables, patterns)):
        return space.globs(as_read(patterns, incomplete))
    plain, templates = with_variables(patterns)
    atoms = [of_pieces("resource", each, of_runs, wild, symbols) for each in templates]
    closed = map(glob, as_read(plain, incomplete))
    return Texts([*closed, *(atom for atom in atoms if atom is not None)])


def _caller(
    statement: Statement, gate: Gate, space: Space, *, least: Manner, bounded: bool, wildcards: bool
) -> int | bool:
    if gate not in WITH_PRINCIPAL:
        return True
    caller = space.caller
    if statement.principals is not None:
        named = Named(statement.principals)
        if wildcards:
            return _signed(space, CALLER, callers.named_or_alike(named, caller), negated=False)
        return _signed(space, CALLER, callers.named_by(named, caller, least), negated=False)
    denies = not statement.allows
    if denies and bounded:
        return True
    named = Named(statement.not_principals or ())
    return _signed(space, CALLER, callers.excepted_by(named, caller, denies=denies), negated=True)


def _condition(condition: Condition, space: Space, symbols: Symbols | None) -> int | bool:
    qualified = read_operator(condition.operator)
    if qualified is None:
        return False
    key, operator = condition.key.lower(), qualified.operator
    values = set_of(operator.name, condition.values, symbols)
    if operator.tests_presence:
        presence = (values.match("true"), values.match("false"))
        return presented(space, key, KeyTest(values, absent=presence[False], presence=presence))
    is_plain = qualified.quantifier is Quantifier.PLAIN
    absent = qualified.if_exists or (operator.negated if is_plain else qualified.quantifier is Quantifier.ALL)
    return presented(space, key, KeyTest(values, qualified.quantifier, operator.negated, absent))


def presented(space: Space, key: str, test: KeyTest) -> int | bool:
    """The literal of a condition on the key: about the caller's text where that says the key's value."""
    tied = space.ties.get(key)
    if tied is not None:
        return _tied(space, tied, test)
    if not callers.follows_from_text(key, space.caller):
        return space.literal(key_dimension(key), test)
    if test.presence is not None:
        return test.presence[True]
    return _signed(space, CALLER, callers.projected(key, test.values), negated=test.negated)


def _tied(space: Space, dimension: str, test: KeyTest) -> int | bool:
    """The literal of a condition on a key whose value is the account in another dimension's ARN."""
    if test.presence is not None:
        return test.presence[True]
    found = callers.projected("aws:principalaccount", test.values)
    if dimension == RESOURCE:
        return _signed(space, RESOURCE, found, negated=test.negated)
    return space.literal(dimension, KeyTest(of_texts(found), negated=test.negated))


def condition_keys(policies: Sequence[Policy]) -> Iterator[tuple[str, bool]]:
    """Every condition key, in lower case, and whether a set operator looks at it; keys of variables without one."""
    for policy in policies:
        for statement in policy.statements:
            for condition in statement.conditions:
                qualified = read_operator(condition.operator)
                is_set = qualified is not None and qualified.quantifier is not Quantifier.PLAIN
                yield condition.key.lower(), is_set
                for value in condition.values:
                    yield from ((key.lower(), False) for key in policy_variables.keys(value))
            for pattern in (*(statement.resources or ()), *(statement.not_resources or ())):
                yield from ((key.lower(), False) for key in policy_variables.keys(pattern))
