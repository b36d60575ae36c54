"""Paths for people and for programs: each step with the statements that make it and what must hold besides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.reach.paths import ADMIN
from clew.report.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.reach.paths import Edge, Path, Reach


def render(found: Reach) -> str:
    """The whole answer as text."""
    return "\n".join(_lines(found)) + "\n"


def render_all(found: Sequence[Reach]) -> str:
    """The answers of many starts, a step that was told once only named after."""
    if not found:
        return "nobody reaches it\n"
    told: set[tuple[str, str]] = set()
    return "\n\n".join("\n".join(_lines(each, told)) for each in found) + "\n"


def _lines(found: Reach, told: set[tuple[str, str]] | None = None) -> Iterator[str]:
    yield f"{terminal(found.start)} {_summary(found)}"
    seen: set[tuple[str, str]] = set() if told is None else told
    for path in found.paths:
        yield ""
        yield from _path(path, seen)
    if found.unknown:
        yield ""
        yield "not followed, as it is not known:"
        yield from (f"  {terminal(what)}" for what in found.unknown)


def _summary(found: Reach) -> str:
    if found.goal is not None and not found.paths:
        return f"does not reach {name(found.goal)}{', as far as is known' * bool(found.unknown)}"
    if found.goal is not None:
        is_open = not any(path.is_certain for path in found.paths)
        return f"reaches {name(found.goal)}{', if more holds' * is_open}"
    count = len(found.paths)
    sure = sum(path.is_certain for path in found.paths)
    if not count:
        return f"reaches nothing beyond itself{', as far as is known' * bool(found.unknown)}"
    return f"reaches {count}: {sure} for certain, {count - sure} if more holds"


def name(target: str) -> str:
    """What a path reaches, as a reader calls it."""
    return "every permission" if target == ADMIN else terminal(target)


def _path(path: Path, told: set[tuple[str, str]]) -> Iterator[str]:
    """The steps of a path; one that an earlier path has told is named only."""
    count = len(path.edges)
    steps = "1 step" if count == 1 else f"{count} steps"
    yield f"{name(path.target)}  ({steps}, {'certain' if path.is_certain else 'open'})"
    for number, edge in enumerate(path.edges, 1):
        is_told = (edge.source, edge.target) in told
        told.add((edge.source, edge.target))
        yield f"  {number}. {short(edge.source)} → {short(edge.target)} by {edge.method.id}{', as above' * is_told}"
        yield from () if is_told else _edge(edge)


def _edge(edge: Edge) -> Iterator[str]:
    yield f"       gives {edge.method.gain}"
    for step in edge.steps:
        yield f"       {terminal(step.action)} on {terminal(step.resource)}"
        yield from (f"         {terminal(place)}" for place in step.statements)
    yield from (f"       if {terminal(condition)}" for condition in edge.conditions)
    yield from (f"       needs {terminal(need)}" for need in edge.needs)


def short(arn: str) -> str:
    """A principal without partition and account.

    >>> short("arn:aws:iam::111122223333:role/app/ci"), short("admin")
    ('role/app/ci', 'every permission')
    """
    return terminal(arn.split(":", 5)[-1]) if arn.startswith("arn:") else name(arn)


def document(found: Reach) -> dict[str, object]:
    """The whole answer as an object of JSON."""
    return {
        "from": found.start,
        "to": found.goal,
        "paths": [_path_document(path) for path in found.paths],
        "unknown": list(found.unknown),
    }


def _path_document(path: Path) -> dict[str, object]:
    return {
        "target": path.target,
        "certain": path.is_certain,
        "edges": [_edge_document(edge) for edge in path.edges],
    }


def _edge_document(edge: Edge) -> dict[str, object]:
    return {
        "source": edge.source,
        "target": edge.target,
        "method": edge.method.id,
        "gain": edge.method.gain,
        "page": edge.method.page,
        "certain": edge.is_certain,
        "conditions": list(edge.conditions),
        "needs": list(edge.needs),
        "steps": [
            {
                "action": step.action,
                "resource": step.resource,
                "statements": list(step.statements),
                "condition": step.condition or None,
            }
            for step in edge.steps
        ],
    }
