"""Statements compiled for matching: action, resource and conditions; principals are matched elsewhere.

Compiling is lazy, part by part in the order in which parts are looked at: most statements fail on their action, and
a policy that is compiled for one request should not pay for what the request never reaches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.engine.conditions.compiled import compile_condition
from clew.engine.conditions.operators import takes_variables
from clew.engine.leaf import Leaf
from clew.engine.request import UNKNOWN, Context
from clew.engine.resources import Incomplete, ResourceTest, resource_test, variable_keys
from clew.policy import pattern, variables
from clew.policy.model import Effect

if TYPE_CHECKING:
    from clew.engine.conditions.compiled import Test
    from clew.policy.model import Statement
    from clew.policy.pattern import Matcher


class CompiledStatement:
    """A statement ready to be asked: does it match this action, resource and context?

    True, False, or None where that depends on keys that are unknown. The principal is not looked at.
    """

    __slots__ = (
        "_action",
        "_incomplete",
        "_resource",
        "_resource_optional",
        "_tests",
        "_variables",
        "denies",
        "statement",
    )

    def __init__(
        self,
        statement: Statement,
        *,
        version: str | None,
        incomplete: Incomplete = Incomplete.COMPLETED,
        resource_optional: bool = False,
    ) -> None:
        """Keep what compiling will need; see `compile_statement`."""
        self.statement = statement
        self.denies = statement.effect is Effect.DENY
        self._variables = version == variables.VERSION
        self._incomplete = incomplete
        self._resource_optional = resource_optional
        self._action: Matcher | None = None
        self._resource: ResourceTest | None = None
        self._tests: tuple[Test, ...] | None = None

    def evaluate(
        self, action: str, resource: str, context: Context, *, wildcard_only: bool = False
    ) -> bool | None:
        """Whether the statement matches, the principal aside; `action` in lower case.

        `wildcard_only` says that the action has no resource type: only the resource `*` can match then.
        """
        match = self._action or self._compile_action()
        return self.applies(resource, context, wildcard_only=wildcard_only) if match(action) else False

    def matches_action(self, action: str) -> bool:
        """Whether the statement is about the action (in lower case)."""
        return (self._action or self._compile_action())(action)

    def applies(self, resource: str, context: Context, *, wildcard_only: bool = False) -> bool | None:
        """As `evaluate`, for an action that is known to match."""
        found = self._resource or self._compile_resource()
        if wildcard_only:
            answer: bool | None = found.wildcard
        elif found.closed is not None:
            answer = found.closed(resource)
        else:
            answer = found.answer(resource, context)
        if answer is False:
            return False
        tests = self._tests
        for test in tests if tests is not None else self._compile_tests():
            holds = test(context)
            if holds is not True:
                if holds is False:
                    return False
                answer = None
        return answer

    def _compile_action(self) -> Matcher:
        self._action = made = _action_matcher(self.statement)
        return made

    def _compile_resource(self) -> ResourceTest:
        self._resource = made = resource_test(
            self.statement,
            variables=self._variables,
            incomplete=self._incomplete,
            optional=self._resource_optional,
        )
        return made

    def _compile_tests(self) -> tuple[Test, ...]:
        conditions = self.statement.conditions
        self._tests = made = tuple(
            [compile_condition(each, variables=self._variables) for each in conditions]
        )
        return made

    def unknown_parts(
        self, resource: str, context: Context, *, wildcard_only: bool = False
    ) -> tuple[Leaf, ...]:
        """The parts that are unknown, where the answer is: all of them must hold for the statement to match."""
        leaves = [
            Leaf.of(condition, test, variables=self._variables)
            for condition, test in zip(
                self.statement.conditions, self._tests or self._compile_tests(), strict=True
            )
            if test(context) is None
        ]
        found = self._resource or self._compile_resource()
        if not wildcard_only and found.answer(resource, context) is None:
            leaves.insert(0, found.leaf(self.statement, resource))
        return tuple(leaves)

    def missing_keys(self, context: Context) -> tuple[str, ...]:
        """The keys that the statement names, also in variables, and for which the context has no value; as written."""
        named: list[str] = []
        for condition in self.statement.conditions:
            named.append(condition.key)
            if self._variables and takes_variables(condition.operator):
                named += [key for value in condition.values for key in variables.keys(value)]
        if self._variables:
            named += variable_keys(self.statement)
        unique = {key.lower(): key for key in reversed(named)}
        return tuple(key for lower, key in reversed(unique.items()) if context.get(lower) in (None, UNKNOWN))


def _action_matcher(statement: Statement) -> Matcher:
    listed, excluded = statement.actions, statement.not_actions
    if (listed is None) == (excluded is None):
        return pattern.nothing
    if listed is not None:
        return pattern.any_of([action.lower() for action in listed if _is_action(action)])
    match = pattern.any_of([action.lower() for action in excluded or () if _is_action(action)])
    return lambda action: not match(action)


def _is_action(text: str) -> bool:
    """Whether the pattern can name an action: `service:name`, or `*` for all."""
    return ":" in text or text == "*"


def compile_statement(
    statement: Statement,
    *,
    version: str | None,
    incomplete: Incomplete = Incomplete.COMPLETED,
    resource_optional: bool = False,
) -> CompiledStatement:
    """The statement, compiled under the version of its policy.

    incomplete: what an ARN of fewer than six fields matches, which depends on the kind of policy.
    resource_optional: whether a missing Resource element means "the resource itself", as in resource policies;
        elsewhere such a statement is malformed and matches nothing.
    """
    return CompiledStatement(
        statement, version=version, incomplete=incomplete, resource_optional=resource_optional
    )
