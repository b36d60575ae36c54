"""The search for a request: formulas over boxes, decided by splitting boxes and stopping at the first that is left.

A box is what one statement says: a literal for each dimension. Before a box is subtracted it is looked at *relative* to
what is already assumed: literals that follow fall away, a box that cannot meet what is left falls away as a whole, and
one literal that remains decides at once. Only true overlaps split.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from clew.symbolic.budget import UndecidedError
from clew.symbolic.space import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from clew.symbolic.space import Space


@dataclass(frozen=True, slots=True)
class Is:
    """The request is in the box: every literal holds."""

    literals: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The request is outside of the box."""

    literals: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Some part holds."""

    parts: tuple[Formula, ...]


Formula = bool | Is | Not | AllOf | AnyOf

Assumed = dict[str, frozenset[int]]
"""What is assumed of each dimension."""


def all_of(parts: Iterable[Formula]) -> Formula:
    """The conjunction, without parts that always hold; False when one never does."""
    found: list[Formula] = []
    for part in parts:
        if part is False:
            return False
        if isinstance(part, AllOf):
            found += part.parts
        elif part is not True:
            found.append(part)
    return found[0] if len(found) == 1 else AllOf(tuple(found)) if found else True


def any_of(parts: Iterable[Formula]) -> Formula:
    """The disjunction, without parts that never hold; True when one always does."""
    found: list[Formula] = []
    for part in parts:
        if part is True:
            return True
        if isinstance(part, AnyOf):
            found += part.parts
        elif part is not False:
            found.append(part)
    return found[0] if len(found) == 1 else AnyOf(tuple(found)) if found else False


def contrary(formula: Formula) -> Formula:
    """The formula that holds where the given one does not."""
    match formula:
        case bool():
            return not formula
        case Is(literals):
            return Not(literals)
        case Not(literals):
            return Is(literals)
        case AllOf(parts):
            return any_of(map(contrary, parts))
        case AnyOf(parts):
            return all_of(map(contrary, parts))


Result = TypeVar("Result")


class Search(Generic[Result]):
    """One search in one space; `settle` turns assumptions that leave nothing open into an answer, or None.

    What could not be decided on the way is kept in `open_question`, and matters only when nothing is found.
    """

    def __init__(self, space: Space, settle: Callable[[Assumed], Result | None]) -> None:
        self.space = space
        self.settle = settle
        self.open_question: UndecidedError | None = None

    def run(self, formula: Formula) -> Result | None:
        """The first answer; None when no request is left. Errors: `UndecidedError` when that is not certain."""
        try:
            found = self._search({}, [formula])
        except RecursionError as error:
            raise UndecidedError("the policies are nested too deeply") from error
        if found is None and self.open_question is not None:
            raise self.open_question
        return found

    def _search(self, assumed: Assumed, formulas: Sequence[Formula]) -> Result | None:
        assumed = dict(assumed)
        pending = self._taken(assumed, list(formulas))
        while pending is not None:
            choices = self._simplified(assumed, pending)
            if choices is None:
                return None
            forced = [alternatives[0] for alternatives, _ in choices if len(alternatives) == 1]
            if not forced:
                return self._split(assumed, choices)
            rest = [formula for alternatives, formula in choices if len(alternatives) > 1]
            taken = self._taken(assumed, forced)
            pending = None if taken is None else [*taken, *rest]
        return None

    def _taken(self, assumed: Assumed, formulas: list[Formula]) -> list[Formula] | None:
        """Assume what is certain; what leaves a choice is handed back. None when it cannot be."""
        pending: list[Formula] = []
        while formulas:
            formula = formulas.pop()
            match formula:
                case False:
                    return None
                case True:
                    continue
                case Is(literals):
                    if not all(self._assume(assumed, literal) for literal in literals):
                        return None
                case AllOf(parts):
                    formulas.extend(parts)
                case _:
                    pending.append(formula)
        return pending

    def _assume(self, assumed: Assumed, literal: int) -> bool:
        """Add one literal; whether some value may still fit."""
        dimension = self.space.dimension(literal)
        before = assumed.get(dimension, NOTHING)
        if literal in before:
            return True
        if self.is_excluded(before, dimension, literal):
            return False
        assumed[dimension] = before | {literal}
        return True

    def is_excluded(self, before: frozenset[int], dimension: str, literal: int) -> bool:
        """Whether no value that fits what is assumed fits the literal too."""
        if -literal in before:
            return True
        if literal in before or not before:
            # Nothing is assumed yet: a literal that no value at all fits is found out later.
            return False
        try:
            known = self.space.ask(dimension, before)
            if known is None:
                return True
            if self.space.holds(literal, known.value):
                return False
        except UndecidedError:
            pass
        try:
            return self.space.ask(dimension, before | {literal}) is None
        except UndecidedError:
            return False

    def _simplified(
        self, assumed: Assumed, pending: Sequence[Formula]
    ) -> list[tuple[list[Formula], Formula]] | None:
        """Each choice with the alternatives that are left; None when one has none left."""
        choices = []
        for formula in pending:
            alternatives = self._alternatives(assumed, formula)
            if alternatives is None:
                continue
            if not alternatives:
                return None
            choices.append((alternatives, formula))
        return choices

    def _alternatives(self, assumed: Assumed, formula: Formula) -> list[Formula] | None:
        """The ways in which the formula can still hold; None when it holds already."""
        if isinstance(formula, Not):
            return self._ways_out(assumed, formula.literals)
        parts = formula.parts if isinstance(formula, AnyOf) else (formula,)
        found: list[Formula] = []
        for part in parts:
            if isinstance(part, Is):
                if self._follows(assumed, part.literals):
                    return None
                if self._meets(assumed, part.literals):
                    found.append(part)
            elif isinstance(part, Not):
                ways = self._ways_out(assumed, part.literals)
                if ways is None:
                    return None
                if ways:
                    found.append(part)
            else:
                found.append(part)
        return found

    def _ways_out(self, assumed: Assumed, literals: Sequence[int]) -> list[Formula] | None:
        """The literals that can still fail; None when one fails already."""
        found: list[Formula] = []
        for literal in literals:
            dimension = self.space.dimension(literal)
            before = assumed.get(dimension, NOTHING)
            if self.is_excluded(before, dimension, literal):
                return None
            if not self.is_excluded(before, dimension, -literal):
                found.append(Is((-literal,)))
        return found

    def _follows(self, assumed: Assumed, literals: Sequence[int]) -> bool:
        return all(
            self.is_excluded(assumed.get(dimension, NOTHING), dimension, -literal)
            for literal in literals
            for dimension in [self.space.dimension(literal)]
        )

    def _meets(self, assumed: Assumed, literals: Sequence[int]) -> bool:
        return not any(
            self.is_excluded(assumed.get(dimension, NOTHING), dimension, literal)
            for literal in literals
            for dimension in [self.space.dimension(literal)]
        )

    def _split(self, assumed: Assumed, choices: list[tuple[list[Formula], Formula]]) -> Result | None:
        if not choices:
            return self._settled(assumed)
        self.space.budget.take_branch()
        chosen = min(choices, key=lambda each: (isinstance(each[1], Not), len(each[0])))
        rest = [formula for _, formula in choices if formula is not chosen[1]]
        before: list[Formula] = []
        for alternative in chosen[0]:
            found = self._search(assumed, [alternative, *before, *rest])
            if found is not None:
                return found
            if isinstance(chosen[1], Not):
                # What was tried is over: from here on the literal holds.
                before.append(contrary(alternative))
        return None

    def _settled(self, assumed: Assumed) -> Result | None:
        try:
            return self.settle(assumed)
        except UndecidedError as error:
            self.open_question = error
            return None
