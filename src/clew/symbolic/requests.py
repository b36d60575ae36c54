"""A witness in the words of the simulator's batch: its `request` can be asked of `clew simulate` as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clew.engine.request import Request


def document(request: Request) -> dict[str, object]:
    """The request for JSON: principal, action, resource and context, lists as lists."""
    found: dict[str, object] = {
        "principal": request.principal,
        "action": request.action,
        "resource": request.resource,
    }
    if request.resource_account is not None:
        found["resource_account"] = request.resource_account
    spelling = request.context.spelling
    found["context"] = {
        spelling.get(key, key): list(value) if isinstance(value, tuple) else value
        for key, value in request.context.values.items()
    }
    return found
