"""What changed since it last worked, and of which time the policies are: as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.report.wrapping import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from clew.explain.change_since import Since
    from clew.explain.explanation import Explanation
    from clew.lake.history.entries import Entry
    from clew.snapshot.as_of import AsOf

_SHOWN = 3
_MOST_UNSEEN = 2


def lines(each: Explanation) -> Iterator[str]:
    """When it last worked, who changed a policy since, and what the lake cannot have seen."""
    if each.since is None:
        return
    yield ""
    yield from _since(each.since)


def _since(found: Since) -> Iterator[str]:
    worked = found.worked
    if worked is not None:
        yield from wrapped(f"It last worked at {told(worked.time)}, {_origin(worked)}.")
        if found.differs:
            yield from wrapped(f"This call came with another {'; '.join(found.differs)}.")
        begin, none = "Changed since then", "No change of these policies since then is in the lake"
    else:
        yield from wrapped("No like call that went through is in the lake.")
        begin, none = "Changed before", "No change of these policies is in the lake"
    if not found.changes:
        yield from wrapped(f"{none}.")
    for number, entry in enumerate(found.changes[:_SHOWN]):
        text = f"{told(entry.time)} {what(entry)} by {entry.who.name or 'somebody'}, {_origin(entry)}"
        yield from wrapped(
            f"{begin}: {text}" if number == 0 else text,
            indent="  " if number == 0 else "    ",
            further="      ",
        )
    more = found.more + max(0, len(found.changes) - _SHOWN)
    if more:
        yield f"    and {more} more; `clew events --resource` shows them"
    for text in found.unseen[:_MOST_UNSEEN]:
        yield from wrapped(f"not seen: {text}", indent="    ", further="      ")


def what(entry: Entry) -> str:
    """The call and what it was about: `PutUserPolicy on ci-deployer`."""
    named = [resource.id for resource in entry.resources if resource.id]
    shown = ", ".join(dict.fromkeys(each.rpartition("/")[2] for each in named[:2]))
    return f"{entry.event_name} on {shown}" if shown else entry.event_name


def _origin(entry: Entry) -> str:
    place = f"from {entry.source_ip} " if entry.source_ip else ""
    via = f"opened by {entry.via[0].holder} " if entry.via else ""
    return f"{place}{via}(event {entry.event_id})"


def told(moment: datetime) -> str:
    """The moment as people write it, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def of_time(found: AsOf) -> Iterator[str]:
    """Of which time the policies are, in sentences of what is known and what is assumed."""
    for used in found.used:
        known = f"{used.arn} as it was at {told(found.time)} (seen at {told(used.item.captured_at)})"
        yield f"{known}: {used.why}" if used.why else known


def document(found: Since | None) -> dict[str, object] | None:
    """What changed as an object of JSON."""
    if found is None:
        return None
    return {
        "last_worked": None if found.worked is None else _entry(found.worked),
        "changes": [_entry(entry) for entry in found.changes],
        "more_changes": found.more,
        "consulted": list(found.consulted),
        "differs": list(found.differs),
        "not_seen": list(found.unseen),
    }


def _entry(entry: Entry) -> dict[str, object]:
    return {
        "time": entry.time.isoformat().replace("+00:00", "Z"),
        "event_id": entry.event_id,
        "event_name": entry.event_name,
        "by": entry.who.arn or entry.who.name,
        "opened_by": entry.via[0].holder if entry.via else "",
        "source_ip": entry.source_ip,
        "resources": [resource.id for resource in entry.resources],
    }


def as_of_document(found: AsOf | None) -> dict[str, object] | None:
    """Of which time the policies are, as an object of JSON."""
    if found is None:
        return None
    return {
        "time": found.time.isoformat().replace("+00:00", "Z"),
        "used": [
            {
                "arn": each.arn,
                "seen_at": each.item.captured_at.isoformat(),
                "recorder": each.item.key.recorder,
                "open": each.why,
            }
            for each in found.used
        ],
        "taken_from_the_snapshot": list(found.missing),
    }
