"""An explanation for people: the cause first, then gate by gate, what helps, and what is open."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from clew.engine import Effect
from clew.engine.verdicts import GATE_WORDS, Verdict, gate_word
from clew.explain.cause import GATES, Agreement
from clew.explain.denial import Meaning
from clew.report import fix_text, since_text
from clew.report.escape import terminal
from clew.report.wrapping import WIDTH, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.explain.denial import Denial
    from clew.explain.explanation import Explanation

_STYLE = {"title": "1", "bad": "1;31", "good": "32"}
_EFFECTS = {
    Effect.ALLOW: "allowed",
    Effect.IMPLICIT_DENY: "nothing allows it",
    Effect.EXPLICIT_DENY: "an explicit deny",
    Effect.UNDETERMINED: "it depends",
}
_VERDICTS = {
    Verdict.ALLOW: "allows",
    Verdict.IMPLICIT_DENY: "does not allow",
    Verdict.EXPLICIT_DENY: "denies",
    Verdict.UNKNOWN: "unknown",
}


def render(explanations: Sequence[Explanation], *, color: bool = False) -> str:
    """All of them, one after the other."""
    return "\n".join("\n".join(_lines(each, color=color)) + "\n" for each in explanations)


def _lines(each: Explanation, *, color: bool) -> Iterator[str]:
    yield _paint(_asked(each), "title", color=color)
    yield ""
    yield from _disagreement(each)
    yield from wrapped(each.cause.sentence)
    if each.no_prediction and (each.denial is None or each.denial.meaning is Meaning.DENIED):
        yield from wrapped(f"From the message alone: {each.no_prediction}.")
    yield from _gates(each)
    yield from since_text.lines(each)
    yield from fix_text.lines(each)
    if each.as_of is not None:
        yield from _listed("policies", tuple(since_text.of_time(each.as_of)))
    yield from _listed("assumed", each.assumed)
    yield from _listed("not known", each.unknown)
    yield from _listed("to settle it", each.settle)


def _disagreement(each: Explanation) -> Iterator[str]:
    """What AWS said and what the policies say, where these differ: whatever follows is to be read with that in mind."""
    denial, prediction = each.denial, each.prediction
    if each.agreement is not Agreement.DISAGREE or denial is None or prediction is None:
        return
    yield from wrapped(
        f"AWS's message and the policies at hand disagree. AWS: {_of_aws(denial)}. The policies: "
        f"{_EFFECTS[prediction.decision.effect]}. They may have changed since, or one that took part is not at hand."
    )
    yield ""


def _of_aws(denial: Denial) -> str:
    words = GATE_WORDS[GATES[denial.policy_type].value] if denial.policy_type else "policy"
    if denial.explicit:
        return f"an explicit deny in {'an' if words[:1] in 'aeiou' else 'a'} {words}"
    return f"no {words} allows it" if denial.explicit is False else "access denied"


def _asked(each: Explanation) -> str:
    denial, request = each.denial, each.request
    if request is not None:
        text = f"{request.action} on {request.resource} by {request.principal}"
    else:
        text = _told(denial) if denial else "a call"
    event = f", event {each.event_id} at {each.time}" if each.event_id else _times(each.lines)
    return f"REFUSED  {terminal(text + event)}"


def _told(denial: Denial) -> str:
    """What a message says of the call, as far as it says anything."""
    resource = f" on {denial.resource}" if denial.resource else ""
    who = f" by {denial.principal}" if denial.principal else ""
    return f"{denial.action or denial.operation or 'a call'}{resource}{who}"


def _times(lines: tuple[int, ...]) -> str:
    """How often a text tells of it, where that is more than once."""
    if len(lines) < 2:  # noqa: PLR2004  # once is what everybody expects
        return ""
    shown = ", ".join(map(str, lines[:3]))
    return f", {len(lines)} times in the text (lines {shown}{', …' if len(lines) > 3 else ''})"  # noqa: PLR2004


def _gates(each: Explanation) -> Iterator[str]:
    if each.prediction is None:
        return
    rows = [
        (gate, verdict) for gate, verdict in each.prediction.decision.gates.items() if verdict in _VERDICTS
    ]
    if rows:
        yield ""
    blocked = set(each.prediction.decision.blocked_by)
    for gate, verdict in rows:
        mark = "  <- stops it" if gate in blocked or gate.value == each.cause.gate else ""
        yield f"  {gate_word(gate.value, each.prediction.request.action):<26}{_VERDICTS[verdict]}{mark}"


def _listed(title: str, texts: Sequence[str]) -> Iterator[str]:
    if texts:
        yield ""
        yield f"  {title}:"
    for text in texts:
        yield from wrapped(text, indent="    - ", further="      ")


def _paint(text: str, style: str, *, color: bool) -> str:
    return f"\x1b[{_STYLE[style]}m{text}\x1b[0m" if color else text


def document(each: Explanation) -> dict[str, object]:
    """One explanation as an object of JSON."""
    denial, request, prediction = each.denial, each.request, each.prediction
    return {
        "event_id": each.event_id,
        "time": each.time,
        "cause": {
            "id": each.cause.id,
            "sentence": each.cause.sentence,
            "gate": each.cause.gate,
            "statements": [statement.document() for statement in each.cause.statements],
        },
        "request": None
        if request is None
        else {"principal": request.principal, "action": request.action, "resource": request.resource},
        "message": None
        if denial is None
        else {
            "text": denial.raw,
            "form": denial.form,
            "meaning": denial.meaning,
            "policy_type": denial.policy_type,
            "explicit": denial.explicit,
            "policy_arn": denial.policy_arn,
            "code": denial.code,
            "operation": denial.operation,
            "request_id": denial.request_id,
        },
        "decision": prediction.decision.effect if prediction else None,
        "gates": {gate.value: verdict.value for gate, verdict in prediction.decision.gates.items()}
        if prediction
        else {},
        "agreement": each.agreement,
        "lines": list(each.lines),
        "fixes": [fix_text.document(fix) for fix in each.fixes],
        "changed": since_text.document(each.since),
        "policies_as_of": since_text.as_of_document(each.as_of),
        "assumed": list(each.assumed),
        "unknown": list(each.unknown),
        "settle": list(each.settle),
        "no_prediction": each.no_prediction,
    }


_EXAMPLES = 12


def grouped(explanations: Sequence[Explanation]) -> str:
    """Many explanations by their causes, the most frequent first, each with an example."""
    groups: dict[tuple[str, str], list[Explanation]] = {}
    for each in explanations:
        groups.setdefault((each.cause.id.value, each.cause.sentence), []).append(each)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    lines = [f"{len(explanations):,} refusals, {len(groups):,} causes"]
    for (_, sentence), found in ordered[:_EXAMPLES]:
        who = {each.request.principal for each in found if each.request is not None}
        lines += [
            "",
            *textwrap.wrap(f"{len(found):>6,}  {terminal(sentence)}", WIDTH, subsequent_indent=" " * 8),
        ]
        lines.append(f"        by {_people(who)}; such as event {terminal(found[0].event_id)}")
    if len(ordered) > _EXAMPLES:
        rest = sum(len(found) for _, found in ordered[_EXAMPLES:])
        lines += ["", f"{rest:>6,}  of {len(ordered) - _EXAMPLES} other causes; `--output json` lists all"]
    return "\n".join(lines) + "\n"


def _people(who: set[str]) -> str:
    if not who:
        return "somebody whom the records do not name"
    first = min(who)
    return terminal(first) + (f" and {len(who) - 1} more" if len(who) > 1 else "")
