"""How `clew who-can` and `clew what-can` read their inputs and print."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from clew.cli import state_files
from clew.errors import InputError, UsageError
from clew.reach import what_can as what
from clew.reach import who_can as who
from clew.reach.predict import NoPrediction, Predictor
from clew.report import access_text

if TYPE_CHECKING:
    from clew.snapshot.model import Snapshot


def print_who(
    action: str,
    resource: str,
    policies: tuple[str, ...],
    given: tuple[str, ...],
    resource_account: str | None,
    *,
    as_json: bool,
) -> None:
    """Print who can do the action on the resource."""
    if ":" not in action or "*" in action:
        raise UsageError(f"`{action[:200]}` is not one action; expected service:Name, such as s3:GetObject")
    predictor = Predictor(_snapshot(policies))
    found = who.who_can(
        predictor, action, resource, resource_account=resource_account, context=_context(given)
    )
    text = (
        json.dumps(access_text.who_document(found), indent=2) + "\n"
        if as_json
        else access_text.who_can(found)
    )
    sys.stdout.write(text)


def print_what(
    principal: str, policies: tuple[str, ...], given: tuple[str, ...], *, full: bool, as_json: bool
) -> None:
    """Print what the principal can do."""
    found = what.what_can(_snapshot(policies), principal, context=_context(given))
    if isinstance(found, NoPrediction):
        raise InputError(found.reason)
    text = (
        json.dumps(access_text.what_document(found), indent=2) + "\n"
        if as_json
        else access_text.what_can(found, full=full)
    )
    sys.stdout.write(text)


def _snapshot(policies: tuple[str, ...]) -> Snapshot:
    return state_files.snapshot(state_files.chosen(policies))


def _context(given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"`--context {text[:200]}`: expected KEY=VALUE, as in aws:SourceIp=192.0.2.7")
        found[key] = value
    return found
