"""Whether S3 can write a bucket's access logs into their target, asked of the engine.

Amazon S3 user guide: "Enabling Amazon S3 server access logging", Permissions for log delivery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.audit.buckets import BUCKETS, unreadable
from clew.audit.model import Judgement, Verdict
from clew.audit.resources import items, text, unanswered
from clew.engine import Context, Effect, Policies, Request, authorize
from clew.findings import Severity
from clew.reach.public import Unread

if TYPE_CHECKING:
    from clew.audit.buckets import Bucket

_SERVICE: Final = "logging.s3.amazonaws.com"


def delivers(source: Bucket, target: Bucket, prefix: str, seen: tuple[tuple[str, str], ...]) -> Judgement:
    """The judgement on logs of `source` that go into `target`."""
    state = source.state
    listed = state.each(*BUCKETS.split(":"))[0]
    if target.name not in {text(item, "Name") for item in items(listed.body, "Buckets")}:
        message = f"logs to {target.name}, which is not a bucket of the account: nothing arrives"
        return Judgement(Verdict.FAIL, source.arn, message, seen, severity=Severity.HIGH)
    answer, acl = target.said("GetBucketPolicy"), target.said("GetBucketAcl")
    owner = target.facts.ownership
    policy = target.policy
    if isinstance(policy, Unread):
        return unreadable(source.arn, policy, answer, *seen)
    allowed = _asked(source, target, prefix, Policies(resource=policy))
    if allowed is not Effect.ALLOW and owner != "BucketOwnerEnforced":
        if isinstance(owner, Unread):
            return unanswered(source.arn, target.said("GetBucketOwnershipControls"), evidence=seen)
        if not acl.status.is_known:
            return unanswered(source.arn, acl, evidence=seen)
        by_list = Policies(resource=policy, acl=acl.body, object_ownership=owner)
        allowed = _asked(source, target, prefix, by_list)
    if allowed is Effect.ALLOW:
        return Judgement(Verdict.PASS, source.arn, f"logs to {target.name}, which takes them", seen)
    if allowed is Effect.UNDETERMINED:
        message = f"whether {target.name} takes the logs hangs on conditions of its policy"
        return Judgement(Verdict.UNKNOWN, source.arn, message, seen, ("s3:GetBucketPolicy",))
    message = f"logs to {target.name}, which does not let S3 write: nothing arrives"
    return Judgement(Verdict.FAIL, source.arn, message, seen, severity=Severity.HIGH)


def _asked(source: Bucket, target: Bucket, prefix: str, policies: Policies) -> Effect:
    account = source.state.account
    # IAM user guide, "AWS global condition context keys": true where a service calls by its own principal.
    values = {"aws:SourceArn": source.arn, "aws:SourceAccount": account, "aws:PrincipalIsAWSService": "true"}
    values |= {"aws:SecureTransport": "true"}
    context = Context(values, unknown=None)
    place = f"{target.arn}/{prefix}2026-03-11-00-00-00-0123456789ABCDEF"
    request = Request(_SERVICE, "s3:PutObject", place, account, context)
    return authorize(request, policies).effect
