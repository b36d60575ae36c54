"""Patterns as automata: is there a text that matches all of these and none of those?

A pattern is a row of steps; the automaton's state is the set of places that a text read so far can have reached, as
bits. States are made while they are looked at, and of each state only the characters that its places tell apart are
tried, so that patterns which say little about each other cost little.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.symbolic.budget import Budget

FIRST_SYMBOL: Final = "\U000f0000"
"""From here on characters stand for the first character of a policy variable's value (a private use area)."""

REST_SYMBOL: Final = "\U00100000"
"""From here on characters stand for the rest of such a value."""

_FRESH: Final = "xzqwvkjyuhgfdbmnprtlcseaoi0123456789-_.+=@"


class Step(NamedTuple):
    """One place of a pattern: `many` for a run of characters, else for one; `only` these, or any but `excluded`."""

    many: bool
    only: str | None = None
    excluded: str = ""


def letters(text: str) -> list[Step]:
    """The steps of a literal text."""
    return [Step(many=False, only=char) for char in text]


def letters_of_any_case(text: str) -> list[Step]:
    """The steps of a literal text whose letters are compared without case (`str.lower`)."""
    return [Step(many=False, only=_cases(char)) for char in text.lower()]


# The few characters whose small letter is another one's too, where `upper` does not find them.
_TWINS: Final = {"k": "\u212a", "å": "\u212b", "ω": "\u2126", "θ": "\u03f4", "ß": "\u1e9e"}
CASE_IS_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyz")


def _cases(char: str) -> str:
    upper = char.upper()
    found = char + (upper if len(upper) == 1 and upper != char else "") + _TWINS.get(char, "")
    return "".join(dict.fromkeys(found))


def wild(text: str, excluded: str = "") -> list[Step]:
    """The steps of a pattern with `*` and `?`; its wildcards take no excluded character."""
    found: list[Step] = []
    many, one = Step(many=True, excluded=excluded), Step(many=False, excluded=excluded)
    for char in text:
        if char == "*":
            if not found or found[-1] != many:
                found.append(many)
        elif char == "?":
            found.append(one)
        else:
            found.append(Step(many=False, only=char))
    return found


class Automaton:
    """The automaton of one pattern; states are sets of places as bits, 0 where no text can match any more."""

    __slots__ = (
        "_chars",
        "_letters",
        "_masks",
        "_next",
        "_wildcards",
        "absorbing",
        "accepting",
        "initial",
        "stars",
        "steps",
        "wild",
    )

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = tuple(steps)
        self.accepting = 1 << len(self.steps)
        self._letters: dict[str, int] = {}
        self._wildcards: dict[Step, int] = {}
        for place, step in enumerate(self.steps):
            if step.only is None or step.many:
                self._wildcards[step] = self._wildcards.get(step, 0) | 1 << place
            else:
                for char in step.only:
                    self._letters[char] = self._letters.get(char, 0) | 1 << place
        self.stars = sum(places for step, places in self._wildcards.items() if step.many)
        self.wild = sum(self._wildcards.values())
        last = self.steps[-1] if self.steps else None
        is_open = last is not None and last.many and not last.excluded and last.only is None
        # The state from which on everything matches.
        self.absorbing = 1 << len(self.steps) - 1 if is_open else 0
        self._masks: dict[str, tuple[int, int]] = {}
        self._next: dict[tuple[int, str], int] = {}
        self._chars: dict[int, frozenset[str]] = {}
        self.initial = self._closed(1)

    def _closed(self, state: int) -> int:
        """With the places that are reached without a character, and without those that add nothing."""
        while True:
            more = state | (state & self.stars) << 1
            if more == state:
                return self._dominated(state)
            state = more

    def _dominated(self, state: int) -> int:
        stars = state & self.stars
        while stars:
            top = stars.bit_length() - 1
            if not self.steps[top].excluded:
                # INVARIANT: whatever an earlier place can read on the way to this star, the star reads too.
                return state & -(1 << top)
            stars ^= 1 << top
        return state

    def _mask(self, char: str) -> tuple[int, int]:
        """The places from which the character leads on, and those at which it stays."""
        found = self._masks.get(char)
        if found is None:
            move, stay = self._letters.get(char, 0), 0
            for step, places in self._wildcards.items():
                if _accepts(step, char):
                    if step.many:
                        stay |= places
                    else:
                        move |= places
            found = self._masks[char] = (move, stay)
        return found

    def next(self, state: int, char: str) -> int:
        """The state after one more character."""
        found = self._next.get((state, char))
        if found is None:
            move, stay = self._mask(char)
            found = self._next[state, char] = self._closed((state & move) << 1 | state & stay)
        return found

    def matches(self, text: str) -> bool:
        """Whether the pattern matches the text."""
        state = self.initial
        for char in text:
            state = self.next(state, char)
            if not state:
                return False
        return bool(state & self.accepting)

    def told_apart(self, state: int) -> frozenset[str]:
        """The characters that the state treats in a way of their own; all others are alike to it."""
        found = self._chars.get(state)
        if found is None:
            steps = [step for place, step in enumerate(self.steps) if state >> place & 1]
            found = (
                frozenset().union(*(step.only or step.excluded for step in steps)) if steps else frozenset()
            )
            self._chars[state] = found
        return found

    def covers(self, special: Sequence[Step]) -> bool:
        """Whether this pattern certainly matches all that the other does; False where that is not plain to see.

        The other pattern is read as a text whose wildcards only wildcards can match.
        """
        state = self.initial
        for step in special:
            if step.only is not None and not step.many:
                after = -1
                for char in step.only:
                    after &= self.next(state, char)
                state = after
            else:
                state = self._after_wildcard(state, step)
            if not state:
                return False
        return bool(state & self.accepting)

    def _after_wildcard(self, state: int, special: Step) -> int:
        after = 0
        for place, step in enumerate(self.steps):
            if not state >> place & 1 or not _takes_all(step, special):
                continue
            if step.many:
                after |= 1 << place
            elif not special.many:
                after |= 1 << place + 1
        return self._closed(after)


def _accepts(step: Step, char: str) -> bool:
    if step.only is not None:
        return char in step.only
    if char >= FIRST_SYMBOL:
        return not step.excluded and (step.many or char < REST_SYMBOL)
    return char not in step.excluded


def _takes_all(step: Step, special: Step) -> bool:
    """Whether the wildcard step takes every character that the other one stands for."""
    if special.only is not None:
        return step.only is None and not set(step.excluded) & set(special.only)
    return step.only is None and set(step.excluded) <= set(special.excluded)


def find(positives: Sequence[Automaton], negatives: Sequence[Automaton], budget: Budget) -> str | None:
    """A shortest text that all of the first and none of the others match; None when there is none.

    Most machines have nothing to say about the texts in question: each takes part only once a text would be found that
    it does not let pass (benchmarks/symbolic.py, AWS's policies: the slowest hundredth takes a third of the time).
    Errors: `UndecidedError` when the budget does not suffice.
    """
    wanted = [min(positives, key=lambda each: each.wild.bit_count() - len(each.steps))]
    unwanted: list[Automaton] = []
    while True:
        text = _shortest(wanted, unwanted, budget)
        if text is None:
            return None
        missed = [each for each in positives if each not in wanted and not each.matches(text)]
        hit = [each for each in negatives if each not in unwanted and each.matches(text)]
        if not missed and not hit:
            return text
        wanted += missed
        unwanted += hit


def _shortest(positives: Sequence[Automaton], negatives: Sequence[Automaton], budget: Budget) -> str | None:
    machines = (*positives, *negatives)
    count = len(positives)
    start = tuple(machine.initial for machine in machines)
    if _is_dead(start, machines, count):
        return None
    seen: dict[tuple[int, ...], tuple[tuple[int, ...], str] | None] = {start: None}
    queue = deque([start])
    while queue:
        state = queue.popleft()
        if _is_final(state, machines, count):
            return _text(state, seen)
        budget.take_state()
        for char in _alphabet(state, machines, count):
            after = tuple([m.next(s, char) if s else 0 for m, s in zip(machines, state, strict=True)])
            if after not in seen and not _is_dead(after, machines, count):
                seen[after] = (state, char)
                queue.append(after)
    return None


def _is_dead(state: tuple[int, ...], machines: Sequence[Automaton], count: int) -> bool:
    for place, (reached, machine) in enumerate(zip(state, machines, strict=True)):
        if place < count:
            if not reached:
                return True
        elif reached & machine.absorbing:
            return True
    return False


def _is_final(state: tuple[int, ...], machines: Sequence[Automaton], count: int) -> bool:
    return all(
        bool(reached & machine.accepting) is (place < count)
        for place, (reached, machine) in enumerate(zip(state, machines, strict=True))
    )


def _alphabet(state: tuple[int, ...], machines: Sequence[Automaton], count: int) -> Iterator[str]:
    special: frozenset[str] = _NO_CHARS
    for place, (reached, machine) in enumerate(zip(state, machines, strict=True)):
        if reached:
            told = machine.told_apart(reached)
            if place < count and not reached & machine.wild:
                # Nothing but its letters leads on.
                yield from sorted(told)
                return
            special |= told
    yield fresh(special)
    yield from sorted(special)


_NO_CHARS: Final[frozenset[str]] = frozenset()


def fresh(but: set[str] | frozenset[str]) -> str:
    """A character that is none of these, a readable one where there is one."""
    found = next((char for char in _FRESH if char not in but), None)
    if found is not None:
        return found
    return next(char for char in map(chr, range(0x100, 0xD800)) if char not in but)


def _text(state: tuple[int, ...], seen: dict[tuple[int, ...], tuple[tuple[int, ...], str] | None]) -> str:
    chars: list[str] = []
    before = seen[state]
    while before is not None:
        state, char = before
        chars.append(char)
        before = seen[state]
    return "".join(reversed(chars))
