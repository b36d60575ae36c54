"""The order in which findings are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.findings import severity_order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clew.findings import Finding


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Findings by severity, then by time."""
    return sorted(findings, key=severity_order)


def by_rule(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Findings grouped by rule, the rule with the worst finding first, each group worst first."""
    groups: dict[str, list[Finding]] = {}
    for finding in worst_first(findings):
        groups.setdefault(finding.rule, []).append(finding)
    return list(groups.values())
