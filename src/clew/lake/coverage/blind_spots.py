"""What "nothing found" leaves open: each blind spot with its reason and what would settle it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Final

from clew.aws import arn as arns
from clew.aws.glob import matcher
from clew.aws.services import service_label
from clew.lake.coverage.kinds import BY_KEY, DATA_EVENTS
from clew.lake.coverage.measure import Coverage, measure
from clew.lake.history.resource_names import as_asked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from clew.lake.coverage.measure import Gap, Place
    from clew.lake.reader import Lake


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, as far as it decides which evidence would hold the answer.

    Units: `since` is included, `until` is not; both UTC. Shape: event sources by their full name
    (`s3.amazonaws.com`), names of events with `*` and `?` in any case; empty parts ask for everything. `global_calls`:
    the answer would lie in us-east-1, where AWS records IAM, Organizations and the root user's sign-ins. `any_call`:
    a call on what a resource holds (an object, an item) would answer as well as one that changes its settings.
    """

    since: datetime | None = None
    until: datetime | None = None
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    event_sources: tuple[str, ...] = ()
    event_names: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    reads: bool = True
    global_calls: bool = False
    any_call: bool = False


@dataclass(frozen=True, slots=True)
class BlindSpot:
    """One thing that the lake cannot have seen.

    Shape: three plain sentences without a full stop: `what` is not covered, `why`, and what would `settle` it.
    `code` is stable: `empty`, `time`, `account`, `region`, `global_region`, `gap`, `data_events`, `reads`,
    `trail_change`, `unread`.
    """

    code: str
    what: str
    why: str
    settle: str


def blind_spots(lake: Lake, question: Question, *, coverage: Coverage | None = None) -> tuple[BlindSpot, ...]:
    """What the lake cannot have seen of the question, the gravest first; measured now unless `coverage` is given."""
    held = coverage or measure(lake, things=bool(_buckets(question)))
    if held.span is None:
        return (*_no_events(), *_unread(held))
    return tuple(
        spot
        for check in (_time, _places, _data_events, _trail_changes, _gaps, _reads)
        for spot in check(held, question)
    ) + tuple(_unread(held))


def _no_events() -> Iterator[BlindSpot]:
    yield BlindSpot(
        "empty",
        "the lake holds no CloudTrail record",
        "nothing was ingested, or nothing that could be read",
        "ingest the trail's bucket, or CloudTrail's event history of the last 90 days",
    )


def told(moment: datetime) -> str:
    """The moment as `2023-07-10 11:42:18Z`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def _time(held: Coverage, question: Question) -> Iterator[BlindSpot]:
    span = held.span
    if span is None:
        return
    since, until = question.since, question.until
    late = f"CloudTrail delivers {BY_KEY['trail_management'].delay}, without a promise"
    why = f"CloudTrail records run from {told(span.first)} to {told(span.last)}; {late}"
    if (since and since > span.last) or (until and until <= span.first):
        yield BlindSpot("time", "the asked time lies outside the lake", why, _OLDER)
    elif (since is None or since < span.first) or (until is None or until > span.last):
        yield BlindSpot("time", "nothing is known before the first and after the last record", why, _OLDER)


_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_AWS_ID = re.compile(r"[a-z]{1,12}-[0-9a-f]{8,17}|A[A-Z]{3}[A-Z0-9]{12,}")
_USUAL: Final = ("dynamodb", "lambda", "s3")
"""The services of whose data events a question about anything speaks."""
_OLDER: Final = "ingest older and newer files of the trail; event history reaches back 90 days"


def _places(held: Coverage, question: Question) -> Iterator[BlindSpot]:
    named = [arn for arn in map(arns.read, question.resources) if arn is not None]
    accounts = {arn.account for arn in named if _ACCOUNT.fullmatch(arn.account)}
    for account in sorted({*question.accounts, *accounts} - set(held.accounts)):
        yield BlindSpot(
            "account",
            f"no record of account {account}",
            f"the lake holds records of {_listed(held.accounts)}",
            f"ingest the trail of {account}, or the organisation's trail",
        )
    regions = {arn.region for arn in named if arn.region and "*" not in arn.region}
    for region in sorted({*question.regions, *regions} - set(held.regions)):
        yield BlindSpot(
            "region",
            f"no record from {region}",
            f"the lake holds records from {_listed(held.regions)}",
            f"ingest the files of {region}; a trail can be limited to one region",
        )
    if question.global_calls:
        yield from _without_global_region(held, question)


_GLOBAL_REGION: Final = "us-east-1"


def _without_global_region(held: Coverage, question: Question) -> Iterator[BlindSpot]:
    accounts = question.accounts or held.accounts
    covered = {place.account for place in held.places if place.region == _GLOBAL_REGION}
    missing = [account for account in accounts if account in held.accounts and account not in covered]
    if question.regions and _GLOBAL_REGION not in question.regions:
        yield BlindSpot(
            "global_region",
            f"only {_listed(question.regions)} was asked for",
            "AWS records the root user's sign-ins, IAM and other global services in us-east-1",
            "ask without `--region`",
        )
    if missing:
        yield BlindSpot(
            "global_region",
            f"no record from us-east-1 of {_listed(missing)}",
            "AWS records the root user's sign-ins, IAM and other global services there",
            "ingest the files of us-east-1",
        )


def _data_events(held: Coverage, question: Question) -> Iterator[BlindSpot]:
    services = _data_services(question)
    present = {category.service for category in held.categories if category.name == "data"}
    missing = [service for service in sorted(services) if f"{service}.amazonaws.com" not in present]
    if len(missing) > 1 and _is_general(question):
        yield BlindSpot(
            "data_events",
            f"no data events of {_listed(missing)} in the lake",
            "calls on objects, functions, items and the like are recorded only where a trail selects them",
            "look up the trail's event selectors; S3 server access logs may have seen requests to buckets",
        )
        return
    for service in missing:
        yield BlindSpot(
            "data_events",
            f"no data events of {service} in the lake",
            f"calls such as {_examples(service, question)} are recorded only where a trail selects them",
            _settle_data(service),
        )
    if "s3" in services and "s3.amazonaws.com" in present:
        yield from _unwatched_buckets(held, question)


def _unwatched_buckets(held: Coverage, question: Question) -> Iterator[BlindSpot]:
    watched = {bucket.name for bucket in held.data_buckets}
    for bucket in sorted(_buckets(question) - watched):
        yield BlindSpot(
            "data_events",
            f"no data events of bucket `{bucket}` in the lake",
            "other buckets have some: a selector may leave this one out, or nobody used it",
            _settle_data("s3"),
        )


def _data_services(question: Question) -> set[str]:
    """The services whose data events could hold the answer."""
    sources = {service_label(source) for source in question.event_sources}
    by_name = {
        service
        for name in question.event_names
        for service in DATA_EVENTS
        if _asked_of(service, [name]) and (not sources or service in sources)
    }
    if question.event_names:
        return by_name
    if _is_general(question):
        return set(_USUAL)
    by_source = {service for service in sources if service in DATA_EVENTS}
    by_resource = {service for service in map(_service_of, question.resources) if service in DATA_EVENTS}
    return (by_source | by_resource) if not sources else by_source


def _asked_of(service: str, patterns: Iterable[str]) -> list[str]:
    """The service's data events that the names, with `*` and `?` in any case, stand for."""
    fitting = [matcher(pattern.lower()) for pattern in patterns]
    return [name for name in sorted(DATA_EVENTS[service]) if any(fits(name.lower()) for fits in fitting)]


def _is_general(question: Question) -> bool:
    """Whether any call at all would answer, and on whatever bears the name."""
    is_narrow = question.event_names or question.event_sources or not question.any_call
    return not is_narrow and all(_may_be_anything(text) for text in question.resources)


def _may_be_anything(resource: str) -> bool:
    """Whether the text is a bare name, that of a bucket, function or table as well as another."""
    return not _service_of(resource) and not _AWS_ID.fullmatch(resource)


def _service_of(resource: str) -> str:
    named = arns.read(resource)
    return named.service if named else "s3" if as_asked(resource) != resource else ""


def _buckets(question: Question) -> set[str]:
    """The buckets asked for: by ARN, or by name where the calls asked for are S3's."""
    is_s3 = bool(_asked_of("s3", question.event_names))
    named = ((text, arns.read(text)) for text in question.resources)
    found = (
        arn.resource
        if arn and arn.service == "s3"
        else as_asked(text)
        if not arn and (is_s3 or _service_of(text) == "s3")
        else ""
        for text, arn in named
    )
    return {name.partition("/")[0] for name in found} - {""}


def _examples(service: str, question: Question) -> str:
    asked = _asked_of(service, question.event_names)[:3]
    return ", ".join(asked or sorted(DATA_EVENTS[service])[:3])


def _settle_data(service: str) -> str:
    logs = "; S3 server access logs of the bucket may have seen it" if service == "s3" else ""
    return f"look up the trail's event selectors for {service}{logs}"


def _trail_changes(held: Coverage, question: Question) -> Iterator[BlindSpot]:
    """Calls that may have switched recording off, before the end of the asked time; the latest few."""
    found = [
        change
        for change in held.trail_changes
        if change.event_name in _BLINDING
        and not change.error_code
        and _concerns(question, change.account)
        and (question.until is None or change.time < question.until)
    ]
    for change in found[-_SHOWN_CHANGES:]:
        yield BlindSpot(
            "trail_change",
            f"{change.event_name} at {told(change.time)} by {change.who or 'unknown'} in {change.account}",
            "from then on less may have been recorded",
            f"see `clew events --event-id {change.event_id}` and the trail's settings",
        )
    if len(found) > _SHOWN_CHANGES:
        yield BlindSpot(
            "trail_change",
            f"{len(found) - _SHOWN_CHANGES:,} earlier changes of what is recorded",
            "from then on less may have been recorded",
            "see `clew coverage`",
        )


_SHOWN_CHANGES: Final = 3
_BLINDING: Final = frozenset({
    "StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors", "DeleteEventDataStore",
    "StopEventDataStoreIngestion", "DeleteFlowLogs", "PutBucketLogging",
})  # fmt: skip


def _concerns(question: Question, account: str) -> bool:
    return not question.accounts or account in question.accounts


_LONG_GAP_HOURS: Final = 6
_SHOWN_GAPS: Final = 3


def _gaps(held: Coverage, question: Question) -> Iterator[BlindSpot]:
    """The longest gaps of the asked places that lie in the asked time."""
    found = [
        (place, gap)
        for place in held.places
        if _concerns(question, place.account) and (not question.regions or place.region in question.regions)
        for gap in place.gaps
        if gap.hours >= _LONG_GAP_HOURS and _overlaps(gap, question)
    ]
    if not found:
        return
    found.sort(key=lambda item: -item[1].hours)
    longest = ", ".join(_gap(place, gap) for place, gap in found[:_SHOWN_GAPS])
    more = len(found) - _SHOWN_GAPS
    yield BlindSpot(
        "gap",
        f"no records for {longest}"
        + (f", and {more:,} more gaps of {_LONG_GAP_HOURS} hours or more" * (more > 0)),
        "a quiet place and missing files look the same",
        "see `clew coverage`, and validate the trail's digest files of these hours",
    )


def _gap(place: Place, gap: Gap) -> str:
    return f"{gap.hours} hours from {told(gap.start)} in {place.account} {place.region}"


def _overlaps(gap: Gap, question: Question) -> bool:
    end = gap.start + timedelta(hours=gap.hours)
    return (question.since is None or end > question.since) and (
        question.until is None or gap.start < question.until
    )


def _reads(held: Coverage, question: Question) -> Iterator[BlindSpot]:
    management = [category for category in held.categories if category.name == "management"]
    if question.reads and management and all(category.read_only is False for category in management):
        yield BlindSpot(
            "reads",
            "no read-only management event in the lake",
            "a trail can be set to keep writes only",
            "look up the trail's event selectors; event history holds reads of the last 90 days",
        )


def _unread(held: Coverage) -> Iterator[BlindSpot]:
    if held.unread_count:
        first = held.unread[0]
        yield BlindSpot(
            "unread",
            f"{held.unread_count:,} files or records could not be read",
            f"the first is `{first.path}` ({first.reason})",
            "see `clew lake quarantine`",
        )


_SHOWN_NAMES: Final = 5


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    rest = f" and {len(listed) - _SHOWN_NAMES} more" if len(listed) > _SHOWN_NAMES else ""
    return ", ".join(listed[:_SHOWN_NAMES]) + rest or "none"
