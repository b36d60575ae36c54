"""Verdicts for every action of the catalogue at once: a statement's actions as a bit-set, its verdict as two.

A statement's verdict hangs on the action in three ways only: whether it is about the action, whether the action has
resource types, and what the law makes of it. So a statement is asked once, or once for each kind of action, and what
it says holds for a whole set.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from clew.aws import catalog
from clew.engine.gates import place_one
from clew.engine.request import Context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from clew.engine.decision import Gate
    from clew.engine.gates import Placed
    from clew.policy.model import Policy, Statement


class Verdicts(NamedTuple):
    """A three-valued verdict on every action: those of which it is certainly true, and those of which it may be.

    INVARIANT: every sure action is possible too.
    """

    sure: int
    possible: int


NEVER: Final = Verdicts(0, 0)
WIDE_OPEN: Final = Context(unknown=None)
"""The context of which nothing is known: what is determined in it is so in every context."""


KEPT: Final = 4096
"""How many answers a cache keeps: more than an account has policies; a stream of policies must not fill the memory."""

Key = TypeVar("Key")
Value = TypeVar("Value")


def with_room(cache: dict[Key, Value]) -> dict[Key, Value]:
    """The cache, emptied when it is full."""
    if len(cache) >= KEPT:
        cache.clear()
    return cache


def without(mask: int, other: int) -> int:
    """The actions of the first set that are not in the other.

    >>> bin(without(0b1110, 0b0111))
    '0b1000'
    """
    # `mask & ~other` goes through a negative number, which takes 3.5 µs for 22,000 bits; this takes 0.8.
    return mask ^ (mask & other)


def known_any(verdicts: Iterable[Verdicts]) -> Verdicts:
    """Strong Kleene OR for every action; never for no verdicts.

    >>> known_any([Verdicts(0b01, 0b01), Verdicts(0b00, 0b10)])
    Verdicts(sure=1, possible=3)
    """
    sure = possible = 0
    for verdict in verdicts:
        sure |= verdict.sure
        possible |= verdict.possible
    return Verdicts(sure, possible)


class Piece(NamedTuple):
    """A statement where it matches or may match: the actions, and the verdict (True or None) that holds for all.

    `wildcard_only` says that the actions have no resource type.
    """

    placed: Placed
    mask: int
    wildcard_only: bool
    verdict: bool | None


class Said(NamedTuple):
    """What statements say in one context: the actions that they allow and deny.

    `allowing` and `denying` are the pieces of which it is unknown whether they match.
    """

    allows: Verdicts
    denies: Verdicts
    allowing: tuple[Piece, ...] = ()
    denying: tuple[Piece, ...] = ()


SILENCE: Final = Said(NEVER, NEVER)


class Masks:
    """The statements of policies with the actions that each is about, found once for each policy and kept.

    Of an endless stream of policies it keeps the latest few thousand.
    """

    def __init__(self, aws: catalog.Catalog | None = None) -> None:
        """Answer over the actions of the given catalogue, else of the one that applies."""
        self.catalog = catalog.current() if aws is None else aws
        self.index = self.catalog.index
        self.everything = self.index.everything
        self._each: dict[str, tuple[tuple[int, str], ...]] = {}
        self._placed: dict[tuple[int, Gate], tuple[Policy, tuple[tuple[Placed, int], ...]]] = {}

    @cached_property
    def of_rcp_services(self) -> int:
        """The actions of the services that resource control policies reach."""
        found = 0
        for service in self.catalog.rcp_services:
            found |= self.index.mask(f"{service}:*")
        return found

    def each(self, pattern: str) -> tuple[tuple[int, str], ...]:
        """Every action that the pattern matches: its mask and its name in lower case."""
        found = self._each.get(pattern)
        if found is None:
            names = [name.lower() for name in self.index.names(self.index.mask(pattern))]
            found = self._each[pattern] = tuple([(self.index.mask(name), name) for name in names])
        return found

    def first(self, mask: int) -> str:
        """The first action of a set that is not empty, in lower case."""
        return self.index.lowered[(mask & -mask).bit_length() - 1]

    def where(self, pattern: str, holds: Callable[[str], bool]) -> int:
        """Those of the actions that the pattern matches for which the test holds."""
        found = 0
        for mask, name in self.each(pattern):
            found |= mask if holds(name) else 0
        return found

    def of(self, policy: Policy, gate: Gate) -> tuple[tuple[Placed, int], ...]:
        """Every usable statement of the policy in this gate that is about some action, with the actions."""
        # Found by identity: hashing a whole policy costs more than compiling it.
        found = self._placed.get((id(policy), gate))
        if found is None:
            found = (policy, self.of_placed(place_one(policy, gate, "")))
            with_room(self._placed)[id(policy), gate] = found
        return found[1]

    def of_placed(self, statements: Iterable[Placed]) -> tuple[tuple[Placed, int], ...]:
        """The statements that are about some action, with the actions."""
        masked = [(placed, self.about(placed.statement)) for placed in statements]
        return tuple([each for each in masked if each[1]])

    def about(self, statement: Statement) -> int:
        """The actions that the statement's Action or NotAction element matches."""
        listed, excluded = statement.actions, statement.not_actions
        if (listed is None) == (excluded is None):
            return 0
        if listed is not None:
            return self._any(listed)
        return self.everything ^ self._any(excluded or ())

    def _any(self, patterns: Sequence[str]) -> int:
        found = 0
        for pattern in patterns:
            # What cannot name an action matches none: see `match.CompiledStatement`.
            if ":" in pattern or pattern == "*":
                found |= self.index.mask(pattern)
        return found

    def pieces(self, statements: Iterable[tuple[Placed, int]], resource: str, within: int) -> Iterator[Piece]:
        """The statements where they match the resource in some context, cut at actions without resource types."""
        alone = self.catalog.wildcard_only
        for placed, about in statements:
            mask = about & within
            if is_about_every_resource(placed.statement):
                parts = [(mask, False)]
            else:
                wild = mask & alone
                parts = [(mask ^ wild, False), (wild, True)]
            for part, wildcard_only in parts:
                if not part:
                    continue
                verdict = placed.applies(resource, WIDE_OPEN, wildcard_only=wildcard_only)
                if verdict is not False:
                    yield Piece(placed, part, wildcard_only, verdict)


def is_about_every_resource(statement: Statement) -> bool:
    """Whether the statement's Resource element matches every resource, so that no action need be told apart."""
    return statement.resources is not None and "*" in statement.resources and statement.not_resources is None


def hear(hits: Iterable[tuple[Piece, bool | None]], before: Said = SILENCE) -> Said:
    """What these pieces say, each with its verdict, besides what was said before."""
    (allows, may_allow), (denies, may_deny), *_ = before
    allowing: list[Piece] = []
    denying: list[Piece] = []
    for piece, verdict in hits:
        if piece.placed.denies:
            may_deny |= piece.mask
            if verdict is None:
                denying.append(piece)
            else:
                denies |= piece.mask
        else:
            may_allow |= piece.mask
            if verdict is None:
                allowing.append(piece)
            else:
                allows |= piece.mask
    return Said(Verdicts(allows, may_allow), Verdicts(denies, may_deny), tuple(allowing), tuple(denying))


class Folded:
    """The pieces of one policy for one resource: what is settled in every context, and what each context decides."""

    __slots__ = ("_resource", "open", "settled")

    def __init__(self, pieces: Iterable[Piece], resource: str) -> None:
        """Sum up the pieces that are settled."""
        found = tuple(pieces)
        self._resource = resource
        self.open = tuple([piece for piece in found if piece.verdict is None])
        self.settled = hear([(piece, True) for piece in found if piece.verdict])

    def said(self, context: Context) -> Said:
        """What the pieces say in the context."""
        return hear(answered(self.open, self._resource, context), self.settled) if self.open else self.settled


def answered(pieces: Iterable[Piece], resource: str, context: Context) -> Iterator[tuple[Piece, bool | None]]:
    """The pieces that match or may match in the context, each with its verdict."""
    for piece in pieces:
        verdict = piece.verdict
        if verdict is None:
            verdict = piece.placed.applies(resource, context, wildcard_only=piece.wildcard_only)
        if verdict is not False:
            yield piece, verdict


def together(parts: Sequence[Said]) -> Said:
    """What the policies of one gate say together: a union."""
    if len(parts) == 1:
        return parts[0]
    return Said(
        known_any([part.allows for part in parts]),
        known_any([part.denies for part in parts]),
        tuple([piece for part in parts for piece in part.allowing]),
        tuple([piece for part in parts for piece in part.denying]),
    )
