"""The outcome of a policy check as text: the result, a request that shows it, and the statements that allow it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.report.decision import paint
from clew.report.escape import terminal
from clew.symbolic.checks import Result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.engine.request import ContextValue, Request
    from clew.symbolic.checks import Outcome

_COLORS: Final = {Result.PASS: "32", Result.FAIL: "1;31", Result.UNKNOWN: "1;36"}


def text(outcome: Outcome, *, color: bool = False) -> str:
    """The outcome as lines for a terminal."""
    return "\n".join(_lines(outcome, color=color)) + "\n"


def _lines(outcome: Outcome, *, color: bool) -> Iterator[str]:
    word = paint(outcome.result.value, _COLORS[outcome.result], color=color)
    yield f"{word}  {terminal(outcome.message)}"
    if outcome.witness is None:
        return
    yield ""
    yield "A request that shows it:"
    yield from (f"  {line}" for line in request_lines(outcome.witness))
    yield ""
    for reason in outcome.reasons:
        yield f"{terminal(reason.place)}: {terminal(reason.description)}"
        if reason.witness is not outcome.witness:
            yield f"  such as {terminal(reason.witness.action)} on {terminal(reason.witness.resource)}"


def request_lines(request: Request) -> Iterator[str]:
    """The request, one part a line."""
    yield f"principal  {terminal(request.principal)}"
    yield f"action     {terminal(request.action)}"
    yield f"resource   {terminal(request.resource)}"
    spelling = request.context.spelling
    for key, value in request.context.values.items():
        yield f"with       {terminal(spelling.get(key, key))} = {terminal(_value(value))}"


def _value(value: ContextValue) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return "[" + ", ".join(f'"{each}"' for each in value) + "]"
