"""Checks of the services that watch: GuardDuty, Security Hub, Macie and Inspector, region by region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.buckets import region_of
from clew.audit.kms_keys import another_key
from clew.audit.lambda_runtimes import DEPRECATED_ON, LISTED
from clew.audit.model import Judgement, Verdict, check, one_of
from clew.audit.resources import (
    arn,
    chosen,
    each_region,
    each_resource,
    facts,
    items,
    listing,
    member,
    region_arn,
    text,
    texts,
    unanswered,
)
from clew.aws.glob import matches
from clew.findings import Severity
from clew.snapshot.answers import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from clew.audit.model import State
    from clew.snapshot.answers import Answer

_NO_ENDPOINT = "NoEndpoint"
_SCANNED = ("ec2", "ecr", "lambda")


@check("guardduty-enabled", "GuardDuty is on in every region", "GuardDuty is off", Severity.MEDIUM)
def guardduty(state: State, *, central: str = "") -> Iterator[Judgement]:
    """Whether GuardDuty looks at each region that the account can use.

    Finds. A region without detector, or whose detector is disabled; with `central` (account ids, with commas) also one
    whose findings do not reach one of these accounts as administrator.
    Why it matters. Intruders like the regions that nobody watches.
    False positives. A region that a service control policy closes for everybody.
    Fix. Enable GuardDuty for the organisation from its delegated administrator, in all regions.
    References. Amazon GuardDuty user guide, Getting started with GuardDuty · AWS Config developer guide,
    guardduty-enabled-centralized
    """
    wanted = chosen(central)

    def judge(answer: Answer) -> Judgement:
        name = region_arn(state, answer)
        if answer.error_code == _NO_ENDPOINT:
            return _not_there(name, answer)
        found = texts(answer.body, "DetectorIds")
        if not found:
            return Judgement(Verdict.FAIL, name, f"no detector in {answer.call.region}")
        detector = state.about(answer, "GetDetector", DetectorId=found[0])
        if not detector.status.is_known:
            return unanswered(name, detector)
        seen = (("DetectorId", found[0]), *facts(detector.body, "Status"))
        if text(detector.body, "Status") != "ENABLED":
            return Judgement(Verdict.FAIL, name, f"the detector in {answer.call.region} is disabled", seen)
        if wanted and state.account not in wanted:
            told = state.about(answer, "GetAdministratorAccount", DetectorId=found[0])
            return _administered(name, told, wanted, seen)
        return Judgement(Verdict.PASS, name, "the detector is enabled", seen)

    yield from each_region(state, "guardduty:ListDetectors", judge)


def _administered(
    name: str, told: Answer, wanted: frozenset[str], seen: tuple[tuple[str, str], ...]
) -> Judgement:
    """Whether GuardDuty's findings reach one of these accounts."""
    if not told.status.is_known:
        return unanswered(name, told, evidence=seen)
    paths = ("Administrator.AccountId", "Administrator.RelationshipStatus")
    seen = (*seen, *facts(told.body, *paths))
    account, relation = (text(told.body, path) for path in paths)
    if account in wanted and relation == "Enabled":
        return Judgement(Verdict.PASS, name, f"the detector is enabled, and {account} administers it", seen)
    message = f"{account or 'nobody'} administers the detector in {told.call.region}"
    return Judgement(Verdict.FAIL, name, message, seen)


@check("securityhub-enabled", "Security Hub is on in every region", "Security Hub is off", Severity.MEDIUM)
def security_hub(state: State) -> Iterator[Judgement]:
    """Whether Security Hub gathers findings in each region.

    Finds. A region in which the account has not enabled Security Hub.
    Why it matters. Findings of several services otherwise lie in as many places, and nobody sees them all.
    False positives. A region that a service control policy closes; findings gathered by another product.
    Fix. Enable Security Hub for the organisation from its delegated administrator.
    References. AWS Security Hub user guide, Enabling Security Hub · AWS Config developer guide, securityhub-enabled
    """

    def judge(answer: Answer) -> Judgement:
        name = region_arn(state, answer)
        if answer.error_code == _NO_ENDPOINT:
            return _not_there(name, answer)
        if answer.status is Status.ABSENT:
            seen = (("error", answer.error_code),)
            return Judgement(Verdict.FAIL, name, f"not enabled in {answer.call.region}", seen)
        return Judgement(Verdict.PASS, name, "is enabled", facts(answer.body, "HubArn", "SubscribedAt"))

    yield from each_region(state, "securityhub:DescribeHub", judge)


@check("macie-enabled", "Macie is on where there are buckets", "Macie is off", Severity.LOW)
def macie(state: State) -> Iterator[Judgement]:
    """Whether Macie looks at the account's buckets in each region that has some.

    Finds. A region in which a bucket lies and Macie is not enabled, or paused.
    Why it matters. Nobody knows otherwise which buckets hold names, numbers of cards or keys.
    False positives. Buckets whose content is known; sensitive data that another product finds.
    Fix. Enable Macie for the organisation from its delegated administrator, with automated discovery.
    References. Amazon Macie user guide, Getting started with Macie
    """
    used, open_ = _regions_with_buckets(state)

    def judge(answer: Answer) -> Judgement:
        name = region_arn(state, answer)
        if answer.error_code == _NO_ENDPOINT:
            return _not_there(name, answer)
        status = text(answer.body, "status") or answer.error_code
        if status == "ENABLED":
            return Judgement(Verdict.PASS, name, "is enabled", (("status", status),))
        if answer.call.region in used:
            message = f"not enabled in {answer.call.region}, where buckets lie"
            return Judgement(Verdict.FAIL, name, message, (("status", status),))
        if open_ is not None:
            return unanswered(name, open_)
        return Judgement(Verdict.NOT_APPLICABLE, name, "no bucket lies there", (("status", status),))

    yield from each_region(state, "macie2:GetMacieSession", judge)


def _regions_with_buckets(state: State) -> tuple[frozenset[str], Answer | None]:
    """The regions in which buckets lie, and the answer that is missing to know them all."""
    listed = state.each("s3", "ListBuckets")[0]
    if not listed.status.is_known:
        return frozenset(), listed
    found, missing = set(), None
    for bucket in listed.list("Buckets"):
        place = state.about(listed, "GetBucketLocation", Bucket=text(bucket, "Name"))
        if not place.status.is_known:
            missing = place
        elif place.body is not None:
            found.add(region_of(place))
    return frozenset(found), missing


@check("inspector-enabled", "Inspector scans what runs", "Inspector does not scan", Severity.MEDIUM)
def inspector(state: State, *, resources: str = "ec2,ecr,lambda") -> Iterator[Judgement]:
    """Whether Inspector scans instances, images and functions in each region.

    Finds. A region in which Inspector is off for one of `resources` (ec2, ecr, lambda).
    Why it matters. Holes that are published today are tried on everything tomorrow.
    False positives. A region in which nothing runs; scans by another product.
    Fix. Enable Inspector for the organisation from its delegated administrator.
    References. Amazon Inspector user guide, Getting started with Amazon Inspector
    """
    wanted = tuple(one_of("resources", name, *_SCANNED) for name in sorted(chosen(resources)))

    def judge(answer: Answer) -> Judgement:
        name = region_arn(state, answer)
        if answer.error_code == _NO_ENDPOINT:
            return _not_there(name, answer)
        own = next(items(answer.body, "accounts"), None)
        if own is None:
            message = "the answer does not tell of the account"
            return Judgement(Verdict.UNKNOWN, name, message, missing=("inspector2:BatchGetAccountStatus",))
        seen = tuple((kind, text(own, f"resourceState.{kind}.status") or "not given") for kind in wanted)
        off = [kind for kind, status in seen if status != "ENABLED"]
        if off:
            return Judgement(Verdict.FAIL, name, f"off in {answer.call.region} for {', '.join(off)}", seen)
        return Judgement(Verdict.PASS, name, "scans all of them", seen)

    yield from each_region(state, "inspector2:BatchGetAccountStatus", judge)


def _not_there(name: str, answer: Answer) -> Judgement:
    return Judgement(Verdict.NOT_APPLICABLE, name, f"{answer.call.service} is not in {answer.call.region}")


@check("logs-retention", "Log groups are kept long enough", "A log group is kept too short", Severity.LOW)
def logs_retention(state: State, *, days: int = 365, names: str = "") -> Iterator[Judgement]:
    """How long log groups keep their events.

    Finds. A log group whose events expire before `days`; one that never expires passes. `names` chooses groups by their
    names, with commas, `*` for any text; all where it is empty.
    Why it matters. Intruders are often found after months, and then the first days matter.
    False positives. Groups of test functions.
    Fix. `aws logs put-retention-policy`
    References. Amazon CloudWatch Logs user guide, Working with log groups and log streams · AWS Config developer guide,
    cw-loggroup-retention-period-check
    """
    patterns = chosen(names)

    def judge(group: Mapping[str, object], answer: Answer) -> Judgement | None:
        if patterns and not any(matches(each, text(group, "logGroupName")) for each in patterns):
            return None
        name, kept = _log_group(state, group, answer), member(group, "retentionInDays")
        seen = facts(group, "retentionInDays")
        if kept is None:
            return Judgement(Verdict.PASS, name, "never expires", seen)
        verdict = Verdict.PASS if isinstance(kept, int) and kept >= days else Verdict.FAIL
        return Judgement(verdict, name, f"keeps events for {kept} days", seen)

    yield from each_resource(
        state, "logs:DescribeLogGroups", "logGroups", judge, none="there are no log groups"
    )


@check(
    "logs-encrypted", "Log groups are encrypted with a KMS key", "A log group has no KMS key", Severity.LOW
)
def logs_encrypted(state: State, *, key: str = "") -> Iterator[Judgement]:
    """Whether log groups are encrypted with a key of the customer.

    Finds. A log group without a KMS key, or with another than `key`. CloudWatch Logs encrypts all the same, with a key
    of its own.
    Why it matters. Only with a key of yours can you say who may read the logs, see who did, and stop it.
    False positives. Groups that hold nothing secret.
    Fix. `aws logs associate-kms-key`
    References. Amazon CloudWatch Logs user guide, Encrypt log data in CloudWatch Logs using AWS KMS · AWS Config
    developer guide, cloudwatch-log-group-encrypted
    """

    def judge(group: Mapping[str, object], answer: Answer) -> Judgement:
        name, seen = _log_group(state, group, answer), facts(group, "kmsKeyId")
        own = text(group, "kmsKeyId")
        if not own:
            return Judgement(Verdict.FAIL, name, "has no KMS key", seen)
        other = another_key(state, name, own, [key], seen) if key else None
        return other or Judgement(Verdict.PASS, name, "is encrypted with a KMS key", seen)

    yield from each_resource(
        state, "logs:DescribeLogGroups", "logGroups", judge, none="there are no log groups"
    )


def _log_group(state: State, group: Mapping[str, object], answer: Answer) -> str:
    return text(group, "logGroupArn") or arn(state, answer, f"log-group:{text(group, 'logGroupName')}")


@check("lambda-in-vpc", "Functions run in a VPC", "A function runs outside your VPCs", Severity.LOW)
def lambda_in_vpc(state: State, *, subnets: str = "") -> Iterator[Judgement]:
    """Whether functions run in a VPC of the account.

    Finds. A function without VPC, or with a subnet that is not one of `subnets`.
    Why it matters. Only in a VPC do security groups, endpoints and flow logs limit and record what a function reaches.
    False positives. Functions that call nothing but AWS; most need no VPC.
    Fix. Give the function subnets and security groups.
    References. AWS Lambda developer guide, Giving Lambda functions access to resources in an Amazon VPC · AWS Config
    developer guide, lambda-inside-vpc
    """
    allowed = chosen(subnets)

    def judge(function: Mapping[str, object], _: Answer) -> Judgement:
        name, seen = text(function, "FunctionArn"), facts(function, "VpcConfig.VpcId", "VpcConfig.SubnetIds")
        if not text(function, "VpcConfig.VpcId"):
            return Judgement(Verdict.FAIL, name, "runs outside your VPCs", seen)
        other = [each for each in texts(function, "VpcConfig.SubnetIds") if allowed and each not in allowed]
        if other:
            return Judgement(Verdict.FAIL, name, f"runs in {listing(other)}", seen)
        return Judgement(Verdict.PASS, name, f"runs in {text(function, 'VpcConfig.VpcId')}", seen)

    yield from each_resource(state, "lambda:ListFunctions", "Functions", judge, none="there are no functions")


# AWS Trusted Advisor check reference: AWS Lambda Functions Using Deprecated Runtimes, L4dfs2Q4C5.
_WOULD_TELL = "trustedadvisor:ListRecommendations"


@check(
    "lambda-runtime",
    "Functions run on supported runtimes",
    "A function runs on an old runtime",
    Severity.MEDIUM,
)
def lambda_runtime(state: State, *, deprecated: str = "") -> Iterator[Judgement]:
    """Functions whose runtime gets no more patches.

    Finds. A function whose runtime AWS has deprecated by the time of the snapshot. AWS moves such dates and adds
    runtimes: each answer names the month of Clew's list, and a runtime that is not on it is unknown. With `deprecated`,
    a list of your own (names with commas), what is not on it passes. A function that is an image names no runtime and
    is not judged.
    Why it matters. Holes in the language are no longer mended, and one day the function can no longer be changed.
    False positives. None known.
    Fix. Move the function to a supported runtime.
    References. AWS Lambda developer guide, Lambda runtimes · AWS Trusted Advisor check reference, AWS Lambda Functions
    Using Deprecated Runtimes
    """
    own = chosen(deprecated)

    def judge(function: Mapping[str, object], _: Answer) -> Judgement | None:
        runtime, name = text(function, "Runtime"), text(function, "FunctionArn")
        seen = facts(function, "Runtime", "PackageType", "LastModified")
        if not runtime:
            return None
        if own:
            verdict = Verdict.FAIL if runtime in own else Verdict.PASS
            how = "names" if runtime in own else "does not name"
            message = f"runs on {runtime}, which the given list {how} as deprecated"
            return Judgement(verdict, name, message, seen)
        return _supported(name, runtime, state.as_of.date(), seen)

    yield from each_resource(
        state, "lambda:ListFunctions", "Functions", judge, none="no function has a runtime"
    )


def _supported(name: str, runtime: str, day: date, seen: tuple[tuple[str, str], ...]) -> Judgement:
    """Whether a runtime gets patches on that day."""
    listed = f"AWS's list of {LISTED}"
    if runtime not in DEPRECATED_ON:
        message = f"runs on {runtime}, which {listed} does not name; give `deprecated`, a list of your own"
        return Judgement(Verdict.UNKNOWN, name, message, seen, (_WOULD_TELL,))
    until = DEPRECATED_ON[runtime]
    if until is None:
        message = f"runs on {runtime}, which {listed} no longer supports"
        return Judgement(Verdict.FAIL, name, message, seen)
    seen = (*seen, ("deprecated on", f"{until:%Y-%m-%d}"))
    if day >= until:
        message = f"runs on {runtime}, deprecated since {until:%Y-%m-%d} by {listed}"
        return Judgement(Verdict.FAIL, name, message, seen)
    return Judgement(
        Verdict.PASS, name, f"runs on {runtime}, supported until {until:%Y-%m-%d} by {listed}", seen
    )
