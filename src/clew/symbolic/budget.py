"""How much work a question may take, counted in steps and not in seconds, so that an answer is the same everywhere."""

from __future__ import annotations

from typing import Final

STATES: Final = 60_000
"""States of automata in one question; 1,000 states take about 4 ms."""

BRANCHES: Final = 60_000
"""Boxes in one question."""


class UndecidedError(Exception):
    """A question, or a part of one, was left open; the message says why."""


class OpenError(UndecidedError):
    """It depends on the value of a policy variable."""


class Budget:
    """What is left of the work that one question may take."""

    __slots__ = ("branches", "states")

    def __init__(self, states: int = STATES, branches: int = BRANCHES) -> None:
        self.states = states
        self.branches = branches

    def take_state(self) -> None:
        """Count one state; `UndecidedError` when none is left."""
        self.states -= 1
        if self.states < 0:
            raise UndecidedError("the patterns take more states than the budget has")

    def take_branch(self) -> None:
        """Count one box; `UndecidedError` when none is left."""
        self.branches -= 1
        if self.branches < 0:
            raise UndecidedError("the policies take more boxes than the budget has")
