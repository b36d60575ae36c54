"""Checks of AWS Config's recorder and of Access Analyzer, region by region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.buckets import asked
from clew.audit.model import Judgement, Verdict, check
from clew.audit.resources import (
    answers,
    each_region,
    facts,
    items,
    listing,
    member,
    region_arn,
    regions_left_out,
    text,
    texts,
    unanswered,
)
from clew.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.audit.model import State
    from clew.snapshot.answers import Answer

_NO_ENDPOINT = "NoEndpoint"
_ALL_TYPES = "ALL_SUPPORTED_RESOURCE_TYPES"
_RECORDERS = "config:DescribeConfigurationRecorders"


@check("config-recorder", "AWS Config records in every region", "AWS Config does not record", Severity.MEDIUM)
def recorder(state: State) -> Iterator[Judgement]:
    """Whether AWS Config records every kind of resource in every region, and delivers.

    Finds. Regions without recorder, with one that is stopped or whose last delivery failed, that leaves out kinds of
    resources, or without delivery channel; and an account in which no region records global resources.
    Why it matters. What a resource was like before the incident stands nowhere else.
    False positives. Regions that are closed by policy; kinds that were left out on purpose; a recorder of another
    service.
    Fix. `aws configservice put-configuration-recorder` with all supported types, `put-delivery-channel`,
    `start-configuration-recorder`.
    References. AWS Config developer guide, Recording AWS resources · AWS Config API reference,
    DescribeConfigurationRecorderStatus
    """

    def judge(answer: Answer) -> Judgement:
        name = region_arn(state, answer)
        if answer.error_code == _NO_ENDPOINT:
            return Judgement(Verdict.NOT_APPLICABLE, name, "AWS Config is not offered there", asked(answer))
        return _region(state, answer, name)

    yield from each_region(state, _RECORDERS, judge)
    yield from _globals(state)


def _region(state: State, answer: Answer, name: str) -> Judgement:
    status = state.about(answer, "DescribeConfigurationRecorderStatus")
    channels = state.about(answer, "DescribeDeliveryChannels")
    recorders = list(items(answer.body, "ConfigurationRecorders"))
    seen = asked(answer, status, channels)
    if not recorders:
        return Judgement(Verdict.FAIL, name, f"no recorder in {answer.call.region}", seen)
    found = recorders[0]
    seen = (("name", text(found, "name")), *facts(found, "recordingGroup.allSupported"), *seen)
    left_out = _left_out(found)
    if left_out:
        return Judgement(Verdict.FAIL, name, left_out, seen)
    if status.status.is_known:
        stopped = _stopped(status, text(found, "name"))
        if stopped:
            return Judgement(Verdict.FAIL, name, stopped, seen)
    if channels.status.is_known and not list(items(channels.body, "DeliveryChannels")):
        return Judgement(Verdict.FAIL, name, "the recorder has no delivery channel", seen)
    if not (status.status.is_known and channels.status.is_known):
        return unanswered(name, status, channels, evidence=seen)
    return Judgement(Verdict.PASS, name, "records every kind of resource", seen)


def _left_out(found: Mapping[str, object]) -> str:
    """Which kinds of resources the recorder leaves out, in words; empty for none."""
    strategy = text(found, "recordingGroup.recordingStrategy.useOnly")
    if member(found, "recordingGroup.allSupported") is True or strategy == _ALL_TYPES:
        return ""
    excluded = texts(found, "recordingGroup.exclusionByResourceTypes.resourceTypes")
    if excluded:
        return f"the recorder leaves out {listing(excluded)}"
    return f"the recorder knows {len(texts(found, 'recordingGroup.resourceTypes'))} kinds of resources only"


def _stopped(status: Answer, name: str) -> str:
    """Why the recorder does not record; empty where it does."""
    found = [
        each for each in items(status.body, "ConfigurationRecordersStatus") if text(each, "name") == name
    ]
    if not found or member(found[0], "recording") is not True:
        return "the recorder is stopped"
    failed = text(found[0], "lastStatus").upper() == "FAILURE"
    return f"the recorder's last delivery failed: {text(found[0], 'lastErrorCode')}" if failed else ""


def _globals(state: State) -> Iterator[Judgement]:
    """A failure where recorders are there and none records global resources, and every region was asked."""
    found = answers(state, _RECORDERS)
    recorders = [each for answer in found for each in items(answer.body, "ConfigurationRecorders")]
    if not recorders or any(map(_records_globals, recorders)):
        return
    if all(answer.status.is_known for answer in found) and not list(regions_left_out(state, _RECORDERS)):
        yield Judgement(
            Verdict.FAIL, state.account_arn, "no region records global resources", asked(*found[:1])
        )


def _records_globals(found: Mapping[str, object]) -> bool:
    included = member(found, "recordingGroup.includeGlobalResourceTypes")
    strategy = text(found, "recordingGroup.recordingStrategy.useOnly")
    # AWS Config: an exclusion strategy records global types in their home region unless it names them.
    excluded = texts(found, "recordingGroup.exclusionByResourceTypes.resourceTypes")
    by_exclusion = strategy.startswith("EXCLUSION") and not any(
        each.startswith("AWS::IAM") for each in excluded
    )
    return included is True or by_exclusion


@check(
    "accessanalyzer-external",
    "Access Analyzer looks for external access in every region",
    "No analyzer looks for external access",
    Severity.LOW,
)
def analyzer(state: State) -> Iterator[Judgement]:
    """Whether an analyzer of external access is active in every region.

    Finds. Regions without an active analyzer of the type `ACCOUNT` or `ORGANIZATION`. Analyzers of unused access do
    not count.
    Why it matters. Buckets, roles, keys and queues that were shared with strangers are found the same day.
    False positives. Members of an organisation whose analyzer lives in the delegated administrator's account, which a
    member's list does not show.
    Fix. `aws accessanalyzer create-analyzer --type ACCOUNT` in each region.
    References. IAM user guide, Getting started with AWS Identity and Access Management Access Analyzer
    """
    by_region: dict[str, list[Answer]] = {}
    for answer in answers(state, "accessanalyzer:ListAnalyzers"):
        by_region.setdefault(answer.call.region, []).append(answer)
    for found in by_region.values():
        yield _analyzers(region_arn(state, found[0]), found)
    yield from regions_left_out(state, "accessanalyzer:ListAnalyzers")


def _analyzers(name: str, found: list[Answer]) -> Judgement:
    listed = [item for answer in found for item in items(answer.body, "analyzers")]
    active = [
        text(each, "arn")
        for each in listed
        if text(each, "status") == "ACTIVE" and text(each, "type") in {"ACCOUNT", "ORGANIZATION"}
    ]
    seen = (*(("analyzer", arn) for arn in active), *asked(*found))
    if active:
        return Judgement(Verdict.PASS, name, "an analyzer is active", seen)
    if any(answer.error_code == _NO_ENDPOINT for answer in found):
        return Judgement(Verdict.NOT_APPLICABLE, name, "Access Analyzer is not offered there", seen)
    if not all(answer.status.is_known for answer in found):
        return unanswered(name, *found, evidence=seen)
    return Judgement(Verdict.FAIL, name, f"no active analyzer in {found[0].call.region}", seen)
