"""A rule reaches its targets. EventBridge user guide: "Troubleshooting Amazon EventBridge"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.audit.buckets import asked
from clew.audit.resources import facts, items, text
from clew.explain.doctor import Doctor, Found, Patient, link, unanswered
from clew.explain.integrations.targets import BY_ROLE, allowed_to_reach, by_role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.explain.links import Link

_SERVICE: Final = "events.amazonaws.com"


def _links(patient: Patient) -> Iterator[Link]:
    name = patient.given["rule"]
    first, rule = patient.find("rule", "events:ListRules", "Rules", name, "Name", "Arn")
    yield first
    if rule is None:
        return
    yield link(
        "enabled",
        holds=rule.text("State") != "DISABLED",
        says=("the rule is enabled", "the rule is disabled"),
        evidence=facts(rule.data, "State"),
        fix=f"aws events enable-rule --name {rule.text('Name')}",
    )
    yield from _targets(patient, rule)


def _targets(patient: Patient, rule: Found) -> Iterator[Link]:
    bus = rule.text("EventBusName") or "default"
    said = patient.state.about(rule.answer, "ListTargetsByRule", Rule=rule.text("Name"), EventBusName=bus)
    if not said.status.is_known:
        yield unanswered("targets", said)
        return
    targets = list(items(said.body, "Targets"))
    says = (f"the rule has {len(targets)} targets", "the rule has no target")
    yield link("targets", holds=bool(targets), says=says, evidence=asked(said), fix="aws events put-targets")
    for target in targets:
        arn, role = text(target, "Arn"), text(target, "RoleArn")
        if role or (arn.split(":")[2:3] and arn.split(":")[2] in BY_ROLE):
            yield from by_role(patient, "target", _SERVICE, role, arn)
        else:
            yield allowed_to_reach(patient, "target", _SERVICE, arn, rule.text("Arn"))


DOCTOR = Doctor(
    "eventbridge-target",
    "An EventBridge rule reaches its targets",
    _links,
    needs=("rule",),
    looks="enabled, its targets, each target's own policy or the role that it needs",
)
