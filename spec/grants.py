"""What the side of the resource grants, and in which manner: its policy, its ACL, KMS grants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spec.kleene import Truth, any_of
from spec.principals import Manner

if TYPE_CHECKING:
    from collections.abc import Iterable

STRENGTH = (Manner.DIRECT, Manner.ROLE, Manner.USER_OF_SESSION, Manner.ACCOUNT)


@dataclass(frozen=True)
class Source:
    """One thing that allows: a statement, a KMS grant or an ACL entry."""

    gate: str
    policy: str
    statement: int
    sid: str | None
    applies: Truth
    manners: frozenset[Manner]

    @property
    def manner(self) -> Manner | None:
        """The strongest manner in which the caller is named."""
        return next((manner for manner in STRENGTH if manner in self.manners), None)


@dataclass(frozen=True)
class Side:
    """Whether something is granted directly, to the role (or user) of the session, or to the account."""

    direct: Truth = False
    role: Truth = False
    account: Truth = False

    @property
    def any(self) -> Truth:
        """Whether anything is granted, in whatever manner."""
        return any_of([self.direct, self.role, self.account])


def side(sources: Iterable[Source]) -> Side:
    """Rules 1 to 6: what all sources together grant, by manner.

    IAM user guide, "How AWS enforcement code logic evaluates requests", table "Resource-based policies and implicit
    denies in other policy types". 0007 Q5.
    """
    listed = list(sources)
    by_role = (Manner.ROLE, Manner.USER_OF_SESSION)
    return Side(
        direct=any_of(one.applies for one in listed if one.manner is Manner.DIRECT),
        role=any_of(one.applies for one in listed if one.manner in by_role),
        account=any_of(one.applies for one in listed if one.manner is Manner.ACCOUNT),
    )


def both(one: Side, other: Side) -> Side:
    """What two sides grant together."""
    return Side(
        any_of([one.direct, other.direct]),
        any_of([one.role, other.role]),
        any_of([one.account, other.account]),
    )
