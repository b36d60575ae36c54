"""How collected answers are counted and shown, by `clew collect` and `clew snapshot`."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clew.snapshot.answers import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clew.snapshot.answers import Answer, Answers
    from clew.snapshot.compare import Difference

_SHOWN = 20
_SHOWN_CHANGES = 8
_VALUE = 90
_NAMES = 6
_HOURS = 3600
_DAYS = 24


def unread(answers: Iterable[Answer]) -> tuple[Answer, ...]:
    """The answers that are no facts: denied and failed."""
    return tuple(answer for answer in answers if not answer.status.is_known)


def told_unread(answers: Iterable[Answer]) -> Iterator[str]:
    """What was not read, grouped by operation and error, most calls first, for people."""
    groups: dict[tuple[str, str, str], list[Answer]] = {}
    for answer in answers:
        call = answer.call
        key = answer.status.value, f"{call.service}:{call.operation}", answer.error_code
        groups.setdefault(key, []).append(answer)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    for (status, operation, code), found in ordered[:_SHOWN]:
        first = found[0].call
        given = ", ".join(value for _, value in first.parameters)
        where = " ".join(part for part in (first.account, first.region, given) if part)
        calls = "1 call" if len(found) == 1 else f"{len(found):,} calls"
        yield f"{status:<8}{operation}: {code}, {calls}, such as {where}"
    if len(ordered) > _SHOWN:
        yield f"and {len(ordered) - _SHOWN} more kinds; `clew snapshot show FILE --output json` tells all"


def counts(answers: Answers) -> list[tuple[str, Counter[str]]]:
    """How many answers of each status, by service."""
    found: dict[str, Counter[str]] = {}
    for answer in answers:
        found.setdefault(answer.call.service, Counter())[answer.status.value] += 1
    return sorted(found.items())


def table(answers: Answers) -> Iterator[str]:
    """The counts by service as lines."""
    names = [status.value for status in Status]
    yield f"{'service':<16}" + "".join(f"{name:>10}" for name in names)
    for service, found in counts(answers):
        yield f"{service:<16}" + "".join(f"{found[name] or '-':>10}" for name in names)


def age(collected_at: str, now: datetime) -> str:
    """How old the collection is, in words.

    >>> age("2026-01-02T03:04:05Z", datetime(2026, 1, 4, 3, 4, 5, tzinfo=UTC))
    '2 days old'
    """
    try:
        hours = int((now - datetime.fromisoformat(collected_at)).total_seconds() // _HOURS)
    except (ValueError, TypeError):
        return "of unknown age"
    if hours < 1:
        return "less than an hour old"
    count, unit = (hours // _DAYS, "day") if hours >= 2 * _DAYS else (hours, "hour")
    return f"{count} {unit}{'' if count == 1 else 's'} old"


def difference(found: Difference) -> Iterator[str]:
    """One difference as lines."""
    call = found.call
    old, new = (status.value if status else "not asked" for status in (found.old, found.new))
    change = "changed" if found.changes else f"{old} → {new}"
    yield f"{call.account} {call.region} {call}: {change}"
    for each in found.changes[:_SHOWN_CHANGES]:
        yield f"    {each.place}: {_cut(each.old)} → {_cut(each.new)}"
    if len(found.changes) > _SHOWN_CHANGES:
        yield f"    and {len(found.changes) - _SHOWN_CHANGES} more"


def _cut(text: str) -> str:
    return (text if len(text) <= _VALUE else f"{text[: _VALUE - 1]}…") or "nothing"


def shortened(names: tuple[str, ...]) -> str:
    """The names, or how many they are where a line would not hold them.

    >>> shortened(("eu-west-1", "us-east-1")), shortened(tuple("abcdefghi"))
    ('eu-west-1, us-east-1', '9: a … i')
    """
    return ", ".join(names) if len(names) <= _NAMES else f"{len(names)}: {names[0]} … {names[-1]}"


def as_json(answer: Answer, *, with_body: bool = True) -> dict[str, object]:
    """One answer as a JSON object."""
    from clew.snapshot.file import heading

    told = heading(answer) | {"error_code": answer.error_code, "error_message": answer.error_message}
    return told | ({"body": answer.body} if with_body else {})


def pretty(value: object) -> str:
    """JSON for people and programs, as it is counted in lines by what reads the snapshot."""
    return json.dumps(value, indent=2)


def now() -> datetime:
    """The time of this invocation."""
    return datetime.now(UTC)
