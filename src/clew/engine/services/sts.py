"""STS: a role's trust policy is the resource policy of AssumeRole; two actions need no permission at all.

AWS IAM User Guide: "Policy evaluation logic", role trust policies; "Permissions for GetSessionToken"; AWS STS API
Reference: AssumeRole, AssumeRoleWithSAML, AssumeRoleWithWebIdentity, GetCallerIdentity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.engine.law import ALWAYS, RESOURCE_ALONE, RESOURCE_MUST_ALLOW, SAME_ACCOUNT, UNHEARD
from clew.engine.principal import Kind

if TYPE_CHECKING:
    from clew.engine.law import Law
    from clew.engine.services.model import Subject

WEB_IDENTITY: Final = "sts:assumerolewithwebidentity"
_UNSIGNED: Final = frozenset({"sts:assumerolewithsaml", WEB_IDENTITY})
_ASSUMING: Final = frozenset({"sts:assumerole", *_UNSIGNED})
_ALONG: Final = frozenset({"sts:tagsession", "sts:setsourceidentity", "sts:setcontext"})


def is_about_trust(action: str, resource: str) -> bool:
    """Whether the resource policy of the action (in lower case) is a role's trust policy."""
    if action in _ASSUMING:
        return True
    return action in _ALONG and (not resource.startswith("arn:") or ":role/" in resource)


def law(subject: Subject) -> Law | None:
    """The trust policy must allow; a federated caller is known by its provider alone."""
    action, kind = subject.action, subject.caller.kind
    if action == "sts:getcalleridentity":
        return UNHEARD if kind is Kind.ANONYMOUS else ALWAYS
    if action == "sts:getsessiontoken":
        # AWS: "You cannot use policies to control authentication operations"; it takes long-term credentials.
        return ALWAYS if kind in {Kind.USER, Kind.ROOT} else UNHEARD
    if action in _UNSIGNED:
        return RESOURCE_ALONE
    if action == "sts:assumeroot" and subject.caller.is_person_of_account:
        # AWS STS API Reference, AssumeRoot: the caller's own policies decide, and root users cannot call it.
        return SAME_ACCOUNT.refused() if kind is Kind.ROOT else SAME_ACCOUNT
    if not is_about_trust(action, subject.resource):
        return None
    if kind is Kind.ROOT and action == "sts:assumerole":
        # AWS STS API Reference, AssumeRole: it cannot be called with the root user's credentials.
        return SAME_ACCOUNT.refused()
    return RESOURCE_MUST_ALLOW if subject.same_account else None
