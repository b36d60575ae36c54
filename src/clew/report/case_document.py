"""The report of a case as blocks, in the order of the seven steps; Markdown, HTML and PDF write the same blocks.

Texts are as the case holds them, words of attackers included: whoever writes them makes them inert. In a text that is
ours, what stands in backticks is code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.cases import planning, steps, testing
from clew.cases.model import Verdict
from clew.store.documents import moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from clew.cases.model import Case, Hypothesis, PlanStep


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; `level` is 1 for the title."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with their values."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `pills` is the column that holds a verdict or a severity, -1 for none."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    pills: int = -1


@dataclass(frozen=True, slots=True)
class Code:
    """Commands, one on each line."""

    text: str


Block = Heading | Text | Facts | Items | Table | Code


def blocks(case: Case, problems: Mapping[str, str]) -> tuple[Block, ...]:
    """The whole report; `problems` are the pieces of evidence that are not what was attached."""
    return (
        Heading(1, case.title),
        *_answer(case, problems),
        Heading(2, "1. Identify"),
        *_identify(case, problems),
        Heading(2, "2. Isolate"),
        *_isolate(case),
        Heading(2, "3. and 4. Hypotheses and their tests"),
        *_hypotheses(case),
        Heading(2, "5. Plan and implementation"),
        *_plan(case),
        Heading(2, "6. Verification"),
        *_verified(case),
        Heading(2, "7. What was learned"),
        *_closing(case),
        Heading(2, "What happened in this case, in order"),
        Table(("When (UTC)", "What"), tuple(timeline(case))),
    )


def _answer(case: Case, problems: Mapping[str, str]) -> Iterator[Block]:
    conclusion = steps.conclusion(case)
    yield Text(f"{conclusion[:1].upper()}{conclusion[1:]}.".replace("..", "."))
    left = testing.unexplained(case)
    if left:
        yield Text(f"Not explained by that: {'; '.join(left)}.")
    if problems:
        yield Heading(3, "Evidence that is not what was attached")
        yield Items(tuple(problems.values()))
    yield Table(
        ("Step", "State", "How far"),
        tuple(
            (f"{n}. {s.name.value}", "done" if s.is_done else "open", s.says)
            for n, s in enumerate(steps.steps(case), 1)
        ),
        1,
    )


def _identify(case: Case, problems: Mapping[str, str]) -> Iterator[Block]:
    about = case.about
    told = (
        ("case", case.id),
        ("severity", case.severity.value),
        ("opened", f"{moment(case.opened_at)}{f' by {case.opened_by}' if case.opened_by else ''}"),
        ("seen since", moment(case.since) if case.since else ""),
        ("who feels it", case.affected),
        ("resources", ", ".join(about.named)),
        ("they come from", about.client),
        ("with the key", about.key),
    )
    yield Facts(tuple(each for each in told if each[1]))
    yield Heading(3, "What is seen")
    yield Items(
        tuple(_symptom(seen.symptom.words, seen.text) for seen in case.symptoms) or ("nothing was said",)
    )
    yield Heading(3, "What changed before")
    yield Items(_changes(case))
    yield Heading(3, "Evidence")
    yield Table(
        ("Id", "What", "File", "Attached", "SHA-256", "Intact"),
        tuple(
            (
                each.id,
                f"{each.kind.value}: {each.says}{' (after the change)' if each.after else ''}",
                each.name,
                moment(each.at),
                each.sha256,
                "no" if each.id in problems else "yes",
            )
            for each in case.evidence
        ),
    )


def _symptom(words: str, text: str) -> str:
    return f"{words}: {text}" if text and text != words else words


def _changes(case: Case) -> tuple[str, ...]:
    told = [f"{text} (said by a person)" for text in case.changes]
    told += [each.says for each in case.evidence if each.kind.value == "changes"]
    return tuple(told) or ("not known: no record was at hand and nobody said it",)


def _isolate(case: Case) -> Iterator[Block]:
    found = testing.components(case)
    if not found:
        yield Text("Nothing was looked at yet.")
        return
    words = {Verdict.TRUE: "at fault", Verdict.REFUTED: "in order", Verdict.UNDETERMINED: "not known"}
    rows = tuple((name, words[verdict], ", ".join(held)) for name, verdict, held in found)
    yield Table(("Where", "State", "Looked at"), rows, 1)


def _hypotheses(case: Case) -> Iterator[Block]:
    if case.hypotheses is None:
        yield Text("None was tested yet.")
        return
    yield Text(f"Ranked by likelihood × impact, tested {moment(case.hypotheses.at)}.")
    yield Table(
        ("Rank", "Hypothesis", "Likelihood × impact", "Verdict", "Because"),
        tuple(
            (
                str(n),
                each.says,
                f"{each.likelihood} × {each.impact} = {each.score}",
                each.verdict.value,
                each.because,
            )
            for n, each in enumerate(case.hypotheses.of, start=1)
        ),
        3,
    )
    if case.hypotheses.notes:
        yield Items(case.hypotheses.notes)
    for each in (*case.true, *case.of(Verdict.UNDETERMINED)):
        yield Heading(3, f"{each.id}: {each.verdict.value}")
        yield from _hypothesis(each)


def _hypothesis(each: Hypothesis) -> Iterator[Block]:
    told = [(fact.name, fact.value) for fact in each.facts]
    told += [("changed before", change) for change in each.changed]
    told += [("would explain", "; ".join(each.explains))] if each.explains else []
    told += [("mend it", each.fix)] if each.fix else []
    told += [("settle it", each.settle)] if each.settle else []
    told += [("settled by", each.by)] if each.by else []
    told += [("source", each.source)] if each.source else []
    yield Facts(tuple(told))


def _plan(case: Case) -> Iterator[Block]:
    plan = case.plan
    if plan is None:
        yield Text("There is no plan yet.")
        return
    told = (
        ("window", plan.window),
        ("to be told", ", ".join(plan.inform)),
        ("tried first on", plan.trial),
        ("note", plan.note),
    )
    yield Facts(tuple(each for each in told if each[1]) or (("window", "not said"),))
    for step in plan.steps:
        yield Heading(3, f"Step {step.id}: {step.title}")
        yield from _step(step)
    yield Heading(3, "Approvals")
    now = planning.digest(plan)
    yield Items(
        tuple(
            f"{each.by}, {moment(each.at)}{f': {each.note}' if each.note else ''}"
            f"{'' if each.plan == now else ' (void: the plan was changed since)'}"
            for each in plan.approvals
        )
        or ("nobody has approved it",)
    )


def _step(step: PlanStep) -> Iterator[Block]:
    if step.command:
        yield Code(step.command)
    told = (
        ("mends", step.hypothesis),
        ("risk", f"{step.risk.value}: {step.risk_is}" if step.risk_is else step.risk.value),
        ("keep first", step.backup),
        ("way back", step.rollback),
        ("try first on", step.trial),
        ("verify by", step.verify),
        (
            "carried out",
            f"{moment(step.done_at)} by {step.done_by or 'somebody'}" if step.done_at else "not yet",
        ),
        ("note", step.note),
    )
    yield Facts(tuple(each for each in told if each[1]))


def _verified(case: Case) -> Iterator[Block]:
    if not case.verified:
        yield Text("Not verified yet.")
        return
    words = {Verdict.TRUE: "still true", Verdict.REFUTED: "refuted", Verdict.UNDETERMINED: "undetermined"}
    yield Table(
        ("When (UTC)", "Hypothesis", "Now", "Because", "Evidence"),
        tuple(
            (moment(each.at), each.hypothesis, words[each.verdict], each.because, ", ".join(each.evidence))
            for each in case.verified
        ),
        2,
    )


def _closing(case: Case) -> Iterator[Block]:
    closing = case.closing
    if closing is None:
        yield Text("The case is open.")
        return
    lessons = closing.lessons
    told = (
        ("closed", f"{moment(closing.at)} by {closing.by}"),
        ("unresolved", closing.unresolved),
        ("root cause", closing.root_cause),
        ("prevention", closing.prevention),
        ("effectiveness", lessons.effectiveness),
        ("time", lessons.time),
        ("cost", lessons.cost),
        ("quality", lessons.quality),
        ("safety", lessons.safety),
        ("watched until", moment(closing.watch_until) if closing.watch_until else ""),
    )
    yield Facts(tuple(each for each in told if each[1]))
    words = {
        Verdict.TRUE: "it came back",
        Verdict.REFUTED: "it did not come back",
        Verdict.UNDETERMINED: "not known",
    }
    if case.watched:
        rows = tuple((moment(each.at), words[each.verdict], each.because) for each in case.watched)
        yield Table(("Looked (UTC)", "Said", "Because"), rows)


def timeline(case: Case) -> Iterator[tuple[str, str]]:
    """Everything that happened in the case, in the order of time."""
    yield from ((moment(at), text) for at, text in sorted(_happened(case), key=lambda each: each[0]))


def _happened(case: Case) -> Sequence[tuple[datetime, str]]:
    found = [(case.opened_at, f"opened{f' by {case.opened_by}' if case.opened_by else ''}")]
    found += [(each.at, f"{each.id} attached: {each.says}") for each in case.evidence]
    if case.hypotheses:
        found.append((case.hypotheses.at, f"tested: {steps.counted(len(case.hypotheses.of), 'hypothesis')}"))
    if case.plan:
        found.append((case.plan.at, f"planned: {steps.counted(len(case.plan.steps), 'step')}"))
        found += [(each.at, f"approved by {each.by}") for each in case.plan.approvals]
        found += [(each.done_at, f"step {each.id} carried out") for each in case.plan.steps if each.done_at]
    found += [(each.at, f"handed to {each.to}: {each.reason}") for each in case.escalations]
    found += [(each.at, f"verified: {each.hypothesis} is {each.verdict.value}") for each in case.verified]
    if case.closing:
        found.append((case.closing.at, f"closed by {case.closing.by}"))
    return found + [(each.at, f"looked again: {each.because}") for each in case.watched]
