"""A decision as text: the sentence that answers, then gate by gate what each policy said, and what was not known."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from clew.engine.decision import Gate, Verdict
from clew.engine.verdicts import gate_word
from clew.reach.attached import UNKNOWN_DOCUMENT
from clew.report.decision import listed, paint, sentence, style, told, who, word
from clew.report.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from clew.reach.attached import Attachment
    from clew.report.decision import Answer, Told

_VERDICT_WORDS = {
    Verdict.ALLOW: "allows",
    Verdict.IMPLICIT_DENY: "does not allow",
    Verdict.EXPLICIT_DENY: "explicit deny",
    Verdict.UNKNOWN: "unknown",
}
_VERDICT_STYLE = {
    Verdict.ALLOW: "32",
    Verdict.IMPLICIT_DENY: "33",
    Verdict.EXPLICIT_DENY: "1;31",
    Verdict.UNKNOWN: "1;36",
}
_PATHS = {
    Gate.IDENTITY: "identity_policies",
    Gate.BOUNDARY: "permissions_boundaries",
    Gate.SESSION: "session_policies",
    Gate.SCP: "scps",
    Gate.ENDPOINT: "vpc_endpoint_policies",
}
_SHOWN_IN_GATE = 4
# The engine's note of the owner that it took; here it stands under what is assumed.
_OWNER_NOTE = "resource_account "
_INDENT = "  "


def explanation(answer: Answer, *, width: int = 100, color: bool = False, full: bool = False) -> str:
    """The whole answer as text: sentence, gates, what is missing, what was assumed; `full`: the law of it, too."""
    found = told(answer)
    blocks = [
        _head(answer, color=color),
        _wrapped(sentence(answer, found), width),
        _gates(answer, found, width, color=color),
        _facts(answer, width, full=full),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _head(answer: Answer, *, color: bool) -> str:
    label = paint(word(answer).upper(), style(answer), color=color)
    request = answer.request
    asker = "a user" if answer.applied.is_stand_in else who(request.principal)
    return f"{label}  {terminal(request.action)} on {terminal(request.resource)} by {asker}"


def _gates(answer: Answer, found: Sequence[Told], width: int, *, color: bool) -> str:
    """Each gate that takes part with its verdict, and beside it the statements that matched."""
    lines: list[str] = []
    absent: list[str] = []
    for gate, verdict in answer.decision.gates.items():
        word = gate_word(gate.value, answer.request.action)
        if verdict is Verdict.ABSENT:
            absent.append(word)
            continue
        label = paint(f"{_VERDICT_WORDS[verdict]:<16}", _VERDICT_STYLE[verdict], color=color)
        rows = _rows(answer, gate, [each for each in found if _gate_of(each) == gate.value], width)
        lines.append(f"{_INDENT}{word:<25}{label}{next(iter(rows), '')}".rstrip())
        lines += [f"{_INDENT}{'':<41}{row}" for row in rows[1:]]
    if absent:
        lines += _labelled("not involved", ", ".join(absent), width, 27).splitlines()
    return "\n".join(lines)


def _gate_of(each: Told) -> str:
    return "resource" if each.statement.gate in {"grant", "acl"} else each.statement.gate


def _rows(answer: Answer, gate: Gate, here: Sequence[Told], width: int) -> list[str]:
    """What the gate's statements say, denials first, in lines that fit beside the verdict."""
    said: dict[tuple[str, str, str], list[str]] = {}
    for each in sorted(here, key=lambda each: each.statement.effect != "Deny"):
        holder = terminal(each.attachment.holder) if each.attachment else ""
        holders = said.setdefault((each.effect, each.title, each.place), [])
        holders += [] if holder in holders else [holder]
    texts = [
        (effect, " · ".join(part for part in (_held(title, holders), place) if part))
        for (effect, title, place), holders in said.items()
    ]
    if not texts and answer.decision.gates[gate] is Verdict.UNKNOWN:
        return ["depends on what is not given"]
    shown = texts[:_SHOWN_IN_GATE]
    if len(texts) > len(shown):
        shown.append(("", f"and {len(texts) - len(shown)} more"))
    if answer.decision.gates[gate] is Verdict.IMPLICIT_DENY:
        shown += [("", text) for text in _silent(answer, gate, here)]
    return [
        line
        for effect, text in shown
        for line in textwrap.wrap(
            f"{effect:<10}{text}" if effect else text,
            max(width - 43, 30),
            subsequent_indent=" " * 10 if effect else "",
            break_on_hyphens=False,
            break_long_words=False,
        )
    ]


def _held(title: str, holders: Sequence[str]) -> str:
    """The statement with whose it is; a resource's own policy and one of the question's own need no more words."""
    named = [holder for holder in holders if holder and not holder.startswith(("--", "arn:"))]
    return f"{title} of {listed(named)}" if named else title


def _silent(answer: Answer, gate: Gate, here: Sequence[Told]) -> Iterator[str]:
    """The policies of a gate, or of an organisation level, of which no statement allows the request."""
    allowing = {each.statement.policy for each in here if each.statement.effect == "Allow"}
    units: dict[str, list[Attachment]] = {}
    for path, attachment in answer.applied.attachments.items():
        prefix = path.rpartition("/")[0] or path
        if prefix.partition("/")[0] == _PATHS.get(gate):
            units.setdefault(prefix, []).append(attachment)
    for prefix, attachments in units.items():
        if not any(path.rpartition("/")[0] == prefix or path == prefix for path in allowing):
            holder = f" of {terminal(attachments[0].holder)}" if gate is Gate.SCP else ""
            names = listed([f"`{terminal(attachment.name)}`" for attachment in attachments])
            yield f"no statement in {names}{holder} allows it"


def _facts(answer: Answer, width: int, *, full: bool) -> str:
    decision, applied = answer.decision, answer.applied
    keys = [key for key in decision.missing_context if not key.startswith(UNKNOWN_DOCUMENT)]
    facts: list[tuple[str, Iterable[str]]] = [
        ("Not at hand", [missing.why for missing in applied.missing]),
        ("Keys not given", [", ".join(keys)] if keys else []),
        ("Assumed", _assumed(answer)),
        ("Notes", [*(note for note in decision.notes if not note.startswith(_OWNER_NOTE)), *answer.hints]),
        ("Rule", [decision.rule] if full else []),
        ("Order", [" → ".join(decision.order)] if full else []),
    ]
    return "\n".join(
        _labelled("" if number else label, terminal(text), width)
        for label, texts in facts
        for number, text in enumerate(texts)
    )


def _assumed(answer: Answer) -> list[str]:
    owner = answer.decision.resource_account
    account = "the same account as the user" if answer.applied.is_stand_in else f"account {owner}"
    # `*` names no resource: nobody wonders whose it is.
    is_assumed = "resource_account" in answer.decision.assumed and answer.request.resource != "*"
    mine = [f"the resource belongs to {account}"] if is_assumed else []
    return [*mine, *answer.applied.assumed]


def _labelled(label: str, text: str, width: int, column: int = 18) -> str:
    return textwrap.fill(
        text,
        width,
        initial_indent=f"{_INDENT}{label}".ljust(column),
        subsequent_indent=" " * column,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _wrapped(text: str, width: int) -> str:
    return textwrap.fill(
        text,
        width,
        initial_indent=_INDENT,
        subsequent_indent=_INDENT,
        break_on_hyphens=False,
        break_long_words=False,
    )
