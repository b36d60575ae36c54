"""Checks of users, groups and roles: inline policies, membership, second factors, forbidden and broad policies."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

from clew.audit.checks.iam_policies import boundaries, details, left_out_boundary
from clew.audit.credentials import each_user, flag, said, unknown
from clew.audit.model import Judgement, Verdict, check, is_true
from clew.audit.resources import listing
from clew.errors import PolicyError, UsageError
from clew.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from clew.audit.model import State
    from clew.policy.model import Statement
    from clew.snapshot.credential_report import Credentials
    from clew.snapshot.model import Account, Document, Group, Role, User

_DETAILS = "iam:GetAccountAuthorizationDetails"
_ALL = ("UserDetailList", "RoleDetailList", "GroupDetailList")
_EXCEPTION = re.compile(r"\s*(users|groups|roles):\[([^\]]*)\]\s*,?")
_SERVICE_LINKED = "/aws-service-role/"


def _each(
    state: State,
    needed: tuple[str, ...],
    chosen: Callable[[Account], Iterable[User | Role | Group]],
    judge: Callable[[Account, User | Role | Group], Judgement],
    none: str,
) -> Iterator[Judgement]:
    account = details(state, *needed)
    if isinstance(account, Judgement):
        yield account
        return
    found = False
    for each in chosen(account):
        found = True
        yield judge(account, each)
    if not found:
        yield Judgement(Verdict.NOT_APPLICABLE, state.account_arn, none)


def _everyone(account: Account) -> Iterator[User | Role | Group]:
    """Users, groups and roles but those of services, whose policies only AWS can change."""
    roles = (role for role in account.roles.values() if _SERVICE_LINKED not in role.arn)
    return chain(account.users.values(), account.groups.values(), roles)


@check("iam-inline-policies", "Nobody has inline policies", "An inline policy", Severity.LOW)
def inline_policies(state: State) -> Iterator[Judgement]:
    """Users, groups and roles with policies that are written on them and nowhere else.

    Finds. A user, group or role with an inline policy. Service-linked roles are not judged.
    Why it matters. An inline policy has no versions, no name of its own in reports, and is copied instead of shared.
    False positives. A policy that must vanish with its role.
    Fix. Make it a managed policy, attach that, and delete the inline policy.
    References. IAM user guide, Managed policies and inline policies · AWS Config developer guide,
    iam-no-inline-policy-check
    """

    def judge(_: Account, each: User | Role | Group) -> Judgement:
        seen = tuple(("inline policy", document.name) for document in each.inline)
        if seen:
            return Judgement(Verdict.FAIL, each.arn, f"inline: {listing([name for _, name in seen])}", seen)
        return Judgement(Verdict.PASS, each.arn, "no inline policy")

    yield from _each(state, _ALL, _everyone, judge, "there are no users, groups and roles")


@check("iam-user-groups", "Every user is in a group", "A user is in no group", Severity.LOW)
def user_groups(state: State, *, groups: str = "") -> Iterator[Judgement]:
    """Users and the groups that they are in.

    Finds. A user that is in no group, or in none of `groups`, names with commas.
    Why it matters. Permissions that come by groups are given and taken for all who do the same work.
    False positives. A user that belongs to a program.
    Fix. `aws iam add-user-to-group`
    References. AWS Config developer guide, iam-user-group-membership-check
    """
    wanted = {name.strip() for name in groups.split(",") if name.strip()}

    def judge(account: Account, each: User | Role | Group) -> Judgement:
        own = account.users[each.arn].groups
        seen = (("groups", ", ".join(own) or "none"),)
        if wanted and not wanted & set(own):
            return Judgement(Verdict.FAIL, each.arn, f"is in none of {listing(sorted(wanted))}", seen)
        if not own:
            return Judgement(Verdict.FAIL, each.arn, "is in no group", seen)
        return Judgement(Verdict.PASS, each.arn, f"is in {listing(own)}", seen)

    yield from _each(state, ("UserDetailList",), _users, judge, "the account has no IAM users")


def _users(account: Account) -> Iterable[User]:
    return account.users.values()


def _groups(account: Account) -> Iterable[Group]:
    return account.groups.values()


@check("iam-group-users", "Every group has members", "A group has no members", Severity.INFORMATIONAL)
def group_users(state: State) -> Iterator[Judgement]:
    """Groups that nobody is in.

    Finds. A group without members.
    Why it matters. Whoever is put in it one day gets permissions that nobody remembers.
    False positives. A group that is kept for an emergency.
    Fix. Delete it.
    References. AWS Config developer guide, iam-group-has-users-check
    """

    def judge(account: Account, each: User | Role | Group) -> Judgement:
        members = [user.name for user in account.users.values() if each.name in user.groups]
        if members:
            return Judgement(Verdict.PASS, each.arn, f"has {listing(members)}")
        return Judgement(Verdict.FAIL, each.arn, "has no members")

    yield from _each(
        state, ("UserDetailList", "GroupDetailList"), _groups, judge, "the account has no groups"
    )


@check("iam-user-mfa", "Every user has MFA", "A user has no MFA", Severity.MEDIUM)
def user_mfa(state: State) -> Iterator[Judgement]:
    """Users without a second factor, with or without a console password.

    Finds. An IAM user without MFA device, also one that has access keys only.
    Why it matters. Policies can demand MFA of calls with keys as well, but only of users who have a device.
    False positives. Users of programs, which cannot type a code; give them roles.
    Fix. Register a device, or replace the user by a role.
    References. AWS Config developer guide, iam-user-mfa-enabled
    """
    return each_user(state, _mfa)


def _mfa(row: Credentials) -> Judgement:
    seen, active = said(row, "mfa_active"), flag(row.mfa_active)
    if active is None:
        return unknown(row.arn, "the report does not say", evidence=seen, line=row.line)
    if active:
        return Judgement(Verdict.PASS, row.arn, "has MFA", seen, line=row.line)
    return Judgement(Verdict.FAIL, row.arn, "has no MFA", seen, line=row.line)


@check(
    "iam-forbidden-policy", "Nobody has a forbidden policy", "Somebody has a forbidden policy", Severity.HIGH
)
def forbidden_policy(
    state: State, *, policies: str = "arn:aws:iam::aws:policy/AdministratorAccess", exceptions: str = ""
) -> Iterator[Judgement]:
    """Who has a managed policy attached that nobody should have.

    Finds. A user, group or role with one of `policies`, ARNs with commas. `exceptions` leaves out names, written as AWS
    Config does: `users:[alice;bob], groups:[admins], roles:[break-glass]`.
    Why it matters. Broad policies are attached for an afternoon and stay for years.
    False positives. The one role of the administrators: name it in `exceptions`.
    Fix. Detach it, and attach what the work takes.
    References. AWS Config developer guide, iam-policy-blacklisted-check
    """
    forbidden = {arn.strip() for arn in policies.split(",") if arn.strip()}
    excused = _exceptions(exceptions)

    def judge(account: Account, each: User | Role | Group) -> Judgement:
        found = [attached.arn for attached in each.attached if attached.arn in forbidden]
        if not found:
            return Judgement(Verdict.PASS, each.arn, "has none of them")
        seen = tuple(("attached policy", arn) for arn in found)
        if (_kind(account, each), each.name) in excused:
            return Judgement(Verdict.NOT_APPLICABLE, each.arn, "is an exception", seen)
        return Judgement(
            Verdict.FAIL, each.arn, f"has {listing([a.rpartition('/')[2] for a in found])}", seen
        )

    yield from _each(state, _ALL, _everyone, judge, "there are no users, groups and roles")


def _exceptions(text: str) -> frozenset[tuple[str, str]]:
    """The exceptions as kind and name. Errors: `UsageError` for anything that AWS Config would not take."""
    if _EXCEPTION.sub("", text).strip():
        raise UsageError(f"`{text[:80]}` names no exceptions; write `users:[a;b], groups:[c], roles:[d]`")
    return frozenset(
        (kind, name.strip()) for kind, names in _EXCEPTION.findall(text) for name in names.split(";")
    )


def _kind(account: Account, each: User | Role | Group) -> str:
    if each.arn in account.users:
        return "users"
    return "roles" if each.arn in account.roles else "groups"


@check(
    "iam-service-full-access",
    "No policy allows a whole service",
    "A policy allows a whole service",
    Severity.MEDIUM,
)
def service_full_access(state: State, *, exclude_boundaries: str = "false") -> Iterator[Judgement]:
    """Managed policies of the account's own that allow every action of a service.

    Finds. The default version of a customer managed policy with an Allow of `service:*` or `*`, whatever the resource.
    With `exclude_boundaries` = `true` policies that are somebody's permissions boundary are left out.
    Why it matters. A service has actions that its users never need, among them those that change who may do what.
    False positives. The policy of those who run the service.
    Fix. Allow what the work takes; `clew events` shows what was used.
    References. AWS Config developer guide, iam-policy-no-statements-with-full-access
    """
    is_excluding = is_true("exclude_boundaries", exclude_boundaries)
    account = details(state, "Policies")
    if isinstance(account, Judgement):
        yield account
        return
    left_out = boundaries(account) if is_excluding else frozenset()
    for arn, document in sorted(account.policies.items()):
        yield left_out_boundary(arn) if arn in left_out else _full_access(arn, document)
    if not account.policies:
        yield Judgement(Verdict.NOT_APPLICABLE, state.account_arn, "the account has no policies of its own")


def _full_access(arn: str, document: Document) -> Judgement:
    try:
        statements = document.meaning.statements
    except PolicyError as error:
        return unknown(arn, f"its document cannot be read: {error}", _DETAILS)
    whole = dict.fromkeys(action for each in statements for action in _whole_services(each))
    if whole:
        return Judgement(
            Verdict.FAIL, arn, f"allows all of {listing(whole)}", (("Action", ", ".join(whole)),)
        )
    return Judgement(Verdict.PASS, arn, "allows no whole service")


def _whole_services(statement: Statement) -> Iterator[str]:
    for action in statement.actions or () if statement.allows else ():
        service, colon, name = action.partition(":")
        if set(action) == {"*"} or (colon and name and set(name) == {"*"} and service):
            yield action
