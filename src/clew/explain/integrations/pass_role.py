"""Somebody gives a role to a service: iam:PassRole, the role's trust, and the profile that EC2 wants.

IAM user guide: "Grant a user permissions to pass a role to an AWS service" (iam:PassedToService; the role must be of
the caller's own account), "Troubleshoot IAM roles", I'm not authorized to perform: iam:PassRole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.resources import items
from clew.errors import UsageError
from clew.explain.doctor import Doctor, Patient, link
from clew.explain.links import Link, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

_EC2 = "ec2.amazonaws.com"


def _links(patient: Patient) -> Iterator[Link]:
    who, role, service = (patient.given[name] for name in ("principal", "role", "service"))
    if ":role/" not in role or not role.startswith("arn:"):
        raise UsageError(f"`--role {role[:200]}` is no role's ARN; expected `arn:aws:iam::ACCOUNT:role/NAME`")
    ours, theirs = (arn.split(":", 5)[4] if arn.count(":") > 4 else "" for arn in (who, role))  # noqa: PLR2004  # ARNs
    yield link(
        "same-account",
        holds=ours == theirs,
        says=("caller and role are of one account", f"the role is of account {theirs}, the caller of {ours}"),
        fix="pass a role of the caller's own account; another account's cannot be passed",
    )
    first, found = patient.find("role", "iam:GetAccountAuthorizationDetails", "RoleDetailList", role, "Arn")
    yield first
    if found is None and first.verdict is Verdict.BROKEN:
        return
    yield patient.trusted("role-trust", role, service)
    if service == _EC2 and found is not None:
        has = any(items(found.data, "InstanceProfileList"))
        says = (
            "the role is in an instance profile",
            "the role is in no instance profile, which EC2 takes it by",
        )
        yield link(
            "profile",
            holds=has,
            says=says,
            fix="aws iam create-instance-profile, and add-role-to-instance-profile",
        )
    context = {"iam:PassedToService": service}
    if patient.given.get("resource"):
        context["iam:AssociatedResourceArn"] = patient.given["resource"]
    yield patient.permitted("pass-role", who, "iam:PassRole", role, **context)


DOCTOR = Doctor(
    "pass-role",
    "Somebody gives a role to a service",
    _links,
    needs=("principal", "role", "service"),
    may=("resource",),
    looks="one account, the role, its trust in the service, the instance profile, iam:PassRole to that service",
)
