"""How `clew who-can` and `clew what-can` read their inputs and print."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from clew.aws import catalog
from clew.cli import context, state_files
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
    if resource != "*" and not resource.startswith("arn:"):
        raise UsageError(f"`{resource[:200]}` is neither an ARN nor `*`")
    action = _spelled(action, resource)
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


def _spelled(action: str, resource: str) -> str:
    """The action as AWS spells it; what makes the question a strange one is noted."""
    aws = catalog.current()
    known = aws.action(action)
    if known is None:
        near = aws.nearest_action(action)
        hint = f"; did you mean `{near}`?" if near else ""
        context.note(f"`{action}` is no action that Clew knows{hint}")
        return action
    if resource == "*":
        return known.full_name
    if known.is_wildcard_only:
        context.note(f"{known.full_name} works on no resource in particular; leave the resource out")
        return known.full_name
    kinds = {kind.name for kind in aws.resource_types_of(resource, known.service)}
    wanted = {each.name for each in known.resources}
    if kinds.isdisjoint(wanted):
        what = (
            f"of type {' or '.join(sorted(kinds))}"
            if kinds
            else f"none that the service {known.service} knows"
        )
        context.note(
            f"{known.full_name} works on resources of type {' or '.join(sorted(wanted))}; {resource} is {what}"
        )
    return known.full_name


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
