"""Condition blocks: keys, operators, qualifiers, IfExists, Null."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spec.context import Context, Missing
from spec.kleene import Truth, agreed, all_of, any_of, negate
from spec.operators import OPERATORS, Operator
from spec.values import truth_word
from spec.variables import Filled, Unfilled, as_written, fill

if TYPE_CHECKING:
    from collections.abc import Iterable

FOR_ALL, FOR_ANY = "ForAllValues", "ForAnyValue"
QUALIFIERS = frozenset({FOR_ALL, FOR_ANY})


@dataclass(frozen=True)
class Condition:
    """One condition: `ForAllValues:StringLikeIfExists` on one key with its policy values, taken apart."""

    operator: str
    key: str
    values: tuple[str, ...]
    qualifier: str | None = None
    if_exists: bool = False


@dataclass(frozen=True)
class Test:
    """A condition whose policy values have their variables filled in."""

    operator: Operator
    qualifier: str | None
    if_exists: bool
    values: tuple[Filled | Unfilled, ...]


def block_holds(conditions: Iterable[Condition], context: Context, *, variables: bool) -> Truth:
    """Rule 27: all operators and all keys of a block must hold.

    IAM user guide, "Conditions with multiple context keys or values", section "Evaluation logic for multiple
    context keys or values".
    """
    return all_of(condition_holds(condition, context, variables=variables) for condition in conditions)


def condition_holds(condition: Condition, context: Context, *, variables: bool) -> Truth:
    """One condition against what the context has for its key."""
    found = context.lookup(condition.key)
    if condition.operator == "Null":
        return null(condition.values, found)
    operator = OPERATORS[condition.operator]
    values = tuple(_policy_value(value, operator, context, variables=variables) for value in condition.values)
    test = Test(operator, condition.qualifier, condition.if_exists, values)
    if found is Missing.UNKNOWN:
        return of_unknown_key(test)
    if found is Missing.ABSENT:
        return of_absent_key(test)
    return of_values(test, _as_list(found))


def _policy_value(text: str, operator: Operator, context: Context, *, variables: bool) -> Filled | Unfilled:
    """Rule 32: variables are filled in for string and ARN operators and for Bool (0007 Q20)."""
    return fill(text, context) if variables and operator.takes_variables else as_written(text)


def of_absent_key(test: Test) -> bool:
    """Rules 26, 28 and 30: a missing key.

    Positive operators are false, negated ones true, IfExists true, ForAllValues true, ForAnyValue false.
    IAM user guide, "IAM JSON policy elements: Condition operators", first box "Important" and section
    "...IfExists condition operators"; "Single-valued vs. multivalued context keys", section "ForAllValues".
    """
    if test.if_exists or test.qualifier == FOR_ALL:
        return True
    if test.qualifier == FOR_ANY:
        return False
    return test.operator.negated


def of_values(test: Test, request_values: tuple[str, ...]) -> Truth:
    """Rules 28 and 29: a key with one or several request values; set operators work on single values too.

    IAM user guide, "Single-valued vs. multivalued context keys". 0007 Q23, Q24.
    """
    if test.qualifier is None:
        return of_plain_operator(test, request_values)
    if is_empty(request_values):
        return test.qualifier == FOR_ALL
    each = [matches_any(test, value) for value in request_values]
    wanted = [negate(match) for match in each] if test.operator.negated else each
    return all_of(wanted) if test.qualifier == FOR_ALL else any_of(wanted)


def of_plain_operator(test: Test, request_values: tuple[str, ...]) -> Truth:
    """Rules 27 and 29: without a set operator one value is compared; two or more match nothing, negated or not.

    IAM user guide, "Conditions with multiple context keys or values" (OR, and NOR for negated operators);
    "Single-valued vs. multivalued context keys" ("Multivalued context keys require a condition set operator").
    0007 Q22, Q24.
    """
    if is_multiple(request_values):
        return False
    match = any_of(matches_any(test, value) for value in request_values)
    return negate(match) if test.operator.negated else match


def is_multiple(request_values: tuple[str, ...]) -> bool:
    """Rule 29: more values than an operator without a set operator can take."""
    return len(request_values) > 1


def lacks_set_operator(condition: Condition, context: Context) -> bool:
    """Rule 29: the condition can never match this request, whose key has several values (0007 Q22)."""
    found = context.lookup(condition.key)
    plain = condition.qualifier is None and condition.operator != "Null"
    return plain and isinstance(found, tuple) and is_multiple(found)


def matches_any(test: Test, request_value: str) -> Truth:
    """Rule 27: a request value matches when it matches any of the policy values."""
    return any_of(_matches(test.operator, value, request_value) for value in test.values)


def _matches(operator: Operator, policy_value: Filled | Unfilled, request_value: str) -> Truth:
    """Rule 33: a policy value with an unresolvable variable matches nothing."""
    if policy_value is Unfilled.UNRESOLVABLE:
        return False
    return None if isinstance(policy_value, Unfilled) else operator.matches(policy_value, request_value)


def is_empty(request_values: tuple[str, ...]) -> bool:
    """Rule 28: a data set without values, such as an empty string (0007 Q23).

    IAM user guide, "Creating a condition that tests multiple key values", note on `ForAnyValue`.
    """
    return all(value == "" for value in request_values)


def null(policy_values: tuple[str, ...], found: str | tuple[str, ...] | Missing) -> Truth:
    """Rule 26: Null tests presence: `true` asks that the key be missing, `false` that it have a value.

    IAM user guide, "IAM JSON policy elements: Condition operators", section "Condition operator to check existence
    of condition keys". 0007 Q23, Q33.
    """
    asked = {truth_word(value) for value in policy_values}
    if found is Missing.UNKNOWN:
        return agreed([True in asked, False in asked])
    missing = isinstance(found, Missing) or is_empty(_as_list(found))
    return missing in asked


def of_unknown_key(test: Test) -> Truth:
    """A key that may be absent or have any values: true or false only where all completions agree (0007 Q33)."""
    outcomes = [of_absent_key(test), _with_matches(test, ())]
    if test.qualifier is None:
        outcomes.append(False)  # several values
    if _can_match(test):
        outcomes.append(_with_matches(test, (True,)))
    if not _matches_all(test):
        outcomes.append(_with_matches(test, (False,)))
    return agreed(outcomes)


def _with_matches(test: Test, each: tuple[bool, ...]) -> bool:
    """The outcome for present values that match, or do not, as told; none at all for an empty list."""
    if test.qualifier is None:
        return any(each) != test.operator.negated
    if not each:
        return test.qualifier == FOR_ALL
    return each[0] != test.operator.negated


def _can_match(test: Test) -> bool:
    """Whether some request value could match some policy value."""
    return any(
        value is Unfilled.UNKNOWN if isinstance(value, Unfilled) else test.operator.can_match(value)
        for value in test.values
    )


def _matches_all(test: Test) -> bool:
    """Whether every request value matches: one policy value is nothing but `*`."""
    return any(isinstance(value, Filled) and test.operator.matches_all(value) for value in test.values)


def _as_list(found: str | tuple[str, ...]) -> tuple[str, ...]:
    return (found,) if isinstance(found, str) else found
