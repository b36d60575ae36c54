"""Every action of the catalogue in one order, so that a set of actions is a whole number with one bit for each.

The order is that of the lower-case names, so everything that begins alike stands together: the bits of `s3:Get*` are
one run, found by two searches. A set of all actions takes 2.8 kB.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from clew.aws import glob

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_AFTER_ANY: Final = "\U0010ffff"
_WILDCARDS: Final = "*?"
LARGEST_CACHE: Final = 4096


@dataclass(frozen=True)
class ActionIndex:
    """The names of all actions in order; `spelled` as AWS writes them, `lowered` to search in."""

    spelled: tuple[str, ...]
    lowered: tuple[str, ...]
    _masks: dict[str, int] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, names: Iterable[str]) -> ActionIndex:
        """The index of these full names."""
        spelled = tuple(sorted(names, key=str.lower))
        return cls(spelled, tuple(name.lower() for name in spelled))

    @property
    def everything(self) -> int:
        """The set of all actions."""
        return (1 << len(self.spelled)) - 1

    def bit(self, action: str) -> int | None:
        """The place of the action in the order; None for one that is not in the catalogue.

        >>> ActionIndex.of(["s3:PutObject", "s3:GetObject"]).bit("S3:putobject")
        1
        """
        name = action.lower()
        place = bisect_left(self.lowered, name)
        return place if place < len(self.lowered) and self.lowered[place] == name else None

    def mask(self, pattern: str) -> int:
        """The set of the actions that the pattern (`*`, `?`, any case) matches as a whole.

        >>> index = ActionIndex.of(["ec2:RunInstances", "s3:GetObject", "s3:PutObject", "s3express:GetObject"])
        >>> [bin(index.mask(pattern)) for pattern in ("*", "s3:*", "S3:get*", "*:GetObject", "s3:??tObject", "s4:*")]
        ['0b1111', '0b110', '0b10', '0b1010', '0b110', '0b0']
        """
        name = pattern.lower()
        found = self._masks.get(name)
        if found is None:
            # A stream of hostile patterns must not fill the memory; real policies have a few hundred.
            if len(self._masks) >= LARGEST_CACHE:
                self._masks.clear()
            found = self._masks[name] = self._find(name)
        return found

    def _find(self, pattern: str) -> int:
        stem = _stem(pattern)
        if stem == pattern:
            place = self.bit(pattern)
            return 0 if place is None else 1 << place
        first = bisect_left(self.lowered, stem)
        last = bisect_left(self.lowered, stem + _AFTER_ANY)
        if pattern.rstrip("*") == stem:
            return ((1 << (last - first)) - 1) << first
        matches = glob.matcher(pattern)
        return _number(matches(name) for name in self.lowered[first:last]) << first

    def set_of(self, places: Iterable[int]) -> int:
        """The set of the actions at these places of the order.

        >>> bin(ActionIndex.of(["s3:GetObject", "s3:PutObject"]).set_of([1]))
        '0b10'
        """
        chosen = set(places)
        return _number(place in chosen for place in range(len(self.spelled)))

    def names(self, mask: int) -> tuple[str, ...]:
        """The actions of the set, in order, as AWS spells them.

        >>> ActionIndex.of(["s3:GetObject", "s3:PutObject", "sts:AssumeRole"]).names(0b101)
        ('s3:GetObject', 'sts:AssumeRole')
        """
        return tuple(self.spelled[place] for place in _places(mask & self.everything))


@dataclass(frozen=True, slots=True)
class ActionSet:
    """A set of actions of one catalogue; `mask` has one bit for each.

    >>> index = ActionIndex.of(["s3:GetObject", "s3:PutObject", "sts:AssumeRole"])
    >>> found = ActionSet(index, index.mask("s3:*")) - ActionSet(index, index.mask("s3:put*"))
    >>> list(found), "S3:GetObject" in found, len(found)
    (['s3:GetObject'], True, 1)
    """

    index: ActionIndex
    mask: int

    def __contains__(self, action: str) -> bool:
        place = self.index.bit(action)
        return place is not None and bool(self.mask >> place & 1)

    def __iter__(self) -> Iterator[str]:
        return iter(self.index.names(self.mask))

    def __len__(self) -> int:
        return self.mask.bit_count()

    def __or__(self, other: ActionSet) -> ActionSet:
        return ActionSet(self.index, self.mask | other.mask)

    def __and__(self, other: ActionSet) -> ActionSet:
        return ActionSet(self.index, self.mask & other.mask)

    def __sub__(self, other: ActionSet) -> ActionSet:
        return ActionSet(self.index, self.mask & ~other.mask)


def _stem(pattern: str) -> str:
    """What stands before the first wildcard."""
    return next((pattern[:place] for place, char in enumerate(pattern) if char in _WILDCARDS), pattern)


def _number(bits: Iterable[bool]) -> int:
    # Text to number is one pass; setting the bits of a long number one by one copies it each time.
    digits = "".join("1" if bit else "0" for bit in bits)
    return int(digits[::-1], 2) if digits else 0


def _places(mask: int) -> Iterator[int]:
    digits = bin(mask)[:1:-1]
    place = digits.find("1")
    while place >= 0:
        yield place
        place = digits.find("1", place + 1)
