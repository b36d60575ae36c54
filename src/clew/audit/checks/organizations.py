"""Checks of the organisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.model import Judgement, Verdict, check
from clew.audit.resources import facts, texts, unanswered
from clew.findings import Severity
from clew.snapshot.answers import GLOBAL, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.audit.model import State

_FEATURES = ("RootCredentialsManagement", "RootSessions")


@check(
    "organizations-root-access",
    "Root credentials of members are managed centrally",
    "Root credentials of members are not managed centrally",
    Severity.MEDIUM,
)
def root_access(state: State) -> Iterator[Judgement]:
    """Whether the organisation manages the root credentials of its members, and their root sessions, centrally.

    Finds. A management account, or delegated administrator, whose organisation has not enabled both features.
    Why it matters. Every member's root user is otherwise a password that somebody has to guard.
    False positives. None known; members can keep their credentials while the features are on.
    Fix. `aws iam enable-organizations-root-credentials-management`, then `enable-organizations-root-sessions`
    References. IAM user guide, Centrally manage root access for member accounts
    """
    features = state.answer("ListOrganizationsFeatures")
    if not features.status.is_known:
        yield unanswered(state.account_arn, features)
    elif features.status is Status.ABSENT:
        yield _not_here(state, features.error_code)
    else:
        absent = [name for name in _FEATURES if name not in texts(features.body, "EnabledFeatures")]
        seen = facts(features.body, "EnabledFeatures")
        if absent:
            message = f"not enabled: {', '.join(absent)}"
            yield Judgement(Verdict.FAIL, state.account_arn, message, seen)
        else:
            yield Judgement(Verdict.PASS, state.account_arn, "both features are enabled", seen)


def _not_here(state: State, code: str) -> Judgement:
    seen = (("error", code),)
    if code == "ServiceAccessNotEnabledException":
        message = "the organisation does not let IAM manage its members"
        return Judgement(Verdict.FAIL, state.account_arn, message, seen)
    message = "only the management account or a delegated administrator can tell; ask there"
    if code == "OrganizationNotFoundException":
        message = "belongs to no organisation"
    return Judgement(Verdict.NOT_APPLICABLE, state.account_arn, message, seen)


@check(
    "organizations-member",
    "The account belongs to an organisation",
    "The account belongs to no organisation",
    Severity.LOW,
)
def member(state: State, *, management_account: str = "") -> Iterator[Judgement]:
    """Whether the account belongs to an organisation, and to the one that it should.

    Finds. An account without organisation, or with another management account than `management_account`.
    Why it matters. What the organisation forbids and records does not hold for accounts outside.
    False positives. An account that is left outside on purpose, such as one to break glass.
    Fix. Invite the account from the management account.
    References. AWS Organizations API reference, DescribeOrganization · AWS Config developer guide,
    account-part-of-organizations
    """
    answer = state.answers.get(state.account, GLOBAL, "organizations", "DescribeOrganization")
    if not answer.status.is_known:
        yield unanswered(state.account_arn, answer)
        return
    if answer.status is Status.ABSENT:
        yield Judgement(
            Verdict.FAIL, state.account_arn, "belongs to no organisation", (("error", answer.error_code),)
        )
        return
    seen = facts((answer.body or {}).get("Organization"), "Id", "MasterAccountId")
    told = dict(seen)["MasterAccountId"]
    if management_account and told != management_account:
        yield Judgement(Verdict.FAIL, state.account_arn, f"belongs to the organisation of {told}", seen)
    else:
        yield Judgement(Verdict.PASS, state.account_arn, f"belongs to the organisation of {told}", seen)
