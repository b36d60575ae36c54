"""Checks of CloudTrail: which trail records what, where it delivers, and whether its files can be trusted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clew.audit.buckets import asked
from clew.audit.model import Judgement, Verdict, check, is_true, one_of
from clew.audit.resources import answers, chosen, facts, listing, member, text, unanswered
from clew.audit.trails import (
    BOTH,
    READ,
    TRAILS,
    WRITE,
    active,
    each_trail,
    has_data_events,
    management,
    objects,
    some_trail,
    trails,
    unlisted,
)
from clew.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.audit.model import State
    from clew.audit.trails import Trail


@check("cloudtrail-enabled", "A trail records", "No trail records", Severity.HIGH)
def enabled(state: State, *, bucket: str = "", topic: str = "", log_group: str = "") -> Iterator[Judgement]:
    """Whether a trail records at all.

    Finds. An account without trail, or whose trails are all stopped; with `bucket`, `topic` or `log_group` (ARNs of the
    last two) also one in which no recording trail delivers there.
    Why it matters. After ninety days nobody can tell what happened.
    False positives. A trail of the organisation that this account may not see.
    Fix. `aws cloudtrail create-trail --is-multi-region-trail`, then `start-logging`.
    References. AWS CloudTrail user guide, Creating a trail for your AWS account · AWS Config developer guide,
    cloudtrail-enabled
    """
    wanted = _places(bucket, topic, log_group)

    def judge(trail: Trail) -> Judgement:
        seen = trail.facts(*wanted)
        other = _elsewhere(trail, wanted)
        if other:
            return Judgement(Verdict.FAIL, trail.arn, f"another {listing(other)}", seen)
        return active(trail) or Judgement(Verdict.PASS, trail.arn, "records", (*seen, *asked(trail.status)))

    yield from some_trail(state, judge, wanted="records as it should")


def _wanted(kinds: str) -> frozenset[str]:
    """Reads, writes or both, as selectors of trails write it. Errors: `UsageError` for another word."""
    known = {"All": BOTH, "ReadOnly": frozenset({READ}), "WriteOnly": frozenset({WRITE})}
    return known[one_of("kinds", kinds, *known)]


def _places(bucket: str, topic: str, log_group: str) -> Mapping[str, str]:
    """Where a trail must deliver, by the member that says so; what is not asked for is left out."""
    given = {"S3BucketName": bucket, "SnsTopicARN": topic, "CloudWatchLogsLogGroupArn": log_group}
    return {name: value for name, value in given.items() if value}


def _elsewhere(trail: Trail, wanted: Mapping[str, str]) -> list[str]:
    """The members by which a trail delivers elsewhere. ARNs of log groups end in `:*` or do not."""
    return [
        name
        for name, value in wanted.items()
        if text(trail.data, name).removesuffix(":*") != value.removesuffix(":*")
    ]


@check(
    "cloudtrail-multi-region", "A trail records all regions", "No trail records all regions", Severity.HIGH
)
def multi_region(
    state: State,
    *,
    kinds: str = "All",
    exclusions: str = "allowed",
    management_events: str = "true",
    bucket: str = "",
    topic: str = "",
    log_group: str = "",
) -> Iterator[Judgement]:
    """Whether one trail records the management events of every region, now and in future.

    Finds. An account without a trail that is on, covers all regions and global services, and records reads and writes
    of every management event. `kinds` is `All`, `ReadOnly` or `WriteOnly`; `exclusions` = `refused` also fails a
    trail that leaves out event sources (KMS, RDS Data); `management_events` = `false` does not ask for management
    events; `bucket`, `topic` and `log_group` (ARNs of the last two) say where it must deliver.
    Why it matters. Intruders work in the region that nobody records.
    False positives. One trail for each region, made by hand; regions that are closed by policy.
    Fix. `aws cloudtrail update-trail --is-multi-region-trail --include-global-service-events`, `start-logging`, and
    selectors with `ReadWriteType` `All`.
    References. AWS CloudTrail user guide, Security best practices in AWS CloudTrail · AWS Config developer guide,
    multi-region-cloudtrail-enabled
    """
    wanted, places = _wanted(kinds), _places(bucket, topic, log_group)
    out = one_of("exclusions", exclusions, "allowed", "refused")
    is_of_management = is_true("management_events", management_events)

    def judge(trail: Trail) -> Judgement:
        seen = (
            *trail.facts("IsMultiRegionTrail", "IncludeGlobalServiceEvents", *places),
            *asked(trail.status, trail.selectors),
        )
        other = _elsewhere(trail, places)
        if other:
            return Judgement(Verdict.FAIL, trail.arn, f"another {listing(other)}", seen)
        if not trail.is_of_all_regions:
            return Judgement(Verdict.FAIL, trail.arn, f"records {trail.home} only", seen)
        if member(trail.data, "IncludeGlobalServiceEvents") is False:
            return Judgement(Verdict.FAIL, trail.arn, "leaves out global services", seen)
        stopped = active(trail)
        if stopped is not None:
            return stopped
        if not is_of_management:
            return Judgement(Verdict.PASS, trail.arn, "records all regions", seen)
        return _management(trail, wanted, out, seen)

    yield from some_trail(state, judge, wanted="records all regions", of_all_regions=True)


def _management(
    trail: Trail, wanted: frozenset[str], exclusions: str, seen: tuple[tuple[str, str], ...]
) -> Judgement:
    found = management(trail)
    if found is None:
        if trail.selectors.status.is_known:
            return Judgement(Verdict.FAIL, trail.arn, "is gone", seen)
        return unanswered(trail.arn, trail.selectors, evidence=seen)
    lacking = sorted(wanted - found.kinds)
    if lacking:
        return Judgement(
            Verdict.FAIL, trail.arn, f"does not record every {' and '.join(lacking)} of management", seen
        )
    out = f"leaves out {listing(found.left_out)}" if found.left_out else ""
    if out and exclusions == "refused":
        return Judgement(Verdict.FAIL, trail.arn, out, seen)
    return Judgement(Verdict.PASS, trail.arn, f"records all regions{f', but {out}' if out else ''}", seen)


@check(
    "cloudtrail-security-trail",
    "One trail has every protection",
    "No trail has every protection",
    Severity.MEDIUM,
)
def security_trail(state: State) -> Iterator[Judgement]:
    """Whether one trail is all at once: on, of all regions, with global services, validated, encrypted, complete.

    Finds. An account in which no single trail has global services, all regions, log file validation, a KMS key, reads
    and writes of management events and no event source left out.
    Why it matters. Two half trails do not make one that stands up as evidence.
    False positives. A trail of the organisation that this account may not see.
    Fix. Bring one trail to that state.
    References. AWS Config developer guide, cloudtrail-security-trail-enabled
    """

    def judge(trail: Trail) -> Judgement:
        seen = trail.facts(
            "IsMultiRegionTrail", "IncludeGlobalServiceEvents", "LogFileValidationEnabled", "KmsKeyId"
        )
        lacking = [
            name
            for name in ("IsMultiRegionTrail", "IncludeGlobalServiceEvents", "LogFileValidationEnabled")
            if member(trail.data, name) is not True
        ]
        lacking += [] if text(trail.data, "KmsKeyId") else ["KmsKeyId"]
        if lacking:
            return Judgement(Verdict.FAIL, trail.arn, f"lacks {', '.join(lacking)}", seen)
        return active(trail) or _management(trail, BOTH, "refused", seen)

    yield from some_trail(state, judge, wanted="has every protection", of_all_regions=True)


@check(
    "cloudtrail-log-validation",
    "Trails validate their log files",
    "A trail does not validate its files",
    Severity.MEDIUM,
)
def log_validation(state: State) -> Iterator[Judgement]:
    """Whether CloudTrail writes signed digests of a trail's files.

    Finds. Trails with `LogFileValidationEnabled` off.
    Why it matters. Nobody can otherwise prove that a file is whole and that none is missing.
    False positives. A trail whose files are proved by an Object Lock alone.
    Fix. `aws cloudtrail update-trail --enable-log-file-validation`; `clew` checks the digests.
    References. AWS CloudTrail user guide, Validating CloudTrail log file integrity · AWS Config developer guide,
    cloud-trail-log-file-validation-enabled
    """

    def judge(trail: Trail) -> Judgement:
        on = member(trail.data, "LogFileValidationEnabled") is True
        message = "validates its files" if on else "does not validate its files"
        verdict = Verdict.PASS if on else Verdict.FAIL
        return Judgement(verdict, trail.arn, message, trail.facts("LogFileValidationEnabled"))

    yield from each_trail(state, judge)


@check(
    "cloudtrail-cloudwatch-logs",
    "Trails deliver to CloudWatch Logs",
    "A trail does not deliver to CloudWatch Logs",
    Severity.LOW,
)
def cloudwatch_logs(state: State, *, hours: int = 24) -> Iterator[Judgement]:
    """Whether each trail delivers its events to CloudWatch Logs, and did so lately.

    Finds. Trails without log group, or whose last delivery is more than `hours` back (0: any time will do).
    Why it matters. Alarms on events need them there.
    False positives. Trails whose events are watched elsewhere, by EventBridge or in a lake.
    Fix. `aws cloudtrail update-trail --cloud-watch-logs-log-group-arn … --cloud-watch-logs-role-arn …`.
    References. AWS CloudTrail user guide, Sending events to CloudWatch Logs · AWS Config developer guide,
    cloud-trail-cloud-watch-logs-enabled
    """

    def judge(trail: Trail) -> Judgement:
        seen = (*trail.facts("CloudWatchLogsLogGroupArn"), *_delivery(trail))
        if not text(trail.data, "CloudWatchLogsLogGroupArn"):
            return Judgement(Verdict.FAIL, trail.arn, "has no log group", seen)
        if not hours:
            return Judgement(Verdict.PASS, trail.arn, "has a log group", seen)
        if not trail.status.status.is_known:
            return unanswered(trail.arn, trail.status, evidence=seen)
        at = moment(text(trail.status.body, "LatestCloudWatchLogsDeliveryTime"))
        if at is None:
            return Judgement(Verdict.FAIL, trail.arn, "never delivered to its log group", seen)
        back = (state.as_of - at).total_seconds() / 3600
        if back > hours:
            return Judgement(Verdict.FAIL, trail.arn, f"delivered last {back:.0f} hours before", seen)
        return Judgement(Verdict.PASS, trail.arn, "delivers to its log group", seen)

    yield from each_trail(state, judge)


def _delivery(trail: Trail) -> tuple[tuple[str, str], ...]:
    named = ("LatestCloudWatchLogsDeliveryTime", "LatestCloudWatchLogsDeliveryError")
    return (*facts(trail.status.body, *named), *asked(trail.status))


def moment(written: str) -> datetime | None:
    """The time that an answer writes, in ISO 8601 or as seconds since 1970; None where it writes none."""
    try:
        found = (
            datetime.fromtimestamp(float(written), UTC) if written[:11].replace(".", "").isdigit() else None
        )
        found = found or datetime.fromisoformat(written)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@check(
    "cloudtrail-encryption", "Trails encrypt with a KMS key", "A trail has no working KMS key", Severity.LOW
)
def encryption(state: State) -> Iterator[Judgement]:
    """Whether each trail encrypts its files with a KMS key that works.

    Finds. Trails without key; as worse, those whose key is disabled or waits for deletion, which stops delivery and
    makes the files unreadable.
    Why it matters. Reading the files then takes a second permission, and each read is recorded.
    False positives. A key of another account, which is not looked at.
    Fix. `aws cloudtrail update-trail --kms-key-id …` with a key whose policy lets CloudTrail encrypt.
    References. AWS CloudTrail user guide, Encrypting CloudTrail log files with AWS KMS keys · AWS Config developer
    guide, cloud-trail-encryption-enabled
    """

    def judge(trail: Trail) -> Judgement:
        seen = trail.facts("KmsKeyId")
        key = text(trail.data, "KmsKeyId")
        if not key:
            return Judgement(Verdict.FAIL, trail.arn, "has no KMS key", seen)
        parts = key.split(":")
        region, account = (parts[3], parts[4]) if len(parts) > 5 else (trail.home, state.account)  # noqa: PLR2004  # an ARN has six parts
        if account != state.account:
            return Judgement(Verdict.PASS, trail.arn, "encrypts with a key of another account", seen)
        answer = state.answers.get(account, region, "kms", "DescribeKey", KeyId=key.rpartition("/")[2])
        seen = (*seen, *facts(answer.body, "KeyMetadata.KeyState"), *asked(answer))
        if not answer.status.is_known:
            return unanswered(trail.arn, answer, evidence=seen)
        condition = text(answer.body, "KeyMetadata.KeyState") or "gone"
        if condition != "Enabled":
            message = f"its key is not in use: {condition}"
            return Judgement(Verdict.FAIL, trail.arn, message, seen, severity=Severity.HIGH)
        return Judgement(Verdict.PASS, trail.arn, "encrypts with a KMS key", seen)

    yield from each_trail(state, judge)


@check("cloudtrail-delivery", "Trails deliver without errors", "A trail cannot deliver", Severity.HIGH)
def delivery(state: State) -> Iterator[Judgement]:
    """Whether a trail records each region and its files arrive, as Trusted Advisor weighs it.

    Finds. High: no trail, or none that records all regions. Medium: every such trail reports an error of its last
    delivery.
    Why it matters. Files that do not arrive are not written later.
    False positives. An error that was repaired after the last delivery.
    Fix. Read `LatestDeliveryError`, and repair the bucket's policy or the key's.
    References. AWS Support user guide, AWS CloudTrail Management Event Logging · AWS CloudTrail API reference,
    GetTrailStatus
    """

    def judge(trail: Trail) -> Judgement:
        seen = (*trail.facts(), *facts(trail.status.body, "LatestDeliveryError"), *asked(trail.status))
        if not trail.is_of_all_regions:
            return Judgement(Verdict.FAIL, trail.arn, f"records {trail.home} only", seen)
        stopped = active(trail)
        if stopped is not None:
            return stopped
        error = text(trail.status.body, "LatestDeliveryError")
        if error:
            return Judgement(
                Verdict.FAIL, trail.arn, f"cannot deliver: {error}", seen, severity=Severity.MEDIUM
            )
        return Judgement(Verdict.PASS, trail.arn, "records all regions and delivers", seen)

    yield from some_trail(state, judge, wanted="records all regions and delivers", of_all_regions=True)


@check(
    "cloudtrail-s3-data-events",
    "Calls on objects are recorded",
    "Calls on objects are not recorded",
    Severity.LOW,
)
def s3_data_events(state: State, *, kinds: str = "All", buckets: str = "") -> Iterator[Judgement]:
    """Whether trails record the calls on objects of all buckets, or of those named.

    Finds. An account whose recording trails together do not record S3 data events of all buckets. `kinds` is `All`,
    `ReadOnly` or `WriteOnly`; `buckets` names some, with commas.
    Why it matters. Management events say nothing of who read or deleted which object.
    False positives. Accounts whose buckets log access, or whose volume makes it too dear.
    Fix. `aws cloudtrail put-event-selectors` with an advanced selector for `AWS::S3::Object`.
    References. AWS CloudTrail user guide, Logging data events · AWS Config developer guide,
    cloudtrail-s3-dataevents-enabled
    """
    wanted, named = _wanted(kinds), sorted(chosen(buckets))

    recorded: set[str] = set()
    unknown = [*unlisted(state)]
    seen = asked(*answers(state, TRAILS))
    for trail in trails(state):
        stopped, found = active(trail), objects(trail, named)
        seen = (*seen, ("TrailARN", trail.arn), *asked(trail.status, trail.selectors))
        if stopped is not None:
            unknown += [stopped] if stopped.verdict is Verdict.UNKNOWN else []
        elif found is None:
            unknown.append(unanswered(trail.arn, trail.selectors, evidence=trail.facts()))
        else:
            recorded |= found.kinds
    lacking = sorted(wanted - recorded)
    of = "these buckets" if named else "all buckets"
    if not lacking:
        yield Judgement(Verdict.PASS, state.account_arn, f"calls on objects of {of} are recorded", seen)
    elif unknown:
        yield from unknown
    else:
        message = f"no trail records {' and '.join(lacking)} of objects of {of}"
        yield Judgement(Verdict.FAIL, state.account_arn, message, seen)


@check("cloudtrail-data-events", "Some data events are recorded", "No data events are recorded", Severity.LOW)
def data_events(state: State) -> Iterator[Judgement]:
    """Whether a trail records data events of anything.

    Finds. An account whose recording trails record no data events at all.
    Why it matters. Reads of objects, tables and secrets of functions leave no trace then.
    False positives. Accounts without sensitive data.
    Fix. Choose the buckets, tables and functions that matter and add advanced selectors for them; `clew coverage` says
    what is not seen.
    References. AWS CloudTrail user guide, Logging data events
    """

    def judge(trail: Trail) -> Judgement:
        stopped = active(trail)
        if stopped is not None:
            return stopped
        found = has_data_events(trail)
        seen = (*trail.facts("HasCustomEventSelectors"), *asked(trail.selectors))
        if found is None:
            return unanswered(trail.arn, trail.selectors, evidence=seen)
        message = "records data events" if found else "records no data events"
        return Judgement(Verdict.PASS if found else Verdict.FAIL, trail.arn, message, seen)

    yield from some_trail(state, judge, wanted="records data events")
