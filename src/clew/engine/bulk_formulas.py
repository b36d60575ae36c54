"""Formulas of residual conditions by number, so that combining two of them a second time is a look-up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.engine.residual import all_of, any_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from clew.engine.residual import Formula

FALSE: Final = 0
"""The number of the formula that never holds."""
TRUE: Final = 1
"""The number of the formula that always holds."""
MOST: Final = 100_000


class Formulas:
    """Formulas by number, and what their combinations were found to be.

    Roles share most of their statements: of the combinations that 1,000 roles ask for, nearly all are repetitions.
    """

    def __init__(self) -> None:
        self._formulas: list[Formula] = [False, True]
        self._numbers: dict[Formula, int] = {False: FALSE, True: TRUE}
        self._both: dict[tuple[int, int], int] = {}
        self._either: dict[tuple[int, int], int] = {}

    @property
    def is_full(self) -> bool:
        """Whether there are so many that one should begin anew: an endless question must not fill the memory."""
        return len(self._formulas) + len(self._both) + len(self._either) > MOST

    def number(self, formula: Formula) -> int:
        """The number of the formula."""
        found = self._numbers.setdefault(formula, len(self._formulas))
        if found == len(self._formulas):
            self._formulas.append(formula)
        return found

    def formula(self, number: int) -> Formula:
        """The formula of the number."""
        return self._formulas[number]

    def both(self, one: int, other: int) -> int:
        """The conjunction."""
        if one == TRUE or other == FALSE:
            return other
        if other == TRUE or one == FALSE:
            return one
        return self._joined(self._both, all_of, one, other)

    def either(self, one: int, other: int) -> int:
        """The disjunction."""
        if one == FALSE or other == TRUE:
            return other
        if other == FALSE or one == TRUE:
            return one
        return self._joined(self._either, any_of, one, other)

    def _joined(
        self,
        known: dict[tuple[int, int], int],
        join: Callable[[Iterable[Formula]], Formula],
        one: int,
        other: int,
    ) -> int:
        found = known.get((one, other))
        if found is None:
            formula = join((self._formulas[one], self._formulas[other]))
            found = known[one, other] = self.number(formula)
        return found
