"""A review of how policies are held: on users, written inline, and with names where a policy variable would do.

AWS: IAM user guide, "Security best practices in IAM"; "Managed policies and inline policies"; "IAM policy elements:
Variables and tags".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clew.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.policy.model import Statement
    from clew.snapshot.model import Account, Document, Group, Role, Snapshot, User

VARIABLE: Final = "${aws:username}"


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to look at: `kind` is `attached-to-user`, `inline`, `hard-coded-name` or `unreadable`."""

    kind: str
    holder: str
    policy: str
    text: str
    place: str = ""


def review(snapshot: Snapshot) -> tuple[Remark, ...]:
    """Every remark on every account, account by account."""
    return tuple(
        remark
        for account in snapshot.accounts.values()
        for part in (_attached, _inline, _hard_coded)
        for remark in part(account)
    )


def _attached(account: Account) -> Iterator[Remark]:
    for user in account.users.values():
        for each in user.attached:
            yield Remark(
                "attached-to-user",
                user.arn,
                each.arn,
                "attached to the user itself; groups or roles are easier to review",
            )


def _inline(account: Account) -> Iterator[Remark]:
    holders: list[User | Group | Role] = [
        *account.users.values(),
        *account.groups.values(),
        *account.roles.values(),
    ]
    for holder in holders:
        for document in holder.inline:
            text = "an inline policy: it has no versions, and cannot be used again elsewhere"
            yield Remark("inline", holder.arn, document.name, text, _place(document, 0))


def _hard_coded(account: Account) -> Iterator[Remark]:
    """Names of users in the resources of policies that users hold."""
    names = {user.name for user in account.users.values()}
    for holder, document in _held(account):
        try:
            statements = document.policy.statements
        except PolicyError as error:
            yield Remark("unreadable", holder, document.name, str(error))
            continue
        for statement in statements:
            yield from _named(holder, document, statement, names)


def _held(account: Account) -> Iterator[tuple[str, Document]]:
    seen: set[str] = set()
    holders: list[User | Group] = [*account.users.values(), *account.groups.values()]
    for holder in holders:
        yield from ((holder.arn, document) for document in holder.inline)
        for each in holder.attached:
            if each.arn in account.policies and each.arn not in seen:
                seen.add(each.arn)
                yield each.arn, account.policies[each.arn]


def _named(holder: str, document: Document, statement: Statement, names: set[str]) -> Iterator[Remark]:
    for resource in statement.resources or ():
        # The last fields of an ARN: a bucket, a path, a user. What is a part of a longer word is no name.
        parts = re.split(r"[/:]", resource)
        found = [name for name in sorted(names) if name in parts[5:]]
        for name in found if statement.allows else ():
            better = re.sub(rf"(?<=[/:]){re.escape(name)}(?=$|[/:])", lambda _: VARIABLE, resource)
            text = f"`{resource}` names user `{name}`; `{better}` would do for everybody"
            yield Remark("hard-coded-name", holder, document.name, text, _place(document, statement.index))


def _place(document: Document, index: int) -> str:
    try:
        span = document.statement(index)
    except PolicyError:
        return document.file or ""
    return (
        f"{document.file}:{span.in_file[0]}"
        if document.file and span and span.in_file
        else document.file or ""
    )
