"""A principal's own policies: attached and inline ones, those of its groups, and its permissions boundary."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from clew.engine.principal import Kind
from clew.errors import InputError
from clew.reach.attached import Attachment
from clew.snapshot.load import near

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clew.engine.principal import Caller
    from clew.snapshot.model import Account, Attached, Document, Group, Role, Snapshot, User


PRINCIPAL_TAG = "aws:PrincipalTag/"


@dataclass(frozen=True, slots=True)
class Identity:
    """What the files know of a principal.

    `context` are the context keys that they make certain. `has_all_tags` is true of a user, whose tags are the only
    ones of a request; a session may carry tags of its own.
    """

    attachments: tuple[Attachment, ...] = ()
    boundaries: tuple[Attachment, ...] = ()
    context: Mapping[str, str] = field(default_factory=dict)
    has_all_tags: bool = False


NOBODY = Identity()

_WITH_POLICIES = frozenset({Kind.USER, Kind.ROLE, Kind.SESSION, Kind.FEDERATED_USER})


def identity(snapshot: Snapshot, caller: Caller) -> Identity:
    """The policies of the caller, as far as they are the caller's own.

    Errors: `InputError` when the caller's account is at hand and has no such principal; it names the nearest.
    """
    if not snapshot.accounts or caller.kind not in _WITH_POLICIES:
        return NOBODY
    account = snapshot.accounts.get(caller.account)
    if account is None:
        return _unknown(caller.text, f"no file of account {caller.account} is given")
    if caller.kind is Kind.USER:
        user = account.users.get(caller.text)
        if user is None:
            raise _absent(snapshot, account, caller)
        return _of_user(snapshot, account, user)
    if caller.kind in {Kind.ROLE, Kind.SESSION}:
        role = _role(account, caller)
        if role is None:
            raise _absent(snapshot, account, caller)
        return _of_role(snapshot, role, caller)
    user = _federating_user(account, caller)
    if user is None:
        return _unknown(
            caller.text, f"the files hold no user `{caller.name}` who may have called GetFederationToken"
        )
    return replace(_of_user(snapshot, account, user), context={}, has_all_tags=False)


def _unknown(principal: str, why: str) -> Identity:
    label = f"an identity policy of {principal}"
    return Identity(
        (Attachment(None, "", "none", label, why=f"the identity policies of {principal}: {why}"),)
    )


def _federating_user(account: Account, caller: Caller) -> User | None:
    """The user of the session's name: as AWS's pages write it, the one who called GetFederationToken."""
    return next((user for user in account.users.values() if user.name == caller.name), None)


def _role(account: Account, caller: Caller) -> Role | None:
    if caller.kind is Kind.ROLE:
        return account.roles.get(caller.text)
    # A session's ARN leaves the role's path out, and a role's name is unique within its account.
    return next((role for role in account.roles.values() if role.name == caller.name), None)


def _absent(snapshot: Snapshot, account: Account, caller: Caller) -> InputError:
    """The error of a principal that its account does not have, with those it may have been meant for."""
    nearest = near(caller.text, snapshot)
    hint = f"; did you mean {' or '.join(f'`{arn}`' for arn in nearest)}?" if nearest else ""
    cut = " (the file says that it is truncated)" if account.truncated else ""
    return InputError(f"`{caller.text[:300]}` is not among the principals of account {account.id}{cut}{hint}")


def _of_user(snapshot: Snapshot, account: Account, user: User) -> Identity:
    own = _policies(snapshot, f"user {user.name}", "user", user.inline, user.attached)
    groups = [
        attachment
        for name in user.groups
        for attachment in of_group(snapshot, name, account.groups.get(name))
    ]
    context = {f"{PRINCIPAL_TAG}{key}": value for key, value in user.tags.items()}
    context |= {"aws:userid": user.id} if user.id else {}
    boundary = _boundary(snapshot, user.boundary, f"user {user.name}")
    return Identity((*own, *groups), boundary, context, has_all_tags=True)


def group_identity(snapshot: Snapshot, arn: str) -> Identity:
    """What a user has who is in the group of that ARN, and has nothing else.

    Errors: `InputError` when the account at hand has no such group.
    """
    account = snapshot.accounts.get(arn.split(":")[4])
    if account is None:
        return _unknown(arn, "no file of its account is given")
    name = arn.rpartition("/")[2]
    group = account.groups.get(name)
    if group is None or group.arn != arn:
        known = ", ".join(f"`{each.arn}`" for each in account.groups.values()) or "none"
        raise InputError(f"`{arn[:300]}` is not among the groups of account {account.id}; there are {known}")
    return Identity(of_group(snapshot, name, group))


def of_group(snapshot: Snapshot, name: str, group: Group | None) -> tuple[Attachment, ...]:
    """The policies of a group; one unknown policy where the group is not at hand."""
    if group is None:
        why = f"the policies of group {name}: the files do not hold the group"
        return (Attachment(None, "", "group", f"a policy of group {name}", why=why),)
    return _policies(snapshot, f"group {name}", "group", group.inline, group.attached)


def _of_role(snapshot: Snapshot, role: Role, caller: Caller) -> Identity:
    holder = f"role {role.name}"
    own = _policies(snapshot, holder, "role", role.inline, role.attached)
    context = {"aws:PrincipalArn": role.arn}
    if caller.kind is Kind.SESSION and role.id:
        context["aws:userid"] = f"{role.id}:{caller.text.rpartition('/')[2]}"
    return Identity(own, _boundary(snapshot, role.boundary, holder), context)


def _policies(
    snapshot: Snapshot, holder: str, kind: str, inline: Iterable[Document], attached: Iterable[Attached]
) -> tuple[Attachment, ...]:
    return (
        *(Attachment(document, holder, kind, document.name) for document in inline),
        *(_managed(snapshot, each.arn, holder) for each in attached),
    )


def _managed(snapshot: Snapshot, arn: str, holder: str) -> Attachment:
    kind = "aws-managed" if ":iam::aws:" in arn else "user-managed"
    document = snapshot.managed_policy(arn)
    return Attachment(document, holder, kind, document.name if document else arn)


def _boundary(snapshot: Snapshot, arn: str | None, holder: str) -> tuple[Attachment, ...]:
    return () if arn is None else (_managed(snapshot, arn, holder),)
