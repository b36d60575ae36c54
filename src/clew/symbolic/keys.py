"""One condition key: which value, or whose absence, makes these conditions true and those false?

Absence is a value like any other. A key with one value is present with a text; a key of several values is present with
a list, of which set operators see every value and plain operators only one that stands alone.
Source: AWS, "Single-valued vs. multivalued context keys"; docs/decisions/0007-iam-questions.md, Q22 to Q28.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from clew.engine.conditions import Quantifier
from clew.symbolic.budget import OpenError, UndecidedError
from clew.symbolic.texts import Texts, equal, globs
from clew.symbolic.values import Family, Values, choose, of_texts, readable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from clew.engine.request import ContextValue
    from clew.symbolic.budget import Budget


class KeyTest(NamedTuple):
    """One condition on a key.

    Null has `presence`: its answers for an absent and a present key. `absent` is the answer without the key.
    """

    values: Values
    quantifier: Quantifier = Quantifier.PLAIN
    negated: bool = False
    absent: bool = False
    presence: tuple[bool, bool] | None = None

    @property
    def key(self) -> object:
        """Equal for conditions that say the same in the same words."""
        return (self.values.key, self.quantifier, self.negated, self.absent, self.presence)

    def holds(self, value: ContextValue | None) -> bool | None:
        """What the condition says of this value, None without the key; None where variables take part."""
        if value is None:
            return self.absent
        listed = (value,) if isinstance(value, str) else value
        has_value = any(listed)
        if self.presence is not None:
            return self.presence[has_value]
        if self.quantifier is Quantifier.PLAIN:
            if len(listed) != 1:
                return self.negated and not listed
            return self._one(listed[0])
        is_all = self.quantifier is Quantifier.ALL
        if not has_value:
            return is_all
        answers = [self._one(each) for each in listed]
        if (not is_all) in answers:
            return not is_all
        return None if None in answers else is_all

    def _one(self, text: str) -> bool | None:
        if self.values.match(text):
            return not self.negated
        return None if self.values.is_open else self.negated


Signed = tuple[KeyTest, bool]
"""A condition, and whether it is to hold."""


class Found(NamedTuple):
    """What a key may carry: text, a list, or None for a key that is absent."""

    value: ContextValue | None


class KeyKind(NamedTuple):
    """What is known of a key: whether it holds several values, and what its values can be (None: any text)."""

    multivalued: bool = False
    domain: Values | None = None
    can_be_absent: bool = True


ANY_KEY: Final = KeyKind()
_NOT_EMPTY: Final = of_texts(globs(("?*",)))


def solve(tests: Sequence[Signed], kind: KeyKind, budget: Budget) -> Found | None:
    """A state of the key in which every test has the answer that it is to have; None when there is none.

    Errors: `UndecidedError`; `OpenError` where it depends on a policy variable.
    """
    open_question: UndecidedError | None = None
    for shape in _shapes(kind):
        try:
            found = shape(tests, kind, budget)
        except UndecidedError as error:
            open_question = error
        else:
            if found is not None:
                return found
    if open_question is not None:
        raise open_question
    return None


def _shapes(kind: KeyKind) -> Iterator[Callable[[Sequence[Signed], KeyKind, Budget], Found | None]]:
    if kind.can_be_absent:
        yield _absent
    yield _one
    yield _empty_text
    if kind.multivalued:
        yield _no_values
        yield _many


def _agree(tests: Sequence[Signed], value: ContextValue | None) -> Found | None:
    answers = [(test.holds(value), wanted) for test, wanted in tests]
    if any(answer is (not wanted) for answer, wanted in answers):
        return None
    if any(answer is None for answer, _ in answers):
        if _contradict([each for each, (answer, _) in zip(tests, answers, strict=True) if answer is None]):
            return None
        raise OpenError("it depends on the value of a policy variable")
    return Found(value)


def _contradict(tests: Sequence[Signed]) -> bool:
    """Whether one set must hold by its variables what another set, with the same variables, must not hold.

    All tests are of one text that no set holds without its variables.
    """
    sets = [(test.values.texts, test.negated is not wanted) for test, wanted in tests]
    outside = {atom.key for found, is_inside in sets if found and not is_inside for atom in found.atoms}
    return any(
        is_inside
        and found is not None
        and all(not each.is_open or each.key in outside for each in found.atoms)
        for found, is_inside in sets
    )


def _absent(tests: Sequence[Signed], _kind: KeyKind, _budget: Budget) -> Found | None:
    return _agree(tests, None)


def _empty_text(tests: Sequence[Signed], kind: KeyKind, _budget: Budget) -> Found | None:
    if kind.domain is not None and not kind.domain.match(""):
        return None
    return _agree(tests, ("",) if kind.multivalued else "")


def _no_values(tests: Sequence[Signed], _kind: KeyKind, _budget: Budget) -> Found | None:
    return _agree(tests, ())


def _one(tests: Sequence[Signed], kind: KeyKind, budget: Budget) -> Found | None:
    """One value that is no empty text: every operator but Null then compares it alone."""
    positives, negatives = ([] if kind.domain is not None and not kind.domain.match("") else [_NOT_EMPTY]), []
    for test, wanted in tests:
        if test.presence is not None:
            if test.presence[True] is not wanted:
                return None
        elif test.negated is wanted:
            negatives.append(test.values)
        else:
            positives.append(test.values)
    text = choose(positives, negatives, kind.domain, budget)
    if text is None:
        return None
    return Found((text,) if kind.multivalued else text)


def _many(tests: Sequence[Signed], kind: KeyKind, budget: Budget) -> Found | None:
    """Two values or more, at least one of them no empty text."""
    everywhere: list[tuple[Values, bool]] = []
    somewhere: list[tuple[Values, bool]] = []
    for test, wanted in tests:
        if test.presence is not None or test.quantifier is Quantifier.PLAIN:
            answer = False if test.presence is None else test.presence[True]
            if answer is not wanted:
                return None
            continue
        is_for_each = (test.quantifier is Quantifier.ALL) is wanted
        (everywhere if is_for_each else somewhere).append((test.values, test.negated is not wanted))
    listed: list[str] = []
    for each in [*([one] for one in somewhere), [(_NOT_EMPTY, True)]]:
        text = _value([*everywhere, *each], kind, budget)
        if text is None:
            return None
        listed.append(text)
    unique = list(dict.fromkeys(listed))
    return Found(tuple(unique if len(unique) > 1 else unique * 2))


def _value(sets: Sequence[tuple[Values, bool]], kind: KeyKind, budget: Budget) -> str | None:
    positives = [values for values, inside in sets if inside]
    negatives = [values for values, inside in sets if not inside]
    return choose(positives, negatives, kind.domain, budget)


TRUTH: Final = of_texts(Texts([equal("true"), equal("false")]))
ARNS: Final = of_texts(globs(("arn:*:*:*:*:*",)))
DOMAINS: Final = {
    "Bool": TRUTH,
    "ARN": ARNS,
    "Numeric": readable(Family.NUMBER),
    "Date": readable(Family.DATE),
    "IPAddress": readable(Family.ADDRESS),
    "Binary": readable(Family.BINARY),
}
"""What a key of each of AWS's types can hold; texts are not limited."""
