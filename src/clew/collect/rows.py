"""Rows of the table of calls, written short: once for the account, for each region, or for each item of an answer."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from clew.collect.reads import Each, Read, Scope

if TYPE_CHECKING:
    from clew.collect.reads import Value


def once(
    service: str, operation: str, *absent: str, given: dict[str, Value] | None = None, action: str = ""
) -> Read:
    """A call for the whole account."""
    return Read(
        service, operation, Scope.ACCOUNT, MappingProxyType(given or {}), absent=absent, action=action
    )


def regional(
    service: str, operation: str, *absent: str, given: dict[str, Value] | None = None, action: str = ""
) -> Read:
    """A call for each region."""
    return Read(service, operation, Scope.REGION, MappingProxyType(given or {}), absent=absent, action=action)


def follow(
    service: str,
    operation: str,
    of: str | tuple[str, ...],
    items: str | tuple[str, ...],
    *absent: str,
    given: dict[str, Value] | None = None,
    action: str = "",
    scope: Scope = Scope.REGION,
    carry: tuple[str, ...] = (),
) -> Read:
    """A call for each item in the answers of another call, or of several; of the same service where none is named."""
    names = (of,) if isinstance(of, str) else of
    paths = (items,) if isinstance(items, str) else items
    each = tuple(
        Each(name if ":" in name else f"{service}:{name}", path, carry)
        for name, path in zip(names, paths, strict=True)
    )
    return Read(service, operation, scope, MappingProxyType(given or {}), each, absent, action)
