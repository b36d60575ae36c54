"""Policies edited as an explanation proposes: each document must stand as it was explained, and is written whole."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from clew.errors import ChangeError
from clew.explain.fix_edit import Kind
from clew.respond.aspects import ASPECTS
from clew.respond.aspects.policies import MANAGED_POLICY, with_version
from clew.respond.aspects.s3 import BUCKET_POLICY
from clew.respond.model import Action, Options, Place, State, Step, Target
from clew.snapshot.answers import GLOBAL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clew.explain.fix_edit import Document, Edit
    from clew.respond.model import Aspect, Value


def place_of(edit: Edit, account: str) -> Place:
    """Where the API finds the document; `account` is for what belongs to no account of its own."""
    where = edit.where
    detail = "" if where.kind is Kind.MANAGED else where.detail
    in_organization = where.kind in {Kind.SCP, Kind.RCP}
    detail = "" if in_organization else detail
    return Place(where.account or account, where.region or GLOBAL, where.name, where.partition, detail)


def aspect_of(edit: Edit) -> Aspect:
    """The aspect of such documents. Errors: `ChangeError` where Clew cannot write them."""
    aspect = ASPECTS.get(edit.where.kind.value)
    if aspect is None or not edit.is_at_hand:
        raise ChangeError(
            f"{edit.where.words}: what stands there is not at hand, or Clew does not write its kind"
        )
    return aspect


def action(edits: tuple[Edit, ...], title: str, risk: str) -> Action:
    """The action that makes the edits; they are about resources of one account."""

    def needs(target: Target, _: Options) -> tuple[tuple[Aspect, Place], ...]:
        return tuple((aspect_of(edit), place_of(edit, target.place.account)) for edit in edits)

    def plan(target: Target, _: Options, state: State) -> tuple[Step, ...]:
        return tuple(step for edit in edits for step in _steps(edit, target.place.account, state))

    return replace(EDIT_POLICY, title=title, risk=risk, needs=needs, plan=plan)


def _steps(edit: Edit, account: str, state: State) -> tuple[Step, ...]:
    aspect, place = aspect_of(edit), place_of(edit, account)
    found = state.of(aspect, place)
    there = _document(aspect, found)
    if there == edit.after:
        return ()
    if there != edit.before:
        raise ChangeError(
            f"{edit.where.words} is not as it was explained: it was changed since; collect, and explain it again"
        )
    return state.to(aspect, place, _value(aspect, found, edit.after))


def _document(aspect: Aspect, value: Value) -> Document | None:
    """The document in what the aspect reads."""
    if value is None:
        return None
    if aspect is BUCKET_POLICY:
        return dict(json.loads(value))
    if aspect is MANAGED_POLICY:
        return next((each["Document"] for each in value if each["IsDefaultVersion"]), None)
    return dict(value)


def _value(aspect: Aspect, found: Value, document: Document) -> Value:
    if aspect is BUCKET_POLICY:
        return json.dumps(document, separators=(",", ":"))
    return with_version(found, document) if aspect is MANAGED_POLICY else document


def steps_of(edit: Edit) -> tuple[Step, ...]:
    """The edit as a step, without a look at what stands now. Errors: `ChangeError` for what Clew does not write."""
    aspect, place = aspect_of(edit), place_of(edit, edit.where.account)
    if aspect is MANAGED_POLICY:
        old = {"VersionId": "v1", "IsDefaultVersion": True, "Document": edit.before}
        return (Step(aspect, place, [old], with_version([old], edit.after)),)
    before = None if edit.before is None else _value(aspect, None, edit.before)
    return (Step(aspect, place, before, _value(aspect, None, edit.after)),)


def accounts(edits: Iterable[Edit]) -> tuple[str, ...]:
    """The accounts that the edits are made in; empty names the one that asks."""
    return tuple(dict.fromkeys(edit.where.account for edit in edits))


EDIT_POLICY = Action(
    "edit-policy",
    "Edit policies",
    "policy",
    "whoever the statements name may do more",
    lambda _, __: (),
    lambda _, __, ___: (),
)
