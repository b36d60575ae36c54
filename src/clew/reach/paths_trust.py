"""Which roles a principal may be able to assume at all, from what their trust policies name.

In an account of thousands of roles nearly every trust policy names a service, or somebody else: those are never asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.errors import PolicyError
from clew.policy.model import ACCOUNT_DIGITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clew.policy.model import Principal, Statement
    from clew.snapshot.model import Role

_ROOT: Final = ":root"
_PRINCIPAL: Final = (":user/", ":role/")


class Trusted:
    """Roles by whom their trust policies name; one that cannot be read, or names everybody, may be for anybody."""

    def __init__(self, roles: Iterable[Role]) -> None:
        """Read every trust policy once."""
        self._of_anybody: dict[str, None] = {}
        self._of_account: dict[str, dict[str, None]] = {}
        self._of_principal: dict[str, dict[str, None]] = {}
        for role in roles:
            self._take(role)

    def _take(self, role: Role) -> None:
        try:
            statements = role.trust.policy.statements if role.trust is not None else None
        except PolicyError:
            statements = None
        for kind, name in [("*", "")] if statements is None else _named(statements):
            match kind:
                case "account":
                    self._of_account.setdefault(name, {})[role.arn] = None
                case "principal":
                    self._of_principal.setdefault(name, {})[role.arn] = None
                case "*":
                    self._of_anybody[role.arn] = None

    def by_name(self, principal: str) -> dict[str, None]:
        """The roles whose trust policies may open them to the principal without its own policies' leave."""
        return self._of_anybody | self._of_principal.get(principal, {})

    def by_account(self, principal: str) -> dict[str, None]:
        """The roles whose trust policies name the principal's account."""
        return self._of_account.get(principal.split(":")[4], {})


def _named(statements: Iterable[Statement]) -> Iterator[tuple[str, str]]:
    """What the Allow statements name: a principal, an account, or anybody."""
    for statement in statements:
        if statement.allows and statement.not_principals is not None:
            yield "*", ""
        yield from map(_kind, statement.principals or () if statement.allows else ())


def _kind(principal: Principal) -> tuple[str, str]:
    value = principal.value
    if principal.kind in {"Service", "Federated"}:
        return "other", value
    if principal.kind == "AWS" and value.endswith(_ROOT):
        return "account", value.split(":")[4]
    if principal.kind == "AWS" and len(value) == ACCOUNT_DIGITS and value.isdigit():
        return "account", value
    is_named = (
        principal.kind == "AWS" and value.startswith("arn:") and any(part in value for part in _PRINCIPAL)
    )
    return ("principal", value) if is_named else ("*", "")
