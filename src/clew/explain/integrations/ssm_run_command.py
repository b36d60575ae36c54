"""Run Command reaches an instance: instance, role, and the agent's own word that it is there.

Systems Manager user guide: "Troubleshooting managed node availability using ssm-cli", "Configure instance permissions
required for Systems Manager", "Reference: ec2messages, ssmmessages, and other API operations".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.audit.buckets import asked
from clew.audit.resources import items, text
from clew.explain import instances, way_out
from clew.explain.doctor import Doctor, Patient, link, unanswered
from clew.explain.links import Link, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.explain.doctor import Found

# AWS: "Reference: ec2messages, ssmmessages, and other API operations": commands come by ssmmessages where the agent may
# connect to it, else by ec2messages.
_CHANNELS: Final = (
    (
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
    ),
    ("ec2messages:GetMessages", "ec2messages:AcknowledgeMessage", "ec2messages:SendReply"),
)
_ENDPOINTS: Final = ("ssm", "ssmmessages")
_AGENT: Final = (
    "install the agent where it is not (Amazon's own images have it), start it, and see that the operating system is "
    "one that Systems Manager supports"
)


def _links(patient: Patient) -> Iterator[Link]:
    first, found = instances.found(patient, patient.given["instance"])
    yield first
    if found is None:
        return
    yield instances.running(found)
    own, role = instances.profile(patient, found, "AmazonSSMManagedInstanceCore")
    yield from own
    if role:
        yield from instances.allowed(patient, role, ("ssm:UpdateInstanceInformation",))
        yield from _channel(patient, role)
    agent = _agent(patient, found)
    if agent.verdict is not Verdict.HOLDS:
        # An agent that is online has found its way out.
        yield from way_out.links(patient, found, 443, _ENDPOINTS)
    yield agent


def _channel(patient: Patient, role: str) -> tuple[Link, ...]:
    """The links of the first way by which commands come to the agent that is whole; else those of the way to prefer."""
    ways = [tuple(instances.allowed(patient, role, actions)) for actions in _CHANNELS]
    whole = (way for way in ways if all(link.verdict is Verdict.HOLDS for link in way))
    return next(whole, ways[0])


def _agent(patient: Patient, instance: Found) -> Link:
    """What the agent said last; an instance that never spoke lacks the agent or the way out."""
    account = patient.state.account
    said = patient.state.answers.get(account, instance.region, "ssm", "DescribeInstanceInformation")
    if not said.status.is_known:
        return unanswered("agent", said)
    name = instance.text("InstanceId")
    spoke = next(
        (e for e in items(said.body, "InstanceInformationList") if text(e, "InstanceId") == name), None
    )
    state = text(spoke, "PingStatus") if spoke else "not registered"
    return link(
        "agent",
        holds=state == "Online",
        says=("the agent is online", f"the agent is {state}"),
        evidence=asked(said),
        fix=_AGENT,
    )


DOCTOR = Doctor(
    "ssm-run-command",
    "Run Command reaches an instance",
    _links,
    needs=("instance",),
    looks="running, profile, the role's trust and permissions, the way out, what the agent said last",
)
