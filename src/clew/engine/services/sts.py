"""STS: a role's trust policy is the resource policy of AssumeRole; two actions need no permission at all.

AWS IAM User Guide: "Policy evaluation logic", role trust policies; "Permissions for GetSessionToken"; AWS STS API
Reference: GetCallerIdentity, AssumeRoleWithSAML, AssumeRoleWithWebIdentity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.engine.law import ALWAYS, REFUSED, RESOURCE_ALONE, RESOURCE_MUST_ALLOW
from clew.engine.principal import Kind

if TYPE_CHECKING:
    from clew.engine.law import Law
    from clew.engine.services.model import Subject

_TRUST: Final = frozenset({"sts:assumerole", "sts:tagsession", "sts:setsourceidentity"})
_UNSIGNED: Final = frozenset({"sts:assumerolewithsaml", "sts:assumerolewithwebidentity"})


def law(subject: Subject) -> Law | None:
    """The trust policy must allow; a federated caller is known by its provider alone."""
    action, kind = subject.action, subject.caller.kind
    if action == "sts:getcalleridentity":
        return ALWAYS
    if action == "sts:getsessiontoken":
        # AWS: "You cannot use policies to control authentication operations." Only users and root can call it.
        return ALWAYS if kind in {Kind.USER, Kind.ROOT} else None
    if action in _UNSIGNED:
        return RESOURCE_ALONE
    if action not in _TRUST:
        return None
    if kind is Kind.ROOT and action == "sts:assumerole":
        # AWS STS API Reference, AssumeRole: "You cannot call AssumeRole by using AWS account root user credentials".
        return REFUSED
    return RESOURCE_MUST_ALLOW if subject.same_account else None
