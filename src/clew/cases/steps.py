"""The seven steps of a case, how far each is, and what comes next with its command.

The steps are those of structured troubleshooting: identify, isolate, hypothesise, test, plan and implement, verify,
document.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from clew.cases import planning, verifying
from clew.cases.model import Kept, Verdict

if TYPE_CHECKING:
    from datetime import datetime

    from clew.cases.model import Case, Hypothesis


_TELLING = frozenset({Kept.EVENT, Kept.FINDING, Kept.REFUSAL})


class Name(StrEnum):
    """The steps, in order."""

    IDENTIFY = "identify"
    ISOLATE = "isolate"
    HYPOTHESISE = "hypothesise"
    TEST = "test"
    PLAN = "plan and implement"
    VERIFY = "verify"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: whether it is done, and how far it is in words."""

    name: Name
    is_done: bool
    says: str


@dataclass(frozen=True, slots=True)
class Next:
    """What comes next: why, and the command; `command` may hold words in capitals for a person to say."""

    says: str
    command: str


def steps(case: Case) -> tuple[Step, ...]:
    """Every step, in order."""
    return (
        _identify(case),
        _isolate(case),
        _hypothesise(case),
        _test(case),
        _plan(case),
        _verify(case),
        _document(case),
    )


def _identify(case: Case) -> Step:
    told = [
        counted(len(case.symptoms), "symptom"),
        counted(len(case.evidence), "piece", " of evidence"),
        "changes are known" if _knows_changes(case) else "what changed is not known",
    ]
    return Step(Name.IDENTIFY, bool(case.symptoms and case.evidence), ", ".join(told))


def counted(number: int, thing: str, more: str = "") -> str:
    """So many things in words.

    >>> counted(1, "step"), counted(2, "hypothesis"), counted(0, "piece", " of evidence")
    ('1 step', '2 hypotheses', '0 pieces of evidence')
    """
    several = f"{thing[:-2]}es" if thing.endswith("is") else f"{thing}s"
    return f"{number:,} {thing if number == 1 else several}{more}"


def _knows_changes(case: Case) -> bool:
    return bool(case.changes) or any(each.kind.value == "changes" for each in case.evidence)


def _isolate(case: Case) -> Step:
    from clew.cases.testing import components

    found = components(case)
    if not found:
        return Step(Name.ISOLATE, False, "nothing was looked at yet")
    faulty = [name for name, verdict, _ in found if verdict is Verdict.TRUE]
    fine = [name for name, verdict, _ in found if verdict is Verdict.REFUTED]
    open_ = len(found) - len(faulty) - len(fine)
    parts = [f"at fault: {', '.join(faulty)}"] if faulty else []
    parts += [f"in order: {', '.join(fine)}"] if fine else []
    parts += [f"{open_} not known"] if open_ else []
    return Step(Name.ISOLATE, bool(faulty), "; ".join(parts))


def _hypothesise(case: Case) -> Step:
    held = case.hypotheses.of if case.hypotheses else ()
    return Step(
        Name.HYPOTHESISE, bool(held), f"{counted(len(held), 'hypothesis')}, ranked" if held else "none yet"
    )


def _test(case: Case) -> Step:
    counts = ", ".join(f"{len(case.of(verdict))} {verdict.value}" for verdict in Verdict)
    return Step(
        Name.TEST, bool(case.true) and not is_stale(case), counts if case.hypotheses else "none was tested"
    )


def is_stale(case: Case) -> bool:
    """Whether evidence came after the last test."""
    return case.hypotheses is not None and any(
        each.at > case.hypotheses.at and not each.after for each in case.evidence
    )


def _plan(case: Case) -> Step:
    if case.plan is None:
        return Step(Name.PLAN, False, "no plan yet")
    done = sum(step.done_at is not None for step in case.plan.steps)
    approved = "approved" if planning.is_approved(case.plan) else "not approved"
    says = f"{counted(len(case.plan.steps), 'step')}, {approved}, {done} carried out"
    return Step(Name.PLAN, case.implemented_at is not None, says)


def _verify(case: Case) -> Step:
    if not case.verified:
        return Step(Name.VERIFY, False, "not yet")
    found = verifying.verdict(verifying.latest(case))
    says = {
        Verdict.REFUTED: "mended: what was true is refuted by new evidence",
        Verdict.TRUE: "not mended",
        Verdict.UNDETERMINED: "not known",
    }[found]
    return Step(Name.VERIFY, found is Verdict.REFUTED, says)


def _document(case: Case) -> Step:
    if case.closing is None:
        return Step(Name.DOCUMENT, False, "open")
    how = f"closed unresolved: {case.closing.unresolved}" if case.closing.unresolved else "closed"
    return Step(Name.DOCUMENT, True, how)


def next_step(case: Case, name: str, now: datetime) -> Next:
    """What to do next; `name` is how the case is called on the command line."""
    clew = "clew case"
    if case.closing is not None:
        return _after_closing(case, f"{clew} watch {name}", now)
    if not case.symptoms and not any(each.kind in _TELLING for each in case.evidence):
        return Next(
            "say what is seen, in the words of the error, or as a symptom such as timed-out:22",
            f"{clew} attach {name} --error TEXT",
        )
    if not case.evidence:
        return Next(
            "attach what is known: files, `--event ID`, `--finding ID`, `--live`",
            f"{clew} attach {name} FILE",
        )
    if case.hypotheses is None or is_stale(case):
        return Next("rank the hypotheses and test them on the evidence", f"{clew} hypotheses {name}")
    if case.plan is None:
        return _towards_plan(case, name)
    return _with_plan(case, name)


def _towards_plan(case: Case, name: str) -> Next:
    if case.true:
        return Next(f"plan what mends it: {case.true[0].says}", f"clew case plan {name}")
    open_ = case.of(Verdict.UNDETERMINED)
    if open_:
        return Next(
            f"settle the likeliest that is open, `{open_[0].id}`: {open_[0].settle}",
            f"clew case attach {name} FILE",
        )
    return Next(
        "every hypothesis is refuted: bring in one of your own, or hand it over",
        f"clew case escalate {name} --to WHOM --reason WHY",
    )


def _with_plan(case: Case, name: str) -> Next:
    plan = case.plan
    if plan is None:
        return _towards_plan(case, name)
    left = [step for step in plan.steps if step.done_at is None]
    if left and not planning.is_approved(plan):
        return Next("have the plan approved by whoever answers for it", f"clew case approve {name} --by NAME")
    if left:
        return Next(
            f"carry out step {left[0].id}: {left[0].title}", f"clew case done {name} {left[0].id} --by NAME"
        )
    found = verifying.verdict(verifying.latest(case)) if case.verified else None
    if found is Verdict.REFUTED:
        return Next(
            "write down the cause and what was learned",
            f"clew case close {name} --by NAME --effectiveness TEXT",
        )
    if found is Verdict.TRUE:
        return Next(
            "it is not mended: take the plan back, test again, or hand it over",
            f"clew case escalate {name} --to WHOM --reason WHY",
        )
    return Next("test again on evidence of after the change", f"clew case verify {name} FILE")


def _after_closing(case: Case, command: str, now: datetime) -> Next:
    until = case.closing.watch_until if case.closing else None
    if case.watched and case.watched[-1].verdict is Verdict.TRUE:
        return Next(
            "it came back: open a case that follows this one",
            f'clew case open "{case.title}" --id {case.id}-2',
        )
    if until is not None and now < until:
        return Next(f"look again until {until:%Y-%m-%d} whether it comes back", f"{command} FILE")
    return Next("the case is closed; its report", command.replace(" watch ", " export "))


def conclusion(case: Case) -> str:
    """The answer so far, in one sentence."""
    if case.hypotheses is None:
        return "nothing was tested yet"
    if case.true:
        more = f", and {len(case.true) - 1} more" if len(case.true) > 1 else ""
        return f"{_because(case.true[0])}{more}"
    if case.of(Verdict.UNDETERMINED):
        return "no hypothesis is shown to be true; what is open says what would settle it"
    return "every hypothesis is refuted"


def _because(hypothesis: Hypothesis) -> str:
    same = hypothesis.because.rstrip(".") or hypothesis.says
    return same if same == hypothesis.says else f"{hypothesis.says}: {same}"
