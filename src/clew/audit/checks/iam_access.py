"""Checks of who holds which AWS managed policies, and of server certificates."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from clew.audit.checks.iam_policies import details
from clew.audit.model import Judgement, Verdict, check
from clew.audit.resources import each_resource, facts, listing, moment, text
from clew.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from clew.audit.model import State
    from clew.snapshot.answers import Answer
    from clew.snapshot.model import Account, Group, Role, User

_SUPPORT = ":iam::aws:policy/AWSSupportAccess"
_CLOUDSHELL = ":iam::aws:policy/AWSCloudShellFullAccess"
_LISTS = ("UserDetailList", "RoleDetailList", "GroupDetailList")


@check("iam-support-role", "Somebody may call AWS Support", "Nobody may call AWS Support", Severity.LOW)
def support_role(state: State) -> Iterator[Judgement]:
    """Whether somebody holds the policy that lets them open support cases.

    Finds. An account in which AWSSupportAccess is attached to no role, no group with members, and no user.
    Why it matters. In an incident somebody must be able to reach AWS without being the root user.
    False positives. A policy of one's own that allows `support:*`.
    Fix. Attach AWSSupportAccess to a role that those who handle incidents may assume.
    References. AWS Support user guide, Manage access to AWS Support Center · AWS Config developer guide,
    iam-policy-in-use
    """
    yield from _held(state, _SUPPORT)


def _held(state: State, policy: str) -> Iterator[Judgement]:
    account = details(state, *_LISTS)
    if isinstance(account, Judgement):
        yield account
        return
    holders = [each.arn for each in _holders(account, policy) if not _is_empty_group(account, each)]
    if holders:
        message = f"attached to {listing([arn.rpartition(':')[2] for arn in holders])}"
        yield Judgement(
            Verdict.PASS, state.account_arn, message, tuple(("attached to", arn) for arn in holders)
        )
    else:
        message = f"`{policy.rpartition('/')[2]}` is attached to nobody"
        yield Judgement(Verdict.FAIL, state.account_arn, message)


def _holders(account: Account, policy: str) -> Iterator[User | Role | Group]:
    principals: Iterable[User | Role | Group] = chain(
        account.users.values(), account.roles.values(), account.groups.values()
    )
    return (each for each in principals if any(p.arn.endswith(policy) for p in each.attached))


def _is_empty_group(account: Account, holder: User | Role | Group) -> bool:
    name = holder.name
    return (
        name in account.groups
        and account.groups[name] is holder
        and not any(name in user.groups for user in account.users.values())
    )


@check(
    "iam-cloudshell-full-access",
    "Full access to CloudShell is not given",
    "Somebody has full access to CloudShell",
    Severity.MEDIUM,
)
def cloudshell_full_access(state: State) -> Iterator[Judgement]:
    """Who holds the AWS managed policy with full access to CloudShell.

    Finds. Users, groups and roles with AWSCloudShellFullAccess attached.
    Why it matters. It lets people carry files in and out of AWS through a shell that no network of yours sees.
    False positives. Administrators, who could do it anyway; suppress their role with a reason.
    Fix. Attach a policy of your own without `cloudshell:GetFileDownloadUrls` and `cloudshell:GetFileUploadUrls`.
    References. AWS CloudShell user guide, Managing AWS CloudShell access and usage with IAM policies
    """
    account = details(state, *_LISTS)
    if isinstance(account, Judgement):
        yield account
        return
    holders = tuple(_holders(account, _CLOUDSHELL))
    for each in holders:
        seen = (("attached policy", "AWSCloudShellFullAccess"),)
        yield Judgement(Verdict.FAIL, each.arn, "has full access to CloudShell, files included", seen)
    if not holders:
        yield Judgement(Verdict.PASS, state.account_arn, "`AWSCloudShellFullAccess` is attached to nobody")


@check(
    "iam-server-certificate-expired",
    "No expired server certificates in IAM",
    "A server certificate in IAM has expired",
    Severity.MEDIUM,
)
def server_certificate_expired(state: State) -> Iterator[Judgement]:
    """Server certificates that IAM keeps and whose time is over.

    Finds. A server certificate in IAM that expired before the moment of the audit.
    Why it matters. One that is put in front of a service by mistake stops it, and tells visitors that nobody watches.
    False positives. None known.
    Fix. Delete it; use ACM, which renews what it can validate.
    References. IAM user guide, Manage server certificates in IAM
    """

    def judge(item: Mapping[str, object], _: Answer) -> Judgement:
        name, seen = text(item, "Arn"), facts(item, "Expiration")
        expires = moment(text(item, "Expiration"))
        if expires is None:
            message = "the list does not say when it expires"
            return Judgement(Verdict.UNKNOWN, name, message, seen, ("iam:ListServerCertificates",))
        if expires <= state.as_of:
            return Judgement(Verdict.FAIL, name, f"expired {expires:%Y-%m-%d}", seen)
        return Judgement(Verdict.PASS, name, f"expires {expires:%Y-%m-%d}", seen)

    yield from each_resource(
        state,
        "iam:ListServerCertificates",
        "ServerCertificateMetadataList",
        judge,
        none="there are no server certificates in IAM",
    )
