"""Checks of what the policy of a resource may speak of, by the type of the resource."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.aws.arn_overlap import FIELDS, overlap, split
from clew.policy.lint import curated
from clew.policy.lint.registry import RESOURCE, Told, of_clause, of_line
from clew.policy.model import PolicyKind, shown
from clew.policy.variables import has_variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.policy.lint.curated import ResourceKind
    from clew.policy.lint.subject import Clause, Line, Subject

_BY_KIND: Final = {PolicyKind.KMS_KEY: "AWS::KMS::Key"}
_S3: Final = curated.RESOURCE_TYPES["AWS::S3::Bucket"]


def resource_kind(subject: Subject) -> ResourceKind | None:
    """The rules of the resource's type; None when the type is not known or has none."""
    return curated.RESOURCE_TYPES.get(subject.resource_type or _BY_KIND.get(subject.kind, ""))


@of_clause("UNSUPPORTED_ACTION_IN_POLICY", frozenset({PolicyKind.RESOURCE}))
def action(clause: Clause, subject: Subject) -> Iterator[Told]:
    """An action of another service than the resource's."""
    kind = resource_kind(subject)
    for word in (*clause.actions, *clause.not_actions) if kind is not None else ():
        service, colon, _ = word.text.lower().partition(":")
        if colon and kind is not None and not {service} & kind.actions and "*" not in service:
            message = f"`{shown(word.text)}` cannot be asked of {kind.name}; expected actions of"
            yield Told(f"{message} {' or '.join(f'`{each}`' for each in sorted(kind.actions))}", (word,))
        elif kind is not None and subject.catalog.is_wildcard_only(word.text) and word in clause.actions:
            message = f"`{shown(word.text)}` is asked of no single resource, so not of {kind.name}"
            yield Told(f"{message}; it belongs into policies of identities", (word,))


@of_clause("UNSUPPORTED_RESOURCE_ARN_IN_POLICY", RESOURCE)
def resource(clause: Clause, subject: Subject) -> Iterator[Told]:
    """An ARN that cannot be the resource that the policy is attached to."""
    kind = resource_kind(subject)
    for word in (*clause.resources, *clause.not_resources) if kind is not None else ():
        if kind is None or word.text == "*" or has_variables(word.text) or word.text.count(":") < 2:  # noqa: PLR2004  # no ARN, told elsewhere
            continue
        if not any(_may_be(template, word.text) for template in kind.arns):
            yield Told(f"`{shown(word.text)}` cannot be a resource of {kind.name}", (word,))


def _may_be(template: str, arn: str) -> bool:
    """Whether the ARN may be one of the template's, field by field where it has all of them."""
    fields = split(arn)
    if len(fields) < FIELDS:
        return overlap(template, arn)
    return all(overlap(wanted, given) for wanted, given in zip(split(template), fields, strict=False))


def _is_about_s3(clause: Clause) -> bool:
    return bool(clause.resources) and all(":s3:" in word.text for word in clause.resources)


@of_line("IRRELEVANT_CONDITION_KEY_IN_POLICY", frozenset({PolicyKind.RESOURCE}))
def irrelevant(line: Line, clause: Clause, subject: Subject) -> Iterator[Told]:
    """A key that says nothing in the policy of this resource."""
    kind = resource_kind(subject) or (_S3 if _is_about_s3(clause) else None)
    if kind is not None and line.key in kind.irrelevant:
        message = f"`{line.written}` says nothing in the policy of {kind.name}: the resource is what it is"
        yield Told(f"{message}; use it in policies of identities", (line.name,))


@of_clause("MISSING_RESOURCE", frozenset({PolicyKind.RESOURCE}))
def no_resource(clause: Clause, subject: Subject) -> Iterator[Told]:
    """A statement that names no resource, where the type of the resource wants one named."""
    if {"Resource", "NotResource"} & clause.words.elements.keys():
        return
    kind = resource_kind(subject) or _by_actions(clause)
    if kind is None or not kind.is_resource_optional:
        yield Told("`Resource` is missing: the statement does not say what it is about", (clause.place,))


def _by_actions(clause: Clause) -> ResourceKind | None:
    """The resource type that the statement's actions are of; None where they are of several services."""
    services = {word.text.lower().partition(":")[0] for word in clause.actions}
    kinds = (kind for kind in curated.RESOURCE_TYPES.values() if services and services <= kind.actions)
    return next(kinds, None)
