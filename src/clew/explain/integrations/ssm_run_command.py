"""Run Command reaches an instance: instance, role, and the agent's own word that it is there.

Systems Manager user guide: "Troubleshooting managed node availability", "Configure instance permissions required for
Systems Manager".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.audit.buckets import asked
from clew.audit.resources import facts, items, text
from clew.explain.doctor import Doctor, Patient, link, unanswered
from clew.explain.links import Link, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.explain.doctor import Found

_ACTIONS: Final = (
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ec2messages:GetMessages",
)
_AGENT: Final = (
    "start the agent, and let it out on port 443, or to endpoints for ssm, ssmmessages and ec2messages"
)


def _links(patient: Patient) -> Iterator[Link]:
    name = patient.given["instance"]
    path = "Reservations.Instances"
    first, found = patient.find("instance", "ec2:DescribeInstances", path, name, "InstanceId")
    yield first
    if found is None:
        return
    yield link(
        "running",
        holds=found.text("State.Name") == "running",
        says=(
            "the instance is running",
            f"the instance is {found.text('State.Name') or 'in no known state'}",
        ),
        evidence=facts(found.data, "State.Name"),
        fix=f"aws ec2 start-instances --instance-ids {name}",
    )
    yield from _role(patient, found.text("IamInstanceProfile.Arn"))
    yield _agent(patient, found)


def _role(patient: Patient, profile: str) -> Iterator[Link]:
    yield link(
        "profile",
        holds=bool(profile),
        says=(f"the instance has the profile {profile}", "the instance has no instance profile"),
        fix="aws ec2 associate-iam-instance-profile, with a role that has AmazonSSMManagedInstanceCore",
    )
    if not profile:
        return
    told = patient.state.answer("GetAccountAuthorizationDetails")
    roles = (
        text(role, "Arn")
        for role in items(told.body, "RoleDetailList")
        if profile in {text(each, "Arn") for each in items(role, "InstanceProfileList")}
    )
    role = next(roles, "")
    if not role:
        yield Link(
            "role",
            Verdict.UNKNOWN,
            f"the role of {profile} is not known",
            settle="aws iam get-instance-profile",
        )
        return
    yield patient.trusted("role-trust", role, "ec2.amazonaws.com")
    for action in _ACTIONS:
        yield patient.permitted("role", role, action, "*")


def _agent(patient: Patient, instance: Found) -> Link:
    """What the agent said last; an instance that never spoke lacks the agent or the way out."""
    said = patient.state.answers.get(
        patient.state.account, instance.region, "ssm", "DescribeInstanceInformation"
    )
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


DOCTOR = Doctor("ssm-run-command", "Run Command reaches an instance", _links, needs=("instance",))
