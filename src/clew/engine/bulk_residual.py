"""The residual conditions of many actions at once: each distinct one with the actions that it governs.

A formula for every action is a partition: each distinct formula with its actions. The law is read over partitions
exactly as it is read over verdicts and over single formulas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.engine.bulk_formulas import FALSE, TRUE
from clew.engine.bulk_masks import with_room, without
from clew.engine.law import ATOMS, DIRECT, RESOURCE, ROLE
from clew.engine.residual import all_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from clew.engine.bulk_gates import Heard, Scene, Speech
    from clew.engine.bulk_laws import Slice
    from clew.engine.bulk_masks import Piece

Partition = dict[int, int]
"""Formulas, by their number, and for each the actions of which it is the formula."""


class Residuals:
    """The formulas of the actions within one region: those of one slice whose effect is undetermined."""

    def __init__(self, scene: Scene, region: int) -> None:
        self._scene = scene
        self._formulas = scene.formulas
        self._region = region

    def of(self, cut: Slice, heard: Iterable[Heard]) -> dict[tuple[int, int], int]:
        """Each distinct pair of formulas, for `denied` and `granted`, with its actions."""
        present = [one for one in heard if one.gate in cut.present]
        denied: Partition = {FALSE: self._region}
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
        found: list[Partition] = [{FALSE: self._region}] * ATOMS
        for one in heard:
            for speech in one.speeches:
                spoken = self._speech(speech)
                found[speech.atom] = self._all_of([found[speech.atom], spoken]) if speech.level else spoken
        found[RESOURCE] = self._any_of([found[DIRECT], found[ROLE], found[RESOURCE]])
        return found

    def _speech(self, speech: Speech) -> Partition:
        sure = speech.allows.sure & self._region
        partition: Partition = {FALSE: self._region ^ sure} if sure != self._region else {}
        for piece in speech.allowing:
            partition = self._spoken(partition, piece)
        if sure:
            partition[TRUE] = sure
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
        key = (piece.placed, piece.wildcard_only)
        found = scene.numbers.get(key)
        if found is None:
            parts = piece.placed.unknown_parts(
                scene.ground.resource, scene.context, wildcard_only=piece.wildcard_only
            )
            found = with_room(scene.numbers)[key] = self._formulas.number(all_of(parts))
        return found

    def _all_of(self, partitions: Iterable[Partition]) -> Partition:
        return self._joined(partitions, self._formulas.both, TRUE)

    def _any_of(self, partitions: Iterable[Partition]) -> Partition:
        return self._joined(partitions, self._formulas.either, FALSE)

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
