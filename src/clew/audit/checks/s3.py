"""Checks of S3 buckets: logging, versioning, encryption, object lock, replication, notifications."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.buckets import asked, bucket, each_answer, regions
from clew.audit.kms_keys import another_key
from clew.audit.log_delivery import delivers
from clew.audit.model import Judgement, Verdict, check, is_true, one_of
from clew.audit.resources import chosen, facts, items, listing, member, text, texts, unanswered
from clew.findings import Severity
from clew.snapshot.answers import GLOBAL, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.audit.buckets import Bucket
    from clew.audit.model import State
    from clew.snapshot.answers import Answer


@check("s3-bucket-logging", "Buckets log who reads them", "A bucket does not log its access", Severity.LOW)
def logging(state: State, *, target_bucket: str = "", target_prefix: str = "") -> Iterator[Judgement]:
    """Whether server access logging is on for each bucket.

    Finds. Buckets without server access logging; with `target_bucket` or `target_prefix` also those that log elsewhere.
    Why it matters. Reads of objects stand nowhere else unless a trail records data events.
    False positives. Buckets whose reads a trail records as data events, and the log bucket itself.
    Fix. `aws s3api put-bucket-logging` with a target bucket of the same account and region.
    References. Amazon S3 user guide, Logging requests with server access logging · AWS Config developer guide,
    s3-bucket-logging-enabled
    """

    def judge(found: Bucket, answer: Answer) -> Judgement:
        seen = (
            *facts(answer.body, "LoggingEnabled.TargetBucket", "LoggingEnabled.TargetPrefix"),
            *asked(answer),
        )
        target, prefix = (text(answer.body, f"LoggingEnabled.Target{part}") for part in ("Bucket", "Prefix"))
        if not target:
            return Judgement(Verdict.FAIL, found.arn, "server access logging is off", seen)
        if target_bucket not in {"", target}:
            return Judgement(Verdict.FAIL, found.arn, f"logs to {target}, not to {target_bucket}", seen)
        if target_prefix not in {"", prefix}:
            return Judgement(Verdict.FAIL, found.arn, f"logs under `{prefix}`, not `{target_prefix}`", seen)
        return Judgement(Verdict.PASS, found.arn, f"logs to {target}", seen)

    yield from each_answer(state, "GetBucketLogging", judge)


@check(
    "s3-bucket-log-delivery",
    "Access logs of buckets arrive",
    "Access logs of a bucket are off or cannot arrive",
    Severity.MEDIUM,
)
def log_delivery(state: State) -> Iterator[Judgement]:
    """Whether access logging is on and S3 may write into the target.

    Finds. Buckets without access logging, and, as worse, those whose target is gone, is not the account's, or does
    not let `logging.s3.amazonaws.com` (or, by its access control list, the log delivery group) write.
    Why it matters. Logging that is switched on and cannot be delivered leaves no trace, and nobody is told.
    False positives. Delivery is best effort: a target that takes logs may still miss some.
    Fix. Let the target's policy allow `s3:PutObject` to `logging.s3.amazonaws.com` with `aws:SourceArn`.
    References. Amazon S3 user guide, Enabling Amazon S3 server access logging · AWS Support user guide, Amazon S3
    Bucket Logging
    """

    def judge(found: Bucket, answer: Answer) -> Judgement:
        target = text(answer.body, "LoggingEnabled.TargetBucket")
        seen = (*facts(answer.body, "LoggingEnabled.TargetBucket"), *asked(answer))
        if not target:
            return Judgement(Verdict.FAIL, found.arn, "server access logging is off", seen)
        return delivers(found, bucket(state, target), text(answer.body, "LoggingEnabled.TargetPrefix"), seen)

    yield from each_answer(state, "GetBucketLogging", judge)


@check("s3-bucket-versioning", "Buckets keep versions", "A bucket keeps no versions", Severity.LOW)
def versioning(state: State, *, mfa_delete: str = "false") -> Iterator[Judgement]:
    """Whether each bucket keeps the versions of its objects.

    Finds. Buckets whose versioning was never switched on or is suspended; with `mfa_delete` = `true` also those that
    do not ask for MFA before a version is deleted.
    Why it matters. What is overwritten or deleted, by mistake or by an intruder, is gone otherwise.
    False positives. Buckets of files that a build makes anew.
    Fix. `aws s3api put-bucket-versioning`, with a lifecycle rule for old versions.
    References. Amazon S3 user guide, Retaining multiple versions of objects with S3 Versioning · AWS Config developer
    guide, s3-bucket-versioning-enabled
    """
    is_mfa = is_true("mfa_delete", mfa_delete)

    def judge(found: Bucket, answer: Answer) -> Judgement:
        seen = (*facts(answer.body, "Status", "MFADelete"), *asked(answer))
        status = text(answer.body, "Status")
        if status != "Enabled":
            return Judgement(Verdict.FAIL, found.arn, f"versioning is {status.lower() or 'off'}", seen)
        if is_mfa and text(answer.body, "MFADelete") != "Enabled":
            return Judgement(Verdict.FAIL, found.arn, "keeps versions, but deleting them needs no MFA", seen)
        return Judgement(Verdict.PASS, found.arn, "keeps versions", seen)

    yield from each_answer(state, "GetBucketVersioning", judge)


@check(
    "s3-bucket-mfa-delete",
    "Buckets need MFA to delete",
    "A bucket needs no MFA to delete versions",
    Severity.LOW,
)
def mfa_delete(state: State) -> Iterator[Judgement]:
    """Whether deleting a version, or suspending versioning, needs MFA.

    Finds. Buckets without versioning, or with versioning and without MFA delete.
    Why it matters. Stolen keys alone can then destroy every version of every object.
    False positives. Buckets with lifecycle rules, which S3 does not combine with MFA delete; an Object Lock in
    compliance mode protects as well.
    Fix. As root user with MFA: `aws s3api put-bucket-versioning --mfa … --versioning-configuration
    Status=Enabled,MFADelete=Enabled`.
    References. Amazon S3 user guide, Configuring MFA delete
    """

    def judge(found: Bucket, answer: Answer) -> Judgement:
        seen = (*facts(answer.body, "Status", "MFADelete"), *asked(answer))
        if text(answer.body, "Status") == "Enabled" and text(answer.body, "MFADelete") == "Enabled":
            return Judgement(Verdict.PASS, found.arn, "deleting a version needs MFA", seen)
        return Judgement(Verdict.FAIL, found.arn, "deleting needs no MFA", seen)

    yield from each_answer(state, "GetBucketVersioning", judge)


@check("s3-bucket-encryption", "Buckets encrypt", "A bucket does not encrypt as it should", Severity.MEDIUM)
def encryption(state: State, *, algorithm: str = "any", key_arns: str = "") -> Iterator[Judgement]:
    """How each bucket encrypts new objects unless the upload says otherwise.

    Finds. Buckets without default encryption; with `algorithm` = `kms` those that do not use a KMS key; with
    `key_arns` those that use another one.
    Why it matters. A KMS key gives a second lock, with a log of every use.
    False positives. Since January 2023 every new object is encrypted with S3's own keys, so that the plain question
    cannot fail for new buckets.
    Fix. `aws s3api put-bucket-encryption` with `aws:kms` and the key.
    References. Amazon S3 user guide, Setting default server-side encryption behavior · AWS Config developer guide,
    s3-default-encryption-kms
    """
    wanted, is_kms = chosen(key_arns), one_of("algorithm", algorithm, "any", "kms") == "kms"

    def judge(found: Bucket, answer: Answer) -> Judgement:
        rules = list(items(answer.body, "ServerSideEncryptionConfiguration.Rules"))
        default = member(rules[0], "ApplyServerSideEncryptionByDefault") if rules else None
        seen = (*facts(default, "SSEAlgorithm", "KMSMasterKeyID"), *asked(answer))
        used, key = text(default, "SSEAlgorithm"), text(default, "KMSMasterKeyID")
        if not used:
            return Judgement(Verdict.FAIL, found.arn, "has no default encryption", seen)
        if is_kms and not used.startswith("aws:kms"):
            return Judgement(Verdict.FAIL, found.arn, f"encrypts with {used}, not with a KMS key", seen)
        if wanted and not key:
            return Judgement(Verdict.FAIL, found.arn, "encrypts with the key aws/s3", seen)
        other = another_key(state, found.arn, key, wanted, seen) if wanted else None
        return other or Judgement(Verdict.PASS, found.arn, f"encrypts with {used}", seen)

    yield from each_answer(state, "GetBucketEncryption", judge)


@check("s3-bucket-object-lock", "Buckets lock objects", "A bucket does not lock objects", Severity.LOW)
def object_lock(state: State, *, mode: str = "") -> Iterator[Judgement]:
    """Whether new objects are locked for some time.

    Finds. Buckets without Object Lock, without a default retention, or, with `mode`, with another mode than
    `GOVERNANCE` or `COMPLIANCE`.
    Why it matters. A locked object outlives every key that was stolen.
    False positives. Buckets whose objects are meant to change; locks are put on single objects too.
    Fix. `aws s3api put-object-lock-configuration` with a default retention.
    References. Amazon S3 user guide, Locking objects with Object Lock · AWS Config developer guide,
    s3-bucket-default-lock-enabled
    """
    wanted = one_of("mode", mode, "", "GOVERNANCE", "COMPLIANCE")

    def judge(found: Bucket, answer: Answer) -> Judgement:
        place = "ObjectLockConfiguration.Rule.DefaultRetention.Mode"
        seen = (*facts(answer.body, "ObjectLockConfiguration.ObjectLockEnabled", place), *asked(answer))
        held = text(answer.body, place)
        if not held:
            return Judgement(Verdict.FAIL, found.arn, "does not lock new objects", seen)
        if wanted not in {"", held}:
            return Judgement(Verdict.FAIL, found.arn, f"locks new objects in mode {held}, not {wanted}", seen)
        return Judgement(Verdict.PASS, found.arn, f"locks new objects in mode {held}", seen)

    yield from each_answer(state, "GetObjectLockConfiguration", judge)


@check("s3-bucket-replication", "Buckets are replicated", "A bucket is not replicated", Severity.LOW)
def replication(state: State, *, kind: str = "any") -> Iterator[Judgement]:
    """Whether each bucket copies its objects to another one.

    Finds. Buckets without replication rule, or with one that is not enabled. `kind` = `cross-account` asks for a rule
    into a bucket of another account; `cross-region` and `same-region` find buckets with a rule that copies otherwise.
    Why it matters. A copy elsewhere survives a region, and an intruder who owns this account.
    False positives. Buckets whose content exists elsewhere.
    Fix. `aws s3api put-bucket-replication`.
    References. Amazon S3 user guide, Replicating objects within and across Regions · AWS Config developer guide,
    s3-bucket-replication-enabled
    """
    wanted = one_of("kind", kind, "any", "cross-account", *_KINDS)
    places = regions(state) if wanted in _KINDS else {}
    own = {text(each, "Name") for each in state.each("s3", "ListBuckets")[0].list("Buckets")}

    def judge(found: Bucket, answer: Answer) -> Judgement:
        rules = list(items(answer.body, "ReplicationConfiguration.Rules"))
        seen = (*(fact for rule in rules for fact in _copied(rule, places)), *asked(answer))
        off = [text(rule, "ID") or "without ID" for rule in rules if text(rule, "Status") != "Enabled"]
        if not rules:
            return Judgement(Verdict.FAIL, found.arn, "has no replication rule", seen)
        if off:
            return Judgement(Verdict.FAIL, found.arn, f"replication rules are off: {listing(off)}", seen)
        if wanted == "cross-account" and not any(_is_foreign(rule, state.account, own) for rule in rules):
            return Judgement(Verdict.FAIL, found.arn, "has no replication rule into another account", seen)
        if wanted in _KINDS:
            return _replicated(found, [_destination(rule) for rule in rules], places, wanted, seen)
        return Judgement(Verdict.PASS, found.arn, f"is replicated to {_destination(rules[0])}", seen)

    yield from each_answer(state, "GetBucketReplication", judge)


_KINDS = ("cross-region", "same-region")


def _destination(rule: Mapping[str, object]) -> str:
    """The name of the bucket into which a rule copies."""
    return text(rule, "Destination.Bucket").rpartition(":")[2]


def _copied(rule: Mapping[str, object], places: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Where a rule copies, for evidence."""
    name = _destination(rule)
    region = (("region of the destination", places[name]),) if name in places else ()
    return (*facts(rule, "Status", "Destination.Bucket"), *region)


def _is_foreign(rule: Mapping[str, object], account: str, own: set[str]) -> bool:
    """Whether a rule copies into another account: one that it names, or whose bucket is not among one's own.

    Amazon S3 API reference, Destination: the account is there only where it becomes the owner of copies.
    """
    named = text(rule, "Destination.Account")
    return named != account if named else _destination(rule) not in own


def _is_gone(state: State, name: str) -> bool:
    """Whether S3 said that there is no bucket of that name."""
    return state.answers.get(state.account, GLOBAL, "s3", "HeadBucket", Bucket=name).status is Status.ABSENT


def _replicated(
    found: Bucket, names: list[str], places: Mapping[str, str], kind: str, seen: tuple[tuple[str, str], ...]
) -> Judgement:
    """Whether every destination lies in another region, or every one in the bucket's own."""
    own = places.get(found.name)
    if own is None:
        return unanswered(found.arn, found.said("GetBucketLocation"), evidence=seen)
    is_cross = kind == "cross-region"
    wrong = [name for name in names if name in places and (places[name] != own) is not is_cross]
    if wrong:
        how = f"in its own region, {own}" if is_cross else f"outside its region, {own}"
        return Judgement(Verdict.FAIL, found.arn, f"copies lie {how}: {listing(wrong)}", seen)
    gone = [name for name in names if _is_gone(found.state, name)]
    if gone:
        return Judgement(Verdict.FAIL, found.arn, f"there is no bucket {listing(gone)} to copy to", seen)
    unknown = [name for name in names if name not in places]
    if unknown:
        message = f"where {listing(unknown)} lies is not known"
        return Judgement(Verdict.UNKNOWN, found.arn, message, seen, ("s3:HeadBucket",))
    lie = sorted({places[name] for name in names})
    return Judgement(Verdict.PASS, found.arn, f"is replicated from {own} to {listing(lie)}", seen)


_TARGETS = {
    "TopicConfigurations": "TopicArn",
    "QueueConfigurations": "QueueArn",
    "LambdaFunctionConfigurations": "LambdaFunctionArn",
}


@check(
    "s3-bucket-notifications",
    "Buckets notify of changes",
    "A bucket notifies nobody of changes",
    Severity.INFORMATIONAL,
)
def notifications(state: State, *, destination: str = "", events: str = "") -> Iterator[Judgement]:
    """Whether each bucket tells somebody when objects change.

    Finds. Buckets without event notifications; with `destination` (an ARN) or `events` (`s3:ObjectCreated:*`, …, with
    commas) those that do not send these there.
    Why it matters. Deletes and uploads can be answered when they happen.
    False positives. Few buckets need it; choose those that do.
    Fix. `aws s3api put-bucket-notification-configuration`.
    References. Amazon S3 user guide, Amazon S3 Event Notifications · AWS Config developer guide,
    s3-event-notifications-enabled
    """
    wanted = chosen(events)

    def judge(found: Bucket, answer: Answer) -> Judgement:
        sent = _destinations(answer)
        seen = (*(("destination", arn) for arn in sent), *asked(answer))
        if "EventBridgeConfiguration" in (answer.body or {}) and not (destination or wanted):
            return Judgement(Verdict.PASS, found.arn, "sends every event to EventBridge", seen)
        fits = [arn for arn, told in sent.items() if destination in {"", arn} and wanted <= told]
        if not fits:
            return Judgement(Verdict.FAIL, found.arn, "sends no such notification", seen)
        return Judgement(Verdict.PASS, found.arn, f"notifies {fits[0]}", seen)

    yield from each_answer(state, "GetBucketNotificationConfiguration", judge)


def _destinations(answer: Answer) -> dict[str, set[str]]:
    """The events by the ARN to which they are sent."""
    sent: dict[str, set[str]] = {}
    for kind, name in _TARGETS.items():
        for each in items(answer.body, kind):
            sent.setdefault(text(each, name), set()).update(texts(each, "Events"))
    return sent
