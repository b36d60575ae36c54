"""What every producer of judgements returns: a Finding with its severity and its evidence."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class Severity(StrEnum):
    """How bad it is, ordered: informational < low < medium < high < critical.

    >>> Severity.HIGH.rank > Severity.LOW.rank
    True
    """

    INFORMATIONAL = "informational"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """The position in the order, 0 for informational to 4 for critical."""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class Status(StrEnum):
    """Where a finding stands in its life."""

    ACTIVE = "active"
    SUPPRESSED = "suppressed"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One record that proves something: what it says and where its original text stands.

    Units: `time` is UTC. `source` is the path of the file as it was read, `record_number` counts from 0.
    """

    event_id: str
    time: datetime | None
    summary: str
    event_source: str = ""
    event_name: str = ""
    account: str = ""
    region: str = ""
    actor: str = ""
    source_ip: str = ""
    access_key: str = ""
    user_agent: str = ""
    channel: str = ""
    outcome: str = ""
    resources: tuple[str, ...] = ()
    source: str = ""
    record_number: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One judgement with its evidence, equal across runs when `id` is equal.

    Shape: `event_ids` lists every proving event in time order, `evidence` the ones worth showing (at most 50),
    `next_steps` and `false_positives` are plain sentences, `technique` holds MITRE ATT&CK ids such as `T1078.004`,
    `tactics` its tactics such as `initial-access`. `subject` tells apart findings of one rule: the actor in an account,
    or the values by which a correlation groups. `tags` are those of the resource, where they are known.
    Units: `first_seen` and `last_seen` are UTC.
    """

    id: str
    rule: str
    title: str
    severity: Severity
    actor: str
    first_seen: datetime
    last_seen: datetime
    explanation: str
    technique: tuple[str, ...] = ()
    tactics: tuple[str, ...] = ()
    event_ids: tuple[str, ...] = ()
    event_count: int = 0
    why_it_matters: str = ""
    next_steps: tuple[str, ...] = ()
    false_positives: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    source_ips: tuple[str, ...] = ()
    access_keys: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = field(default=())
    producer: str = "detect"
    status: Status = Status.ACTIVE
    suppression: str = ""
    subject: str = ""
    tags: tuple[tuple[str, str], ...] = ()


def severity_order(finding: Finding) -> tuple[int, datetime, str]:
    """The sort key by which findings are shown: the worst first, then in the order of time."""
    return -finding.severity.rank, finding.first_seen, finding.id


def finding_id(*parts: str) -> str:
    """The stable identity of a finding: 16 hexadecimal digits made of the parts that define it.

    >>> finding_id("detect", "root-used", "arn:aws:iam::111122223333:root")
    '0e463a3970371b12'
    """
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]
