"""A policy document as written: statements, principals, actions, resources and conditions, all frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Effect(StrEnum):
    """What a statement does to the requests that it matches."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True)
class Principal:
    """One principal as written: `kind` is `AWS`, `Service`, `Federated` or `CanonicalUser`, `*` for `"Principal": "*"`.

    >>> Principal("AWS", "*").is_anyone
    True
    """

    kind: str
    value: str

    @property
    def is_anyone(self) -> bool:
        """Whether this names every principal of every account."""
        return self.value == "*" and self.kind in {"*", "AWS"}

    @property
    def account(self) -> str | None:
        """The account that the principal belongs to, or None when the text does not say.

        >>> Principal("AWS", "arn:aws:iam::111122223333:root").account
        '111122223333'
        """
        if self.kind != "AWS":
            return None
        parts = self.value.split(":")
        account = parts[4] if len(parts) > 5 and parts[0] == "arn" else self.value  # noqa: PLR2004  # an ARN has six parts
        return account if len(account) == ACCOUNT_DIGITS and account.isdigit() else None


ACCOUNT_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Condition:
    """One line of a condition block: operator with qualifiers, key, and values of which one must match."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. An element that was not written is None, which differs from one that is empty."""

    effect: Effect
    sid: str | None = None
    principals: tuple[Principal, ...] | None = None
    not_principals: tuple[Principal, ...] | None = None
    actions: tuple[str, ...] | None = None
    not_actions: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    not_resources: tuple[str, ...] | None = None
    conditions: tuple[Condition, ...] = ()

    @property
    def allows(self) -> bool:
        """Whether the effect is Allow."""
        return self.effect is Effect.ALLOW


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy document: its statements in the order in which they are written."""

    statements: tuple[Statement, ...]
    version: str | None = None
    id: str | None = None
