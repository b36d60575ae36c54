"""The instance itself: running, its status checks, what its console says; and AWS beneath it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.resources import facts, items, text
from clew.explain.operational.scene import Component, Hypothesis, refuted, true, unknown
from clew.explain.operational.series import INSTANCE_CHECK, SYSTEM_CHECK, alarms, series
from clew.explain.operational.signs import PANIC, signs

if TYPE_CHECKING:
    from clew.explain.links import Link
    from clew.explain.operational.scene import Found, Scene

_BENEATH = frozenset(
    {"EC2", "EBS", "VPC", "ELASTICLOADBALANCING", "INTERNETCONNECTIVITY", "MULTIPLE_SERVICES"}
)
_EVENTS = "health:DescribeEvents"
_STATUSES = "ec2:DescribeInstanceStatus"
_STATUS_COMMAND = "aws ec2 describe-instance-status --include-all-instances --instance-ids {}"


def _not_running(scene: Scene) -> Link:
    instance, status = scene.instance, _status(scene)
    found = instance or status
    if found is None:
        return scene.which_instance
    # Of two answers the later one counts.
    newest = status if instance and status and _is_later(scene, status, instance) else found
    path = "State.Name" if newest is instance else "InstanceState.Name"
    state = newest.text(path)
    why = facts(newest.data, "StateTransitionReason") if newest.text("StateTransitionReason") else ()
    if not state:
        return unknown("its state is not given", f"aws ec2 describe-instances --instance-ids {_id(scene)}")
    if state == "running":
        return refuted("the instance is running", ((path, state), *newest.seen))
    return true(
        f"the instance is {state}",
        ((path, state), *why, *newest.seen),
        f"aws ec2 start-instances --instance-ids {_id(scene)}",
    )


def _is_later(scene: Scene, one: Found, other: Found) -> bool:
    order = [id(answer) for answer in scene.answers]
    return order.index(id(one.answer)) > order.index(id(other.answer))


def _status(scene: Scene) -> Found | None:
    return scene.find(_STATUSES, "InstanceStatuses", "InstanceId", _id(scene))


def _id(scene: Scene) -> str:
    return scene.instance_id or "INSTANCE"


def _checked(scene: Scene, member: str, metric: tuple[str, ...], fix: str) -> Link:
    """Whether a status check fails: by what EC2 says, else by an alarm, else by the metric.

    EC2 user guide: "Status checks for Amazon EC2 instances". A check that has no result yet settles nothing.
    """
    name, settle = _id(scene), _STATUS_COMMAND.format(_id(scene))
    found = _status(scene)
    state = found.text(f"{member}.Status") if found else ""
    if found and state in {"ok", "impaired"}:
        since = [text(each, "ImpairedSince") for each in items(found.data, f"{member}.Details")]
        told = (
            (f"{member}.Status", state),
            *(("ImpairedSince", each) for each in since if each),
            *found.seen,
        )
        if state == "ok":
            return refuted("the check passes", told)
        return true("the check fails", told, fix)
    for alarm, answer in alarms(scene, metric, name):
        if text(alarm, "StateValue") == "ALARM":
            told = (*facts(alarm, "AlarmName", "StateReason"), ("seen in", answer.source))
            return true("an alarm on the check is in ALARM", told, fix)
    for each in series(scene, metric, name):
        if each.last[1] >= 1 and each.covers(scene.about.since):
            return true("the check failed", each.facts, fix)
    if found:
        return unknown(f"the check says `{state or 'nothing'}`", settle, found.seen)
    if scene.given(_STATUSES):
        return unknown("only instances that run are listed without `--include-all-instances`", settle)
    return scene.open(_STATUSES, settle)


def _system_check(scene: Scene) -> Link:
    fix = (
        f"aws ec2 stop-instances, then start-instances --instance-ids {_id(scene)}: it moves to another host"
    )
    return _checked(scene, "SystemStatus", SYSTEM_CHECK, fix)


def _instance_check(scene: Scene) -> Link:
    fix = f"aws ec2 reboot-instances --instance-ids {_id(scene)}, and read its console output"
    found = signs(scene.logs, PANIC, scene.instance_id, scene.about.window)
    if found:
        return true("its console tells of a system that does not start", found[0].facts, fix)
    return _checked(scene, "InstanceStatus", INSTANCE_CHECK, fix)


def _aws_event(scene: Scene) -> Link:
    """What AWS Health says is open, and what EC2 has scheduled for the instance.

    AWS Health API reference, "DescribeEvents": it may list events that do not concern the resource. So an issue counts
    where it is of the instance's region, and of its zone where it names one.
    """
    status = _status(scene)
    planned = [
        each
        for each in (items(status.data, "Events") if status else ())
        if not text(each, "Description").startswith(("[Completed]", "[Canceled]"))
    ]
    if status and planned:
        told = (*facts(planned[0], "Code", "Description", "NotBefore"), *status.seen)
        return true(
            "EC2 has scheduled an event for the instance", told, "stop and start it at a time of your own"
        )
    issues = [each for each in scene.listed(_EVENTS, "events") if _is_issue(each)]
    fix = "aws health describe-event-details; go to another zone or region until it is closed"
    issue = next((each for each in issues if _is_here(scene, each)), issues[0] if issues else None)
    if issue:
        told = (*facts(issue.data, "service", "eventTypeCode", "region", "startTime"), *issue.seen)
        if _is_here(scene, issue):
            return true("AWS Health has an open issue where the instance is", told, fix)
        return unknown("AWS Health has an open issue, which need not concern the instance", fix, told)
    if scene.given(_EVENTS):
        answer = next(scene.each(_EVENTS))
        return refuted("AWS Health has no open issue", (("seen in", answer.source),))
    return scene.open(_EVENTS, "aws health describe-events --region us-east-1, or the AWS Health Dashboard")


def _is_issue(event: Found) -> bool:
    return event.text("statusCode") == "open" and event.text("eventTypeCategory") in {
        "issue",
        "investigation",
    }


def _is_here(scene: Scene, event: Found) -> bool:
    zone = scene.instance.text("Placement.AvailabilityZone") if scene.instance else ""
    named = event.text("availabilityZone")
    is_place = bool(zone) and zone.startswith(event.text("region") or "?") and named in {"", zone}
    return is_place and event.text("service") in _BENEATH


NOT_RUNNING = Hypothesis(
    "not-running",
    "the instance is not running",
    Component.INSTANCE,
    5,
    _not_running,
    "EC2 user guide, Amazon EC2 instance state changes, "
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html",
)
SYSTEM = Hypothesis(
    "system-check",
    "the host beneath the instance is impaired (system status check)",
    Component.PROVIDER,
    5,
    _system_check,
    "EC2 user guide, Status checks for Amazon EC2 instances, "
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-system-instance-status-check.html",
)
INSTANCE = Hypothesis(
    "instance-check",
    "the instance's own system does not answer (instance status check)",
    Component.INSTANCE,
    5,
    _instance_check,
    "EC2 user guide, Troubleshoot Amazon EC2 Linux instances with failed status checks, "
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/TroubleshootingInstances.html",
)
AWS_EVENT = Hypothesis(
    "aws-event",
    "AWS has an issue, or has scheduled an event",
    Component.PROVIDER,
    5,
    _aws_event,
    "AWS Health API reference, DescribeEvents",
)
