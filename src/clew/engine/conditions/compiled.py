"""One line of a condition block, compiled: a function from the request context to True, False or None (unknown).

The functions are specialised when they are made, so that deciding does nothing but look up the key and match.
Questions that AWS leaves open: docs/decisions/0007-iam-questions.md, Q22 to Q33.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from clew.engine.conditions.ends import verdict
from clew.engine.conditions.operators import Quantifier, read
from clew.engine.conditions.resolve import resolve
from clew.engine.request import UNKNOWN, Context
from clew.policy.pattern import everything, nothing
from clew.policy.variables import has_variables, pieces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.engine.conditions.operators import Qualified
    from clew.engine.request import ContextValue
    from clew.policy.model import Condition
    from clew.policy.pattern import Matcher, Run

_PRINCIPAL: Final = "aws:principalarn"

Test = Callable[[Context], bool | None]
"""Three-valued: None when it depends on what is not known."""


def never(_context: Context) -> bool:
    """The test of a condition that cannot be read: its statement matches nothing."""
    return False


def compile_condition(condition: Condition, *, variables: bool) -> Test:
    """The test of the condition; `variables` says whether the version of the policy has policy variables.

    An unknown operator gives a test that is never true: the statement is malformed.
    """
    qualified = read(condition.operator)
    if qualified is None:
        return never
    key, operator = condition.key.lower(), qualified.operator
    if operator.tests_presence:
        return _presence(key, operator.matcher(condition.values))
    is_plain = qualified.quantifier is Quantifier.PLAIN
    if variables and operator.resolved is not None and any(map(has_variables, condition.values)):
        values = _Values(condition.values, qualified)
        return _open(key, values, qualified) if is_plain else _open_set(key, values, qualified)
    match = operator.matcher(condition.values)
    test = _plain(key, match, qualified) if is_plain else _set(key, match, qualified)
    return _by_ends(key, condition, qualified, test) if key == _PRINCIPAL else test


def _by_ends(key: str, condition: Condition, qualified: Qualified, test: Test) -> Test:
    """The test of a key of which the context may know how its value begins and ends."""
    operator = qualified.operator
    if not operator.name.startswith(("String", "Arn")):
        return test

    def tested(context: Context) -> bool | None:
        answer = test(context)
        ends = context.ends(key) if answer is None else None
        if ends is None:
            return answer
        found = verdict(operator.name, condition.values, ends)
        return found if found is None else found is not operator.negated

    return tested


def _presence(key: str, match: Matcher) -> Test:
    if_absent, if_present = match("true"), match("false")
    unknown = if_absent if if_absent is if_present else None

    def test(context: Context) -> bool | None:
        value = context.get(key)
        if value is UNKNOWN:
            return unknown if context.ends(key) is None else if_present
        return if_present if _has_value(value) else if_absent

    return test


def _has_value(value: ContextValue | None) -> bool:
    """Whether set operators and Null see a value: AWS calls a key empty also when its value is an empty text."""
    return any(value) if isinstance(value, tuple) else bool(value)


def _plain(key: str, match: Matcher, qualified: Qualified) -> Test:
    # AWS: "Multivalued context keys require a condition set operator": without one, two values match nothing, in
    # negated operators too (Q22).
    negated, absent = qualified.operator.negated, _when_absent(qualified)
    unknown = _when_unknown(qualified, possible=match is not nothing, certain=match is everything)

    def test(context: Context) -> bool | None:
        value = context.get(key)
        if isinstance(value, str):
            return match(value) is not negated
        if value is None:
            return absent
        if value is UNKNOWN:
            return unknown
        if len(value) > 1:
            return False
        return match(value[0]) is not negated if value else negated

    return test


def _set(key: str, match: Matcher, qualified: Qualified) -> Test:
    negated, absent = qualified.operator.negated, _when_absent(qualified)
    for_all = qualified.quantifier is Quantifier.ALL
    unknown = _when_unknown(qualified, possible=match is not nothing, certain=match is everything)

    def test(context: Context) -> bool | None:
        value = context.get(key)
        if value is None:
            return absent
        if value is UNKNOWN:
            return unknown
        if not _has_value(value):
            return for_all
        answers = (match(each) is not negated for each in _listed(value))
        return all(answers) if for_all else any(answers)

    return test


def _listed(value: ContextValue) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _when_absent(qualified: Qualified) -> bool:
    # AWS: a missing key does not match, so negated operators hold; "IfExists" and "ForAllValues" hold without a key.
    if qualified.if_exists:
        return True
    if qualified.quantifier is Quantifier.PLAIN:
        return qualified.operator.negated
    return qualified.quantifier is Quantifier.ALL


def _when_unknown(qualified: Qualified, *, possible: bool, certain: bool) -> bool | None:
    """The answer for a key that may be absent, empty, or have one value or more: None unless all agree (Q33).

    `possible`: some value can match; `certain`: every value does.
    """
    negated, absent = qualified.operator.negated, _when_absent(qualified)
    if qualified.quantifier is Quantifier.PLAIN:
        # Two values match nothing, so that only False can be certain.
        return None if absent or possible else False
    empty = qualified.quantifier is Quantifier.ALL
    answers = {absent, empty, *([not negated] if possible else []), *([] if certain else [negated])}
    return answers.pop() if len(answers) == 1 else None


class _Values:
    """Policy values of which some have variables."""

    def __init__(self, values: Sequence[str], qualified: Qualified) -> None:
        operator = qualified.operator
        closed = operator.matcher([value for value in values if not has_variables(value)])
        self._closed = () if closed is nothing else (closed,)
        self._templates = tuple(pieces(value) for value in values if has_variables(value))
        self._made: Callable[[Sequence[Run]], Matcher] | None = operator.resolved

    def resolved(self, context: Context) -> tuple[list[Matcher], bool]:
        """The matchers of the values in this context, and whether there are values that are not known."""
        found, unknown = [*self._closed], False
        for template in self._templates:
            runs = resolve(template, context)
            if runs is UNKNOWN:
                unknown = True
            elif runs is not None and self._made is not None:
                found.append(self._made(runs))
        return found, unknown


def _open(key: str, values: _Values, qualified: Qualified) -> Test:
    """The test of a plain operator over values with variables."""
    negated, absent = qualified.operator.negated, _when_absent(qualified)

    def test(context: Context) -> bool | None:
        value = context.get(key)
        if value is None:
            return absent
        if isinstance(value, tuple):
            if len(value) != 1:
                return negated and not value
            value = value[0]
        matchers, unresolved = values.resolved(context)
        if value is UNKNOWN:
            return _open_when_unknown(qualified, matchers, unresolved=unresolved)
        for match in matchers:
            if match(value):
                return not negated
        return None if unresolved else negated

    return test


def _open_set(key: str, values: _Values, qualified: Qualified) -> Test:
    """The test of a set operator over values with variables."""
    negated, absent = qualified.operator.negated, _when_absent(qualified)
    for_all = qualified.quantifier is Quantifier.ALL

    def test(context: Context) -> bool | None:
        value = context.get(key)
        if value is None:
            return absent
        matchers, unresolved = values.resolved(context)
        if value is UNKNOWN:
            return _open_when_unknown(qualified, matchers, unresolved=unresolved)
        if not _has_value(value):
            return for_all
        otherwise = None if unresolved else negated
        answers = [
            not negated if any(match(each) for match in matchers) else otherwise for each in _listed(value)
        ]
        return every(answers) if for_all else some(answers)

    return test


def _open_when_unknown(qualified: Qualified, matchers: Sequence[Matcher], *, unresolved: bool) -> bool | None:
    possible = unresolved or any(match is not nothing for match in matchers)
    return _when_unknown(qualified, possible=possible, certain=everything in matchers)


def some(answers: Sequence[bool | None]) -> bool | None:
    """Strong Kleene "or": True when one is True, else None when one is None."""
    return True if True in answers else None if None in answers else False


def every(answers: Sequence[bool | None]) -> bool | None:
    """Strong Kleene "and": False when one is False, else None when one is None."""
    return False if False in answers else None if None in answers else True
