"""What calls may have needed beside their own action: roles handed on, and actions that AWS calls dependent.

`iam:PassRole` is a permission, not a call: CloudTrail never records it. AWS: IAM user guide, "Grant a user permissions
to pass a role to an AWS service"; service authorization reference, dependent actions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clew.aws import catalog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.analyzer.generate_calls import Calls

HANDING_ON: Final = "iam:PassRole"
# Calls that name a role, but do not hand it on to a service.
_ABOUT_ROLES: Final = ("iam:", "sts:")


@dataclass(frozen=True, slots=True)
class Need:
    """An action that `by` may need too; `resources` are those that the calls show, empty where they show none.

    `seen` says whether the calls hold evidence of it: a role in the request.
    """

    action: str
    by: str
    resources: tuple[str, ...] = ()
    seen: bool = False

    @property
    def words(self) -> str:
        """The need as a clause."""
        if self.seen:
            return f"{self.by} handed on {', '.join(self.resources)}: it needs {self.action}, which is never logged"
        return f"{self.by} may need {self.action}"


def needs(calls: Calls) -> tuple[Need, ...]:
    """Every need of the calls' actions that is not among these actions itself; those with evidence first."""
    found = [need for action in calls.used for need in _of(action, calls)]
    return tuple(sorted(found, key=lambda each: (not each.seen, each.action.lower(), each.by.lower())))


def _of(action: str, calls: Calls) -> Iterator[Need]:
    roles = () if action.startswith(_ABOUT_ROLES) else tuple(sorted(calls.passed.get(action, ())))
    if roles:
        yield Need(HANDING_ON, action, roles, seen=True)
    used = {each.lower() for each in calls.used}
    for needed in catalog.current().dependent_actions_of(action):
        if needed.lower() not in used and not (roles and needed == HANDING_ON):
            yield Need(needed, action)
