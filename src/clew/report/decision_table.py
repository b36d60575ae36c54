"""Many decisions at once: the matrix of actions and resources, and, for very many, what settles which actions."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from typing import TYPE_CHECKING

from clew.engine.decision import Effect
from clew.engine.verdicts import gate_word
from clew.reach.attached import UNKNOWN_DOCUMENT
from clew.report.decision import listed, open_condition, paint, style, told, who, word
from clew.report.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.report.decision import Answer

_CELL = 15
_COLUMNS = 4
_SHOWN = 3
_MARGIN = "  "
_NO_BREAK = "\N{NO-BREAK SPACE}"
_FIRST_WORD = re.compile(r"[^:]*:[A-Z][a-z0-9]*")
# So many actions of one verb are told as one pattern.
_FOLDED = 3


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
    return "a user" if answers[0].applied.is_stand_in else who(answers[0].request.principal)


def _cell(answer: Answer, *, color: bool) -> str:
    return paint(f"{word(answer):<{_CELL}}", style(answer), color=color)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def settled(answer: Answer) -> str:
    """What settles a decision, in few words: the statements, the gate that stops it, or the open condition."""
    decision = answer.decision
    if decision.effect is Effect.UNDETERMINED:
        return open_condition(answer)
    if decision.effect is Effect.IMPLICIT_DENY:
        if not decision.blocked_by:
            return "nothing allows it"
        names = [gate_word(gate.value, answer.request.action) for gate in decision.blocked_by]
        return f"not allowed by {', '.join(names)}"
    settling = {(each.policy, each.statement) for each in decision.determined_by}
    granting = {"identity", "resource", "grant", "acl"}
    found = [
        each
        for each in told(answer)
        if (each.statement.policy, each.statement.statement) in settling
        and (decision.effect is Effect.EXPLICIT_DENY or each.statement.gate in granting)
    ]
    shown = [f"{each.short}{f' ({each.place})' if each.place else ''}" for each in found[:_SHOWN]]
    more = [f"{len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    return listed([*shown, *more]) if more else ", ".join(shown) or terminal(decision.rule)


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
    """The answers by what settles them: the fewest words that tell of hundreds of actions."""
    lines = [_asked(answers)]
    for resource in dict.fromkeys(answer.request.resource for answer in answers):
        here = [answer for answer in answers if answer.request.resource == resource]
        asked = Counter(_verb(terminal(answer.request.action)) for answer in here)
        found: dict[tuple[str, str], list[Answer]] = {}
        for answer in here:
            found.setdefault((word(answer), settled(answer)), []).append(answer)
        lines += ["", f"on {terminal(resource)}"]
        for (effect, why), group in sorted(found.items(), key=lambda item: _WORD_ORDER.index(item[0][0])):
            label = paint(effect, style(group[0]), color=color)
            noun = "action" if len(group) == 1 else "actions"
            lines += ["", *_hanging(f"{label}  {len(group)} {noun}: {why}", width, _MARGIN)]
            lines += _hanging(", ".join(_folded(group, asked)), width, _MARGIN * 2)
    return "\n".join([*lines, "", *_summary(answers, width, color=color)]) + "\n"


_WORD_ORDER = ("allowed", "undetermined", "explicit deny", "denied", "implicit deny")


def _verb(action: str) -> str:
    """The service and the first word of the action: `ec2:Describe` of `ec2:DescribeVpcs`."""
    found = _FIRST_WORD.match(action)
    return found[0] if found else action


def _folded(group: Sequence[Answer], asked: Counter[str]) -> Iterator[str]:
    """The actions, those with one verb as one pattern where all of them that were asked about are in the group."""
    verbs = Counter(_verb(terminal(answer.request.action)) for answer in group)
    told_verbs: set[str] = set()
    service = ""
    for answer in group:
        action = terminal(answer.request.action)
        verb = _verb(action)
        if verbs[verb] == asked[verb] and asked[verb] >= _FOLDED:
            if verb in told_verbs:
                continue
            told_verbs.add(verb)
            action = f"{verb}*{_NO_BREAK}({asked[verb]})"
        prefix, _, name = action.partition(":")
        yield name if prefix == service else action
        service = prefix


def _hanging(text: str, width: int, indent: str) -> list[str]:
    lines = textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_on_hyphens=False,
        break_long_words=False,
    )
    return [line.replace(_NO_BREAK, " ") for line in lines]


def _summary(answers: Sequence[Answer], width: int, *, color: bool) -> Iterator[str]:
    counts = Counter(word(answer) for answer in answers)
    styles = {word(answer): style(answer) for answer in answers}
    tally = ", ".join(
        f"{counts[name]} {paint(name, styles[name], color=color)}" for name in _WORD_ORDER if counts[name]
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
        ("note", dict.fromkeys(text for answer in answers for text in answer.hints)),
        ("assumed", dict.fromkeys(text for answer in answers for text in answer.applied.assumed)),
    ]
    for label, texts in facts:
        for text in texts:
            yield from _hanging(f"{label}: {terminal(text)}", width, "")
