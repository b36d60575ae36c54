"""A replay for people: the matrix, the disagreements with an example each, and why the rest is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.explain.replay import Comparison, Outcome
from clew.report.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.explain.replay import Group, Replay, Replayed

_GROUPS = 6
_REASONS = 12


def render(replay: Replay) -> str:
    """The whole replay as text."""
    return "\n".join(_lines(replay)) + "\n"


def _lines(replay: Replay) -> Iterator[str]:
    compared = sum(replay.comparisons.get(each, 0) for each in (Comparison.AGREES, Comparison.DISAGREES))
    yield f"{replay.calls:,} calls, {compared:,} compared ({_percent(replay.coverage)} of all)"
    yield (
        f"  {_percent(replay.agreement)} of these as the policies predict"
        if compared
        else "  none of them could be compared"
    )
    yield ""
    yield f"{'':22}{'was allowed':>14}{'was denied':>14}"
    for predicted in Outcome:
        row = (replay.matrix.get((predicted, happened), 0) for happened in Outcome)
        yield f"  predicted {predicted.value:<10}" + "".join(f"{count:>14,}" for count in row)
    yield from _disagreements(replay)
    yield from _others(replay)


def _percent(share: float | None) -> str:
    # 99.96 % is not all of them.
    return "-" if share is None else f"{int(share * 1000) / 10:g} %"


def _disagreements(replay: Replay) -> Iterator[str]:
    found = [group for group in replay.groups if group.comparison is Comparison.DISAGREES]
    if found:
        yield ""
        yield "not as predicted:"
    for group in found[:_GROUPS]:
        yield from _disagreement(group)
    if len(found) > _GROUPS:
        yield f"  and {len(found) - _GROUPS} more kinds; `--output json` lists all"


def _disagreement(group: Group) -> Iterator[str]:
    first = group.examples[0]
    times = "once" if group.calls == 1 else f"{group.calls:,} times"
    yield f"  {terminal(group.action)} on {terminal(group.resource)} by {terminal(group.principal)}, {times}"
    example = f"event {terminal(first.event_id)} at {terminal(first.time)}"
    yield f"    predicted {first.predicted}, was {first.happened}; such as {example}"
    yield f"    {hint(first)}"


def hint(one: Replayed) -> str:
    """What a disagreement may come from, and what would tell."""
    if one.happened is Outcome.DENIED and one.message:
        return f"AWS said: {terminal(one.message[:200])}"
    changed = "the policies may have changed since: compare the time of the snapshot"
    if ":assumed-role/" in one.principal:
        return f"{changed}; a session policy is not in a snapshot"
    return changed


def _others(replay: Replay) -> Iterator[str]:
    if not replay.reasons:
        return
    yield ""
    yield "not compared:"
    for reason, count in list(replay.reasons.items())[:_REASONS]:
        yield f"  {count:>7,}  {terminal(reason)}"
    if len(replay.reasons) > _REASONS:
        rest = sum(list(replay.reasons.values())[_REASONS:])
        yield f"  {rest:>7,}  for {len(replay.reasons) - _REASONS} other reasons"


def document(replay: Replay) -> dict[str, object]:
    """The replay as an object of JSON."""
    return {
        "calls": replay.calls,
        "agreement": replay.agreement,
        "coverage": replay.coverage,
        "comparisons": {each.value: replay.comparisons.get(each, 0) for each in Comparison},
        "matrix": [
            {
                "predicted": predicted,
                "happened": happened,
                "calls": replay.matrix.get((predicted, happened), 0),
            }
            for predicted in Outcome
            for happened in Outcome
        ],
        "reasons": dict(replay.reasons),
        "groups": [_group(group) for group in replay.groups],
    }


def _group(group: Group) -> dict[str, object]:
    return {
        "comparison": group.comparison,
        "principal": group.principal,
        "action": group.action,
        "resource": group.resource,
        "reason": group.reason,
        "calls": group.calls,
        "predicted": group.examples[0].predicted,
        "happened": group.examples[0].happened,
        "event_ids": [one.event_id for one in group.examples],
    }
