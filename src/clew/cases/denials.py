"""A refusal as hypotheses: each kind of policy that took part may be what stopped it; the engine says which did.

AWS: "Policy evaluation logic". Without policies at hand only what AWS's message says is known.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clew.cases.model import Fact, Hypothesis, Verdict
from clew.engine import Effect
from clew.engine.verdicts import GATE_WORDS, Gate
from clew.engine.verdicts import Verdict as Said
from clew.events.paths import text_at
from clew.explain.cause import GATES, Agreement, CauseId
from clew.explain.explanation import Explanation, of_event, of_text
from clew.explain.operational.symptoms import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.cases.evidence import Held
    from clew.cases.model import Case

PREFIX = "policy-"
_SOURCE = "IAM user guide, Policy evaluation logic"
_IMPACT, _NAMED, _OTHER = 4, 5, 2


def explained(case: Case, held: Held) -> tuple[Explanation, tuple[str, ...]] | None:
    """The explanation of the refusal that the case is about, and the evidence behind it; None where there is none.

    A recorded call says more than a text, and a text that was attached more than the words of the symptom.
    """
    for identity, event in reversed(held.events):
        if event.get("errorCode"):
            return of_event(event, held.predictor), (identity, *held.policies)
    texts = [*reversed(held.texts), *(("", seen.text) for seen in case.symptoms if seen.kind is Kind.DENIED)]
    for identity, text in texts:
        found = _of_text(text, held)
        if found is not None:
            return found, (*([identity] if identity else []), *held.policies)
    return None


def _of_text(text: str, held: Held) -> Explanation | None:
    try:
        found = of_text(text, held.predictor)
    except ValueError:
        return None
    return found[0] if found else None


def hypotheses(found: Explanation, evidence: tuple[str, ...]) -> Iterator[Hypothesis]:
    """Each kind of policy as what stopped it, and what else the explanation leaves."""
    decision = found.prediction.decision if found.prediction else None
    stops = {found.cause.gate} | ({gate.value for gate in decision.blocked_by} if decision else set())
    named = found.denial.policy_type.value if found.denial and found.denial.policy_type else ""
    for gate in Gate:
        said = decision.gates.get(gate, Said.ABSENT) if decision else None
        if said is Said.ABSENT and gate.value not in stops:
            continue
        verdict, because = _verdict(found, gate, said, stops=gate.value in stops)
        likely = gate.value == found.cause.gate or (named and named in GATE_WORDS[gate.value])
        yield Hypothesis(
            f"{PREFIX}{gate.value}",
            f"the {GATE_WORDS[gate.value]} does not let it through",
            "who gets in",
            _NAMED if likely else _OTHER,
            _IMPACT,
            verdict,
            because,
            _facts(found),
            evidence,
            found.fixes[0].title if verdict is Verdict.TRUE and found.fixes else "",
            "; ".join(found.settle[:2]) or "clew collect, then attach the snapshot"
            if verdict is Verdict.UNDETERMINED
            else "",
            _SOURCE,
        )
    if found.agreement is Agreement.DISAGREE or found.cause.id is CauseId.POLICIES_ALLOW:
        yield _changed_since(found, evidence)


def _verdict(found: Explanation, gate: Gate, said: Said | None, *, stops: bool) -> tuple[Verdict, str]:
    sentence = found.cause.sentence
    if said is None:
        if stops and found.cause.id is CauseId.MESSAGE_ONLY:
            return Verdict.UNDETERMINED, f"AWS says so, no policy was looked at: {sentence}"
        return Verdict.UNDETERMINED, found.no_prediction or "no policies are at hand"
    if found.prediction and found.prediction.decision.effect is Effect.UNDETERMINED and stops:
        if said is Said.IMPLICIT_DENY and _names(found, gate):
            return Verdict.TRUE, f"AWS says so, and the policies at hand show it: {sentence}"
        return Verdict.UNDETERMINED, sentence
    if stops:
        is_cause = gate.value == found.cause.gate
        return Verdict.TRUE, sentence if is_cause else f"the {GATE_WORDS[gate.value]} stops it as well"
    if said is Said.UNKNOWN:
        return Verdict.UNDETERMINED, f"the {GATE_WORDS[gate.value]} is not at hand"
    allows = "allows it" if said is Said.ALLOW else "need not allow it"
    return Verdict.REFUTED, f"the {GATE_WORDS[gate.value]} {allows}"


def _names(found: Explanation, gate: Gate) -> bool:
    """Whether AWS's message names this kind of policy for want of an allow."""
    denial = found.denial
    if denial is None or denial.explicit is not False or denial.policy_type is None:
        return False
    return GATES[denial.policy_type] is gate


def _changed_since(found: Explanation, evidence: tuple[str, ...]) -> Hypothesis:
    return Hypothesis(
        f"{PREFIX}elsewhere",
        "the policies were changed since, or one that took part is not at hand",
        "who gets in",
        _OTHER + 1,
        _IMPACT,
        Verdict.UNDETERMINED,
        found.cause.sentence,
        _facts(found),
        evidence,
        "",
        "attach a snapshot of the time of the refusal; `clew config history` shows what changed since",
        _SOURCE,
    )


def decided_again(case: Case, before: Held, after: Held) -> tuple[Verdict, str, tuple[str, ...]] | None:
    """Whether the request is still refused by policies of after the change (`true`), why, and by which evidence.

    None where the case is about no refusal.
    """
    seen = _seen_again(before, after)
    if seen is not None:
        return seen
    told = explained(case, replace(before, predictor=after.predictor, policies=after.policies))
    if told is None:
        return None
    found, _ = told
    if found.prediction is None:
        return Verdict.UNDETERMINED, found.no_prediction or "no policies of after the change are at hand", ()
    match found.prediction.decision.effect:
        case Effect.ALLOW:
            asked = found.prediction.request
            return Verdict.REFUTED, f"`{asked.action}` on `{asked.resource}` is allowed now", after.policies
        case Effect.UNDETERMINED:
            return Verdict.UNDETERMINED, found.cause.sentence, after.policies
    return Verdict.TRUE, found.cause.sentence, after.policies


def _seen_again(before: Held, after: Held) -> tuple[Verdict, str, tuple[str, ...]] | None:
    """What came of the same call by the same caller since, where it was recorded and attached."""
    wanted = {_call(event) for _, event in before.events if event.get("errorCode")}
    for identity, event in reversed(after.events):
        if _call(event) in wanted:
            name, time, code = (text_at(event, member) for member in ("eventName", "eventTime", "errorCode"))
            verdict = Verdict.TRUE if code else Verdict.REFUTED
            says = f"`{name}` was refused at {time}: {code}" if code else f"`{name}` went through at {time}"
            return verdict, says, (identity,)
    return None


def _call(event: Mapping[str, object]) -> tuple[str, str]:
    return text_at(event, "eventName"), text_at(event, "userIdentity", "arn")


def _facts(found: Explanation) -> tuple[Fact, ...]:
    request = found.request
    facts = (
        [Fact("request", f"{request.action} on {request.resource} by {request.principal}")] if request else []
    )
    if found.denial is not None and found.denial.raw:
        facts.append(Fact("AWS says", " ".join(found.denial.raw.split())[:300]))
    facts += [Fact("assumed", text) for text in found.assumed[:2]]
    return tuple(facts + [Fact("not known", text) for text in found.unknown[:3]])
