"""What AWS's message alone suggests, where no policies are at hand: the statement that is missing, or where a Deny is.

Nothing here can be tried. AWS: "Troubleshoot access denied error messages": the message names the type of policy.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from clew.aws import command_line
from clew.engine import Policies, prepare
from clew.engine.verdicts import Gate
from clew.explain.cause import GATES
from clew.explain.denial import Meaning, PolicyType
from clew.explain.fix import Fix, at_most
from clew.explain.fix_drafts import Asked, opened, role_arn
from clew.reach.applied import Applied

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.engine import Request
    from clew.explain.denial import Denial
    from clew.explain.fix_drafts import Draft


def fixes(denial: Denial, request: Request) -> tuple[Fix, ...]:
    """The statement that the message says is missing, for the place that it names; none for an explicit deny.

    `proven` is None: without the policies nobody can tell whether another one refuses the request too.
    """
    if denial.meaning is not Meaning.DENIED or denial.explicit is not False or denial.policy_type is None:
        return ()
    gate, nothing = GATES[denial.policy_type], Policies()
    if gate is Gate.RESOURCE and request.resource == "*":
        return ()
    decision = prepare(nothing).authorize(request)
    asked = Asked(request, nothing, decision, Applied(request.principal, nothing, {}))
    return tuple(_fix(draft) for draft in islice(opened(asked, gate), 1))


def _fix(draft: Draft) -> Fix:
    edit = replace(draft.edit, is_at_hand=False)
    return Fix(
        title=draft.title,
        gate=draft.gate.value,
        target=edit.where.words,
        newly=at_most(draft.boxes),
        risk=draft.risk,
        edits=(edit,),
        boxes=draft.boxes,
    )


def places_to_look(denial: Denial, request: Request | None) -> Iterator[str]:
    """The commands that show the policy which the message names, or those of the type that it names."""
    if denial.meaning is not Meaning.DENIED or denial.policy_type is None:
        return
    if denial.policy_arn:
        yield from _named(denial.policy_arn)
    elif request is not None:
        yield from _of_type(denial.policy_type, request)


def _named(arn: str) -> Iterator[str]:
    """AWS: "Troubleshoot access denied error messages": messages name the ARN of a policy since 2026."""
    service, name = arn.split(":")[2:3], arn.rpartition("/")[2]
    if service == ["organizations"]:
        yield command_line.line("organizations", "DescribePolicy", {"PolicyId": name})
    elif service == ["iam"] and ":policy/" in arn:
        yield command_line.line("iam", "GetPolicy", {"PolicyArn": arn})


def _of_type(kind: PolicyType, request: Request) -> Iterator[str]:
    who = role_arn(request.principal).split(":", 5)
    holder, _, rest = who[-1].partition("/")
    if kind in {PolicyType.IDENTITY, PolicyType.BOUNDARY} and holder in {"user", "role"}:
        named = {f"{holder.title()}Name": rest.rpartition("/")[2]}
        words = holder.title()
        if kind is PolicyType.BOUNDARY:
            yield command_line.line("iam", f"Get{words}", named)
            return
        yield command_line.line("iam", f"ListAttached{words}Policies", named)
        yield command_line.line("iam", f"List{words}Policies", named)
    elif kind is PolicyType.SCP and len(who) > 4:  # noqa: PLR2004  # an ARN has six parts
        given = {"TargetId": who[4], "Filter": "SERVICE_CONTROL_POLICY"}
        yield command_line.line("organizations", "ListPoliciesForTarget", given)
    elif kind is PolicyType.RESOURCE and request.resource.startswith("arn:aws:s3:::"):
        bucket = request.resource.removeprefix("arn:aws:s3:::").partition("/")[0]
        yield command_line.line("s3", "GetBucketPolicy", {"Bucket": bucket})
    elif kind is PolicyType.TRUST and ":role/" in request.resource:
        yield command_line.line("iam", "GetRole", {"RoleName": request.resource.rpartition("/")[2]})
    elif kind is PolicyType.ENDPOINT and _endpoint(request) is None:
        yield command_line.line("ec2", "DescribeVpcEndpoints", {})


def beyond_snapshots(denial: Denial, request: Request) -> Iterator[str]:
    """Where policies are to be seen that no snapshot holds: those of a session, and of an endpoint that is known."""
    endpoint = _endpoint(request)
    if denial.policy_type is PolicyType.SESSION and ":assumed-role/" in request.principal:
        role = request.principal.split("/")[1]
        yield f"clew events --event-name AssumeRole --resource {role}: the policy that the session was given"
    elif denial.policy_type is PolicyType.ENDPOINT and endpoint is not None:
        yield command_line.line("ec2", "DescribeVpcEndpoints", {"VpcEndpointIds": [endpoint]})


def _endpoint(request: Request) -> str | None:
    """The VPC endpoint through which the request came, where that is known."""
    found = request.context.get("aws:sourcevpce")
    return found if isinstance(found, str) else None
