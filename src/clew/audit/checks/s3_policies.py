"""Checks of what bucket policies refuse beside plain HTTP: uploads encrypted otherwise, callers from anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.buckets import Alike, asked, each_answer, unreadable
from clew.audit.model import Judgement, Verdict, check
from clew.audit.resources import facts, items, member, text
from clew.engine import Context, Effect, Policies, Request, prepare
from clew.findings import Severity
from clew.policy.model import Policy, Statement
from clew.reach.public import Unread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.audit.buckets import Bucket
    from clew.audit.model import State
    from clew.snapshot.answers import Answer

_OTHERWISE = Context({"s3:x-amz-server-side-encryption": "AES256"}, unknown=None)
# From the internet: no endpoint, no VPC, an address of RFC 5737 that is nobody's.
_ANYWHERE = Context(
    {"aws:SourceIp": "203.0.113.7", "aws:SecureTransport": "true", "s3:TlsVersion": "1.3"},
    unknown=None,
    absent=("aws:SourceVpce", "aws:SourceVpc"),
)
# IAM user guide, "AWS global condition context keys", Properties of the network.
_NETWORK = frozenset(
    {
        "aws:sourceip",
        "aws:sourcevpc",
        "aws:sourcevpcarn",
        "aws:sourcevpce",
        "aws:vpceaccount",
        "aws:vpceorgid",
        "aws:vpceorgpaths",
        "aws:vpcsourceip",
    }
)


@check(
    "s3-bucket-upload-encryption",
    "Buckets with a KMS key refuse uploads without it",
    "Uploads to a bucket may leave out its KMS key",
    Severity.LOW,
)
def upload_encryption(state: State) -> Iterator[Judgement]:
    """Whether the policies of buckets that encrypt with KMS deny uploads that choose SSE-S3.

    Finds. Buckets whose default encryption is a KMS key, and whose policy does not deny `s3:PutObject` with
    `s3:x-amz-server-side-encryption` = `AES256`. The engine is asked, so every way of writing it counts.
    Why it matters. The uploader decides: objects in SSE-S3 have no key policy and no log of every use.
    False positives. Buckets that AWS services fill which cannot use KMS. Buckets with SSE-S3 are not judged: since
    January 2023 nothing weaker can be chosen.
    Fix. Add a Deny of `s3:PutObject` where `StringNotEqualsIfExists` `s3:x-amz-server-side-encryption` is `aws:kms`.
    References. Amazon S3 user guide, Using server-side encryption with AWS KMS keys (SSE-KMS)
    """
    refuses = Alike(
        lambda policy, arn: _denied(policy, "s3:PutObject", f"{arn}/o", state.account, _OTHERWISE)
    )

    def judge(found: Bucket, answer: Answer) -> Judgement:
        rules = list(items(answer.body, "ServerSideEncryptionConfiguration.Rules"))
        default = member(rules[0], "ApplyServerSideEncryptionByDefault") if rules else None
        seen = (*facts(default, "SSEAlgorithm"), *asked(answer, found.said("GetBucketPolicy")))
        if not text(default, "SSEAlgorithm").startswith("aws:kms"):
            return Judgement(Verdict.NOT_APPLICABLE, found.arn, "does not encrypt with a KMS key", seen)
        policy = found.policy
        if isinstance(policy, Unread):
            return unreadable(found.arn, policy, found.said("GetBucketPolicy"))
        if policy is None:
            return Judgement(Verdict.FAIL, found.arn, "has no policy, so uploads choose", seen)
        if refuses.of(policy, found.arn) is Effect.EXPLICIT_DENY:
            return Judgement(Verdict.PASS, found.arn, "denies uploads that choose SSE-S3", seen)
        return Judgement(Verdict.FAIL, found.arn, "does not deny uploads that choose SSE-S3", seen)

    yield from each_answer(state, "GetBucketEncryption", judge)


@check(
    "s3-bucket-network-limited",
    "Buckets are reached from chosen networks",
    "A bucket can be reached from anywhere",
    Severity.INFORMATIONAL,
)
def network_limited(state: State) -> Iterator[Judgement]:
    """Whether bucket policies deny callers that come by no VPC endpoint and from no chosen address.

    Finds. Buckets whose policy does not deny `s3:GetObject` to a caller from the internet, without aws:SourceVpce and
    aws:SourceVpc. A Deny that spares some callers, such as administrators or AWS services, counts as one where its
    conditions name the network; one of plain HTTP or of other organisations does not.
    Why it matters. With it, stolen credentials read nothing from outside.
    False positives. Buckets that people or the public read from changing places.
    Fix. Add a Deny of `s3:*` where `StringNotEquals` `aws:SourceVpce` is the endpoint, with exceptions for who manages.
    References. Amazon S3 user guide, Controlling access from VPC endpoints with bucket policies
    """

    def asked_of(policy: Policy, arn: str) -> Effect:
        of_network = tuple(each for each in policy.statements if _is_of_network(each))
        narrowed = Policy(of_network, policy.version)
        return _denied(narrowed, "s3:GetObject", f"{arn}/o", state.account, _ANYWHERE)

    refuses = Alike(asked_of)

    def judge(found: Bucket, answer: Answer) -> Judgement:
        policy = found.policy
        if isinstance(policy, Unread):
            return unreadable(found.arn, policy, answer)
        effect = Effect.IMPLICIT_DENY if policy is None else refuses.of(policy, found.arn)
        if effect is Effect.EXPLICIT_DENY:
            return Judgement(Verdict.PASS, found.arn, "denies callers from elsewhere", asked(answer))
        if effect is Effect.UNDETERMINED:
            return Judgement(
                Verdict.PASS,
                found.arn,
                "denies callers from elsewhere, but those whom it spares",
                asked(answer),
            )
        return Judgement(Verdict.FAIL, found.arn, "does not deny callers from anywhere", asked(answer))

    yield from each_answer(state, "GetBucketPolicy", judge)


def _is_of_network(statement: Statement) -> bool:
    """Whether a statement holds for all, or by where a caller comes from."""
    keys = {condition.key.lower() for condition in statement.conditions}
    return not keys or bool(keys & _NETWORK)


def _denied(policy: Policy, action: str, resource: str, account: str, context: Context) -> Effect:
    """What the policy's denials alone say of the request, whoever makes it."""
    denials = tuple(each for each in policy.statements if not each.allows and each.not_principals is None)
    if not denials:
        return Effect.IMPLICIT_DENY
    prepared = prepare(Policies(resource=Policy(denials, policy.version)))
    return prepared.effect(Request("*", action, resource, account, context))
