"""Rows of the event history for a reader at a terminal, 100 columns wide: two lines for each event."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from clew.aws.services import service_label
from clew.events.outcome import Result
from clew.report.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from clew.lake.access_join import Request
    from clew.lake.coverage import BlindSpot
    from clew.lake.history.entries import Entry

WIDTH = 100
_TIME, _WHO, _WHAT = 19, 24, 34
_OUTCOME = WIDTH - _TIME - _WHO - _WHAT - 6
_INDENT = " " * (_TIME + 2)
_SHOWN_RESOURCES = 3


def lines(entries: Sequence[Entry]) -> Iterator[str]:
    """A heading and the events, each with when, who, what and outcome above, and where from, how and on what below."""
    yield _columns("when (UTC)", "who", "what", "outcome")
    for entry in entries:
        yield from _event(entry)


def _columns(when: str, who: str, what: str, outcome: str) -> str:
    cells = (_cut(when, _TIME), _cut(who, _WHO), _cut(what, _WHAT))
    widths = (_TIME, _WHO, _WHAT)
    padded = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"{padded}  {_cut(outcome, _OUTCOME)}".rstrip()


def _cut(text: str, width: int) -> str:
    """The text in that many columns; of a longer one both ends, for names differ there."""
    if len(text) <= width:
        return text
    tail = width // 3
    return f"{text[: width - tail - 1]}…{text[-tail:]}"


def _event(entry: Entry) -> Iterator[str]:
    when = f"{entry.time:%Y-%m-%d %H:%M:%S}"
    what = f"{service_label(entry.event_source)} {entry.event_name or entry.category}".strip()
    outcome = entry.outcome.code or str(entry.outcome.result)
    yield _columns(when, terminal(entry.who.name), terminal(what), terminal(outcome))
    yield from _wrapped(" · ".join(terminal(fact) for fact in _facts(entry) if fact))
    for found in entry.contradictions:
        yield from _wrapped(f"! {terminal(str(found))}")
    if entry.is_conflict:
        yield from _wrapped("! another record has the same event id and other content")


def _facts(entry: Entry) -> Iterator[str]:
    yield from _whole(entry)
    yield f"from {entry.source_ip}" if entry.source_ip else ""
    yield str(entry.channel)
    yield f"MFA {entry.who.mfa}"
    yield entry.account
    yield entry.region
    yield _effect(entry)
    yield f"on {_resources(entry)}" if entry.resources else ""
    yield _via(entry)


def _whole(entry: Entry) -> Iterator[str]:
    """What the columns above have no room for, and that an Insights event is no call."""
    if entry.outcome.result is Result.NOT_A_CALL:
        yield "CloudTrail Insights, no call"
    yield f"by {entry.who.name}" if len(terminal(entry.who.name)) > _WHO else ""
    yield entry.event_name if len(entry.event_name) > _WHAT else ""
    yield entry.outcome.code if len(entry.outcome.code) > _OUTCOME else ""


def _effect(entry: Entry) -> str:
    """What the call did, or was meant to do; an Insights event does nothing."""
    if entry.outcome.result is Result.NOT_A_CALL:
        return ""
    return str(entry.effect) if entry.outcome.result is Result.SUCCESS else f"not {entry.effect}"


def _resources(entry: Entry) -> str:
    shown = ", ".join(found.id for found in entry.resources[:_SHOWN_RESOURCES])
    more = len(entry.resources) - _SHOWN_RESOURCES
    return f"{shown} and {more} more" if more > 0 else shown


def _via(entry: Entry) -> str:
    """`via role EC2-dev (opened by JohnDoe)`, each session of a chain in turn."""
    if not entry.via:
        return ""
    labels = " → ".join(session.label for session in entry.via)
    return f"via {labels}, opened by {entry.via[0].holder}"


def _wrapped(text: str, indent: str = _INDENT) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def hints(entries: Iterable[Entry], *, is_more: bool, limit: int) -> Iterator[str]:
    """What the reader should know of the list as a whole, each thing once."""
    shown = list(entries)
    if is_more:
        yield f"the first {limit} are shown; `--limit 0` shows all"
    odd = sum(bool(entry.contradictions) for entry in shown)
    if odd:
        yield f"records that contradict themselves: {odd}; both values are shown (!), and filters find either"
    conflicts = sum(entry.is_conflict for entry in shown)
    if conflicts:
        yield f"records with the event id of another record: {conflicts}; one of each may be forged"


def blind_spot_lines(spots: Iterable[BlindSpot]) -> Iterator[str]:
    """What the lake cannot have seen, one paragraph each."""
    listed = list(spots)
    if listed:
        yield "what this lake cannot have seen:"
    for spot in listed:
        text = terminal(f"{spot.what}: {spot.why}; {spot.settle}")
        yield from textwrap.wrap(
            text, WIDTH, initial_indent="  - ", subsequent_indent="    ", break_on_hyphens=False
        )


_FACT = 22


def request_lines(joined: Request) -> Iterator[str]:
    """One request in both logs: what each says, what only one says, and where they disagree (≠)."""
    yield f"request {terminal(joined.request_id)} in the S3 server access log and in CloudTrail"
    yield f"    {'':{_FACT}}{'access log':36}CloudTrail"
    for fact in joined.facts:
        mark = "≠" if fact.agree is False else " "
        left, right = (_cut(terminal(text), 35) or "-" for text in (fact.access_log, fact.cloudtrail))
        yield f"  {mark} {fact.fact:{_FACT}}{left:36}{right}".rstrip()
    if joined.presigned:
        yield from _presigned_lines(joined)
    if not joined.lines:
        yield "  no server access line with this request id; those logs are best effort"
    if not joined.entries:
        yield "  no CloudTrail record with this request id; object calls are recorded only where a trail selects them"


def _presigned_lines(joined: Request) -> Iterator[str]:
    signed = joined.presigned
    if signed is None:
        return
    valid = "" if signed.expires_seconds is None else f", valid for {signed.expires_seconds} s"
    since = f"{signed.signed_at:%Y-%m-%d %H:%M:%S}Z" if signed.signed_at else "a time the logs do not say"
    yield f"  pre-signed (query string): signed {since}{valid}, with key {terminal(signed.access_key) or 'unknown'}"
