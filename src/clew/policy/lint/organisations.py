"""Checks of service control policies and resource control policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.policy.lint import curated
from clew.policy.lint.registry import RCP, SCP, Told, of_clause, of_line
from clew.policy.model import FindingType, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.policy.lint.subject import Clause, Line, Subject

_IS_SERVICE: Final = "aws:principalisawsservice"


@of_clause("SCP_SYNTAX_ERROR_ACTION_WILDCARD", SCP)
def wildcard(clause: Clause, _: Subject) -> Iterator[Told]:
    """A wildcard elsewhere than at the end of an action.

    The page about the checks calls it an error; AWS Organizations takes it since 2025-09 (AWS Security Blog, "AWS
    Organizations service control policy now supports full IAM language", and "SCP syntax").
    """
    for word in (*clause.actions, *clause.not_actions):
        if "*" in word.text[:-1] or "?" in word.text[:-1]:
            message = (
                f"`{shown(word.text)}`: a wildcard before the end of an action was refused until 2025-09"
            )
            advice = "actions that AWS adds may match it too"
            yield Told(f"{message}; {advice}", (word,), weight=FindingType.WARNING)


def _asks(clause: Clause, value: str) -> bool:
    """Whether the statement is about calls of service principals (`true`), or about the others (`false`)."""
    lines = [line for line in clause.lines if line.key == _IS_SERVICE and line.family == "Bool"]
    return clause.are_keys_open or any(
        line.is_open or any(word.text.lower() == value for word in line.values) for line in lines
    )


def _is_asked(line: Line) -> bool:
    return line.operator.name != "Null"


@of_line("RCP_MISSING_RELATED_PRINCIPAL_CONDITION_KEY", RCP)
def principal_key(line: Line, clause: Clause, _: Subject) -> Iterator[Told]:
    """A key of principals without the exception for services."""
    if (
        line.base in curated.RCP_PRINCIPAL
        and _is_asked(line)
        and not clause.allows
        and not _asks(clause, "false")
    ):
        message = f"`{line.written}` shuts out services that act as themselves"
        yield Told(f'{message}; add `"BoolIfExists": {{"aws:PrincipalIsAWSService": "false"}}`', (line.name,))


@of_line("RCP_MISSING_RELATED_SERVICE_PRINCIPAL_CONDITION_KEY", RCP)
def source_key(line: Line, clause: Clause, _: Subject) -> Iterator[Told]:
    """A key of a call's source without the restriction to services."""
    if (
        line.base in curated.RCP_SOURCES
        and _is_asked(line)
        and not clause.allows
        and not _asks(clause, "true")
    ):
        message = f"`{line.written}` is carried by calls of services only: all others are shut out"
        yield Told(f'{message}; add `"BoolIfExists": {{"aws:PrincipalIsAWSService": "true"}}`', (line.name,))


@of_line("RCP_MISSING_SERVICE_CONDITION_KEY_NULL_CHECK", RCP)
def null_check(line: Line, clause: Clause, _: Subject) -> Iterator[Told]:
    """A key of a call's source without asking whether the call has one."""
    if line.base not in curated.RCP_SOURCES or not _is_asked(line) or clause.allows or clause.are_keys_open:
        return
    checked = [
        each
        for each in clause.lines
        if each.operator.name == "Null" and each.key in {"aws:sourceaccount", "aws:sourcearn"}
    ]
    if not any(each.is_open or any(word.text.lower() == "false" for word in each.values) for each in checked):
        message = f"some services' calls carry no `{line.written}`"
        yield Told(f'{message}; add `"Null": {{"aws:SourceAccount": "false"}}`', (line.name,))
