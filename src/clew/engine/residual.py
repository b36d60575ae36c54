"""The residual condition of an undetermined decision: what must hold of the unknown keys for which answer.

A formula is True, False, a `Part` (one statement's open parts), or `All` / `AnyOf` of formulas. The common law is read
over formulas exactly as it is over verdicts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from clew.engine.request import Context
from clew.engine.verdicts import Effect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from clew.engine.record import Hit
    from clew.engine.request import ContextValue


@dataclass(frozen=True, slots=True)
class All:
    """Every part must hold."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part must hold."""

    parts: tuple[Formula, ...]


class Part(Protocol):
    """One open part of a statement: a condition, resources with variables, or a limit of a service."""

    @property
    def operator(self) -> str:
        """The condition operator, `Resource`, `NotResource`, or a service's own word."""

    @property
    def key(self) -> str:
        """What the operator looks at."""

    @property
    def values(self) -> tuple[str, ...]:
        """What it is compared with."""

    @property
    def text(self) -> str:
        """The part as a clause that completes "allowed if …"."""

    def document(self) -> dict[str, object]:
        """The part for JSON."""

    def holds(self, context: Context) -> bool | None:
        """What the part says in the context; None while that is unknown."""


Formula = bool | Part | All | AnyOf


def all_of(parts: Iterable[Formula]) -> Formula:
    """The conjunction, without parts that always hold and without repetitions; False when one part never holds."""
    found: dict[Formula, None] = {}
    for part in parts:
        if part is False:
            return False
        if part is not True:
            found.update(dict.fromkeys(part.parts if isinstance(part, All) else (part,)))
    if not found:
        return True
    return next(iter(found)) if len(found) == 1 else All(tuple(found))


def any_of(parts: Iterable[Formula]) -> Formula:
    """The disjunction, without parts that never hold and without repetitions; True when one part always holds."""
    found: dict[Formula, None] = {}
    for part in parts:
        if part is True:
            return True
        if part is not False:
            found.update(dict.fromkeys(part.parts if isinstance(part, AnyOf) else (part,)))
    if not found:
        return False
    kept = [part for part in found if not _implied(part, found)]
    return kept[0] if len(kept) == 1 else AnyOf(tuple(kept))


def _implied(part: Formula, among: Mapping[Formula, None]) -> bool:
    """Whether a weaker part stands beside it: `a or (a and b)` is `a`."""
    return isinstance(part, All) and any(each in among for each in part.parts)


def holds(formula: Formula, context: Context) -> bool | None:
    """What the formula says in the context; None while it is still open."""
    if isinstance(formula, bool):
        return formula
    if isinstance(formula, All | AnyOf):
        settles = isinstance(formula, AnyOf)
        answers = [holds(part, context) for part in formula.parts]
        if settles in answers:
            return settles
        return None if None in answers else not settles
    return formula.holds(context)


def leaves(formula: Formula) -> Iterator[Part]:
    """Every leaf of the formula, from left to right."""
    if isinstance(formula, All | AnyOf):
        for part in formula.parts:
            yield from leaves(part)
    elif not isinstance(formula, bool):
        yield formula


@dataclass(frozen=True, slots=True)
class Residual:
    """What an undetermined decision depends on: explicitly denied if `denied` holds, else allowed if `granted` does."""

    denied: Formula
    granted: Formula
    given: Context

    def holds(self, context: Context | Mapping[str, ContextValue]) -> Effect:
        """The effect once the unknown keys are known: a whole context, or the values of the keys that are present.

        Keys that were unknown and are not given count as absent.
        """
        whole = context if isinstance(context, Context) else self.given.completed(context)
        denied, granted = holds(self.denied, whole), holds(self.granted, whole)
        if denied is True:
            return Effect.EXPLICIT_DENY
        if denied is None or granted is None:
            return Effect.UNDETERMINED
        return Effect.ALLOW if granted else Effect.IMPLICIT_DENY

    @property
    def text(self) -> str:
        """One sentence such as `allowed if aws:SourceIp is in 192.0.2.0/24; implicit_deny otherwise`."""
        clauses: list[str] = []
        if self.denied is not False:
            clauses.append(f"{Effect.EXPLICIT_DENY} if {spelled(self.denied)}")
        if self.granted is True:
            return "; ".join([*clauses, "allowed otherwise"])
        if self.granted is not False:
            clauses.append(f"{'else ' if clauses else ''}allowed if {spelled(self.granted)}")
        return "; ".join([*clauses, f"{Effect.IMPLICIT_DENY} otherwise"])

    @property
    def tree(self) -> dict[str, object]:
        """The residual for JSON: `explicit_deny` and `allow`, each a tree of `all`, `any` and leaves, or a boolean."""
        return {"explicit_deny": tree(self.denied), "allow": tree(self.granted)}


def spelled(formula: Formula, *, inner: bool = False) -> str:
    """The formula as a clause that completes "allowed if …"."""
    if isinstance(formula, bool):
        return "always" if formula else "never"
    if isinstance(formula, All | AnyOf):
        word = " and " if isinstance(formula, All) else " or "
        text = word.join(spelled(part, inner=True) for part in formula.parts)
        return f"({text})" if inner else text
    return formula.text


def tree(formula: Formula) -> object:
    """The formula as JSON."""
    if isinstance(formula, bool):
        return formula
    if isinstance(formula, All | AnyOf):
        name = "all" if isinstance(formula, All) else "any"
        return {name: [tree(part) for part in formula.parts]}
    return formula.document()


def statement_formula(hit: Hit, resource: str, context: Context, *, wildcard_only: bool) -> Formula:
    """What must still hold for the statement to match."""
    placed, verdict, _, _ = hit
    if verdict is not None:
        return verdict
    return all_of(placed.unknown_parts(resource, context, wildcard_only=wildcard_only))
