"""Rows of `clew config` for people, as JSON and as CSV: the stable keys that other programs may rely on."""

from __future__ import annotations

import csv
import json
import sys
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.cli.history_rows import blind_spot, csv_lines, iso
from clew.cli.history_rows import row as event_row
from clew.cli.history_table import blind_spot_lines
from clew.report.escape import terminal
from clew.snapshot.items import COLLECT, CONFIG, aws_form
from clew.snapshot.json_diff import ABSENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from clew.explain.change import Candidate, Cause
    from clew.snapshot.history import Difference, Step
    from clew.snapshot.items import Item
    from clew.snapshot.json_diff import Change

WIDTH = 100
_VALUE = 60
_CHANGES = 10
_CANDIDATES = 3


@dataclass(frozen=True, slots=True)
class Told:
    """A step of a history with the event that made it; None where nobody looked."""

    step: Step
    cause: Cause | None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in its forms: the JSON document, flat rows, and a function that makes the lines."""

    document: object
    flat: Sequence[dict[str, object]]
    lines: Callable[[], Iterator[str]]


def write(answer: Answer, output: str) -> None:
    """Print the answer in the form asked for."""
    if output == "json":
        sys.stdout.write(json.dumps(answer.document, indent=2) + "\n")
    elif output == "csv":
        csv.writer(sys.stdout, lineterminator="\n").writerows(csv_lines(answer.flat))
    else:
        sys.stdout.writelines(f"{line}\n" for line in answer.lines())


def items(found: Sequence[Item], *, detailed: bool) -> Answer:
    """The state: one line for each resource, and where it is `detailed` what it is related to, tags, unread parts."""
    document = [aws_form(item) for item in found]
    return Answer(document, [_flat(item) for item in found], lambda: _items(found, detailed=detailed))


def _flat(item: Item) -> dict[str, object]:
    return {
        "capture_time": iso(item.captured_at),
        "status": item.status.value,
        "account": item.key.account,
        "region": item.key.region,
        "type": item.key.type,
        "id": item.key.id,
        "name": item.name,
        "arn": item.arn,
        "recorder": item.key.recorder,
    }


def _items(found: Sequence[Item], *, detailed: bool) -> Iterator[str]:
    if not found:
        yield "no configuration item"
    for item in found:
        when = f"{item.captured_at:%Y-%m-%d %H:%M:%S}"
        yield f"{when}  {terminal(item.key.type):34}{terminal(item.label)}"
        if detailed:
            yield from _details(item)
    if found:
        resources = "1 resource" if len(found) == 1 else f"{len(found):,} resources"
        yield f"{resources}, each with the time (UTC) of its last item"


def _details(item: Item) -> Iterator[str]:
    for each in item.relationships:
        yield f"    {terminal(each.name)}: {terminal(f'{each.type} {each.id}'.strip())}"
    for key, tag in sorted(item.tags.items()):
        yield f"    tag {terminal(key)}: {terminal(tag)}"
    for name, value in item.content.items():
        if name not in {"relationships", "tags"} and name not in item.unknown and value:
            yield f"    {terminal(name)}: {_cut(value)}"
    for name in item.unknown:
        yield f"    {terminal(name)}: not read"


def differences(found: Sequence[Difference]) -> Answer:
    """What differs between two moments."""
    document = [
        {
            "resource": (each.new or each.old or _none()).label,
            "change": _word(each),
            "changes": [_change(one) for one in each.changes],
        }
        for each in found
    ]
    flat = [
        {"resource": entry["resource"], "change": entry["change"], **_change(one)}
        for entry, each in zip(document, found, strict=True)
        for one in each.changes
    ]
    return Answer(document, flat, lambda: _differences(found))


def _none() -> Item:
    raise AssertionError("a difference has an item")


def _word(found: Difference) -> str:
    if found.old is None:
        return "appeared"
    return "gone" if found.new is None else "changed"


def _change(one: Change) -> dict[str, object]:
    told: dict[str, object] = {"place": one.place}
    return told | {name: value for name, value in (("old", one.old), ("new", one.new)) if value is not ABSENT}


def _differences(found: Sequence[Difference]) -> Iterator[str]:
    if not found:
        yield "no difference"
    for each in found:
        yield f"{_word(each):9} {terminal((each.new or each.old or _none()).label)}"
        if each.old is not None and each.new is not None:
            yield from _changes(each.changes)


def _changes(found: Sequence[Change]) -> Iterator[str]:
    for one in found[:_CHANGES]:
        yield f"          {_shortened(terminal(one.place))}: {_cut(one.old)} → {_cut(one.new)}"
    if len(found) > _CHANGES:
        yield f"          and {len(found) - _CHANGES} more; `--output json` shows all"


def _shortened(text: str) -> str:
    """The text in one line's width, cut in the middle: both ends of a place say something."""
    return text if len(text) <= _VALUE else f"{text[: _VALUE // 2]}…{text[-_VALUE // 4 :]}"


def _cut(value: object) -> str:
    if value is ABSENT:
        return "nothing"
    text = terminal(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _VALUE else f"{text[: _VALUE - 1]}…"


def history(found: Sequence[Told]) -> Answer:
    """The steps of a history, oldest first, each with the event that made it."""
    document = [
        {**_flat(told.step.item), "changes": [_change(one) for one in told.step.changes]}
        | {"unknown": list(told.step.item.unknown), "cause": told.cause and _cause(told.cause)}
        for told in found
    ]
    flat = [_flat_step(told) for told in found]
    return Answer(document, flat, lambda: _history(found))


def _flat_step(told: Told) -> dict[str, object]:
    cause = told.cause
    first = cause.candidates[0].entry if cause and cause.candidates else None
    return _flat(told.step.item) | {
        "changed": "; ".join(one.place for one in told.step.changes),
        "certainty": cause.certainty.value if cause else "",
        "event_id": first.event_id if first else "",
        "event_name": first.event_name if first else "",
        "who": first.who.name if first else "",
        "source_ip": first.source_ip if first else "",
        "access_key": first.who.access_key if first else "",
    }


def _cause(cause: Cause) -> dict[str, object]:
    return {
        "certainty": cause.certainty.value,
        "since": cause.since and iso(cause.since),
        "until": iso(cause.until),
        "candidates": [
            {"reasons": list(each.reasons), "event": event_row(each.entry)} for each in cause.candidates
        ],
        "blind_spots": [blind_spot(spot) for spot in cause.blind_spots],
    }


def _history(found: Sequence[Told]) -> Iterator[str]:
    recorders = {told.step.item.key.recorder for told in found}
    for told in found:
        item = told.step.item
        by = f", as {_RECORDERS[item.key.recorder]} saw it" if len(recorders) > 1 else ""
        yield f"{item.captured_at:%Y-%m-%d %H:%M:%S}  {_happened(told):13}{terminal(item.label)}{by}"
        if told.step.previous is not None and item.configuration is not None:
            yield from _changes(told.step.changes)
        if told.cause is not None:
            yield from _cause_lines(told.cause, "changed" if told.step.previous else "created")
    if not found:
        yield "no change in that time"


_RECORDERS = {COLLECT: "clew collect", CONFIG: "AWS Config"}


def _happened(told: Told) -> str:
    """What the step says; a resource that an earlier look did not show has appeared since."""
    step = told.step
    if step.previous is None and step.item.configuration is not None:
        return "appeared" if told.cause is not None and told.cause.since is not None else "first seen"
    return step.item.status.value


_HEADINGS = {
    "certain": "by",
    "likely": "likely by the one call in the lake that fits best",
    "open": "by one of these, the best first",
}


def _cause_lines(cause: Cause, what: str) -> Iterator[str]:
    if not cause.candidates:
        yield f"          {what} by unknown: the lake holds no call that did"
    else:
        yield f"          {what} {_HEADINGS[cause.certainty.value]}:"
    shown = cause.candidates[: 1 if cause.certainty.value in {"certain", "likely"} else _CANDIDATES]
    for each in shown:
        yield from _candidate_lines(each)
    more = len(cause.candidates) - len(shown)
    if more:
        calls = "1 more call" if more == 1 else f"{more} more calls"
        yield f"            and {calls} on it in that time; `--output json` shows all"
    if cause.certainty.value != "certain":
        yield from (f"          {line}" for line in blind_spot_lines(cause.blind_spots))


def _candidate_lines(found: Candidate) -> Iterator[str]:
    entry = found.entry
    yield f"            {entry.time:%Y-%m-%d %H:%M:%S}  {terminal(entry.event_name)} by {terminal(entry.who.name)}"
    facts = (
        f"from {entry.source_ip}" if entry.source_ip else "",
        f"key {entry.who.access_key}" if entry.who.access_key else "",
        str(entry.channel),
        f"event {entry.event_id}" if entry.event_id else "",
        *found.reasons,
    )
    text = " · ".join(terminal(fact) for fact in facts if fact)
    yield from textwrap.wrap(text, WIDTH, initial_indent=" " * 14, subsequent_indent=" " * 14)
