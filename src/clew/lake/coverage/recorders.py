"""Which evidence would have recorded a call, and whether the lake holds that evidence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from clew.lake.coverage.kinds import BY_KEY, is_data_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.lake.coverage.kinds import EvidenceKind
    from clew.lake.coverage.measure import Coverage


class Would(StrEnum):
    """Whether a kind of evidence records such a call."""

    YES = "yes"
    IF_ENABLED = "if enabled"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Recorder:
    """One kind of evidence against one call: whether it would record it, why, and how many records the lake holds.

    Shape: `held` counts records of that kind about the account or bucket asked for; 0 does not mean it was off.
    """

    kind: EvidenceKind
    would: Would
    why: str
    held: int


def recorders(
    coverage: Coverage, service: str, event_name: str, *, bucket: str = "", account: str = ""
) -> tuple[Recorder, ...]:
    """Every kind of evidence against the call `service:event_name`, in the order of `KINDS`.

    >>> from clew.lake.coverage.measure import Coverage
    >>> empty = Coverage(None, (), (), (), (), (), (), (), 0)
    >>> [(r.kind.key, r.would.value) for r in recorders(empty, "s3", "GetObject")][:3]
    [('event_history', 'no'), ('trail_management', 'no'), ('trail_data', 'if enabled')]
    """
    is_data = is_data_event(service, event_name)
    found = dict(_by_trail(coverage, service, is_data, bucket, account))
    found["s3_access"] = _by_access_log(coverage, service, event_name, bucket)
    found["vpc_flow"] = (Would.NO, "a flow log knows addresses and ports, not calls", _flows(coverage))
    return tuple(Recorder(kind, *found[key]) for key, kind in BY_KEY.items() if key in found)


_NO_BUCKET_YET = frozenset({"createbucket", "deletebucket", "listbuckets", "listallmybuckets"})
_Answer = tuple[Would, str, int]


def _by_trail(
    coverage: Coverage, service: str, is_data: bool | None, bucket: str, account: str
) -> Iterator[tuple[str, _Answer]]:
    held = _held(coverage, "management", "", account)
    objects = _held(coverage, "data", f"{service}.amazonaws.com", account)
    if bucket:
        objects = sum(watched.span.records for watched in coverage.data_buckets if watched.name == bucket)
    if is_data is None:
        why = "we do not know whether this call is a management or a data event"
        management = data = Would.UNKNOWN
    elif is_data:
        why = "a data event"
        management, data = Would.NO, Would.IF_ENABLED
    else:
        why = "a management event"
        management, data = Would.YES, Would.NO
    yield "event_history", (management, f"{why}; kept 90 days, readable online only", 0)
    yield "trail_management", (Would.IF_ENABLED if management is Would.YES else management, why, held)
    yield (
        "trail_data",
        (data, f"{why}; recorded where a selector names the resource" if is_data else why, objects),
    )
    yield (
        "insights",
        (
            Would.IF_ENABLED,
            "only as part of an unusual rate, never the single call",
            _held(coverage, "Insight", "", account),
        ),
    )
    yield (
        "network_activity",
        (
            Would.IF_ENABLED,
            "only when the call passed a VPC endpoint whose service a selector names",
            _held(coverage, "NetworkActivity", "", account),
        ),
    )


def _by_access_log(coverage: Coverage, service: str, event_name: str, bucket: str) -> _Answer:
    watched = [w for w in coverage.access_log_buckets if not bucket or w.name == bucket]
    held = sum(w.span.records for w in watched)
    if service != "s3":
        return Would.NO, "server access logs know requests to S3 buckets only", 0
    if event_name.lower() in _NO_BUCKET_YET:
        return (
            Would.NO,
            "the bucket's own creation, deletion and listing are not requests to a logging bucket",
            held,
        )
    return Would.IF_ENABLED, "best effort, where the bucket has logging on", held


def _held(coverage: Coverage, name: str, service: str, account: str) -> int:
    return sum(
        category.span.records
        for category in coverage.categories
        if category.name == name
        and (not service or category.service == service)
        and (not account or category.account == account)
    )


def _flows(coverage: Coverage) -> int:
    return sum(watched.span.records for watched in coverage.flow_log_interfaces)
