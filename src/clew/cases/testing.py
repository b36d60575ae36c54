"""The hypotheses of a case, ranked and tested on its evidence: refusals by the engine, operations by their facts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clew.cases import changes, denials
from clew.cases.model import OF_LINK, Fact, Hypotheses, Hypothesis, Kept, Verdict
from clew.explain.operational import ranking
from clew.explain.operational.scene import SEEN
from clew.explain.operational.symptoms import Kind
from clew.findings import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from clew.cases.evidence import Held
    from clew.cases.model import Case
    from clew.explain.operational.ranking import Ranked
    from clew.findings import Finding


_LIKELY = 4


def tested(case: Case, held: Held, at: datetime) -> Hypotheses:
    """Every hypothesis, the highest rank first; those that people brought in or settled stay as they are."""
    found = {each.id: each for each in _tested(case, held)}
    before = case.hypotheses.of if case.hypotheses else ()
    found |= {each.id: _kept(each, found.get(each.id)) for each in before if each.by}
    ordered = sorted(found.values(), key=lambda each: (-each.score, -each.likelihood, each.id))
    return Hypotheses(at, tuple(ordered), tuple(_notes(case, held)))


def _kept(settled: Hypothesis, now: Hypothesis | None) -> Hypothesis:
    """What a person settled, with the rank of now; where the evidence says something itself, the evidence counts."""
    if now is None:
        return settled
    if now.verdict is not Verdict.UNDETERMINED:
        return now
    return replace(settled, likelihood=now.likelihood, impact=now.impact, changed=now.changed)


def _tested(case: Case, held: Held) -> Iterator[Hypothesis]:
    symptoms = [seen.symptom for seen in case.symptoms if seen.kind is not Kind.DENIED]
    rows = changes.by_call([row for _, row in held.changes])
    if symptoms:
        for ranked in ranking.examine(held.scene, symptoms, rows):
            yield _of_ranked(ranked, held)
    for source, finding in held.scene.findings:
        yield _of_finding(source, finding)
    refusal = denials.explained(case, held)
    if refusal is not None:
        yield from (_relative(each, held) for each in denials.hypotheses(*refusal))


def _relative(each: Hypothesis, held: Held) -> Hypothesis:
    facts = tuple(replace(fact, value=held.told(fact.value)) for fact in each.facts)
    texts = {name: held.told(getattr(each, name)) for name in ("because", "fix", "settle")}
    return replace(each, facts=facts, **texts)  # type: ignore[arg-type]  # texts


def _of_ranked(ranked: Ranked, held: Held) -> Hypothesis:
    link, of = ranked.link, ranked.hypothesis
    facts = tuple(Fact(name, value) for name, value in link.evidence)
    sources = [fact.value.split(",")[0] for fact in facts if fact.name == SEEN]
    if ranked.changed:
        sources += [identity for identity, _ in held.changes]
    return Hypothesis(
        of.id,
        of.says,
        of.component.value,
        ranked.likelihood,
        of.impact,
        OF_LINK[link.verdict],
        link.says,
        facts,
        tuple(dict.fromkeys(sources)),
        link.fix,
        link.settle,
        of.source,
        tuple(symptom.words for symptom in ranked.explains),
        ranked.changed[-3:],
    )


def _of_finding(source: str, finding: Finding) -> Hypothesis:
    """A finding that was attached is true while it is active, refuted where it is resolved, open where suppressed."""
    verdict = {
        Status.ACTIVE: Verdict.TRUE,
        Status.RESOLVED: Verdict.REFUTED,
        Status.SUPPRESSED: Verdict.UNDETERMINED,
    }[finding.status]
    facts = (
        Fact("finding", finding.id),
        Fact("rule", finding.rule),
        Fact("actor", finding.actor),
        Fact(SEEN, source),
    )
    return Hypothesis(
        f"finding-{finding.rule}",
        finding.title,
        "how it is run",
        _LIKELY,
        finding.severity.rank + 1,
        verdict,
        f"the finding is {finding.status.value}: {finding.explanation}",
        facts,
        (source,),
        (finding.next_steps[0] if finding.next_steps else "") if verdict is Verdict.TRUE else "",
        f"clew findings show {finding.id}" if verdict is Verdict.UNDETERMINED else "",
        "; ".join(finding.references[:1]),
    )


def _notes(case: Case, held: Held) -> Iterator[str]:
    """What has to be said beside the verdicts."""
    yield from (f"left out: {reason}" for reason in held.problems.values())
    if not case.changes and not any(each.kind is Kept.CHANGES for each in case.evidence):
        yield (
            "what changed before it began is not known: ingest the account's CloudTrail, or say it with `--change`"
        )


def unexplained(case: Case) -> tuple[str, ...]:
    """The symptoms, in words, that no hypothesis explains which is true; empty where none is true."""
    if not case.true:
        return ()
    told = {words for each in case.true for words in each.explains}
    whole = any(not each.explains for each in case.true)
    return (
        ()
        if whole
        else tuple(
            dict.fromkeys(seen.symptom.words for seen in case.symptoms if seen.symptom.words not in told)
        )
    )


def components(case: Case) -> tuple[tuple[str, Verdict, tuple[str, ...]], ...]:
    """Each component where a fault may lie: at fault (`true`), in order (`refuted`) or not known, with the hypotheses.

    A component is in order only where every hypothesis about it is refuted.
    """
    grouped: dict[str, list[Hypothesis]] = {}
    for each in case.hypotheses.of if case.hypotheses else ():
        grouped.setdefault(each.component, []).append(each)
    return tuple((name, _worst(held), tuple(each.id for each in held)) for name, held in grouped.items())


def _worst(held: Sequence[Hypothesis]) -> Verdict:
    verdicts = {each.verdict for each in held}
    order = (Verdict.TRUE, Verdict.UNDETERMINED)
    return next((each for each in order if each in verdicts), Verdict.REFUTED)
