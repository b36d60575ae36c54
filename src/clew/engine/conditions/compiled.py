"""One line of a condition block, compiled: a function from the request context to True, False or None (unknown).

The functions are specialised when they are made, so that deciding does nothing but look up the key and match.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from clew.engine.conditions.operators import Qualified, Quantifier, read
from clew.engine.conditions.resolve import resolve
from clew.engine.request import UNKNOWN, Context
from clew.policy.variables import Piece, Variable, has_variables, pieces

if TYPE_CHECKING:
    from clew.policy.model import Condition
    from clew.policy.pattern import Matcher, Run

Test = Callable[[Context], bool | None]
"""Three-valued: None when it depends on what is not known."""

OpenMatcher = Callable[[str, Context], bool | None]
"""Whether a request value is one of the policy values, of which some have variables."""


def nothing_applies(_context: Context) -> bool:
    """The test of a condition that cannot be read: its statement matches nothing."""
    return False


def compile_condition(condition: Condition, *, variables: bool) -> Test:
    """The test of the condition; `variables` says whether the version of the policy has policy variables.

    An unknown operator gives a test that is never true: the statement is malformed.
    """
    qualified = read(condition.operator)
    if qualified is None:
        return nothing_applies
    key, operator = condition.key.lower(), qualified.operator
    if operator.tests_presence:
        return _presence(key, operator.matcher(condition.values))
    absent = _when_absent(qualified)
    if variables and operator.resolved is not None and any(map(has_variables, condition.values)):
        return _open_test(key, _open_matcher(condition.values, qualified), qualified, absent=absent)
    match = operator.matcher(condition.values)
    if qualified.quantifier is Quantifier.PLAIN:
        return _plain_test(key, match, negated=operator.negated, absent=absent)
    return _set_test(key, match, qualified, absent=absent)


def _when_absent(qualified: Qualified) -> bool:
    # AWS: a missing key does not match, so negated operators hold; "IfExists" and "ForAllValues" hold without a key.
    if qualified.if_exists:
        return True
    if qualified.quantifier is Quantifier.PLAIN:
        return qualified.operator.negated
    return qualified.quantifier is Quantifier.ALL


def _presence(key: str, match: Matcher) -> Test:
    if_absent, if_present = match("true"), match("false")

    def test(context: Context) -> bool | None:
        value = context.get(key)
        if value is UNKNOWN:
            return None
        # A key whose list is empty has no value: it counts as absent here.
        return if_absent if value is None or value == () else if_present

    return test


def _plain_test(key: str, match: Matcher, *, negated: bool, absent: bool) -> Test:
    def test(context: Context) -> bool | None:
        value = context.get(key)
        if value.__class__ is str:
            return match(value) is not negated
        if value is None:
            return absent
        if value is UNKNOWN:
            return None
        return any(map(match, value)) is not negated

    return test


def _set_test(key: str, match: Matcher, qualified: Qualified, *, absent: bool) -> Test:
    negated, every = qualified.operator.negated, qualified.quantifier is Quantifier.ALL

    def test(context: Context) -> bool | None:
        value = context.get(key)
        if value is None:
            return absent
        if value is UNKNOWN:
            return None
        values = (value,) if isinstance(value, str) else value
        answers = (match(each) is not negated for each in values)
        return all(answers) if every else any(answers)

    return test


def _open_matcher(values: Sequence[str], qualified: Qualified) -> OpenMatcher:
    operator = qualified.operator
    closed = operator.matcher([value for value in values if not has_variables(value)])
    templates = tuple(pieces(value) for value in values if has_variables(value))
    made: Callable[[Sequence[Run]], Matcher] = operator.resolved  # type: ignore[assignment]  # compile_condition saw it

    def match(value: str, context: Context) -> bool | None:
        if closed(value):
            return True
        answer: bool | None = False
        for template in templates:
            runs = resolve(template, context)
            if runs is UNKNOWN:
                answer = None
            elif runs is not None and made(runs)(value):
                return True
        return answer

    return match


def _open_test(key: str, match: OpenMatcher, qualified: Qualified, *, absent: bool) -> Test:
    negated, quantifier = qualified.operator.negated, qualified.quantifier

    def test(context: Context) -> bool | None:
        value = context.get(key)
        if value is None:
            return absent
        if value is UNKNOWN:
            return None
        answers = [match(each, context) for each in ((value,) if isinstance(value, str) else value)]
        if quantifier is Quantifier.PLAIN:
            return _negate(some(answers), negated=negated)
        answers = [_negate(answer, negated=negated) for answer in answers]
        return every(answers) if quantifier is Quantifier.ALL else some(answers)

    return test


def _negate(answer: bool | None, *, negated: bool) -> bool | None:
    return answer if answer is None else answer is not negated


def some(answers: Sequence[bool | None]) -> bool | None:
    """Strong Kleene "or": True when one is True, else None when one is None."""
    return True if True in answers else None if None in answers else False


def every(answers: Sequence[bool | None]) -> bool | None:
    """Strong Kleene "and": False when one is False, else None when one is None."""
    return False if False in answers else None if None in answers else True


def variable_keys(condition: Condition) -> tuple[str, ...]:
    """The keys that the condition's values name in variables, as written."""
    found: list[Piece] = [piece for value in condition.values for piece in pieces(value)]
    return tuple(piece.key for piece in found if isinstance(piece, Variable))
