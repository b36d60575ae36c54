"""Checks of where trails deliver: the bucket, the key and the topic, and who gets at them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.buckets import BUCKETS, Bucket, asked, bucket, policy_of, region_of, unreadable
from clew.audit.checks.s3_public import judge_public
from clew.audit.model import Judgement, Verdict, check
from clew.audit.resources import facts, items, listing, member, partition, text, unanswered
from clew.audit.trails import Trail, each_trail
from clew.engine import Context, Effect, Policies, Request, authorize
from clew.findings import Severity
from clew.reach.public import Leg, Unread, open_statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clew.audit.model import State
    from clew.policy.model import Policy
    from clew.snapshot.answers import Answer

_SERVICE = "cloudtrail.amazonaws.com"
_FULL_ACCESS = "AWSCloudTrail_FullAccess"


def _each_bucket(state: State, judge: Callable[[Trail, Bucket], Judgement]) -> Iterator[Judgement]:
    """What `judge` says of each trail's bucket; unknown where it is another account's, failed where it is gone."""
    names = {text(item, "Name") for item in items(state.each("s3", "ListBuckets")[0].body, "Buckets")}

    def judged(trail: Trail) -> Judgement:
        found = bucket(state, trail.bucket)
        seen = trail.facts("S3BucketName")
        if found.is_gone:
            return Judgement(Verdict.FAIL, found.arn, "the trail's bucket is gone: nothing arrives", seen)
        if trail.bucket not in names:
            return _foreign(state, trail, found)
        return judge(trail, found)

    yield from each_trail(state, judged)


def _foreign(state: State, trail: Trail, found: Bucket) -> Judgement:
    listed = state.each("s3", "ListBuckets")[0]
    if not listed.status.is_known:
        return unanswered(found.arn, listed, evidence=trail.facts("S3BucketName"))
    message = "the bucket belongs to another account; collect that account to know"
    return Judgement(Verdict.UNKNOWN, found.arn, message, trail.facts("S3BucketName"), (BUCKETS,))


@check(
    "cloudtrail-bucket-public",
    "The trail's bucket is not public",
    "The trail's bucket is public",
    Severity.CRITICAL,
)
def public(state: State) -> Iterator[Judgement]:
    """Whether everybody can read or write the bucket that gets a trail's files.

    Finds. Trail buckets that everybody, or every AWS account, can read, list or write, decided as for any bucket; a
    bucket that is gone. A bucket of another account is unknown.
    Why it matters. The files say how the account works, and who can write them can hide.
    False positives. None known.
    Fix. Set Block Public Access for the bucket.
    References. AWS CloudTrail user guide, Amazon S3 bucket policy for CloudTrail · Amazon S3 user guide, Blocking
    public access to your Amazon S3 storage
    """
    yield from _each_bucket(
        state, lambda _trail, found: judge_public(found, tuple(Leg), "get at the trail's files")
    )


@check(
    "cloudtrail-bucket-logging",
    "The trail's bucket logs its access",
    "The trail's bucket logs no access",
    Severity.LOW,
)
def logging(state: State) -> Iterator[Judgement]:
    """Whether the bucket that gets a trail's files logs who reads them.

    Finds. Trail buckets without server access logging.
    Why it matters. Somebody who reads or deletes the files would leave no trace.
    False positives. Buckets whose reads a trail records as data events.
    Fix. `aws s3api put-bucket-logging` into another bucket.
    References. Amazon S3 user guide, Logging requests with server access logging
    """

    def judge(trail: Trail, found: Bucket) -> Judgement:
        answer = found.said("GetBucketLogging")
        seen = (
            *trail.facts("S3BucketName"),
            *facts(answer.body, "LoggingEnabled.TargetBucket"),
            *asked(answer),
        )
        if not answer.status.is_known:
            return unanswered(found.arn, answer, evidence=seen)
        on = bool(text(answer.body, "LoggingEnabled.TargetBucket"))
        message = "logs its access" if on else "does not log its access"
        return Judgement(Verdict.PASS if on else Verdict.FAIL, found.arn, message, seen)

    yield from _each_bucket(state, judge)


@check(
    "cloudtrail-bucket-mfa-delete",
    "Trail files need MFA to delete",
    "Trail files need no MFA to delete",
    Severity.LOW,
)
def mfa_delete(state: State) -> Iterator[Judgement]:
    """Whether the versions of a trail's files need MFA to be deleted, or are locked.

    Finds. Trail buckets with neither MFA delete nor an Object Lock with a default retention.
    Why it matters. Whoever covers tracks deletes the files first.
    False positives. Buckets in an account that nobody signs in to.
    Fix. Switch on MFA delete as root user, or make the bucket anew with Object Lock.
    References. AWS CloudTrail user guide, Security best practices in AWS CloudTrail
    """

    def judge(_trail: Trail, found: Bucket) -> Judgement:
        versions, lock = found.said("GetBucketVersioning"), found.said("GetObjectLockConfiguration")
        place = "ObjectLockConfiguration.Rule.DefaultRetention.Mode"
        seen = (
            *facts(versions.body, "Status", "MFADelete"),
            *facts(lock.body, place),
            *asked(versions, lock),
        )
        if text(versions.body, "MFADelete") == "Enabled" or text(lock.body, place):
            return Judgement(Verdict.PASS, found.arn, "deleting takes MFA, or a lock forbids it", seen)
        if not (versions.status.is_known and lock.status.is_known):
            return unanswered(found.arn, versions, lock, evidence=seen)
        return Judgement(Verdict.FAIL, found.arn, "deleting takes no MFA, and no lock forbids it", seen)

    yield from _each_bucket(state, judge)


@check(
    "cloudtrail-bucket-lifecycle",
    "Trail files are kept for a time that was chosen",
    "Trail files have no chosen time",
    Severity.LOW,
)
def lifecycle(state: State, *, days: int = 365) -> Iterator[Judgement]:
    """Whether a rule says how long a trail's files are kept, and that it is long enough.

    Finds. Trail buckets without enabled lifecycle rule, and those where a rule deletes files before `days`.
    Why it matters. Files that vanish too early are missing in the investigation; files that nobody chose to keep cost.
    False positives. Accounts that keep everything for good.
    Fix. `aws s3api put-bucket-lifecycle-configuration` with archiving and a late expiry.
    References. AWS CloudTrail user guide, Security best practices in AWS CloudTrail
    """

    def judge(trail: Trail, found: Bucket) -> Judgement:
        answer = found.said("GetBucketLifecycleConfiguration")
        if not answer.status.is_known:
            return unanswered(found.arn, answer, evidence=trail.facts("S3BucketName"))
        rules = [rule for rule in items(answer.body, "Rules") if text(rule, "Status") == "Enabled"]
        early = [
            after
            for rule in rules
            if isinstance(after := member(rule, "Expiration.Days"), int) and after < days
        ]
        seen = (*(("rule", text(rule, "ID")) for rule in rules), *asked(answer))
        if not rules:
            return Judgement(Verdict.FAIL, found.arn, "has no enabled lifecycle rule", seen)
        if early:
            return Judgement(Verdict.FAIL, found.arn, f"deletes files after {min(early)} days", seen)
        return Judgement(Verdict.PASS, found.arn, "keeps files long enough", seen)

    yield from _each_bucket(state, judge)


@check(
    "cloudtrail-bucket-separate",
    "Trail files lie in another account",
    "Trail files lie in the account that they are about",
    Severity.MEDIUM,
)
def separate(state: State) -> Iterator[Judgement]:
    """Whether each trail delivers to a bucket of another account.

    Finds. Trails whose bucket is one of the account's own.
    Why it matters. Who takes over the account takes over its records too.
    False positives. The log account itself, and a company with one account.
    Fix. Make a bucket in a log account, let its policy name the trail, and update the trail.
    References. AWS CloudTrail user guide, Security best practices in AWS CloudTrail
    """
    listed = state.each("s3", "ListBuckets")[0]
    names = {text(item, "Name") for item in items(listed.body, "Buckets")}

    def judge(trail: Trail) -> Judgement:
        seen = (*trail.facts("S3BucketName"), *asked(listed))
        if trail.bucket in names:
            return Judgement(Verdict.FAIL, trail.arn, "delivers to a bucket of the same account", seen)
        if not listed.status.is_known:
            return unanswered(trail.arn, listed, evidence=seen)
        return Judgement(Verdict.PASS, trail.arn, "delivers to a bucket of another account", seen)

    yield from each_trail(state, judge)


@check(
    "cloudtrail-bucket-delivery",
    "The bucket's policy takes every file of the trail",
    "The bucket's policy does not take every file",
    Severity.HIGH,
)
def takes_files(state: State) -> Iterator[Judgement]:
    """Whether the bucket's policy lets CloudTrail write for this account, and for the organisation of the trail.

    Finds. Trail buckets whose policy does not let `cloudtrail.amazonaws.com` put objects under `AWSLogs/` of the
    account and, for a trail of an organisation, of the organisation, in the name of that trail. The engine is asked.
    Why it matters. What CloudTrail may not write is lost.
    False positives. Conditions on keys that CloudTrail sends and that are not documented.
    Fix. Take the policy from AWS's page, with the prefix of the organisation.
    References. AWS CloudTrail user guide, Amazon S3 bucket policy for CloudTrail · AWS CloudTrail user guide,
    Creating a trail for an organization
    """

    def judge(trail: Trail, found: Bucket) -> Judgement:
        answer = found.said("GetBucketPolicy")
        policy = found.policy
        seen = (*trail.facts("S3BucketName", "S3KeyPrefix", "IsOrganizationTrail"), *asked(answer))
        if isinstance(policy, Unread):
            return unreadable(found.arn, policy, answer, *seen)
        folders = [*_folders(state, trail)]
        takes = {folder: _takes(trail, found, policy, folder) for folder in folders if folder is not None}
        refused = [
            name for name, effect in takes.items() if effect not in {Effect.ALLOW, Effect.UNDETERMINED}
        ]
        if None in folders:
            organization = state.each("organizations", "DescribeOrganization")[0]
            if not organization.status.is_known:
                return unanswered(found.arn, organization, evidence=seen)
        if refused:
            message = f"does not let CloudTrail write under {listing(refused)}"
            return Judgement(Verdict.FAIL, found.arn, message, seen)
        if Effect.UNDETERMINED in takes.values():
            message = "whether CloudTrail may write hangs on conditions of the policy"
            return Judgement(Verdict.UNKNOWN, found.arn, message, seen, ("s3:GetBucketPolicy",))
        return Judgement(Verdict.PASS, found.arn, "lets CloudTrail write", seen)

    yield from _each_bucket(state, judge)


def _folders(state: State, trail: Trail) -> Iterator[str | None]:
    """The folders into which CloudTrail writes; None for an organisation's whose id nobody knows."""
    prefix = f"{key}/" if (key := text(trail.data, "S3KeyPrefix")) else ""
    yield f"{prefix}AWSLogs/{state.account}/"
    if member(trail.data, "IsOrganizationTrail") is True:
        organization = text(state.each("organizations", "DescribeOrganization")[0].body, "Organization.Id")
        yield f"{prefix}AWSLogs/{organization}/{state.account}/" if organization else None


def _takes(trail: Trail, found: Bucket, policy: Policy | None, folder: str) -> Effect:
    given = {
        "aws:SourceArn": trail.arn,
        "aws:SourceAccount": trail.arn.split(":")[4],
        "s3:x-amz-acl": "bucket-owner-full-control",
        "aws:SecureTransport": "true",
        # IAM user guide, "AWS global condition context keys": true where a service calls by its own principal.
        "aws:PrincipalIsAWSService": "true",
    }
    place = f"{found.arn}/{folder}CloudTrail/eu-west-1/2026/03/11/file.json.gz"
    request = Request(_SERVICE, "s3:PutObject", place, found.state.account, Context(given, unknown=None))
    return authorize(request, Policies(resource=policy)).effect


@check(
    "cloudtrail-bucket-source-arn",
    "Bucket policies name the trail",
    "A bucket policy lets any trail write",
    Severity.MEDIUM,
)
def bucket_source(state: State) -> Iterator[Judgement]:
    """Whether the bucket's policy lets CloudTrail write in the name of known trails only.

    Finds. Trail buckets whose policy allows `cloudtrail.amazonaws.com` something with neither `aws:SourceArn` nor
    `aws:SourceAccount`.
    Why it matters. Anybody's trail could otherwise be pointed at the bucket and fill it with made-up files.
    False positives. None known.
    Fix. Add `aws:SourceArn` with the trail's ARN to each such statement.
    References. AWS CloudTrail user guide, Amazon S3 bucket policy for CloudTrail
    """

    def judge(trail: Trail, found: Bucket) -> Judgement:
        return _sourced(found.arn, found.policy, found.said("GetBucketPolicy"), trail)

    yield from _each_bucket(state, judge)


@check(
    "cloudtrail-topic-source-arn",
    "Topic policies name the trail",
    "A topic policy lets any trail publish",
    Severity.LOW,
)
def topic_source(state: State) -> Iterator[Judgement]:
    """Whether the policy of a trail's topic lets CloudTrail publish in the name of known trails only.

    Finds. Topics of trails whose policy allows `cloudtrail.amazonaws.com` something with neither `aws:SourceArn` nor
    `aws:SourceAccount`. Trails without topic are not judged.
    Why it matters. Anybody's trail could otherwise tell your readers about files that are not yours.
    False positives. None known.
    Fix. Add `aws:SourceArn` with the trail's ARN to the statement.
    References. AWS CloudTrail user guide, Amazon SNS topic policy for CloudTrail
    """

    def judge(trail: Trail) -> Judgement:
        topic = text(trail.data, "SnsTopicARN")
        if not topic:
            return Judgement(Verdict.NOT_APPLICABLE, trail.arn, "has no topic", trail.facts("SnsTopicARN"))
        region = topic.split(":")[3]
        answer = state.answers.get(state.account, region, "sns", "GetTopicAttributes", TopicArn=topic)
        return _sourced(topic, policy_of(answer, "Attributes.Policy"), answer, trail)

    yield from each_trail(state, judge)


def _sourced(resource: str, policy: Policy | Unread | None, answer: Answer, trail: Trail) -> Judgement:
    """The judgement on the statements of a policy that are for CloudTrail."""
    seen = (*trail.facts(), *asked(answer))
    if isinstance(policy, Unread):
        return unreadable(resource, policy, answer, *seen)
    of_service = [
        statement
        for statement in (policy.statements if policy else ())
        if statement.allows and any(p.value == _SERVICE for p in statement.principals or ())
    ]
    keys = [{c.key.lower() for c in statement.conditions} for statement in of_service]
    open_ = [
        each.sid or f"statement {each.index + 1}"
        for each, named in zip(of_service, keys, strict=True)
        if not named & {"aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid"}
    ]
    if open_:
        return Judgement(Verdict.FAIL, resource, f"lets any trail in: {listing(open_)}", seen)
    return Judgement(Verdict.PASS, resource, "lets known trails in only", seen)


@check(
    "cloudtrail-key-region",
    "The trail's key and bucket share a region",
    "Key and bucket lie apart",
    Severity.LOW,
)
def key_region(state: State) -> Iterator[Judgement]:
    """Whether a trail's KMS key lies in the region of its bucket.

    Finds. Trails whose key and bucket lie in different regions. Trails without key are not judged.
    Why it matters. CloudTrail cannot encrypt into such a bucket, and files are lost.
    False positives. None known.
    Fix. Make a key in the bucket's region and update the trail.
    References. AWS CloudTrail user guide, Encrypting CloudTrail log files with AWS KMS keys
    """

    def judge(trail: Trail) -> Judgement:
        key = text(trail.data, "KmsKeyId")
        if not key.startswith("arn:"):
            return Judgement(Verdict.NOT_APPLICABLE, trail.arn, "has no KMS key", trail.facts("KmsKeyId"))
        answer = bucket(state, trail.bucket).said("GetBucketLocation")
        seen = (
            *trail.facts("KmsKeyId", "S3BucketName"),
            *facts(answer.body, "LocationConstraint"),
            *asked(answer),
        )
        if answer.body is None:
            missing = ("s3:GetBucketLocation",)
            return Judgement(Verdict.UNKNOWN, trail.arn, "where the bucket lies is not known", seen, missing)
        place = region_of(answer)
        if place != key.split(":")[3]:
            return Judgement(
                Verdict.FAIL, trail.arn, f"its key is not in {place}, where the bucket lies", seen
            )
        return Judgement(Verdict.PASS, trail.arn, f"key and bucket lie in {place}", seen)

    yield from each_trail(state, judge)


@check(
    "cloudtrail-key-decrypt",
    "Few may decrypt trail files",
    "Too many may decrypt trail files",
    Severity.MEDIUM,
)
def key_decrypt(state: State) -> Iterator[Judgement]:
    """Whether the key's policy gives decryption to fewer than those who can read the bucket.

    Finds. Keys of trails whose policy lets everybody, or by name a whole other account, decrypt. Delegation to the own
    account is AWS's default and is said, not failed. Trails without key are not judged.
    Why it matters. A second lock that everybody opens is none.
    False positives. A log account that is meant to read.
    Fix. Allow `kms:Decrypt` to the roles that investigate, with `kms:EncryptionContext:aws:cloudtrail:arn`.
    References. AWS CloudTrail user guide, Configure AWS KMS key policies for CloudTrail
    """

    def judge(trail: Trail) -> Judgement:
        key = text(trail.data, "KmsKeyId")
        if not key.startswith("arn:"):
            return Judgement(Verdict.NOT_APPLICABLE, trail.arn, "has no KMS key", trail.facts("KmsKeyId"))
        region, account = key.split(":")[3:5]
        name = key.rpartition("/")[2]
        answer = state.answers.get(account, region, "kms", "GetKeyPolicy", KeyId=name, PolicyName="default")
        policy = policy_of(answer, "Policy")
        seen = (*trail.facts("KmsKeyId"), *asked(answer))
        if isinstance(policy, Unread) or policy is None:
            return unreadable(key, Unread("kms:GetKeyPolicy"), answer, *seen)
        everybody = [
            each.sid or f"statement {each.index + 1}" for each in open_statements(key, account, policy)
        ]
        if everybody:
            return Judgement(Verdict.FAIL, key, f"everybody may use the key: {listing(everybody)}", seen)
        others = sorted(set(_accounts(policy)) - {account})
        if others:
            return Judgement(Verdict.FAIL, key, f"whole accounts may decrypt: {listing(others)}", seen)
        return Judgement(
            Verdict.PASS, key, "decryption is for named principals, or left to the account", seen
        )

    yield from each_trail(state, judge)


def _accounts(policy: Policy) -> Iterator[str]:
    """The accounts to which the policy gives decryption as a whole."""
    for statement in policy.statements:
        actions = {action.lower() for action in statement.actions or ()}
        if statement.allows and actions & {"kms:decrypt", "kms:*", "*", "kms:decrypt*"}:
            for principal in statement.principals or ():
                if principal.account and (principal.value.isdigit() or principal.value.endswith(":root")):
                    yield principal.account


@check("cloudtrail-full-access", "Few may change trails", "Too many may change trails", Severity.MEDIUM)
def full_access(state: State, *, most: int = 3) -> Iterator[Judgement]:
    """How many users, groups and roles have AWS's policy for full access to CloudTrail.

    Finds. Accounts in which more than `most` principals have `AWSCloudTrail_FullAccess`.
    Why it matters. Each of them can stop the recording.
    False positives. Groups and roles that few people use; administrators are not counted here.
    Fix. Take the policy off those who only read, and give them `AWSCloudTrail_ReadOnlyAccess`.
    References. AWS CloudTrail user guide, Security best practices in AWS CloudTrail
    """
    answer = state.answer("GetAccountAuthorizationDetails")
    if not answer.status.is_known:
        yield unanswered(state.account_arn, answer)
        return
    arn = f"arn:{partition(state)}:iam::aws:policy/{_FULL_ACCESS}"
    holders = [
        text(item, "Arn")
        for kind in ("UserDetailList", "GroupDetailList", "RoleDetailList")
        for item in items(answer.body, kind)
        if any(text(each, "PolicyArn") == arn for each in items(item, "AttachedManagedPolicies"))
    ]
    seen = (*(("has full access", holder) for holder in holders), *asked(answer))
    verdict = Verdict.FAIL if len(holders) > most else Verdict.PASS
    yield Judgement(verdict, state.account_arn, f"{len(holders)} have full access to CloudTrail", seen)
