"""What unused access is judged from, and what comes out: findings with a recommendation, and what stays open.

AWS: IAM Access Analyzer API Reference: "UnusedIamRoleDetails", "UnusedPermissionDetails"; IAM User Guide: "Create an
IAM Access Analyzer unused access analyzer": only what existed for the whole period is judged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.analyzer.unused_advice import Step


class Kind(StrEnum):
    """What is not used, in the words of AWS's finding types."""

    ROLE = "UnusedIAMRole"
    ACCESS_KEY = "UnusedIAMUserAccessKey"
    PASSWORD = "UnusedIAMUserPassword"  # noqa: S105  # the name of a type of finding
    PERMISSION = "UnusedPermission"


@dataclass(frozen=True, slots=True)
class Window:
    """The period that is looked at: so many days before `until` (UTC)."""

    until: datetime
    days: int

    @property
    def since(self) -> datetime:
        """Its first moment, UTC."""
        return self.until - timedelta(days=self.days)

    def has(self, time: datetime) -> bool:
        """Whether the time lies within, or after it."""
        return time >= self.since


@dataclass(frozen=True, slots=True)
class Used:
    """What one principal did within the window, as recorded calls or last-accessed data tell it.

    `services` are prefixes that were used, `actions` names in lower case. Of the services in `by_action` it is known
    which actions were used, of the others only whether any was. `source` says who told it.

    Silence proves nothing about services in `unseen`, about services that are not among the `listed` ones, actions that
    are not among the `tracked` ones (None: all are), and actions in `silent`, lower case.
    """

    services: frozenset[str] = frozenset()
    actions: frozenset[str] = frozenset()
    by_action: frozenset[str] = frozenset()
    unseen: frozenset[str] = frozenset()
    source: str = ""
    listed: frozenset[str] | None = None
    tracked: frozenset[str] | None = None
    silent: frozenset[str] = frozenset()

    def is_open(self, service: str) -> bool:
        """Whether nobody can tell that the service was not used."""
        return service in self.unseen or (self.listed is not None and service not in self.listed)

    def is_told(self, action: str) -> bool:
        """Whether its silence about an action (lower case) means that it was not used."""
        return action not in self.silent and (self.tracked is None or action in self.tracked)


@dataclass(frozen=True, slots=True)
class Activity:
    """What recorded calls tell of all principals: by ARN what was used; empty `missing` where they cover the window.

    `missing` are the blind spots for which nothing can be concluded from silence. `unseen` are services with calls that
    only data events record, of which the lake holds none.
    """

    by_principal: Mapping[str, Used] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    unseen: frozenset[str] = frozenset()

    @property
    def covers(self) -> bool:
        """Whether silence means that nothing was done."""
        return not self.missing


@dataclass(frozen=True, slots=True)
class Unused:
    """One role, key, password, or set of permissions that nobody used within the window.

    `item` tells keys of one user apart; `last_used` is None for never. `services` are those of which no action was
    used, `actions` single actions of services that were. `steps` are what to do with each policy,
    `tags` those of the user or role, and `told` says what the answer comes from.
    """

    kind: Kind
    resource: str
    account: str
    told: str
    recommendation: str
    item: str = ""
    created: datetime | None = None
    last_used: datetime | None = None
    services: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def subject(self) -> str:
        """What tells this finding from any other of its kind."""
        return f"{self.resource} {self.item}".rstrip()


@dataclass(frozen=True, slots=True)
class Open:
    """Something that nobody can tell, and the calls or evidence that would; `resource` is empty for a whole kind."""

    kind: Kind
    account: str
    resource: str
    why: str
    missing: tuple[str, ...]
    item: str = ""

    @property
    def subject(self) -> str:
        """As `Unused.subject`."""
        return f"{self.resource} {self.item}".rstrip()


@dataclass(frozen=True, slots=True)
class Judged:
    """Unused access of one account: how many were looked at, findings, what is open, and who is too young to judge."""

    account: str
    window: Window
    looked_at: int
    unused: tuple[Unused, ...]
    open: tuple[Open, ...]
    young: tuple[str, ...] = ()


def moment(said: object) -> datetime | None:
    """The time that an answer writes; None where it writes none, or one without zone.

    >>> moment("2026-03-11T06:00:00Z").year, moment("yesterday")
    (2026, None)
    """
    try:
        found = datetime.fromisoformat(str(said))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None
