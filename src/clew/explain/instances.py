"""An EC2 instance as doctors need it: that it is there and runs, the role of its profile, and the way out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.resources import facts, items, text
from clew.explain.doctor import Found, Patient, link
from clew.explain.links import Link, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator


def found(patient: Patient, name: str) -> tuple[Link, Found | None]:
    """The instance of that id, and the link that it exists."""
    return patient.find("instance", "ec2:DescribeInstances", "Reservations.Instances", name, "InstanceId")


def running(instance: Found) -> Link:
    """The link that the instance runs."""
    state = instance.text("State.Name")
    return link(
        "running",
        holds=state == "running",
        says=("the instance is running", f"the instance is {state or 'in no known state'}"),
        evidence=facts(instance.data, "State.Name"),
        fix=f"aws ec2 start-instances --instance-ids {instance.text('InstanceId')}",
    )


def profile(patient: Patient, instance: Found, policy: str) -> tuple[tuple[Link, ...], str]:
    """The links from the instance to its role, and the role's ARN; `policy` is the one that AWS offers for the task.

    AWS: EC2 user guide, "IAM roles for Amazon EC2": an instance takes on the one role of its instance profile.
    """
    arn = instance.text("IamInstanceProfile.Arn")
    has = link(
        "profile",
        holds=bool(arn),
        says=(f"the instance has the profile {arn}", "the instance has no instance profile"),
        fix=f"aws ec2 associate-iam-instance-profile, with a role that has {policy}",
    )
    if not arn:
        return (has,), ""
    role = _role(patient, arn)
    if not role:
        says = f"the role of {arn} is not known"
        settle = f"aws iam get-instance-profile --instance-profile-name {arn.rpartition('/')[2]}"
        return (has, Link("role", Verdict.UNKNOWN, says, settle=settle)), ""
    return (has, patient.trusted("role-trust", role, "ec2.amazonaws.com")), role


def _role(patient: Patient, arn: str) -> str:
    told = patient.state.answer("GetAccountAuthorizationDetails")
    roles = (
        text(role, "Arn")
        for role in items(told.body, "RoleDetailList")
        if arn in {text(each, "Arn") for each in items(role, "InstanceProfileList")}
    )
    return next(roles, "")


def allowed(patient: Patient, role: str, actions: tuple[str, ...]) -> Iterator[Link]:
    """The links that the role may do each of the actions, on anything."""
    for action in actions:
        yield patient.permitted("role", role, action, "*")
