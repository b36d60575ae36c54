"""Checks of elements that are empty or say the opposite of what they seem to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.policy.lint.registry import RESOURCE, Told, of_clause, of_document, of_line
from clew.policy.words import Word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.policy.json_positions import Node
    from clew.policy.lint.subject import Clause, Line, Subject


def _is_empty_list(node: Node) -> bool:
    return node.kind == "array" and not node.items


def _empty(clause: Clause, *names: str) -> Iterator[Word]:
    elements = (clause.element(name) for name in names)
    return (each for each in elements if each is not None and _is_empty_list(each.node))


@of_document("MISSING_STATEMENT")
def statements(subject: Subject) -> Iterator[Told]:
    """A list of statements without one."""
    place = subject.document.get("Statement")
    if place is not None and _is_empty_list(place):
        yield Told("`Statement` is empty; add a statement", (Word("", ("Statement",), place),))


@of_clause("EMPTY_ARRAY_ACTION")
def action(clause: Clause, _: Subject) -> Iterator[Told]:
    """An Action or NotAction without entries."""
    for place in _empty(clause, "Action", "NotAction"):
        yield Told(f"`{place.path[-1]}` is empty: the statement is about no particular action", (place,))


@of_clause("EMPTY_ARRAY_RESOURCE")
def resource(clause: Clause, _: Subject) -> Iterator[Told]:
    """A Resource or NotResource without entries."""
    for place in _empty(clause, "Resource", "NotResource"):
        yield Told(f"`{place.path[-1]}` is empty: the statement is about no particular resource", (place,))


@of_clause("EMPTY_ARRAY_PRINCIPAL")
def principal(clause: Clause, _: Subject) -> Iterator[Told]:
    """A kind of principal without entries."""
    for name in ("Principal", "NotPrincipal"):
        place = clause.element(name)
        for key, value in place.node.members if place is not None else ():
            if _is_empty_list(value):
                path = (*clause.path, name, key.text)
                yield Told(f"`{key.text}` lists no principal", (Word("", path, value),))


@of_clause("EMPTY_OBJECT_PRINCIPAL")
def principal_object(clause: Clause, _: Subject) -> Iterator[Told]:
    """A Principal that is `{}`."""
    for name in ("Principal", "NotPrincipal"):
        place = clause.element(name)
        if place is not None and place.node.kind == "object" and not place.node.members:
            yield Told(f"`{name}` is empty: the statement is about nobody", (place,))


@of_clause("EMPTY_OBJECT_CONDITION")
def condition_object(clause: Clause, _: Subject) -> Iterator[Told]:
    """A Condition, or an operator in it, that is `{}`."""
    place = clause.element("Condition")
    if place is None or place.node.kind != "object":
        return
    if not place.node.members:
        yield Told("`Condition` is empty; remove it, or write conditions", (place,))
    for operator, keys in place.node.members:
        if keys.kind == "object" and not keys.members:
            path = (*clause.path, "Condition", operator.text)
            yield Told(f"`{operator.text}` compares no key; remove it", (Word("", path, keys),))


@of_clause("EMPTY_SID_VALUE")
def sid(clause: Clause, _: Subject) -> Iterator[Told]:
    """A Sid that is an empty text."""
    place = clause.element("Sid")
    if place is not None and place.node.kind == "string" and not place.text:
        yield Told("`Sid` is empty; name the statement, or leave `Sid` out", (place,))


def _is_without_values(line: Line) -> bool:
    return _is_empty_list(line.place.node)


@of_line("EMPTY_ARRAY_CONDITION")
def no_values(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """A key without values under a plain operator."""
    if _is_without_values(line) and not line.operator.qualifier and not line.operator.if_exists:
        yield Told(f"`{line.written}` lists no value", (line.place,))


@of_line("EMPTY_ARRAY_CONDITION_FORALLVALUES")
def no_values_for_all(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """A key without values under ForAllValues."""
    if _is_without_values(line) and line.operator.qualifier == "ForAllValues":
        message = f"`{line.written}` lists no value: this only asks whether the key is absent"
        yield Told(f'{message}; write `"Null": {{"{line.written}": "true"}}`', (line.place,))


@of_line("EMPTY_ARRAY_CONDITION_FORANYVALUE")
def no_values_for_any(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """A key without values under ForAnyValue."""
    if _is_without_values(line) and line.operator.qualifier == "ForAnyValue":
        yield Told(f"`{line.written}` lists no value: the condition never holds", (line.place,))


@of_line("EMPTY_ARRAY_CONDITION_IFEXISTS")
def no_values_if_exists(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """A key without values under IfExists."""
    if _is_without_values(line) and line.operator.if_exists and not line.operator.qualifier:
        message = f"`{line.written}` lists no value: this only asks whether the key is absent"
        yield Told(f'{message}; write `"Null": {{"{line.written}": "true"}}`', (line.place,))


@of_clause("ALLOW_WITH_NOT_PRINCIPAL", RESOURCE)
def not_principal(clause: Clause, _: Subject) -> Iterator[Told]:
    """Allow for everybody but some."""
    place = clause.element("NotPrincipal")
    if clause.allows and place is not None:
        yield Told(
            "`Allow` with `NotPrincipal` lets in everybody else, strangers too; name whom to allow", (place,)
        )
