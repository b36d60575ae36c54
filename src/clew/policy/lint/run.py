"""All checks asked of one document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.policy.lint import (  # noqa: F401  # each registers its checks
    addresses,
    attached,
    elements,
    formats,
    grants,
    keys,
    names,
    oidc,
    organisations,
    parts,
    redundancy,
    services,
    tags,
    trust,
    values,
    variables,
    wildcards,
)
from clew.policy.lint.catalogue import entry
from clew.policy.lint.registry import CLAUSE_CHECKS, DOCUMENT_CHECKS, FAMILIES, LINE_CHECKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.policy.lint.registry import Told
    from clew.policy.lint.subject import Clause, Subject
    from clew.policy.problems import Problems


def check(subject: Subject, problems: Problems) -> None:
    """Note what the checks have to tell of the document."""
    for code, told in _told(subject):
        weight = told.weight or entry(code).finding_type
        problems.tell(code, told.message, told.places, told.corrected, weight)


def _told(subject: Subject) -> Iterator[tuple[str, Told]]:
    for clause in subject.clauses:
        yield from _of_clause(clause, subject)
        yield from _of_lines(clause, subject)
    for check in DOCUMENT_CHECKS:
        if subject.kind in check.kinds:
            yield from ((check.code, told) for told in check.run(subject))


def _of_clause(clause: Clause, subject: Subject) -> Iterator[tuple[str, Told]]:
    for check in CLAUSE_CHECKS:
        if subject.kind in check.kinds:
            yield from ((check.code, told) for told in check.run(clause, subject))
    for family in FAMILIES:
        if subject.kind in family.kinds:
            yield from family.run(clause, subject)


def _of_lines(clause: Clause, subject: Subject) -> Iterator[tuple[str, Told]]:
    checks = [check for check in LINE_CHECKS if subject.kind in check.kinds] if clause.lines else []
    for line in clause.lines:
        for check in checks:
            yield from ((check.code, told) for told in check.run(line, clause, subject))
