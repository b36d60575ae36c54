"""The history of a managed policy: what each version made possible and impossible, and what going back would do.

AWS: IAM user guide, "Versioning IAM policies"; "IAM and AWS STS quotas": a managed policy has at most five versions.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from clew.errors import PolicyError, UsageError
from clew.symbolic.difference import Difference, difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.policy.model import Policy
    from clew.snapshot.model import PolicyVersion

MOST: Final = 5
"""How many versions a managed policy can have."""


@dataclass(frozen=True, slots=True)
class Step:
    """From one version to the next; `changes` is None where one of them cannot be read, and `reason` says why."""

    older: PolicyVersion
    newer: PolicyVersion
    changes: Difference | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """The versions of one policy, oldest first, the steps between them, and the way back from the default.

    `rollback` leads from the default version to the one asked for, else to the one before it; None where there is none.
    """

    arn: str
    versions: tuple[PolicyVersion, ...]
    steps: tuple[Step, ...]
    rollback: Step | None

    @property
    def is_full(self) -> bool:
        """Whether AWS would refuse a further version until one is deleted."""
        return len(self.versions) >= MOST

    @property
    def command(self) -> str:
        """The command that goes back; empty where there is nothing to go back to."""
        if self.rollback is None:
            return ""
        return f"aws iam set-default-policy-version --policy-arn {self.arn} --version-id {self.rollback.newer.id}"


def history(arn: str, versions: Sequence[PolicyVersion], back_to: str | None = None) -> History:
    """The history of the policy; errors: `UsageError` where `back_to` names no version of it, or the default."""
    ordered = tuple(sorted(versions, key=lambda each: (_number(each.id), each.created)))
    steps = tuple(_step(older, newer) for older, newer in pairwise(ordered))
    return History(arn, ordered, steps, _rollback(ordered, back_to))


def _number(version_id: str) -> int:
    digits = version_id.lstrip("v")
    return int(digits) if digits.isdigit() else 0


def _rollback(ordered: tuple[PolicyVersion, ...], back_to: str | None) -> Step | None:
    place = next((n for n, each in enumerate(ordered) if each.is_default), None)
    if back_to is None:
        return _step(ordered[place], ordered[place - 1]) if place else None
    wanted = next((each for each in ordered if each.id == back_to and not each.is_default), None)
    if wanted is None or place is None:
        others = ", ".join(each.id for each in ordered if not each.is_default) or "none"
        raise UsageError(f"`{back_to[:50]}` is no version to go back to; there are {others}")
    return _step(ordered[place], wanted)


def _step(older: PolicyVersion, newer: PolicyVersion) -> Step:
    try:
        before, after = _policy(older), _policy(newer)
    except PolicyError as error:
        return Step(older, newer, None, str(error))
    return Step(older, newer, difference(before, after))


def _policy(version: PolicyVersion) -> Policy:
    policy = version.document.policy
    return policy if policy.source else policy._replace(source=version.id)
