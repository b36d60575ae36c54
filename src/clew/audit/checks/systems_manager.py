"""Checks of what Systems Manager sees of instances: management, patches, sessions; and of bastions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clew.audit.checks.ec2_instances import INSTANCES, PATH, instance_arn, instance_state
from clew.audit.model import Judgement, Verdict, check
from clew.audit.resources import (
    Index,
    answers,
    each_region,
    each_resource,
    facts,
    items,
    listing,
    region_arn,
    regions_left_out,
    tags,
    text,
    unanswered,
)
from clew.findings import Severity
from clew.snapshot.answers import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.audit.model import State
    from clew.snapshot.answers import Answer

_DOCUMENT = "ssm:GetDocument"
_ZONES = 2
_PREFERENCES = (
    "cloudWatchLogGroupName",
    "cloudWatchEncryptionEnabled",
    "s3BucketName",
    "s3EncryptionEnabled",
    "kmsKeyId",
)


@check(
    "ssm-managed-instances",
    "Instances are managed",
    "Systems Manager does not reach an instance",
    Severity.LOW,
)
def managed_instances(state: State) -> Iterator[Judgement]:
    """Running instances that Systems Manager does not reach.

    Finds. A running instance that is not among the managed ones, or whose agent is not online.
    Why it matters. Nobody can patch it, take its inventory or look at it without a port for administration.
    False positives. Appliances on which no agent can run.
    Fix. Install the agent, give the instance's role AmazonSSMManagedInstanceCore, and a way to the endpoints.
    References. AWS Systems Manager user guide, Managed nodes · AWS Config developer guide,
    ec2-instance-managed-by-systems-manager
    """
    informed = Index("InstanceInformationList", lambda item: (text(item, "InstanceId"),))

    def judge(instance: Mapping[str, object], answer: Answer) -> Judgement | None:
        if instance_state(instance) != "running":
            return None
        name = instance_arn(state, instance, answer)
        managed = _ssm(state, answer, "DescribeInstanceInformation")
        if not managed.status.is_known:
            return unanswered(name, managed)
        own = next(iter(informed.of(managed, text(instance, "InstanceId"))), None)
        seen = facts(own, "PingStatus", "LastPingDateTime", "AgentVersion", "PlatformName")
        if own is None:
            return Judgement(Verdict.FAIL, name, "is not managed")
        if text(own, "PingStatus") != "Online":
            return Judgement(Verdict.FAIL, name, f"its agent is {text(own, 'PingStatus') or 'silent'}", seen)
        return Judgement(Verdict.PASS, name, "its agent is online", seen)

    yield from each_resource(state, INSTANCES, PATH, judge, none="no instance is running")


def _ssm(state: State, answer: Answer, operation: str) -> Answer:
    return state.answers.get(state.account, answer.call.region, "ssm", operation)


@check("ssm-patched", "Instances have their patches", "An instance lacks patches", Severity.MEDIUM)
def patched(state: State) -> Iterator[Judgement]:
    """Instances that lack patches of their baseline.

    Finds. A running instance whose patch compliance is NON_COMPLIANT, or that was never scanned for patches.
    Why it matters. Published holes are the first that are tried.
    False positives. Instances that are replaced by new images every week, and are never patched.
    Fix. Run AWS-RunPatchBaseline, and a maintenance window or patch policy that repeats it.
    References. AWS Systems Manager user guide, AWS Systems Manager Compliance · AWS Config developer guide,
    ec2-managedinstance-patch-compliance-status-check
    """
    summaries = Index("ResourceComplianceSummaryItems", lambda item: (text(item, "ResourceId"),))

    def judge(instance: Mapping[str, object], answer: Answer) -> Judgement | None:
        if instance_state(instance) != "running":
            return None
        name = instance_arn(state, instance, answer)
        told = _ssm(state, answer, "ListResourceComplianceSummaries")
        if not told.status.is_known:
            return unanswered(name, told)
        own = [
            each
            for each in summaries.of(told, text(instance, "InstanceId"))
            if text(each, "ComplianceType") == "Patch"
        ]
        if not own:
            return Judgement(Verdict.FAIL, name, "was never scanned for patches")
        seen = facts(own[0], "Status", "OverallSeverity", "ExecutionSummary.ExecutionTime")
        if text(own[0], "Status") == "COMPLIANT":
            return Judgement(Verdict.PASS, name, "has its patches", seen)
        return Judgement(Verdict.FAIL, name, "lacks patches", seen)

    yield from each_resource(state, INSTANCES, PATH, judge, none="no instance is running")


@check(
    "ssm-session-logging", "Sessions are recorded and encrypted", "Sessions are not recorded", Severity.MEDIUM
)
def session_logging(state: State) -> Iterator[Judgement]:
    """Whether Session Manager records what is typed, and encrypts sessions with a key of the customer.

    Finds. A region with managed instances where sessions go neither to a log group nor to a bucket, or are recorded
    without encryption, or run without a KMS key.
    Why it matters. Otherwise nobody can say what was done on an instance, only that somebody was there.
    False positives. A region in which service control policies forbid sessions.
    Fix. Set the preferences of Session Manager: log group or bucket with encryption, and a KMS key.
    References. AWS Systems Manager user guide, Logging session activity · AWS Systems Manager user guide, Turn on KMS
    key encryption of session data
    """

    def judge(answer: Answer) -> Judgement:
        name, where = region_arn(state, answer), answer.call.region
        managed = state.about(answer, "DescribeInstanceInformation")
        if not managed.status.is_known:
            return unanswered(name, managed)
        if not managed.list("InstanceInformationList"):
            return Judgement(Verdict.NOT_APPLICABLE, name, f"no instance is managed in {where}")
        if answer.status is Status.ABSENT:
            return Judgement(
                Verdict.FAIL, name, f"Session Manager in {where} has no preferences: nothing is recorded"
            )
        return _preferences(name, where, answer)

    yield from each_region(state, _DOCUMENT, judge)


def _preferences(name: str, where: str, answer: Answer) -> Judgement:
    try:
        inputs = json.loads(text(answer.body, "Content")).get("inputs", {})
    except (ValueError, AttributeError):
        return Judgement(Verdict.UNKNOWN, name, "the preferences cannot be read", missing=(_DOCUMENT,))
    logs, bucket = text(inputs, "cloudWatchLogGroupName"), text(inputs, "s3BucketName")
    seen = facts(
        inputs,
        "cloudWatchLogGroupName",
        "cloudWatchEncryptionEnabled",
        "s3BucketName",
        "s3EncryptionEnabled",
        "kmsKeyId",
    )
    lacking = [] if logs or bucket else ["recorded"]
    if (logs and inputs.get("cloudWatchEncryptionEnabled") is False) or (
        bucket and inputs.get("s3EncryptionEnabled") is False
    ):
        lacking.append("recorded with encryption")
    if not text(inputs, "kmsKeyId"):
        lacking.append("encrypted with a KMS key")
    if lacking:
        return Judgement(Verdict.FAIL, name, f"sessions in {where} are not {' and not '.join(lacking)}", seen)
    return Judgement(Verdict.PASS, name, "sessions are recorded and encrypted", seen)


@check("ec2-bastion-zones", "Bastions stand in two zones", "Bastions stand in one zone", Severity.LOW)
def bastion_zones(state: State, *, names: str = "bastion,jump") -> Iterator[Judgement]:
    """Whether the bastions of a VPC survive the loss of a zone.

    Finds. A VPC whose running bastions, instances with one of `names` in the tag Name or Role, stand in one zone.
    Why it matters. When the zone fails nobody can reach what has to be repaired.
    False positives. A second way in, such as Session Manager, which needs no bastion at all.
    Fix. Run a bastion in another zone, best as an Auto Scaling group; or use Session Manager.
    References. Amazon EC2 user guide, Connect to your Linux instance · AWS Well-Architected Framework, Deploy the
    workload to multiple locations
    """
    words = tuple(name.strip().lower() for name in names.split(",") if name.strip())
    judged = False
    for answer in answers(state, INSTANCES):
        if not answer.status.is_known:
            judged = True
            yield unanswered(state.account_arn, answer)
        for vpc, zones in _bastions(answer, words).items():
            judged = True
            yield _zones(f"{region_arn(state, answer).rpartition(':')[0]}:vpc/{vpc}", zones)
    for left in regions_left_out(state, INSTANCES):
        judged = True
        yield left
    if not judged:
        yield Judgement(
            Verdict.NOT_APPLICABLE, state.account_arn, "no running instance is named as a bastion"
        )


def _bastions(answer: Answer, words: tuple[str, ...]) -> Mapping[str, dict[str, str]]:
    """The bastions of each VPC, with the zone of each."""
    found: dict[str, dict[str, str]] = {}
    for instance in items(answer.body, PATH):
        own = tags(instance)
        named = f"{own.get('Name', '')} {own.get('Role', '')}".lower()
        if instance_state(instance) == "running" and any(word in named for word in words):
            place = text(instance, "Placement.AvailabilityZone")
            found.setdefault(text(instance, "VpcId"), {})[text(instance, "InstanceId")] = place
    return found


def _zones(name: str, zones: Mapping[str, str]) -> Judgement:
    seen, several = tuple(zones.items()), sorted(set(zones.values()))
    if len(several) < _ZONES:
        return Judgement(Verdict.FAIL, name, f"its bastions stand in {listing(several)} only", seen)
    return Judgement(Verdict.PASS, name, f"its bastions stand in {listing(several)}", seen)
