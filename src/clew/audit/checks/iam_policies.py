"""Checks of IAM policies, from the account details that `aws iam get-account-authorization-details` prints."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from clew.audit.credentials import unknown
from clew.audit.model import Judgement, Verdict, check, is_true, one_of
from clew.errors import PolicyError
from clew.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.audit.model import State
    from clew.policy.model import Statement
    from clew.snapshot.model import Account, Document, User

DETAILS = "iam:GetAccountAuthorizationDetails"
_SCOPES = ("local", "attached", "all")


@check("iam-user-policies", "No policy directly on users", "Policy directly on a user", Severity.LOW)
def user_policies(state: State) -> Iterator[Judgement]:
    """IAM users and the policies that hang on them directly.

    Finds. IAM users with an inline policy or an attached managed policy. A permissions boundary is no such policy.
    Why it matters. Permissions that hang on single people are forgotten when their work changes.
    False positives. A user that belongs to a program and has one policy for it.
    Fix. Put the policy on a group, make the user a member, and take the policy off the user.
    References. IAM API reference, GetAccountAuthorizationDetails · IAM user guide, Managed policies and inline policies
    """
    account = details(state, "UserDetailList")
    if isinstance(account, Judgement):
        yield account
        return
    yield from (_user(user) for user in account.users.values())
    if not account.users:
        yield Judgement(Verdict.NOT_APPLICABLE, state.account_arn, "the account has no IAM users")


def _user(user: User) -> Judgement:
    facts = (
        *(("inline policy", document.name) for document in user.inline),
        *(("attached policy", attached.arn) for attached in user.attached),
    )
    if not facts:
        return Judgement(Verdict.PASS, user.arn, "no policy directly on the user")
    named = ", ".join(value.rpartition("/")[2] for _, value in facts)
    return Judgement(Verdict.FAIL, user.arn, f"policies directly on the user: {named}", facts)


@check("iam-admin-policy", "No policy allows everything", "Policy allows everything", Severity.HIGH)
def admin_policy(
    state: State, *, scope: str = "local", exclude_boundaries: str = "false"
) -> Iterator[Judgement]:
    """Managed policies that allow every action on every resource.

    Finds. The default version of a managed policy with an Allow of the action `*` (or `*:*`) on the resource `*`, among
    others or alone. `scope` is `local` (every policy of the account's own), `attached` (also AWS's, attached to
    somebody only) or `all` (all that the details hold). With `exclude_boundaries` = `true` policies that are somebody's
    permissions boundary are left out. A condition does not change the verdict and is said.
    Why it matters. Whoever gets hold of one of its bearers owns the account.
    False positives. The one policy of the administrators' role; suppress it with a reason.
    Fix. Allow what the work takes; `clew events` shows what was used.
    References. IAM API reference, GetAccountAuthorizationDetails · AWS Config developer guide,
    iam-policy-no-statements-with-admin-access
    """
    wanted = one_of("scope", scope, *_SCOPES)
    is_excluding = is_true("exclude_boundaries", exclude_boundaries)
    account = details(state, "Policies")
    if isinstance(account, Judgement):
        yield account
        return
    found = _policies(state, account, wanted)
    left_out = boundaries(account) if is_excluding else frozenset()
    for arn, document in sorted(found.items()):
        yield left_out_boundary(arn) if arn in left_out else _policy(arn, document)
    if not found:
        yield Judgement(Verdict.NOT_APPLICABLE, state.account_arn, "there are no such policies")


def boundaries(account: Account) -> frozenset[str]:
    """The ARNs of the policies that are the permissions boundary of a user or a role."""
    of_users = (user.boundary for user in account.users.values())
    of_roles = (role.boundary for role in account.roles.values())
    return frozenset(filter(None, chain(of_users, of_roles)))


def left_out_boundary(arn: str) -> Judgement:
    """The judgement of a permissions boundary where these are not asked about."""
    return Judgement(Verdict.NOT_APPLICABLE, arn, "is a permissions boundary, which is left out")


def _policies(state: State, account: Account, scope: str) -> dict[str, Document | None]:
    """The documents by ARN; None for a policy that somebody has and the details do not hold."""
    own: dict[str, Document | None] = dict(account.policies)
    if scope == "local":
        return own
    lists = chain(
        (user.attached for user in account.users.values()),
        (role.attached for role in account.roles.values()),
        (group.attached for group in account.groups.values()),
    )
    named = {policy.arn for each in lists for policy in each}
    attached = {arn: state.snapshot.managed_policy(arn) for arn in named}
    if scope == "attached":
        return attached
    aws = state.snapshot.accounts.get("aws")
    return own | dict(aws.policies if aws else {}) | attached


def _policy(arn: str, document: Document | None) -> Judgement:
    if document is None:
        return unknown(arn, "the details do not hold its document", DETAILS)
    try:
        statements = document.meaning.statements
    except PolicyError as error:
        return unknown(arn, f"its document cannot be read: {error}", DETAILS)
    found = [statement for statement in statements if _allows_everything(statement)]
    if not found:
        return Judgement(Verdict.PASS, arn, "no statement allows everything")
    first = found[0]
    name = f"statement `{first.sid}`" if first.sid else f"statement {first.index + 1}"
    limit = ", under a condition" if all(statement.conditions for statement in found) else ""
    facts = (("Action", ", ".join(first.actions or ())), ("Resource", ", ".join(first.resources or ())))
    return Judgement(Verdict.FAIL, arn, f"{name} allows every action on every resource{limit}", facts)


def _allows_everything(statement: Statement) -> bool:
    actions, resources = statement.actions or (), statement.resources or ()
    everything = any(set(action) == {"*"} or action == "*:*" for action in actions)
    return statement.allows and everything and any(set(resource) == {"*"} for resource in resources)


def details(state: State, *needed: str) -> Account | Judgement:
    """The account's details; a judgement where they, or a list that is needed, are not complete."""
    state.rests_on("GetAccountAuthorizationDetails")
    account = state.snapshot.accounts.get(state.account)
    if account is None:
        others = sorted(set(state.snapshot.accounts) - {"aws"})
        instead = f" of this account, but of {', '.join(others[:3])}" if others else ""
        return unknown(state.account_arn, f"`{DETAILS}` was not asked{instead}", DETAILS)
    if account.truncated:
        return unknown(state.account_arn, f"`{DETAILS}` was not read to its end", DETAILS)
    for each in needed:
        if each not in account.lists:
            return unknown(state.account_arn, f"`{DETAILS}` was asked without `{each}`", DETAILS)
    return account
