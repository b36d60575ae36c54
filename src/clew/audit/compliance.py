"""Evaluations as AWS Config makes them: each rule's compliance of each resource, on changes and periodically.

AWS: AWS Config developer guide, "Evaluating resources with AWS Config rules" and "Evaluation mode and trigger types";
AWS Config API reference, ComplianceType and EvaluationResult.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.audit import declared
from clew.audit.checks import named
from clew.audit.model import Verdict
from clew.audit.views import COMPLIANCE
from clew.snapshot import collected_items
from clew.snapshot.offline.origins import Origins

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from clew.audit.assertions import Trigger
    from clew.audit.custom import Rule
    from clew.audit.frameworks import Control, Framework
    from clew.audit.model import Judgement, Parameter, State
    from clew.snapshot.collected_items import Look

ACCOUNT = "AWS::::Account"
# Managed rules that AWS evaluates periodically alone. AWS: "List of AWS Config Managed Rules by Trigger Type".
_PERIODIC = frozenset(
    {
        *("access-keys-rotated", "cloud-trail-cloud-watch-logs-enabled", "cloud-trail-encryption-enabled"),
        *(
            "cloud-trail-log-file-validation-enabled",
            "cloudtrail-enabled",
            "cloudtrail-s3-dataevents-enabled",
        ),
        *(
            "cloudtrail-security-trail-enabled",
            "cmk-backing-key-rotation-enabled",
            "guardduty-enabled-centralized",
        ),
        *("iam-password-policy", "iam-root-access-key-check", "iam-user-mfa-enabled"),
        *("iam-user-unused-credentials-check", "mfa-enabled-for-iam-console-access"),
        *("multi-region-cloudtrail-enabled", "root-account-hardware-mfa-enabled", "root-account-mfa-enabled"),
        *("s3-account-level-public-access-blocks-periodic", "securityhub-enabled", "vpc-flow-logs-enabled"),
        *("account-part-of-organizations", "security-account-information-provided"),
    }
)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one rule says of one resource, in AWS Config's words; `annotation` says why."""

    account: str
    rule: str
    resource: str
    resource_type: str
    compliance: str
    annotation: str


@dataclass(frozen=True, slots=True)
class Evaluated:
    """All evaluations of a run; `settled` are the rules, by account, that left nothing unknown."""

    evaluations: tuple[Evaluation, ...]
    settled: frozenset[tuple[str, str]]


def evaluate(
    states: Sequence[State],
    rules: Sequence[Rule],
    frameworks: Sequence[Framework],
    *,
    triggers: Collection[Trigger] = ("change", "periodic"),
    changed: Collection[str] | None = None,
    parameters: Mapping[str, Mapping[str, Parameter]] | None = None,
) -> Evaluated:
    """Ask every rule of these triggers; with `changed`, keep only what is said of these resources (ARNs).

    `parameters`, by check, go before those of the frameworks.
    """
    found: list[Evaluation] = []
    settled: set[tuple[str, str]] = set()
    for state in states:
        asking = _Asking(state, parameters or {})
        for name, judgements in asking.all(rules, frameworks, triggers):
            told = [asking.evaluation(name, each) for each in _together(judgements)]
            found += (each for each in told if changed is None or each.resource in changed)
            if all(each.verdict is not Verdict.UNKNOWN for each in judgements):
                settled.add((state.account, name))
    return Evaluated(tuple(found), frozenset(settled))


class _Asking:
    """One account's state, with its resources looked at once for all rules."""

    def __init__(self, state: State, given: Mapping[str, Mapping[str, Parameter]]) -> None:
        self._state, self._given = state, given
        self._look: Look = collected_items.look(state.answers)
        self._types = {item.label: item.key.type for item in self._look.items}
        self._origins = Origins(state.answers)

    def all(
        self, rules: Sequence[Rule], frameworks: Sequence[Framework], triggers: Collection[Trigger]
    ) -> Iterator[tuple[str, tuple[Judgement, ...]]]:
        """Each rule's name with what it says."""
        for rule in rules:
            if rule.trigger in triggers:
                yield rule.check.id, declared.located(self._of_rule(rule), self._origins)
        for framework in frameworks:
            for control in framework.controls:
                if control.checks and _trigger(control) in triggers:
                    yield control.id, declared.located(self._of_control(control), self._origins)

    def _of_rule(self, rule: Rule) -> Iterable[Judgement]:
        state = self._state
        if rule.assertion is not None:
            return rule.assertion.judge(self._look, state.account, state.account_arn)
        return rule.check.judge(state, **self._given.get(rule.check.id, {}))

    def _of_control(self, control: Control) -> Iterator[Judgement]:
        for identity in control.checks:
            chosen = {**control.parameters.get(identity, {}), **self._given.get(identity, {})}
            yield from named(identity).judge(self._state, **chosen)

    def evaluation(self, rule: str, judgement: Judgement) -> Evaluation:
        """The judgement in AWS Config's words."""
        return Evaluation(
            self._state.account,
            rule,
            judgement.resource,
            self._types.get(
                judgement.resource, ACCOUNT if judgement.resource == self._state.account_arn else ""
            ),
            COMPLIANCE[judgement.verdict],
            judgement.message,
        )


def _trigger(control: Control) -> Trigger:
    return "periodic" if control.id in _PERIODIC else "change"


_WORST = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.PASS, Verdict.MANUAL, Verdict.NOT_APPLICABLE)


def _together(judgements: Sequence[Judgement]) -> Iterator[Judgement]:
    """One judgement for each resource: the worst that a rule's checks say of it."""
    found: dict[str, Judgement] = {}
    for each in judgements:
        held = found.get(each.resource)
        if held is None or _WORST.index(each.verdict) < _WORST.index(held.verdict):
            found[each.resource] = each
    yield from found.values()


def aws_form(evaluation: Evaluation, time: str) -> Mapping[str, object]:
    """The evaluation as AWS Config's API writes a result."""
    return {
        "EvaluationResultIdentifier": {
            "EvaluationResultQualifier": {
                "ConfigRuleName": evaluation.rule,
                "ResourceType": evaluation.resource_type,
                "ResourceId": evaluation.resource,
            },
            "OrderingTimestamp": time,
        },
        "ComplianceType": evaluation.compliance,
        "Annotation": evaluation.annotation[:256],
    }
