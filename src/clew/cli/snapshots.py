"""How collected answers are counted and shown, by `clew collect` and `clew snapshot`."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clew.snapshot.answers import GLOBAL, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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


def told_places(answers: Answers) -> Iterator[str]:
    """The accounts and regions of which nothing is known, each in one sentence for all that have it in common."""
    for code, accounts in _not_entered(answers).items():
        yield f"{_many(len(accounts), 'account')} could not be entered ({code}): {', '.join(accounts)}"
    silent = _silent(answers)
    if silent:
        yield f"no call was answered in {_listed(silent)}"
    for regions, accounts in _not_asked(answers).items():
        of = "" if len(accounts) == len(answers.accounts) else f" of {', '.join(accounts)}"
        yield f"{_many(len(regions), 'enabled region')}{of} not asked: {_listed(regions)}"


def _listed(names: Sequence[str]) -> str:
    """The names, the first few and how many more where they are many."""
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _not_entered(answers: Answers) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for answer in answers.each("sts", "AssumeRole"):
        if not answer.status.is_known:
            found.setdefault(answer.error_code, []).append(answer.call.account)
    return found


def _silent(answers: Answers) -> list[str]:
    """The regions in which every call failed or was refused, with the account where there are several."""
    known: dict[tuple[str, str], bool] = {}
    for answer in answers:
        place = answer.call.account, answer.call.region
        known[place] = known.get(place, False) or answer.status.is_known
    named = len(answers.accounts) > 1
    places = [place for place, any_known in known.items() if not any_known and place[1] != GLOBAL]
    return [f"{region} of {account}" if named else region for account, region in places]


def _not_asked(answers: Answers) -> dict[tuple[str, ...], list[str]]:
    """The accounts by the regions that are enabled there, and in which nothing was asked."""
    asked: dict[str, set[str]] = {}
    for answer in answers:
        asked.setdefault(answer.call.account, set()).add(answer.call.region)
    found: dict[tuple[str, ...], list[str]] = {}
    for answer in answers.each("ec2", "DescribeRegions"):
        account = answer.call.account
        known = (each for each in answer.list("Regions") if each.get("OptInStatus") != "not-opted-in")
        enabled = {str(each.get("RegionName")) for each in known}
        regional = asked[account] - {GLOBAL}
        left = tuple(sorted(enabled - regional)) if regional else ()
        if left:
            found.setdefault(left, []).append(account)
    return found


def counts(answers: Iterable[Answer], service: str = "") -> list[tuple[str, Counter[str]]]:
    """How many answers of each status, by service, or by operation of one service."""
    found: dict[str, Counter[str]] = {}
    for answer in answers:
        call = answer.call
        if service in {"", call.service}:
            found.setdefault(call.operation if service else call.service, Counter())[answer.status.value] += 1
    return sorted(found.items())


def table(answers: Iterable[Answer], service: str = "") -> Iterator[str]:
    """The counts as lines."""
    names, rows = [status.value for status in Status], counts(answers, service)
    wide = max(16, *(len(name) + 2 for name, _ in rows)) if rows else 16
    yield f"{'operation' if service else 'service':<{wide}}" + "".join(f"{name:>10}" for name in names)
    for name, found in rows:
        yield f"{name:<{wide}}" + "".join(f"{found[each] or '-':>10}" for each in names)


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
