"""Many decisions at once: the matrix of actions and resources, and, for very many, what settles which actions."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING

from clew.engine.decision import Effect
from clew.reach.attached import UNKNOWN_DOCUMENT
from clew.report.decision import STYLE, WORDS, gate_word, paint, readable, told
from clew.report.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.report.decision import Answer

_CELL = 15
_COLUMNS = 4
_MARGIN = "  "


def table(answers: Sequence[Answer], *, width: int = 100, color: bool = False) -> str:
    """The matrix: one row for each action, one column for each resource; with one resource, what settles it."""
    resources = list(dict.fromkeys(answer.request.resource for answer in answers))
    if len(resources) == 1:
        lines = _one_resource(answers, width, color=color)
    elif len(resources) <= _COLUMNS:
        lines = _matrix(answers, resources, color=color)
    else:
        lines = _list(answers, color=color)
    return "\n".join([*lines, "", *_summary(answers, width, color=color)]) + "\n"


def _one_resource(answers: Sequence[Answer], width: int, *, color: bool) -> Iterator[str]:
    longest = min(max(len(answer.request.action) for answer in answers), 48)
    yield f"{_asked(answers)} on {terminal(answers[0].request.resource)}"
    yield ""
    for answer in answers:
        cell = _cell(answer, color=color)
        row = f"{_MARGIN}{terminal(answer.request.action):<{longest}}  {cell}"
        plain = len(_MARGIN) + longest + 2 + _CELL
        yield f"{row}{_cut(settled(answer), max(width - plain, 20))}".rstrip()


def _asked(answers: Sequence[Answer]) -> str:
    from clew.report.decision import who

    return "a user" if answers[0].applied.is_stand_in else who(answers[0].request.principal)


def _cell(answer: Answer, *, color: bool) -> str:
    effect = answer.decision.effect
    return paint(f"{WORDS[effect]:<{_CELL}}", STYLE[effect], color=color)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def settled(answer: Answer) -> str:
    """What settles a decision, in few words: the statements, the gate that stops it, or the open condition."""
    decision = answer.decision
    if decision.effect is Effect.UNDETERMINED:
        return readable(decision.residual.text) if decision.residual is not None else ""
    if decision.effect is Effect.IMPLICIT_DENY:
        if not decision.blocked_by:
            return "nothing allows it"
        names = [gate_word(gate.value, answer.request.action) for gate in decision.blocked_by]
        return f"not allowed by {', '.join(names)}"
    settling = {(each.policy, each.statement) for each in decision.determined_by}
    granting = {"identity", "resource", "grant", "acl"}
    shown = [
        f"{each.short}{f' ({each.place})' if each.place else ''}"
        for each in told(answer)
        if (each.statement.policy, each.statement.statement) in settling
        and (decision.effect is Effect.EXPLICIT_DENY or each.statement.gate in granting)
    ]
    return ", ".join(shown) or terminal(decision.rule)


def _matrix(answers: Sequence[Answer], resources: Sequence[str], *, color: bool) -> Iterator[str]:
    cells = {(answer.request.action, answer.request.resource): answer for answer in answers}
    actions = list(dict.fromkeys(answer.request.action for answer in answers))
    longest = min(max(len(action) for action in actions), 48)
    yield _asked(answers)
    for number, resource in enumerate(resources, 1):
        yield f"{_MARGIN}[{number}] {terminal(resource)}"
    yield ""
    heading = "".join(f"{f'[{number}]':<{_CELL}}" for number in range(1, len(resources) + 1))
    yield f"{_MARGIN}{'':<{longest}}  {heading}".rstrip()
    for action in actions:
        row = [
            _cell(cells[action, resource], color=color) if (action, resource) in cells else f"{'·':<{_CELL}}"
            for resource in resources
        ]
        yield f"{_MARGIN}{terminal(action):<{longest}}  {''.join(row)}".rstrip()


def _list(answers: Sequence[Answer], *, color: bool) -> Iterator[str]:
    longest = min(max(len(answer.request.action) for answer in answers), 48)
    yield _asked(answers)
    yield ""
    for answer in answers:
        action = f"{terminal(answer.request.action):<{longest}}"
        yield f"{_MARGIN}{action}  {_cell(answer, color=color)}{terminal(answer.request.resource)}"


def groups(answers: Sequence[Answer], *, width: int = 100, color: bool = False) -> str:
    """The answers by what settles them, each group with its actions in running text."""
    found: dict[tuple[str, Effect, str], list[str]] = {}
    for answer in answers:
        key = (answer.request.resource, answer.decision.effect, settled(answer))
        found.setdefault(key, []).append(answer.request.action)
    lines = [_asked(answers)]
    shown = None
    for (resource, effect, why), actions in found.items():
        if resource != shown:
            lines += ["", f"on {terminal(resource)}"]
            shown = resource
        label = paint(WORDS[effect], STYLE[effect], color=color)
        noun = "action" if len(actions) == 1 else "actions"
        lines += ["", *_hanging(f"{label}  {len(actions)} {noun}: {why}", width, _MARGIN)]
        lines += _hanging(terminal(", ".join(_bare(actions))), width, _MARGIN * 3)
    return "\n".join([*lines, "", *_summary(answers, width, color=color)]) + "\n"


def _bare(actions: Sequence[str]) -> list[str]:
    """The actions, with the service written once for those that follow each other."""
    shown = []
    service = ""
    for action in actions:
        prefix, _, name = action.partition(":")
        shown.append(name if prefix == service else action)
        service = prefix
    return shown


def _hanging(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_on_hyphens=False,
        break_long_words=False,
    )


def _summary(answers: Sequence[Answer], width: int, *, color: bool) -> Iterator[str]:
    counts = Counter(answer.decision.effect for answer in answers)
    tally = ", ".join(
        f"{counts[effect]} {paint(WORDS[effect], STYLE[effect], color=color)}"
        for effect in Effect
        if counts[effect]
    )
    yield f"{len(answers)} {'request' if len(answers) == 1 else 'requests'}: {tally}"
    keys = dict.fromkeys(
        key
        for answer in answers
        for key in answer.decision.missing_context
        if not key.startswith(UNKNOWN_DOCUMENT)
    )
    facts = [
        (
            "not at hand",
            dict.fromkeys(missing.why for answer in answers for missing in answer.applied.missing),
        ),
        ("keys not given", {", ".join(keys): None} if keys else {}),
        ("assumed", dict.fromkeys(text for answer in answers for text in answer.applied.assumed)),
    ]
    for label, texts in facts:
        for text in texts:
            yield from _hanging(f"{label}: {terminal(text)}", width, "")
