"""A fix as a file: what `clew explain --fix-as plan` writes and `clew fix --from` carries out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clew.engine import Context, Request
from clew.engine.derive import derived
from clew.engine.principal import PrincipalError
from clew.errors import InputError
from clew.explain.fix_edit import Edit, Kind, Where

if TYPE_CHECKING:
    from clew.explain.fix import Fix

_FORMAT = "clew policy fix 1"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to edit, for which request, and what that means."""

    title: str
    risk: str
    newly_allows: str
    request: Request
    edits: tuple[Edit, ...]


def written(fix: Fix, request: Request) -> str:
    """The plan as JSON text."""
    values = {
        key: list(each) if isinstance(each, tuple) else each for key, each in request.context.values.items()
    }
    found = {
        "format": _FORMAT,
        "title": fix.title,
        "risk": fix.risk,
        "newly_allows": fix.newly,
        "request": {
            "principal": request.principal,
            "action": request.action,
            "resource": request.resource,
            "resource_account": request.resource_account,
            "context": values,
        },
        "edits": [_written(edit) for edit in fix.edits],
    }
    return json.dumps(found, indent=2) + "\n"


def _written(edit: Edit) -> dict[str, Any]:
    where = edit.where
    return {
        "kind": where.kind.value,
        "where": where.words,
        "name": where.name,
        "detail": where.detail,
        "account": where.account,
        "region": where.region,
        "partition": where.partition,
        "path": edit.path,
        "is_at_hand": edit.is_at_hand,
        "before": edit.before,
        "after": edit.after,
    }


def read(text: str, name: str) -> Plan:
    """The plan that the text writes. Errors: `InputError` for a text that is none."""
    try:
        given = json.loads(text)
        if given["format"] != _FORMAT:
            raise InputError(f"{name}: expected `{_FORMAT}`, found `{str(given['format'])[:80]}`")
        return Plan(
            str(given["title"]),
            str(given["risk"]),
            str(given["newly_allows"]),
            _request(given["request"]),
            tuple(_edit(each) for each in given["edits"]),
        )
    except (ValueError, TypeError, KeyError, RecursionError, PrincipalError) as error:
        raise InputError(f"{name}: not what `clew explain --fix-as plan` writes: {error!s:.200}") from error


def _request(given: dict[str, Any]) -> Request:
    values = {
        key: tuple(each) if isinstance(each, list) else str(each) for key, each in given["context"].items()
    }
    owner = given["resource_account"]
    return derived(
        Request(
            str(given["principal"]),
            str(given["action"]),
            str(given["resource"]),
            None if owner is None else str(owner),
            Context(values, unknown=None),
        )
    )


def _edit(given: dict[str, Any]) -> Edit:
    texts = [str(given[name]) for name in ("where", "name", "detail", "account", "region", "partition")]
    for name in ("before", "after"):
        if not (isinstance(given[name], dict) or (name == "before" and given[name] is None)):
            raise InputError(f"`{name}` of an edit is no policy document")
    return Edit(
        Where(Kind(given["kind"]), *texts),
        str(given["path"]),
        given["before"],
        given["after"],
        is_at_hand=given["is_at_hand"] is True,
    )
