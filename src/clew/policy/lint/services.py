"""Checks of statements that let AWS services in: restricted to a source, and by keys that their calls carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.policy.lint import curated
from clew.policy.lint.registry import RESOURCE, TRUST, Told, of_clause, of_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.policy.lint.subject import Clause, Line, Subject
    from clew.policy.words import Word


def _services(clause: Clause) -> tuple[Word, ...]:
    """The service principals of the statement."""
    return tuple(word for kind, word in clause.principals if kind == "Service")


@of_clause("RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL", RESOURCE)
def unrestricted(clause: Clause, _: Subject) -> Iterator[Told]:
    """A service that is let in whomever it works for."""
    services = _services(clause)
    restricting = curated.CALL_SOURCES | curated.CALL_SUBSTITUTES
    if clause.allows and services and clause.lacks(restricting):
        message = f"`{services[0].text}` is let in for anybody's account; add `aws:SourceArn` or `aws:SourceAccount`"
        yield Told(message, services)


@of_line("RECOMMENDED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL", RESOURCE)
def substitute(line: Line, clause: Clause, _: Subject) -> Iterator[Told]:
    """A service that is restricted by another key than those of its source."""
    services = _services(clause)
    if (
        line.key in curated.CALL_SUBSTITUTES
        and services
        and clause.allows
        and clause.lacks(curated.CALL_SOURCES)
    ):
        message = f"`{services[0].text}` is better restricted by `aws:SourceArn` or `aws:SourceAccount`"
        yield Told(f"{message} than by `{line.written}`", (line.name,))


def _is_tagged(service: Word, line: Line) -> bool:
    """Whether the key is a tag of a service that tags its sessions, as IAM Roles Anywhere does by certificate."""
    return line.base == "aws:principaltag" and service.text in curated.TAGGED_SERVICES


@of_line("UNSUPPORTED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL", RESOURCE | TRUST)
def not_carried(line: Line, clause: Clause, _: Subject) -> Iterator[Told]:
    """A key of users and roles that is asked of a service."""
    services = tuple(each for each in _services(clause) if not _is_tagged(each, line))
    if services and line.base in curated.NEVER_OF_SERVICES and line.operator.name != "Null":
        message = f"calls of `{services[0].text}` carry no `{line.written}`"
        yield Told(f"{message}; use `aws:SourceOrgID` or another key of the source", (line.name,))
