"""The residual conditions of many actions at once: each distinct one with the actions that it governs.

A formula for every action is a partition: each distinct formula with its actions. The law is read over partitions
exactly as it is read over verdicts and over single formulas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.engine.bulk_masks import without
from clew.engine.law import ATOMS, DIRECT, RESOURCE, ROLE
from clew.engine.residual import all_of, any_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from clew.engine.bulk_gates import Heard, Scene, Speech
    from clew.engine.bulk_laws import Slice
    from clew.engine.bulk_masks import Piece
    from clew.engine.residual import Formula

Partition = dict[int, int]
"""Formulas, by their number, and for each the actions of which it is the formula."""

_FALSE: Final = 0
_TRUE: Final = 1


class Formulas:
    """Formulas by number, so that combining two of them a second time is a look-up.

    Roles share most of their statements: of the combinations that 1,000 roles ask for, nearly all are repetitions.
    """

    def __init__(self) -> None:
        self._formulas: list[Formula] = [False, True]
        self._numbers: dict[Formula, int] = {False: _FALSE, True: _TRUE}
        self._both: dict[tuple[int, int], int] = {}
        self._either: dict[tuple[int, int], int] = {}

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
        if one == _TRUE or other == _FALSE:
            return other
        if other == _TRUE or one == _FALSE:
            return one
        return self._joined(self._both, all_of, one, other)

    def either(self, one: int, other: int) -> int:
        """The disjunction."""
        if one == _FALSE or other == _TRUE:
            return other
        if other == _FALSE or one == _TRUE:
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


class Residuals:
    """The formulas of the actions within one region: those of one slice whose effect is undetermined."""

    def __init__(self, scene: Scene, formulas: Formulas, region: int) -> None:
        self._scene = scene
        self._formulas = formulas
        self._region = region

    def of(self, cut: Slice, heard: Iterable[Heard]) -> dict[tuple[int, int], int]:
        """Each distinct pair of formulas, for `denied` and `granted`, with its actions."""
        present = [one for one in heard if one.gate in cut.present]
        denied: Partition = {_FALSE: self._region}
        for one in present:
            for piece in one.denying:
                denied = self._spoken(denied, piece)
        granted = cut.law.granted(self._atoms(present), self._all_of, self._any_of)
        return {
            (one, other): both
            for one, mask in denied.items()
            for other, another in granted.items()
            if (both := mask & another)
        }

    def _atoms(self, heard: Iterable[Heard]) -> list[Partition]:
        found: list[Partition] = [{_FALSE: self._region}] * ATOMS
        for one in heard:
            for speech in one.speeches:
                spoken = self._speech(speech)
                found[speech.atom] = self._all_of([found[speech.atom], spoken]) if speech.level else spoken
        found[RESOURCE] = self._any_of([found[DIRECT], found[ROLE], found[RESOURCE]])
        return found

    def _speech(self, speech: Speech) -> Partition:
        sure = speech.allows.sure & self._region
        partition: Partition = {_FALSE: self._region ^ sure} if sure != self._region else {}
        for piece in speech.allowing:
            partition = self._spoken(partition, piece)
        if sure:
            partition[_TRUE] = sure
        return partition

    def _spoken(self, partition: Partition, piece: Piece) -> Partition:
        """The partition where the piece may hold, too."""
        if not piece.mask & self._region:
            return partition
        number = self._number(piece)
        found: Partition = {}
        for formula, mask in partition.items():
            both = mask & piece.mask
            if both:
                joined = self._formulas.either(formula, number)
                found[joined] = found.get(joined, 0) | both
            if both != mask:
                found[formula] = found.get(formula, 0) | without(mask, both)
        return found

    def _number(self, piece: Piece) -> int:
        scene = self._scene
        key = (id(piece.placed), piece.wildcard_only)
        found = scene.formulas.get(key)
        if found is None:
            parts = piece.placed.unknown_parts(
                scene.ground.resource, scene.context, wildcard_only=piece.wildcard_only
            )
            found = scene.formulas[key] = self._formulas.number(all_of(parts))
        return found

    def _all_of(self, partitions: Iterable[Partition]) -> Partition:
        return self._joined(partitions, self._formulas.both, _TRUE)

    def _any_of(self, partitions: Iterable[Partition]) -> Partition:
        return self._joined(partitions, self._formulas.either, _FALSE)

    def _joined(
        self, partitions: Iterable[Partition], join: Callable[[int, int], int], neutral: int
    ) -> Partition:
        found: Partition = {neutral: self._region}
        for partition in partitions:
            if len(partition) == 1 and neutral in partition:
                continue
            made: Partition = {}
            for one, mask in found.items():
                for other, another in partition.items():
                    both = mask & another
                    if both:
                        number = join(one, other)
                        made[number] = made.get(number, 0) | both
            found = made
        return found
