"""A case on the terminal: the answer, the seven steps, the hypotheses, the plan, and always what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.cases import planning, steps, testing
from clew.cases.model import Verdict
from clew.report.escape import terminal
from clew.report.wrapping import wrapped
from clew.store.documents import moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from clew.cases.model import Case, Evidence, Hypothesis, PlanStep, Verified
    from clew.cases.steps import Next

_STYLE = {Verdict.TRUE: "1;31", Verdict.REFUTED: "32", Verdict.UNDETERMINED: "33"}


def overview(case: Case, problems: Mapping[str, str], *, color: bool = False) -> str:
    """The case on one screen."""
    return _joined(_overview(case, problems, color=color))


def _overview(case: Case, problems: Mapping[str, str], *, color: bool) -> Iterator[str]:
    yield from _wrapped(f"{case.id}: {case.title}", "")
    by = f" by {terminal(case.opened_by)}" if case.opened_by else ""
    yield f"  {case.severity.value}, opened {moment(case.opened_at)}{by}"
    yield from _wrapped(steps.conclusion(case), "  ")
    left = testing.unexplained(case)
    if left:
        yield from _wrapped(f"not explained by that: {'; '.join(left)}", "  ")
    yield ""
    for number, step in enumerate(steps.steps(case), start=1):
        mark = "x" if step.is_done else " "
        yield from _wrapped(step.says, f"  [{mark}] {number}. {step.name.value:<20}")
    yield from _listed("what is seen", [seen.symptom.words for seen in case.symptoms])
    if case.evidence:
        yield from _listed("evidence", [_piece(each, problems) for each in case.evidence])
    if case.hypotheses:
        yield ""
        yield "  hypotheses:"
        yield from (_row(n, each, color=color) for n, each in enumerate(case.hypotheses.of, start=1))
    if case.plan:
        yield from _listed("plan", [_planned(step) for step in case.plan.steps])
    if problems:
        yield from _listed("NOT WHAT WAS ATTACHED", list(problems.values()))


def _piece(each: Evidence, problems: Mapping[str, str]) -> str:
    state = " – CHANGED SINCE" if each.id in problems else ""
    when = ", after the change" if each.after else ""
    return f"{each.id} {each.kind.value}: {each.says} ({each.name}, sha256 {each.sha256[:12]}{when}){state}"


def _planned(step: PlanStep) -> str:
    return f"{step.id}. {step.title} – {moment(step.done_at) if step.done_at else 'not yet'}"


def _row(number: int, each: Hypothesis, *, color: bool) -> str:
    verdict = each.verdict.value
    painted = f"\x1b[{_STYLE[each.verdict]}m{verdict:<13}\x1b[0m" if color else f"{verdict:<13}"
    rank = f"{number:>2}. {each.likelihood} × {each.impact} = {each.score:<3}"
    return f"    {rank} {painted}{terminal(each.id):<20} {terminal(each.says)}"


def hypotheses(case: Case, *, color: bool = False) -> str:
    """Every hypothesis with its test, the highest rank first."""
    return _joined(_hypotheses(case, color=color))


def _hypotheses(case: Case, *, color: bool) -> Iterator[str]:
    held = case.hypotheses.of if case.hypotheses else ()
    yield from _wrapped(steps.conclusion(case), "")
    left = testing.unexplained(case)
    if left:
        yield from _wrapped(f"not explained by that: {'; '.join(left)}", "")
    for number, each in enumerate(held, start=1):
        yield ""
        yield _row(number, each, color=color)[2:]
        yield from _wrapped(each.because or each.says, "      ")
        if each.verdict is not Verdict.REFUTED:
            yield from (
                line for fact in each.facts for line in _wrapped(f"{fact.name}: {fact.value}", "        ")
            )
        yield from (line for change in each.changed for line in _wrapped(f"changed: {change}", "        "))
        if each.fix:
            yield from _wrapped(f"to mend it: {each.fix}", "      ")
        if each.settle:
            yield from _wrapped(f"to settle it: {each.settle}", "      ")
        if each.by:
            yield f"      settled by {terminal(each.by)}"
    if not held:
        yield from _wrapped("nobody said what is seen: give `--symptom` or `--error`", "  ")
    if case.hypotheses:
        yield from _listed("note", case.hypotheses.notes)


def plan(case: Case) -> str:
    """The plan with its risks and ways back."""
    return _joined(_plan(case))


def _plan(case: Case) -> Iterator[str]:
    if case.plan is None:
        return
    told = {"window": case.plan.window, "tell": ", ".join(case.plan.inform), "try first on": case.plan.trial}
    yield from _wrapped(f"{steps.counted(len(case.plan.steps), 'step')}; {_approval(case)}", "")
    yield from (line for name, value in told.items() if value for line in _wrapped(f"{name}: {value}", "  "))
    for step in case.plan.steps:
        yield ""
        yield from _wrapped(f"{step.id}. {step.title}", "  ")
        yield from (f"       $ {terminal(line)}" for line in step.command.splitlines())
        shown = {
            "risk": f"{step.risk.value}, {step.risk_is}" if step.risk_is else step.risk.value,
            "keep first": step.backup,
            "way back": step.rollback,
            "try first on": step.trial,
            "verify by": step.verify,
            "carried out": f"{moment(step.done_at)} by {step.done_by or 'somebody'}" if step.done_at else "",
            "note": step.note,
        }
        yield from (
            line for name, value in shown.items() if value for line in _wrapped(f"{name}: {value}", "     ")
        )


def _approval(case: Case) -> str:
    if case.plan is None or not case.plan.approvals:
        return "not approved yet"
    by = ", ".join(each.by for each in case.plan.approvals)
    return f"approved by {by}" if planning.is_approved(case.plan) else f"changed since {by} approved it"


def verified(found: Sequence[Verified]) -> str:
    """What a second test said."""
    words = {Verdict.TRUE: "still true", Verdict.REFUTED: "refuted", Verdict.UNDETERMINED: "undetermined"}
    return _joined(line for each in found for line in _verified(each, words[each.verdict]))


def _verified(each: Verified, word: str) -> Iterator[str]:
    first = f"  {word:<13}{terminal(each.hypothesis):<22} "
    yield from _wrapped(each.because, first, " " * len(first))
    if each.settle:
        yield from _wrapped(f"to settle it: {each.settle}", " " * len(first))


def following(found: Next) -> str:
    """What comes next, with its command."""
    return _joined(["", *_wrapped(found.says, "next: ", "      "), f"      {terminal(found.command)}"])


def _listed(title: str, texts: Sequence[str]) -> Iterator[str]:
    if texts:
        yield ""
        yield f"  {title}:"
    for text in texts:
        yield from _wrapped(text, "    - ", "      ")


def _wrapped(text: str, indent: str, further: str = "") -> list[str]:
    return wrapped(text, indent=indent, further=further)


def _joined(lines: Iterator[str] | Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
