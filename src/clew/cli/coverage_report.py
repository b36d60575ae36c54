"""Evidence coverage for a reader and as JSON."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING

from clew.cli.history_rows import iso
from clew.report.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from clew.lake.coverage import Coverage, Recorder
    from clew.lake.coverage.measure import Category, Gap, Place, Span, Watched

WIDTH = 100
_SHOWN = 12
_LONGEST_GAPS = 3


def lines(held: Coverage) -> Iterator[str]:
    """The coverage as text, one section for each question."""
    if held.span is None:
        yield "no CloudTrail record in the lake; see `clew ingest`"
    else:
        yield f"{held.span.records:,} CloudTrail records from {_from_to(held.span)} (UTC)"
        yield from _section("accounts and regions", [line for place in held.places for line in _place(place)])
        yield from _section("categories", [_category(category) for category in held.categories])
    yield from _section("buckets with S3 data events", _watched(held.data_buckets))
    yield from _section("buckets with server access logs", _watched(held.access_log_buckets))
    yield from _section("network interfaces with flow logs", _watched(held.flow_log_interfaces))
    changes = [
        f"{change.time:%Y-%m-%d %H:%M:%S}  {change.event_name}  by {change.who}  {change.account} {change.region}"
        + (f"  {change.error_code}" if change.error_code else "")
        for change in held.trail_changes
    ]
    yield from _section("changes of what is recorded", changes)
    unread = [f"{item.path}: {item.reason}" for item in held.unread]
    yield from _section("could not be read", unread, held.unread_count)
    yield from (
        "",
        "an hour without a record is just that: quiet, logging off and a missing file look the same",
    )


def _section(title: str, rows: Sequence[str], count: int | None = None) -> Iterator[str]:
    yield from ("", title)
    for row in rows[:_SHOWN]:
        yield f"  {_cut(terminal(row))}"
    more = (len(rows) if count is None else count) - _SHOWN
    if more > 0:
        yield f"  and {more:,} more; see `--output json`"
    if not rows:
        yield "  none"


def _cut(text: str) -> str:
    return text if len(text) <= WIDTH - 2 else f"{text[: WIDTH - 3]}…"


def _from_to(span: Span) -> str:
    return f"{span.first:%Y-%m-%d %H:%M} to {span.last:%Y-%m-%d %H:%M}"


def _place(place: Place) -> Iterator[str]:
    hours = f"{place.hours_with_records:,} of {place.hours:,} h"
    yield f"{place.account:14}{place.region:16}{_from_to(place.span)}  {hours:>14}  {place.span.records:>11,}"
    longest = sorted(place.gaps, key=lambda gap: -gap.hours)[:_LONGEST_GAPS]
    if longest:
        yield f"    no records: {'; '.join(map(_gap, longest))}"


def _gap(gap: Gap) -> str:
    return f"{gap.hours} h from {gap.start:%Y-%m-%d %H:%M}"


_READS = {True: "read", False: "write", None: "unsaid"}


def _category(category: Category) -> str:
    name = f"{category.name} {category.service.removesuffix('.amazonaws.com')}".strip()
    kind = _READS[category.read_only]
    return f"{category.account:14}{name:24}{kind:8}{_from_to(category.span)}  {category.span.records:>11,}"


def _watched(watched: Sequence[Watched]) -> list[str]:
    return [f"{item.name:44}{_from_to(item.span)}  {item.span.records:>9,}" for item in watched]


def recorder_lines(found: Iterable[Recorder]) -> Iterator[str]:
    """Each kind of evidence: would it have recorded the call, why, how soon, how sure, and what the lake holds."""
    for recorder in found:
        kind = recorder.kind
        yield f"{kind.name}: {recorder.would} ({recorder.why})"
        yield from _paragraph(f"arrives {kind.delay}; {kind.guarantee}; kept: {kind.kept}")
        yield from _paragraph(
            f"the lake holds {recorder.held:,} such records; source: {'; '.join(kind.pages)}"
        )


def _paragraph(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)


def recorder_json(action: str, found: Iterable[Recorder]) -> Iterator[str]:
    """The same as one JSON object."""
    rows = [
        asdict(recorder.kind)
        | {"would_record": str(recorder.would), "why": recorder.why, "held": recorder.held}
        for recorder in found
    ]
    yield json.dumps({"action": action, "evidence": rows})


def json_lines(held: Coverage) -> Iterator[str]:
    """The coverage as one JSON object; every list is whole but `unread` (the first 50)."""
    yield json.dumps(
        {
            "span": _span(held.span),
            "accounts": held.accounts,
            "regions": held.regions,
            "places": [_place_row(place) for place in held.places],
            "categories": [
                {"account": c.account, "category": c.name, "service": c.service, "read_only": c.read_only}
                | _span(c.span)
                for c in held.categories
            ],
            "data_event_buckets": [_watched_row(item) for item in held.data_buckets],
            "access_log_buckets": [_watched_row(item) for item in held.access_log_buckets],
            "flow_log_interfaces": [_watched_row(item) for item in held.flow_log_interfaces],
            "trail_changes": [asdict(change) | {"time": iso(change.time)} for change in held.trail_changes],
            "unread": [asdict(item) for item in held.unread],
            "unread_count": held.unread_count,
        }
    )


def _place_row(place: Place) -> dict[str, object]:
    gaps = [
        {"start": iso(gap.start), "hours": gap.hours, "account_active": gap.account_active}
        for gap in place.gaps
    ]
    return (
        {"account": place.account, "region": place.region}
        | _span(place.span)
        | {"hours": place.hours, "hours_with_records": place.hours_with_records, "gaps": gaps}
    )


def _watched_row(watched: Watched) -> dict[str, object]:
    return {"name": watched.name} | _span(watched.span)


def _span(span: Span | None) -> dict[str, object]:
    if span is None:
        return {"first": None, "last": None, "records": 0}
    return {"first": iso(span.first), "last": iso(span.last), "records": span.records}
