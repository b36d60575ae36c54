"""An instance's logs reach CloudWatch Logs: running, role, way out, and the agent, installed and started.

CloudWatch user guide: "Create IAM roles and users for use with CloudWatch agent" (the managed policy
CloudWatchAgentServerPolicy), "Troubleshooting the CloudWatch agent"; Systems Manager user guide: "AWS Systems Manager
Inventory" (AWS:Application). Whether a process runs no API shows: it is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.audit.buckets import asked
from clew.audit.resources import items, partition, text
from clew.errors import UsageError
from clew.explain import instances, way_out
from clew.explain.doctor import Doctor, Patient, link, unanswered
from clew.explain.links import Link, Verdict
from clew.explain.log_groups import may_use

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.explain.doctor import Found

_AGENTS: Final = ("amazon-cloudwatch-agent", "Amazon CloudWatch Agent", "awslogs")
_STATES: Final = ("running", "stopped", "missing")
_START: Final = "sudo amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s -c ssm:NAME (or file:PATH)"
_INSTALL: Final = (
    "aws ssm send-command --document-name AWS-ConfigureAWSPackage, with name AmazonCloudWatchAgent"
)


def _links(patient: Patient) -> Iterator[Link]:
    told = patient.given.get("agent", "")
    if told and told not in _STATES:
        raise UsageError(f"`--agent {told[:40]}`: expected {', '.join(_STATES)}")
    first, found = instances.found(patient, patient.given["instance"])
    yield first
    if found is None:
        return
    yield instances.running(found)
    own, role = instances.profile(patient, found, "CloudWatchAgentServerPolicy")
    yield from own
    if role:
        yield from _group(patient, found, role)
    yield from way_out.links(patient, found, 443, ("logs",))
    yield _installed(patient, found, told)
    if told != "missing":
        yield _started(told)


def _group(patient: Patient, instance: Found, role: str) -> Iterator[Link]:
    """What the agent does to a log group: make it where it is not, make a stream, put events."""
    group = patient.given.get("log-group", "")
    if not group:
        says = "which log group the agent writes to stands in its configuration on the instance"
        yield Link("log-group", Verdict.UNKNOWN, says, settle="give `--log-group`")
        return
    place = f"arn:{partition(patient.state)}:logs:{instance.region}:{patient.state.account}:log-group:{group}"
    there, _ = patient.find("log-group", "logs:DescribeLogGroups", "logGroups", group, "logGroupName")
    yield (
        there
        if there.verdict is Verdict.HOLDS
        else may_use(patient, "create-group", role, "logs:CreateLogGroup", f"{place}:log-stream:")
    )
    for name, action in (("create-stream", "logs:CreateLogStream"), ("put-events", "logs:PutLogEvents")):
        yield may_use(patient, name, role, action, f"{place}:log-stream:{instance.text('InstanceId')}")


def _installed(patient: Patient, instance: Found, told: str) -> Link:
    """Whether the agent is installed: as told, else as the inventory of Systems Manager lists applications."""
    if told:
        says = (
            f"the agent is installed, as `--agent {told}` says",
            "the agent is not installed, as was told",
        )
        return link("agent-installed", holds=told != "missing", says=says, fix=_INSTALL)
    name = instance.text("InstanceId")
    said = patient.state.answers.get(
        patient.state.account, instance.region, "ssm", "ListInventoryEntries",
        InstanceId=name, TypeName="AWS:Application",
    )  # fmt: skip
    if not said.status.is_known:
        found = unanswered("agent-installed", said)
        ask = f"give `--agent {'|'.join(_STATES)}`; aws ssm list-inventory-entries --instance-id {name}"
        return Link(
            found.id, found.verdict, found.says, found.evidence, settle=f"{ask} --type-name AWS:Application"
        )
    listed = {text(each, "Name") for each in items(said.body, "Entries")}
    has = next((each for each in _AGENTS if each in listed), "")
    return link(
        "agent-installed",
        holds=bool(has),
        says=(f"{has} is installed", f"none of {', '.join(_AGENTS)} is among the {len(listed)} applications"),
        evidence=asked(said),
        fix=_INSTALL,
    )


def _started(told: str) -> Link:
    if told:
        says = ("the agent runs, as was told", "the agent is stopped, as was told")
        return link("agent-running", holds=told == "running", says=says, fix=_START)
    hidden = "whether the agent runs, and with which configuration, no API shows"
    return Link(
        "agent-running",
        Verdict.UNKNOWN,
        hidden,
        settle="amazon-cloudwatch-agent-ctl -a status, then `--agent`",
    )


DOCTOR = Doctor(
    "ec2-logging",
    "An instance's logs reach CloudWatch Logs",
    _links,
    needs=("instance",),
    may=("log-group", "agent"),
    looks="running, profile, the role for the log group, the way out, the agent installed and running",
)
