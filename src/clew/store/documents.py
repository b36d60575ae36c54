"""A finding as a plain document that JSON can hold, and back: the shape that the store keeps and reports print."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from clew.findings import Evidence, Finding, Severity, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

Document: TypeAlias = "Mapping[str, object]"

_FINDING_TEXTS = (
    "id",
    "rule",
    "title",
    "actor",
    "subject",
    "producer",
    "suppression",
    "explanation",
    "why_it_matters",
)
_FINDING_LISTS = (
    *("technique", "tactics", "event_ids", "next_steps", "false_positives", "references"),
    *("accounts", "regions", "source_ips", "access_keys", "resources"),
)
_EVIDENCE_TEXTS = (
    *("event_id", "summary", "event_source", "event_name", "account", "region", "actor", "source_ip"),
    *("access_key", "user_agent", "channel", "outcome", "source"),
)


def moment(time: datetime) -> str:
    """The time as ISO 8601 in UTC with a `Z`; fractions of a second only where there are any.

    >>> moment(datetime(2026, 3, 2, 11, 33, 23, tzinfo=UTC))
    '2026-03-02T11:33:23Z'
    """
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def time_of(text: str) -> datetime:
    """The time that `moment` or `text_of_time` wrote."""
    return datetime.fromisoformat(text)


def text_of_time(time: datetime) -> str:
    """The time as ISO 8601 in UTC, of one width, so that the order of texts is that of times."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def encode(finding: Finding) -> dict[str, object]:
    """The finding as a document: texts, lists of texts, a count, and times as ISO 8601 in UTC."""
    return {
        **{name: getattr(finding, name) for name in _FINDING_TEXTS},
        **{name: list(getattr(finding, name)) for name in _FINDING_LISTS},
        "severity": finding.severity.value,
        "status": finding.status.value,
        "first_seen": moment(finding.first_seen),
        "last_seen": moment(finding.last_seen),
        "event_count": finding.event_count,
        "tags": dict(finding.tags),
        "evidence": [encode_evidence(evidence) for evidence in finding.evidence],
    }


def encode_evidence(evidence: Evidence) -> dict[str, object]:
    """One proving record as a document; `time` and `record_number` may be null."""
    return {
        "time": moment(evidence.time) if evidence.time else None,
        **{name: getattr(evidence, name) for name in _EVIDENCE_TEXTS},
        "resources": list(evidence.resources),
        "record_number": evidence.record_number,
    }


def decode(document: Document) -> Finding:
    """The finding that `encode` wrote; KeyError, TypeError or ValueError when the document is something else."""
    return Finding(
        **{name: _text(document, name) for name in _FINDING_TEXTS},  # type: ignore[arg-type]  # names of texts
        **{name: _texts(document, name) for name in _FINDING_LISTS},  # type: ignore[arg-type]  # names of lists
        severity=Severity(_text(document, "severity")),
        status=Status(_text(document, "status")),
        first_seen=time_of(_text(document, "first_seen")),
        last_seen=time_of(_text(document, "last_seen")),
        event_count=_number(document, "event_count") or 0,
        tags=_tags(document.get("tags", {})),
        evidence=tuple(_evidence(item) for item in _list(document, "evidence")),
    )


def _evidence(item: object) -> Evidence:
    if not isinstance(item, dict):
        raise TypeError("evidence is not an object")
    time = item["time"]
    return Evidence(
        time=time_of(_text(item, "time")) if time is not None else None,
        **{name: _text(item, name) for name in _EVIDENCE_TEXTS},
        resources=_texts(item, "resources"),
        record_number=_number(item, "record_number"),
    )


def _tags(value: object) -> tuple[tuple[str, str], ...]:
    """The tags; a document of an earlier version has none."""
    if not isinstance(value, dict):
        raise TypeError("`tags` is not an object")
    return tuple((str(key), str(text)) for key, text in value.items())


def _text(document: Document, name: str) -> str:
    value = document[name]
    if not isinstance(value, str):
        raise TypeError(f"`{name}` is not a text")
    return value


def _number(document: Document, name: str) -> int | None:
    value = document[name]
    if value is not None and not isinstance(value, int):
        raise TypeError(f"`{name}` is not a number")
    return value


def _list(document: Document, name: str) -> list[object]:
    value = document[name]
    if not isinstance(value, list):
        raise TypeError(f"`{name}` is not a list")
    return value


def _texts(document: Document, name: str) -> tuple[str, ...]:
    return tuple(str(item) for item in _list(document, name))
