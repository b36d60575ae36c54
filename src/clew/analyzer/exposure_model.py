"""What exposure is told about: resources with their ways in, the zone of trust, and what comes out of it.

The shapes follow IAM Access Analyzer's Finding (v2), external access.
AWS: IAM Access Analyzer API Reference: "ExternalAccessDetails", "FindingSource"; IAM User Guide: "How IAM Access
Analyzer findings work".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from clew.findings import finding_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.policy.model import Condition, Policy
    from clew.snapshot.model import Document


class ZoneOfTrust(StrEnum):
    """Whose principals are trusted, so that their access is no exposure."""

    ACCOUNT = "account"
    ORGANIZATION = "organization"


class Restriction(StrEnum):
    """What resource control policies mean for an exposure, in the words of AWS's `ExternalAccessDetails`.

    Applied: the answer takes them into account. Applicable: there are some, and access in this way is not put to them.
    """

    APPLICABLE = "APPLICABLE"
    FAILED_TO_EVALUATE_RCP = "FAILED_TO_EVALUATE_RCP"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    APPLIED = "APPLIED"


@dataclass(frozen=True, slots=True)
class Zone:
    """The zone of trust around the resources of one account.

    `organization` is the id of the account's organisation and `members` are its accounts; None where nobody could read
    them. `ids` are the unique ids of the account's users and roles, which `aws:userid` begins with. `rcps` are the
    resource control policies above the account, root first; `rcps_known` is false where nobody told them.
    """

    account: str
    kind: ZoneOfTrust = ZoneOfTrust.ACCOUNT
    organization: str | None = None
    members: frozenset[str] | None = None
    ids: frozenset[str] = frozenset()
    rcps: tuple[tuple[Policy, ...], ...] = ()
    rcps_known: bool = True

    def holds_account(self, account: str) -> bool:
        """Whether the account is inside."""
        if account == self.account:
            return True
        return self.kind is ZoneOfTrust.ORGANIZATION and account in (self.members or ())

    def excludes(self, account: str) -> bool:
        """Whether the account is known to be of no organisation that the owner is in."""
        return self.organization is not None and self.members is not None and account not in self.members

    def holds_organization(self, organization: str) -> bool:
        """Whether every account of the organisation is inside."""
        return self.kind is ZoneOfTrust.ORGANIZATION and organization == self.organization


class Through(StrEnum):
    """Through what the access is granted; the first four are the types of AWS's `FindingSource`.

    An access point's account: the bucket leaves the decision to that account's access points.
    """

    POLICY = "POLICY"
    BUCKET_ACL = "BUCKET_ACL"
    S3_ACCESS_POINT = "S3_ACCESS_POINT"
    S3_ACCESS_POINT_ACCOUNT = "S3_ACCESS_POINT_ACCOUNT"
    GRANT = "GRANT"
    SHARING = "SHARING"


@dataclass(frozen=True, slots=True)
class Entry:
    """One grantee of an access control list, a KMS grant, or a list of accounts with which something is shared.

    `kind` and `principal` are as in a policy's Principal element. `name` tells the entry to people.
    """

    kind: str
    principal: str
    actions: tuple[str, ...]
    name: str
    conditions: tuple[Condition, ...] = ()
    is_public: bool = False


@dataclass(frozen=True, slots=True)
class WayIn:
    """One thing that may let somebody in: a policy, or a list of entries; and what closes it.

    `call` is the question whose answer it is, `file` who answered it, `time` when (ISO 8601, UTC). `unread` are calls
    without which this way is not known, `unsettled` those without which it is not known whether it is closed.
    `closed_to_public`: Block Public Access keeps strangers out; `vpc_only`: so does a network without the internet, but
    it lets in others whom the policy names. `about` is what the policy is attached to, where that is
    not the resource itself: an access point. `url_auth` is the authentication that a function's URL asks for, `NONE` or
    `AWS_IAM`; empty where it has no URL, None where that is not known or there is no function.
    """

    through: Through
    call: str
    file: str = ""
    time: str = ""
    document: Document | None = None
    entries: tuple[Entry, ...] = ()
    unread: tuple[str, ...] = ()
    unsettled: tuple[str, ...] = ()
    closed_to_public: bool = False
    about: str = ""
    vpc_only: bool = False
    url_auth: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One resource with all its ways in. `type` is spelled as in CloudFormation; `region` is empty for global ones.

    `tags` are those that the answers tell: of roles.
    """

    arn: str
    type: str
    account: str
    region: str = ""
    ways: tuple[WayIn, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """Where an exposure is written: the statement or entry, its place, and the answer that held it."""

    said: str
    place: str
    call: str
    time: str = ""


@dataclass(frozen=True, slots=True)
class Exposure:
    """Access of one principal outside the zone, under one set of conditions, through one way.

    `kind` and `principal` are as in a policy's Principal element, `*` for everybody. `actions` are names or the
    patterns as they are written, where all of a pattern is granted. `levels` are List, Read, Write, Permissions,
    Tagging. `may` is true where a Deny or a condition may take the access back; such access is reported all the same.
    `dormant` says why the access cannot be used at present, though the policy grants it; mostly empty.
    """

    resource: str
    type: str
    account: str
    region: str
    kind: str
    principal: str
    actions: tuple[str, ...]
    levels: tuple[str, ...]
    conditions: tuple[Condition, ...]
    is_public: bool
    through: Through
    about: str = ""
    may: bool = False
    proofs: tuple[Proof, ...] = ()
    restriction: Restriction = Restriction.NOT_APPLICABLE
    dormant: str = ""
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def subject(self) -> str:
        """What tells this exposure from any other: resource, principal, actions, conditions and source."""
        conditions = (f"{c.operator} {c.key} {' '.join(sorted(c.values))}" for c in self.conditions)
        parts = (self.kind, self.principal, *self.actions, *sorted(conditions), self.through, self.about)
        return f"{self.resource} {self.principal} {finding_id(*parts)}"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A resource, or a whole type of resources, of which it is not known who gets in; and the calls that would tell.

    `resource` is empty where the list of a type was not read.
    """

    resource: str
    type: str
    account: str
    region: str
    missing: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Report:
    """The exposure of one account: what was looked at, what is open, and what is not known."""

    account: str
    zone: Zone
    targets: Mapping[str, str]
    exposures: tuple[Exposure, ...]
    unknown: tuple[Unknown, ...] = ()
    notes: tuple[str, ...] = ()
