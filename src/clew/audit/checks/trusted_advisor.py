"""Checks of what only Trusted Advisor measures: its recommendations, as its API gives them where that is subscribed.

AWS: "Get started with the Trusted Advisor API": without a support plan that includes it the API refuses, and then
nothing is checked, which is said. "Trusted Advisor API reference", RecommendationSummary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.model import Judgement, Verdict, check
from clew.audit.resources import facts, items, member, text, unanswered, written
from clew.findings import Severity
from clew.snapshot.answers import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from clew.audit.model import State
    from clew.snapshot.answers import Answer

_EXPOSED_KEYS = "12Fnkpl8Y5"
_SEVERITIES = {"error": Severity.HIGH, "warning": Severity.MEDIUM}
_COLORS = {"error": "red", "warning": "yellow"}
_SAVINGS = "pillarSpecificAggregates.costOptimizing.estimatedMonthlySavings"
_MOST_METADATA = 6


@check(
    "trustedadvisor-cost",
    "Trusted Advisor sees no money wasted",
    "Trusted Advisor sees money wasted",
    Severity.MEDIUM,
)
def cost(state: State) -> Iterator[Judgement]:
    """What Trusted Advisor recommends about cost.

    Finds. Recommendations of the pillar `cost_optimizing` that are yellow or red, resource by resource, with what AWS
    estimates a month would save.
    Why it matters. Idle instances, volumes and addresses are paid for, and nobody looks after them.
    False positives. Capacity that is kept for a peak or a failure; exclude it in Trusted Advisor.
    Fix. What the recommendation says; the metadata names the resource and its size.
    References. AWS Support user guide, Cost optimization checks of AWS Trusted Advisor
    """
    return _advice(state, _of("cost_optimizing"))


@check(
    "trustedadvisor-performance",
    "Trusted Advisor sees nothing slow",
    "Trusted Advisor sees something slow",
    Severity.MEDIUM,
)
def performance(state: State) -> Iterator[Judgement]:
    """What Trusted Advisor recommends about performance.

    Finds. Recommendations of the pillar `performance` that are yellow or red, resource by resource.
    Why it matters. What is at its limit fails at the next peak.
    False positives. Work that may take its time.
    Fix. What the recommendation says.
    References. AWS Support user guide, Performance checks of AWS Trusted Advisor
    """
    return _advice(state, _of("performance"))


@check(
    "trustedadvisor-fault-tolerance",
    "Trusted Advisor sees nothing that one failure ends",
    "Trusted Advisor sees what one failure ends",
    Severity.MEDIUM,
)
def fault_tolerance(state: State) -> Iterator[Judgement]:
    """What Trusted Advisor recommends about fault tolerance.

    Finds. Recommendations of the pillar `fault_tolerance` that are yellow or red, resource by resource.
    Why it matters. What stands in one zone, or has no backup, is gone with it.
    False positives. What may be lost or built anew.
    Fix. What the recommendation says.
    References. AWS Support user guide, Fault tolerance checks of AWS Trusted Advisor
    """
    return _advice(state, _of("fault_tolerance"))


@check(
    "trustedadvisor-limits",
    "No service quota is nearly used up",
    "A service quota is nearly used up",
    Severity.MEDIUM,
)
def limits(state: State) -> Iterator[Judgement]:
    """Which service quotas Trusted Advisor sees at 80 % or more.

    Finds. Recommendations of the pillar `service_limits` that are yellow (80 % used) or red (all used).
    Why it matters. At the limit the next instance, address or role is refused, often while something is repaired.
    False positives. A quota that nobody will need more of.
    Fix. Ask for more in Service Quotas, or delete what is not used.
    References. AWS Support user guide, Service limits of AWS Trusted Advisor
    """
    return _advice(state, _of("service_limits"))


@check(
    "trustedadvisor-exposed-keys", "No access key is exposed", "An access key is exposed", Severity.CRITICAL
)
def exposed_keys(state: State) -> Iterator[Judgement]:
    """Whether AWS found the account's access keys in public places, or sees their use as suspect.

    Finds. Trusted Advisor's check 12Fnkpl8Y5 where it is not green.
    Why it matters. Who has the key is the user, until it is deactivated.
    False positives. None known; a key that was deleted since shows until Trusted Advisor looks again.
    Fix. `clew fix --action deactivate-access-key --resource USER`, then see `clew events --access-key KEY`.
    References. AWS Support user guide, Security checks of AWS Trusted Advisor, Exposed Access Keys
    """
    for judgement in _advice(state, lambda each: text(each, "checkArn").endswith(f"/{_EXPOSED_KEYS}")):
        yield Judgement(
            judgement.verdict, judgement.resource, judgement.message, judgement.evidence, judgement.missing
        )


def _of(pillar: str) -> Callable[[Mapping[str, object]], bool]:
    def fits(each: Mapping[str, object]) -> bool:
        pillars = member(each, "pillars")
        return isinstance(pillars, list) and pillar in pillars

    return fits


def _advice(state: State, fits: Callable[[Mapping[str, object]], bool]) -> Iterator[Judgement]:
    """What the recommendations that fit say; not checked where the support plan does not include the API."""
    answer = state.each("trustedadvisor", "ListRecommendations")[0]
    if answer.status is Status.ABSENT:
        message = "not checked: the account's support plan does not include the Trusted Advisor API"
        yield Judgement(Verdict.MANUAL, state.account_arn, message, (("error", answer.error_code),))
        return
    if not answer.status.is_known:
        yield unanswered(state.account_arn, answer)
        return
    found = [each for each in answer.list("recommendationSummaries") if fits(each)]
    for each in found:
        yield from _recommendation(state, answer, each)
    if not found:
        yield Judgement(
            Verdict.NOT_APPLICABLE, state.account_arn, "Trusted Advisor gives no such recommendation"
        )


def _recommendation(state: State, answer: Answer, each: Mapping[str, object]) -> Iterator[Judgement]:
    name, status = text(each, "name"), text(each, "status")
    about = text(each, "checkArn") or text(each, "arn")
    seen = facts(each, "status", "lastUpdatedAt", *((_SAVINGS,) if member(each, _SAVINGS) else ()))
    if status == "ok":
        yield Judgement(Verdict.PASS, about, name, seen)
        return
    if status not in _SEVERITIES:
        message = f"{name}: Trusted Advisor says `{status or 'nothing'}`"
        yield Judgement(Verdict.UNKNOWN, about, message, seen, ("trustedadvisor:ListRecommendations",))
        return
    listed = state.about(answer, "ListRecommendationResources", recommendationIdentifier=text(each, "id"))
    flagged = [found for found in _resources(listed) if text(found, "status") in _SEVERITIES]
    for one in flagged:
        yield _flagged(name, about, one)
    if not flagged:
        counts = f"{_count(each, 'errorCount')} red, {_count(each, 'warningCount')} yellow"
        yield Judgement(Verdict.FAIL, about, f"{name}: {counts}", seen, severity=_SEVERITIES[status])


def _resources(listed: Answer) -> Iterator[Mapping[str, object]]:
    """The resources that nobody has excluded."""
    for found in items(listed.body, "recommendationResourceSummaries"):
        if text(found, "exclusionStatus") != "excluded":
            yield found


def _flagged(name: str, about: str, one: Mapping[str, object]) -> Judgement:
    """One resource; some checks flag what has no id, and then the recommendation stands for it."""
    status = text(one, "status")
    told = member(one, "metadata")
    metadata = list(told.items()) if isinstance(told, dict) else []
    seen = (
        ("check", about),
        *facts(one, "status", "regionCode"),
        *((str(key), written(value)) for key, value in metadata[:_MOST_METADATA]),
    )
    resource = text(one, "awsResourceId") or text(one, "arn") or about
    return Judgement(Verdict.FAIL, resource, f"{name}: {_COLORS[status]}", seen, severity=_SEVERITIES[status])


def _count(each: Mapping[str, object], name: str) -> str:
    return text(each, f"resourcesAggregates.{name}") or "0"
