"""Checks of Identity Center: who gets into which account, with what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.model import Judgement, Verdict, check
from clew.audit.resources import each_resource, items, listing, text, unanswered
from clew.findings import Severity
from clew.snapshot.answers import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.audit.model import State
    from clew.snapshot.answers import Answer

_INSTANCES = "sso-admin:ListInstances"
_NONE = "Identity Center has no instance that this account can see"


@check(
    "sso-assignments", "People get accounts through groups", "A person has an account directly", Severity.LOW
)
def assignments(state: State) -> Iterator[Judgement]:
    """Assignments of Identity Center: which group or person has which permission set in which account.

    Finds. A permission set that is assigned to single persons in an account. The evidence lists every assignment.
    Why it matters. Access that hangs on single people is forgotten when their work changes.
    False positives. A person to break glass.
    Fix. Assign the permission set to a group, make the person a member, and delete the direct assignment.
    References. AWS IAM Identity Center user guide, Assign user or group access to AWS accounts
    """

    def judge(instance: Mapping[str, object], answer: Answer) -> Iterator[Judgement]:
        name = text(instance, "InstanceArn")
        sets = state.about(answer, "ListPermissionSets", InstanceArn=name)
        if not sets.status.is_known:
            yield unanswered(name, sets)
        for permission_set in _names(sets, "PermissionSets"):
            yield from _assigned(state, answer, name, permission_set)

    yield from each_resource(state, _INSTANCES, "Instances", judge, none=_NONE)


def _names(answer: Answer, member: str) -> tuple[str, ...]:
    value = (answer.body or {}).get(member)
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _assigned(state: State, answer: Answer, instance: str, permission_set: str) -> Iterator[Judgement]:
    asked = {"InstanceArn": instance, "PermissionSetArn": permission_set}
    accounts = state.about(answer, "ListAccountsForProvisionedPermissionSet", **asked)
    described = state.about(answer, "DescribePermissionSet", **asked)
    if not accounts.status.is_known:
        yield unanswered(permission_set, accounts)
        return
    title = text(described.body, "PermissionSet.Name") or permission_set.rpartition("/")[2]
    direct, seen = [], []
    for account in _names(accounts, "AccountIds"):
        found = state.about(answer, "ListAccountAssignments", AccountId=account, **asked)
        if found.status is Status.ABSENT:
            continue
        if not found.status.is_known:
            yield unanswered(permission_set, found)
            return
        for each in items(found.body, "AccountAssignments"):
            who = f"{text(each, 'PrincipalType')} {text(each, 'PrincipalId')}"
            seen.append((account, who))
            direct += [account] * (text(each, "PrincipalType") == "USER")
    if direct:
        message = (
            f"{title} is assigned to {len(direct)} persons directly, in {listing(dict.fromkeys(direct))}"
        )
        yield Judgement(Verdict.FAIL, permission_set, message, tuple(seen))
    else:
        yield Judgement(Verdict.PASS, permission_set, f"{title} is assigned to groups only", tuple(seen))
