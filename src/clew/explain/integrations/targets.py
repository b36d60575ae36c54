"""What a service needs to reach a target: the action by the kind of target, and whose policy must allow it.

AWS: EventBridge user guide, "Using resource-based policies for Amazon EventBridge"; S3 user guide, "Granting
permissions to publish event notification messages to a destination".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.explain.links import Link, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.explain.doctor import Patient

BY_POLICY: Final = {"lambda": "lambda:InvokeFunction", "sns": "sns:Publish", "sqs": "sqs:SendMessage"}
"""The action of a target that lets the service in by its own policy."""
BY_ROLE: Final = {
    "states": "states:StartExecution", "kinesis": "kinesis:PutRecord", "firehose": "firehose:PutRecord",
    "events": "events:PutEvents", "codebuild": "codebuild:StartBuild", "ecs": "ecs:RunTask",
    "codepipeline": "codepipeline:StartPipelineExecution",
}  # fmt: skip
"""The action of a target for which the service assumes a role."""


def allowed_to_reach(patient: Patient, name: str, caller: str, target: str, source: str) -> Link:
    """The link that the target's own policy lets the caller in, for the source that asks."""
    action = BY_POLICY.get(_service(target))
    if action is None:
        says = f"what lets `{caller}` reach `{target}` is not known here"
        return Link(name, Verdict.UNKNOWN, says, settle="look at the target's own page in its guide")
    fix = f"let the policy of `{target}` allow `{action}` to `{caller}`"
    if source:
        fix += f" where `aws:SourceArn` is `{source}`"
    account = patient.state.account if source else ""
    return patient.permitted(name, caller, action, target, fix, source_arn=source, source_account=account)


def by_role(patient: Patient, name: str, service: str, role: str, target: str) -> Iterator[Link]:
    """The links that the service may assume the role, and the role may reach the target."""
    if not role:
        says = f"the target `{target}` needs a role, and none is given"
        yield Link(name, Verdict.BROKEN, says, fix="give the target a role that the service may assume")
        return
    yield patient.trusted(f"{name}-trust", role, service)
    yield patient.permitted(name, role, BY_ROLE[_service(target)], target)


def _service(arn: str) -> str:
    return arn.split(":")[2] if arn.count(":") > 1 else ""
